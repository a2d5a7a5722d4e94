"""Figure H.6: Trojan AUC against the sparsity of the last block alone."""

from statistics import fmean

from matplotlib.figure import Figure

from spade.saliency import METHODS

from .exhibit import DENSE, SPADE, Exhibit, Row
from .setting import Setting, Told
from .sparse_copy import SparseCopy

ID = "H.6"
RATIOS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99, 0.995)
BLOCK = "layer4"
_ROBUST = (0.8, 0.995)  # the paper's range


def compute(setting: Setting, told: Told) -> Exhibit:
    """Mean AUC by method and ratio, each sample pruned by exact OBC with its own augmentations."""
    samples = setting.samples
    scores: dict[tuple[str, float], list[float]] = {(m, r): [] for m in METHODS for r in RATIOS}
    kept: dict[float, list[bool]] = {r: [] for r in RATIOS}
    for done, sample in enumerate(samples):
        told(f"Figure {ID}", done, len(samples))
        copy = SparseCopy(setting.laboratory, sample, setting.scale, solver="obc", groups=(BLOCK,))
        for ratio in RATIOS:
            copy.prune({BLOCK: ratio})
            kept[ratio].append(copy.says_target())
            for method in METHODS:
                scores[method, ratio].append(copy.auc(method))
    told(f"Figure {ID}", len(samples), len(samples))
    rows: list[Row] = [
        {"method": method, "ratio": ratio, "auc": fmean(values), "n": len(values), "kept": fmean(kept[ratio])}
        for (method, ratio), values in scores.items()
    ]
    return Exhibit(
        ID,
        "The last block alone, from dense to 99.5 % sparse",
        "“the sparsity ratio is fairly robust, with ratios between 0.8 to 0.995 giving good results for SPADE” "
        "(appendix H)",
        _findings(scores),
        tuple(rows),
        {**setting.conditions, "solver": "exact OBC"},
    )


def _findings(scores: dict[tuple[str, float], list[float]]) -> tuple[str, ...]:
    mean = {ratio: fmean(fmean(scores[method, ratio]) for method in METHODS) for ratio in RATIOS}
    best = max(RATIOS, key=lambda ratio: mean[ratio])
    robust = [ratio for ratio in RATIOS if _ROBUST[0] <= ratio <= _ROBUST[1]]
    worst = min(robust, key=lambda ratio: mean[ratio])
    above = sum(mean[ratio] > mean[0.0] for ratio in robust)
    return (
        (
            f"Over {len(METHODS)} methods the mean AUC is {mean[0.0]:.2f} dense and highest at a ratio of {best:g} "
            f"({mean[best]:.2f})."
        ),
        (
            f"Of the ratios from {robust[0]:g} to {robust[-1]:g}, {above} of {len(robust)} are above dense; "
            f"the lowest is {worst:g} with {mean[worst] - mean[0.0]:+.2f}."
        ),
    )


def draw(exhibit: Exhibit) -> Figure:
    """A small panel for every method: gain over the dense network against ratio, all panels on one scale."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    grid = figure.subplots(2, 5, sharex=True, sharey=True)
    places = {ratio: i for i, ratio in enumerate(RATIOS)}
    for panel, method in zip(grid.flat, METHODS, strict=True):
        mine = [row for row in exhibit.rows if row["method"] == method]
        dense = float(mine[0]["auc"])
        gains = [float(row["auc"]) - dense for row in mine]
        panel.axhline(0, color=DENSE, linewidth=1)
        panel.plot([places[float(row["ratio"])] for row in mine], gains, color=SPADE, marker="o", markersize=3)
        panel.set_title(f"{method} (dense {dense:.1f})", fontsize=9)
        panel.set_xticks(range(len(RATIOS)), [f"{ratio:g}" for ratio in RATIOS], rotation=60, fontsize=7)
        panel.tick_params(axis="y", labelsize=7)
    figure.supxlabel("sparsity of the last block (steps of the grid)", fontsize=9)
    figure.supylabel("Trojan AUC minus dense [points]", fontsize=9)
    return figure
