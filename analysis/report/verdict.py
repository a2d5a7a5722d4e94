"""What a run may say of its primary question now: the conclusion, bound by the looks that were declared."""

from ..measure import MEASURES
from ..monitoring import Look, looks
from ..study import StudyAnalysis
from . import wording as say
from .document import Block, Paragraph, Row, Table


def verdict(found: StudyAnalysis) -> str:
    """What the primary interval says, in a sentence; at a look that decides nothing, that."""
    if looked := _at_look(found):
        return looked
    said, about = found.conclusion, MEASURES[found.preregistration.primary]
    within = say.points(said.smallest_effect).removeprefix("+")
    match said.kind:
        case "more" | "less":
            good = about.score[0] > about.score[1] and about.score[0] > about.score[2]
            better = "do better" if said.kind == "more" else "do worse"
            often = f"“{about.row}” is {said.kind} frequent with SPADE"
            enough = ", by at least the smallest difference of interest" if _at_least(found) else ""
            return f"{f'Raters {better} with SPADE' if good else often}{enough}."
        case "equivalent":
            return (
                f"The arms are equivalent to within {within} points, two one-sided {say.p_clause(said.equivalence_p)}."
            )
        case "unresolved":
            return "Not resolved: the interval includes zero, and also differences that would matter."
    if found.primary.value == 0:
        return "The shares are equal here, and there is no interval to say how far others would be apart."
    return "There is a difference to describe and no interval to judge it by."


def declared_looks(found: StudyAnalysis) -> list[Block]:
    """What may be decided now, if the run is not at its end: what the preregistration declared, or nothing."""
    plan = found.preregistration
    if not plan.ratings:
        return []
    share = found.before / plan.ratings
    collected = f"{found.before:,} of {plan.ratings:,} planned answers"
    if not plan.looks:
        if share >= 1:
            return []
        return [
            Paragraph(
                f"This is a peek: {collected} are in, and the preregistration declares no look before the end. Neither "
                "stop nor go on because of it; the *p*-values hold for a run whose length did not depend on them.",
                "caveat",
            )
        ]
    rows = tuple(
        Row(
            (
                f"{say.percent(look.fraction, 0)} ({round(look.fraction * plan.ratings):,} answers)",
                say.proper(look.spent, 4),
                f"{look.p:.3g}",
                "reached" if share >= look.fraction else "to come",
            )
        )
        for look in looks(plan.looks, spending=plan.spending, alpha=1 - plan.level)
    )
    reached = _boundary(found)
    if reached is None:
        verdict = f"{collected} are in, before the first declared look: nothing may be decided yet."
    else:
        crossed = found.primary.p_value <= reached.p
        verdict = (
            f"{collected} are in. At the look of {say.percent(reached.fraction, 0)} the run stops at *p* = "
            f"{reached.p:.3g} or less; {say.p_clause(found.primary.p_value)} "
            f"{'reaches' if crossed else 'does not reach'} it. Intervals are not adjusted for having looked."
        )
    return [
        Paragraph(verdict, "finding"),
        Table(
            "table-looks",
            f"Declared looks, alpha spent by '{plan.spending}'",
            ("look", "alpha spent", "stop at *p* of at most", "state"),
            rows,
            sources=("analysis.monitoring.looks",),
        ),
    ]


def _at_least(found: StudyAnalysis) -> bool:
    """Whether the interval lies beyond the smallest difference of interest."""
    smallest = found.conclusion.smallest_effect
    return smallest > 0 and (found.primary.low >= smallest or found.primary.high <= -smallest)


def _at_look(found: StudyAnalysis) -> str:
    """Why a declared look decides nothing; empty where it does, or none is declared."""
    plan, boundary = found.preregistration, _boundary(found)
    if not plan.looks or (boundary is not None and found.primary.p_value <= boundary.p):
        return ""
    if boundary is None or boundary.fraction < plan.looks[-1]:
        return "Nothing is decided at this look; the run goes on."
    return "Not resolved at the last declared look."


def _boundary(found: StudyAnalysis) -> Look | None:
    """The last declared look that the run has reached; None before the first and where none is declared."""
    plan = found.preregistration
    if not (plan.looks and plan.ratings):
        return None
    share = found.before / plan.ratings
    reached = [
        look for look in looks(plan.looks, spending=plan.spending, alpha=1 - plan.level) if share >= look.fraction
    ]
    return reached[-1] if reached else None
