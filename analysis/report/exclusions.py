"""What the exclusion rules took, and the primary difference under every combination of them."""

import math

from ..study import StudyAnalysis
from . import wording as say
from .document import Block, Paragraph, Row, Table
from .figures import Bar, specification_curve


def exclusions(found: StudyAnalysis) -> list[Block]:
    """What each rule took, and the specification curve over them."""
    curve = found.specifications
    blocks: list[Block] = [
        Paragraph(
            f"{say.count(found.before, 'main answer')} before, {say.count(found.answers, 'answer')} of "
            f"{say.count(found.raters, 'rater')} on {say.count(found.images, 'image')} after."
        )
    ]
    if not found.exclusions:
        return [
            *blocks,
            Paragraph("No exclusion rule applies, so there is one way to choose the answers: all of them."),
        ]
    rows = tuple(
        Row((step.sentence, f"{step.answers:,}", f"{step.raters}", f"{step.alone:,}", step.reason or ""))
        for step in found.exclusions
    )
    blocks.append(
        Table(
            "table-exclusions",
            "What each rule took, in order",
            ("rule", "answers", "raters", "answers, alone", "note"),
            rows,
            sources=("analysis.exclusion.exclude",),
        )
    )
    usable = [one for one in curve.specifications if one.estimate.available and math.isfinite(one.estimate.low)]
    if len(usable) > 1:
        named = "; ".join(f"Rule {place + 1}: {rule}" for place, rule in enumerate(curve.rules))
        chosen = next((place for place, one in enumerate(usable) if one.registered), -1)
        blocks.append(
            specification_curve(
                "specifications",
                [Bar("", 100 * one.estimate.value, 100 * one.estimate.low, 100 * one.estimate.high) for one in usable],
                [tuple(f"rule {place + 1}" for place in one.rules) for one in usable],
                rules=[f"rule {place + 1}" for place in range(len(curve.rules))],
                primary=chosen,
                label="difference, points",
                caption="The primary difference under every combination of the rules; the diamond applies all of them. "
                f"It ranges from {say.points(curve.least)} to {say.points(curve.greatest)} points; {curve.resolved} of "
                f"{len(curve.specifications)} intervals leave zero out. {named}.",
                alt=f"{len(usable)} estimates from {say.points(curve.least)} to {say.points(curve.greatest)} points.",
                sources=("analysis.specification.specification_curve",),
            )
        )
    return [*blocks, *(Paragraph(text, "caveat") for text in curve.left_out)]
