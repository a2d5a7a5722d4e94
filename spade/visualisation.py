"""Pictures that drive a class neuron up (feature visualisation, Olah et al., 2017), by torch-lucent."""

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .errors import InputError
from .layers import check_takes

Normalise = Callable[[Tensor], Tensor]

_PARTS = 10  # how often the optimisation is told about


@dataclass(frozen=True)
class Ascent:
    """How a visualisation is made; lengths are shares of the picture's side, so that one setting fits all sizes.

    Attributes:
        steps: of Adam.
        learning_rate: of Adam.
        jitter: largest move.
        scale: largest relative change of size, up or down.
        rotate: largest turn [degrees].
        pad: border of grey around the picture before it is moved.
        decorrelate: optimise in lucent's decorrelated colours.
        spread: standard deviation the spectrum starts with.
    """

    steps: int = 512
    learning_rate: float = 0.05
    jitter: float = 0.06
    scale: float = 0.1
    rotate: float = 10.0
    pad: float = 0.1
    decorrelate: bool = True
    spread: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what no ascent can do."""
        if self.steps < 1 or self.learning_rate <= 0:
            raise InputError(f"A visualisation needs one step or more and a learning rate above 0; got {self}.")
        if min(self.jitter, self.scale, self.rotate, self.pad, self.spread) < 0 or max(self.jitter, self.scale) >= 0.5:
            raise InputError(f"Jitter and scale lie in [0, 0.5), turn, border and spread are 0 or more; got {self}.")


@dataclass(frozen=True, eq=False)
class Visualisation:
    """A picture of what a class neuron looks for.

    Attributes:
        image: [3, H, W] in [0, 1].
        target: the class.
        score: the class's logit for the picture as it is.
        probability: its softmax.
    """

    image: Tensor
    target: int
    score: float
    probability: float


def visualise(
    model: nn.Module,
    target: int,
    *,
    size: int,
    normalise: Normalise | None = None,
    ascent: Ascent | None = None,
    seed: int = 0,
    watch: Callable[[float], None] = lambda _: None,
) -> Visualisation:
    """A picture [3, size, size] that the class neuron `target` answers strongly.

    Gradient ascent on the neuron's logit over Fourier coefficients in decorrelated colours, under small random moves.
    Departure from lucent's own defaults: the network gets pictures of `size`, not of 224 pixels, the border and moves
    shrink with them, and the normalisation is the network's.

    The work is done on a copy: the model keeps its hooks, flags and gradients. The same seed gives the same picture on
    the same machine, and the random generators of numpy and torch go on as if nothing had been drawn.

    Args:
        model: from [N, 3, size, size] to logits [N, classes].
        target: class index.
        size: height and width [pixels].
        normalise: from [0, 1] to what the model takes.
        ascent: how, see `Ascent`.
        seed: of the start and of every move.
        watch: told the share done.

    Raises:
        InputError: the network does not take such pictures, has no such class, or the ascent leaves the numbers.
        KeyboardInterrupt: it was stopped; lucent alone would give the unfinished picture as if it were whole.
    """
    ascent = ascent or Ascent()
    normalise = normalise or (lambda images: images)
    device = _device()
    whole = _Whole(model).to(device)
    blank = torch.full((1, 3, size, size), 0.5, device=device)
    check_takes(whole, normalise(blank))
    with torch.no_grad():
        classes = whole(normalise(blank)).shape[-1]
    if not 0 <= target < classes:
        raise InputError(f"Class {target} is out of range: the network knows classes 0 to {classes - 1}.")
    done = 0

    def told(images: Tensor) -> Tensor:
        nonlocal done
        done += 1
        if done % max(ascent.steps // _PARTS, 1) == 0:
            watch(min(done / ascent.steps, 1.0))
        return images

    with _seeded(seed), _quiet(), _stoppable():
        from lucent.optvis import objectives, render  # noqa: PLC0415 - draws in kornia, ipython and more
        from lucent.optvis.param.images import image as picture  # noqa: PLC0415 - as above

        (found,) = render.render_vis(
            whole,
            objectives.channel("network", target),
            lambda: picture(size, sd=ascent.spread, decorrelate=ascent.decorrelate),
            optimizer=lambda params: _Adam(params, lr=ascent.learning_rate),
            transforms=[*_moves(ascent, size), _resized(size), normalise, told],
            thresholds=(ascent.steps,),
            preprocess=False,
            fixed_image_size=size,
            progress=False,
            show_image=False,
        )
    if done < ascent.steps:  # stopped between two steps
        raise KeyboardInterrupt
    image = torch.from_numpy(found[0]).permute(2, 0, 1).contiguous()
    with torch.no_grad():
        logits = whole(normalise(image[None].to(device)))[0].cpu()
    if not torch.isfinite(image).all() or not torch.isfinite(logits).all():
        raise InputError(
            f"The visualisation of class {target} left the finite numbers; try a learning rate below "
            f"{ascent.learning_rate:g}."
        )
    return Visualisation(image, target, float(logits[target]), float(logits.softmax(0)[target]))


class _Whole(nn.Module):
    """A copy of a network under the one name `network`: lucent watches children, and the scores are a child's output.

    Without this the scores would be the output of whichever child the model defines last, right for most and wrong for
    some.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        try:
            self.network = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
        except (RuntimeError, TypeError) as error:
            raise InputError(f"{type(model).__name__} cannot be copied, so nothing is visualised: {error}.") from error

    def forward(self, images: Tensor) -> Tensor:
        """The network's scores."""
        scores: Tensor = self.network(images)
        return scores


class _Stopped(BaseException):
    """Ctrl-C on its way through lucent, which takes a KeyboardInterrupt for the wish to see the picture so far."""


class _Adam(torch.optim.Adam):
    """Adam that lets a stop through."""

    def step(self, closure: Any = None) -> Any:  # noqa: ANN401 - as torch declares it
        """One step."""
        try:
            return super().step(closure)
        except KeyboardInterrupt as stop:
            raise _Stopped from stop


@contextmanager
def _stoppable() -> Iterator[None]:
    try:
        yield
    except _Stopped as stop:
        raise KeyboardInterrupt from stop


def _device() -> torch.device:
    """Where lucent makes its pictures; it cannot be told."""
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def _moves(ascent: Ascent, size: int) -> Iterator[Callable[[Tensor], Tensor]]:
    from lucent.optvis import transform  # noqa: PLC0415 - see `visualise`

    if border := round(ascent.pad * size):
        yield transform.pad(border, mode="constant", constant_value=0.5)
    if (move := round(ascent.jitter * size) + 1) > 1:
        yield transform.jitter(move)
    if ascent.scale:
        yield transform.random_scale(list(np.linspace(1 - ascent.scale, 1 + ascent.scale, 11)))
    if ascent.rotate:
        yield transform.random_rotate(list(np.linspace(-ascent.rotate, ascent.rotate, 21)))
    if (move := round(ascent.jitter * size / 2) + 1) > 1:
        yield transform.jitter(move)


def _resized(size: int) -> Callable[[Tensor], Tensor]:
    # lucent resizes after the last transform, which would be after the normalisation and its border of grey.
    return nn.Upsample(size=size, mode="bilinear", align_corners=True)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Global generators of numpy and torch at `seed` while it lasts, which is what lucent draws from."""
    state = np.random.get_state()  # noqa: NPY002 - the generator lucent draws from
    devices: Sequence[int] = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - as above
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002 - as above


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # Announcements of torch and numpy to kornia, which torch-lucent pins: nobody here can act on them.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield
