"""Figures like J.8 to J.10: maps of four methods, dense beside SPADE, on the first samples."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .exhibit import Exhibit, Row
from .gradient_noise import tuned
from .setting import Setting, Told
from .sparse_copy import SparseCopy

if TYPE_CHECKING:
    from numpy.typing import NDArray

ID = "J.10"
METHODS = ("Saliency", "InputXGradient", "LRP", "Occlusion")
ARMS = ("Dense", "SPADE")
SHOWN = 4
# One bright pixel would leave the rest of a map black.
_BRIGHTEST = 0.99


def compute(setting: Setting, told: Told) -> Exhibit:
    """Each map's AUC; the images [H, W, 3] in [0, 1] and maps [H, W] are the exhibit's arrays."""
    rows: list[Row] = []
    arrays: dict[str, NDArray[np.float32]] = {}
    shown = setting.samples[:SHOWN]
    ratios = {method: tuned(setting.scale, "spade", method) for method in METHODS}
    groups = tuple({group for chosen in ratios.values() for group in chosen})
    for done, sample in enumerate(shown):
        told(f"Figure {ID}", done, len(shown))
        copy = SparseCopy(setting.laboratory, sample, setting.scale, solver="obc", groups=groups)
        arrays[sample.id] = sample.image.permute(1, 2, 0).numpy()
        for method in METHODS:
            for arm in ARMS:
                copy.prune(ratios[method] if arm == "SPADE" else {})
                arrays[f"{sample.id} {method} {arm}"] = copy.heatmap(method).numpy()
                rows.append({"sample": sample.id, "method": method, "arm": arm, "auc": copy.auc(method)})
    told(f"Figure {ID}", len(shown), len(shown))
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    better = sum(float(sparse["auc"]) > float(dense["auc"]) for dense, sparse in pairs)
    return Exhibit(
        ID,
        "Saliency maps of four methods, dense and SPADE",
        "“Saliency maps of four different interpretability methods for SPADE and Dense method” (caption of J.10)",
        (f"SPADE has the higher Trojan AUC on {better} of the {len(pairs)} maps shown, of the first samples.",),
        tuple(rows),
        {**setting.conditions, "samples": len(shown)},
        arrays,
    )


def draw(exhibit: Exhibit) -> Figure:
    """A row a sample: the image, then dense and SPADE for every method with their AUC."""
    samples = list(dict.fromkeys(str(row["sample"]) for row in exhibit.rows))
    columns = 1 + len(ARMS) * len(METHODS)
    figure = Figure(figsize=(1.35 * columns, 1.7 * len(samples)), layout="constrained")
    for panels, sample in zip(figure.subplots(len(samples), columns, squeeze=False), samples, strict=True):
        mine = [row for row in exhibit.rows if row["sample"] == sample]
        panels[0].imshow(exhibit.arrays[sample])
        for panel, row in zip(panels[1:], mine, strict=True):
            heatmap = exhibit.arrays[f"{sample} {row['method']} {row['arm']}"]
            panel.imshow(heatmap, cmap="inferno", vmin=0, vmax=float(np.quantile(heatmap, _BRIGHTEST)) or 1.0)
            panel.set_title(f"{row['method']}\n{row['arm']} {float(row['auc']):.1f}", fontsize=7)
        for panel in panels:
            panel.set_axis_off()
    return figure
