"""Methods that blank parts of the image and watch the score: LIME and Occlusion."""

import math

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnLinearRegression
from captum.attr import Lime
from captum.attr import Occlusion as SlidingOcclusion
from skimage.segmentation import slic

from .query import Answer, Query


def segments(x: torch.Tensor, *, n: int, how: str) -> torch.Tensor:
    """Superpixel number of each pixel [1, 1, H, W] (int64, 0..k-1), about `n` of them, without randomness.

    `slic` (Achanta et al., 2012) follows edges: it sees the image stretched to [0, 1], because the
    normalisation is not known here. `grid` is a regular grid of near-squares.
    """
    height, width = x.shape[2:]
    if how == "grid":
        rows = max(1, round(math.sqrt(n * height / width)))
        columns = max(1, round(n / rows))
        row = torch.arange(height, device=x.device) * min(rows, height) // height
        column = torch.arange(width, device=x.device) * min(columns, width) // width
        return (row[:, None] * min(columns, width) + column)[None, None]
    pixels = x[0].permute(1, 2, 0).double().cpu().numpy()
    low, high = pixels.min(), pixels.max()
    pixels = (pixels - low) / (high - low) if high > low else np.zeros_like(pixels)
    labels = slic(pixels, n_segments=n, compactness=20, sigma=1, channel_axis=-1, start_label=0)
    # slic may leave numbers out; Captum counts features as the largest number plus one.
    _, dense = np.unique(labels, return_inverse=True)
    return torch.from_numpy(dense.reshape(labels.shape)).to(x.device)[None, None]


def lime(query: Query) -> Answer:
    """Weights of a linear model of the score over superpixels kept or blanked (Ribeiro et al., 2016).

    Captum's LIME with its cosine kernel and ordinary least squares: its default Lasso is several times
    slower and needs a penalty that depends on the score's scale.
    """
    settings = query.settings
    mask = segments(query.x, n=settings.lime_segments, how=settings.lime_segmentation)
    with query.borrowed_randomness():
        values = Lime(query.network, interpretable_model=SkLearnLinearRegression()).attribute(
            query.x,
            baselines=query.blank,
            target=query.target,
            feature_mask=mask,
            n_samples=settings.lime_samples,
            perturbations_per_eval=query.batch,
        )
    return Answer(values)


def occlusion(query: Query) -> Answer:
    """Mean drop of the score over the blank squares that cover a pixel (Zeiler & Fergus, 2014)."""
    _, channels, height, width = query.x.shape
    side = min(height, width)
    window = max(1, round(side * query.settings.occlusion_window))
    stride = min(window, max(1, round(side * query.settings.occlusion_stride)))
    values = SlidingOcclusion(query.network).attribute(
        query.x,
        sliding_window_shapes=(channels, window, window),
        strides=(channels, stride, stride),
        baselines=query.blank,
        target=query.target,
        perturbations_per_eval=query.batch,
    )
    return Answer(values)
