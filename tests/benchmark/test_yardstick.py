"""The yardstick times a fixed piece of work and leaves torch as it was."""

import torch

from benchmark import yardstick


def test_the_yardstick_leaves_threads_and_random_numbers_as_they_were() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    assert yardstick.seconds() > 0
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
