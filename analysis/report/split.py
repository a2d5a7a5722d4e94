"""One reconstruction of the paper's counts with everything that follows from them, and its rows as clauses."""

from dataclasses import dataclass

from ..reconstruction import CountTable
from ..share_table import OUTCOMES
from ..table4 import Counts, Row, Table4, table_of_counts
from ..three_outcomes import ThreeOutcomes, three_outcomes
from . import wording as say

ROWS = ("agree", "undecided", "disagree", "agree_decided")
"""Rows with an answer of their own: overall success is agreement, and disagree when decided mirrors agree."""


@dataclass(frozen=True)
class Split:
    """One reconstruction of the counts with its table."""

    counts: CountTable
    table: Table4
    outcomes: ThreeOutcomes

    @property
    def name(self) -> str:
        """Sizes of the arms as a clause."""
        return f"{self.counts.sizes[0]} dense and {self.counts.sizes[1]} SPADE ratings"


def split(counts: CountTable, *, level: float) -> Split:
    """A reconstruction with everything that follows from its counts."""
    dense, spade = (Counts(**dict(zip(OUTCOMES, column, strict=True))) for column in counts.counts)
    return Split(counts, table_of_counts(dense, spade, level=level), three_outcomes(dense, spade, level=level))


def shares(row: Row) -> str:
    """Both arms' shares as a clause, SPADE first."""
    return f"{say.percent(row.spade.share)} against {say.percent(row.dense.share)}"


def difference(row: Row) -> str:
    """The difference with its interval as a clause."""
    found = row.difference
    return (
        f"{say.points(found.value)} points, {say.level(found.level)} CI {say.percent_interval(found.low, found.high)}"
    )
