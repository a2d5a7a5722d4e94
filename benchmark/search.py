"""Sparsity ratios of a scale, searched for each saliency method on networks and samples that no table is judged on.

The paper's search (3.2): the last group first, the ratio with the best mean score stays; the score is the Trojan AUC,
or (FastSPADE* of Table 3) insertion on clean images. What a search looks at is said by `RATIO_SOURCES`. Here the
calibration samples come from networks of seeds of their own, so neither a test image nor a test network is ever seen.
"""

import copy
import hashlib
import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from statistics import fmean
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import nn

from spade import saliency, sparsity, trace, tuning
from spade.errors import EnvironmentProblem, InputError, nearest
from spade.layers import prunable_layers
from spade.protocol import Protocol, protocol
from spade.saliency import SETTINGS, Settings
from spade.sparsity import Ratios

from . import definition
from .material import clean_samples
from .metrics.evidence import Evidence, Images
from .metrics.metric import METRICS
from .models.laboratory import Laboratory, Sample
from .plan import generator_seed
from .ratios import RATIO_SOURCES
from .scale import Scale
from .separation import refuse_overlap

Told = Callable[[str, int, int], None]
"""Called with (method, candidates scored, candidates in all)."""


@dataclass(frozen=True)
class Found:
    """The outcome for one method: ratios by group, the mean score with and without them, and over how many samples."""

    method: str
    ratios: Ratios
    score: float
    dense: float
    samples: int = 0


@dataclass(frozen=True)
class Rules:
    """How maps are made and scored while searching; the same as in the tables."""

    solver: str
    protocol: Protocol
    settings: Settings
    groups: tuple[str, ...]
    candidates: tuple[float, ...]
    metric: str = "trojan_auc"
    metric_settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class Calibration:
    """Calibration samples with everything their traces need, made once for all methods and candidates."""

    def __init__(
        self,
        laboratories: Mapping[int, Laboratory],
        rules: Rules,
        told: Told = lambda *_: None,
        *,
        samples: Mapping[int, Sequence[Sample]] | None = None,
    ) -> None:
        """The calibration samples of the laboratories, or others by seed."""
        self.rules = rules
        self.dense_networks = {seed: saliency.prepare(lab.model) for seed, lab in laboratories.items()}
        self.benches: list[_Bench] = []
        chosen = samples or {seed: lab.calibration_samples for seed, lab in laboratories.items()}
        wanted = sum(map(len, chosen.values()))
        if not wanted:
            raise InputError("The networks have no calibration samples; raise samples.calibration of the scale.")
        for seed, lab in laboratories.items():
            refuse_overlap(chosen[seed], lab.test_samples)
            for sample in chosen[seed]:
                told("Hessians", len(self.benches), wanted)
                self.benches.append(_Bench(f"{seed}/{sample.id}", sample, lab, rules, self.dense_networks[seed]))
        told("Hessians", wanted, wanted)

    def part(self, share: float) -> "Calibration":
        """A calibration on the first share of each network's samples, with what was made for them."""
        first = copy.copy(self)
        by_seed: dict[str, list[_Bench]] = {}
        for bench in self.benches:
            by_seed.setdefault(bench.id.partition("/")[0], []).append(bench)
        first.benches = [bench for some in by_seed.values() for bench in some[: math.ceil(share * len(some))]]
        return first

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
        return Found(method, tuned.ratios, tuned.score, tuned.dense, len(self.benches))


class _Bench:
    """One calibration sample: its eliminations, and one sparse network whose weights are exchanged."""

    def __init__(self, name: str, sample: Sample, lab: Laboratory, rules: Rules, dense: saliency.Prepared) -> None:
        self.id = name
        self._sample, self._rules, self._dense = sample, rules, lab.model
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
        """The metric of one method's map at these ratios by group."""
        self._prepared.rewrite(self._network, sparsity.by_group(self._layers, ratios))
        attribution = saliency.explain(
            method,
            self._ready,
            self._x.clone(),
            self._sample.target,
            generator=torch.Generator().manual_seed(_seed(self.id, method)),
            settings=self._rules.settings,
        )
        heatmap = saliency.heatmap(attribution, self._rules.protocol.map_channels).numpy()
        evidence = Evidence(self._x[0].numpy(), self._sample.mask.numpy(), self._probability)
        return METRICS[self._rules.metric].score(heatmap, evidence, **self._rules.metric_settings)

    def _probability(self, images: Images) -> Any:  # noqa: ANN401 - NDArray[np.float64]
        with torch.no_grad():
            return self._dense(torch.from_numpy(images)).double().softmax(dim=1)[:, self._sample.target].numpy()


