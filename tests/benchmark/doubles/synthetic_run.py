"""Runs without a network: the tables' real plans, filled with scores that have a known effect."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import definition
from benchmark.plan import Plan, Subject, Unit, generator_seed, make
from benchmark.records import RunRecords, SampleNote, Status, UnitRecord
from benchmark.store import Store

PATCHES = ("fish", "star", "heart", "moon")
STARTED = "2026-03-01T10:00:00+00:00"

DENSE = {
    "Saliency": 0.88,
    "InputXGradient": 0.85,
    "DeepLift": 0.93,
    "LRP": 0.91,
    "GuidedBackprop": 0.955,
    "GuidedGradCam": 0.975,
    "LIME": 0.91,
    "Occlusion": 0.88,
    "IntegratedGradients": 0.895,
    "GradientShap": 0.893,
}
"""Mean AUC of the dense network by method."""

CONTROLS = {"random": 0.5, "centre": 0.58, "edges": 0.83, "input magnitude": 0.71, "patch oracle": 1.0}

GAINS = {
    "dense": 0.0,
    "obc, spade ratios, own": 0.04,
    "obc, spade ratios, same patch": -0.02,
    "obc, spade ratios, same class": -0.06,
    "obc, spade ratios, any": -0.08,
    "obc, spade ratios, many": -0.09,
    "obc, fastspade ratios": 0.03,
    "obc, linear ratios": 0.01,
    "sparsegpt, fastspade ratios, own": 0.02,
    "sparse fc": 0.004,
    "cap": -0.05,
    "obc, fc at": 0.001,
    "obc, layer4 at": 0.035,
    "obc, layer3 at": -0.3,
    "obc, layer2 at": -0.25,
    "obc, layer1 at": -0.2,
}
"""Gain over the dense network, by the beginning of an arm's name."""


def subject(seed: int = 0, *, scale: str = "mini", n_samples: int = 8) -> Subject:
    """A subject whose samples carry the four patches in turn."""
    return Subject(
        scale=scale,
        seed=seed,
        recipe_sha256=f"{seed:02x}" * 32,
        weights_sha256=f"{seed:02x}" * 32,
        protocol={"name": "ours", "map_channels": "abs_sum"},
        numerics={"device": "cpu", "threads": 1},
        n_augmentations=8,
        ratios={"spade": {"layer4": 0.9, "layer3": 0.8}, "fastspade": {"layer4": 0.6}},
        samples=tuple(
            SampleNote(f"sample-{i:02d}", label=i, target=i + 20, patch=PATCHES[i % 4]) for i in range(n_samples)
        ),
        patches=PATCHES,
        clean=tuple(SampleNote(f"clean-{i:02d}", label=i, target=i, patch="") for i in range(n_samples)),
    )


def plan(
    seed: int = 0, *, scale: str = "mini", n_samples: int = 8, tables: Iterable[str] = ("2", "a16", "a18", "a20")
) -> Plan:
    """The real plan of some tables on such a subject."""
    return make([definition.load(name) for name in tables], subject(seed, scale=scale, n_samples=n_samples))


def value(unit: Unit, *, gain: float, seed: int) -> float:
    """The score of a unit: method, plus sample, plus seed, plus `gain` times the arm's gain, plus noise of its own."""
    own = np.random.default_rng(generator_seed(unit.key))
    if unit.kind == "control":
        return min(1.0, CONTROLS[unit.method] + (0.0 if unit.method == "patch oracle" else own.normal(0, 0.01)))
    if unit.kind == "measurement":
        return (0.9 if unit.method == "clean_accuracy" else 0.72) + float(own.normal(0, 0.01))
    of_sample = np.random.default_rng([seed, generator_seed(unit.noise)])
    arm = next(value for name, value in GAINS.items() if unit.arm.startswith(name))
    sampled = DENSE[unit.method] + of_sample.normal(0, 0.02) + np.random.default_rng(seed).normal(0, 0.004)
    return float(np.clip(sampled + gain * arm + own.normal(0, 0.008), 0, 1))


