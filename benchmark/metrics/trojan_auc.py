"""Trojan AUC: how well a saliency map ranks the pixels of the planted patch above all others (section 4.1)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


def trojan_auc(heatmap: ArrayLike, mask: ArrayLike) -> float:
    """Area under the ROC curve [0 to 1] of a map [H, W] against the patch mask [H, W] bool; NaN for a constant mask.

    The rank form (Mann-Whitney U over the number of pairs): a tied pair of a patch pixel and another counts half, so a
    constant map scores exactly 0.5. The scale of the map does not matter, only its order.

    Raises:
        ValueError: the shapes differ, or the map is not finite.
    """
    values, inside = np.asarray(heatmap, dtype=np.float64).ravel(), np.asarray(mask, dtype=bool).ravel()
    if np.shape(heatmap) != np.shape(mask):
        raise ValueError(f"The map is {np.shape(heatmap)}, the mask {np.shape(mask)}; they must have one shape.")
    if not np.isfinite(values).all():
        raise ValueError(f"The map has {int((~np.isfinite(values)).sum())} values that are not finite.")
    positives = int(inside.sum())
    pairs = positives * (inside.size - positives)
    if not pairs:
        return float("nan")
    ranks = rankdata(values)
    return float((ranks[inside].sum() - positives * (positives + 1) / 2) / pairs)
