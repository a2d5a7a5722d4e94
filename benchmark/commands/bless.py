"""`spade-bench bless`: the only way an expected range changes."""

from datetime import datetime
from pathlib import Path

import click

from . import options


@click.command()
@click.argument("table", nargs=-1, required=True)
@options.scale
@options.expected("Folder of ranges and per-seed summaries, in a checkout.")
@click.option("--reason", default="", help="Why the ranges change, for whoever reads them next; asked for.")
@click.option("--dry-run", is_flag=True, help="Show old and new, and change nothing.")
def bless(table: tuple[str, ...], scale: str, into: Path, reason: str, *, dry_run: bool) -> None:
    """Make the ranges that the measured seeds give the expected ones, for some tables; shows old and new.

    The reason, the date and the release are kept in the file of ranges with those of every earlier change.
    """
    from spade.errors import InputError

    from .. import blessing, definition, golden, golden_file, listing, policy, provenance
    from ..grid import show

    names = tuple(dict.fromkeys(definition.load(name).id for name in table))
    summaries = golden_file.load_seeds(scale, into)
    if not summaries:
        raise InputError(f"No seed of scale '{scale}' was measured in {into}; run `spade-bench golden {scale}` first.")
    old, new = golden_file.load(scale, into), golden.measure(summaries, policy.load())
    show(listing.changes(blessing.changes(old, new)))
    if dry_run:
        return
    today = datetime.now().astimezone().date().isoformat()
    blessed = blessing.bless(old, new, names, reason=reason, date=today, release=provenance.release())
    path = golden_file.store(blessed, into)
    click.echo(f"{blessed.blessings[-1].changed} ranges changed; {len(blessed.ranges)} are in {path}.")
