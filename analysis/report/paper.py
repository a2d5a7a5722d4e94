"""The report of the paper's own Table 4: the counts behind it, and what they do and do not support."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..bounds import bounds_of_counts
from ..errors import AnalysisError
from ..estimate import as_tree
from ..power import PowerCell
from ..reconstruction import CountTable, Reconstruction
from ..share_table import OUTCOMES
from ..table4 import ArmShare, Counts, Table4, table_of_counts
from ..table4 import Row as Table4Row
from ..three_outcomes import ThreeOutcomes, p_at, survives, three_outcomes
from . import wording as say
from .document import Block, Document, Paragraph, Points, Row, Table, section
from .figures import Bar, forest

DESIGN_EFFECTS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
"""By how much clustering could inflate the variance: from not at all to more than any simulated study shows."""

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


def build(
    found: Reconstruction, *, level: float, designs: Mapping[str, Sequence[PowerCell]], facts: Mapping[str, str]
) -> Document:
    """The report; `designs` holds, by heterogeneity, the paper's design simulated with its own effects.

    Raises:
        AnalysisError: no table of counts is left to analyse.
    """
    plausible = [split(counts, level=level) for counts in found.plausible]
    if not plausible:
        raise AnalysisError("No table of counts that fair assignment could give remains; there is nothing to analyse.")
    # The split whose SPADE cell is also what its two other shares leave of 100 comes first.
    main = max(plausible, key=lambda one: one.table.row("disagree").spade.share)
    parts = [
        section("counts", "The counts behind the table", _counts(found)),
        section("table-4", "Table 4 with intervals", _table_4(main), _other_splits(main, plausible)),
        section("clustering", "How much clustering each result would survive", _clustering(main, designs)),
        section("undecided", "What the undecided could hide", _undecided(main)),
        section("design", "What the design could have found", _power(designs)),
        section("claims", "What the numbers do and do not support", _claims(main)),
        section("sentences", "Sentences ready to paste", _sentences(found, main)),
    ]
    numbers: dict[str, Any] = {
        "reconstruction": as_tree(
            {
                "as_printed": len(found.as_printed),
                "possible_sizes": {
                    name: list(sizes) for name, sizes in zip(found.table.columns, found.possible_sizes, strict=True)
                },
                "readings": [
                    {
                        "dropped": [[cell.row, cell.column, str(cell.printed)] for cell in reading.dropped],
                        "should_read": reading.should_read,
                        "tables": list(reading.tables),
                    }
                    for reading in found.readings
                ],
            }
        ),
        "splits": [as_tree({"table": one.table, "outcomes": one.outcomes}) for one in plausible],
        "designs": {name: as_tree(list(cells)) for name, cells in designs.items()},
    }
    return Document(
        "paper",
        "What Table 4 of the SPADE paper supports, and what it does not",
        _lead(found, main),
        tuple(parts),
        tuple(facts.items()),
        numbers,
    )


def _lead(found: Reconstruction, main: Split) -> tuple[Paragraph, ...]:
    agree, decided, undecided = (main.table.row(name) for name in ("agree", "agree_decided", "undecided"))
    cell = found.readings[0].dropped[0] if found.readings else None
    printed = (
        f"The table as printed comes from no counts: “{cell.row} {cell.printed} %” under {cell.column} cannot be and "
        f"should read {' or '.join(found.readings[0].should_read[0])}. "
        if cell
        else "The table as printed comes from counts that exist. "
    )
    return (
        Paragraph(
            f"{printed}The results below hold for every split of the 746 ratings that fair assignment could have given."
        ),
        Paragraph(
            f"Supported: raters matched Score-CAM more often with SPADE, {_shares(agree)}, a difference of "
            f"{_difference(agree)}; it stays significant unless clustering multiplies its variance by more than "
            f"{say.number(survives(agree.difference.statistic), 1)}.",
            "finding",
        ),
        Paragraph(
            f"Not supported: that raters are more often right when they decide, {_shares(decided)}, "
            f"{_difference(decided)}, "
            f"{say.p_clause(decided.difference.p_value)} even if every rating were independent. Of the gain in "
            "agreement, "
            f"{say.points(-undecided.difference.value).removeprefix('+')} points are fewer undecided answers "
            f"({_shares(undecided)}).",
            "finding",
        ),
        Paragraph(
            "The paper calls the first difference significant and prints no test, no interval, no number of ratings "
            "per "
            "arm and nothing by rater or image.",
            "caveat",
        ),
    )


def _counts(found: Reconstruction) -> list[Block]:
    blocks: list[Block] = [Paragraph(sentence) for sentence in found.sums]
    fits = (
        f"{say.count(len(found.as_printed), 'table')} of counts fit" if found.as_printed else "no table of counts fits"
    )
    possible = "; ".join(
        f"{name} from {say.count(len(sizes), 'total')}"
        for name, sizes in zip(found.table.columns, found.possible_sizes, strict=True)
    )
    blocks.append(
        Paragraph(
            f"Each column was tried with every total up to 745, its cells within half a unit of their last digit: "
            f"{possible} "
            f"can print as it does. With {found.table.total} ratings in all, "
            f"{fits}."
        )
    )
    for reading in found.readings:
        names = say.listed([f"“{cell.row} {cell.printed} %” ({cell.column})" for cell in reading.dropped])
        should = say.listed([" or ".join(texts) for texts in reading.should_read])
        blocks.append(
            Table(
                "table-counts",
                f"Without {names}, these tables fit; it should read {should}",
                (
                    "dense: agree, disagree, undecided",
                    "SPADE: agree, disagree, undecided",
                    "fair assignment, *p*",
                    "used",
                ),
                tuple(_count_row(one) for one in reading.tables),
                "*p*: how often assigning each rating to an arm by a fair coin splits 746 at least this unevenly. "
                "Leaving "
                "any other single cell unread leaves no table.",
                ("analysis.reconstruction.reconstruct",),
            )
        )
    if found.nearest:
        table, off = found.nearest
        blocks.append(
            Paragraph(
                f"No table of {found.table.total} is nearer to all printed cells than "
                f"{say.points(off, 3).removeprefix('+')} "
                f"points in its worst cell ({' and '.join(map(str, table.sizes))} ratings), where rounding explains "
                "at most "
                "0.05: this is one wrong digit, not many small ones."
            )
        )
    blocks.append(
        Paragraph(
            "This assumes that 746 counts both columns and that shares are of ratings. Had shares been averaged over "
            "raters first, no such arithmetic would apply; the paper does not say so.",
            "caveat",
        )
    )
    return blocks


def _count_row(one: CountTable) -> Row:
    cells = [f"{sum(column)} ({', '.join(map(str, column))})" for column in one.counts]
    chance = say.p(one.balance_p)
    return Row((*cells, chance, "yes" if one.plausible else "no: too uneven"), strong=one.plausible)


def _table_4(main: Split) -> list[Block]:
    rows = [
        Row(
            (
                row.title,
                _both(row.dense.published, row.dense),
                _both(row.spade.published, row.spade),
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
        f"Table 4: printed, from counts ({main.name}), with {level} intervals",
        (
            "response",
            "dense: printed; counts, %",
            "SPADE: printed; counts, %",
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
        alt="; ".join(f"{row.title} {_difference(row)}" for row in (main.table.row(name) for name in ROWS)),
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


def _other_splits(main: Split, plausible: Sequence[Split]) -> list[Block]:
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


def _clustering(main: Split, designs: Mapping[str, Sequence[PowerCell]]) -> list[Block]:
    tested = [(row.title, row.difference.statistic) for row in (main.table.row(name) for name in ROWS)]
    tested.append(("Half credit for the undecided", main.outcomes.half_z))
    rows = []
    for title, z in tested:
        limit = survives(z)
        kept = "does not, even at 1" if limit < 1 else f"up to {say.number(limit)}"
        rows.append(Row((title, kept, *(say.p(p_at(z, effect)) for effect in DESIGN_EFFECTS)), strong=limit >= 1))
    blocks: list[Block] = [
        Paragraph(
            "Ratings of one rater or of one image resemble each other. How much that matters for a difference between "
            "arms "
            "depends on whether raters and images differ in the *difference*: every rater sees both arms, so what "
            "they have "
            "in common cancels. The design effect is by how much the variance exceeds that of independent ratings."
        ),
        Table(
            "table-clustering",
            "*p* at each design effect",
            ("result", "stays below .05", *(f"at {say.number(effect, 1)}" for effect in DESIGN_EFFECTS)),
            tuple(rows),
            "From the pooled *z* of the counts.",
            ("analysis.three_outcomes.survives", "analysis.three_outcomes.p_at"),
        ),
    ]
    null = [(name, cell) for name, cells in designs.items() for cell in cells if cell.difference == 0]
    if null:
        said = say.listed([f"{say.percent(cell.naive_found / cell.studies)} ({name})" for name, cell in null])
        held = say.listed([f"{say.percent(cell.power)} ({name})" for name, cell in null])
        blocks.append(
            Paragraph(
                f"In simulated studies of this design without any effect, a test of independent ratings rejects in "
                f"{said} of "
                f"{null[0][1].studies:,} studies, by how much raters and images differ; the test over raters and "
                "images that "
                f"this project's report uses, in {held}. Both should be 5 %."
            )
        )
    return blocks


def _undecided(main: Split) -> list[Block]:
    bounds = bounds_of_counts(main.table.dense, main.table.spade, level=main.table.level)
    half = main.outcomes
    return [
        Paragraph(
            f"Had every undecided rating been forced, agreement would lie in [{say.percent(bounds.dense[0])}, "
            f"{say.percent(bounds.dense[1])}] for dense and [{say.percent(bounds.spade[0])}, "
            f"{say.percent(bounds.spade[1])}] "
            f"for SPADE whatever the raters would have chosen, and the difference in "
            f"{say.percent_interval(*bounds.difference)} points (bounds of Manski, without sampling error). The "
            "intervals "
            "overlap: that SPADE makes raters better at choosing, and not only readier to choose, does not follow."
        ),
        Paragraph(
            f"With half a point for an undecided rating, what a coin would earn, the gain is "
            f"{say.points(half.half_credit)} "
            f"points {say.percent_interval(half.low, half.high)}, *z* = {say.number(half.half_z)}, ratings independent."
        ),
    ]


def _power(designs: Mapping[str, Sequence[PowerCell]]) -> list[Block]:
    rows = [
        Row(
            (
                name,
                f"{say.points(cell.difference)} points" if cell.difference else "none",
                f"{say.proper(cell.power)} {say.proper_interval(cell.low, cell.high)}",
                f"\N{PLUS-MINUS SIGN}{say.points(cell.half_width).removeprefix('+')}",
            )
        )
        for name, cells in designs.items()
        for cell in cells
    ]
    if not rows:
        return [Paragraph("No studies were simulated in this run.")]
    some = next(iter(designs.values()))[0]
    return [
        Table(
            "table-design",
            f"{some.design.raters} raters, {some.design.images} images, {some.design.ratings} ratings, simulated",
            ("raters and images differ", "true difference in agreement", "found", "interval, points"),
            tuple(rows),
            f"{some.studies:,} studies a row, tasks drawn at random, analysed over raters and images; in brackets the "
            "95 % "
            "interval over simulations. The last column is the mean half width of the interval such a study reports. "
            "`spade-stats power` plans others.",
            ("analysis.power.power",),
        )
    ]


def _claims(main: Split) -> list[Block]:
    agree, undecided, decided = (main.table.row(name) for name in ("agree", "undecided", "agree_decided"))
    limit = survives(agree.difference.statistic)
    more = (1 - undecided.spade.share) / (1 - undecided.dense.share) - 1
    successful = (
        f"“users were significantly more successful (69.8% vs 56.7%)”: *supported*. {_difference(agree)}, "
        f"{say.p_clause(agree.difference.p_value)} if ratings were independent, and below .05 up to a design effect of "
        f"{say.number(limit, 1)}."
    )
    deciding = (
        "“the users were over 10% more likely to choose to make a decision” (87.4 against 77.1 %): *supported*. "
        f"{_difference(undecided)} undecided, {say.p_clause(undecided.difference.p_value)} if ratings were "
        "independent; "
        f"the paper's 10 % are points, as a ratio it is {say.percent(more)} more decisions."
    )
    choosing = (
        "“they were more likely to agree with ScoreCAM when SPADE was used (79.9% agreement rate) than when it was not "
        f"(73.6%)”: *not shown*. {_difference(decided)}, {say.p_clause(decided.difference.p_value)} with independent "
        "ratings, more with any clustering; and the two arms decided on different tasks."
    )
    meaning = (
        "“the higher rate of decision when using SPADE supports our previous observation that the visualizations "
        "obtained "
        "with SPADE are generally more meaningful to humans”: *does not follow*. Deciding more often says that a "
        "picture "
        "looks like something; the bounds above allow that it does not help to choose."
    )
    key = (
        "“identifying areas of the image which influenced the network's output”: the key is Score-CAM's region on the "
        "dense network, so the study measures agreement with Score-CAM, and is as good as Score-CAM is."
    )
    return [Points((successful, deciding, choosing, meaning, key))]


def _sentences(found: Reconstruction, main: Split) -> list[Block]:
    agree, decided, undecided = (main.table.row(name) for name in ("agree", "agree_decided", "undecided"))
    n = sum(main.counts.sizes)
    matched = (
        f"Reconstructed from the printed shares ({main.name}, *N* = {n}), raters matched Score-CAM on "
        f"{say.percent(agree.spade.share)} of SPADE and {say.percent(agree.dense.share)} of dense trials, a "
        "difference of "
        f"{_difference(agree)}, *z* = {say.number(agree.difference.statistic)}, "
        f"{say.p_clause(agree.difference.p_value)}, "
        f"OR = {say.number(agree.odds_ratio.value)}, *h* = {say.number(agree.cohens_h)}, ratings taken as independent."
    )
    declined = (
        f"They were undecided on {say.percent(undecided.spade.share)} of SPADE and "
        f"{say.percent(undecided.dense.share)} of "
        f"dense trials, {_difference(undecided)}, {say.p_clause(undecided.difference.p_value)}; among decided trials "
        f"agreement did not differ significantly ({say.percent(decided.spade.share)} vs. "
        f"{say.percent(decided.dense.share)}, {_difference(decided)}, {say.p_clause(decided.difference.p_value)})."
    )
    sentences = [matched, declined]
    for reading in found.readings[:1]:
        cell = reading.dropped[0]
        sentences.insert(
            0,
            f"No counts that sum to {n} ratings print as Table 4 does; the cell “{cell.row}, {cell.column}, "
            f"{cell.printed} %” is the only one whose removal leaves any, and should read "
            f"{' or '.join(reading.should_read[0])} %.",
        )
    return [Paragraph(sentence, "ready") for sentence in sentences]


def _both(printed: float, share: ArmShare) -> str:
    mark = "" if abs(printed - share.share) <= 0.0005 + 1e-9 else " (!)"
    shown = say.number(100 * printed, 1) if math.isfinite(printed) else say.NONE
    between = say.percent_interval(share.low, share.high)
    return f"{shown}{mark}; {share.k} of {share.n} = {say.number(100 * share.share, 1)} {between}"


def _shares(row: Table4Row) -> str:
    return f"{say.percent(row.spade.share)} against {say.percent(row.dense.share)}"


def _difference(row: Table4Row) -> str:
    found = row.difference
    return (
        f"{say.points(found.value)} points, {say.level(found.level)} CI {say.percent_interval(found.low, found.high)}"
    )
