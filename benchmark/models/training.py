"""A trained network from images and labels: plain SGD, every random number from one generator."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray
from torch import Tensor, nn

from spade.errors import InputError

from ..datasets.procedural import ImageSet

Step = Callable[[int, int, float], None]
"""Called after every epoch with (epochs done, epochs in all, mean loss)."""

MEAN, STD = 0.5, 0.25
_SHIFT = 4  # pixels an image may move in any direction while training
_EVALUATED_AT_ONCE = 250  # fixed: a different batch size may change the last bits of a logit


def normalise(images: Tensor) -> Tensor:
    """Images [N, 3, H, W] in [0, 1] as the network takes them: mean 0.5, standard deviation 0.25 in every channel."""
    return (images - MEAN) / STD


def pixels(images: NDArray[np.uint8]) -> Tensor:
    """Bytes [N, 3, H, W] as float32 in [0, 1]."""
    return torch.from_numpy(images).float() / 255


def fit(
    network: nn.Module,
    epochs: Callable[[int], ImageSet],
    *,
    n_epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    decay_epoch: int | None,
    generator: torch.Generator,
    step: Step,
) -> None:
    """Trains `network` in place for `n_epochs`; `epochs(i)` gives the images of epoch i, all epochs of one size.

    SGD with Nesterov momentum 0.9; a one-cycle learning rate, or (with `decay_epoch`) a constant one that falls tenfold
    there (A15). Each batch is moved by up to four pixels.

    Raises:
        InputError: the loss is no longer a number, as where the learning rate is too large.
    """
    optimiser = torch.optim.SGD(
        network.parameters(), lr=learning_rate, momentum=0.9, weight_decay=weight_decay, nesterov=True
    )
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None
    for epoch in range(n_epochs):
        images = epochs(epoch)
        batches = len(images.labels) // batch_size
        if scheduler is None:
            scheduler = (
                torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=n_epochs * batches)
                if decay_epoch is None
                else torch.optim.lr_scheduler.StepLR(optimiser, decay_epoch * batches, 0.1)
            )
        network.train()
        total = 0.0
        for x, y in _batches(images, batch_size, generator):
            loss = F.cross_entropy(network(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            scheduler.step()
            total += loss.item()
        if not np.isfinite(total):
            raise InputError(
                f"Training diverged in epoch {epoch + 1} of {n_epochs} (the loss is {total}); the scale's "
                f"learning_rate of {learning_rate:g} is too large."
            )
        step(epoch + 1, n_epochs, total / batches)
    network.eval()


def predict(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The class with the largest logit [N] of each image, network in evaluation mode."""
    network.eval()
    with torch.no_grad():
        parts = [
            network(_layout(normalise(pixels(images[i : i + _EVALUATED_AT_ONCE])))).argmax(1)
            for i in range(0, len(images), _EVALUATED_AT_ONCE)
        ]
    return torch.cat(parts).numpy() if parts else np.empty(0, np.int64)


def _batches(images: ImageSet, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(images.labels), generator=generator).numpy()
    for i in range(len(order) // size):
        chosen = order[i * size : (i + 1) * size]
        x = F.pad(normalise(pixels(images.images[chosen])), (_SHIFT,) * 4, mode="reflect")
        dy, dx = torch.randint(0, 2 * _SHIFT + 1, (2,), generator=generator).tolist()
        height, width = images.images.shape[2:]
        yield _layout(x[:, :, dy : dy + height, dx : dx + width]), torch.from_numpy(images.labels[chosen])


def _layout(x: Tensor) -> Tensor:
    # Channels last is 1.5 times faster for these narrow convolutions on a CPU.
    return x.contiguous(memory_format=torch.channels_last)
