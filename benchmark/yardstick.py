"""How fast this machine is: one fixed piece of the benchmark's kind of work, timed on one thread."""

import time

import torch

from .models.network import SmallResNet
from .models.shape import Shape

_ROUNDS = 4
_IMAGES = 48


def seconds() -> float:
    """What a training step of a small network and one factorisation of a Hessian take here, the least of a few rounds.

    Processor seconds, so that whatever else runs at the moment hardly counts; nothing but their ratio to those of
    another machine means anything. Takes about two seconds, and leaves torch's threads and random numbers as they were.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = SmallResNet(Shape(), 8)
            images = torch.rand(_IMAGES, 3, 64, 64)
            inputs = torch.randn(1152, 1152, dtype=torch.float64)
        hessian = inputs @ inputs.mT + 1152 * torch.eye(1152, dtype=torch.float64)
        return min(_round(network, images, hessian) for _ in range(_ROUNDS))
    finally:
        torch.set_num_threads(threads)


def _round(network: SmallResNet, images: torch.Tensor, hessian: torch.Tensor) -> float:
    start = time.process_time()
    network.zero_grad()
    network(images).square().mean().backward()
    torch.linalg.cholesky(hessian)
    return time.process_time() - start
