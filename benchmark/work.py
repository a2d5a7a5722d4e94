"""How much of the dear work some units take: Hessians, factorisations, traces and maps, at least and as jobs go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from spade.pruners import SOLVERS

from .plan import Job, Unit


@dataclass(frozen=True)
class Work:
    """How many of each were made, or must be made at least.

    Attributes:
        hessians: sets of Hessians, one a set of images and kind of augmentation, whatever the solvers and ratios;
            sequential pruning needs one for each of its networks.
        factorisations: how often such a set was factorised; once, whatever the solvers and ratios, unless the protocol
            damps for each solver in its own way.
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

    def __sub__(self, other: "Work") -> "Work":
        """What came on top of the other."""
        return Work(
            self.hessians - other.hessians,
            self.factorisations - other.factorisations,
            self.traces - other.traces,
            self.maps - other.maps,
        )

    def __str__(self) -> str:
        """In words."""
        return (
            f"{self.hessians} Hessians, {self.factorisations} factorisations, {self.traces} traces and {self.maps} maps"
        )


def least(units: Iterable[Unit], protocol: Mapping[str, Any]) -> Work:
    """The least work that these units take under a subject's protocol: what they share is made once."""
    maps = [unit for unit in units if unit.kind == "map" and not unit.impossible]
    pruned = [unit for unit in maps if unit.solver]
    alike = _damped_alike(protocol)
    # A pruner of another package gets the Hessians as they are.
    factored = [unit for unit in pruned if unit.solver in SOLVERS or unit.sequential]
    return Work(
        hessians=len({unit.hessians for unit in pruned}),
        factorisations=len({("" if alike else unit.solver, unit.hessians) for unit in factored}),
        traces=len({unit.trace for unit in pruned}),
        maps=len({unit.map for unit in maps}),
    )


def ahead(jobs: Iterable[Job], protocol: Mapping[str, Any]) -> Work:
    """The work that carrying these jobs out takes: jobs share nothing, and in one only the last trace and map stay.

    Nothing is made for units whose maps are stored.
    """
    work = Work()
    for job in jobs:
        maps = [unit for unit in job.fresh if unit.kind == "map" and not unit.impossible]
        once = least(maps, protocol)
        traces = sum(1 for _ in groupby(unit.trace for unit in maps if unit.solver))
        work += Work(once.hessians, once.factorisations, traces, sum(1 for _ in groupby(unit.map for unit in maps)))
    return work


def _damped_alike(protocol: Mapping[str, Any]) -> bool:
    """Whether one factorisation of a Hessian serves both solvers."""
    rules = protocol.get("pruning", {})
    return bool(rules.get("damping") == rules.get("obc_damping") and rules.get("obc_block") != "kernel")
