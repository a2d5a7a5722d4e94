"""Insertion and deletion are the areas that a pixel-by-pixel account of the same images gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from benchmark.metrics.evidence import Evidence, Images
from benchmark.metrics.insertion import deletion, insertion


def evidence(image: Images, weights: NDArray[np.float64], *, floor: float = 0.0) -> Evidence:
    """A network whose "softmax" is linear in the pixels of the first channel."""

    def probability(images: Images) -> NDArray[np.float64]:
        return floor + (images[:, 0].astype(np.float64) * weights).sum(axis=(1, 2))

    return Evidence(image, np.zeros(image.shape[1:], bool), probability)


def hand() -> Evidence:
    # pixels 1 1 / 1 1, shares of the probability .4 .3 / .2 .1: the full image has probability 1
    return evidence(np.ones((1, 2, 2), np.float32), np.array([[0.4, 0.3], [0.2, 0.1]]))


def test_insertion_of_a_two_by_two_image_worked_by_hand() -> None:
    # The map ranks .4, .3, .2, .1: probabilities 0, .4, .7, .9, 1 at shares 0, 1/4, ..., 1.
    # By trapezoids a quarter of (0/2 + .4 + .7 + .9 + 1/2) = .625.
    heatmap = [[4.0, 3.0], [2.0, 1.0]]
    assert insertion(heatmap, hand(), steps=4, baseline="blank") == pytest.approx(0.625)


def test_deletion_of_a_two_by_two_image_worked_by_hand() -> None:
    # From 1 by .6, .3, .1 to 0: a quarter of (1/2 + .6 + .3 + .1 + 0/2) = .375.
    assert deletion([[4.0, 3.0], [2.0, 1.0]], hand(), steps=4, baseline="blank") == pytest.approx(0.375)


def test_the_worst_map_has_the_two_areas_exchanged() -> None:
    # From 0 by .1, .3, .6 to 1: a quarter of (.1 + .3 + .6 + .5) = .375.
    worst = [[1.0, 2.0], [3.0, 4.0]]
    assert insertion(worst, hand(), steps=4, baseline="blank") == pytest.approx(0.375)
    assert deletion(worst, hand(), steps=4, baseline="blank") == pytest.approx(0.625)


def test_two_steps_of_a_two_by_two_image_worked_by_hand() -> None:
    # From 0 by .7 to 1 in two steps: half of (.7 + .5) = .6.
    assert insertion([[4.0, 3.0], [2.0, 1.0]], hand(), steps=2, baseline="blank") == pytest.approx(0.6)


def test_the_area_is_divided_by_the_softmax_of_the_full_image() -> None:
    half = evidence(np.ones((1, 2, 2), np.float32), np.array([[0.2, 0.15], [0.1, 0.05]]))
    assert insertion([[4.0, 3.0], [2.0, 1.0]], half, steps=4, baseline="blank") == pytest.approx(0.625)


def test_the_image_mean_is_a_baseline_of_its_own() -> None:
    # Pixels 1, 0, 0, 0 have the mean 1/4: from probability 1/4 (weight 1 on the first pixel) to 1 at the first step.
    image = np.zeros((1, 2, 2), np.float32)
    image[0, 0, 0] = 1
    only = evidence(image, np.array([[1.0, 0.0], [0.0, 0.0]]))
    area = insertion([[4.0, 3.0], [2.0, 1.0]], only, steps=4, baseline="image mean")
    assert area == pytest.approx((0.25 / 2 + 1 + 1 + 1 + 1 / 2) / 4)


def walked(heatmap: NDArray[np.float64], seen: Evidence, order: list[tuple[int, int]], *, insert: bool) -> float:
    """The area, one pixel at a time in plain loops, by scipy's trapezoids."""
    image = np.zeros_like(seen.image) if insert else seen.image.copy()
    curve = [float(seen.probability(image[None])[0])]
    for y, x in order:
        for channel in range(image.shape[0]):
            image[channel, y, x] = seen.image[channel, y, x] if insert else 0.0
        curve.append(float(seen.probability(image[None])[0]))
    full = float(seen.probability(seen.image[None])[0])
    return float(trapezoid([p / full for p in curve], dx=1 / heatmap.size))


@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 10_000))
def test_with_one_pixel_a_step_it_is_the_walk_over_the_ranking(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.random((3, height, width), dtype=np.float32)
    seen = evidence(image, rng.random((height, width)), floor=0.1)
    heatmap = rng.permutation(height * width).reshape(height, width).astype(np.float64)
    order = sorted(np.ndindex(height, width), key=lambda place: -heatmap[place])
    steps = height * width
    walk = [(int(y), int(x)) for y, x in order]
    assert insertion(heatmap, seen, steps=steps, baseline="blank") == pytest.approx(
        walked(heatmap, seen, walk, insert=True)
    )
    assert deletion(heatmap, seen, steps=steps, baseline="blank") == pytest.approx(
        walked(heatmap, seen, walk, insert=False)
    )


@given(st.integers(2, 40), st.integers(0, 1000))
def test_only_the_order_of_the_map_matters(steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = evidence(rng.random((1, 6, 6), dtype=np.float32), rng.random((6, 6)))
    heatmap = rng.standard_normal((6, 6))
    stretched = np.exp(heatmap) * 7 + 3
    for metric in (insertion, deletion):
        assert metric(heatmap, seen, steps=steps, baseline="blank") == metric(
            stretched, seen, steps=steps, baseline="blank"
        )


def test_equal_pixels_come_in_reading_order() -> None:
    assert insertion(np.zeros((2, 2)), hand(), steps=4, baseline="blank") == pytest.approx(0.625)


@pytest.mark.parametrize(
    ("heatmap", "words"),
    [(np.zeros((3, 2)), "must have one shape"), (np.array([[np.nan, 0], [0, 0]]), "1 values that are not finite")],
)
def test_a_map_that_cannot_be_ranked_is_refused(heatmap: NDArray[np.float64], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        insertion(heatmap, hand(), steps=4, baseline="blank")


def test_an_image_without_softmax_is_refused() -> None:
    nothing = evidence(np.ones((1, 2, 2), np.float32), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="softmax on the full image is 0"):
        insertion(np.zeros((2, 2)), nothing, steps=4, baseline="blank")
