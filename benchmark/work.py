"""How much of the dear work some units take at least: Hessians, factorisations, traces and maps, each thing once."""

from collections.abc import Iterable
from dataclasses import dataclass

from .plan import Unit


@dataclass(frozen=True)
class Work:
    """How many of each were made, or must be made at least.

    Attributes:
        hessians: sets of Hessians, one a set of images and kind of augmentation, whatever the solvers and ratios;
            sequential pruning needs one for each of its networks.
        factorisations: sets of factorised Hessians, one a solver, whatever the ratios.
        traces: sparse networks.
        maps: saliency maps, whatever the metrics that score them.
    """

    hessians: int = 0
    factorisations: int = 0
    traces: int = 0
    maps: int = 0

    def __add__(self, other: "Work") -> "Work":
        """Both together."""
        return Work(
            self.hessians + other.hessians,
            self.factorisations + other.factorisations,
            self.traces + other.traces,
            self.maps + other.maps,
        )

    def __str__(self) -> str:
        """In words."""
        return (
            f"{self.hessians} Hessians, {self.factorisations} factorisations, {self.traces} traces and {self.maps} maps"
        )


def least(units: Iterable[Unit]) -> Work:
    """The least work that these units take: what they share is made once."""
    maps = [unit for unit in units if unit.kind == "map" and not unit.impossible]
    pruned = [unit for unit in maps if unit.solver]
    return Work(
        hessians=len({unit.hessians for unit in pruned}),
        factorisations=len({(unit.solver, unit.hessians) for unit in pruned}),
        traces=len({unit.trace for unit in pruned}),
        maps=len({unit.map for unit in maps}),
    )
