"""The metrics a table may ask for, a literal table: what scores a saliency map, on which samples, which way is up."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spade import plugins

from .evidence import Evidence
from .insertion import deletion, insertion

Map = NDArray[np.float32]
Kind = Literal["trojan", "clean"]
"""trojan: test images with a patch that flips the prediction. clean: test images that the network gets right."""


@dataclass(frozen=True)
class Metric:
    """One way to score a map.

    Attributes:
        title: in words.
        score: called with a map [H, W], the evidence and the settings; raises ValueError where there is no score.
        direction: whether a better map has a higher score.
        samples: the kind of samples it means something on.
        settings: by name, what a table may choose: the values allowed, or the least whole number.
        ends: the lowest and the highest score there can be.
    """

    title: str
    score: Callable[..., float]
    direction: Literal["higher", "lower"]
    samples: Kind
    settings: Mapping[str, tuple[str, ...] | int] = field(default_factory=lambda: MappingProxyType({}))
    ends: tuple[float, float] = (-math.inf, math.inf)


def _trojan_auc(heatmap: Map, evidence: Evidence, **_: Any) -> float:  # noqa: ANN401 - it has no settings
    from .trojan_auc import trojan_auc  # noqa: PLC0415 - scipy.stats takes a second, and definitions are read at once

    value = trojan_auc(heatmap, evidence.mask)
    if np.isnan(value):
        raise ValueError("the patch mask covers nothing or everything, so no ranking can be right or wrong")
    return value


_AREA: Mapping[str, tuple[str, ...] | int] = MappingProxyType({"steps": 2, "baseline": ("blank", "image mean")})

METRICS: dict[str, Metric] = {
    "trojan_auc": Metric("Trojan AUC", _trojan_auc, "higher", "trojan", ends=(0.0, 1.0)),
    # Shares of the whole image's softmax, which a part of the image may exceed.
    "insertion": Metric("insertion", insertion, "higher", "clean", _AREA, ends=(0.0, math.inf)),
    "deletion": Metric("deletion", deletion, "lower", "clean", _AREA, ends=(0.0, math.inf)),
}

MEASURED = "accuracy"
"""What a table of measured networks holds: no map is scored for it."""


def available() -> tuple[str, ...]:
    """Names of every metric: those above, then those that other installed packages add."""
    return (*METRICS, *plugins.offered("metric", METRICS))


def find(name: str) -> Metric:
    """The metric of that name.

    Raises:
        InputError: there is none (answered with the nearest), or the package that adds it is broken.
    """
    return plugins.part("metric", name, METRICS, Metric)
