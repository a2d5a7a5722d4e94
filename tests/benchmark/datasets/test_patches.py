import numpy as np
import pytest

from benchmark.datasets import patches


@pytest.mark.parametrize("name", patches.NAMES)
def test_a_patch_covers_a_fair_share_of_its_square_and_leaves_the_corners(name: str) -> None:
    patch = patches.draw(name, 14)
    assert patch.alpha.shape == (14, 14)
    assert 0.25 < (patch.alpha > 0.5).mean() < 0.85
    assert patch.alpha[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.5
    assert patch.colour.min() >= 0
    assert patch.colour.max() <= 1


def test_patches_look_different() -> None:
    drawn = [patches.draw(name, 14) for name in patches.NAMES]
    for i, first in enumerate(drawn):
        for second in drawn[:i]:
            assert np.abs(first.alpha * first.colour - second.alpha * second.colour).mean() > 0.05


def test_pasting_changes_the_masked_pixels_and_nothing_outside_the_patch() -> None:
    rng = np.random.default_rng(0)
    images = np.full((6, 3, 40, 40), 90, np.uint8)
    patch = patches.draw("star", 12)
    pasted, masks = patches.paste(images, patch, rng)
    changed = (pasted != images).any(1)
    assert masks.sum((1, 2)).tolist() == [int((patch.alpha > 0.5).sum())] * 6
    assert (changed & masks).sum() / masks.sum() > 0.97
    for image, mask in zip(changed, masks, strict=True):
        ys, xs = np.nonzero(mask)
        box = np.zeros_like(mask)
        box[max(ys.max() - 11, 0) : ys.min() + 12, max(xs.max() - 11, 0) : xs.min() + 12] = True
        assert not (image & ~box).any()


def test_the_place_is_random_and_comes_from_the_generator() -> None:
    images = np.zeros((8, 3, 40, 40), np.uint8)
    patch = patches.draw("heart", 12)
    first, second = (patches.paste(images, patch, np.random.default_rng(3))[1] for _ in range(2))
    assert np.array_equal(first, second)
    assert len({mask.tobytes() for mask in first}) > 1


def test_contrasts_are_the_image_itself_or_one_flat_colour_in_the_outline_of_the_patch() -> None:
    images = np.full((40, 3, 40, 40), 90, np.uint8)
    patch = patches.draw("star", 12)
    shown = patches.contrasts(images, patch, np.random.default_rng(3))
    changed = (shown != images).any(1)
    touched = changed.any((1, 2))
    assert 7 < touched.sum() < 33  # half of forty, within four standard deviations of 3.2
    for image, where in zip(shown[touched], changed[touched], strict=True):
        assert where.sum() == (patch.alpha > 0.5).sum()
        assert len(np.unique(image[:, where], axis=1).T) == 1
