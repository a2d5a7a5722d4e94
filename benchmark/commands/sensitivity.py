"""`spade-bench sensitivity`: a table under every reading of what the paper leaves open."""

import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spade.errors import InputError, nearest

from . import options

if TYPE_CHECKING:
    from ..policy import Policy
    from ..rerun import Request
    from ..sensitivity import Gain, Shift
    from ..store import Store

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
    matter of time, the kind one of reading. What is stored is not computed again, so a stopped command goes on.
    """
    from spade.protocol import PROTOCOLS as READINGS

    from .. import definition, policy, sensitivity_file
    from .. import scale as scales
    from .. import sensitivity as moves
    from ..rerun import Request
    from ..store import Store

    asked, main, own = definition.load(table), Store(folder), scales.load(scale).pruning.protocol
    for name in protocols:
        if name not in READINGS:
            raise InputError(f"Unknown protocol '{name}'. {nearest(name, READINGS)}")
    names = tuple(dict.fromkeys(protocols))
    if len(names) < 2:
        raise InputError("One protocol has nothing to be compared with; name two or more.")
    # A scheduler that takes the machine back sends SIGTERM: as good a reason to stop in order as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runs = {}
    for place, name in enumerate(names, 1):
        store = main if name == own else moves.variant(main, name)
        if stored and (scale, seed) not in store.runs():
            raise InputError(
                f"Under the protocol '{name}' nothing is stored of scale '{scale}' with seed {seed} in "
                f"{store.folder}; the same command without --stored computes it."
            )
        if not stored:
            workers = jobs or options.default_jobs()
            request = Request(scale, seed, (asked.id,), workers, protocol="" if name == own else name)
            _compute(request, store, f"Protocol '{name}', {place} of {len(names)}:")
        runs[name] = store.run(scale, seed, tables=(asked.id,))
    rules = policy.load()
    found, gained = moves.shifts(runs, rules), moves.gains(runs, rules)
    path = sensitivity_file.path(folder, scale, seed, asked.id)
    sensitivity_file.keep(found, gained, path, runs=runs)
    _show(found, gained, names, rules)
    again = f"spade-bench report {asked.id} --scale {scale} --seed {seed}"
    click.echo(f"Every number is in {path}; `{again}` shows them in sensitivity.html.")


def _compute(request: "Request", store: "Store", said: str) -> None:
    """What one protocol still lacks, under progress bars."""
    from ..console import Bars
    from ..rerun import Watch, rerun

    with Bars() as bars:
        bars.note(said)
        watch = Watch(training=bars.training, start=bars.start, record=bars.record, note=bars.note)
        done = rerun(request, store, arguments=tuple(sys.argv), started=datetime.now().astimezone(), watch=watch)
        for note in done.notes:
            bars.note(note)
    if done.interrupted:
        raise KeyboardInterrupt


def _show(found: tuple["Shift", ...], gained: tuple["Gain", ...], names: tuple[str, ...], rules: "Policy") -> None:
    from .. import listing
    from .. import sensitivity as moves
    from ..grid import show

    alpha = rules.intervals.alpha
    if sys.stdout.isatty():
        show(listing.shifts_in_short(found, names, alpha=alpha))
    else:
        show(listing.shifts(found, names))
    if gained:
        show(listing.gains(gained, names))
    for name in names[1:]:
        shown, total = moves.moved(found, name, alpha)
        images = max((one.against[name].shared for one in found if name in one.against), default=0)
        why = f"; {images} images are too few to show any" if moves.too_few(images, total, alpha) else ""
        click.echo(f"Under '{name}' {shown} of {total} cells are shown to move from '{names[0]}', after Holm{why}.")
