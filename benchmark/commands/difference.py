"""`spade-bench diff`: two runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spade.errors import InputError

from . import options

if TYPE_CHECKING:
    from ..records import RunRecords


@click.command("diff")
@click.argument("before")
@click.argument("after")
@options.store
@click.option("--table", "tables", multiple=True, help="Only this table; may be given several times.")
@click.option("--samples", default=10, show_default=True, type=click.IntRange(0), help="Samples shown, furthest first.")
def diff(before: str, after: str, folder: Path, tables: tuple[str, ...], samples: int) -> None:
    """Compare two runs cell by cell and sample by sample: what was changed, and what it did.

    A run is named SCALE-seedN (in --store) or by its file, STORE/runs/SCALE-seedN.json. Runs of the same images are
    compared image by image.
    """
    from .. import definition, listing, policy
    from ..difference import difference
    from ..grid import show

    names = tuple(definition.load(name).id for name in tables)
    found = difference(_run(before, folder, names), _run(after, folder, names), policy.load())
    show(listing.changed(found.changed))
    if not found.cells:
        raise InputError("The two runs have no cell in common; name runs of the same tables.")
    show(listing.cell_differences(found))
    for table, row, column, which in found.unlike:
        show(f"Table {table}, {row}, {column}: {which}.")
    if not found.paired:
        show("The runs drew other images, so nothing is compared image by image.")
    elif samples:
        show(listing.moved(found.samples[:samples], len(found.samples)))


def _run(name: str, folder: Path, tables: tuple[str, ...]) -> "RunRecords":
    """The run a user names.

    Raises:
        InputError: the name is not one of a run, or there is no such run.
    """
    from ..store import Store

    path = Path(name)
    store = Store(path.parent.parent) if path.suffix == ".json" else Store(folder)
    scale, _, seed = path.name.removesuffix(".json").rpartition("-seed")
    if not scale or not seed.isdigit():
        raise InputError(f"'{name}' is no run; name one like smoke-seed0 or spade-bench-runs/runs/smoke-seed0.json.")
    manifest = store.read_manifest(scale, int(seed))
    missing = [table for table in tables if table not in manifest.tables]
    if missing:
        raise InputError(f"The run '{name}' has no table {missing[0]}; it has: {', '.join(manifest.tables)}.")
    return store.run(scale, int(seed), tables=tables)
