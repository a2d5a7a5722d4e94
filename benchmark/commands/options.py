"""Options that several commands share, written once."""

import os
from collections.abc import Callable
from pathlib import Path

import click

from .. import definition

DEFAULT_SCALE = "mini"
DEFAULT_STORE = "spade-bench-runs"
DEFAULT_REPORT = "report"
MEMORY_A_WORKER = 1.5 * 2**30
"""Bytes; a worker with torch and one image's eliminations stays below this at the embedded scales."""

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

scale: Decorator = click.option(
    "--scale", default=DEFAULT_SCALE, show_default=True, help="Embedded scale: smoke or mini."
)
seed: Decorator = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Draws data, network and samples."
)
store: Decorator = click.option(
    "--store",
    "folder",
    default=DEFAULT_STORE,
    show_default=True,
    envvar="SPADE_BENCH_STORE",
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of units, maps and trained networks.",
)
jobs: Decorator = click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Worker processes; by default one a core, as memory allows."
)
pages: Decorator = click.option(
    "--report",
    "pages",
    default=DEFAULT_REPORT,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder the report is written to.",
)
check: Decorator = click.option(
    "--check", is_flag=True, help="Exit with 1 unless every cell is inside its expected range."
)
some_tables: Decorator = click.argument("table", nargs=-1)


def scale_and_seed(command: Callable[..., None]) -> Callable[..., None]:
    """Both, in this order on the help page."""
    return scale(seed(command))


def expected(text: str) -> Decorator:
    """The folder of ranges and per-seed summaries in a checkout, for commands that write there."""
    return click.option(
        "--into",
        type=click.Path(file_okay=False, exists=True, path_type=Path),
        default=Path("benchmark/expected"),
        show_default=True,
        help=text,
    )


def default_jobs() -> int:
    """Worker processes where no number is asked: one a core, as memory allows."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available / MEMORY_A_WORKER)))


def asked(tables: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of the tables named, all where none is.

    Raises:
        InputError: a name no table has.
    """
    return tuple(definition.load(name).id for name in tables) or definition.names()
