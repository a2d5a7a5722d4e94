"""Whether a part draws from a library's global generator, which no record of a run could repeat."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def numpy_seeded(seed: int) -> Iterator[None]:
    """While it lasts, numpy's global generator starts at `seed`; then it is as it was."""
    state = np.random.get_state()  # noqa: NPY002 - whether a part touches it is the question
    try:
        np.random.seed(seed)  # noqa: NPY002 - as above
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002 - as above
