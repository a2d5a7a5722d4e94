from dataclasses import replace

import fake_laboratory
import pytest

from benchmark.separation import refuse_overlap, refuse_tuned_seed
from spade.errors import InputError

SAMPLES = tuple(fake_laboratory.sample(i) for i in range(4))


def test_samples_drawn_apart_are_fine() -> None:
    refuse_overlap(SAMPLES[:2], SAMPLES[2:])
    refuse_overlap((), SAMPLES)


def test_a_sample_on_both_sides_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"1 sample is on both sides, tuned on and judged on \('t1'\)"):
        refuse_overlap(SAMPLES[:2], SAMPLES[1:3])


def test_the_same_pixels_under_another_name_are_refused_too() -> None:
    renamed = tuple(replace(sample, id=f"calibration-{i}") for i, sample in enumerate(SAMPLES))
    with pytest.raises(InputError, match="4 samples are on both sides"):
        refuse_overlap(renamed, SAMPLES)


def test_a_seed_the_ratios_were_searched_on_does_not_judge_them() -> None:
    tuned = replace(fake_laboratory.SCALE, ratios_origin={"seeds": [100, 101]})
    refuse_tuned_seed(tuned, 0)
    refuse_tuned_seed(fake_laboratory.SCALE, 100)
    with pytest.raises(InputError, match="so seed 101 cannot judge them"):
        refuse_tuned_seed(tuned, 101)
