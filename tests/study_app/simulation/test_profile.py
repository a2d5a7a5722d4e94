# ruff: noqa: S311 - simulated raters need no secrets
import math
from dataclasses import replace
from random import Random
from statistics import mean, stdev

import pytest

from study_app.simulation.profile import Population, draw, moved, shift_of_image

USUAL = Population()
SPREAD = replace(USUAL, spread=0.0, effect_over_raters=1.5)


def test_raters_that_differ_in_the_effect_differ_by_as_much_as_was_planted_and_in_nothing_else() -> None:
    people = [draw(SPREAD, Random(seed)) for seed in range(2000)]
    # On the logit scale, where 1.5 was planted about the mean difference.
    logits = [_logit(one.agree["spade"]) - _logit(one.agree["dense"]) for one in people]
    # Four standard errors: SD / sqrt(n) of a mean, SD / sqrt(2 n) of an SD.
    assert abs(mean(logits) - (_logit(0.799) - _logit(0.736))) < 4 * 1.5 / 2000**0.5
    assert abs(stdev(logits) - 1.5) < 4 * 1.5 / 4000**0.5
    assert {one.undecided["dense"] for one in people} == {moved(USUAL.undecided_dense, 0.0)}


def test_a_population_that_does_not_differ_in_the_effect_is_the_same_people_seed_by_seed() -> None:
    calm, wild = draw(USUAL, Random(3)), draw(replace(USUAL, effect_over_raters=1.0), Random(3))
    assert (calm.bias, calm.favourite, calm.seconds, calm.undecided) == (
        wild.bias,
        wild.favourite,
        wild.seconds,
        wild.undecided,
    )
    assert calm.agree != wild.agree


def test_an_image_shifts_both_arms_by_its_level_and_apart_by_its_effect() -> None:
    flat = replace(USUAL, images=0.8)
    assert shift_of_image(flat, "dense", Random("a")) == shift_of_image(flat, "spade", Random("a"))
    steep = replace(USUAL, effect_over_images=0.8)
    pair = [shift_of_image(steep, arm, Random("a")) for arm in ("dense", "spade")]
    assert pair[0] == pytest.approx(-pair[1])
    assert shift_of_image(USUAL, "spade", Random("a")) == 0


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
