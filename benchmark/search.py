"""Sparsity ratios of a scale, searched for each saliency method on networks and samples that no table is judged on.

The paper's search (3.2): the last group first, the ratio with the best mean Trojan AUC stays. Here the calibration
samples come from networks of seeds of their own, so neither a test image nor a test network is ever seen.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import fmean

import torch
from torch import nn

from spade import saliency, sparsity, trace, tuning
from spade.errors import EnvironmentProblem, InputError, nearest
from spade.layers import prunable_layers
from spade.protocol import Protocol, protocol
from spade.saliency import SETTINGS, Settings
from spade.sparsity import Ratios

from .metrics.trojan_auc import trojan_auc
from .models.laboratory import Laboratory, Sample
from .plan import generator_seed
from .scale import Scale

Told = Callable[[str, int, int], None]
"""Called with (method, candidates scored, candidates in all)."""


@dataclass(frozen=True)
class Found:
    """The outcome for one method: ratios by group, and the mean AUC [0 to 1] with and without them."""

    method: str
    ratios: Ratios
    score: float
    dense: float


@dataclass(frozen=True)
class Rules:
    """How maps are made while searching; the same as in the tables."""

    solver: str
    protocol: Protocol
    settings: Settings
    groups: tuple[str, ...]
    candidates: tuple[float, ...]


class Calibration:
    """Calibration samples with everything their traces need, made once for all methods and candidates."""

    def __init__(self, laboratories: Mapping[int, Laboratory], rules: Rules, told: Told = lambda *_: None) -> None:
        self.rules = rules
        self.dense_networks = {seed: saliency.prepare(lab.model) for seed, lab in laboratories.items()}
        self.benches: list[_Bench] = []
        wanted = sum(len(lab.calibration_samples) for lab in laboratories.values())
        if not wanted:
            raise InputError("The networks have no calibration samples; raise samples.calibration of the scale.")
        for seed, lab in laboratories.items():
            for sample in lab.calibration_samples:
                told("Hessians", len(self.benches), wanted)
                self.benches.append(_Bench(f"{seed}/{sample.id}", sample, lab, rules, self.dense_networks[seed]))
        told("Hessians", wanted, wanted)

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the samples, the seed of their network in front."""
        return tuple(bench.id for bench in self.benches)

    def search(self, method: str, test_ids: Sequence[str], *, state: Path | None, told: Told) -> Found:
        """The ratios of one method; resumed from the file `state` where it was stopped.

        Raises:
            InputError: a calibration sample is a test sample, or `state` belongs to another search.
        """
        in_all = len(self.rules.groups) * (len(self.rules.candidates) + 1)
        done = 0

        def score(ratios: Ratios) -> float:
            nonlocal done
            value = fmean(bench.score(method, ratios) for bench in self.benches)
            done += 1
            told(method, min(done, in_all), in_all)
            return value

        tuned = tuning.tune(
            self.rules.groups,
            self.rules.candidates,
            score=score,
            calibration_ids=self.ids,
            test_ids=test_ids,
            state_path=state,
        )
        return Found(method, tuned.ratios, tuned.score, tuned.dense)


class _Bench:
    """One calibration sample: its eliminations, and one sparse network whose weights are exchanged."""

    def __init__(self, name: str, sample: Sample, lab: Laboratory, rules: Rules, dense: saliency.Prepared) -> None:
        self.id = name
        self._sample, self._rules = sample, rules
        self._layers = tuple(prunable_layers(lab.model))
        chosen = [layer for layer in self._layers if layer.startswith(rules.groups)]
        self._prepared = trace.prepare(
            lab.model,
            sample.image,
            normalise=lab.normalise,
            solver="obc" if rules.solver == "obc" else "sparsegpt",
            protocol=rules.protocol,
            layers=chosen,
            generator=torch.Generator().manual_seed(_seed(name, "augmentations")),
        )
        self._network: nn.Module = self._prepared.sparse_model({})
        self._ready = saliency.prepare(self._network, like=dense)
        self._x = lab.normalise(sample.image[None])

    def score(self, method: str, ratios: Ratios) -> float:
        """Trojan AUC [0 to 1] of one method's map at these ratios by group."""
        self._prepared.rewrite(self._network, sparsity.by_group(self._layers, ratios))
        attribution = saliency.explain(
            method,
            self._ready,
            self._x.clone(),
            self._sample.target,
            generator=torch.Generator().manual_seed(_seed(self.id, method)),
            settings=self._rules.settings,
        )
        return trojan_auc(saliency.heatmap(attribution, self._rules.protocol.map_channels), self._sample.mask)


