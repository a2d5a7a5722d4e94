"""`spade-study stimuli`, `veto` and `contact-sheet`: make a stimulus set, look at it, and leave samples out."""

import functools
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spade.errors import EnvironmentProblem as MethodEnvironmentProblem
from spade.errors import SpadeError

from ..errors import EnvironmentProblem, InputError

if TYPE_CHECKING:
    from .cost import Cost
    from .recipe import Recipe
    from .subject import Subject


def _sentences(command: Callable[..., None]) -> Callable[..., None]:
    """Failures of the method as failures of the study, which its command line tells in a sentence."""

    @functools.wraps(command)
    def told(*arguments: object, **options: object) -> None:
        try:
            command(*arguments, **options)
        except MethodEnvironmentProblem as problem:
            raise EnvironmentProblem(str(problem)) from problem
        except SpadeError as problem:
            raise InputError(str(problem)) from problem

    return told


def _check_installed() -> None:
    """Refuse before the network is loaded; without this the first picture fails.

    Raises:
        EnvironmentProblem: what draws the pictures is not installed.
    """
    for module, package in (("torch", "torch"), ("lucent", "torch-lucent")):
        if find_spec(module) is None:
            raise EnvironmentProblem(
                f"'stimuli' needs {package}, which is not installed here: pip install '.[stimuli]'."
            )


def _numbers(_context: click.Context, _parameter: click.Parameter, typed: str | None) -> tuple[float, ...] | None:
    if typed is None:
        return None
    try:
        return tuple(float(part) for part in typed.split(","))
    except ValueError as problem:
        raise click.BadParameter(f"'{typed}' is neither a number nor numbers with commas between.") from problem


@click.command()
@click.argument("folder", metavar="SET", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file of these options (with _ for -), and of the tables [regions] and [ascent].",
)
@click.option(
    "--model",
    help="A torchvision classifier, or the function that builds the network: file.py:function. That file is run.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="Its weights, .safetensors or a saved state dict.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of images, one folder a class.")
@click.option(
    "--classes", type=click.Path(path_type=Path), help="Class names in the order of the outputs, .txt or .json."
)
@click.option("--samples", type=click.IntRange(1), help="Misclassified samples wanted.  [default: 100]")
@click.option("--seed", type=click.IntRange(0), help="Of the order of images, of pruning and visualisations.")
@click.option("--resize", type=click.IntRange(1), help="Shorter side.  [default: 256]")
@click.option(
    "--crop", type=click.IntRange(1), help="Square from the centre, and size of all pictures.  [default: 224]"
)
@click.option("--mean", callback=_numbers, help="Subtracted, one number or three.  [default: 0.485,0.456,0.406]")
@click.option("--std", callback=_numbers, help="Divided by, after that.  [default: 0.229,0.224,0.225]")
@click.option("--cam-layer", help="Whose output Score-CAM masks with.  [default: the last that gives a map]")
@click.option("--block", multiple=True, help="Layer or module to prune, may be repeated.  [default: the last block]")
@click.option("--sparsity", type=float, help="Share of the block's weights that goes.  [default: 0.99]")
@click.option("--solver", help="obc, exact and the paper's, or sparsegpt.  [default: obc]")
@click.option("--augmentations", type=click.IntRange(1), help="Variants of the image the pruning sees.")
@click.option("--steps", type=click.IntRange(1), help="Of each visualisation.  [default: 512]")
@click.option("--allow-fewer", is_flag=True, help="Take what there is where too few samples have two regions.")
@click.option("--dry-run", is_flag=True, help="Check everything, tell what it costs, make nothing.")
@_sentences
def stimuli(
    folder: Path, config: Path | None, steps: int | None, *, allow_fewer: bool, dry_run: bool, **options: object
) -> None:
    """Make the pictures of a study: for each misclassified sample two regions and four visualisations.

    For the true and the predicted class: the region that Score-CAM finds on the network as it is, and a visualisation
    of the class neuron, with and without pruning for this image. Samples whose regions overlap are rejected. The same
    command goes on after any stop. Look at SET/contact-sheet.html afterwards, and leave samples out with
    `spade-study veto`.
    """
    _check_installed()
    # torch and what lies on it take seconds to import: only now, after the command line was understood.
    from . import contact_sheet, cost, production, recipe, subject  # noqa: PLC0415
    from .progress import Bars  # noqa: PLC0415

    given = {name: value for name, value in options.items() if value not in {None, ()}}
    wanted = recipe.gather(config, given)
    if steps is not None:
        wanted = recipe.with_steps(wanted, steps)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    network = subject.load(wanted)
    _say(wanted, network, cost.estimate(wanted, network))
    if dry_run:
        return
    try:
        with Bars() as bars:
            done = production.produce(
                wanted, network, folder, allow_fewer=allow_fewer, standing=bars.standing, watch=bars.watch
            )
    except KeyboardInterrupt:
        click.echo("Stopped. Finished samples are kept; the same command goes on from there.", err=True)
        sys.exit(3)
    page = contact_sheet.write(folder)
    for reason, count in done.rejected.items():
        click.echo(f"{count} misclassified samples were rejected: {reason}.")
    click.echo(f"{done.samples} samples, {4 * done.samples} tasks: {done.manifest}")
    click.echo(f"Look at them all: {page}")


@click.command()
@click.argument("folder", metavar="SET", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("samples", metavar="SAMPLE...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; it stays with the set.")
@click.option("--withdraw", is_flag=True, help="Take the samples in again.")
@_sentences
def veto(folder: Path, samples: tuple[str, ...], reason: str, *, withdraw: bool) -> None:
    """Leave samples of SET out of the study, by their numbers on the contact sheet; with the reason on record."""
    from . import contact_sheet, manifest  # noqa: PLC0415 - the page's templates
    from . import veto as vetoes  # noqa: PLC0415

    content = vetoes.vetoed(
        manifest.read(folder), samples, reason=reason, at=datetime.now().astimezone(), withdraw=withdraw
    )
    manifest.write(folder, content)
    contact_sheet.write(folder)
    left = sum("vetoed" not in entry for entry in content["images"])
    click.echo(f"{left} of {len(content['images'])} samples are left, {4 * left} tasks.")


@click.command("contact-sheet")
@click.argument("folder", metavar="SET", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_sentences
def sheet(folder: Path) -> None:
    """Write the page that shows all samples of SET, with their answers, for the researcher."""
    from . import contact_sheet  # noqa: PLC0415 - as above

    click.echo(str(contact_sheet.write(folder)))


def _say(recipe: "Recipe", subject: "Subject", cost: "Cost") -> None:
    network, images = recipe.model.rpartition("/")[2], len(subject.images.images)
    click.echo(
        f"{network}: {len(subject.names.names)} classes, {images} images; Score-CAM with the {subject.masks} maps of "
        f"{subject.cam_layer}; {', '.join(subject.block)} pruned to {recipe.sparsity:g} by {recipe.solver} "
        f"({len(subject.ratios)} layers)."
    )
    click.echo(
        f"Roughly {_spoken(cost.regions)} for each misclassified sample tried, and {_spoken(cost.sample)} for one that "
        f"is taken: {_spoken(recipe.samples * cost.sample)} for {recipe.samples}, and what the rejected ones take. "
        f"Looking at all images once takes {_spoken(cost.look * images)}."
    )


def _spoken(seconds: float) -> str:
    if seconds < 120:  # people think in seconds up to two minutes, in minutes up to two hours
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
