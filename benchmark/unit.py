"""The smallest thing that is computed, stored and resumed, and the subject that it is about.

Nothing here imports torch: a unit is made of names, hashes and sample ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .records import SampleNote
from .selection import ImageSet

NETWORK_JOB = "the network"

Ratios = Mapping[str, float]
"""Sparsity by group of layers (a prefix of layer names)."""


@dataclass(frozen=True)
class Subject:
    """What is explained and under which rules: everything in a unit's key that is the same for the whole run.

    Attributes:
        recipe_sha256: identity of the recipe the network is trained by.
        weights_sha256: identity of the trained network and its samples, to the bit: a recipe carried out with another
            number of threads may give other last bits, and then other units.
        protocol: every knob of pruning and scoring, as JSON data.
        numerics: what decides the arithmetic (device, dtype, threads, library releases).
        ratios: by name, either one `Ratios` for all methods or `Ratios` by method.
        samples: test images with a patch.
        patches: names of the Trojan patches, in order.
        clean: test images without one.
        like: for a scale that another package adds, ours whose tables it runs.
    """

    scale: str
    seed: int
    recipe_sha256: str
    weights_sha256: str
    protocol: Mapping[str, Any]
    numerics: Mapping[str, Any]
    n_augmentations: int
    ratios: Mapping[str, Mapping[str, Any]]
    samples: tuple[SampleNote, ...]
    patches: tuple[str, ...]
    clean: tuple[SampleNote, ...] = ()
    like: str = ""

    @property
    def all_samples(self) -> tuple[SampleNote, ...]:
        """Everything that some table explains."""
        return self.samples + self.clean


@dataclass(frozen=True)
class Unit:
    """The smallest thing that is computed, stored and resumed: one value of one sample, arm and method.

    Attributes:
        key: sha256 over everything the value depends on; equal in every table that asks for it.
        kind: "map" (a saliency map, scored), "control" (a map no network made, scored), "measurement".
        sample: the explained sample ("" or a patch for a measurement).
        arm: table-free name for people; the key holds the facts (solver, images, ratios).
        network: a name that `networks` knows, "" for the dense one.
        solver: "" where nothing is pruned.
        images: what the pruning sees; None where nothing is pruned.
        augmentation: kinds of augmentation, "" for the scale's own.
        sequential: whether layers are pruned one behind the other.
        rule: what `ratios` mean: by group of layers, or "linear" over all layers.
        settings: the metric's.
        noise: sha256 that seeds the method's randomness; the same for every arm, so that differences between arms
            are not differences in the random numbers.
        impossible: why there is nothing to compute; recorded as "skipped".
    """

    kind: Literal["map", "control", "measurement"]
    sample: str
    arm: str
    method: str
    network: str = ""
    solver: str = ""
    images: ImageSet | None = None
    augmentation: str = ""
    sequential: bool = False
    rule: Literal["", "linear"] = ""
    ratios: tuple[tuple[str, float], ...] = ()
    metric: str = "trojan_auc"
    settings: tuple[tuple[str, Any], ...] = ()
    impossible: str = ""
    key: str = ""
    noise: str = ""

    @property
    def image(self) -> str:
        """Name of the images that the pruning sees; "" where nothing is pruned."""
        return "" if self.images is None else self.images.name

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages its value rests on, the one that yields it last."""
        match self.kind:
            case "measurement":
                return ("measure",)
            case "control":
                return ("score",)
            case "map":
                return ("hessian", "trace", "map", "score") if self.solver else ("map", "score")

    @property
    def home(self) -> str:
        """The images whose Hessians this unit needs, so the job that computes it."""
        name = self.image or (self.sample if self.kind != "measurement" else NETWORK_JOB)
        return f"{name}, {self.augmentation}" if self.augmentation else name

    @property
    def hessians(self) -> tuple[object, ...]:
        """What its Hessians depend on: units that agree in it share them. Sequential pruning shares them with none."""
        own = (self.solver, self.rule, self.ratios) if self.sequential else ()
        return (self.image, self.augmentation, *own)

    @property
    def trace(self) -> tuple[object, ...]:
        """What its network depends on: units that agree in it share the network."""
        return (self.network, self.solver, self.hessians, self.sequential, self.rule, self.ratios)

    @property
    def map(self) -> tuple[object, ...]:
        """What its map depends on: units that agree in it differ by the metric only."""
        return (self.trace, self.sample, self.method)
