"""Two runs side by side: what was changed between them, and what that did to every cell and sample."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.paired import PairedDifference, holm, paired_difference

from .cells import Cell, cells
from .plan import STAGES
from .policy import Policy
from .records import RunRecords


@dataclass(frozen=True)
class Changed:
    """One fact that differs between the runs."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Moved:
    """One sample of one cell in both runs."""

    table: str
    row: str
    column: str
    sample: str
    before: float
    after: float

    @property
    def by(self) -> float:
        """After - before, in the table's unit."""
        return self.after - self.before


@dataclass(frozen=True)
class CellDifference:
    """One cell in both runs, in the table's unit.

    Attributes:
        difference: after - before on the same samples; None where they share none, or the cell is no mean over them.
        adjusted_p: after Holm over the cells of the table; NaN without a difference.
        shared: samples that both have. equal: of those, how many have the same value to the last bit.
    """

    table: str
    row: str
    column: str
    before: float
    after: float
    difference: PairedDifference | None
    adjusted_p: float
    shared: int
    equal: int


@dataclass(frozen=True)
class RunDifference:
    """What differs between two runs.

    Attributes:
        paired: whether their samples are the same images, so that differences are taken image by image.
        unlike: cells that only one of the runs has, as (table, row, column, which).
        samples: every sample that moved, furthest first.
    """

    changed: tuple[Changed, ...]
    paired: bool
    cells: tuple[CellDifference, ...]
    unlike: tuple[tuple[str, str, str, str], ...]
    samples: tuple[Moved, ...]


def difference(before: RunRecords, after: RunRecords, policy: Policy, *, controls: bool = True) -> RunDifference:
    """What differs between two runs, cell by cell and sample by sample.

    Samples are paired only where both runs drew the same images: the same scale, seed and recipe.

    controls: whether maps that no network made are among the cells, and so in Holm's family.
    """
    paired = (before.scale, before.seed, before.recipe_sha256) == (after.scale, after.seed, after.recipe_sha256)
    first, second = (_by_name(run, controls=controls) for run in (before, after))
    both = [name for name in first if name in second]
    found = [_cell(first[name], second[name], policy, paired=paired) for name in both]
    unlike = [(*name, "only before") for name in first if name not in second]
    unlike += [(*name, "only after") for name in second if name not in first]
    moved = [one for name in both if paired for one in _samples(first[name], second[name]) if one.by != 0]
    return RunDifference(
        changed=tuple(_changes(before, after)),
        paired=paired,
        cells=_adjusted(found),
        unlike=tuple(unlike),
        samples=tuple(sorted(moved, key=lambda one: (-abs(one.by), one.table, one.row, one.column, one.sample))),
    )


def _by_name(run: RunRecords, *, controls: bool) -> dict[tuple[str, str, str], Cell]:
    found = [cell for table in run.tables for cell in cells(table, run) if controls or cell.kind != "control"]
    return {(cell.table, cell.row, cell.column): cell for cell in found if cell.n}


def _cell(before: Cell, after: Cell, policy: Policy, *, paired: bool) -> CellDifference:
    names = before.table, before.row, before.column
    first, second = (dict(zip(cell.samples, cell.values, strict=True)) for cell in (before, after))
    shared = [sample for sample in first if sample in second] if paired else []
    between = None
    if shared and before.kind != "measurement":
        between = paired_difference(
            [second[sample] for sample in shared],
            [first[sample] for sample in shared],
            shared,
            bootstrap=policy.bootstrap,
            generator=policy.generator("diff", *names),
        )
    equal = sum(first[sample] == second[sample] for sample in shared)
    return CellDifference(*names, before.mean, after.mean, between, math.nan, shared=len(shared), equal=equal)


def _adjusted(found: Sequence[CellDifference]) -> tuple[CellDifference, ...]:
    adjusted: dict[int, float] = {}
    for table in dict.fromkeys(one.table for one in found):
        places = [i for i, one in enumerate(found) if one.table == table]
        raw = [math.nan if (between := found[i].difference) is None else between.p_value for i in places]
        adjusted |= dict(zip(places, holm(raw).tolist(), strict=True))
    return tuple(CellDifference(**{**vars(one), "adjusted_p": adjusted[i]}) for i, one in enumerate(found))


def _samples(before: Cell, after: Cell) -> Iterator[Moved]:
    second = dict(zip(after.samples, after.values, strict=True))
    for sample, value in zip(before.samples, before.values, strict=True):
        if sample in second:
            yield Moved(before.table, before.row, before.column, sample, value, second[sample])


def _changes(before: RunRecords, after: RunRecords) -> Iterator[Changed]:
    first, second = dict(_facts(before)), dict(_facts(after))
    for what in dict.fromkeys([*first, *second]):
        if first.get(what) != second.get(what):
            yield Changed(what, first.get(what, "none"), second.get(what, "none"))


def _facts(run: RunRecords) -> Iterator[tuple[str, str]]:
    """Everything a run's numbers or verdicts hang on, by name."""
    yield "scale", run.scale
    yield "seed", str(run.seed)
    yield "recipe", run.recipe_sha256[:12]
    yield "network and samples", run.weights_sha256[:12]
    yield from flat(run.protocol, "protocol")
    for key in ("policy_sha256", "scale_sha256", "commit", "python", "cpu", "threads_per_worker"):
        yield key.replace("_sha256", ""), str(run.provenance.get(key, ""))[:40]
    yield from flat(run.provenance.get("releases", {}), "release")
    yield from flat(run.provenance.get("stages", STAGES), "stage")
    versions: Mapping[str, Any] = run.provenance.get("tables") or {table.id: table.version for table in run.tables}
    yield from ((f"version of table {name}", str(version)) for name, version in versions.items())


def flat(facts: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    """Every leaf of nested facts with its path in words, "above, key, key"."""
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}, {key}")
        else:
            yield f"{above}, {key}".replace("_", " "), str(value)
