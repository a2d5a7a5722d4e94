"""The samples that gained most and least, with image, patch and maps as picture files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation

from ..cells import AVERAGE, Cell, cells
from ..definition import Dense, Pruned, TableDefinition
from ..records import RunRecords, SampleNote
from ..store import Store

EACH = 3
"""Samples shown at either end."""

SIDE = 192
"""Least height and width of a picture [pixels]; small ones are magnified by whole numbers, so that pixels stay."""

OUTLINE = (213, 94, 0)
"""Vermillion of the Okabe-Ito palette: apart from every grey for every kind of colour vision."""

OUTLINE_INDEX = 255
"""Its place in a map's palette, behind 255 greys."""

LINE = 4
"""Width of the outline [pixels of the picture]."""

CLIPPED = 99.0
"""Percentile of a map that is drawn darkest; single pixels would otherwise leave the rest white."""


@dataclass(frozen=True)
class MapEntry:
    """One map: its Trojan AUC in the table's unit (NaN without a value) and its picture ("" where none was kept)."""

    column: str
    method: str
    value: float
    picture: str


@dataclass(frozen=True)
class SampleEntry:
    """One sample: what it is, what it gained on average over the methods, and its pictures."""

    id: str
    end: str
    patch: str
    label: int
    target: int
    gain: float
    image: str
    mask: str
    maps: tuple[tuple[MapEntry, ...], ...]


@dataclass(frozen=True)
class Gallery:
    """The best and the worst samples of one table by `column` - `baseline`, or the reason why there are none."""

    table: str
    unit: str
    column: str
    baseline: str
    samples: tuple[SampleEntry, ...]
    note: str


def draw(run: RunRecords, folder: Path) -> Gallery:
    """The gallery of a run, its pictures written below `folder`/pictures.

    It shows the first asked table that has a dense and a pruned column with samples in common.

    Raises:
        OSError: a picture cannot be written.
    """
    for table in run.tables:
        baseline = next((arm.column for arm in table.arms if isinstance(arm, Dense)), "")
        columns = [
            arm.column
            for arm in table.arms
            if isinstance(arm, Pruned) and arm.image == "own" and table.baseline(arm.column) == baseline
        ]
        if not baseline or not columns or not table.average:
            continue
        of_table = cells(table, run)
        gained = _gains(of_table, columns[0], baseline)
        if gained:
            return _gallery(run, table, of_table, gained, (baseline, *columns), folder)
    return Gallery("", "", "", "", (), "No table of this run compares a pruned network with the dense one on a sample.")


def gains(run: RunRecords, gallery: Gallery) -> dict[str, float]:
    """By sample what the gallery's pruned column gained on average over the methods; all samples, not its ends."""
    found = [table for table in run.tables if table.id.upper() == gallery.table]
    return _gains(cells(found[0], run), gallery.column, gallery.baseline) if found else {}


def _gains(of_table: Sequence[Cell], column: str, baseline: str) -> dict[str, float]:
    averages = {
        cell.column: dict(zip(cell.samples, cell.values, strict=True)) for cell in of_table if cell.row == AVERAGE
    }
    after, before = averages.get(column, {}), averages.get(baseline, {})
    return {sample: value - before[sample] for sample, value in after.items() if sample in before}