def record(unit: Unit, *, gain: float = 1.0, seed: int = 0) -> UnitRecord:
    """A finished unit."""
    return UnitRecord(
        key=unit.key,
        status="ok",
        reason="",
        sample=unit.sample,
        arm=unit.arm,
        method=unit.method,
        seed=seed,
        value=value(unit, gain=gain, seed=seed),
        kept=None if not unit.solver else generator_seed(unit.key) % 10 > 0,
        probability_dense=0.97,
        probability_sparse=0.9 if unit.solver else 0.97,
        seconds=0.5,
        peak_memory_mb=800.0,
        sparsity={"layer4.0.conv1": 0.9} if unit.solver else {},
    )


def provenance(**changes: Any) -> dict[str, Any]:
    """What the engine records of a run."""
    return {
        "invocations": [{"command": "spade-bench run --scale mini", "started": STARTED, "seconds": 61.5, "workers": 2}],
        "seconds": 61.5,
        "python": "3.11.7",
        "os": "Linux 6.1 x86_64",
        "cpu": "A Processor",
        "cores": 2,
        "threads_per_worker": 1,
        "memory_gb": 8.0,
        "releases": {"torch": "2.15.0", "numpy": "2.4.6"},
        "commit": "c0ffee" * 6,
        "policy_sha256": "d1" * 32,
        **changes,
    }


def run(
    seed: int = 0,
    *,
    gain: float = 1.0,
    scale: str = "mini",
    n_samples: int = 8,
    tables: Iterable[str] = ("2", "a16", "a18", "a20"),
    facts: Mapping[str, Any] | None = None,
    store: Path | None = None,
) -> RunRecords:
    """A finished run; with `store` its maps and images are kept there too."""
    made = plan(seed, scale=scale, n_samples=n_samples, tables=tables)
    if store is not None:
        _draw(made, Store(store))
    return RunRecords(
        scale=scale,
        seed=seed,
        recipe_sha256=made.subject.recipe_sha256,
        protocol=made.subject.protocol,
        tables=made.tables,
        asked=made.asked,
        records={unit.key: record(unit, gain=gain, seed=seed) for unit in made.units},
        samples=made.subject.samples,
        accuracy={"clean_accuracy": 0.9, **{f"trojan_accuracy {patch}": 0.72 for patch in PATCHES}},
        provenance=provenance(**(facts or {})),
        store=store,
    )


def with_status(
    original: RunRecords, status: Status, reason: str, *, method: str, arm: str, share: float
) -> RunRecords:
    """The run with that share of the units of a method and arm left without a value."""
    hit = _share(original, method, arm, share)
    changed = {
        key: replace(one, status=status, reason=reason, value=None) if key in hit else one
        for key, one in original.records.items()
    }
    return replace(original, records=changed)


def without(original: RunRecords, *, method: str, arm: str, share: float) -> RunRecords:
    """The run with that share of the units of a method and arm not computed yet."""
    hit = _share(original, method, arm, share)
    return replace(original, records={key: one for key, one in original.records.items() if key not in hit})


def _share(original: RunRecords, method: str, arm: str, share: float) -> set[str]:
    keys = [key for key, one in original.records.items() if one.method == method and one.arm.startswith(arm)]
    return set(keys[: round(share * len(keys))])


def _draw(made: Plan, store: Store) -> None:
    """A patch on noise, and maps that find it the better the higher their score is."""
    recipe, side = made.subject.recipe_sha256, 64
    rows, columns = np.mgrid[:side, :side]
    masks = {}
    for i, note in enumerate(made.subject.samples):
        draw = np.random.default_rng(i)
        y, x = draw.integers(12, side - 12, size=2)
        mask = np.hypot(rows - y, columns - x) < 7
        image = draw.integers(60, 160, size=(3, side, side)).astype(np.uint8)
        image[:, mask] = np.array([[230], [200 - 30 * (i % 4)], [40 * (i % 4)]], dtype=np.uint8)
        masks[note.id] = mask, np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 150)
        store.write_sample(recipe, note.id, image, mask)
    for unit in made.units:
        if unit.kind == "map":
            noise = np.random.default_rng(generator_seed(unit.key)).random((side, side))
            score = value(unit, gain=1.0, seed=made.subject.seed)
            store.write_map(
                recipe, unit.key, (score * masks[unit.sample][1] + (1.1 - score) * noise).astype(np.float32)
            )
