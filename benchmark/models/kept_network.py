"""A network kept in a file beside the one it was made from, and read back only if it is whole."""

import copy
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from spade.errors import EnvironmentProblem


def digest(model: nn.Module) -> str:
    """sha256 of a network's parameters and buffers, to the bit."""
    found = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        found.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def read(path: Path, like: nn.Module) -> nn.Module | None:
    """The network in a file, a copy of `like` with its weights; None where it is absent or damaged."""
    try:
        check, _, blob = path.read_bytes().partition(b"\n")
        if hashlib.sha256(blob).hexdigest().encode() != check:
            return None
        network = copy.deepcopy(like)
        network.load_state_dict(load_tensors(blob))
    except (OSError, SafetensorError, RuntimeError):  # RuntimeError: another network's tensors
        return None
    return network


def write(path: Path, model: nn.Module) -> None:
    """Keep a network, in one step, its sha256 in front.

    Raises:
        EnvironmentProblem: the disk is full or the folder cannot be written.
    """
    blob = save_tensors({name: value.contiguous() for name, value in model.state_dict().items()})
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(hashlib.sha256(blob).hexdigest().encode() + b"\n" + blob)
        partial.replace(path)
    except OSError as problem:
        raise EnvironmentProblem(
            f"A network cannot be kept in {path.parent}: {problem.strerror}. "
            "Free some space or choose another folder with --store."
        ) from problem
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """While it lasts, torch computes on one thread, so that sums are added in one order on any machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
