"""Golden ranges of a scale: where one fresh seed falls, computed from stored per-seed summaries and never typed.

A range is the prediction interval of a fresh seed, mean +- t sd sqrt(1 + 1/n), at a level that lets all ranges of the
scale hold together (Bonferroni), and half a digit of the page on either side. Its spread is the larger of two that were
measured: over seeds, and (for one seed under other arithmetic: threads, torch release, processor) between conditions,
once enough seeds were trained again for that. They are not added, because a seed redraws all that arithmetic can
disturb, so the first already holds the second.
"""

import hashlib
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.seeds import predict_fresh_seed
from spade.errors import InputError

from . import definition, seeds
from .cells import point
from .policy import Policy
from .replay import Tolerance, tolerances
from .seeds import CellName, Condition, SeedSummary

LEAST_RETRAINED = 5
"""Seeds trained again under other arithmetic before their moves may widen a range.

From one difference a spread is hardly known: every third would pass for the larger of two equal ones, and a range would
widen by chance. Fewer are told beside the ranges, as are the values that left them.
"""


@dataclass(frozen=True)
class GoldenRange:
    """Where one cell of a fresh seed falls, in the table's unit.

    Attributes:
        mean: over the reference seeds.
        sd: over the reference seeds.
        sd_arithmetic: of one seed over conditions that trained their own network; NaN where none was measured. It
            widens the range from `LEAST_RETRAINED` seeds on.
        n: reference seeds.
    """

    table: str
    row: str
    column: str
    low: float
    high: float
    mean: float
    sd: float
    sd_arithmetic: float
    n: int

    @property
    def name(self) -> CellName:
        """Table, row and column."""
        return self.table, self.row, self.column


@dataclass(frozen=True)
class ArithmeticSpread:
    """How far the same seeds moved under another condition, over all cells.

    Attributes:
        condition: what differs from the reference, in words.
        rms: root mean square of the differences, in the table's unit.
        largest: the largest difference.
        outside: values outside their range, of `values` in all.
    """

    condition: str
    seeds: tuple[int, ...]
    values: int
    rms: float
    largest: float
    outside: int


@dataclass(frozen=True)
class Blessing:
    """One change of the ranges: which tables, why, when, and by which release of this project."""

    tables: tuple[str, ...]
    reason: str
    date: str
    release: str
    changed: int
    """Ranges that became others, new ones included."""
    seeds_sha256: str
    """Of the summaries they came from then."""


@dataclass(frozen=True)
class Golden:
    """The golden ranges of a scale, and how they were measured.

    Attributes:
        identity: what was computed (`seeds.identity`).
        level: of each range; `family_alpha` is what all of them together leave.
        seeds_sha256: of the summaries the ranges were computed from.
        first, last: when the first and the last run were made.
        releases: of the libraries, by distribution, in the reference runs.
        replays: how far cells of a stored seed may move when it is run again.
        blessings: every change of the ranges, oldest first.
    """

    scale: str
    identity: str
    policy_sha256: str
    seeds_sha256: str
    family_alpha: float
    level: float
    seeds: tuple[int, ...]
    first: str
    last: str
    condition: Condition
    releases: Mapping[str, str]
    tables: Mapping[str, int]
    arithmetic: tuple[ArithmeticSpread, ...]
    ranges: tuple[GoldenRange, ...]
    replays: tuple[Tolerance, ...] = ()
    blessings: tuple[Blessing, ...] = ()

    def range(self, name: CellName) -> GoldenRange | None:
        """The range of one cell; None where none was measured."""
        return next((one for one in self.ranges if one.name == name), None)


def measure(summaries: Sequence[SeedSummary], policy: Policy) -> Golden:
    """The golden ranges that per-seed summaries give under a policy.

    Raises:
        InputError: too few seeds, or runs that did not compute the same cells.
    """
    runs = seeds.reference(summaries)
    if len(runs) < policy.golden.least_seeds:
        raise InputError(
            f"Golden ranges need {policy.golden.least_seeds} seeds run under one condition; found {len(runs)}. "
            "Run more seeds and add them."
        )
    first = runs[0]
    _alike(summaries, first)
    names = [(cell.name, cell.unit) for cell in first.cells]
    level = 1 - policy.golden.family_alpha / len(names)
    others = [one for one in summaries if one.condition != first.condition]
    # A replay of the very same network says how far a rerun moves, and nothing of how far a training does.
    retrained = [one for one in others if not _same_network(one, runs)]
    ranges = tuple(
        _range(name, unit, runs, retrained, level=level, half_digit=policy.golden.half_digit) for name, unit in names
    )
    return Golden(
        scale=first.scale,
        identity=first.identity,
        policy_sha256=policy.sha256,
        seeds_sha256=hashlib.sha256(seeds.encode(summaries).encode()).hexdigest(),
        family_alpha=policy.golden.family_alpha,
        level=level,
        seeds=tuple(one.seed for one in runs),
        first=min(one.started for one in runs),
        last=max(one.started for one in runs),
        condition=first.condition,
        releases=first.releases,
        tables=first.tables,
        arithmetic=_spreads(runs, retrained, ranges),
        ranges=ranges,
        replays=tolerances(runs, others, policy),
    )


