import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from benchmark.metrics.trojan_auc import trojan_auc


def by_pairs(values: np.ndarray, inside: np.ndarray) -> float:
    """Share of (patch, other) pixel pairs in the right order, a tie counting half: the definition, pair by pair."""
    won = [1.0 if p > q else 0.5 if p == q else 0.0 for p in values[inside] for q in values[~inside]]
    return sum(won) / len(won)


@given(
    st.integers(2, 6).flatmap(
        lambda side: st.tuples(
            st.lists(st.integers(-2, 2), min_size=side * side, max_size=side * side),
            st.lists(st.booleans(), min_size=side * side, max_size=side * side),
        )
    )
)
def test_it_counts_pairs_with_ties_as_half(drawn: tuple[list[int], list[bool]]) -> None:
    values, inside = np.array(drawn[0], float), np.array(drawn[1])
    side = math.isqrt(values.size)
    score = trojan_auc(values.reshape(side, side), inside.reshape(side, side))
    if inside.all() or not inside.any():
        assert math.isnan(score)
    else:
        assert_allclose(score, by_pairs(values, inside))
        assert_allclose(score, roc_auc_score(inside, values))


def test_only_the_order_of_the_map_counts() -> None:
    rng = np.random.default_rng(0)
    values, inside = rng.normal(size=(8, 8)), rng.random((8, 8)) < 0.2
    assert trojan_auc(values, inside) == trojan_auc(np.exp(3 * values) + 5, inside)


def test_a_two_by_two_map_by_hand() -> None:
    # Patch pixel 3 beats 1 and 2, loses to 4: two of three pairs.
    assert_allclose(trojan_auc([[1, 2], [3, 4]], [[False, False], [True, False]]), 2 / 3)


def test_a_map_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="1 values that are not finite"):
        trojan_auc([[1, float("nan")]], [[True, False]])


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        trojan_auc([[1, 2]], [[True], [False]])
