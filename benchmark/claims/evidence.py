"""What our records say to a question: over the images of one run, drawn again together, or over seeds.

A statement that several numbers are all above zero ("SPADE raises every method", "the biggest gains in these three") is
not tested by its smallest number, which noise alone pushes down: it holds where each part is shown to, by its own test
(intersection-union), and is reversed where one part is shown to be below zero, after Holm over the parts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.joint import bca, jackknife
from analysis.paired import FEW, holm
from data_manifests.evaluation import Algebra, evaluate, lower_parts, margins, upper_parts
from data_manifests.expression import AVERAGE, CellName, Expression

from ..cells import Cell
from ..policy import Policy
from ..seeds import SeedSummary
from .question import Question

Floats = NDArray[np.float64]
Name = tuple[str, str, str]
"""Table, row and column of a cell of ours."""

ARRAYS: Algebra[Floats] = Algebra(
    constant=lambda value: np.asarray(float(value)),
    smallest=np.minimum,
    largest=np.maximum,
    size=np.abs,
    above=lambda a, b: np.asarray(a > b, dtype=np.float64),
)


@dataclass(frozen=True)
class Evidence:
    """What one kind of evidence says to a question.

    Attributes:
        over: what was drawn again or repeated: images of one run, or seeds.
        mean: the expression, on the mean cells; for "most rows" over seeds the mean of each seed's own count.
        low, high: its interval; NaN where it has several parts (see `parts`) or n is 1.
        n: images or seeds.
        answer: 1 if it leans to yes, -1 to no, 0 to neither.
        p_value: two-sided, of the answer; NaN for a value and where nothing can be tested.
        parts, confirmed, refuted: numbers that must all be above zero, and how many are shown to be above, and below,
            after Holm over them; 0 parts where the question is of one number.
    """

    over: Literal["images", "seeds"]
    mean: float
    low: float
    high: float
    n: int
    answer: int
    p_value: float
    parts: int = 0
    confirmed: int = 0
    refuted: int = 0


def over_images(question: Question, cells: Sequence[Cell], policy: Policy) -> Evidence | None:
    """What one run says; None where it lacks a cell, or no image has a value in all of them.

    All cells are drawn together, image by image, because they share the images.
    """
    by_name = {(c.table, c.row, c.column): dict(zip(c.samples, c.values, strict=True)) for c in cells if _usable(c)}
    names = _resolved(question.expression, set(by_name))
    if names is None:
        return None
    needed = list(dict.fromkeys(name for parts in names.values() for name in parts))
    images = sorted(set.intersection(*(set(by_name[name]) for name in needed)))
    n = len(images)
    if not n:
        return None
    table = np.array([[by_name[name][image] for name in needed] for image in images], dtype=np.float64)
    times = _times(n, policy.intervals.draws, policy.intervals.seed)
    without_one = (table.sum(axis=0) - table) / max(n - 1, 1)
    whole, drawn, left_out = (
        _by_cell(names, needed, means) for means in (table.mean(axis=0)[None], times @ table / n, without_one)
    )
    mean = _one(evaluate(question.expression, whole, ARRAYS))
    parts = _parts(question, drawn)
    if len(parts) > 1:
        estimates = [_one(part) for part in _parts(question, whole)]
        return _of_parts("images", mean, estimates, [_chance(part, n) for part in parts], n, policy.intervals.alpha)
    values, shift = evaluate(question.expression, drawn, ARRAYS), _threshold(question)
    level, low, high = policy.intervals.level, math.nan, math.nan
    if n > 1 and question.rows:  # a count has too few values for BCa
        low, high = map(float, np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf"))
    elif n > 1:
        without = evaluate(question.expression, left_out, ARRAYS)
        low, high = jackknife(mean, without, level) if n < FEW else bca(mean, values, without, level)
    chance = math.nan if question.form == "value" else _chance(values - shift, n)
    return Evidence("images", mean, low, high, n=n, answer=_answer(question, mean - shift), p_value=chance)


def over_seeds(question: Question, runs: Sequence[SeedSummary], policy: Policy) -> Evidence | None:
    """What the stored seeds say together; None where none has every cell. A seed redraws everything, so each is one."""
    known = [run.values for run in runs]
    rows = [(names, means) for means in known if (names := _resolved(question.expression, set(means))) is not None]
    if not rows:
        return None
    cells = {
        name: np.array([math.fsum(means[part] for part in names[name]) / len(names[name]) for names, means in rows])
        for name in question.expression.cells
    }
    n, alpha = len(rows), policy.directions.alpha
    parts = [np.broadcast_to(part, n) for part in _parts(question, cells)]
    if len(parts) > 1:
        whole = {name: np.array([values.mean()]) for name, values in cells.items()}
        value = _one(evaluate(question.expression, whole, ARRAYS))
        return _of_parts("seeds", value, [float(part.mean()) for part in parts], [_t_test(p) for p in parts], n, alpha)
    values, shift = np.broadcast_to(evaluate(question.expression, cells, ARRAYS), n), _threshold(question)
    mean = float(values.mean())
    half = float(stats.t.ppf(1 - alpha / 2, n - 1)) * float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    chance = math.nan if question.form == "value" else _t_test(values - shift)
    answer = _answer(question, mean - shift)
    return Evidence("seeds", mean, mean - half, mean + half, n=n, answer=answer, p_value=chance)


@lru_cache(maxsize=2)
def _times(n: int, draws: int, seed: int) -> Floats:
    """How often each draw takes each of n images [draws, n]: the same draws for every claim of a run."""
    found: Floats = np.random.default_rng([seed, n]).multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)
    return found


def _usable(cell: Cell) -> bool:
    return cell.n > 0 and cell.kind == "value"


def _resolved(expression: Expression, known: set[Name]) -> dict[CellName, tuple[Name, ...]] | None:
    """For each cell of the expression, the cells of ours it is the mean of; None where one is missing.

    A row of averages is averaged over the methods that every column of its table in the expression has: a method that
    one network cannot take would otherwise pass for a difference between networks.
    """
    averaged: dict[str, list[str]] = {}
    for name in expression.cells:
        if name.row == AVERAGE:
            averaged.setdefault(name.table.casefold(), []).append(name.column)
    found = {}
    for name in expression.cells:
        table = name.table.casefold()
        parts: tuple[Name, ...] = ((table, name.row, name.column),)
        if name.row == AVERAGE:
            rows = sorted({row for one, row, _ in known if one == table})
            able = [row for row in rows if all((table, row, column) in known for column in averaged[table])]
            parts = tuple((table, row, name.column) for row in able)
        if not parts or not known.issuperset(parts):
            return None
        found[name] = parts
    return found


def _by_cell(names: Mapping[CellName, Sequence[Name]], needed: Sequence[Name], means: Floats) -> dict[CellName, Floats]:
    """Each cell of the expression in every row of means [.., needed]."""
    at = {name: i for i, name in enumerate(needed)}
    return {name: means[:, [at[part] for part in parts]].mean(axis=1) for name, parts in names.items()}


def _parts(question: Question, cells: Mapping[CellName, Floats]) -> tuple[Floats, ...]:
    """Numbers that must all be above zero for the answer to be yes; none for a value or a majority."""
    match question.form:
        case "every row":
            return margins(question.expression, cells, ARRAYS)
        case "above zero":
            return lower_parts(question.expression, cells, ARRAYS)
        case "below zero":
            return tuple(-part for part in upper_parts(question.expression, cells, ARRAYS))
    return ()


def _of_parts(  # noqa: PLR0917 - what is known of each part, and of all
    over: Literal["images", "seeds"],
    mean: float,
    estimates: Sequence[float],
    chances: Sequence[float],
    n: int,
    alpha: float,
) -> Evidence:
    adjusted = holm(chances).tolist()
    shown = [estimate for estimate, p in zip(estimates, adjusted, strict=True) if p < alpha]
    lost = [p for estimate, p in zip(estimates, adjusted, strict=True) if estimate < 0]
    yes = all(estimate > 0 for estimate in estimates)
    return Evidence(
        over,
        mean,
        math.nan,
        math.nan,
        n=n,
        answer=1 if yes else -1,
        p_value=max(chances) if yes else min(lost, default=math.nan),
        parts=len(estimates),
        confirmed=sum(estimate > 0 for estimate in shown),
        refuted=sum(estimate < 0 for estimate in shown),
    )


def _t_test(values: Floats) -> float:
    """Two-sided p of 'the mean over seeds is zero'; NaN for one seed."""
    if values.size < 2:
        return math.nan
    if np.ptp(values) == 0:
        return float(values[0] == 0)
    return float(stats.ttest_1samp(values, 0.0).pvalue)


def _chance(drawn: Floats, n: int) -> float:
    """Two-sided: how often draws lie on the rarer side of zero, and never less than n images can say.

    Draws of a few images that all gain never see a loss; turning the signs of n images gives no p below 2 / 2^n.
    """
    if n < 2:
        return math.nan
    sides = 1 + int((drawn <= 0).sum()), 1 + int((drawn >= 0).sum())
    return min(1.0, max(2 * min(sides) / (drawn.size + 1), 2.0 ** (1 - n)))


def _threshold(question: Question) -> float:
    return question.rows / 2 if question.form == "most rows" else 0.0


def _answer(question: Question, value: float) -> int:
    if question.form == "value" or value == 0 or math.isnan(value):
        return 0
    return int(math.copysign(1, value)) * (-1 if question.form == "below zero" else 1)


def _one(values: Floats) -> float:
    return float(np.ravel(values)[0])
