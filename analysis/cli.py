"""`spade-stats`: what the answers of the human study say, and what they do not.

Exit codes: 0 fine, 2 the command or its input makes no sense, 4 the installation or the data on it cannot carry the
work.
"""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from data_manifests.errors import ManifestError

from .commands.consistency import consistency
from .commands.power import power
from .commands.replicate import replicate
from .commands.report import report
from .errors import AnalysisError

# numpy, pandas and statsmodels take seconds to import: commands import what computes after parsing.


class _Sentences(click.Group):
    """Turns failures into one sentence and an exit code; a stop by the user is no failure."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        try:
            return super().invoke(ctx)
        except AnalysisError as problem:
            _leave(str(problem), 2)
        except ManifestError as problem:
            _leave(str(problem), problem.exit_code)
        except KeyboardInterrupt:
            _leave("Stopped. What was stored is kept.", 3)


def _leave(sentence: str, code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)


export_argument = click.argument("export", type=click.Path(path_type=Path))
raters_option = click.option(
    "--raters", type=click.Path(path_type=Path), default=None, help="Table of raters, where EXPORT is a lone file."
)
run_option = click.option("--run", default=None, help="Which run, where the export holds several.")


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spade-bench")
def main() -> None:
    """What the answers of the human study say, and what they do not."""


@main.command()
@export_argument
@raters_option
@run_option
def check(export: Path, raters: Path | None, run: str | None) -> None:
    """Hold EXPORT (a folder, a CSV or a Parquet file) against the codebook."""
    from . import responses

    found = responses.read(export, raters=raters, run=run)
    frame = found.frame
    counts = ", ".join(f"{n} {kind}" for kind, n in frame["kind"].value_counts().items() if n)
    click.echo(
        f"{found.source}: run {found.run} ({found.run_kind}), {len(frame)} answers ({counts}) of "
        f"{frame['rater'].nunique()} raters on {frame['image'].nunique()} images."
    )
    if found.missing:
        click.echo(f"Optional columns not in the file: {', '.join(found.missing)}.")
    for note in found.notes:
        click.echo(note)
    click.echo("It is as the codebook says.")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--truth", default="paper", show_default=True, help="Planted effect; a wrong name is answered with all.")
@click.option("--raters", default=24, show_default=True, type=click.IntRange(1), help="How many people answer.")
@click.option("--images", default=100, show_default=True, type=click.IntRange(1), help="How many images.")
@click.option("--ratings", default=746, show_default=True, type=click.IntRange(1), help="How many answers in all.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Draws people, images and answers.")
def simulate(folder: Path, *, truth: str, raters: int, images: int, ratings: int, seed: int) -> None:
    """Write the export of a simulated study with a known truth into FOLDER, to try the analysis on."""
    import numpy as np

    from . import simulated_export, simulation

    planted = simulation.truth(truth)
    design = simulation.Design(raters, images, ratings, assignment="balanced")
    generator = np.random.default_rng(seed)
    simulated_export.write(simulation.study(planted, design, generator), folder, generator)
    click.echo(
        f"{folder}: {ratings} answers of {raters} simulated raters; agreement differs by "
        f"{100 * planted.difference('agree'):+.1f} points."
    )


@main.command()
@click.option("--closed", default=4000, show_default=True, type=click.IntRange(0), help="Studies a truth: formulas.")
@click.option("--fitted", default=1000, show_default=True, type=click.IntRange(0), help="The same: fits.")
@click.option("--resampled", default=1000, show_default=True, type=click.IntRange(0), help="The same: resampling.")
@click.option("--within", default=4000, show_default=True, type=click.IntRange(0), help="The same: within raters.")
@click.option("--bayesian", default=400, show_default=True, type=click.IntRange(0), help="The same: crossed model.")
@click.option(
    "--store",
    default="calibration.jsonl",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where simulated studies are kept; the same command goes on from there.",
)
@click.option("--table", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write the table here.")
def calibrate(*, store: Path, table: Path | None, **studies: int) -> None:
    """Simulate studies with planted effects, and count how often each interval holds the truth."""
    from rich.progress import MofNCompleteColumn, Progress

    from . import calibration

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn()) as bar:
        task = bar.add_task("Simulated studies", total=None)
        calibration.run(
            store,
            replications=studies,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    text = calibration.as_markdown(calibration.rates(store))
    if table is not None:
        table.write_text(text, encoding="utf-8")
    click.echo(text)


for command in (report, replicate, power, consistency):
    main.add_command(command)
