"""How every cell of a table moves when the open choices of the paper are read otherwise, on the same samples."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spade.errors import EnvironmentProblem

from .cells import cells
from .difference import CellDifference, difference
from .policy import Policy
from .records import RunRecords
from .store import Store

FOLDER = "sensitivity"


@dataclass(frozen=True)
class Shift:
    """One cell under every protocol.

    Attributes:
        means: by protocol, in the table's unit; NaN where it has no value there.
        against: by protocol other than the reference, protocol - reference on the same samples.
    """

    table: str
    row: str
    column: str
    means: Mapping[str, float]
    against: Mapping[str, CellDifference]


def variant(store: Store, protocol: str) -> Store:
    """The folder of the runs under another protocol than the scale's; trained networks are shared.

    Raises:
        EnvironmentProblem: it cannot be made.
    """
    found = Store(store.folder / FOLDER / protocol)
    try:
        store.cache.mkdir(parents=True, exist_ok=True)
        found.folder.mkdir(parents=True, exist_ok=True)
        if not found.cache.exists():
            found.cache.symlink_to(store.cache.resolve(), target_is_directory=True)
    except OSError as problem:
        raise EnvironmentProblem(f"{found.folder} cannot be made: {problem.strerror}.") from problem
    return found


def shifts(runs: Mapping[str, RunRecords], policy: Policy) -> tuple[Shift, ...]:
    """How each cell moves from the first run, the reference, to every other."""
    reference, *others = runs
    against = {
        name: {(one.table, one.row, one.column): one for one in difference(runs[reference], runs[name], policy).cells}
        for name in others
    }
    means = {
        name: {(c.table, c.row, c.column): c.mean for table in run.tables for c in cells(table, run) if not c.not_run}
        for name, run in runs.items()
    }
    return tuple(
        Shift(
            *name,
            means={protocol: of.get(name, math.nan) for protocol, of in means.items()},
            against={protocol: of[name] for protocol, of in against.items() if name in of},
        )
        for name in means[reference]
        if any(math.isfinite(of.get(name, math.nan)) for of in means.values())
    )


def keep(found: tuple[Shift, ...], path: Path, *, runs: Mapping[str, RunRecords]) -> Path:
    """The shifts as JSON at `path`, with the protocols they are about.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    data = {
        "protocols": {name: dict(run.protocol) for name, run in runs.items()},
        "cells": [_plain(one) for one in found],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=1, default=dict) + "\n", encoding="utf-8")
    except OSError as problem:
        raise EnvironmentProblem(f"{path} cannot be written: {problem.strerror}.") from problem
    return path


def _plain(one: Shift) -> dict[str, Any]:
    moved = {}
    for name, cell in one.against.items():
        between = cell.difference
        moved[name] = {
            "difference": _number(cell.after - cell.before if between is None else between.mean),
            "low": _number(math.nan if between is None else between.low),
            "high": _number(math.nan if between is None else between.high),
            "p_holm": _number(cell.adjusted_p),
            "samples": cell.shared,
        }
    means = {name: _number(mean) for name, mean in one.means.items()}
    return {"table": one.table, "row": one.row, "column": one.column, "means": means, "against": moved}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
