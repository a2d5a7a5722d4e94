"""The report of a study: its answers beside the paper's, tested as its design asks, and what a reviewer asks for."""

import math
from collections.abc import Mapping
from typing import Any

from ..estimate import as_tree
from ..measure import MEASURES
from ..monitoring import Look, looks
from ..raters import RaterAnalysis
from ..study import StudyAnalysis
from ..table4 import ArmShare
from ..table4 import Row as Table4Row
from . import estimates as told
from . import people
from . import wording as say
from .document import Block, Document, Paragraph, Points, Row, Table, section
from .figures import Bar, forest, specification_curve

SHOWN = ("agree", "undecided", "disagree", "agree_decided")
"""Rows of the figure: overall success is agreement, and disagree when decided mirrors agree."""


def build(found: StudyAnalysis, raters: RaterAnalysis | None, *, facts: Mapping[str, str]) -> Document:
    """The report; without `raters` (no answer is left) it says so in their place."""
    parts = [
        section("answer", "The primary question", _primary(found)),
        section("table-4", "Table 4, beside the paper's", _table_4(found)),
        section("secondary", "Secondary questions", _secondary(found)),
        section("undecided", "What the undecided could hide", _undecided(found)),
        section("checks", "The same question answered otherwise", _checks(found)),
        section("exclusions", "Exclusions", _exclusions(found)),
        *people.sections(raters, level=found.table4.level, primary=found.primary),
        section("sentences", "Sentences ready to paste", _sentences(found, raters)),
        section("data", "The data", _data(found)),
    ]
    numbers: dict[str, Any] = {
        "analysis": as_tree({name: one for name, one in vars(found).items() if name != "seconds"}),
        "raters": as_tree(raters),
    }
    name = {"main": "", "pilot": " (pilot)", "bot": " (simulated raters)"}[found.run_kind]
    return Document(
        "study",
        f"Does SPADE help people see what a neuron looks for? Run {found.run}{name}",
        _lead(found),
        tuple(parts),
        tuple(facts.items()),
        numbers,
    )


def _lead(found: StudyAnalysis) -> tuple[Paragraph, ...]:
    primary, about = found.primary, MEASURES[found.preregistration.primary]
    kind = f"{primary.status}, " if primary.status else ""
    if primary.reason:
        head = f"No result: {primary.reason}"
    else:
        row = _row(found, about.name)
        shares = f" ({_both(row)})" if row else ""
        verdict = _verdict(found)
        head = (
            f"{verdict} {about.row}: SPADE less dense {told.clause(primary)}{shares} ({kind}raters and images crossed)."
        )
    blocks = [Paragraph(head, "finding"), Paragraph(found.registration, "" if found.registered else "caveat")]
    decided = next((one for one in found.secondary if one.measure == "agree_decided"), None)
    undecided = next((one for one in found.secondary if one.measure == "undecided"), None)
    if decided and undecided and decided.available and undecided.available:
        blocks.insert(
            1,
            Paragraph(
                f"Undecided answers: {told.clause(undecided)}. Agreement among decided answers only: "
                f"{told.clause(decided)}; it compares the different sets of answers that each arm let raters decide on."
            ),
        )
    return (*blocks, *(Paragraph(caveat, "caveat") for caveat in (*found.caveats, *primary.caveats)))


def _verdict(found: StudyAnalysis) -> str:
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
            return "Not resolved: the interval holds no difference, and also differences that would matter."
    return "There is a difference to describe and no interval to judge it by."


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


def _primary(found: StudyAnalysis) -> list[Block]:
    plan, primary = found.preregistration, found.primary
    blocks: list[Block] = [Paragraph(f"Hypothesis: {plan.hypothesis}")]
    rows = [told.row(primary), *(told.row(one) for one in found.checks if one.name == "randomisation")]
    blocks.append(
        Table(
            "table-primary",
            f"{MEASURES[plan.primary].row}: SPADE less dense",
            ("analysis", "quantity", "estimate", f"{say.level(plan.level)} interval", "*p*"),
            tuple(rows),
            "The standard error leaves out raters, images and both in turn, and the largest counts; the randomisation "
            "test deals "
            "the arms again within items and has no interval.",
            tuple(dict.fromkeys(one.source for one in (primary, *found.checks[:1]))),
        )
    )
    if found.variance is not None and math.isfinite(found.variance.design_effect):
        blocks.append(
            Paragraph(
                f"Design effect: the variance is {say.number(found.variance.design_effect)} times that of independent "
                "answers "
                f"(by raters alone {say.number(found.variance.rater / found.variance.naive)}, by images alone "
                f"{say.number(found.variance.image / found.variance.naive)}). The arm is crossed with raters and "
                "images, so only "
                "differences *in the effect* among them inflate it."
            )
        )
    return [*blocks, *_looks(found)]


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


