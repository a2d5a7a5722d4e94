import numpy as np
import pytest

from analysis.crossed import crossed_variance
from analysis.measure import measure
from analysis.pigeonhole import _drawn, pigeonhole_bootstrap
from analysis.ratings import of_labels
from analysis.simulation import PAPER_DESIGN, TRUTHS, study

AGREE = measure("agree")
RATINGS = study(TRUTHS["paper"], PAPER_DESIGN, np.random.default_rng(1))


def test_a_draw_is_the_difference_of_answers_weighed_by_how_often_rater_and_image_were_drawn() -> None:
    found = _drawn(RATINGS, AGREE, 3, np.random.default_rng(5))
    generator = np.random.default_rng(5)
    raters = generator.multinomial(RATINGS.raters, np.full(RATINGS.raters, 1 / RATINGS.raters), size=3)
    images = generator.multinomial(RATINGS.images, np.full(RATINGS.images, 1 / RATINGS.images), size=3)
    for draw in range(3):
        sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
        for row in range(RATINGS.n):
            weight = raters[draw, RATINGS.rater[row]] * images[draw, RATINGS.image[row]]
            arm = bool(RATINGS.spade[row])
            sums[arm][0] += weight * (RATINGS.outcome[row] == 0)
            sums[arm][1] += weight
        assert found[draw] == pytest.approx(sums[True][0] / sums[True][1] - sums[False][0] / sums[False][1])


def test_its_variance_is_the_conservative_one_that_theory_gives() -> None:
    # Owen (2007): about V_rater + V_image + 3 V_answer where raters and images do not differ, each part 1 V_answer more
    # than the crossed variance has; here within a generous band.
    plain, _ = pigeonhole_bootstrap(RATINGS, AGREE, draws=3000, generator=np.random.default_rng(2))
    variance = crossed_variance(RATINGS, AGREE)
    assert plain.standard_error**2 > variance.two_way
    expected = variance.rater + variance.image + variance.naive
    assert plain.standard_error**2 == pytest.approx(expected, rel=0.25)


def test_draws_that_empty_an_arm_are_counted_and_left_out() -> None:
    spade = np.array([1, 0, 0, 0, 0, 0, 0, 1], dtype=bool)
    sparse = of_labels([0, 1, 0, 1, 0, 1, 0, 1], spade, [0, 1, 2, 3] * 2, np.arange(8) // 2, np.arange(8) // 2)
    plain, accelerated = pigeonhole_bootstrap(sparse, AGREE, draws=400, generator=np.random.default_rng(3))
    assert "draws left an arm empty" in plain.caveats[0]
    assert plain.caveats == accelerated.caveats