def _gallery(  # noqa: PLR0917 - the parts of a gallery
    run: RunRecords,
    table: TableDefinition,
    of_table: Sequence[Cell],
    gains: dict[str, float],
    columns: tuple[str, ...],
    folder: Path,
) -> Gallery:
    ranked = sorted(gains, key=lambda sample: (-gains[sample], sample))
    each = min(EACH, len(ranked) // 2) or 1
    chosen = [("best", sample) for sample in ranked[:each]]
    chosen += [("worst", sample) for sample in ranked[::-1][:each] if sample not in ranked[:each]]
    notes = {note.id: note for note in run.samples}
    values = {(cell.row, cell.column): cell for cell in of_table}
    keys = {(cell.row, cell.column): dict(cell.units) for cell in run.asked if cell.table == table.id}
    artist = _Artist(run, folder / "pictures")
    samples = []
    for i, (end, sample) in enumerate(chosen):
        image, mask = artist.sample(sample, f"sample{i}")
        grid = tuple(
            tuple(
                _entry(values[row.name, column], keys[row.name, column], sample, artist, f"sample{i}-{j}-{m}")
                for j, column in enumerate(columns)
            )
            for m, row in enumerate(table.rows)
            if not row.not_run
        )
        note = notes.get(sample, SampleNote(sample, -1, -1, ""))
        samples.append(
            SampleEntry(sample, end, note.patch, note.label, note.target, gains[sample], image, mask, maps=grid)
        )
    maps = [one for entry in samples for row in entry.maps for one in row if math.isfinite(one.value)]
    missing, total = sum(not one.picture for one in maps), len(maps)
    if run.store is None or missing == total:
        said = "The maps of this run were not kept, so there are values without pictures."
    else:
        said = f"{missing} of {total} maps were not kept." if missing else ""
    return Gallery(table.id.upper(), table.unit, columns[1], columns[0], tuple(samples), said)


def _entry(cell: Cell, keys: dict[str, str], sample: str, artist: "_Artist", stem: str) -> MapEntry:
    value = dict(zip(cell.samples, cell.values, strict=True)).get(sample, math.nan)
    picture = artist.map(sample, keys[sample], stem) if math.isfinite(value) else ""
    return MapEntry(cell.column, cell.row, value, picture)


class _Artist:
    """Draws from a run's store; what is not there gives an empty name."""

    def __init__(self, run: RunRecords, folder: Path) -> None:
        for old in folder.glob("sample*-*.png"):  # of an earlier report in the same folder
            old.unlink()
        self.store = Store(run.store) if run.store is not None else None
        self.recipe = run.recipe_sha256
        self.folder = folder

    def sample(self, name: str, stem: str) -> tuple[str, str]:
        found = self._read(name)
        if found is None:
            return "", ""
        image, mask = found
        rgb = np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)
        where = np.where(mask, 0, 255).astype(np.uint8)
        pictures = Image.fromarray(_enlarged(rgb)), Image.fromarray(_enlarged(where))
        return self._save(pictures[0], f"{stem}-image"), self._save(pictures[1], f"{stem}-patch")

    def map(self, sample: str, key: str, stem: str) -> str:
        heatmap = self.store.read_map(self.recipe, key) if self.store is not None else None
        if heatmap is None:
            return ""
        found = self._read(sample)
        mask = found[1] if found is not None and found[1].shape == heatmap.shape else np.zeros(heatmap.shape, bool)
        greys = _enlarged(np.round(254 * (1 - scaled(heatmap))).astype(np.uint8))
        greys[_edge(_enlarged(mask))] = OUTLINE_INDEX
        picture = Image.fromarray(greys)
        picture.putpalette([*(level for level in range(255) for _ in range(3)), *OUTLINE])
        return self._save(picture, stem)

    def _read(self, sample: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_]] | None:
        return self.store.read_sample(self.recipe, sample) if self.store is not None else None

    def _save(self, picture: Image.Image, stem: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        picture.save(self.folder / f"{stem}.png", optimize=True)
        return f"{self.folder.name}/{stem}.png"


def scaled(heatmap: NDArray[np.float32]) -> NDArray[np.float64]:
    """The map from its least value at 0 to its 99th percentile at 1; a flat map is 0 everywhere."""
    values = np.nan_to_num(heatmap.astype(np.float64))
    low, high = values.min(), np.percentile(values, CLIPPED)
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros_like(values)


def _enlarged(pixels: NDArray[Any]) -> NDArray[Any]:
    factor = max(1, round(SIDE / pixels.shape[0]))
    return np.ascontiguousarray(pixels.repeat(factor, axis=0).repeat(factor, axis=1))


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The line just outside the mask, wide enough to be seen when the picture is shown small."""
    return binary_dilation(mask, iterations=LINE) & ~mask
