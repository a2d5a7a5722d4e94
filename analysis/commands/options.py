"""Options that several commands share."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def out(default: str) -> Decorator:
    """The folder a report is written to."""
    return click.option(
        "--out",
        "folder",
        default=default,
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder the report is written to.",
    )


seed = click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="What every draw begins with.")
level = click.option(
    "--level", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999), help="Level of intervals."
)


def versions() -> dict[str, str]:
    """What computed a report, for its last section."""
    names = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib")
    try:
        own = f"spade-bench {version('spade-bench')}"
    except PackageNotFoundError:
        own = "spade-bench from a checkout"
    return {"versions": ", ".join([own, *(f"{name} {version(name)}" for name in names)])}


def progress(sentence: str) -> None:
    """Say on stderr what comes next: the page that a command prints stays alone on stdout."""
    click.echo(f"  {sentence}", err=True)
