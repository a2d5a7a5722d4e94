"""Figures H.3 and H.4: the ratios a search found, along the network, on average and method by method."""

from statistics import fmean, pstdev

from matplotlib.figure import Figure

from spade import sparsity
from spade.errors import InputError
from spade.layers import prunable_layers
from spade.saliency import METHODS

from .exhibit import FASTSPADE, SPADE, Exhibit, Row
from .gradient_noise import tuned
from .setting import Setting, Told

ARMS = {"spade": "SPADE", "fastspade": "FastSPADE"}
_COLOURS = {"SPADE": SPADE, "FastSPADE": FASTSPADE}


def average(setting: Setting, told: Told) -> Exhibit:
    """H.3: mean and standard deviation over the methods, by layer."""
    exhibit = by_method(setting, told)
    rows: list[Row] = []
    for arm in ARMS.values():
        for layer in dict.fromkeys(str(row["layer"]) for row in exhibit.rows):
            mine = [row for row in exhibit.rows if row["arm"] == arm and row["layer"] == layer]
            ratios = [float(row["ratio"]) for row in mine]
            rows.append(
                {
                    "arm": arm,
                    "layer": layer,
                    "position": mine[0]["position"],
                    "ratio": fmean(ratios),
                    "sd": pstdev(ratios),
                    "methods": len(mine),
                }
            )
    return Exhibit(
        "H.3",
        "Tuned ratios along the network, averaged over the methods",
        "“for both ResNet50 and MobileNet, later layers are pruned more than earlier layers” (appendix H)",
        tuple(_trend(rows, arm) for arm in ARMS.values()),
        tuple(rows),
        exhibit.conditions,
    )


def by_method(setting: Setting, _told: Told) -> Exhibit:
    """H.4: the ratio of every layer for every method.

    Raises:
        InputError: the scale's ratios were not searched.
    """
    scale = setting.scale
    if not scale.ratios_origin:
        raise InputError(
            f"The ratios of '{scale.name}' were chosen, not searched; figures H.3 and H.4 show searched ones "
            f"(spade-bench tune --scale {scale.name})."
        )
    layers = tuple(prunable_layers(setting.laboratory.model))
    rows: list[Row] = [
        {"arm": title, "method": method, "layer": layer, "position": i / (len(layers) - 1), "ratio": ratio}
        for arm, title in ARMS.items()
        for method in METHODS
        for i, (layer, ratio) in enumerate(_expanded(layers, tuned(scale, arm, method)))
    ]
    return Exhibit(
        "H.4",
        "Tuned ratios along the network, by method",
        "“Tuned sparsities by layer order” (caption of figure H.4)",
        tuple(
            f"{title} prunes most for {max(METHODS, key=lambda m: _total(rows, title, m))} and least for "
            f"{min(METHODS, key=lambda m: _total(rows, title, m))}."
            for title in ARMS.values()
        ),
        tuple(rows),
        {
            "scale": scale.name,
            "networks of the search": len(scale.ratios_origin["seeds"]),
            "calibration samples": scale.ratios_origin["samples"],
        },
    )


def _expanded(layers: tuple[str, ...], groups: dict[str, float]) -> list[tuple[str, float]]:
    ratios = sparsity.by_group(layers, groups)
    return [(layer, ratios.get(layer, 0.0)) for layer in layers]


def _total(rows: list[Row], arm: str, method: str) -> float:
    return sum(float(row["ratio"]) for row in rows if row["arm"] == arm and row["method"] == method)


def _trend(rows: list[Row], arm: str) -> str:
    mine = [row for row in rows if row["arm"] == arm]
    early = fmean(float(row["ratio"]) for row in mine if float(row["position"]) < 0.5)
    late = fmean(float(row["ratio"]) for row in mine if float(row["position"]) >= 0.5)
    return f"{arm}: {early:.2f} on average in the first half of the layers, {late:.2f} in the second."


def draw_average(exhibit: Exhibit) -> Figure:
    """A line an arm with a band of one standard deviation."""
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    for arm, colour in _COLOURS.items():
        mine = [row for row in exhibit.rows if row["arm"] == arm]
        x, y, sd = ([float(row[key]) for row in mine] for key in ("position", "ratio", "sd"))
        axes.plot(x, y, color=colour, label=arm)
        low = [max(a - b, 0) for a, b in zip(y, sd, strict=True)]
        high = [min(a + b, 1) for a, b in zip(y, sd, strict=True)]
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("position in the network (0 input, 1 classifier)")
    axes.set_ylabel("sparsity")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    return figure


def draw_by_method(exhibit: Exhibit) -> Figure:
    """A small panel for every method."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    grid = figure.subplots(2, 5, sharex=True, sharey=True)
    for panel, method in zip(grid.flat, METHODS, strict=True):
        for arm, colour in _COLOURS.items():
            mine = [row for row in exhibit.rows if row["arm"] == arm and row["method"] == method]
            panel.plot(
                [float(row["position"]) for row in mine],
                [float(row["ratio"]) for row in mine],
                color=colour,
                label=arm,
                drawstyle="steps-mid",
            )
        panel.set_title(method, fontsize=9)
        panel.set_ylim(-0.03, 1.03)
    grid.flat[0].legend(frameon=False, fontsize=8)
    figure.supxlabel("position in the network (0 input, 1 classifier)", fontsize=9)
    figure.supylabel("sparsity", fontsize=9)
    return figure