def _looks(found: StudyAnalysis) -> list[Block]:
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


def _table_4(found: StudyAnalysis) -> list[Block]:
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
                _odds(row),
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
            "Intervals and *p* are over raters and images (where there are too few of either: Wilson's and Wald's, "
            f"which take answers as independent). The paper prints no interval; its differences are {paper} points. "
            "*p* in this table is not adjusted: the adjusted ones stand under the secondary questions.",
            ("analysis.table4.table_of_ratings", "analysis.crossed.risk_difference", "analysis.crossed.odds_ratio"),
        )
    ]
    drawn = [row for row in (_row(found, name) for name in SHOWN) if row and row.crossed_difference is not None]
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


def _secondary(found: StudyAnalysis) -> list[Block]:
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
            f"Intervals over raters and images, each at its own level; Holm over these {len(rows)} tests.",
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
                sources=tuple(dict.fromkeys(one.source for one in outcomes)),
            )
        )
    else:
        blocks += [Paragraph(f"Multinomial logit: {one.reason}") for one in found.three_outcomes[:1]]
    return blocks


def _undecided(found: StudyAnalysis) -> list[Block]:
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
    text += f", {say.level(bounds.level)} CI {covered} over raters and images." if covered != say.NONE else "."
    verdict = (
        "Even at worst SPADE does better."
        if low > 0
        else "So an advantage in choosing, and not only in readiness to choose, does not follow from these answers."
    )
    return [Paragraph(f"{text} {verdict}"), *(Paragraph(caveat, "caveat") for caveat in bounds.caveats)]


def _checks(found: StudyAnalysis) -> list[Block]:
    posterior = found.posterior
    shown = [found.primary, *found.checks, posterior.difference, posterior.odds_ratio]
    caveats = tuple(
        dict.fromkeys(
            f"{told.title(one)}: {caveat}"
            for one in shown
            for caveat in one.caveats
            if caveat not in found.primary.caveats
        )
    )
    judged = [one for one in shown if math.isfinite(one.low)]
    without = [told.title(one) for one in judged if not told.resolved(one)]
    agreed = f"{len(judged) - len(without)} of {len(judged)} intervals leave no difference out"
    blocks: list[Block] = [
        Paragraph(f"{agreed}; those that do not: {say.listed(without)}." if without else f"{agreed}."),
        Table(
            "table-checks",
            f"{MEASURES[found.preregistration.primary].row}, {say.level(found.table4.level)} intervals",
            ("analysis", "quantity", "estimate", "interval", "*p*"),
            tuple(told.row(one) for one in shown),
            "The multiway bootstrap is wider than its level says where raters and images hardly differ (Owen, 2007). "
            "Odds "
            "ratios given a rater or an item are further from 1 than those of the population: they answer another "
            "question, and differ even where both are right.",
            tuple(dict.fromkeys(one.source for one in shown)),
        ),
    ]
    bars = [
        Bar(told.title(one), 100 * one.value, 100 * one.low, 100 * one.high)
        for one in shown
        if "difference" in one.quantity and math.isfinite(one.low)
    ]
    if len(bars) > 1:
        blocks.append(
            forest(
                "checks",
                bars,
                label="SPADE less dense, points",
                caption="Every analysis of the primary difference that has an interval.",
                alt="; ".join(f"{bar.name} {bar.value:.1f} [{bar.low:.1f}, {bar.high:.1f}]" for bar in bars),
                sources=tuple(dict.fromkeys(one.source for one in shown)),
            )
        )
    if posterior.parameters:
        settled = "settled" if posterior.converged else "did *not* settle"
        least = min(min(one.bulk_ess, one.tail_ess) for one in posterior.parameters)
        spreads = say.listed(
            [
                f"{one.name.replace('_', ' ')} {say.number(one.median)} {say.interval(one.low, one.high)}"
                for one in posterior.parameters[3:]
            ]
        )
        blocks.append(
            Paragraph(
                f"The Bayesian model gives SPADE the better share with probability "
                f"{say.proper(posterior.positive, 3)}. Its "
                f"{posterior.chains.chains} chains of {posterior.chains.kept} draws {settled} (R-hat at most "
                f"{max(one.r_hat for one in posterior.parameters):.3f}, effective size of the difference "
                f"{posterior.parameters[0].bulk_ess:,.0f}, the least of any parameter {least:,.0f}). Standard "
                f"deviations on the logit scale: {spreads}."
            )
        )
    return [*blocks, Points(caveats)] if caveats else blocks


