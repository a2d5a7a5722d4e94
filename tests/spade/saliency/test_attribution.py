import pytest
import torch

from spade.errors import InputError
from spade.saliency import Attribution, heatmap

# One pixel of channels 2, -3, 0.5: the sum is -0.5, the absolute values add up to 5.5.
ONE_PIXEL = Attribution("Saliency", torch.tensor([2.0, -3.0, 0.5]).reshape(3, 1, 1), 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("channels", "expected"), [("abs_sum", 0.5), ("sum_abs", 5.5), ("sum", -0.5)])
def test_a_heatmap_reduces_channels_as_named(channels: str, expected: float) -> None:
    assert heatmap(ONE_PIXEL, channels).tolist() == [[expected]]  # type: ignore[arg-type]


def test_an_unknown_reduction_is_answered_with_near_names() -> None:
    with pytest.raises(InputError, match="did you mean 'sum_abs'"):
        heatmap(ONE_PIXEL, "sum-abs")  # type: ignore[arg-type]
