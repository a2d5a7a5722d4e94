import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import AnalysisError
from analysis.joint import joint_gains, table_of
from analysis.paired import Bootstrap, cluster_mean


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


PLAIN = Bootstrap(2000, 0.95)


def test_the_interval_of_one_method_is_that_of_the_cluster_mean_up_to_the_draws() -> None:
    scores = generator(3).exponential(size=30)
    joint = joint_gains(scores[:, None], bootstrap=Bootstrap(9999, 0.95), generator=generator(1)).methods[0]
    plain = cluster_mean(scores, range(30), bootstrap=Bootstrap(9999, 0.95), generator=generator(2))
    # Two sets of 9,999 draws agree to Monte-Carlo error, a few hundredths of the standard error.
    tolerance = 0.1 * scores.std() / math.sqrt(30)
    assert joint.mean == pytest.approx(plain.mean)
    assert (joint.low, joint.high) == pytest.approx((plain.low, plain.high), abs=tolerance)


@pytest.mark.parametrize("images", [2, 4, 7])
def test_over_few_images_the_interval_is_students(images: int) -> None:
    table = generator(5).normal(size=(images, 3))
    joint = joint_gains(table, bootstrap=PLAIN, generator=generator(1))
    for scores, found in zip([*table.T, table.mean(axis=1)], [*joint.methods, joint.average], strict=True):
        error = scores.std(ddof=1) / math.sqrt(images)
        low, high = stats.t.interval(0.95, images - 1, scores.mean(), error)
        assert (found.low, found.high) == pytest.approx((low, high))


def test_the_average_of_methods_that_move_together_is_no_surer_than_one_of_them() -> None:
    one = generator(5).normal(size=40)
    joint = joint_gains(np.repeat(one[:, None], 10, axis=1), bootstrap=PLAIN, generator=generator())
    assert (joint.average.low, joint.average.high) == pytest.approx((joint.methods[0].low, joint.methods[0].high))


def test_methods_that_move_together_gain_all_or_none() -> None:
    one = generator(6).normal(size=40) + 0.1
    joint = joint_gains(np.repeat(one[:, None], 4, axis=1), bootstrap=PLAIN, generator=generator())
    assert joint.count_chances[1:4] == (0, 0, 0)
    assert joint.count_chances[0] + joint.count_chances[4] == pytest.approx(1)
    assert joint.chance_of_at_least(1) == joint.chance_of_at_least(4) == pytest.approx(joint.count_chances[4])


def test_the_count_is_that_of_methods_with_a_gain_above_zero_and_ties_do_not_gain() -> None:
    table = [[1.0, -1.0, 0.0], [2.0, 0.5, 0.0], [1.0, -2.0, 0.0]]
    joint = joint_gains(table, bootstrap=PLAIN, generator=generator())
    # means 4/3, -5/6 and 0
    assert joint.gaining == 1
    assert (joint.methods[2].low, joint.methods[2].high) == (0, 0)
    assert joint.average.mean == pytest.approx((4 / 3 - 5 / 6) / 3)


def test_a_method_without_some_image_is_averaged_over_those_it_has() -> None:
    table = table_of([{"a": 1.0, "b": 3.0}, {"a": 5.0}], ["a", "b"])
    joint = joint_gains(table, bootstrap=PLAIN, generator=generator())
    assert [one.mean for one in joint.methods] == [2.0, 5.0]


def test_one_image_has_means_and_no_interval() -> None:
    joint = joint_gains([[1.0, -1.0]], bootstrap=PLAIN, generator=generator())
    assert (joint.gaining, joint.n) == (1, 1)
    assert math.isnan(joint.average.low)


@given(st.integers(2, 12), st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_chances_add_up_and_intervals_are_in_order(images: int, methods: int, seed: int) -> None:
    table = generator(seed).normal(size=(images, methods)).round(1)
    joint = joint_gains(table, bootstrap=Bootstrap(200, 0.9), generator=generator(seed))
    assert sum(joint.count_chances) == pytest.approx(1)
    assert joint.gaining_low <= joint.gaining_high
    assert all(one.low <= one.high for one in (*joint.methods, joint.average))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [([], "expected a table"), ([[math.nan, 1.0]], "Method 0 has a value on no image"), ([[math.inf]], "infinite")],
)
def test_what_is_no_table_of_differences_is_refused(table: list[list[float]], sentence: str) -> None:
    with pytest.raises(AnalysisError, match=sentence):
        joint_gains(table, bootstrap=PLAIN, generator=generator())
