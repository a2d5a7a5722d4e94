"""`spade-bench times`: keep what a calibrated run took, for estimates on machines that have run nothing."""

from pathlib import Path

import click

from spade.errors import InputError

from . import options


@click.command()
@click.argument("scale")
@options.store
@options.expected("Folder of reference times, in a checkout.")
def times(scale: str, folder: Path, into: Path) -> None:
    """Measure: keep how long the networks and units of a scale took here, for `plan` on other machines.

    Wants a run that trained, on a machine with nothing else to do: `spade-bench plan --scale SCALE --calibrate` in an
    empty store.
    """
    from .. import provenance, reference_times, yardstick
    from .. import scale as scales
    from ..reference_times import ReferenceTimes
    from ..store import Store

    found = [key for key in Store(folder).runs() if key[0] == scale]
    if not found:
        scales.load(scale)  # an unknown name is answered with near ones
        raise InputError(f"No run of scale '{scale}' in {folder}; begin with `spade-bench plan --calibrate` there.")
    runs = [Store(folder).run(*key) for key in found]
    if strangers := {str(run.provenance["cpu"]) for run in runs} - {provenance.cpu()}:
        raise InputError(f"Runs in {folder} were made on {', '.join(sorted(strangers))}, and this is another machine.")
    last = runs[-1].provenance
    prepared = {name: seconds for run in runs for name, seconds in run.provenance.get("prepared", {}).items()}
    measured = ReferenceTimes(
        scale=scale,
        cpu=provenance.cpu(),
        torch=str(last["releases"]["torch"]),
        date=str(last["invocations"][-1]["started"])[:10],
        yardstick=round(yardstick.seconds(), 4),
        prepared=prepared,
        units=reference_times.medians(record for run in runs for record in run.records.values()),
    )
    path = reference_times.store(measured, into)
    click.echo(f"{len(measured.units)} kinds of units and {len(prepared)} networks are timed in {path}.")
