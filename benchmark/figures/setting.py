"""What a figure is measured on: one prepared network, its samples, and where searches are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..models.laboratory import Laboratory, Sample
from ..scale import Scale

Told = Callable[[str, int, int], None]
"""Called with (what is being measured, samples done, samples in all)."""


@dataclass(frozen=True)
class Setting:
    """A scale's network of one seed; `samples` are the test samples looked at, `cache` is the store's cache folder."""

    scale: Scale
    seed: int
    laboratory: Laboratory
    samples: tuple[Sample, ...]
    cache: Path

    @property
    def conditions(self) -> dict[str, str | int | float]:
        """What every figure that looks at samples says of itself."""
        return {
            "scale": self.scale.name,
            "seed": self.seed,
            "samples": len(self.samples),
            "augmentations": "drawn for the figures: a value differs from a table's as one draw from another",
        }
