"""What a table is made of: its rows, and its arms, each of which fills a column."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One row: a saliency method, or (where a table measures networks) a network.

    `name` is spelt as in the published table, `method` as in `spade.saliency.METHODS`, or as the package that adds it
    calls it (empty: no method). A row with `not_run` is a row of the paper that no scale here can fill, with the
    reason. `ratios_of` names the method at whose searched ratios the row is pruned; its own where it is empty.
    """

    name: str
    method: str = ""
    not_run: str = ""
    ratios_of: str = ""


@dataclass(frozen=True)
class Dense:
    """The network as trained. `metric` is the table's where it is empty, here and in the arms below."""

    column: str
    metric: str = ""


@dataclass(frozen=True)
class Derived:
    """Another network made from the dense one, as `NETWORKS` names it: the same for every image."""

    column: str
    network: str
    metric: str = ""


@dataclass(frozen=True)
class Pruned:
    """The network pruned for one image, at the ratios that `RATIO_SOURCES` names.

    Attributes:
        solver: a pruner, as `spade.pruners` names them.
        image: which images it is pruned for, as `SELECTIONS` names them.
        augmentation: kinds of augmentation ("J+RC", see `augmentation_kinds`); the scale's own where it is empty.
        sequential: whether a layer is pruned to the inputs it has behind the layers already pruned.
    """

    column: str
    solver: str
    ratios: str
    image: str = "own"
    augmentation: str = ""
    sequential: bool = False
    metric: str = ""


@dataclass(frozen=True)
class OneGroup:
    """The network with one group of layers pruned to `sparsity` and every other layer dense (Table A20)."""

    column: str
    solver: str
    group: str
    sparsity: float
    image: str = "own"
    metric: str = ""


@dataclass(frozen=True)
class Measured:
    """A quantity of the prepared network itself, not of a sample (Table A16)."""

    column: str
    quantity: Literal["clean_accuracy", "trojan_accuracy"]


@dataclass(frozen=True)
class NotRun:
    """A printed column that nothing here computes, with its reason."""

    column: str
    reason: str


Mapped = Dense | Derived | Pruned | OneGroup
"""Arms whose cells are scores of saliency maps."""

Arm = Mapped | Measured | NotRun

ARM_KINDS: dict[str, type[Arm]] = {
    "dense": Dense,
    "derived": Derived,
    "pruned": Pruned,
    "one group": OneGroup,
    "measured": Measured,
    "not run": NotRun,
}

EVERY_PRUNER = "every pruner"
"""The kind of arm that stands for one pruned arm a pruner, installed packages' included."""
