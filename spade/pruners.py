"""The pruners that a layer may lose its weights by: OBC and SparseGPT, and those that other packages add.

Nothing here imports torch: tables and plans are made from names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from . import plugins
from .errors import InputError, nearest

if TYPE_CHECKING:
    from torch import Tensor

Solver = str
"""The name of a pruner: one of SOLVERS, or one that another package adds."""

SOLVERS: Mapping[str, str] = MappingProxyType({"obc": "exact OBC (SPADE)", "sparsegpt": "SparseGPT (FastSPADE)"})
"""The built-in ones, in words; `layer_solutions` carries them out."""

Prune = Callable[["Tensor", "Tensor", float], "Tensor"]
"""From weights [R, d], the Hessian [d, d] of their inputs and a ratio in (0, 1] to new weights [R, d]."""


@dataclass(frozen=True)
class Pruner:
    """A layer-wise pruner that another package adds.

    Attributes:
        title: in words.
        prune: `prune(weight, hessian, ratio)` gives the layer's weights [R, d] with about `ratio` of them exactly 0,
            in the dtype and on the device of `weight`. `hessian` [d, d] is 2/N times the sum of x x^T over the inputs x
            of the layer in N images (equation 2), not damped: it may be singular, and has a zero row where an input
            never was anything but 0. A convolution comes as its matrix of taps, a grouped one group by group. It draws
            no random numbers that the arguments do not decide, since a unit must come out the same wherever it is
            computed.
    """

    title: str
    prune: Prune


_BUILTIN: Mapping[str, Pruner] = MappingProxyType({})


def available() -> tuple[str, ...]:
    """Names of every pruner: the built-in ones, then those that other installed packages add."""
    return (*SOLVERS, *plugins.offered("pruner", SOLVERS))


def check(name: str) -> None:
    """Refuse a name that no pruner has; nothing is imported.

    Raises:
        InputError: there is none of that name; answered with the nearest.
    """
    if name not in available():
        raise InputError(f"There is no solver '{name}'. {nearest(name, available())}")


def title(name: str) -> str:
    """The pruner in words: its name where another package adds it, since nothing is imported for a title."""
    return SOLVERS.get(name, name)


def find(name: str) -> Pruner:
    """The pruner of that name that another package adds.

    Raises:
        InputError: there is none of that name.
        PluginError: the package that adds it is broken, or it is refused.
    """
    check(name)
    if name in SOLVERS:
        raise InputError(f"'{name}' is built in, and is no pruner of another package.")
    return plugins.part("pruner", name, _BUILTIN, Pruner)
