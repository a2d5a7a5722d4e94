"""The pointing game (Zhang et al., 2018) on Trojan patches: whether the highest pixel of a map is on the patch."""

import numpy as np

from benchmark.metrics.evidence import Evidence
from benchmark.metrics.metric import Map, Metric


def pointing_game(heatmap: Map, evidence: Evidence, **_: object) -> float:
    """1.0 where the highest pixel is on the patch, else 0.0; of equal pixels the share that is on it."""
    highest = np.asarray(heatmap) == np.max(heatmap)
    return float(evidence.mask[highest].mean())


POINTING = Metric("pointing game", pointing_game, "higher", "trojan")
