"""What each seed of a scale came to: the cells of whole runs, kept in one JSON file that ranges and directions rest on.

`expected/<scale>_seeds.json` is written by a command from finished runs and by nothing else.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from spade.errors import EnvironmentProblem, InputError

from . import whole_file
from .cells import Cell, cells
from .plan import STAGES
from .policy import Policy
from .records import RunRecords

FORMAT = 1

CellName = tuple[str, str, str]
"""Table, row and column."""


@dataclass(frozen=True)
class Condition:
    """What decides the arithmetic of a run, apart from what it computes: torch's release, threads, processor.

    environment: a name for whatever else differed (narrower vector instructions, another library); "" by default.
    """

    torch: str
    threads: int
    cpu: str
    environment: str = ""

    def unlike(self, other: "Condition") -> str:
        """What differs from `other`, in words; empty where nothing does."""
        mine, theirs = asdict(self), asdict(other)
        return ", ".join(f"{key} {mine[key] or 'unnamed'}" for key in mine if mine[key] != theirs[key])


@dataclass(frozen=True)
class CellSummary:
    """One cell of one run: its mean over samples in the table's unit, and how many samples that is."""

    table: str
    row: str
    column: str
    kind: str
    unit: str
    mean: float
    n: int

    @property
    def name(self) -> CellName:
        """Table, row and column."""
        return self.table, self.row, self.column


@dataclass(frozen=True)
class SeedSummary:
    """One whole run of one seed under one condition.

    Attributes:
        identity: what was computed (`identity`); ranges of one identity say nothing about another.
        tables: version of each table's definition, by id.
        releases: of the libraries, by distribution.
        started: when the run's last command began, with its zone.
        weights_sha256: of the network and its samples, to the bit; "" where it was not kept.
        policy_sha256: of the policy the run was recorded under; "" where it was not kept.
    """

    scale: str
    seed: int
    identity: str
    recipe_sha256: str
    condition: Condition
    tables: Mapping[str, int]
    releases: Mapping[str, str]
    started: str
    cells: tuple[CellSummary, ...]
    weights_sha256: str = ""
    policy_sha256: str = ""

    @cached_property
    def values(self) -> Mapping[CellName, float]:
        """The means of its cells of kind "value", by name."""
        return {cell.name: cell.mean for cell in self.cells if cell.kind == "value"}

    def mean(self, name: CellName) -> float | None:
        """The mean of one cell, None where this run has no such cell."""
        return next((cell.mean for cell in self.cells if cell.name == name), None)


def identity(run: RunRecords) -> str:
    """sha256 over everything that decides a run's values except its seed and its arithmetic."""
    recipe = run.provenance.get("scale_sha256", "")
    facts = {"scale": run.scale, "recipe": recipe, "protocol": run.protocol, "stages": STAGES}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=dict).encode()).hexdigest()


def summarise(run: RunRecords, policy: Policy, *, environment: str = "") -> SeedSummary:
    """The cells of a finished run that have a value; cells that are not run at this scale are left out.

    environment: a name for arithmetic that torch's release, threads and processor do not tell apart.

    Raises:
        InputError: units are missing, or a cell has more failed units than the policy allows.
    """
    found: list[CellSummary] = []
    recorded: Mapping[str, Any] = run.provenance.get("tables", {})
    for table in run.tables:
        for cell in cells(table, run):
            _finished(cell, policy, f"{run.scale} with seed {run.seed}")
            if cell.n:
                found.append(
                    CellSummary(cell.table, cell.row, cell.column, cell.kind, cell.unit, mean=cell.mean, n=cell.n)
                )
    return SeedSummary(
        scale=run.scale,
        seed=run.seed,
        identity=identity(run),
        recipe_sha256=run.recipe_sha256,
        condition=replace(_condition(run.provenance), environment=environment),
        tables={table.id: int(recorded.get(table.id, table.version)) for table in run.tables},
        releases=dict(run.provenance["releases"]),
        started=str(run.provenance["invocations"][-1]["started"]),
        cells=tuple(found),
        weights_sha256=run.weights_sha256,
        policy_sha256=str(run.provenance.get("policy_sha256", "")),
    )


