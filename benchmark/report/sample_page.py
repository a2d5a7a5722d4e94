"""A page for every sample: its image, and each map that explains it with its score, table by table.

Maps of a sample stand in one picture, so that twenty thousand of them are a few dozen files; a page shows its parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cells import decimals
from ..records import RunRecords, SampleNote, UnitRecord
from ..store import Store
from . import template
from .gallery import OUTLINE, scaled

FOLDER = "samples"
TILE = 64
"""Height and width of a map in the picture [pixels]."""

ACROSS = 16
GREYS = 15
"""Levels a map is drawn with; the sixteenth colour is the outline of the patch, so a pixel takes four bits."""


@dataclass(frozen=True)
class Shown:
    """One map of a sample: its score in the table's unit, or why it has none, and its place in the picture.

    `place` counts tiles, left to right and then down; -1 where no map was kept.
    """

    column: str
    value: float
    problem: str
    place: int


@dataclass(frozen=True)
class SampleTable:
    """What one table says of the sample: its rows with a map for every column that has one.

    `decimals` are those its scores are shown with: one image says less than a mean.
    """

    id: str
    title: str
    decimals: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shown | None, ...]], ...]


@dataclass(frozen=True)
class SamplePage:
    """Everything on one page. `picture` and `image` are names beside it, "" where nothing was kept."""

    note: SampleNote
    tables: tuple[SampleTable, ...]
    image: str
    picture: str
    tiles: int


def addresses(run: RunRecords) -> dict[str, str]:
    """By sample that some table explains, where its page is, seen from the report's folder."""
    explained = {sample for cell in run.asked if cell.kind == "value" for sample, _ in cell.units}
    places = [(note.id, i) for i, note in enumerate(run.samples) if note.id in explained]
    return {name: f"{FOLDER}/sample-{i:04d}.html" for name, i in places}


def write(run: RunRecords, gains: Mapping[str, float], folder: Path, *, unit: str) -> None:
    """A page for each sample below `folder`/samples, and `folder`/samples.html that lists them.

    gains: by sample what the pruned network gained, for the list, in `unit`.

    Raises:
        OSError: a file cannot be written.
    """
    found, store = addresses(run), Store(run.store) if run.store is not None else None
    below = folder / FOLDER
    for old in (*below.glob("sample-*.html"), *below.glob("sample-*.png")):  # of an earlier report
        old.unlink()
    below.mkdir(parents=True, exist_ok=True)
    asked = _by_sample(run)
    page = template.page("sample", "page", "sample", tile=TILE, across=ACROSS)
    notes = [note for note in run.samples if note.id in found]
    neighbours = [None, *notes, None]
    kept = []
    for i, note in enumerate(notes):
        stem = Path(found[note.id]).stem
        one = _page(run, note, asked.get(note.id, {}), store, below / stem)
        kept.append(one)
        around = [Path(found[other.id]).name if other else "" for other in (neighbours[i], neighbours[i + 2])]
        text = page.render(page=one, run=run, before=around[0], after=around[1])
        (below / f"{stem}.html").write_text(text, encoding="utf-8", newline="\n")
    listed = template.page("samples", "page", "sample")
    text = listed.render(pages=kept, run=run, addresses=found, gains=gains, places=decimals(unit), folder=FOLDER)
    (folder / "samples.html").write_text(text, encoding="utf-8", newline="\n")


Asked = dict[str, dict[tuple[str, str], str]]
"""By table, the unit's key by row and column."""


def _by_sample(run: RunRecords) -> dict[str, Asked]:
    found: dict[str, Asked] = {}
    for cell in run.asked:
        if cell.kind == "value":
            for sample, key in cell.units:
                found.setdefault(sample, {}).setdefault(cell.table, {})[cell.row, cell.column] = key
    return found


