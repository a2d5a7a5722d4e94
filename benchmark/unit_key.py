"""Keys of units: hashes of everything that a value, a map, or the random numbers behind them depend on."""

import hashlib
import json
from dataclasses import replace
from typing import Any

from data_manifests.published.method_names import METHODS
from spade import plugins
from spade.pruners import SOLVERS

from . import networks
from .metrics.metric import METRICS
from .unit import Subject, Unit

STAGES = {"hessian": 1, "trace": 1, "map": 1, "score": 1, "measure": 1}
"""Versions of the stages; raise one when its results change, and every unit that rests on it is computed again."""


def added_by(unit: Unit) -> dict[str, str]:
    """The parts of other packages that a unit's value depends on: package, release and source by kind and name."""
    if unit.kind != "map":
        return {}
    used = {"saliency": unit.method, "pruner": unit.solver, "metric": unit.metric, "network": unit.network}
    builtin = {"saliency": METHODS, "pruner": SOLVERS, "metric": METRICS, "network": networks.NETWORKS}
    return plugins.identities({kind: name for kind, name in used.items() if name}, builtin)


def sealed(unit: Unit, subject: Subject) -> Unit:
    """The unit with its keys filled in."""
    of_map = {
        "weights": subject.weights_sha256,
        "seed": subject.seed,
        "sample": unit.sample,
        "method": unit.method,
    }
    # All metrics score one map, so the noise does not depend on the metric; a name stands there for earlier results.
    noise = _digest({"stage": "noise", "version": STAGES["map"], "metric": "trojan_auc", **of_map})
    scored = {"settings": dict(unit.settings), "plugins": added_by(unit)}
    asked = {name: value for name, value in scored.items() if value}
    key = _digest({**_facts(unit, subject, unit.stages), "metric": unit.metric, **asked})
    return replace(unit, key=key, noise=noise)


def _facts(unit: Unit, subject: Subject, stages: tuple[str, ...]) -> dict[str, Any]:
    """What a unit's results depend on up to the last of some stages, whatever the metric."""
    # What a unit does not ask for is not in its key, so a new knob leaves the keys of earlier units as they were.
    asked = {
        "network": [unit.network, networks.find(unit.network).settings] if unit.network else None,
        "augmentation": unit.augmentation,
        "sequential": unit.sequential,
        "rule": unit.rule,
    }
    return {
        "stage": stages[-1],
        "versions": {stage: STAGES[stage] for stage in stages},
        "kind": unit.kind,
        "protocol": subject.protocol,
        "numerics": subject.numerics,
        "solver": unit.solver,
        "image": unit.image,
        "ratios": unit.ratios,
        "n_augmentations": subject.n_augmentations,
        "weights": subject.weights_sha256,
        "seed": subject.seed,
        "sample": unit.sample,
        "method": unit.method,
        **{name: value for name, value in asked.items() if value},
    }


def map_key(unit: Unit, subject: Subject) -> str:
    """The sha256 of all that a unit's saliency map depends on: units that agree in it differ by the metric only.

    "" where there is no such map.
    """
    if unit.kind != "map" or unit.impossible:
        return ""
    plugins_used = {name: source for name, source in added_by(unit).items() if not name.startswith("metric ")}
    asked = {"plugins": plugins_used} if plugins_used else {}
    return _digest({**_facts(unit, subject, unit.stages[:-1]), **asked})


def generator_seed(key: str) -> int:
    """A 63-bit seed for a generator, from a unit's key."""
    return int(key[:16], 16) & (2**63 - 1)


def hessian_key(subject: Subject, image: str) -> str:
    """The sha256 that seeds an image's augmentations: the same for every solver, ratio and kind of augmentation.

    So arms are paired: the crops of "J+RC" are those of "RC".
    """
    return _digest(
        {
            "stage": "hessian",
            "version": STAGES["hessian"],
            "protocol": subject.protocol,
            "weights": subject.weights_sha256,
            "image": image,
            "seed": subject.seed,
            "n_augmentations": subject.n_augmentations,
        }
    )


def _digest(data: object) -> str:
    """sha256 of the canonical JSON of some data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()
