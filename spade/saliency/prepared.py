"""A network made ready for every saliency method, once."""

from dataclasses import dataclass, field

import torch
from torch import nn

from ..errors import InputError
from .canonical import obstacle
from .rewrite import SINGLE_USE, rebind, single_use, twin_of


class MethodUnavailable(InputError):
    """A saliency method cannot take this network; the sentence gives the reason."""


class MapNotFinite(InputError):
    """A saliency method took this network and gave NaN or infinite values: a failure, not a limit of the method."""


@dataclass(frozen=True)
class Anatomy:
    """What one forward pass shows about a network; the same for every set of weights.

    Attributes:
        n_outputs: Length of the output row, the number of classes.
        last_map: Name of the last module to finish that holds a convolution and gives a map [1, C, H, W]
            of more than one position; empty where there is none.
        repeated: Activation and pooling modules called more than once in a pass, after the rewrite.
        faithful: Whether the rewritten network gave bit for bit the output of the original.
    """

    n_outputs: int
    last_map: str
    repeated: tuple[str, ...]
    faithful: bool


@dataclass
class Prepared:
    """A twin of a model, with single-use activations, that every method may put hooks on.

    It holds the model's own parameters by reference: weights changed in place are seen, weights replaced by
    other tensors are not (call `prepare(model, like=...)` again, which costs a millisecond or so). Buffers are
    copied, so that a pass that moves them moves none of the model's. One explanation at a time: hooks make it
    unsafe to share between threads.

    Attributes:
        source: The model as it was given; never run with hooks, never changed.
        network: The rewritten twin.
        rewritten: Names of the blocks whose forward was replaced.
        lrp_obstacle: Why relevance cannot be propagated through it, empty where it can.
    """

    source: nn.Module
    network: nn.Module
    rewritten: tuple[str, ...]
    lrp_obstacle: str
    _anatomy: dict[tuple[int, ...], Anatomy] = field(default_factory=dict, repr=False)

    def anatomy(self, x: torch.Tensor) -> Anatomy:
        """The network's anatomy for inputs of the shape of x [1, C, H, W]; one pass the first time, a look-up after.

        Raises:
            InputError: The network cannot take the input, or does not answer with one row of scores.
        """
        shape = tuple(x.shape)
        if shape not in self._anatomy:
            self._anatomy[shape] = _examine(self, x)
        return self._anatomy[shape]


def prepare(model: nn.Module, *, like: Prepared | None = None) -> Prepared:
    """The model made ready for `explain`; reuse it for all methods and images.

    Args:
        model: Any nn.Module that maps images [N, C, H, W] to scores [N, K]; it is not touched.
        like: An earlier preparation of a model of the same kind whose weights differ (a sparse copy):
            its rewrite is taken over, nothing is traced again.

    Raises:
        InputError: The model cannot be copied, or is not of the kind of `like`.
    """
    if like is not None:
        network = rebind(like.network, model)
        return Prepared(model, network, like.rewritten, like.lrp_obstacle, _anatomy=like._anatomy)  # noqa: SLF001 - its own kind
    network = twin_of(model)
    # On the twin: to read a forward is to run it on stand-ins, and it may change a state on the way.
    lrp_obstacle = obstacle(network)
    return Prepared(model, network, tuple(single_use(network)), lrp_obstacle)


def _examine(prepared: Prepared, x: torch.Tensor) -> Anatomy:
    finished: list[tuple[str, nn.Module]] = []
    calls: dict[str, int] = {}
    handles = []
    for name, module in prepared.network.named_modules():

        def note(module: nn.Module, _inputs: object, output: object, name: str = name) -> None:
            if type(module) in SINGLE_USE:
                calls[name] = calls.get(name, 0) + 1
            if isinstance(output, torch.Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
                finished.append((name, module))

        handles.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            scores = prepared.network(x)
            reference = twin_of(prepared.source)(x.clone()) if prepared.rewritten else scores
    except (RuntimeError, ValueError, TypeError, IndexError) as problem:
        raise InputError(
            f"The network cannot take an input of shape {list(x.shape)}: {str(problem).splitlines()[0]}"
        ) from problem
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or scores.shape[0] != 1:
        found = f"shape {list(scores.shape)}" if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise InputError(
            f"The network answers one image with {found}; saliency methods need one row of scores, [1, K]."
        )
    return Anatomy(
        n_outputs=scores.shape[1],
        last_map=next((n for n, m in reversed(finished) if n and _holds_convolution(m)), ""),
        repeated=tuple(name for name, count in calls.items() if count > 1),
        faithful=torch.equal(scores, reference),
    )


def _holds_convolution(module: nn.Module) -> bool:
    return any(isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Conv3d)) for part in module.modules())
