"""Draws from a global generator are found whatever they gave."""

import numpy as np
import pytest
import torch

from benchmark import global_randomness


def test_a_draw_that_can_only_give_one_value_is_still_a_draw() -> None:
    assert not global_randomness.of_numpy(lambda: 0 * np.random.random())  # noqa: NPY002 - what is looked for


def test_a_part_that_seeds_the_generator_itself_is_found_every_time() -> None:
    def seeding() -> None:
        np.random.seed(0)  # noqa: NPY002 - what is looked for

    assert [global_randomness.of_numpy(seeding) for _ in range(2)] == [False, False]


def test_a_generator_of_ones_own_is_no_draw_from_numpys() -> None:
    assert global_randomness.of_numpy(lambda: np.random.default_rng(3).random())


def test_numpys_generator_is_given_back_as_it_was_whatever_the_part_did() -> None:
    def broken() -> None:
        np.random.seed(9)  # noqa: NPY002 - what is looked for
        raise RuntimeError

    np.random.seed(4)  # noqa: NPY002 - as above
    wanted = np.random.random(3)  # noqa: NPY002 - as above
    np.random.seed(4)  # noqa: NPY002 - as above
    with pytest.raises(RuntimeError):
        global_randomness.of_numpy(broken)
    np.testing.assert_array_equal(np.random.random(3), wanted)  # noqa: NPY002 - as above


def test_a_draw_from_torchs_generator_is_found_though_the_answer_is_the_same() -> None:
    one = torch.ones(2)

    def drawing() -> torch.Tensor:
        torch.rand(1)
        return one

    assert global_randomness.of_torch(one, drawing, changed="it changes") == (
        False,
        "torch's global generator was moved on",
    )
    assert global_randomness.of_torch(one, lambda: one, changed="it changes")[0]
