"""A layer's Hessian made fit for a solver: checked, symmetric, damped, with its Cholesky factor."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import InputError, nearest
from .factorisation import mixed_factor, upper_factor

DeadInputs = Literal["free", "zeroed", "ordinary"]

# A pivot is the share of an input's variance that the inputs before it leave unexplained. Of the 16 digits of float64
# fewer than 5 would be left below this, so such a matrix counts as singular.
_PIVOT = 1e-11
# Two triangles that a float32 Gram leaves a little apart are averaged; further apart is another matrix.
_ASYMMETRY = 1e-4
# A Gram matrix summed from parts in float32 may leave an entry this little below zero, as a share of the largest ...
_ROUNDING = 1e-5
# ... and one summed in float64 this little above it where the input was zero throughout.
_DEAD = 1e-12
_STRONGEST_DAMPING = 1.0


@dataclass(frozen=True, eq=False)
class Hessian:
    """A positive definite Hessian.

    Attributes:
        matrix: damped H [d, d], float64; a dead input has an arbitrary positive diagonal and zeros beside it.
        factor: upper triangular R with R R^T = `matrix` [d, d], float64 unless asked for otherwise.
        dead: True for an input that was always zero [d], up to the rounding of its Gram matrix.
        fallbacks: what was done to make it positive definite beyond the damping asked for.
    """

    matrix: Tensor
    factor: Tensor
    dead: Tensor
    fallbacks: tuple[str, ...]

    def inverse(self) -> Tensor:
        """H^-1 [d, d], float64."""
        return torch.cholesky_inverse(self.factor.double().flip(0, 1)).flip(0, 1)


def check_layer(weight: Tensor, hessian: Tensor) -> None:
    """Nothing, for weights [R, d] that a solver can work on and that belong to a Hessian [d, d] (or [B, d, d]).

    Raises:
        InputError: shapes or devices that do not belong together, no entries, NaN or infinity among the weights.
    """
    if weight.ndim != 2 or 0 in weight.shape or not weight.is_floating_point():
        raise InputError(
            f"Weights are one non-empty floating-point matrix [rows, inputs]; got {_described(weight)}. "
            "Flatten a convolution to [out, in*kh*kw]."
        )
    d = weight.shape[1]
    if hessian.shape[-2:] != (d, d) or not hessian.is_floating_point():
        raise InputError(f"Weights with {d} inputs need a floating-point Hessian {d} x {d}; got {_described(hessian)}.")
    if hessian.device != weight.device:
        raise InputError(f"Weights are on {weight.device} and their Hessian is on {hessian.device}; move one.")
    if not weight.isfinite().all():
        raise InputError("The weights hold NaN or infinity.")


def check_working_dtype(dtype: torch.dtype) -> None:
    """Nothing, for a dtype a solver can work in.

    Raises:
        InputError: it is neither float32 nor float64.
    """
    if dtype not in {torch.float32, torch.float64}:
        raise InputError(f"The working dtype is torch.float32 or torch.float64; got {dtype}.")


def positive_definite(
    hessian: Tensor,
    *,
    damping: float,
    dead_inputs: DeadInputs = "free",
    absolute_damping_on_failure: float | None = None,
    identity_on_failure: bool = False,
    factor_dtype: torch.dtype = torch.float64,
) -> Hessian:
    """The Hessian [d, d] in float64 with damping * mean(diagonal) added to its diagonal, factored.

    With `factor_dtype` float32 the factor is as good as float32 can hold it, not more, for less time.

    Where that is not positive definite to working precision, either `absolute_damping_on_failure` is added (what the
    published OBC does, with 1), or the identity takes its place (what the published batched SparseGPT does), or else
    the relative damping grows tenfold until it is. Each is told in `fallbacks`.

    Raises:
        InputError: the Hessian is no symmetric matrix of numbers, nothing makes it positive definite, unknown
            `dead_inputs`, or negative damping.
    """
    if dead_inputs not in get_args(DeadInputs):
        raise InputError(
            f"Unknown treatment of dead inputs '{dead_inputs}'. {nearest(dead_inputs, get_args(DeadInputs))}"
        )
    if not 0 <= damping < float("inf"):
        raise InputError(f"Damping is a share of the mean diagonal, 0 or more; got {damping!r}.")
    H = _symmetric(hessian)
    diagonal = H.diagonal().clone()
    dead = diagonal <= _DEAD * diagonal.max()
    if dead.any():
        H[dead] = 0
        H[:, dead] = 0
        diagonal[dead] = 1
    live = diagonal[~dead] if dead_inputs == "free" else diagonal
    mean = float(live.mean()) if live.numel() else 1.0
    for shift, sentence in _shifts(damping, mean, absolute_damping_on_failure):
        H.diagonal().copy_(diagonal + shift)
        factor = _factor(H, factor_dtype)
        if factor is not None:
            return Hessian(H, factor, dead, sentence)
        if identity_on_failure:
            identity = torch.eye(len(H), dtype=H.dtype, device=H.device)
            return Hessian(identity, identity.to(factor_dtype), dead, ("singular Hessian: replaced by the identity",))
    raise InputError("The Hessian is not positive semidefinite; pass X X^T of the layer's inputs.")


def _symmetric(hessian: Tensor) -> Tensor:
    """The mean of a Hessian [d, d] and its transpose, float64, new memory."""
    if hessian.ndim != 2 or hessian.shape[0] != hessian.shape[1] or not hessian.is_floating_point():
        raise InputError(f"A Hessian is one floating-point square matrix [d, d]; got {_described(hessian)}.")
    H = hessian.detach().to(torch.float64, copy=True)
    size = float(H.norm())
    if not math.isfinite(size):
        raise InputError("The Hessian holds NaN or infinity; look at the activations of this layer.")
    if not _exactly_symmetric(H):
        mean = (H + H.mT).mul_(0.5)
        # ||A - A^T||^2 = 4 (||A||^2 - ||(A + A^T) / 2||^2), which needs no third matrix.
        if 4 * (size**2 - float(mean.norm()) ** 2) > (_ASYMMETRY * size) ** 2:
            raise InputError("The Hessian is not symmetric; pass X X^T of the layer's inputs.")
        H = mean
    diagonal = H.diagonal()
    if (diagonal < -_ROUNDING * diagonal.max().clamp_min(0)).any():
        raise InputError("The Hessian has a negative diagonal entry; X X^T never has.")
    return H


def _exactly_symmetric(H: Tensor) -> bool:
    """Whether a matrix equals its transpose bit for bit; by stripes, which are read from a cache the second time."""
    width = 128 if H.is_cpu else len(H)
    return all(
        torch.equal(H[i : i + width, : i + width], H[: i + width, i : i + width].mT) for i in range(0, len(H), width)
    )


def _shifts(damping: float, mean: float, absolute: float | None) -> Iterator[tuple[float, tuple[str, ...]]]:
    yield damping * mean, ()
    if absolute is not None:
        yield damping * mean + absolute, (f"singular Hessian: added {absolute:g} to its diagonal",)
        return
    stronger = max(10 * damping, 1e-8)
    while stronger <= _STRONGEST_DAMPING:
        yield (
            stronger * mean,
            (f"singular Hessian: damping raised from {damping:g} to {stronger:g} of its mean diagonal",),
        )
        stronger *= 10


def _factor(matrix: Tensor, dtype: torch.dtype) -> Tensor | None:
    mixed = mixed_factor(matrix) if dtype == torch.float32 else None
    if mixed is not None:
        return mixed
    factor = upper_factor(matrix)
    # A Cholesky that ran through on rounding noise alone has pivots no larger than that noise.
    if factor is None or (factor.diagonal().square() < _PIVOT * matrix.diagonal()).any():
        return None
    return factor.to(dtype)


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
