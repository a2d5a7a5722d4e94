import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from analysis.condition import condition_shares
from analysis.errors import AnalysisError


@pytest.fixture(scope="module")
def answers(shared_data: Path) -> pd.DataFrame:
    path = shared_data / "responses" / "visual_correspondence_2022.csv"
    if not path.is_file():
        pytest.skip("the real answers are not on this machine (set SPADE_SHARED_DATA to their folder)")
    return pd.read_csv(path)


def test_the_real_answers_have_the_accuracies_that_counting_gives(answers: pd.DataFrame) -> None:
    found = condition_shares(answers["correct"], answers["condition"], answers["rater"])
    assert len(found) == 6
    for one in found:
        right = total = 0
        for condition, correct in zip(answers["condition"], answers["correct"], strict=True):
            if condition == one.condition:
                right, total = right + correct, total + 1
        assert (one.k, one.n) == (right, total)
        assert one.share == right / total


def test_the_real_answers_have_the_rater_intervals_of_an_independent_computation(answers: pd.DataFrame) -> None:
    for one in condition_shares(answers["correct"], answers["condition"], answers["rater"]):
        rows = answers[answers["condition"] == one.condition]
        # Leaving raters out one at a time, with pandas and a loop.
        left = [rows[rows["rater"] != rater]["correct"].mean() for rater in rows["rater"].unique()]
        count = len(left)
        error = math.sqrt((count - 1) / count * sum((value - one.share) ** 2 for value in left))
        half = stats.t.ppf(0.975, count - 1) * error
        assert (one.low, one.high) == pytest.approx((one.share - half, one.share + half))
        # statsmodels' cluster-robust least squares (CR1), which knows nothing of the jackknife.
        fitted = OLS(rows["correct"].astype(float), np.ones(len(rows))).fit(
            cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["rater"])[0]}
        )
        assert one.standard_error == pytest.approx(float(fitted.bse.iloc[0]), rel=0.02)
        # Whole raters drawn again.
        sums = rows.groupby("rater")["correct"].agg(["sum", "size"]).to_numpy(dtype=float)
        drawn = np.random.default_rng(1).integers(0, count, (4000, count))
        again = sums[drawn].sum(axis=1)
        assert (again[:, 0] / again[:, 1]).std() == pytest.approx(one.standard_error, rel=0.08)


def test_one_rater_has_a_share_and_no_interval() -> None:
    (found,) = condition_shares([1, 0, 1], ["a"] * 3, ["p"] * 3)
    assert found.share == pytest.approx(2 / 3)
    assert math.isnan(found.low)


def test_columns_of_different_lengths_and_other_answers_are_refused() -> None:
    with pytest.raises(AnalysisError, match="different lengths"):
        condition_shares([1, 0], ["a"], ["p", "q"])
    with pytest.raises(AnalysisError, match="neither 0"):
        condition_shares([1, 2], ["a", "a"], ["p", "q"])
