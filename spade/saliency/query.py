"""The question one explanation answers, and what a method answers with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ..saliency_settings import Settings
from .prepared import Prepared


class Answer(NamedTuple):
    """A method's raw result: values [1, C, H, W], and what they ought to sum to (None: no such axiom)."""

    values: torch.Tensor
    expected: float | None = None


@dataclass(frozen=True)
class Query:
    """Why does this network give this score to this image?

    Attributes:
        prepared: The network.
        x: Normalised image [1, C, H, W], without gradient.
        target: Class whose score is explained.
        score: That score.
        settings: The knobs.
        generator: Source of all randomness.
    """

    prepared: Prepared
    x: torch.Tensor
    target: int
    score: float
    settings: Settings
    generator: torch.Generator

    @property
    def network(self) -> nn.Module:
        """The network with single-use activations."""
        return self.prepared.network

    @property
    def leaf(self) -> torch.Tensor:
        """A copy of the image [1, C, H, W] that gradients reach: Captum would set requires_grad on what it is given."""
        return self.x.clone().requires_grad_()

    @property
    def blank(self) -> torch.Tensor:
        """The reference image [1, C, H, W]: zero after normalisation."""
        return torch.zeros_like(self.x)

    @property
    def batch(self) -> int:
        """How many inputs of this size go through the network at once."""
        return max(1, self.settings.batch_pixels // (self.x.shape[2] * self.x.shape[3]))

    def rise(self) -> float:
        """The target's score for the image minus its score for the blank image."""
        with torch.no_grad():
            return self.score - float(self.network(self.blank)[0, self.target])

    @contextmanager
    def borrowed_randomness(self) -> Iterator[None]:
        """The global generators of torch and numpy, seeded from this query's and given back afterwards.

        Captum draws from both and takes no generator.
        """
        seed = torch.randint(2**31 - 1, (1,), generator=self.generator, device=self.generator.device).item()
        devices = [self.x.device] if self.x.device.type == "cuda" else []
        numpy_state = np.random.get_state()  # noqa: NPY002 - Captum uses numpy's global generator
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            np.random.seed(int(seed))  # noqa: NPY002 - as above
            try:
                yield
            finally:
                np.random.set_state(numpy_state)  # noqa: NPY002 - as above
