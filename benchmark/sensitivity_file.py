"""What `spade-bench sensitivity` found of a table, as a JSON file of the store that the report reads."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.paired import PairedDifference
from spade.errors import EnvironmentProblem

from .plan import STAGES
from .records import RunRecords
from .sensitivity import FOLDER, Gain, Shift

FORMAT = 2


@dataclass(frozen=True)
class Span:
    """A mean difference with its interval, in the table's unit; NaN where there is none.

    Attributes:
        p_holm: two-sided, adjusted over the family that it was tested with.
        samples: images it rests on.
    """

    mean: float
    low: float
    high: float
    p_holm: float
    samples: int


@dataclass(frozen=True)
class KeptCell:
    """One cell: its mean by protocol, and by protocol what it is from the reference."""

    row: str
    column: str
    means: Mapping[str, float]
    against: Mapping[str, Span]


@dataclass(frozen=True)
class KeptGain:
    """What a column gains over its baseline on average over the methods, by protocol."""

    column: str
    baseline: str
    under: Mapping[str, Span]


@dataclass(frozen=True)
class Kept:
    """One table under several protocols.

    Attributes:
        protocols: every knob by protocol, the reference first.
    """

    protocols: Mapping[str, Mapping[str, Any]]
    cells: tuple[KeptCell, ...]
    gains: tuple[KeptGain, ...]


def path(store: Path, scale: str, seed: int, table: str) -> Path:
    """Where the file of a table is kept below the folder of a store."""
    return store / FOLDER / f"{scale}-seed{seed}-table-{table}.json"


def keep(found: tuple[Shift, ...], gained: tuple[Gain, ...], to: Path, *, runs: Mapping[str, RunRecords]) -> Path:
    """The shifts and gains of one table as JSON at `to`, with the protocols they are about.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    reference = next(iter(runs.values()))
    data = {
        "format": FORMAT,
        "of": _identity(reference, reference.tables[0].id),
        "reference": next(iter(runs)),
        "protocols": {name: dict(run.protocol) for name, run in runs.items()},
        "cells": [_cell(one) for one in found],
        "gains": [
            {
                "column": one.column,
                "baseline": one.baseline,
                "under": {name: _span(e.difference, e.adjusted_p) for name, e in one.under.items()},
            }
            for one in gained
        ],
    }
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps(data, indent=1, default=dict) + "\n", encoding="utf-8")
    except OSError as problem:
        raise EnvironmentProblem(f"{to} cannot be written: {problem.strerror}.") from problem
    return to


def read(run: RunRecords, table: str) -> Kept | None:
    """What was found of a table of a run; None where nothing was, or it is about another network, table or samples."""
    if run.store is None:
        return None
    try:
        data = json.loads(path(run.store, run.scale, run.seed, table).read_text(encoding="utf-8"))
        if data["format"] != FORMAT or data["of"] != _identity(run, table):
            return None
        names = [data["reference"], *(name for name in data["protocols"] if name != data["reference"])]
        return Kept(
            protocols={name: data["protocols"][name] for name in names},
            cells=tuple(
                KeptCell(
                    one["row"],
                    one["column"],
                    {name: _finite(mean) for name, mean in one["means"].items()},
                    {name: _back(span) for name, span in one["against"].items()},
                )
                for one in data["cells"]
            ),
            gains=tuple(
                KeptGain(one["column"], one["baseline"], {name: _back(span) for name, span in one["under"].items()})
                for one in data["gains"]
            ),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # not there, or torn: the command writes it again from what is stored


def _identity(run: RunRecords, table: str) -> dict[str, Any]:
    version = next((one.version for one in run.tables if one.id == table), 0)
    return {
        "scale": run.scale,
        "seed": run.seed,
        "table": table,
        "version": version,
        "recipe": run.recipe_sha256,
        "network and samples": run.weights_sha256,
        "stages": dict(STAGES),
    }


def _cell(one: Shift) -> dict[str, Any]:
    against = {}
    for name, cell in one.against.items():
        against[name] = _span(cell.difference, cell.adjusted_p) | {"samples": cell.shared}
        if cell.difference is None:  # a cell that is no mean over samples moves all the same
            against[name]["difference"] = _number(cell.after - cell.before)
    means = {name: _number(mean) for name, mean in one.means.items()}
    return {"table": one.table, "row": one.row, "column": one.column, "means": means, "against": against}


def _span(found: PairedDifference | None, p_holm: float) -> dict[str, Any]:
    mean, low, high, n = (found.mean, found.low, found.high, found.n) if found else (math.nan, math.nan, math.nan, 0)
    return {
        "difference": _number(mean),
        "low": _number(low),
        "high": _number(high),
        "p_holm": _number(p_holm),
        "samples": n,
    }


def _back(span: Mapping[str, Any]) -> Span:
    return Span(
        _finite(span["difference"]),
        _finite(span["low"]),
        _finite(span["high"]),
        _finite(span["p_holm"]),
        int(span["samples"]),
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _finite(value: float | None) -> float:
    return math.nan if value is None else float(value)
