"""What a study's report says of its raters: agreement, steadiness, influence, and each rater's own figures."""

import math

from ..agreement import Coefficient
from ..estimate import Estimate
from ..influence import Influence
from ..rater_quality import FAST_MS, UNUSUAL, RaterQuality
from ..raters import RaterAnalysis
from ..within_rater import WithinSlope
from . import wording as say
from .document import Block, Figure, Paragraph, Points, Row, Section, Table, section
from .figures import paired_shares

MOST_RATERS = 60
"""Rows of the table of raters; with more, those with a sign come first and the rest stand in report.json."""

MOST_INFLUENTIAL = 5
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
KAPPA = "\N{GREEK SMALL LETTER KAPPA}"
ARMS = {"all": "all tasks", "dense": "dense", "spade": "SPADE"}


def sections(raters: RaterAnalysis | None, *, level: float, primary: Estimate) -> tuple[Section, ...]:
    """Agreement, influence and quality; one sentence where there are no answers."""
    if raters is None:
        return (
            section("raters", "Raters", Paragraph("No main answer is left, so nothing can be said of the raters.")),
        )
    return (
        section("agreement", "Do raters agree with each other", _agreement(raters, level)),
        section("influence", "Does it hang on one rater or image", _influence(raters, primary)),
        section("quality", "Rater quality", _quality(raters, level)),
    )


def ready(raters: RaterAnalysis | None) -> list[str]:
    """Sentences ready to paste."""
    if raters is None or "all" not in raters.agreement:
        return []
    found = raters.agreement["all"]
    if math.isnan(found.alpha.value):
        return [f"Agreement between raters could not be computed: {found.alpha.reason}."]
    text = (
        f"On the {found.paired_items:,} of {found.items:,} tasks with two ratings or more, raters chose the same "
        "region in "
        f"{say.percent(found.observed.value)} of pairs, Krippendorff's {ALPHA} = {_value(found.alpha)}, Gwet's AC1 = "
        f"{_value(found.ac1)}"
    )
    return [f"{text} (BCa bootstrap over tasks)."]


def _value(found: Coefficient) -> str:
    between = say.proper_interval(found.low, found.high)
    return say.proper(found.value) + ("" if between == say.NONE else f", {say.level(found.level)} CI {between}")


def _agreement(raters: RaterAnalysis, level: float) -> list[Block]:
    rows = []
    reasons: dict[str, None] = {}
    for name, found in raters.agreement.items():
        cells = [ARMS[name], f"{found.paired_items:,} of {found.items:,}", f"{found.ratings:,}"]
        for one in (found.observed, found.alpha, found.fleiss, found.ac1):
            between = say.proper_interval(one.low, one.high)
            cells.append(say.proper(one.value) + ("" if between == say.NONE else f" {between}"))
            if one.reason:
                reasons[f"{ARMS[name]}, {one.name}: {one.reason}."] = None
        rows.append(Row(tuple(cells)))
    blocks: list[Block] = [
        Table(
            "table-agreement",
            f"Which region was chosen (true class, predicted class, undecided), {say.level(level)} intervals",
            (
                "tasks",
                "rated twice or more",
                "ratings",
                "same, pairs",
                f"Krippendorff's {ALPHA}",
                f"Fleiss' {KAPPA}",
                "Gwet's AC1",
            ),
            tuple(rows),
            "A task is an image, a class and an arm. BCa bootstrap over tasks; raters are taken as drawn with the "
            "ratings, so "
            "the intervals do not cover other raters. Fleiss' kappa in Gwet's form for unequal numbers of raters. Low "
            "agreement "
            "bounds how often raters can match any key.",
            ("analysis.agreement.agreement",),
        )
    ]
    if reasons:
        blocks.append(Points(tuple(reasons)))
    again = raters.retest
    if again is not None:
        same = again.same
        between = say.percent_interval(same.low, same.high)
        covered = "" if between == say.NONE else f" ({say.level(same.level)} CI {between} over raters)"
        blocks.append(
            Paragraph(
                f"Repeated tasks: {say.count(again.raters, 'rater')} answered {say.count(again.pairs, 'task')} twice, "
                "and "
                f"{say.percent(same.mean)} the same way{covered}, {ALPHA} = {_value(again.alpha)}."
            )
        )
    return blocks


def _influence(raters: RaterAnalysis, primary: Estimate) -> list[Block]:
    blocks: list[Block] = []
    for name, found in (("rater", raters.without_rater), ("image", raters.without_image)):
        known = [one for one in found if not math.isnan(one.without)]
        if not known or math.isnan(primary.value):
            continue
        ends = min(one.without for one in known), max(one.without for one in known)
        most = known[0]
        blocks.append(
            Paragraph(
                f"Without any one {name} the difference lies between {say.points(ends[0])} and {say.points(ends[1])} "
                "points "
                f"(with all: {say.points(primary.value)}). {name.capitalize()} `{most.name}`, "
                f"{say.count(most.answers, 'answer')}, "
                f"moves it most, by {say.points(most.change)}."
                + ("" if ends[0] * ends[1] > 0 else " It changes its sign.")
            )
        )
    rows = tuple(
        _influence_row(name, one)
        for name, found in (("rater", raters.without_rater), ("image", raters.without_image))
        for one in found[:MOST_INFLUENTIAL]
    )
    if rows:
        blocks.append(
            Table(
                "table-influence",
                "The most influential raters and images",
                ("left out", "answers", "difference without, points", "change, points"),
                rows,
                "All of them stand in report.json.",
                ("analysis.influence.leave_one_out",),
            )
        )
    picture = _shares(raters)
    return (
        [*blocks, picture]
        if picture
        else blocks or [Paragraph("There is no difference whose influence could be judged.")]
    )


