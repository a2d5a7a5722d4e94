import math

import numpy as np
import pandas as pd
import pytest

from analysis.measure import MEASURES
from analysis.paired import Bootstrap
from analysis.raters import analyse_raters, arm_shares, regions
from analysis.ratings import of_frame
from analysis.responses import Responses
from analysis.retest import chance_of_same, retest
from analysis.simulated_export import responses_of
from analysis.simulation import Design, Truth, study

FEW = Bootstrap(99, 0.95)


def responses(seed: int = 0, ratings: int = 120) -> Responses:
    draw = np.random.default_rng(seed)
    return responses_of(study(Truth((0.8, 0.9), (0.7, 0.8)), Design(raters=6, images=10, ratings=ratings), draw), draw)


def test_the_region_is_the_role_where_raters_agree_and_the_other_where_not() -> None:
    frame = pd.DataFrame(
        {
            "role": ["true", "true", "pred", "pred", "true"],
            "outcome": ["agree", "disagree", "agree", "disagree", "undecided"],
        }
    )
    assert regions(frame).tolist() == ["true", "pred", "pred", "true", "undecided"]


def test_everything_about_the_raters_of_a_study_is_there() -> None:
    read = responses()
    ratings = of_frame(read.frame)
    found = analyse_raters(
        read.frame,
        read.frame,
        ratings,
        MEASURES["agree"],
        level=0.95,
        bootstrap=FEW,
        generator=np.random.default_rng(0),
    )
    assert set(found.agreement) == {"all", "dense", "spade"}
    assert found.agreement["dense"].ratings + found.agreement["spade"].ratings == found.agreement["all"].ratings == 120
    assert len(found.quality) == len(found.without_rater) == len(found.arms) == ratings.raters
    assert found.retest is None
    assert found.catch is None
    # Raters who draw at random agree as often as their shares of regions say, so alpha is near zero.
    assert abs(found.agreement["all"].alpha.value) < 0.35


def test_shares_by_arm_are_those_of_each_raters_rows() -> None:
    read = responses(3)
    for one in arm_shares(read.frame):
        rows = read.frame[(read.frame["rater"] == one.rater).to_numpy()]
        assert one.answers == len(rows)
        for arm in ("dense", "spade"):
            mine = rows[(rows["arm"] == arm).to_numpy()]
            plain = (mine["outcome"] == "agree").mean() if len(mine) else math.nan
            assert getattr(one, arm) == pytest.approx(plain, nan_ok=True)


def test_repeated_tasks_are_paired_with_the_first_answer_of_the_same_rater() -> None:
    rows = [
        ("a", "i1", "main", "agree"),
        ("a", "i1", "repeat", "agree"),
        ("a", "i2", "main", "agree"),
        ("a", "i2", "repeat", "undecided"),
        ("b", "i1", "main", "disagree"),
        ("b", "i1", "repeat", "disagree"),
        ("b", "i2", "repeat", "disagree"),
        ("c", "i1", "main", "agree"),
    ]
    frame = pd.DataFrame(rows, columns=["rater", "image", "kind", "outcome"]).assign(role="true", arm="dense")
    found = retest(frame, bootstrap=FEW, generator=np.random.default_rng(0))
    assert found is not None
    # b answered i2 only when it was repeated: three pairs, two of them the same.
    assert (found.pairs, found.raters) == (3, 2)
    assert found.same.mean == pytest.approx(2 / 3)
    # Two raters say next to nothing of a third, and no share lies outside 0 to 1.
    assert (found.same.low, found.same.high) == (0.0, 1.0)


def test_nothing_repeated_is_nothing_and_not_perfect() -> None:
    assert retest(responses().frame, bootstrap=FEW, generator=np.random.default_rng(0)) is None


def test_the_chance_of_the_same_outcome_is_the_sum_of_squared_shares() -> None:
    frame = pd.DataFrame({"outcome": ["agree", "agree", "disagree", "undecided"]})
    assert chance_of_same(frame) == pytest.approx(0.25 + 0.0625 + 0.0625)
