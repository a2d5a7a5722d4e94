import itertools
import math

import pandas as pd
import pytest

from analysis.rater_quality import longest_run, rater_quality, run_chance


def answers(rater: str, choices: str, *, key: str = "", kind: str = "main", ms: float = 4000) -> pd.DataFrame:
    """One rater's answers, a letter each: l, r, b(oth), n(either); the key is left where `key` does not say."""
    names = {"l": "left", "r": "right", "b": "both", "n": "neither"}
    keys = (key or "l" * len(choices)).ljust(len(choices), "l")
    rows = []
    for position, (choice, side) in enumerate(zip(choices, keys, strict=True), start=1):
        outcome = "undecided" if choice in "bn" else ("agree" if choice == side else "disagree")
        rows.append(
            {
                "rater": rater,
                "position": position,
                "kind": kind,
                "choice": names[choice],
                "key_side": names[side],
                "outcome": outcome,
                "client_rt_ms": ms,
            }
        )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_the_chance_of_a_run_is_the_enumerated_one(n: int) -> None:
    runs = [longest_run(sides) for sides in itertools.product("lr", repeat=n)]
    for longest in range(1, n + 2):
        plain = sum(run >= longest for run in runs) / len(runs)
        assert run_chance(longest, n) == pytest.approx(plain)


def test_a_run_is_counted_in_the_order_of_the_answers() -> None:
    shuffled = answers("r1", "llrrrl").iloc[[3, 0, 5, 1, 4, 2]]
    (one,) = rater_quality(shuffled)
    assert (one.longest_run, one.left, one.decided) == (3, 3, 6)


def test_undecided_answers_belong_to_no_side() -> None:
    (one,) = rater_quality(answers("r1", "lbnr", key="llll"))
    assert (one.undecided, one.decided, one.left, one.agree) == (0.5, 2, 1, 0.5)


def test_a_rater_of_one_side_is_seen_and_a_balanced_one_is_not() -> None:
    frame = pd.concat([answers("one-sided", "l" * 30), answers("balanced", "lrrlrllrlrrllrlrrllrlrlrrllrlr")])
    balanced, sided = rater_quality(frame)
    # Two raters: Holm doubles the smaller p of 30 equal sides, 2 * 2 / 2^30.
    assert sided.side_p == pytest.approx(4 / 2**30)
    assert sided.signs == ("prefers one side", "long run of one side")
    assert balanced.signs == ()


def test_who_never_decides_has_no_side_and_no_agreement() -> None:
    (one,) = rater_quality(answers("r1", "bbnn"))
    assert math.isnan(one.agree)
    assert math.isnan(one.side_p)
    assert (one.longest_run, one.signs) == (0, ("never decided",))


def test_catch_tasks_are_counted_apart() -> None:
    frame = pd.concat([answers("r1", "lr"), answers("r1", "lrb", kind="catch"), answers("r2", "l")])
    first, second = rater_quality(frame)
    assert (first.answers, first.catch, first.catch_right) == (2, 3, 1)
    assert first.signs == ("missed 2 of 3 catch tasks",)
    assert second.catch == 0


def test_times_that_are_missing_are_not_fast() -> None:
    frame = pd.concat([answers("r1", "lr", ms=300), answers("r1", "lr", ms=math.nan)])
    (one,) = rater_quality(frame)
    assert (one.fast, one.median_seconds) == (1.0, 0.3)
    (bare,) = rater_quality(frame.drop(columns="client_rt_ms"))
    assert math.isnan(bare.fast)
    assert math.isnan(bare.median_seconds)