def _exclusions(found: StudyAnalysis) -> list[Block]:
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


def _sentences(found: StudyAnalysis, raters: RaterAnalysis | None) -> list[Block]:
    primary = found.primary
    if primary.reason:
        return [Paragraph("There is no result to report.")]
    row = _row(found, found.preregistration.primary)
    sizes = f"{found.raters} raters by {found.images} images"
    verb = "matched Score-CAM on" if found.preregistration.primary in {"agree", "overall_success"} else "scored"
    shares = f"Raters {verb} {_both(row, words=True)} trials" if row else MEASURES[found.preregistration.primary].row
    tail = f", OR = {say.number(row.odds_ratio.value)}, *h* = {say.number(row.cohens_h)}" if row else ""
    sentences = [
        f"{shares}, a difference of {told.clause(primary)} (crossed jackknife, {sizes}, *N* = {found.answers:,}){tail}."
    ]
    dealt = next((one for one in found.checks if one.name == "randomisation" and one.available), None)
    if dealt:
        sentences.append(f"A randomisation test within items gave {say.p_clause(dealt.p_value)}.")
    sentences += [
        f"{MEASURES[one.measure].row}: {told.clause(one)}, Holm-adjusted {say.p_clause(one.p_adjusted)}"
        f"{_selected(one.measure)}."
        for one in found.secondary
        if one.available
    ]
    sentences += people.ready(raters)
    if any(step.answers for step in found.exclusions):
        took = say.listed([f"{step.answers} ({step.sentence})" for step in found.exclusions if step.answers])
        sentences.append(f"Of {found.before:,} answers, exclusion rules took {took}.")
    sentences.append(
        "The primary and the secondary analyses and the exclusions were preregistered; the others are exploratory."
        if found.registered
        else "The analyses were not preregistered and are exploratory."
    )
    return [Paragraph(sentence, "ready") for sentence in sentences]


def _data(found: StudyAnalysis) -> list[Block]:
    items = [*found.notes]
    if found.missing:
        items.append(
            f"Optional columns the export lacks: {', '.join(f'`{name}`' for name in found.missing)}; what needs them "
            "is left out."
        )
    if not items:
        return [Paragraph("The export is as the codebook says, with nothing odd about it.")]
    return [Points(tuple(items))]


def _row(found: StudyAnalysis, measure: str) -> Table4Row | None:
    return next((row for row in found.table4.rows if row.measure == measure), None)


def _arm(share: ArmShare) -> str:
    if share.n == 0:
        return f"{say.NONE} (no answer)"
    ends = (share.crossed_low, share.crossed_high)
    between = say.percent_interval(*(ends if math.isfinite(ends[0]) else (share.low, share.high)))
    return f"{share.k:,} of {share.n:,} = {say.number(100 * share.share, 1)} {between}"


def _odds(row: Table4Row) -> str:
    crossed = row.crossed_odds_ratio
    found = crossed if crossed is not None and math.isfinite(crossed.low) else row.odds_ratio
    between = say.interval(found.low, found.high)
    return say.number(found.value) + (f" {between}" if between != say.NONE else "")


def _crossed(row: Table4Row) -> str:
    found = row.crossed_difference
    if found is None or math.isnan(found.value):
        return say.NONE
    between = told.interval(found)
    return say.points(found.value) + (f" {between}" if between != say.NONE else "")


def _both(row: Table4Row, *, words: bool = False) -> str:
    spade, dense = say.percent(row.spade.share), say.percent(row.dense.share)
    return f"{spade} of SPADE and {dense} of dense" if words else f"{spade} against {dense}"


def _selected(measure: str) -> str:
    """What a sentence that is pasted elsewhere must not lose."""
    return (
        ""
        if all(MEASURES[measure].counted)
        else "; the arms decided on different tasks, so this is no effect on accuracy"
    )


def _outcome(name: str) -> str:
    return name.replace("multinomial_", "").replace("_", " ")
