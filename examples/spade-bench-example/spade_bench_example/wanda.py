"""Wanda (Sun et al., 2024): of each row, the weights with the least |weight| times the size of their input go."""

from torch import Tensor

from spade.pruners import Pruner


def wanda(weight: Tensor, hessian: Tensor, ratio: float) -> Tensor:
    """Weights [R, d] without those of each row whose |W_ij| ||x_j|| is least; the others stay what they were.

    The diagonal of `hessian` holds the squared sizes of the inputs, up to a factor that all of them share.
    """
    score = weight.abs() * hessian.diagonal().clamp(min=0).sqrt().to(weight.dtype)
    gone = round(ratio * weight.shape[1])
    order = score.argsort(dim=1, stable=True)
    return weight.scatter(1, order[:, :gone], 0.0)


WANDA = Pruner("Wanda", wanda)
