"""The secondary measures, the three outcomes at once, and what the undecided could hide."""

import math

from ..measure import MEASURES
from ..study import StudyAnalysis
from . import estimates as told
from . import wording as say
from .document import Block, Paragraph, Points, Table


def secondary(found: StudyAnalysis) -> list[Block]:
    """The secondary measures with Holm's adjustment, and the multinomial logit."""
    if not found.secondary:
        return [Paragraph("The preregistration names no secondary measure.")]
    rows = tuple(told.row(one, adjusted=True, name=MEASURES[one.measure].row) for one in found.secondary)
    caveats = tuple(
        dict.fromkeys(f"{MEASURES[one.measure].row}: {caveat}" for one in found.secondary for caveat in one.caveats)
    )
    blocks: list[Block] = [
        Table(
            "table-secondary",
            "Secondary measures: SPADE less dense",
            ("measure", "quantity", "estimate", f"{say.level(found.table4.level)} interval", "*p*", "*p*, Holm"),
            rows,
            f"Crossed jackknife over raters and images; each interval stands alone, and Holm's *p* counts all "
            f"{len(rows)} tests.",
            tuple(dict.fromkeys(one.source for one in found.secondary)),
        )
    ]
    if caveats:
        blocks.append(Points(caveats))
    outcomes = [one for one in found.three_outcomes if one.available]
    if outcomes:
        blocks.append(
            Table(
                "table-outcomes",
                "Three outcomes at once: multinomial logit against disagreeing",
                ("outcome", "quantity", "estimate", f"{say.level(found.table4.level)} interval", "*p*"),
                tuple(told.row(one, name=_outcome(one.name)) for one in outcomes),
                "The longer of the cluster-robust intervals by rater and by image, Student's *t*.",
                sources=tuple(dict.fromkeys(one.source for one in outcomes)),
            )
        )
    else:
        blocks += [Paragraph(f"Multinomial logit: {one.reason}") for one in found.three_outcomes[:1]]
    return blocks


def undecided(found: StudyAnalysis) -> list[Block]:
    """Between which ends the difference lies, whatever the undecided would have chosen."""
    bounds = found.bounds
    if math.isnan(bounds.difference[0]):
        return [Paragraph("An arm has no answer, so there is nothing to bound.")]
    low, high = bounds.difference
    covered = say.percent_interval(*bounds.interval)
    text = (
        f"Whatever the undecided would have chosen, agreement lies in {say.percent_interval(*bounds.dense)} % for "
        "dense and "
        f"{say.percent_interval(*bounds.spade)} % for SPADE, and the difference in {say.percent_interval(low, high)} "
        "points "
        "(Manski's bounds)"
    )
    text += (
        f", {say.level(bounds.level)} CI {covered} over raters and images (crossed jackknife)."
        if covered != say.NONE
        else "."
    )
    verdict = (
        "Even at worst SPADE does better."
        if low > 0
        else "So an advantage in choosing, and not only in readiness to choose, does not follow from these answers."
    )
    return [Paragraph(f"{text} {verdict}"), *(Paragraph(caveat, "caveat") for caveat in bounds.caveats)]


def _outcome(name: str) -> str:
    return name.replace("multinomial_", "").replace("_", " ")
