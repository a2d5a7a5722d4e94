"""Figures like J.8 to J.10: maps of four methods, dense beside pruned, on the first samples.

J.10 shows samples with a patch under SPADE, each map with its Trojan AUC; J.8 is the same on Food-101, which is not
embedded. J.9 shows clean samples under FastSPADE, each map with its insertion score as Table 3 takes it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from .. import definition
from ..material import clean_samples
from ..metrics.evidence import Evidence, Images
from ..metrics.insertion import insertion
from ..metrics.trojan_auc import trojan_auc
from ..models.laboratory import Sample
from .exhibit import Exhibit, Row
from .gradient_noise import tuned
from .setting import Setting, Told
from .sparse_copy import SparseCopy

METHODS = ("Saliency", "InputXGradient", "LRP", "Occlusion")
SHOWN = 4
# One bright pixel would leave the rest of a map black.
_BRIGHTEST = 0.99

Score = Callable[[Sample, Tensor], float]
"""What a map [H, W] of a sample is worth [per cent]."""


def patched(setting: Setting, told: Told) -> Exhibit:
    """J.10: each map's Trojan AUC; the images [H, W, 3] in [0, 1] and maps [H, W] are the exhibit's arrays."""
    rows, arrays = _maps(
        "J.10", setting, setting.samples[:SHOWN], ("spade", "obc", "SPADE"), ("auc", _trojan_auc), told
    )
    return Exhibit(
        "J.10",
        "Saliency maps of four methods, dense and SPADE",
        "“Saliency maps of four different interpretability methods for SPADE and Dense method” (caption of J.10)",
        (f"SPADE has the higher Trojan AUC on {_better(rows, 'auc')} maps shown, of the first samples.",),
        rows,
        {**setting.conditions, "samples": len(arrays) // _PICTURES},
        arrays,
    )


def clean(setting: Setting, told: Told) -> Exhibit:
    """J.9: the first clean samples of Table 3, each map with its insertion score; arrays as in J.10."""
    chosen, dense = definition.load("3").metric_settings, setting.laboratory.model
    # As many as Table 3 draws, since the number decides which images are drawn.
    drawn = clean_samples(setting.scale, setting.seed, dense, setting.scale.samples.test, "clean")

    def score(sample: Sample, heatmap: Tensor) -> float:
        def probability(images: Images) -> NDArray[np.float64]:
            with torch.no_grad():
                logits: Tensor = dense(torch.from_numpy(images))
            return logits.double().softmax(dim=1)[:, sample.target].numpy()

        image = setting.laboratory.normalise(sample.image[None])[0].numpy()
        return 100 * insertion(heatmap.numpy(), Evidence(image, sample.mask.numpy(), probability), **chosen)

    shown = drawn[: min(SHOWN, len(setting.samples))]
    rows, arrays = _maps("J.9", setting, shown, ("fastspade", "sparsegpt", "FastSPADE"), ("insertion", score), told)
    return Exhibit(
        "J.9",
        "Saliency maps of four methods on clean images, dense and FastSPADE",
        "“ResNet50 Saliency maps of four different interpretability methods for Fast SPADE and Dense method on four "
        "normal ImageNet samples” (caption of J.9)",
        (
            (
                f"FastSPADE has the higher insertion score on {_better(rows, 'insertion')} maps shown, of the first "
                "clean samples; the dense network judges both."
            ),
        ),
        rows,
        {**setting.conditions, "samples": len(arrays) // _PICTURES, **{f"insertion {k}": v for k, v in chosen.items()}},
        arrays,
    )


_PICTURES = 1 + 2 * len(METHODS)  # of a sample: itself, and two maps a method


def _trojan_auc(sample: Sample, heatmap: Tensor) -> float:
    return 100 * trojan_auc(heatmap, sample.mask)


def _maps(  # noqa: PLR0917 - what a grid is made of
    name: str,
    setting: Setting,
    samples: Sequence[Sample],
    pruned: tuple[str, str, str],
    scored: tuple[str, Score],
    told: Told,
) -> tuple[tuple[Row, ...], dict[str, NDArray[np.float32]]]:
    """Rows and arrays; `pruned` is the ratios' name, the solver and the arm, `scored` a column and its score."""
    (chosen, solver, title), (column, score) = pruned, scored
    ratios = {method: tuned(setting.scale, chosen, method) for method in METHODS}
    groups = tuple({group for of_method in ratios.values() for group in of_method})
    rows: list[Row] = []
    arrays: dict[str, NDArray[np.float32]] = {}
    for done, sample in enumerate(samples):
        told(f"Figure {name}", done, len(samples))
        copy = SparseCopy(setting.laboratory, sample, setting.scale, solver=solver, groups=groups)
        arrays[sample.id] = sample.image.permute(1, 2, 0).numpy()
        for method in METHODS:
            for arm in ("Dense", title):
                copy.prune({} if arm == "Dense" else ratios[method])
                heatmap = copy.heatmap(method)
                arrays[f"{sample.id} {method} {arm}"] = heatmap.numpy()
                rows.append({"sample": sample.id, "method": method, "arm": arm, column: score(sample, heatmap)})
    told(f"Figure {name}", len(samples), len(samples))
    return tuple(rows), arrays


def _better(rows: Sequence[Row], column: str) -> str:
    """On how many pairs of maps the pruned one has the higher score, "k of the n"."""
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    return f"{sum(float(sparse[column]) > float(dense[column]) for dense, sparse in pairs)} of the {len(pairs)}"


def draw(exhibit: Exhibit) -> Figure:
    """A row a sample: the image, then dense and pruned for every method with their scores."""
    samples = list(dict.fromkeys(str(row["sample"]) for row in exhibit.rows))
    score = next(name for name in exhibit.rows[0] if name not in {"sample", "method", "arm"})
    figure = Figure(figsize=(1.35 * _PICTURES, 1.7 * len(samples)), layout="constrained")
    for panels, sample in zip(figure.subplots(len(samples), _PICTURES, squeeze=False), samples, strict=True):
        mine = [row for row in exhibit.rows if row["sample"] == sample]
        panels[0].imshow(exhibit.arrays[sample])
        for panel, row in zip(panels[1:], mine, strict=True):
            heatmap = exhibit.arrays[f"{sample} {row['method']} {row['arm']}"]
            panel.imshow(heatmap, cmap="inferno", vmin=0, vmax=float(np.quantile(heatmap, _BRIGHTEST)) or 1.0)
            panel.set_title(f"{row['method']}\n{row['arm']} {float(row[score]):.1f}", fontsize=7)
        for panel in panels:
            panel.set_axis_off()
    return figure
