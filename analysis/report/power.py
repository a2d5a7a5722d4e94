"""The report of a design's power: a table of every simulated design, curves, and how many answers are needed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..estimate import as_tree
from ..monitoring import Look
from ..power import PowerCell, ratings_needed
from . import wording as say
from .document import Block, Document, Figure, Paragraph, Row, Table, section
from .figures import Series, curves

SOURCE = "analysis.power.power"
WORDS = {
    "overall_success": "agreement with Score-CAM, the undecided counted as not agreeing",
    "agree_decided": "agreement with Score-CAM among decided answers",
}


def build(
    cells: Sequence[PowerCell],
    *,
    base: float,
    measure: str,
    heterogeneity: str,
    target: float,
    looks: Sequence[Look],
    spending: str,
    facts: Mapping[str, str],
) -> Document:
    """What simulated studies of these designs came to."""
    effects = sorted({round(cell.difference, 9) for cell in cells})
    real = [effect for effect in effects if effect != 0]
    lead = [Paragraph(_lead(cells, effect, target), "finding") for effect in real]
    alpha = 1 - cells[0].level
    about = (
        f"Each figure comes from {say.count(cells[0].studies, 'simulated study', 'simulated studies')}, analysed by "
        f"the primary test of the study's report (raters and images crossed) at the level {say.proper(alpha)}. "
        "Measured is "
        f"{WORDS[measure]}; dense has {say.percent(base)}. Raters, images and items differ as '{heterogeneity}' says: "
        f"{_spreads(cells[0])}."
    )
    parts = [
        section(
            "power",
            "Power",
            Paragraph(about),
            [_curve(cells, effect, target, place) for place, effect in enumerate(real)],
            _table(cells),
            Paragraph(
                "Power between simulated designs is read off with the probit of the power linear in the root of the "
                "answers. What no simulation knows is how much your raters and images will differ: run it under "
                "'none' and 'strong' too, and plan for the worse.",
                "caveat",
            ),
        )
    ]
    if looks:
        parts.append(section("looks", "Looks before the end", _looks(looks, spending)))
    numbers: dict[str, Any] = {"cells": as_tree(list(cells)), "looks": as_tree(list(looks))}
    title = f"Power of {_range([cell.design.raters for cell in cells])} raters"
    return Document("power", title, tuple(lead), tuple(parts), tuple(facts.items()), numbers)


def _lead(cells: Sequence[PowerCell], effect: float, target: float) -> str:
    clauses = []
    for raters in sorted({cell.design.raters for cell in cells}):
        row = [cell for cell in cells if _is(cell, effect) and cell.design.raters == raters]
        needed = ratings_needed(row, target)
        most = max(row, key=lambda cell: cell.design.ratings)
        clauses.append(
            f"about {needed:,.0f} ratings of {say.count(raters, 'rater')}"
            if math.isfinite(needed)
            else f"more than {most.design.ratings:,} ratings of {say.count(raters, 'rater')} (power there "
            f"{say.proper(most.power)})"
        )
    return (
        f"A true difference of {say.points(effect)} points is found {say.percent(target, 0)} of the time with "
        f"{', or with '.join(clauses)}."
    )


def _table(cells: Sequence[PowerCell]) -> Table:
    header: tuple[str, ...] = (
        "true difference",
        "raters",
        "ratings",
        "power",
        "interval holds the truth",
        "half width",
        "naive test",
    )
    watched = any(cell.mean_ratings < cell.design.ratings - 0.5 for cell in cells)
    rows = []
    for cell in cells:
        holds = cell.covered / cell.with_interval if cell.with_interval else math.nan
        line = [
            f"{say.points(cell.difference)} points" if cell.difference else "none: type I error",
            f"{cell.design.raters}",
            f"{cell.design.ratings:,}",
            f"{say.proper(cell.power)} {say.proper_interval(cell.low, cell.high)}",
            say.percent(holds),
            f"\N{PLUS-MINUS SIGN}{say.points(cell.half_width).removeprefix('+')} points",
            say.proper(cell.naive_found / cell.studies),
        ]
        rows.append(Row(tuple([*line, f"{cell.mean_ratings:,.0f}"] if watched else line)))
    note = (
        "In brackets: the 95 % interval over simulations. Half width: of the interval the study would report, on "
        "average. Naive test: how often a test of independent answers rejects; where there is no true difference that "
        "should be "
        f"{say.proper(1 - cells[0].level)}."
    )
    if watched:
        note += " A study that stopped at a look reports an interval that is not adjusted for having looked."
        header = (*header, "ratings collected, mean")
    return Table("table-power", "Simulated designs", header, tuple(rows), note, (SOURCE,))


def _curve(cells: Sequence[PowerCell], effect: float, target: float, place: int) -> Figure | None:
    series = []
    for raters in sorted({cell.design.raters for cell in cells}):
        row = sorted(
            (cell for cell in cells if _is(cell, effect) and cell.design.raters == raters),
            key=lambda cell: cell.design.ratings,
        )
        series.append(
            Series(
                f"{raters} raters",
                tuple(float(cell.design.ratings) for cell in row),
                tuple(cell.power for cell in row),
                tuple(cell.low for cell in row),
                tuple(cell.high for cell in row),
            )
        )
    if len(series[0].x) < 2:
        return None  # one design is a sentence
    ends = "; ".join(f"{one.name} {say.proper(one.y[0])} to {say.proper(one.y[-1])}" for one in series)
    return curves(
        f"power-{place + 1}",
        series,
        x_label="ratings",
        y_label="power",
        caption=f"Power for a true difference of {say.points(effect)} points, with 95 % bands over simulations; the "
        f"dashed line is {say.percent(target, 0)}.",
        alt=f"Power rises with ratings from {series[0].x[0]:,.0f} to {series[0].x[-1]:,.0f}: {ends}.",
        marks=(target,),
        limits=(0, 1.02),
        sources=(SOURCE,),
    )


def _looks(looks: Sequence[Look], spending: str) -> list[Block]:
    rows = tuple(
        Row((say.percent(look.fraction, 0), say.proper(look.spent, 4), say.number(look.z, 3), f"{look.p:.2g}"))
        for look in looks
    )
    return [
        Paragraph(
            f"Alpha is spent by the rule '{spending}' (Lan and DeMets, 1983), which only counts if the "
            "preregistration declares it together with the looks."
        ),
        Table(
            "table-looks",
            "Boundaries",
            ("of the ratings", "alpha spent", "stop at |*z*|", "that is, at *p*"),
            rows,
            sources=("analysis.monitoring.looks",),
        ),
    ]


def _spreads(cell: PowerCell) -> str:
    truth = cell.truth
    if not any((truth.rater, truth.image, truth.item, truth.rater_slope, truth.item_slope)):
        return "not at all"
    return (
        f"standard deviations on the logit scale of {truth.rater} over raters, {truth.image} over images, {truth.item} "
        f"over items, and of the difference between the arms {truth.rater_slope} over raters and {truth.item_slope} "
        "over items"
    )


def _is(cell: PowerCell, effect: float) -> bool:
    return abs(cell.difference - effect) < 1e-9


def _range(values: Sequence[int]) -> str:
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"
