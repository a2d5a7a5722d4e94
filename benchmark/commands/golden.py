"""`spade-bench golden`: measure the expected ranges of a scale from its stored runs."""

from pathlib import Path

import click

from spade.errors import InputError

from . import options


@click.command()
@click.argument("scale")
@options.store
@options.expected("Folder of ranges and per-seed summaries, in a checkout.")
def golden(scale: str, folder: Path, into: Path) -> None:
    """Measure the expected ranges of a scale from its stored runs, and keep both beside each other."""
    from .. import golden as ranges
    from .. import policy, seeds
    from ..store import Store

    store, rules = Store(folder), policy.load()
    summaries = ranges.load_seeds(scale, into)
    found = [key for key in store.runs() if key[0] == scale]
    if not found:
        raise InputError(f"No run of scale '{scale}' in {folder}; run at least {rules.golden.least_seeds} seeds first.")
    for key in found:
        summaries = seeds.add(summaries, seeds.summarise(store.run(*key), rules))
    # First the summaries: they are what was measured, whether or not there are enough of them for ranges.
    seeds.write(into / f"{scale}_seeds.json", summaries)
    measured = ranges.measure(summaries, rules)
    path = ranges.store(measured, into)
    click.echo(f"{len(measured.ranges)} ranges of {len(measured.seeds)} seeds are in {path}.")
