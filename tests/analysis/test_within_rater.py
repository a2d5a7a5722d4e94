import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from analysis.errors import AnalysisError
from analysis.within_rater import drift, time_ratio, within_slope


def data(seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    rater = np.repeat(np.arange(8), draw.integers(5, 30, 8))
    x = draw.normal(size=rater.size) + rater
    return pd.DataFrame({"rater": rater, "x": x, "y": 0.4 * x - 2 * rater + draw.normal(size=rater.size)})


def test_the_slope_is_that_of_a_model_with_an_intercept_a_rater() -> None:
    frame = data()
    ours = within_slope(frame["y"], frame["x"], frame["rater"], level=0.95)
    assert ours.estimate == pytest.approx(smf.ols("y ~ x + C(rater)", frame).fit().params["x"])
    left, spreads = [], []
    for rater in range(8):
        rest, own = frame[frame["rater"] != rater], frame[frame["rater"] == rater]
        left.append(smf.ols("y ~ x + C(rater)", rest).fit().params["x"])
        spreads.append(own["x"].var(ddof=0) * len(own))
    error = math.sqrt(7 / 8 * sum((one - ours.estimate) ** 2 for one in left))
    df = sum(spreads) ** 2 / sum(one**2 for one in spreads) - 1
    assert (ours.high - ours.low) / 2 == pytest.approx(stats.t.ppf(0.975, df) * error, rel=1e-6)


def test_a_rater_whose_regressor_does_not_vary_counts_for_nothing() -> None:
    frame = data()
    more = pd.concat([frame, pd.DataFrame({"rater": 99, "x": 3.0, "y": [1e6, -1e6]})])
    first = within_slope(frame["y"], frame["x"], frame["rater"], level=0.95)
    assert within_slope(more["y"], more["x"], more["rater"], level=0.95).p_value == pytest.approx(first.p_value)


def test_one_rater_has_a_slope_and_no_interval() -> None:
    found = within_slope([0, 1, 2.5], [0, 1, 2], ["a"] * 3, level=0.95)
    assert found.estimate == pytest.approx(1.25)
    assert math.isnan(found.low)
    assert "one rater" in found.reason


def test_a_regressor_that_never_varies_has_no_slope() -> None:
    found = within_slope([0, 1], [0.1, 0.1], ["a", "a"], level=0.95)
    assert math.isnan(found.estimate)
    assert found.reason == "it varies within no rater"


@pytest.mark.parametrize("bad", [([], [], []), ([1.0], [1.0, 2.0], ["a"]), ([math.nan, 1], [1, 2], ["a", "a"])])
def test_what_cannot_be_a_slope_is_refused(bad: tuple[list[float], list[float], list[str]]) -> None:
    with pytest.raises(AnalysisError):
        within_slope(*bad, level=0.95)


@pytest.mark.slow
def test_the_interval_covers_the_truth_with_few_raters() -> None:
    draw = np.random.default_rng(1)
    hits = 0
    for _ in range(1000):
        rater = np.repeat(np.arange(24), draw.integers(10, 60, 24))
        x = draw.normal(size=rater.size)
        y = (0.3 + draw.normal(0, 0.2, 24))[rater] * x + draw.normal(size=24)[rater] + draw.normal(size=rater.size)
        found = within_slope(y, x, rater, level=0.95)
        hits += found.low <= 0.3 <= found.high
    assert 0.93 <= hits / 1000 <= 0.97


def frame(seconds: list[float]) -> pd.DataFrame:
    n = len(seconds)
    return pd.DataFrame(
        {
            "rater": ["a", "b"] * (n // 2),
            "position": np.arange(n) + 1,
            "arm": ["dense", "dense", "spade", "spade"] * (n // 4),
            "outcome": ["agree", "undecided", "disagree", "agree"] * (n // 4),
            "client_rt_ms": [1000 * one for one in seconds],
        }
    )


def test_answers_that_take_twice_as_long_have_ratio_two() -> None:
    found = time_ratio(frame([2, 3, 4, 6, 2, 3, 4, 6]), level=0.95)
    assert found is not None
    assert found.estimate == pytest.approx(2)
    assert found.raters == 2


def test_without_times_there_is_no_ratio_and_drift_leaves_them_out() -> None:
    timeless = frame([1, 2, 3, 4]).drop(columns="client_rt_ms")
    assert time_ratio(timeless, level=0.95) is None
    assert set(drift(timeless, level=0.95)) == {"agree", "undecided"}
    assert "log response time" in drift(frame([1, 2, 3, 4]), level=0.95)
