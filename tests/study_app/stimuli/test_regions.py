import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from spade.errors import InputError
from study_app.stimuli.regions import Region, RegionRule, Rejected, revealed, two_regions

MAPS = arrays(np.float32, (9, 7), elements=st.floats(0, 1, width=32))
RULES = st.builds(RegionRule, threshold=st.floats(0.1, 1.0), least=st.floats(0, 0.3), most=st.floats(0.4, 1.0))


def spot(row: int, column: int, *, size: int = 3) -> NDArray[np.float32]:
    values = np.zeros((20, 20), np.float32)
    values[row : row + size, column : column + size] = 1.0
    return values


@given(first=MAPS, second=MAPS, rule=RULES)
def test_two_regions_never_share_a_pixel_and_obey_the_rule(
    first: NDArray[np.float32], second: NDArray[np.float32], rule: RegionRule
) -> None:
    found = two_regions(first, second, rule)
    if isinstance(found, Rejected):
        assert found.reason
        return
    assert not (found[0].mask & found[1].mask).any()
    for region, values in zip(found, (first, second), strict=True):
        assert region.mask.flat[values.argmax()]
        assert rule.least <= region.area <= rule.most
        assert (values[region.mask] >= rule.threshold * values.max()).all()
        left, top, width, height = region.box
        assert region.mask[top : top + height, left : left + width].sum() == region.mask.sum()
        assert region.mask[top].any()
        assert region.mask[:, left].any()


def test_a_region_is_what_hangs_together_with_the_largest_value() -> None:
    first = spot(2, 3) + 0.9 * spot(12, 12)  # the second place is above the threshold and apart
    found = two_regions(first, spot(15, 2), RegionRule())
    assert not isinstance(found, Rejected)
    assert found[0].box == (3, 2, 3, 3)
    assert found[0].area == 9 / 400


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (spot(2, 2), spot(4, 4), "the regions overlap"),
        (spot(2, 2), spot(10, 10, size=1), "the region of the predicted class is too small"),
        (spot(0, 0, size=19), spot(10, 10), "the region of the true class is too large"),
        (np.zeros((20, 20), np.float32), spot(2, 2), "the map of the true class is flat"),
        (spot(2, 2), np.full((20, 20), np.nan, np.float32), "the map of the predicted class is flat"),
    ],
)
def test_a_sample_is_rejected_with_its_reason(
    first: NDArray[np.float32], second: NDArray[np.float32], reason: str
) -> None:
    assert two_regions(first, second, RegionRule()) == Rejected(reason)


def test_regions_that_touch_without_overlap_are_taken() -> None:
    assert not isinstance(two_regions(spot(2, 2), spot(2, 5), RegionRule()), Rejected)


def test_what_is_revealed_is_the_region_and_the_rest_is_grey() -> None:
    image = np.arange(20 * 20 * 3, dtype=np.int64).reshape(20, 20, 3).astype(np.uint8)
    mask = spot(2, 3).astype(bool)
    shown = revealed(image, Region(mask, (3, 2, 3, 3), 0.02))
    assert (shown[mask] == image[mask]).all()
    assert (shown[~mask] == 128).all()


def test_other_masks_have_other_hashes() -> None:
    regions = [Region(spot(2, column).astype(bool), (column, 2, 3, 3), 0.02) for column in (3, 4)]
    assert regions[0].sha256 != regions[1].sha256


@pytest.mark.parametrize("options", [{"threshold": 0.0}, {"threshold": 1.2}, {"least": 0.6}, {"most": 1.5}])
def test_a_rule_that_cannot_be_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        RegionRule(**options)
