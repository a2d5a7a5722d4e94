"""What each rater's answers look like: sides, runs, times and catch tasks. Signs to read, never a reason to exclude.

Whom to exclude is decided before the data are seen, in the preregistration; these figures show whether that was wise.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from .paired import holm

FAST_MS = 500
"""Answers faster than this [ms] cannot have compared four pictures."""

UNUSUAL = 0.05
"""Holm-adjusted p below which a rater's sides are called unusual."""


@dataclass(frozen=True)
class RaterQuality:
    """One rater's counted answers, and what is unusual about them."""

    rater: str
    answers: int
    undecided: float
    """Share of answers that chose no side."""
    agree: float
    """Share of decided answers that chose Score-CAM's region; NaN where none is decided."""
    left: int
    decided: int
    side_p: float
    """Exact two-sided, of 'left as often as right' (sides are balanced by design), Holm-adjusted over raters."""
    longest_run: int
    """Longest run of one side among the decided answers, in the order they were given."""
    run_p: float
    """How often fair independent sides give a run at least this long, Holm-adjusted over raters."""
    median_seconds: float
    fast: float
    """Share of timed answers below FAST_MS; NaN where none is timed."""
    catch_right: int
    catch: int

    @property
    def signs(self) -> tuple[str, ...]:
        """What a reader should look at, a clause each."""
        found = []
        if self.side_p < UNUSUAL:
            found.append("prefers one side")
        if self.run_p < UNUSUAL:
            found.append("long run of one side")
        if self.undecided == 1:
            found.append("never decided")
        if self.fast > 0.1:
            found.append("often too fast to have looked")
        if self.catch and self.catch_right < self.catch:
            found.append(f"missed {self.catch - self.catch_right} of {self.catch} catch tasks")
        return tuple(found)


def rater_quality(frame: pd.DataFrame) -> tuple[RaterQuality, ...]:
    """What each rater's answers look like, raters in order of name; repeated tasks are left out.

    `frame` is that of `responses.Responses`, or rows of it.
    """
    counted, catch = frame[frame["kind"] == "main"], frame[frame["kind"] == "catch"]
    shown = Counter(catch["rater"].astype(str))
    right = Counter(catch["rater"][catch["outcome"] == "agree"].astype(str))
    found = [
        _one(str(rater), answers.sort_values("position"), catch_right=right[str(rater)], catch=shown[str(rater)])
        for rater, answers in counted.groupby("rater", observed=True)
    ]
    sides, runs = holm([one.side_p for one in found]), holm([one.run_p for one in found])
    return tuple(
        RaterQuality(**{**vars(one), "side_p": float(side), "run_p": float(run)})
        for one, side, run in zip(found, sides, runs, strict=True)
    )


def longest_run(sides: Iterable[object]) -> int:
    """Length of the longest run of equal neighbours; 0 where there is nothing."""
    longest, length, last = 0, 0, object()
    for side in sides:
        length = length + 1 if side == last else 1
        longest, last = max(longest, length), side
    return longest


def run_chance(longest: int, n: int) -> float:
    """The chance that n fair independent sides hold a run of at least `longest` equal ones; NaN where n is 0.

    Exact: a run of L equal sides is L - 1 neighbours in a row that agree, and n sides have n - 1 fair neighbours.
    """
    if n == 0:
        return math.nan
    if longest <= 1:
        return 1.0
    needed = longest - 1
    # state[k]: chance that no such run came yet and the last k neighbours agree
    state = np.zeros(needed)
    state[0] = 1.0
    for _ in range(n - 1):
        state = np.concatenate([[state.sum() / 2], state[:-1] / 2])
    return float(max(0.0, 1 - state.sum()))


def _one(rater: str, answers: pd.DataFrame, *, catch_right: int, catch: int) -> RaterQuality:
    decided = answers[answers["outcome"] != "undecided"]
    sides = decided["choice"].astype(object).to_numpy()
    left, n = int((sides == "left").sum()), len(sides)
    run = longest_run(sides)
    times = _times(answers)
    return RaterQuality(
        rater,
        len(answers),
        undecided=1 - n / len(answers),
        agree=float((decided["outcome"] == "agree").mean()) if n else math.nan,
        left=left,
        decided=n,
        side_p=float(stats.binomtest(left, n).pvalue) if n else math.nan,
        longest_run=run,
        run_p=run_chance(run, n),
        median_seconds=float(np.median(times)) / 1000 if times.size else math.nan,
        fast=float((times < FAST_MS).mean()) if times.size else math.nan,
        catch_right=catch_right,
        catch=catch,
    )


def _times(answers: pd.DataFrame) -> NDArray[np.float64]:
    """The browser's response times that are known [ms]."""
    if "client_rt_ms" not in answers.columns:
        return np.empty(0)
    return answers["client_rt_ms"].dropna().to_numpy(dtype=np.float64)
