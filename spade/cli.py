"""The command `spade`."""

import errno
import sys
from pathlib import Path

import click

from .errors import EnvironmentProblem, SpadeError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spade-bench")
def spade() -> None:
    """Sample-targeted pruning: what a network does on one image, without what it could do on others."""


@spade.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--model",
    required=True,
    help="A torchvision classifier, such as resnet50, or the function that builds your network: file.py:function.",
)
@click.option(
    "--weights", required=True, type=click.Path(path_type=Path), help="Its weights, .safetensors or a saved state dict."
)
@click.option("--target", type=int, help="Class index to explain.  [default: what the network predicts]")
@click.option("--methods", help="Saliency methods, comma-separated.  [default: all ten]")
@click.option("--solver", default="obc", show_default=True, help="obc (SPADE) or sparsegpt (FastSPADE, much faster).")
@click.option(
    "--ratios",
    default="linear",
    show_default=True,
    help="Share of weights to remove: linear (0 in the first layer to 0.99 in the last), one number for every layer, "
    "blocks such as features.17=0.8,classifier=0.9, or a TOML file of ratios by layer or block.",
)
@click.option("--augmentations", type=click.IntRange(1), default=128, show_default=True, help="Variants of the image.")
@click.option("--protocol", default="ours", show_default=True, help="ours, paper or official.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--mean", default="0.485,0.456,0.406", show_default=True, help="Subtracted, one number or one a channel.")
@click.option("--std", default="0.229,0.224,0.225", show_default=True, help="Divided by, after that.")
@click.option("--resize", type=click.IntRange(1), default=256, show_default=True, help="Shorter side.")
@click.option("--crop", type=click.IntRange(1), default=224, show_default=True, help="Square from the centre.")
@click.option(
    "--rotate",
    type=click.Choice(["0", "90", "180", "270"]),
    default="0",
    show_default=True,
    help="Degrees by which the drawn panels are turned; the network sees the image as it is.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Picture to write (.png, .pdf, .svg).  [default: NAME-spade.png]"
)
def explain(
    *,
    image: Path,
    model: str,
    weights: Path,
    target: int | None,
    methods: str | None,
    solver: str,
    ratios: str,
    augmentations: int,
    protocol: str,
    seed: int,
    mean: str,
    std: str,
    resize: int,
    crop: int,
    rotate: str,
    output: Path | None,
) -> None:
    """Explain IMAGE in one picture: each saliency method on the network as it is, beside the same on its trace.

    The trace is the network pruned for this image alone. On a CPU the exact solver takes minutes on MobileNet-V2 and
    hours on ResNet50 with linear ratios; name the last blocks in --ratios, or use --solver sparsegpt, where that is
    too long. The estimate comes first, and Ctrl-C stops.
    """
    # torch, captum and matplotlib take seconds to import: only now, after the command line was understood.
    from .explain_command import Request, run

    run(
        Request(
            image=image,
            model=model,
            weights=weights,
            target=target,
            methods=methods,
            solver=solver,
            ratios=ratios,
            augmentations=augmentations,
            protocol=protocol,
            seed=seed,
            mean=mean,
            std=std,
            resize=resize,
            crop=crop,
            quarter_turns=int(rotate) // 90,
            output=output if output is not None else Path(f"{image.stem}-spade.png"),
        )
    )


def main() -> None:
    """Run the command; a failure of ours ends with its sentence and its exit code."""
    try:
        spade(standalone_mode=False)
    except SpadeError as problem:
        click.echo(f"spade: {problem}", err=True)
        sys.exit(problem.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except OSError as problem:
        if problem.errno == errno.EPIPE:  # whoever read the output has seen enough
            sys.exit(1)
        where = f"{problem.filename}: " if problem.filename else ""
        click.echo(f"spade: {where}{problem.strerror or problem}.", err=True)
        sys.exit(EnvironmentProblem.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("spade: stopped; nothing was written.", err=True)
        sys.exit(130)
