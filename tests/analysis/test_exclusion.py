from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.exclusion import RULES, Exclusion, combinations, exclude, marked
from analysis.responses import Responses
from analysis.simulated_export import responses_of
from analysis.simulation import TRUTHS, Design, study

RATINGS = study(TRUTHS["paper"], Design(10, 12, 150), np.random.default_rng(1))
RESPONSES = responses_of(RATINGS, np.random.default_rng(2))


def rule(name: str, **numbers: float) -> Exclusion:
    return Exclusion(name, tuple(numbers.items()))


def changed(**columns: Any) -> Responses:
    frame = RESPONSES.frame.copy()
    for name, values in columns.items():
        frame[name] = values
    return Responses(**{**vars(RESPONSES), "frame": frame})


def by_rater(frame: pd.DataFrame, judge: Callable[[pd.DataFrame], bool]) -> set[str]:
    """Raters whose own rows, taken alone, are judged bad by a plain function."""
    return {str(name) for name in frame["rater"].unique() if judge(frame[frame["rater"] == name])}


def taken(found: Any, frame: pd.DataFrame) -> set[str]:
    return {str(name) for name in frame["rater"][np.asarray(found)].unique()}


def test_rules_on_raters_take_those_a_loop_over_raters_takes() -> None:
    frame = RESPONSES.frame

    def longest_run(rows: pd.DataFrame) -> int:
        longest = run = 0
        before = None
        for choice in rows.sort_values("position")["choice"]:
            run = run + 1 if choice == before else 1
            longest, before = max(longest, run), choice
        return longest

    def one_side(rows: pd.DataFrame) -> float:
        sides = [choice for choice in rows["choice"] if choice in {"left", "right"}]
        return max(sides.count("left"), sides.count("right")) / len(sides) if len(sides) >= 5 else 0.0

    plain = {
        rule("too_few", fewer_than=12): lambda rows: len(rows) < 12,
        rule("straight_lining", longest_run=3): lambda rows: longest_run(rows) > 3,
        rule("one_sided", above_share=0.6, of_at_least=5): lambda rows: one_side(rows) > 0.6,
        rule("mostly_undecided", above_share=0.2): lambda rows: (rows["outcome"] == "undecided").mean() > 0.2,
        rule("fast_rater", below_ms=3000, above_share=0.2): lambda rows: (rows["client_rt_ms"] < 3000).mean() > 0.2,
    }
    for one, judge in plain.items():
        expected = by_rater(frame, judge)
        assert taken(marked(frame, one), frame) == expected, one
        assert 0 < len(expected) < 10, one


def test_catch_answers_judge_the_rater_and_are_never_main_answers_themselves() -> None:
    kind = RESPONSES.frame["kind"].astype(object).to_numpy().copy()
    first = RESPONSES.frame.groupby("rater", observed=True).head(2).index
    kind[first] = "catch"
    responses = changed(kind=pd.Categorical(kind, categories=["main", "catch", "repeat"]))
    frame = responses.frame
    caught = frame[frame["kind"] == "catch"]
    share = {name: (rows["outcome"] == "agree").mean() for name, rows in caught.groupby("rater", observed=True)}
    found = marked(frame, rule("failed_catch", below_share=0.75))
    assert taken(found, frame) == {name for name, value in share.items() if value < 0.75}
    left = exclude(responses, (rule("failed_catch", below_share=0.75),))
    assert left.before == 130
    assert set(left.kept["kind"]) == {"main"}


def test_rules_on_answers_take_exactly_those() -> None:
    excluded = ["spilled coffee" if place == 3 else None for place in RESPONSES.frame["position"]]
    failed = (RESPONSES.frame["position"] == 4).to_numpy()
    responses = changed(excluded=excluded, image_error=failed, n_blur=RESPONSES.frame["position"] - 1)
    steps = exclude(responses, (rule("by_hand"), rule("image_failed"), rule("lost_focus", more_than=3))).steps
    assert [step.answers for step in steps] == [
        int((RESPONSES.frame["position"] == 3).sum()),
        int(failed.sum()),
        int((RESPONSES.frame["position"] > 4).sum()),
    ]


def test_what_two_rules_take_is_counted_for_the_first_and_alone_for_both() -> None:
    left = exclude(RESPONSES, (rule("too_fast", below_ms=3000), rule("too_fast", below_ms=4000)))
    first, second = left.steps
    assert first.answers == first.alone
    assert second.alone == first.answers + second.answers
    assert left.after == left.before - second.alone


def test_a_rule_whose_column_is_missing_takes_nothing_and_says_so() -> None:
    frame = RESPONSES.frame.drop(columns="client_rt_ms")
    left = exclude(Responses(**{**vars(RESPONSES), "frame": frame}), (rule("too_fast", below_ms=500),))
    assert left.after == left.before
    assert "client_rt_ms" in left.steps[0].reason


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (rule("to_fast", below_ms=1), "did you mean 'too_fast'"),
        (rule("too_fast", below=1), "no number 'below'; did you mean 'below_ms'"),
        (rule("too_fast"), "needs the number 'below_ms'"),
        (rule("by_hand", below_ms=1), "It takes none"),
    ],
)
def test_unknown_rules_and_numbers_are_answered_with_near_names(one: Exclusion, sentence: str) -> None:
    with pytest.raises(AnalysisError, match=sentence):
        marked(RESPONSES.frame, one)


def test_every_rule_has_words_for_all_its_numbers() -> None:
    for name, one in RULES.items():
        sentence = Exclusion(name, tuple((number, 0.25) for number in one.numbers)).sentence
        assert "{" not in sentence
        assert all("{" + number in one.words for number in one.numbers)


def test_combinations_are_every_subset_once() -> None:
    rules = tuple(rule("too_few", fewer_than=n) for n in range(4))
    found = combinations(rules)
    assert len(found) == len(set(found)) == 16
    assert (found[0], found[-1]) == ((), rules)
