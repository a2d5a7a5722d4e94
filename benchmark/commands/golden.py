"""`spade-bench golden`: keep what finished runs of a scale came to, one summary a seed and environment."""

from pathlib import Path

import click

from spade.errors import InputError

from . import options


@click.command()
@click.argument("scale")
@options.store
@options.expected("Folder of ranges and per-seed summaries, in a checkout.")
@click.option(
    "--environment",
    default="",
    metavar="NAME",
    help="A name for the arithmetic of these runs where torch, threads and processor do not tell it: a replay.",
)
@click.option("--anew", is_flag=True, help="Begin a new file of seeds; those measured before are left out.")
def golden(scale: str, folder: Path, into: Path, environment: str, *, anew: bool) -> None:
    """Measure: summarise the stored runs of a scale beside the seeds measured before.

    The expected ranges stay as they are until `spade-bench bless`. The same seed under other arithmetic is a replay:
    how far its cells move is what a rerun of a stored seed may move.
    """
    from .. import golden as ranges
    from .. import golden_file, policy, seeds
    from .. import scale as scales
    from ..blessing import changes
    from ..store import Store

    store, rules = Store(folder), policy.load()
    summaries = () if anew else golden_file.load_seeds(scale, into)
    found = [key for key in store.runs() if key[0] == scale]
    if not found:
        scales.load(scale)  # an unknown name is answered with near ones
        raise InputError(f"No run of scale '{scale}' in {folder}; run at least {rules.golden.least_seeds} seeds first.")
    for key in found:
        summaries = seeds.add(summaries, seeds.summarise(store.run(*key), rules, environment=environment))
    ranges.alike(summaries)
    # First the summaries: they are what was measured, whether or not there are enough of them for ranges.
    seeds.write(into / f"{scale}_seeds.json", summaries)
    measured = ranges.measure(summaries, rules)
    moved = changes(golden_file.load(scale, into), measured)
    click.echo(
        f"{len(measured.seeds)} seeds and {len(summaries) - len(measured.seeds)} replays of scale {scale} are in "
        f"{into / f'{scale}_seeds.json'}; {len(measured.ranges)} ranges follow from them."
    )
    if moved:
        names = " ".join(dict.fromkeys(change.name[0] for change in moved))
        click.echo(f"{len(moved)} ranges would change: spade-bench bless {names} --scale {scale} --reason ...")
