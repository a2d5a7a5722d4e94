from decimal import ROUND_CEILING, Decimal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spade.errors import InputError
from spade.solver import selection

# Few values, so that ties are the rule.
SCORES = st.lists(st.integers(0, 4), min_size=1, max_size=30)


@given(n=st.integers(0, 5000), hundredths=st.integers(0, 100))
def test_the_exact_count_is_the_ceiling_in_decimals(n: int, hundredths: int) -> None:
    expected = int((n * Decimal(hundredths) / 100).to_integral_value(ROUND_CEILING))
    assert selection.exact_count(n, hundredths / 100) == expected


def test_the_published_obc_count_is_the_ceiling_in_floating_point() -> None:
    # 100 * 0.55 = 55.00000000000001 in binary.
    assert selection.obc_count(100, 0.55, "published") == 56
    assert selection.obc_count(100, 0.55, "exact") == 55


def test_the_published_sparsegpt_count_is_one_more_than_asked() -> None:
    assert selection.sparsegpt_count(100, 0.5, "published") == 51
    assert selection.sparsegpt_count(100, 0.0, "published") == 1
    # A 64-row 1x1 layer at 0.99 becomes all zero: int(63.36) + 1 = 64.
    assert selection.sparsegpt_count(64, 0.99, "published") == 64


def test_the_published_sparsegpt_count_has_no_answer_at_one() -> None:
    with pytest.raises(InputError, match="published count rule has no threshold"):
        selection.sparsegpt_count(64, 1.0, "published")


@given(scores=SCORES, data=st.data())
def test_the_smallest_are_the_first_of_a_stable_sort(scores: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(scores)))
    expected = set(sorted(range(len(scores)), key=scores.__getitem__)[:count])
    chosen = selection.smallest(torch.tensor(scores, dtype=torch.float64), count)
    assert set(chosen.nonzero()[:, 0].tolist()) == expected


@given(scores=SCORES, data=st.data())
def test_up_to_threshold_takes_every_tie(scores: list[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(scores)))
    chosen = selection.up_to_threshold(torch.tensor(scores, dtype=torch.float64), count)
    assert chosen.tolist() == [score <= sorted(scores)[count - 1] for score in scores]


def test_equal_losses_are_counted_in_reading_order() -> None:
    losses = torch.tensor([[1.0, 2.0, 1.0], [1.0, 0.0, 2.0]])
    # 0 of row two, then of the four 1s: both of row one, then the one of row two.
    assert selection.share_of_rows(losses, 3).tolist() == [2, 1]
    assert selection.share_of_rows(losses, 4).tolist() == [2, 2]


@given(scores=st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_the_shares_of_rows_never_shrink_as_the_count_grows(scores: list[int]) -> None:
    losses = torch.tensor(scores, dtype=torch.float64).reshape(3, 4)
    shares = torch.stack([selection.share_of_rows(losses, count) for count in range(13)])
    assert (shares.diff(dim=0) >= 0).all()
    assert shares.sum(1).tolist() == list(range(13))


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, float("nan"), float("inf"), None, "half"])
def test_what_is_no_ratio_is_refused(sparsity: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        selection.check_sparsity(sparsity)


def test_an_unknown_count_rule_is_answered_with_near_names() -> None:
    with pytest.raises(InputError, match="did you mean 'exact'"):
        selection.check_count_rule("exakt")