def add(summaries: Iterable[SeedSummary], fresh: SeedSummary) -> tuple[SeedSummary, ...]:
    """The summaries with one more, by condition and seed; the same seed under the same condition is replaced."""
    kept = [one for one in summaries if (one.seed, one.condition) != (fresh.seed, fresh.condition)]
    return tuple(sorted([*kept, fresh], key=lambda one: (repr(one.condition), one.seed)))


def reference(summaries: Sequence[SeedSummary]) -> tuple[SeedSummary, ...]:
    """The summaries of the condition that most seeds were run under, by seed; none where there are none."""
    by_condition: dict[Condition, list[SeedSummary]] = {}
    for one in summaries:
        by_condition.setdefault(one.condition, []).append(one)
    # The first of equals by name, so that the choice does not depend on the order of the file.
    ranked = sorted(by_condition, key=lambda condition: (-len(by_condition[condition]), repr(condition)))
    return tuple(sorted(by_condition[ranked[0]], key=lambda one: one.seed)) if ranked else ()


def encode(summaries: Iterable[SeedSummary]) -> str:
    """The summaries as JSON text, one cell a line, equal for equal summaries."""
    runs = []
    for one in summaries:
        head = {key: value for key, value in asdict(one).items() if key != "cells"}
        # What was not kept or named is left out, so that files of before stay what they were, to the byte.
        head = {key: value for key, value in head.items() if value != ""}
        head["condition"] = {key: value for key, value in head["condition"].items() if value != ""}
        lines = ",\n  ".join(json.dumps(list(asdict(cell).values()), allow_nan=False) for cell in one.cells)
        runs.append(f'{json.dumps(head, sort_keys=True)[:-1]}, "cells": [\n  {lines}\n ]}}')
    return f'{{"format": {FORMAT}, "runs": [\n ' + ",\n ".join(runs) + "\n]}\n"


def decode(text: str, *, where: str) -> tuple[SeedSummary, ...]:
    """The summaries in JSON text that `encode` wrote; `where` names the text in errors.

    Raises:
        EnvironmentProblem: the text is damaged, or of another format.
    """
    try:
        data = json.loads(text)
        found = data["format"]
        runs = [_summary(run) for run in data["runs"]] if found == FORMAT else []
    except (ValueError, KeyError, TypeError) as problem:
        raise EnvironmentProblem(
            f"{where} is damaged ({problem}); restore it, or measure the seeds again."
        ) from problem
    if found != FORMAT:
        raise EnvironmentProblem(f"{where} has format {found}; this release reads {FORMAT}: measure the seeds again.")
    return tuple(runs)


def read(path: Path) -> tuple[SeedSummary, ...]:
    """The summaries of a file; none where it does not exist.

    Raises:
        EnvironmentProblem: the file cannot be read or is damaged.
    """
    try:
        return decode(path.read_text(encoding="utf-8"), where=str(path))
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise EnvironmentProblem(f"{path} cannot be read: {problem.strerror}.") from problem


def write(path: Path, summaries: Iterable[SeedSummary]) -> None:
    """Keep the summaries in a file, in one step.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    whole_file.write(path, encode(summaries))


def _summary(data: dict[str, Any]) -> SeedSummary:
    rows = tuple(CellSummary(*row) for row in data.pop("cells"))
    return SeedSummary(condition=Condition(**data.pop("condition")), cells=rows, **data)


def _condition(provenance: Mapping[str, Any]) -> Condition:
    return Condition(
        torch=str(provenance["releases"]["torch"]),
        threads=int(provenance["threads_per_worker"]),
        cpu=str(provenance["cpu"]),
    )


def _finished(cell: Cell, policy: Policy, run: str) -> None:
    if cell.missing:
        raise InputError(
            f"The run of {run} is not finished: table {cell.table}, row '{cell.row}', column '{cell.column}' lacks "
            f"{cell.missing} of {cell.asked} units. Give the same `spade-bench run` again."
        )
    if cell.asked and cell.failed / cell.asked > policy.units.failed_share:
        raise InputError(
            f"The run of {run} cannot enter a range: table {cell.table}, row '{cell.row}', column '{cell.column}' has "
            f"{cell.failed} failed of {cell.asked} units ({'; '.join(cell.reasons[:1])})."
        )
