"""Table 4 of a study beside the paper's: its shares, and what stands in its cells."""

import math

from ..study import StudyAnalysis
from ..table4 import ArmShare
from ..table4 import Row as Table4Row
from . import estimates as told
from . import wording as say
from .document import Block, Row, Table
from .figures import Bar, forest

SHOWN = ("agree", "undecided", "disagree", "agree_decided")
"""Rows of the figure: overall success is agreement, and disagree when decided mirrors agree."""


def table_4(found: StudyAnalysis) -> list[Block]:
    """The paper's rows as printed and as found here, with a figure of the differences."""
    table = found.table4
    rows = [
        Row(
            (
                row.title,
                say.number(100 * row.dense.published, 1),
                _arm(row.dense),
                say.number(100 * row.spade.published, 1),
                _arm(row.spade),
                _crossed(row),
                say.p(row.crossed_difference.p_value) if row.crossed_difference else say.NONE,
                odds(row),
                say.number(row.cohens_h),
            ),
            strong=row.measure == found.preregistration.primary,
        )
        for row in table.rows
    ]
    paper = "; ".join(f"{row.title} {say.points(row.spade.published - row.dense.published)}" for row in table.rows[:3])
    blocks: list[Block] = [
        Table(
            "table-4-rows",
            f"Shares in %, with {say.level(table.level)} intervals",
            (
                "response",
                "paper, dense",
                "here, dense",
                "paper, SPADE",
                "here, SPADE",
                "difference here, points",
                "*p*",
                "odds ratio",
                "Cohen's *h*",
            ),
            tuple(rows),
            "Intervals and *p* are over raters and images: the crossed jackknife, for shares and odds ratios on the "
            "logit scale (where there are too few of either: Wilson's and Wald's, which take answers as independent). "
            f"The paper prints no interval; its differences are {paper} points, "
            "and its 17.8 comes from no counts (`spade-stats replicate`). "
            "*p* in this table is not adjusted: the adjusted ones stand under the secondary questions.",
            ("analysis.table4.table_of_ratings", "analysis.crossed.risk_difference", "analysis.crossed.odds_ratio"),
        )
    ]
    drawn = [row for row in (row_of(found, name) for name in SHOWN) if row and row.crossed_difference is not None]
    bars = []
    for row in drawn:
        here = row.crossed_difference
        if here is None or math.isnan(here.value):
            continue
        bars.append(Bar(row.title, 100 * here.value, 100 * here.low, 100 * here.high))
        bars.append(
            Bar("as printed", 100 * (row.spade.published - row.dense.published), math.nan, math.nan, hollow=True)
        )
    if bars:
        blocks.append(
            forest(
                "differences",
                bars,
                label="SPADE less dense, points",
                caption=f"Differences here (dots, {say.level(table.level)} over raters and images) and as the paper "
                "prints them (diamonds, without intervals).",
                alt="; ".join(f"{bar.name} {bar.value:.1f}" for bar in bars),
                sources=("analysis.crossed.risk_difference",),
            )
        )
    return blocks


def row_of(found: StudyAnalysis, measure: str) -> Table4Row | None:
    """The row of Table 4 of this measure, if it is one of the table's."""
    return next((row for row in found.table4.rows if row.measure == measure), None)


def both(row: Table4Row, *, words: bool = False) -> str:
    """Both arms' shares as a clause, SPADE first."""
    spade, dense = say.percent(row.spade.share), say.percent(row.dense.share)
    return f"{spade} of SPADE and {dense} of dense" if words else f"{spade} against {dense}"


def _arm(share: ArmShare) -> str:
    if share.n == 0:
        return f"{say.NONE} (no answer)"
    ends = (share.crossed_low, share.crossed_high)
    between = say.percent_interval(*(ends if math.isfinite(ends[0]) else (share.low, share.high)))
    return f"{share.k:,} of {share.n:,} = {say.number(100 * share.share, 1)} {between}"


def odds(row: Table4Row, *, level: float | None = None) -> str:
    """The odds ratio with its interval over raters and images, or Wald's where there are too few of either.

    In a sentence, which is pasted without its table, the interval is named with its level.
    """
    crossed = row.crossed_odds_ratio
    found = crossed if crossed is not None and math.isfinite(crossed.low) else row.odds_ratio
    between = say.interval(found.low, found.high)
    name = "" if level is None else f", {say.level(level)} CI"
    return say.number(found.value) + (f"{name} {between}" if between != say.NONE else "")


def _crossed(row: Table4Row) -> str:
    found = row.crossed_difference
    if found is None or math.isnan(found.value):
        return say.NONE
    between = told.interval(found)
    return say.points(found.value) + (f" {between}" if between != say.NONE else "")
