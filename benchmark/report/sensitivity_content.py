"""What a report says of the open choices of the paper: each table under every protocol it was computed under."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import sensitivity_file
from ..definition import TableDefinition
from ..records import RunRecords
from ..sensitivity import too_few
from ..sensitivity_file import Kept, KeptCell, KeptGain


@dataclass(frozen=True)
class Knob:
    """One thing that the protocols read otherwise: its name, and its value by protocol."""

    name: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class SensitivityEntry:
    """One table under several protocols, the reference first.

    Attributes:
        alpha: chance below which a move is shown, after Holm over the cells.
        moved: by protocol other than the reference, the cells shown to move, and of how many.
        images: the most that a cell rests on. too_few: whether no cell could be shown to move on so many.
        rows: by row, its cells in the order of the columns; None where a row has no such cell.
        furthest: the largest move of a cell that has an interval, as (protocol, cell); None where nothing moves.
        lower_is_better: columns whose cells are better the lower they are.
    """

    id: str
    title: str
    unit: str
    alpha: float
    protocols: tuple[str, ...]
    knobs: tuple[Knob, ...]
    moved: Mapping[str, tuple[int, int]]
    images: int
    too_few: bool
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[KeptCell | None, ...]], ...]
    gains: tuple[KeptGain, ...]
    furthest: tuple[str, KeptCell] | None
    lower_is_better: tuple[str, ...] = ()

    @property
    def baselines(self) -> str:
        """The dense columns that others are compared with, one a metric, in words."""
        return " and ".join(dict.fromkeys(one.baseline for one in self.gains))


def build(run: RunRecords, *, alpha: float) -> tuple[SensitivityEntry, ...]:
    """Every table of a run that `spade-bench sensitivity` was given.

    alpha: chance below which a move is shown.
    """
    found = ((table, sensitivity_file.read(run, table.id)) for table in run.tables)
    return tuple(_entry(table, kept, alpha) for table, kept in found if kept is not None)


def _entry(table: TableDefinition, kept: Kept, alpha: float) -> SensitivityEntry:
    by_name = {(one.row, one.column): one for one in kept.cells}
    columns = tuple(dict.fromkeys(one.column for one in kept.cells))
    rows = dict.fromkeys(one.row for one in kept.cells)
    others = tuple(kept.protocols)[1:]
    images = max((span.samples for one in kept.cells for span in one.against.values()), default=0)
    moves = [(name, one) for one in kept.cells for name, span in one.against.items() if span.mean]
    return SensitivityEntry(
        id=table.id.upper(),
        title=table.title,
        unit=table.unit,
        alpha=alpha,
        protocols=tuple(kept.protocols),
        knobs=_knobs(kept.protocols),
        moved={
            name: (
                sum(one.against[name].p_holm < alpha for one in kept.cells if name in one.against),
                sum(name in one.against for one in kept.cells),
            )
            for name in others
        },
        images=images,
        too_few=too_few(images, len(kept.cells), alpha),
        columns=columns,
        rows=tuple((row, tuple(by_name.get((row, column)) for column in columns)) for row in rows),
        gains=kept.gains,
        furthest=max(moves, key=lambda one: _size(one[1].against[one[0]].mean), default=None),
        lower_is_better=tuple(filter(table.lower_is_better, columns)),
    )


def _size(move: float) -> float:
    return abs(move) if math.isfinite(move) else -1.0


def _knobs(protocols: Mapping[str, Mapping[str, Any]]) -> tuple[Knob, ...]:
    flat = {name: dict(_flat(knobs)) for name, knobs in protocols.items()}
    every = dict.fromkeys(key for knobs in flat.values() for key in knobs)
    found = (Knob(key.replace("_", " "), {name: flat[name].get(key, "—") for name in flat}) for key in every)
    return tuple(one for one in found if len(set(one.values.values())) > 1 and not one.name.endswith(", name"))


def _flat(knobs: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in knobs.items():
        name = f"{above}, {key}" if above else key
        found += _flat(value, name) if isinstance(value, Mapping) else [(name, _said(value))]
    return found


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return " to ".join(_said(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
