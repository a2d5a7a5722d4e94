"""Figure H.5: the AUC along the search for ratios, one group of layers after the other, the last one first."""

import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure

from spade.errors import InputError
from spade.saliency import METHODS

from .exhibit import FASTSPADE, SPADE, Exhibit, Row
from .setting import Setting, Told

ID = "H.5"
ARMS = {"spade": "SPADE", "fastspade": "FastSPADE"}
_COLOURS = {"SPADE": SPADE, "FastSPADE": FASTSPADE}


def compute(setting: Setting, told: Told) -> Exhibit:
    """The best calibration AUC after each group was searched, read from the searches in the store.

    Raises:
        InputError: the store holds no search of this scale.
    """
    folder = setting.cache / "searches" / setting.scale.name
    rows: list[Row] = []
    samples: set[str] = set()
    for arm, title in ARMS.items():
        for done, method in enumerate(METHODS):
            told(f"Figure {ID}", done, len(METHODS))
            path = folder / f"{arm}-{method}.jsonl"
            if not path.is_file():
                raise InputError(
                    f"There is no search for {title} and {method} in {folder}; "
                    f"run `spade-bench tune --scale {setting.scale.name}` with the same --store first."
                )
            groups, best, found = trail(path)
            samples.update(found)
            rows += [
                {"arm": title, "method": method, "step": i, "group": group, "auc": 100 * score}
                for i, (group, score) in enumerate(zip(("dense", *groups), best, strict=True))
            ]
    told(f"Figure {ID}", len(METHODS), len(METHODS))
    return Exhibit(
        ID,
        "Trojan AUC on calibration samples along the search, last group first",
        "“the majority of the AUC gain stems from the last four layers” (caption of figure H.5)",
        tuple(_finding(rows, title) for title in ARMS.values()),
        tuple(rows),
        {"scale": setting.scale.name, "calibration samples": len(samples)},
    )


def trail(path: Path) -> tuple[tuple[str, ...], tuple[float, ...], tuple[str, ...]]:
    """The groups of a finished search in their order, the best score dense and after each group, and its samples.

    Raises:
        InputError: the search was stopped before its end.
    """
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    about, trials = lines[0], lines[1:]
    groups, candidates = tuple(about["groups"]), about["candidates"]
    if len(trials) < len(groups) * (len(candidates) - 1) + 1:
        raise InputError(f"The search in {path} was stopped before its end; run the same `spade-bench tune` again.")
    scores = {json.dumps(trial["ratios"], sort_keys=True): trial["score"] for trial in trials}
    ratios = dict.fromkeys(groups, 0.0)
    best = [_score(scores, ratios)]
    for group in groups:
        # As the search does: of equal scores the smaller ratio stays.
        tried = {ratio: _score(scores, ratios | {group: ratio}) for ratio in sorted(candidates)}
        chosen = max(tried, key=lambda ratio: tried[ratio])
        ratios = ratios | {group: chosen}
        best.append(_score(scores, ratios))
    return groups, tuple(best), tuple(about["calibration"])


def _score(scores: dict[str, float | None], ratios: dict[str, float]) -> float:
    score = scores[json.dumps(ratios, sort_keys=True)]
    return -math.inf if score is None else score


def _finding(rows: list[Row], arm: str) -> str:
    steps: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        if row["arm"] == arm:
            steps.setdefault((int(row["step"]), str(row["group"])), []).append(float(row["auc"]))
    means = [(group, fmean(values)) for (_, group), values in sorted(steps.items())]
    gains = [f"{group} {after - before:+.2f}" for (_, before), (group, after) in itertools.pairwise(means)]
    return f"{arm}: {means[0][1]:.2f} dense, then on average {', '.join(gains)}."


_LABEL = 0.035  # a label's height in the panel's


def apart(values: Sequence[float], *, least: float) -> list[float]:
    """Places for labels at these values, in their order, at least so far apart and no further off than they must be."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    # Each group of labels that would touch is spread around its own middle; groups that touch then are one.
    groups: list[list[int]] = []
    for i in order:
        groups.append([i])
        while len(groups) > 1 and _ends(values, groups[-1], least)[0] < _ends(values, groups[-2], least)[1] + least:
            last = groups.pop()
            groups[-1] += last
    found = list(values)
    for group in groups:
        first, _ = _ends(values, group, least)
        for place, i in enumerate(group):
            found[i] = first + place * least
    return found


def _ends(values: Sequence[float], group: Sequence[int], least: float) -> tuple[float, float]:
    """Where the first and the last label of a group stand."""
    middle, half = fmean(values[i] for i in group), (len(group) - 1) * least / 2
    return middle - half, middle + half


def draw(exhibit: Exhibit) -> Figure:
    """One panel an arm, a line a method."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    values = [float(row["auc"]) for row in exhibit.rows]
    span = max(values) - min(values)
    for panel, (arm, colour) in zip(figure.subplots(1, 2, sharey=True), _COLOURS.items(), strict=True):
        groups: list[str] = []
        dense: list[float] = []
        for method in METHODS:
            mine = [row for row in exhibit.rows if row["arm"] == arm and row["method"] == method]
            groups = [str(row["group"]) for row in mine]
            dense.append(float(mine[0]["auc"]))
            panel.plot(range(len(mine)), [float(row["auc"]) for row in mine], color=colour, alpha=0.7, marker=".")
        for method, value in zip(METHODS, apart(dense, least=_LABEL * span), strict=True):
            panel.text(-0.07, value, method, ha="right", va="center", fontsize=6)
        panel.set_xticks(range(len(groups)), groups)
        panel.set_xlim(-1.6, len(groups) - 0.7)
        panel.set_title(arm, fontsize=10)
        panel.set_xlabel("searched so far, from the end of the network")
    figure.supylabel("Trojan AUC on calibration samples [%]", fontsize=9)
    return figure
