"""Whether a part draws from a library's global generator, which no record of a run could repeat."""

import pickle
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def of_torch(first: Tensor, again: Callable[[], Tensor], *, changed: str) -> tuple[bool, str]:
    """Whether `again` gives `first` under another global seed and leaves torch's generator as it was.

    changed: the sentence that says it does not, "the map changes with torch's global generator".
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(12345)
        before = torch.get_rng_state()
        second = again()
        left = torch.equal(before, torch.get_rng_state())
    if not torch.equal(first, second):
        return False, changed
    return left, "torch's global generator is as it was" if left else "torch's global generator was moved on"


def of_numpy(again: Callable[[], object]) -> bool:
    """Whether `again` takes nothing from numpy's global generator; it is given back as it was.

    The state is compared, not what was drawn: two draws of one digit agree once in ten times. It starts from a seed of
    ours, since a part that seeds the generator itself leaves it the same every time.
    """
    state = np.random.get_state()  # noqa: NPY002 - whether a part touches it is the question
    try:
        np.random.seed(12345)  # noqa: NPY002 - as above
        before = np.random.get_state()  # noqa: NPY002 - as above
        again()
        return _alike(before, np.random.get_state())  # noqa: NPY002 - as above
    finally:
        np.random.set_state(state)  # noqa: NPY002 - as above


def _alike(first: object, second: object) -> bool:
    return pickle.dumps(first) == pickle.dumps(second)
