"""Exclusion rules: functions of the answers that a preregistration names, each with what it took."""

import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data_manifests.errors import allowed_names

from .errors import AnalysisError
from .ratings import Booleans
from .responses import Responses

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Exclusion:
    """A rule with its numbers, as a preregistration names it."""

    rule: str
    numbers: tuple[tuple[str, float], ...] = ()

    @property
    def sentence(self) -> str:
        """The rule in words with its numbers."""
        return RULES[self.rule].words.format(**dict(self.numbers))


@dataclass(frozen=True)
class Taken:
    """What one rule took from what the rules before it had left.

    Attributes:
        rule: the rule's name.
        sentence: the rule in words.
        answers: main answers taken.
        raters: raters who lost every main answer they had left.
        alone: main answers the rule takes when it stands alone.
        reason: why the rule could not be applied, or "".
    """

    rule: str
    sentence: str
    answers: int
    raters: int
    alone: int
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Exclusions:
    """Which main answers are left, and where the others went.

    Attributes:
        kept: the frame's rows of main answers that are left, all its columns.
        steps: one entry a rule, in order.
        before: main answers before any rule.
        after: main answers left.
    """

    kept: pd.DataFrame
    steps: tuple[Taken, ...]
    before: int
    after: int


@dataclass(frozen=True)
class Rule:
    """An exclusion rule.

    Attributes:
        takes: frame and numbers to which main answers go [rows of the frame]; other kinds of rows are ignored.
        words: what it does, with {number} for its numbers.
        needs: optional columns it reads.
    """

    takes: Callable[..., Booleans]
    words: str
    needs: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the numbers a preregistration has to give."""
        return tuple(inspect.signature(self.takes).parameters)[1:]


def exclude(responses: Responses, rules: tuple[Exclusion, ...]) -> Exclusions:
    """The main answers that the rules leave, each rule judging the whole export and not what others left of it.

    A rule whose column the export lacks takes nothing and says so: a reader sees that it was not applied.

    Raises:
        AnalysisError: a rule or one of its numbers is unknown or missing.
    """
    frame = responses.frame
    main = (frame["kind"] == "main").to_numpy()
    taken = [marked(frame, rule) for rule in rules]
    left, steps = main.copy(), []
    for rule, found in zip(rules, taken, strict=True):
        if isinstance(found, str):
            steps.append(Taken(rule.rule, rule.sentence, 0, 0, 0, found))
            continue
        gone = left & found
        raters = set(frame["rater"][left]) - set(frame["rater"][left & ~found])
        steps.append(Taken(rule.rule, rule.sentence, int(gone.sum()), len(raters), int((main & found).sum())))
        left &= ~found
    return Exclusions(frame[left], tuple(steps), int(main.sum()), int(left.sum()))


def marked(frame: pd.DataFrame, exclusion: Exclusion) -> Booleans | str:
    """Which rows a rule takes [rows], or the reason why it cannot be applied.

    Raises:
        AnalysisError: the rule or one of its numbers is unknown or missing.
    """
    rule = checked(exclusion)
    missing = [name for name in rule.needs if name not in frame.columns]
    if missing:
        return f"The export has no column '{missing[0]}', so this rule could not be applied."
    return np.asarray(rule.takes(frame, **dict(exclusion.numbers)), dtype=bool)


def checked(exclusion: Exclusion) -> Rule:
    """The rule that an exclusion names.

    Raises:
        AnalysisError: there is no such rule, or a number is unknown or missing.
    """
    if exclusion.rule not in RULES:
        raise AnalysisError(f"There is no exclusion rule '{exclusion.rule}'; {allowed_names(exclusion.rule, RULES)}")
    rule, given = RULES[exclusion.rule], dict(exclusion.numbers)
    for name in given:
        if name not in rule.numbers:
            known = allowed_names(name, rule.numbers) if rule.numbers else "It takes none."
            raise AnalysisError(f"The exclusion rule '{exclusion.rule}' has no number '{name}'; {known}")
    for name in rule.numbers:
        if name not in given:
            raise AnalysisError(f"The exclusion rule '{exclusion.rule}' needs the number '{name}'.")
    return rule


def _by_rater(frame: pd.DataFrame, judged: "pd.Series[bool]") -> Booleans:
    """Spread a judgement by rater (missing raters pass) over the rows."""
    bad = set(judged.index[judged.to_numpy(dtype=bool)])
    return np.asarray(frame["rater"].isin(bad).to_numpy())


def _main(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["kind"] == "main").to_numpy()]


def by_hand(frame: pd.DataFrame) -> Booleans:
    """Answers that the researcher excluded, with a reason, in the app."""
    return np.asarray(frame["excluded"].notna().to_numpy())


def image_failed(frame: pd.DataFrame) -> Booleans:
    """Answers to a task with a picture that did not load."""
    return np.asarray(frame["image_error"].to_numpy(dtype=bool))


def too_fast(frame: pd.DataFrame, below_ms: float) -> Booleans:
    """Answers faster than anyone can look; an answer without a time stays."""
    return np.asarray((frame["client_rt_ms"] < below_ms).to_numpy())


def too_slow(frame: pd.DataFrame, above_ms: float) -> Booleans:
    """Answers after so long that the rater was elsewhere; an answer without a time stays."""
    return np.asarray((frame["client_rt_ms"] > above_ms).to_numpy())


def fast_rater(frame: pd.DataFrame, below_ms: float, above_share: float) -> Booleans:
    """Raters too many of whose main answers are faster than anyone can look."""
    main = _main(frame)
    share = (main["client_rt_ms"] < below_ms).groupby(main["rater"], observed=True).mean()
    return _by_rater(frame, share > above_share)


def failed_catch(frame: pd.DataFrame, below_share: float) -> Booleans:
    """Raters whose share of right catch answers is too low; who saw none passes."""
    catch = frame[(frame["kind"] == "catch").to_numpy()]
    share = (catch["outcome"] == "agree").groupby(catch["rater"], observed=True).mean()
    return _by_rater(frame, share < below_share)


def one_sided(frame: pd.DataFrame, above_share: float, of_at_least: float) -> Booleans:
    """Raters who chose one side too often among their decided main answers, given enough of those."""
    main = _main(frame)
    decided = main[main["choice"].isin(["left", "right"]).to_numpy()]
    left = (decided["choice"] == "left").groupby(decided["rater"], observed=True).agg(["mean", "size"])
    more = left["mean"].where(left["mean"] >= 0.5, 1 - left["mean"])
    return _by_rater(frame, (more > above_share) & (left["size"] >= of_at_least))


def straight_lining(frame: pd.DataFrame, longest_run: float) -> Booleans:
    """Raters with a run of equal choices longer than allowed, in the order they answered."""
    main = _main(frame).sort_values(["rater", "position"], kind="stable")
    rater, choice = main["rater"].cat.codes.to_numpy(), main["choice"].cat.codes.to_numpy()
    if not rater.size:
        return np.zeros(len(frame), dtype=bool)
    starts = np.flatnonzero(np.r_[True, (rater[1:] != rater[:-1]) | (choice[1:] != choice[:-1])])
    lengths = np.diff(np.r_[starts, rater.size])
    longest = pd.Series(lengths).groupby(main["rater"].to_numpy(dtype=object)[starts]).max()
    return _by_rater(frame, longest > longest_run)


def too_few(frame: pd.DataFrame, fewer_than: float) -> Booleans:
    """Raters with fewer main answers than asked."""
    return _by_rater(frame, _main(frame).groupby("rater", observed=True).size() < fewer_than)


def mostly_undecided(frame: pd.DataFrame, above_share: float) -> Booleans:
    """Raters who decline too often."""
    main = _main(frame)
    share = (main["outcome"] == "undecided").groupby(main["rater"], observed=True).mean()
    return _by_rater(frame, share > above_share)


def lost_focus(frame: pd.DataFrame, more_than: float) -> Booleans:
    """Answers during which the page lost the focus too often."""
    return np.asarray((frame["n_blur"] > more_than).to_numpy())


RULES: dict[str, Rule] = {
    "by_hand": Rule(by_hand, "excluded by the researcher, with a reason on record", ("excluded",)),
    "image_failed": Rule(image_failed, "a picture of the task did not load", ("image_error",)),
    "too_fast": Rule(too_fast, "answers faster than {below_ms:g} ms", ("client_rt_ms",)),
    "too_slow": Rule(too_slow, "answers slower than {above_ms:g} ms", ("client_rt_ms",)),
    "fast_rater": Rule(
        fast_rater, "raters with more than {above_share:.0%} of answers faster than {below_ms:g} ms", ("client_rt_ms",)
    ),
    "failed_catch": Rule(failed_catch, "raters with fewer than {below_share:.0%} of catch tasks right"),
    "one_sided": Rule(
        one_sided,
        "raters who chose one side in more than {above_share:.0%} of at least {of_at_least:g} decided answers",
    ),
    "straight_lining": Rule(straight_lining, "raters with more than {longest_run:g} equal choices in a row"),
    "too_few": Rule(too_few, "raters with fewer than {fewer_than:g} answers"),
    "mostly_undecided": Rule(mostly_undecided, "raters undecided in more than {above_share:.0%} of answers"),
    "lost_focus": Rule(
        lost_focus, "answers during which the page lost the focus more than {more_than:g} times", ("n_blur",)
    ),
}
"""Every rule a preregistration may name."""


def combinations(rules: tuple[Exclusion, ...]) -> tuple[tuple[Exclusion, ...], ...]:
    """Every subset of the rules, the empty one first, all of them last."""
    return tuple(subset for size in range(len(rules) + 1) for subset in itertools.combinations(rules, size))