def alike(summaries: Sequence[SeedSummary]) -> None:
    """Refuse summaries that cannot stand in one file of seeds.

    Raises:
        InputError: runs under another protocol, policy or table version, or of other cells; the sentence says which.
    """
    runs = seeds.reference(summaries)
    if runs:
        _alike(summaries, runs[0])


def _range(
    name: CellName,
    unit: str,
    runs: Sequence[SeedSummary],
    others: Sequence[SeedSummary],
    *,
    level: float,
    half_digit: float,
) -> GoldenRange:
    means = [one.mean(name) for one in runs]
    values = [mean for mean in means if mean is not None]  # _alike saw that none is missing
    moved = [difference for one in others for difference in _differences(one, runs, [name])]
    # Two draws of the same seed differ by sqrt(2) times the spread of one.
    arithmetic = math.sqrt(math.fsum(d * d for d in moved) / len(moved) / 2) if moved else math.nan
    prediction = predict_fresh_seed(values, level=level, other_sd=arithmetic if len(moved) >= LEAST_RETRAINED else 0.0)
    least, most = (end * 100 * point(unit) for end in definition.load(name[0]).ends(name[2]))
    spread = statistics.stdev(values)
    return GoldenRange(
        *name,
        low=max(least, prediction.low - half_digit * point(unit)),
        high=min(most, prediction.high + half_digit * point(unit)),
        mean=prediction.mean,
        sd=spread,
        sd_arithmetic=arithmetic,
        n=prediction.n,
    )


def _same_network(other: SeedSummary, runs: Sequence[SeedSummary]) -> bool:
    same = next((one for one in runs if one.seed == other.seed), None)
    return same is not None and bool(other.weights_sha256) and other.weights_sha256 == same.weights_sha256


def _differences(other: SeedSummary, runs: Sequence[SeedSummary], names: Sequence[CellName]) -> list[float]:
    """How far cells of a run under another condition lie from those of the same seed under the reference."""
    same = next((one for one in runs if one.seed == other.seed), None)
    if same is None:
        return []
    pairs = ((other.mean(name), same.mean(name)) for name in names)
    return [theirs - ours for theirs, ours in pairs if theirs is not None and ours is not None]


def _spreads(
    runs: Sequence[SeedSummary], others: Sequence[SeedSummary], ranges: Sequence[GoldenRange]
) -> tuple[ArithmeticSpread, ...]:
    by_condition: dict[str, list[SeedSummary]] = {}
    for one in others:
        by_condition.setdefault(one.condition.unlike(runs[0].condition), []).append(one)
    names = [one.name for one in ranges]
    found = []
    for condition, members in sorted(by_condition.items()):
        moved = [difference for one in members for difference in _differences(one, runs, names)]
        if not moved:
            continue
        values = [(one.mean(golden.name), golden) for one in members for golden in ranges]
        found.append(
            ArithmeticSpread(
                condition=condition,
                seeds=tuple(sorted(one.seed for one in members)),
                values=sum(value is not None for value, _ in values),
                rms=math.sqrt(math.fsum(d * d for d in moved) / len(moved)),
                largest=max(map(abs, moved)),
                outside=sum(value is not None and not golden.low <= value <= golden.high for value, golden in values),
            )
        )
    return tuple(found)


def _alike(summaries: Sequence[SeedSummary], first: SeedSummary) -> None:
    for one in summaries:
        facts = {
            "scale": (one.scale, first.scale),
            "protocol": (one.identity, first.identity),
            "table versions": (dict(one.tables), dict(first.tables)),
            # Summaries of before this was kept say nothing about it.
            "policy": (one.policy_sha256, first.policy_sha256 if one.policy_sha256 else ""),
            "cells": ([cell.name for cell in one.cells], [cell.name for cell in first.cells]),
        }
        different = [what for what, (theirs, ours) in facts.items() if theirs != ours]
        if different:
            what = different[0]
            detail = ""
            if what in {"scale", "protocol", "table versions", "policy"}:
                theirs, ours = facts[what]
                short = [str(value)[:12] if isinstance(value, str) else str(value) for value in (theirs, ours)]
                detail = f" ({short[0]} and {short[1]})"
            raise InputError(
                f"Seed {one.seed} ({one.condition.unlike(first.condition) or 'reference condition'}) was run with "
                f"another set of {what} than seed {first.seed}{detail}; ranges need runs that computed the same. "
                "Measure the seeds anew, or take the old ones out by beginning a new file."
            )
