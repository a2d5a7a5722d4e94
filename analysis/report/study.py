"""The report of a study: its answers beside the paper's, tested as its design asks, and what a reviewer asks for."""

import math
from collections.abc import Mapping
from typing import Any

from ..estimate import as_tree
from ..measure import MEASURES
from ..raters import RaterAnalysis
from ..study import StudyAnalysis
from . import estimates as told
from . import outcomes, people
from . import wording as say
from .checks import checks
from .document import Block, Document, Paragraph, Points, Table, section
from .exclusions import exclusions
from .shares import both, odds, row_of, table_4
from .verdict import declared_looks, verdict


def build(found: StudyAnalysis, raters: RaterAnalysis | None, *, facts: Mapping[str, str]) -> Document:
    """The report; without `raters` (no answer is left) it says so in their place."""
    parts = [
        section("answer", "The primary question", _primary(found)),
        section("table-4", "Table 4, beside the paper's", table_4(found)),
        section("secondary", "Secondary questions", outcomes.secondary(found)),
        section("undecided", "What the undecided could hide", outcomes.undecided(found)),
        section("checks", "The same question answered otherwise", checks(found)),
        section("exclusions", "Exclusions", exclusions(found)),
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
    crossed = "raters and images crossed" if math.isfinite(primary.low) else ""
    kind = ", ".join(part for part in (primary.status, crossed) if part)
    if primary.reason:
        head = f"No result: {primary.reason}"
    else:
        row = row_of(found, about.name)
        shares = f" ({both(row)})" if row else ""
        head = (
            f"{verdict(found)} {about.row}: SPADE less dense {told.clause(primary)}{shares}"
            f"{f' ({kind})' if kind else ''}."
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
    return [*blocks, *declared_looks(found)]


def _sentences(found: StudyAnalysis, raters: RaterAnalysis | None) -> list[Block]:
    primary = found.primary
    if primary.reason:
        return [Paragraph("There is no result to report.")]
    row = row_of(found, found.preregistration.primary)
    sizes = f"{found.raters} raters by {found.images} images"
    how = "crossed jackknife, " if math.isfinite(primary.low) else ""
    verb = "matched Score-CAM on" if found.preregistration.primary in {"agree", "overall_success"} else "scored"
    who = {"main": "Raters", "pilot": "In a pilot raters", "bot": "Simulated raters"}[found.run_kind]
    shares = f"{who} {verb} {both(row, words=True)} trials" if row else MEASURES[found.preregistration.primary].row
    tail = f", OR = {odds(row, level=found.table4.level)}, *h* = {say.number(row.cohens_h)}" if row else ""
    sentences = [f"{shares}, a difference of {told.clause(primary)} ({how}{sizes}, *N* = {found.answers:,}){tail}."]
    dealt = next((one for one in found.checks if one.name == "randomisation" and one.available), None)
    if dealt:
        sentences.append(f"A randomisation test within items gave {say.p_clause(dealt.p_value)}.")
    sentences += [
        f"{MEASURES[one.measure].row}: {_shares(found, one.measure)}{told.clause(one)}, Holm-adjusted "
        f"{say.p_clause(one.p_adjusted)}{_selected(one.measure)}."
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


def _shares(found: StudyAnalysis, measure: str) -> str:
    row = row_of(found, measure)
    return f"{both(row, words=True)} trials, " if row else ""


def _selected(measure: str) -> str:
    """What a sentence that is pasted elsewhere must not lose."""
    return (
        ""
        if all(MEASURES[measure].counted)
        else "; the arms decided on different tasks, so this is no effect on accuracy"
    )
