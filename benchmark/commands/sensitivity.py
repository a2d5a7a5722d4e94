"""`spade-bench sensitivity`: a table under every reading of what the paper leaves open."""

import sys
from datetime import datetime
from pathlib import Path

import click

from spade.errors import InputError, nearest

from . import options

PROTOCOLS = ("ours", "paper", "official")


@click.command()
@click.argument("table")
@options.scale_and_seed
@options.store
@options.jobs
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    default=PROTOCOLS,
    show_default=True,
    help="Readings to compare, the reference first; may be given several times.",
)
@click.option("--stored", is_flag=True, help="Compute nothing; compare what the store has.")
def sensitivity(  # noqa: PLR0917 - click passes by name
    table: str, scale: str, seed: int, folder: Path, jobs: int | None, protocols: tuple[str, ...], *, stored: bool
) -> None:
    """Run a table under several protocols on the same network and samples, and show how each cell moves.

    A protocol's augmentations are drawn as often as the scale says, not as often as the paper does: the number is a
    matter of time, the kind one of reading. What is stored is not computed again.
    """
    from spade.protocol import PROTOCOLS as READINGS

    from .. import definition, listing, policy
    from .. import scale as scales
    from .. import sensitivity as moves
    from ..console import Bars
    from ..grid import show
    from ..rerun import Request, Watch, rerun
    from ..store import Store

    asked, main, own = definition.load(table), Store(folder), scales.load(scale).pruning.protocol
    for name in protocols:
        if name not in READINGS:
            raise InputError(f"Unknown protocol '{name}'. {nearest(name, READINGS)}")
    names = tuple(dict.fromkeys(protocols))
    if len(names) < 2:
        raise InputError("One protocol has nothing to be compared with; name two or more.")
    runs = {}
    for name in names:
        store = main if name == own else moves.variant(main, name)
        if not stored:
            request = Request(scale, seed, (asked.id,), jobs or 1, protocol="" if name == own else name)
            with Bars() as bars:
                bars.note(f"Protocol {name}:")
                watch = Watch(training=bars.training, start=bars.start, record=bars.record, note=bars.note)
                done = rerun(
                    request, store, arguments=tuple(sys.argv), started=datetime.now().astimezone(), watch=watch
                )
            if done.interrupted:
                raise KeyboardInterrupt
        runs[name] = store.run(scale, seed, tables=(asked.id,))
    found = moves.shifts(runs, policy.load())
    show(listing.shifts(found, names))
    path = moves.keep(found, folder / moves.FOLDER / f"{scale}-seed{seed}-table-{asked.id}.json", runs=runs)
    click.echo(f"How each cell moves is in {path}.")