def _seed(*parts: str) -> int:
    return generator_seed(hashlib.sha256("/".join(parts).encode()).hexdigest())


ARMS = {"spade": "obc", "fastspade": "sparsegpt"}
"""Ratios a search can find, by the name the tables use, with their solvers."""

GROUPS = ("fc", "layer4", "layer3", "layer2", "layer1")
"""In the order of the search; the stem, which sees three channels, stays dense."""


def rules(scale: Scale, arm: str) -> Rules:
    """How an arm's maps are made at a scale.

    Raises:
        InputError: there is no such arm.
    """
    if arm not in ARMS:
        raise InputError(f"There are no ratios called '{arm}' to search. {nearest(arm, ARMS)}")
    preset = protocol(scale.pruning.protocol)
    return Rules(
        solver=ARMS[arm],
        protocol=replace(
            preset, augmentation=scale.pruning.augmentation, n_augmentations=scale.pruning.n_augmentations
        ),
        settings=SETTINGS[preset.name],
        groups=GROUPS,
        candidates=sparsity.RATIO_GRID[1:],
    )


def search_all(calibration: Calibration, arm: str, folder: Path, told: Told) -> list[Found]:
    """The ratios of every method; the state of each search is a file in `folder`, so a stopped one goes on.

    Raises:
        InputError: a state belongs to another search.
        EnvironmentProblem: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EnvironmentProblem(f"The searches cannot be kept in {folder}: {problem.strerror}.") from problem
    return [
        calibration.search(
            method,
            (),
            state=folder / f"{arm}-{method}.jsonl",
            told=lambda name, done, of: told(f"{arm}: {name}", done, of),
        )
        for method in saliency.METHODS
    ]


def origin(scale: Scale, seeds: Sequence[int], ids: Sequence[str], day: date) -> dict[str, object]:
    """How a search was done, for the ratios file."""
    return {
        "how": "the last group first, each at the ratio with the best mean Trojan AUC, for each method (section 3.2)",
        "date": day.isoformat(),
        "seeds": list(seeds),
        "recipe_sha256": [scale.recipe_sha256(seed) for seed in seeds],
        "samples": len(ids),
        "groups": list(GROUPS),
        "candidates": list(sparsity.RATIO_GRID),
        "torch": torch.__version__,
    }


def as_toml(origin: Mapping[str, object], found: Mapping[str, Sequence[Found]]) -> str:
    """The text of a ratios file: how the search was done, its outcome, and the ratios by arm and method."""
    lines = ["# Written by `spade-bench tune`; not edited by hand.", "[origin]"]
    lines += [f"{key} = {_toml(value)}" for key, value in origin.items()]
    for arm, outcomes in found.items():
        lines += ["", f"# Calibration AUC before and after: {arm}"]
        lines += [f"# {f.method}: {100 * f.dense:.2f} -> {100 * f.score:.2f}" for f in outcomes]
        lines.append(f"[ratios.{arm}]")
        for f in outcomes:
            ratios = ", ".join(f"{group} = {ratio:g}" for group, ratio in f.ratios.items() if ratio)
            lines.append(f"{f.method} = {{ {ratios} }}" if ratios else f"{f.method} = {{}}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
