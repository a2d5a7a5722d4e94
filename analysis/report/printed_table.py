"""The paper's Table 4 from its counts, with intervals and tests, under each plausible split."""

import math
from collections.abc import Sequence

from ..table4 import ArmShare
from ..three_outcomes import survives
from . import wording as say
from .document import Block, Paragraph, Row, Table
from .figures import Bar, forest
from .split import ROWS, Split, difference


def printed_table(main: Split) -> list[Block]:
    """The table as printed and from its counts, as a figure too, and the three outcomes together."""
    rows = [
        Row(
            (
                row.title,
                _printed(row.dense),
                _counted(row.dense),
                _printed(row.spade),
                _counted(row.spade),
                f"{say.points(row.difference.value)} {say.percent_interval(row.difference.low, row.difference.high)}",
                say.p(row.difference.p_value),
                f"{say.number(row.odds_ratio.value)} {say.interval(row.odds_ratio.low, row.odds_ratio.high)}",
                say.number(row.cohens_h),
            )
        )
        for row in main.table.rows
    ]
    level = say.level(main.table.level)
    table = Table(
        "table-4-rows",
        f"Shares in %, as printed and from counts ({main.name}), with {level} intervals",
        (
            "response",
            "printed, dense",
            "from counts, dense",
            "printed, SPADE",
            "from counts, SPADE",
            "difference, points",
            "*p*",
            "odds ratio",
            "Cohen's *h*",
        ),
        tuple(rows),
        "Wilson intervals for shares, Newcombe's for differences, Wald's on the log odds; *p* from the pooled "
        "*z*-test. All "
        "take ratings as independent: the paper gives nothing by rater or image. (!) marks the print that no counts "
        "give. “When not undecided” compares different "
        "sets of answers, those each arm let raters decide on, and is no effect on accuracy.",
        ("analysis.table4.table_of_counts",),
    )
    chi = main.outcomes
    picture = forest(
        "table-4",
        [
            Bar(
                row.title,
                100 * row.difference.value,
                100 * row.difference.low,
                100 * row.difference.high,
                hollow=row.measure == "agree_decided",
            )
            for row in (main.table.row(name) for name in ROWS)
        ],
        label="SPADE less dense, percentage points",
        caption=f"Differences with {level} intervals, ratings taken as independent. The open diamond compares selected "
        "sets of answers.",
        alt="; ".join(f"{row.title} {difference(row)}" for row in (main.table.row(name) for name in ROWS)),
        sources=("analysis.table4.newcombe_difference",),
    )
    return [
        table,
        picture,
        Paragraph(
            f"The three outcomes together differ between the arms, χ²(2, *N* = {sum(main.counts.sizes)}) = "
            f"{say.number(chi.chi2)}, {say.p_clause(chi.p_value)} with independent ratings."
        ),
    ]


def other_splits(main: Split, plausible: Sequence[Split]) -> list[Block]:
    """The same differences under the other plausible splits of the ratings."""
    others = [one for one in plausible if one is not main]
    if not others:
        return []
    rows = [
        Row(
            (
                f"{other.name}: {row.title}",
                f"{say.points(row.difference.value)} {say.percent_interval(row.difference.low, row.difference.high)}",
                say.p(row.difference.p_value),
                say.number(survives(row.difference.statistic)),
            )
        )
        for other in others
        for row in (other.table.row(name) for name in ROWS)
    ]
    return [
        Table(
            "table-other",
            "The same under the other plausible split",
            ("split and response", "difference, points", "*p*", "survives a design effect of"),
            tuple(rows),
            "The two splits swap the sizes of the arms; the data cannot tell which is right, and no verdict depends "
            "on it.",
            ("analysis.table4.newcombe_difference", "analysis.three_outcomes.survives"),
        )
    ]


def _printed(share: ArmShare) -> str:
    if not math.isfinite(share.published):
        return say.NONE
    return say.number(100 * share.published, 1) + (
        "" if abs(share.published - share.share) <= 0.0005 + 1e-9 else " (!)"
    )


def _counted(share: ArmShare) -> str:
    between = say.percent_interval(share.low, share.high)
    return f"{share.k} of {share.n} = {say.number(100 * share.share, 1)} {between}"
