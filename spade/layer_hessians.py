"""The Hessians of one layer's inputs, each damped and factored once for all solvers that damp it alike."""

from collections import Counter

import torch
from torch import Tensor

from .protocol import Protocol
from .solver.hessian import DeadInputs, Hessian, positive_definite

Work = Counter[str]
"""What was made and how often: `hessians`, `factorisations`, `eliminations`, `sweeps`, `traces`, `maps`.

Every one of them is counted where it is made, so that a number says what was computed and not what was asked for.
"""


class LayerHessians:
    """The Hessians [groups, d, d] that several solvers of one layer share; each is factored when first asked for.

    Attributes:
        groups: how many there are.
        work: counts the factorisations; shared with whoever counts what rests on them.
    """

    def __init__(self, hessians: Tensor, *, work: Work | None = None) -> None:
        """Not copied: `hessians` is handed over."""
        self._hessians = hessians
        self.groups = len(hessians)
        self.work: Work = Counter() if work is None else work
        self._known: dict[tuple[object, ...], list[Hessian]] = {}

    def matrices(self, protocol: Protocol, device: torch.device) -> Tensor:
        """The Hessians as they are [groups, d, d], on a device, in the protocol's `gram_dtype`."""
        return self._hessians.to(device, getattr(torch, protocol.gram_dtype))

    def factored(
        self,
        protocol: Protocol,
        device: torch.device,
        *,
        damping: float,
        dead_inputs: DeadInputs,
        absolute_damping_on_failure: float | None = None,
    ) -> list[Hessian]:
        """Each Hessian damped and factored in float64, see `positive_definite`.

        Raises:
            InputError: as `positive_definite`.
        """
        # What the diagonal is added to on failure matters only where it happened, so it is no part of the key then.
        key = (protocol.gram_dtype, str(device), damping, dead_inputs)
        for known in (key, (*key, absolute_damping_on_failure)):
            if known in self._known:
                return self._known[known]
        made = [
            positive_definite(
                matrix,
                damping=damping,
                dead_inputs=dead_inputs,
                absolute_damping_on_failure=absolute_damping_on_failure,
            )
            for matrix in self.matrices(protocol, device)
        ]
        self.work["factorisations"] += len(made)
        plain = not any(each.fallbacks for each in made)
        self._known[key if plain else (*key, absolute_damping_on_failure)] = made
        return made