def _seed(*parts: str) -> int:
    return generator_seed(hashlib.sha256("/".join(parts).encode()).hexdigest())


ARMS = {name: source.solver for name, source in RATIO_SOURCES.items() if source.rule == "searched"}
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
    source, preset = RATIO_SOURCES[arm], protocol(scale.pruning.protocol)
    # The tables that use a metric say what it leaves open; the search asks them, so that both measure one thing.
    asking = [table for table in definition.load_all() if table.metric == source.metric]
    return Rules(
        solver=ARMS[arm],
        protocol=replace(
            preset, augmentation=scale.pruning.augmentation, n_augmentations=scale.pruning.n_augmentations
        ),
        settings=SETTINGS[preset.name],
        groups=GROUPS,
        candidates=sparsity.RATIO_GRID[1:],
        metric=source.metric,
        metric_settings=asking[0].metric_settings,
    )


def search_scale(
    scale: Scale, laboratories: Mapping[int, Laboratory], arms: Sequence[str], folder: Path, told: Told
) -> dict[str, list[Found]]:
    """The ratios of some arms and every method; arms with one solver and kind of sample share the factorisations.

    Raises:
        InputError: an arm is unknown, or a state in `folder` belongs to another search.
        EnvironmentProblem: the folder cannot be written.
    """
    found: dict[str, list[Found]] = {}
    made: tuple[object, Calibration | None] = (None, None)
    for arm in arms:
        chosen = rules(scale, arm)
        shared = chosen.solver, METRICS[chosen.metric].samples
        if made[1] is None or made[0] != shared:
            samples = _clean(scale, laboratories) if shared[1] == "clean" else None
            made = (shared, Calibration(laboratories, chosen, told, samples=samples))
        calibration = cast("Calibration", made[1]).part(RATIO_SOURCES[arm].share)
        found[arm] = search_all(calibration, arm, folder, told)
    return found


def _clean(scale: Scale, laboratories: Mapping[int, Laboratory]) -> dict[int, tuple[Sample, ...]]:
    """As many clean images as there are calibration samples, and no clean sample of a table."""
    number = scale.samples.calibration
    return {
        seed: clean_samples(scale, seed, lab.model, number, "clean calibration") for seed, lab in laboratories.items()
    }


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
        "how": "the last group first, each at the ratio with the best mean score, for each method (section 3.2)",
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
    return "\n".join([*lines, *_sections(found)]) + "\n"


def added(text: str, origin: Mapping[str, object], found: Mapping[str, Sequence[Found]]) -> str:
    """The text of a ratios file with more arms behind those it has.

    Raises:
        InputError: it was searched on other networks, or has one of the arms already.
    """
    there = tomllib.loads(text)
    for fact in ("seeds", "recipe_sha256"):
        if there["origin"].get(fact) != list(cast("Sequence[object]", origin[fact])):
            raise InputError(
                f"The ratios in the file were searched on other networks ({fact} differ); search all anew."
            )
    twice = sorted(found.keys() & there["ratios"].keys())
    if twice:
        raise InputError(f"The file has ratios '{twice[0]}' already; remove that section, or search all anew.")
    return text.rstrip("\n") + "\n" + "\n".join([f"# Added on {origin['date']}:", *_sections(found)]) + "\n"


def _sections(found: Mapping[str, Sequence[Found]]) -> list[str]:
    lines: list[str] = []
    for arm, outcomes in found.items():
        samples = outcomes[0].samples if outcomes else 0
        lines += ["", f"# Calibration score on {samples} samples before and after: {arm}"]
        lines += [f"# {f.method}: {100 * f.dense:.2f} -> {100 * f.score:.2f}" for f in outcomes]
        lines.append(f"[ratios.{arm}]")
        for f in outcomes:
            ratios = ", ".join(f"{group} = {ratio:g}" for group, ratio in f.ratios.items() if ratio)
            lines.append(f"{f.method} = {{ {ratios} }}" if ratios else f"{f.method} = {{}}")
    return lines


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
