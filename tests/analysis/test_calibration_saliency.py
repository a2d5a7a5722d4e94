"""What the intervals and tests of the saliency side are worth, on scores whose truth is known.

The ordinary run counts few rounds; `pytest -m slow -s -k calibration_saliency` counts enough for the table in
docs/calibration-saliency.md, and prints it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from analysis.equivalence import paired_equivalence
from analysis.joint import joint_gains
from analysis.paired import Bootstrap, cluster_mean, expanded_level, holm, paired_difference

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]

SHAPES: dict[str, Draw] = {
    "normal": lambda generator, size: generator.normal(size=size),
    # An AUC close to its upper end: mean .9, longest tail below.
    "skewed, as an AUC of .9": lambda generator, size: generator.beta(9, 1, size=size) - 0.9,
    "heavy tails, t(4)": lambda generator, size: generator.standard_t(4, size=size),
}
METHODS = 10
SHARED = 0.7
"""Correlation of two methods on one image."""


@dataclass(frozen=True)
class Share:
    """A share counted over rounds, with the error that so many rounds leave."""

    what: str
    nominal: float
    found: float
    rounds: int

    @property
    def error(self) -> float:
        """3.3 binomial standard errors: one such test in a thousand fails by chance."""
        return 3.3 * math.sqrt(self.nominal * (1 - self.nominal) / self.rounds)


def coverage(shape: str, images: int, rounds: int, draws: int) -> Share:
    """How often the interval of a mean over images holds the truth, 0."""
    generator, held = np.random.default_rng([1, images, len(shape)]), 0
    for _ in range(rounds):
        scores = SHAPES[shape](generator, (images,))
        found = cluster_mean(scores, range(images), bootstrap=Bootstrap(draws, 0.95), generator=generator)
        held += found.low <= 0 <= found.high
    return Share(f"coverage of a mean, {shape}, {images} images", 0.95, held / rounds, rounds)


def joint_coverage(images: int, rounds: int, draws: int) -> Share:
    """The same for the average of ten methods that share images."""
    generator, held = np.random.default_rng([2, images]), 0
    for _ in range(rounds):
        table = _correlated(generator, images)
        found = joint_gains(table, bootstrap=Bootstrap(draws, 0.95), generator=generator).average
        held += found.low <= 0 <= found.high
    return Share(f"coverage of an average of {METHODS} methods, {images} images", 0.95, held / rounds, rounds)


def family_error(images: int, rounds: int, draws: int) -> Share:
    """How often Holm over ten methods resolves any gain where there is none."""
    generator, wrong = np.random.default_rng([3, images]), 0
    for _ in range(rounds):
        table = _correlated(generator, images)
        p_values = [
            paired_difference(
                column, np.zeros(images), range(images), bootstrap=Bootstrap(draws, 0.95), generator=generator
            ).p_value
            for column in table.T
        ]
        wrong += bool((holm(p_values) < 0.05).any())
    return Share(f"some method resolved by Holm where none gains, {images} images", 0.05, wrong / rounds, rounds)


def size(images: int, rounds: int, *, sign: int) -> Share:
    """How often equivalence is said of a difference exactly at the margin."""
    generator, said = np.random.default_rng([4, images, sign + 1]), 0
    for _ in range(rounds):
        found = paired_equivalence(generator.normal(sign * 1.0, 2.0, size=images), margin=1.0, alpha=0.05)
        said += found.equivalent
    side = "upper" if sign > 0 else "lower"
    return Share(f"equivalence said at the {side} end of the margin, {images} images", 0.05, said / rounds, rounds)


def _correlated(generator: np.random.Generator, images: int) -> NDArray[np.float64]:
    shared, own = generator.normal(size=(images, 1)), generator.normal(size=(images, METHODS))
    found: NDArray[np.float64] = math.sqrt(SHARED) * shared + math.sqrt(1 - SHARED) * own
    return found


@pytest.mark.parametrize(("shape", "images"), [("normal", 16), ("skewed, as an AUC of .9", 32)])
def test_an_interval_holds_the_truth_as_often_as_it_says(shape: str, images: int) -> None:
    found = coverage(shape, images, 400, 499)
    assert 0.93 - found.error <= found.found <= 0.97 + found.error


def test_the_interval_of_an_average_over_methods_holds_the_truth_as_often_as_it_says() -> None:
    found = joint_coverage(32, 400, 499)
    assert 0.93 - found.error <= found.found <= 0.97 + found.error


def test_equivalence_at_the_margin_is_said_at_most_once_in_twenty_and_alike_at_both_ends() -> None:
    upper, lower = (size(64, 2000, sign=sign) for sign in (1, -1))
    assert max(upper.found, lower.found) <= 0.05 + upper.error
    assert abs(upper.found - lower.found) <= math.sqrt(2) * upper.error
    assert min(upper.found, lower.found) > 0.02, "it never says so"


def test_holm_resolves_a_gain_that_is_not_there_at_most_once_in_twenty() -> None:
    found = family_error(24, 120, 499)
    assert found.found <= 0.05 + found.error


@pytest.mark.slow
def test_the_table_of_the_calibration_holds() -> None:
    coverages = [coverage(shape, images, 2000, 999) for shape in SHAPES for images in (8, 16, 32, 64, 111)]
    coverages += [joint_coverage(images, 2000, 999) for images in (8, 16, 32, 64)]
    sizes = [size(images, 20000, sign=sign) for images in (16, 64) for sign in (1, -1)]
    families = [family_error(images, 1000, 999) for images in (16, 64)]
    print("\n| what | nominal | found | rounds |\n|---|---|---|---|")  # noqa: T201 - the table of the documents
    for one in (*coverages, *sizes, *families):
        print(f"| {one.what} | {one.nominal:.2f} | {one.found:.3f} | {one.rounds} |")  # noqa: T201
    # With 8 images, or 16 and heavy tails, the truth is beyond an interval that sees only them: see the table.
    for one in coverages:
        if " 8 images" not in one.what and not ("heavy" in one.what and " 16 images" in one.what):
            assert 0.93 - one.error <= one.found <= 0.97 + one.error, one
    for one in (*sizes, *families):
        assert one.found <= 0.05 + one.error, one
    for upper, lower in zip(sizes[::2], sizes[1::2], strict=True):
        assert abs(upper.found - lower.found) <= math.sqrt(2) * upper.error


def test_the_level_reaches_further_the_fewer_clusters_there_are() -> None:
    levels = [expanded_level(0.95, n, draws=10**6) for n in (4, 8, 16, 32, 1000)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == pytest.approx(0.95, abs=1e-3)
    # 8 clusters: t = 2.365, times sqrt(8/7) = 2.528: 1 - 2 Phi(-2.528) = .9885
    assert levels[1] == pytest.approx(2 * stats.norm.cdf(2.365 * math.sqrt(8 / 7)) - 1, abs=1e-4)
    assert expanded_level(0.95, 2, draws=1000) == 1 - 2 / 1000
