"""The report of the paper's own Table 4: the counts behind it, and what they do and do not support."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..bounds import bounds_of_counts
from ..errors import AnalysisError
from ..estimate import as_tree
from ..power import PowerCell
from ..reconstruction import Reconstruction
from ..three_outcomes import survives
from . import wording as say
from .claims import claims
from .clustering import clustering, simulated_design
from .counts import counts
from .document import Block, Document, Paragraph, section
from .printed_table import other_splits, printed_table
from .split import Split, difference, shares, split


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
        section("counts", "The counts behind the table", counts(found)),
        section("table-4", "Table 4 with intervals", printed_table(main), other_splits(main, plausible)),
        section("clustering", "How much clustering each result would survive", clustering(main, designs)),
        section("undecided", "What the undecided could hide", _undecided(main)),
        section("design", "What the design could have found", simulated_design(designs)),
        section("claims", "What the numbers do and do not support", claims(main)),
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
            f"Supported: raters matched Score-CAM more often with SPADE, {shares(agree)}, a difference of "
            f"{difference(agree)}; it stays significant unless clustering multiplies its variance by more than "
            f"{say.number(survives(agree.difference.statistic), 1)}.",
            "finding",
        ),
        Paragraph(
            f"Not supported: that raters are more often right when they decide, {shares(decided)}, "
            f"{difference(decided)}, "
            f"{say.p_clause(decided.difference.p_value)} even if every rating were independent. Of the gain in "
            "agreement, "
            f"{say.points(-undecided.difference.value).removeprefix('+')} points are fewer undecided answers "
            f"({shares(undecided)}).",
            "finding",
        ),
        Paragraph(
            "The paper calls the first difference significant and prints no test, no interval, no number of ratings "
            "per "
            "arm and nothing by rater or image.",
            "caveat",
        ),
    )


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
            f"points, {say.level(main.table.level)} CI {say.percent_interval(half.low, half.high)}, "
            f"*z* = {say.number(half.half_z)}, ratings taken as independent."
        ),
    ]


def _sentences(found: Reconstruction, main: Split) -> list[Block]:
    agree, decided, undecided = (main.table.row(name) for name in ("agree", "agree_decided", "undecided"))
    n = sum(main.counts.sizes)
    matched = (
        f"Reconstructed from the printed shares ({main.name}, *N* = {n}), raters matched Score-CAM on "
        f"{say.percent(agree.spade.share)} of SPADE and {say.percent(agree.dense.share)} of dense trials, a "
        "difference of "
        f"{difference(agree)}, *z* = {say.number(agree.difference.statistic)}, "
        f"{say.p_clause(agree.difference.p_value)}, "
        f"OR = {say.number(agree.odds_ratio.value)}, *h* = {say.number(agree.cohens_h)}, ratings taken as independent."
    )
    declined = (
        f"They were undecided on {say.percent(undecided.spade.share)} of SPADE and "
        f"{say.percent(undecided.dense.share)} of "
        f"dense trials, {difference(undecided)}, {say.p_clause(undecided.difference.p_value)}; among decided trials "
        f"agreement did not differ significantly ({say.percent(decided.spade.share)} vs. "
        f"{say.percent(decided.dense.share)}, {difference(decided)}, {say.p_clause(decided.difference.p_value)})."
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