def _influence_row(name: str, one: Influence) -> Row:
    without = "leaves an arm empty" if math.isnan(one.without) else say.points(one.without)
    return Row((f"{name} {one.name}", f"{one.answers:,}", without, say.points(one.change)))


def _shares(raters: RaterAnalysis) -> Figure | None:
    both = [one for one in raters.arms if not (math.isnan(one.dense) or math.isnan(one.spade))]
    if len(both) < 3:
        return None
    better = sum(one.spade > one.dense for one in both)
    equal = sum(one.spade == one.dense for one in both)
    worse = len(both) - better - equal
    tied = f", {equal} equally often" if equal else ""
    return paired_shares(
        "raters",
        [one.dense for one in both],
        [one.spade for one in both],
        [one.answers for one in both],
        caption=f"Each rater's share of agreement under either arm, area by answers: {better} agree more often with "
        f"SPADE, {worse} with dense{tied}. With few answers a rater, much of the scatter is chance.",
        alt=f"{better} of {len(both)} raters lie above the diagonal.",
    )


def _quality(raters: RaterAnalysis, level: float) -> list[Block]:
    signed = [one for one in raters.quality if one.signs]
    blocks: list[Block] = [
        Paragraph(
            f"{len(signed)} of {say.count(len(raters.quality), 'rater')} show a sign worth a look. Signs are read, "
            "not acted upon: nobody is left out for what they show here."
        )
    ]
    shown = (*signed, *(one for one in raters.quality if not one.signs))[:MOST_RATERS]
    note = (
        f"Side and run: exact *p* under sides by chance, Holm over raters, a sign below {say.proper(UNUSUAL)}. Fast: "
        "below "
        f"{FAST_MS} ms."
    )
    if len(shown) < len(raters.quality):
        note += f" {len(raters.quality) - len(shown)} more raters stand in report.json."
    catch = any(one.catch for one in raters.quality)
    header = (
        "rater",
        "answers",
        "undecided",
        "agree if decided",
        "chose left",
        "side, *p*",
        "longest run",
        "run, *p*",
        "median s",
        "fast",
    )
    blocks.append(
        Table(
            "table-raters",
            "Raters, those with a sign first",
            (*header, *(("catch",) if catch else ()), "signs"),
            tuple(_quality_row(one, catch=catch) for one in shown),
            note,
            ("analysis.rater_quality.rater_quality",),
        )
    )
    if raters.catch:
        right, n, low, high = raters.catch
        blocks.append(
            Paragraph(
                f"Catch tasks: {right:,} of {n:,} right, {say.percent(right / n)} {say.percent_interval(low, high)} "
                f"(Wilson, {say.level(level)}, answers taken as independent)."
            )
        )
    items = [_drift(name, one) for name, one in raters.drift.items()]
    if raters.time_ratio is not None:
        items.append(_ratio(raters.time_ratio))
    blocks.append(Points(tuple(items)))
    if items:
        blocks.append(Paragraph("These compare each rater with himself, leaving raters out in turn for the interval."))
    return blocks


def _quality_row(one: RaterQuality, *, catch: bool) -> Row:
    cells = [
        one.rater,
        f"{one.answers}",
        say.percent(one.undecided, 0),
        say.percent(one.agree, 0),
        f"{one.left} of {one.decided}",
        say.p(one.side_p),
        f"{one.longest_run}",
        say.p(one.run_p),
        say.number(one.median_seconds, 1),
        say.percent(one.fast, 0),
    ]
    if catch:
        cells.append(f"{one.catch_right} of {one.catch}" if one.catch else say.NONE)
    return Row((*cells, "; ".join(one.signs) or "none"), strong=bool(one.signs))


def _drift(name: str, found: WithinSlope) -> str:
    if found.reason:
        return f"Drift of {name}: {found.reason}."
    if name == "log response time":
        low, estimate, high = (math.expm1(one) for one in (found.low, found.estimate, found.high))
        change = f"{say.percent(estimate)}, {say.level(found.level)} CI {say.percent_interval(low, high)}"
        return f"Over ten tasks a rater's response time changes by {change}, {say.p_clause(found.p_value)}."
    between = f"{say.level(found.level)} CI {say.percent_interval(found.low, found.high)}"
    change = f"{say.points(found.estimate)} points, {between}, {say.p_clause(found.p_value)}"
    return f"Over ten tasks a rater's share of {name} changes by {change}."


def _ratio(found: WithinSlope) -> str:
    if found.reason:
        return f"Response time by arm: {found.reason}."
    return (
        f"Answers under SPADE take {say.number(found.estimate)} times as long as under dense, "
        f"{say.level(found.level)} CI {say.interval(found.low, found.high)}, within raters, "
        f"{say.p_clause(found.p_value)}."
    )
