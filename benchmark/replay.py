"""The same seed again: how far a cell may move when its stored run is repeated, here or under other arithmetic.

Golden ranges hold a fresh seed, which redraws classes, network and samples, and are wide for it. A repetition of a
stored seed redraws nothing, so what moves it is arithmetic alone: another processor, torch release or thread count.
Two cases are told apart, because they differ by orders of magnitude: the network came out the same to the bit (only
pruning, maps and scores were computed again), or training came out otherwise and there is another network.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .cells import Cell, point
from .policy import Policy, ReplayRule
from .seeds import CellSummary, SeedSummary

Network = Literal["same", "other"]
"""Whether a repetition has the stored network, to the bit, or one that was trained again and came out otherwise."""


@dataclass(frozen=True)
class Tolerance:
    """How far the cells of one column moved over the measured replays, and how far they may.

    Attributes:
        largest: the largest move, in the table's unit.
        allowed: the policy's multiple of it.
        values: moves behind it. replays: runs behind it. environments: their names.
        missed: of the moves of each replay, how many the other replays would not have allowed.
    """

    table: str
    column: str
    network: Network
    largest: float
    allowed: float
    values: int
    replays: int
    environments: tuple[str, ...]
    missed: int


@dataclass(frozen=True)
class Replayed:
    """One cell beside the stored one of the same seed."""

    stored: float
    moved: float
    tolerance: Tolerance

    @property
    def drifted(self) -> bool:
        """Whether it moved further than any repetition should."""
        return abs(self.moved) > self.tolerance.allowed


def tolerances(runs: Sequence[SeedSummary], others: Sequence[SeedSummary], policy: Policy) -> tuple[Tolerance, ...]:
    """The tolerance of every column, from replays of the reference runs; a column with too few replays has none."""
    found = []
    replays = [(one, same) for one in others if (same := _of_seed(runs, one.seed)) is not None]
    for network in ("same", "other"):
        alike = [(one, same) for one, same in replays if _network(one, same) == network]
        if len(alike) < policy.replay.least_replays:
            continue
        for (table, column), unit in {(cell.table, cell.column): cell.unit for cell in runs[0].cells}.items():
            moves = [_moves(one, same, table, column) for one, same in alike]
            if all(moves):
                rule = replace(policy.replay, half_digit=policy.replay.half_digit * point(unit))
                found.append(_tolerance(table, column, network, alike, moves, rule))
    return tuple(found)


def replayed(
    cell: Cell, weights_sha256: str, stored: SeedSummary | None, known: Sequence[Tolerance]
) -> Replayed | None:
    """A run's cell beside the stored one of its seed; None where none is stored, or no tolerance was measured."""
    if stored is None or not cell.n:
        return None
    before = stored.mean((cell.table, cell.row, cell.column))
    network = "same" if weights_sha256 and weights_sha256 == stored.weights_sha256 else "other"
    tolerance = next((t for t in known if (t.table, t.column, t.network) == (cell.table, cell.column, network)), None)
    if before is None or tolerance is None:
        return None
    return Replayed(before, cell.mean - before, tolerance)


def _tolerance(  # noqa: PLR0917 - what a tolerance is made of
    table: str,
    column: str,
    network: Network,
    alike: Sequence[tuple[SeedSummary, SeedSummary]],
    moves: Sequence[Sequence[float]],
    rule: ReplayRule,
) -> Tolerance:
    everything = [move for of_run in moves for move in of_run]
    missed = 0
    for i, of_run in enumerate(moves):
        rest = [move for j, other in enumerate(moves) if j != i for move in other]
        missed += sum(move > _allowed(rest, rule) for move in of_run)
    return Tolerance(
        table=table,
        column=column,
        network=network,
        largest=max(everything),
        allowed=_allowed(everything, rule),
        values=len(everything),
        replays=len(alike),
        environments=tuple(sorted({one.condition.unlike(same.condition) for one, same in alike})),
        missed=missed,
    )


def _allowed(moves: Sequence[float], rule: ReplayRule) -> float:
    return rule.factor * max(moves, default=0.0) + rule.half_digit


def _moves(one: SeedSummary, same: SeedSummary, table: str, column: str) -> list[float]:
    def of_column(run: SeedSummary) -> list[CellSummary]:
        return [cell for cell in run.cells if (cell.table, cell.column) == (table, column)]

    before = {cell.row: cell.mean for cell in of_column(same)}
    return [abs(cell.mean - before[cell.row]) for cell in of_column(one) if cell.row in before]


def _of_seed(runs: Sequence[SeedSummary], seed: int) -> SeedSummary | None:
    return next((one for one in runs if one.seed == seed), None)


def _network(one: SeedSummary, same: SeedSummary) -> Network:
    return "same" if one.weights_sha256 and one.weights_sha256 == same.weights_sha256 else "other"
