"""What every table relies on in a metric, tried on maps whose worth is known.

The image is a bright patch on noise, and the network's confidence is how much of the patch it sees: so the patch itself
is the best map there is, all but the patch the worst, and random maps lie between, whether a metric looks at the mask
or at the network.
"""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .finding import Finding, Question, answered
from .global_randomness import of_numpy
from .metrics.evidence import Evidence, Images
from .metrics.metric import Metric

SIDE = 20
RANDOM_MAPS = 20


def findings(metric: Metric) -> Iterator[Finding]:
    """One finding a question; a question whose answer raises does not hold, and the next is asked."""
    evidence = patch_evidence()
    settings = _settings(metric)
    draw = np.random.default_rng(0)
    oracle = evidence.mask + 1e-3 * draw.random((SIDE, SIDE))  # no two pixels equal
    random = [draw.random((SIDE, SIDE)) for _ in range(RANDOM_MAPS)]

    def score(heatmap: NDArray[np.float64]) -> float:
        return metric.score(heatmap.astype(np.float32), evidence, **settings)

    def between() -> tuple[bool, str]:
        # Nothing below zero, as in every map here: channels are lost by absolute values.
        best, worst, noise = score(oracle), score(oracle.max() - oracle), fmean(map(score, random))
        # A metric need not tell a random map from the worst (the pointing game hardly does), but the best from both.
        told = best > noise >= worst if metric.direction == "higher" else best < noise <= worst
        said = f"patch {best:.4g}, random {noise:.4g}, all but the patch {worst:.4g}; {metric.direction} is better"
        return told, said

    def repeated() -> tuple[bool, str]:
        first, second = score(random[0]), score(random[0])
        return first == second, f"{first!r} and {second!r}"

    def number() -> tuple[bool, str]:
        found = metric.score(random[0].astype(np.float32), evidence, **settings)
        return isinstance(found, float) and bool(np.isfinite(found)), f"{found!r}, a {type(found).__name__}"

    def kept() -> tuple[bool, str]:
        mine = random[0].astype(np.float32)
        before = mine.copy(), evidence.image.copy(), evidence.mask.copy()
        metric.score(mine, evidence, **settings)
        same = all(np.array_equal(*pair) for pair in zip(before, (mine, evidence.image, evidence.mask), strict=True))
        return same, "they are as they were" if same else "it wrote into what it was given"

    def without_global_randomness() -> tuple[bool, str]:
        apart = of_numpy(lambda: score(random[0]))
        return apart, f"scoring {'leaves' if apart else 'moves on'} numpy's global generator"

    questions: Mapping[str, Question] = {
        "a finite number for a map": number,
        "the patch itself scores better than random maps, all but it no better": between,
        "the same map scores the same": repeated,
        "no randomness of its own": without_global_randomness,
        "map, image and mask are not changed": kept,
    }
    for asked, question in questions.items():
        yield answered(asked, question)


def patch_evidence() -> Evidence:
    """An image [3, SIDE, SIDE] with a patch, and a confidence that rises with how much of the patch is there."""
    draw = np.random.default_rng(7)
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[4:10, 8:14] = True
    image = (0.1 * draw.standard_normal((3, SIDE, SIDE)) + 2.0 * mask).astype(np.float32)

    def probability(images: Images) -> NDArray[np.float64]:
        seen = images[:, :, mask].astype(np.float64).mean(axis=(1, 2))
        return np.asarray(1 / (1 + np.exp(-4 * (seen - 1))), dtype=np.float64)

    return Evidence(image, mask, probability)


def _settings(metric: Metric) -> dict[str, Any]:
    """The first choice of each setting; whole numbers at 16, or the least allowed where that is more."""
    return {
        name: allowed[0] if isinstance(allowed, tuple) else max(allowed, 16)
        for name, allowed in metric.settings.items()
    }