def _page(run: RunRecords, note: SampleNote, asked: Asked, store: Store | None, stem: Path) -> SamplePage:
    sheet = _Sheet(run, note, store)
    tables = []
    for table in run.tables:
        keys = asked.get(table.id, {})
        if not keys:
            continue
        columns = tuple(dict.fromkeys(column for _, column in keys))
        rows = tuple(
            (row, tuple(sheet.shown(column, keys.get((row, column)), table.factor) for column in columns))
            for row in dict.fromkeys(row for row, _ in keys)
        )
        tables.append(SampleTable(table.id.upper(), table.title, decimals(table.unit) - 1, columns, rows))
    image = sheet.image(stem.with_name(f"{stem.name}-image.png"))
    picture = sheet.save(stem.with_suffix(".png"))
    return SamplePage(note, tuple(tables), image, picture, len(sheet.tiles))


Kind = TypeVar("Kind", bound=np.generic)


class _Sheet:
    """The maps of one sample, each drawn once however many tables ask for it."""

    def __init__(self, run: RunRecords, note: SampleNote, store: Store | None) -> None:
        self.run, self.store, self.tiles = run, store, list[NDArray[np.uint8]]()
        self._places: dict[str, int] = {}
        self._seen = store.read_sample(run.recipe_sha256, note.id) if store is not None else None
        self._edge = None if self._seen is None else _outline(_resized(self._seen[1]))

    def shown(self, column: str, key: str | None, factor: float) -> Shown | None:
        if key is None:
            return None
        record = self.run.records.get(key)
        if record is None:
            return Shown(column, float("nan"), "not computed yet", -1)
        if record.status != "ok" or record.value is None:
            return Shown(column, float("nan"), f"{record.status}: {record.reason}", -1)
        return Shown(column, factor * record.value, "", self._place(record))

    def image(self, path: Path) -> str:
        if self._seen is None:
            return ""
        image = self._seen[0]
        rgb = np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)
        Image.fromarray(np.ascontiguousarray(rgb)).save(path)
        return path.name

    def save(self, path: Path) -> str:
        if not self.tiles:
            return ""
        down = -(-len(self.tiles) // ACROSS)
        sheet = np.zeros((down, TILE, ACROSS, TILE), np.uint8)
        for i, tile in enumerate(self.tiles):
            sheet[i // ACROSS, :, i % ACROSS] = tile
        picture = Image.fromarray(sheet.reshape(down * TILE, ACROSS * TILE))
        levels = np.linspace(255, 0, GREYS).round().astype(int)
        picture.putpalette([*(int(level) for level in levels for _ in range(3)), *OUTLINE])
        picture.save(path, bits=4)
        return path.name

    def _place(self, record: UnitRecord) -> int:
        if record.key not in self._places:
            heatmap = self.store.read_map(self.run.recipe_sha256, record.key) if self.store is not None else None
            if heatmap is None:
                self._places[record.key] = -1
            else:
                tile = _resized((scaled(heatmap) * (GREYS - 1)).round().astype(np.uint8))
                if self._edge is not None:
                    tile[self._edge] = GREYS
                self._places[record.key] = len(self.tiles)
                self.tiles.append(tile)
        return self._places[record.key]


def _resized(values: NDArray[Kind]) -> NDArray[Kind]:
    """The values at TILE x TILE, each pixel the one it falls on."""
    rows, columns = (np.arange(TILE) * side // TILE for side in values.shape)
    found: NDArray[Kind] = values[np.ix_(rows, columns)]
    return found


def _outline(mask: NDArray[np.generic]) -> NDArray[np.bool_]:
    """The line just outside a mask, one pixel wide."""
    inside = mask.astype(bool)
    near = np.zeros_like(inside)
    for axis in (0, 1):
        for step in (-1, 1):
            moved = np.roll(inside, step, axis)
            moved[(0 if step == 1 else -1,) if axis == 0 else (slice(None), 0 if step == 1 else -1)] = False
            near |= moved
    edge: NDArray[np.bool_] = near & ~inside
    return edge
