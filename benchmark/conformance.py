"""Whether a part (method, pruner, metric, network, data set, scale, table) keeps what every table relies on.

Contracts are files of their own: `saliency_contract`, `pruner_contract`, `metric_contract`, `dataset_contract`.
Built-in parts are held to the same where they are of the same kind.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from spade import plugins, pruners, saliency
from spade.errors import InputError, nearest

from . import (
    dataset_contract,
    definition,
    metric_contract,
    networks,
    plan,
    pruner_contract,
    saliency_contract,
    scale,
    scale_subject,
)
from .datasets import dataset
from .finding import Finding
from .metrics import metric as metrics

BUILTIN: dict[str, tuple[str, ...]] = {
    "saliency": tuple(saliency.METHODS),
    "pruner": tuple(pruners.SOLVERS),
    "metric": tuple(metrics.METRICS),
    "network": tuple(networks.NETWORKS),
    "dataset": (),
    "scale": scale.names(),
    "table": definition.names(),
}
"""Names that are taken, by kind."""


@dataclass(frozen=True)
class Asked:
    """A part to be checked; `plugin` is None for a built-in one."""

    kind: str
    name: str
    plugin: plugins.Plugin | None = None

    @property
    def title(self) -> str:
        """The part in words."""
        return self.plugin.title if self.plugin else f"{plugins.KINDS[self.kind]} '{self.name}' (built in)"


def named(names: Sequence[str]) -> tuple[Asked, ...]:
    """The parts of these names, or of the packages of these names; every part of other packages where none is given.

    Raises:
        InputError: a name that neither a part nor a package has.
    """
    added = tuple(Asked(one.kind, one.name, one) for one in plugins.installed())
    if not names:
        return added
    built = tuple(Asked(kind, name) for kind, known in BUILTIN.items() for name in known)
    found: list[Asked] = []
    for name in names:
        hits = [one for one in added if one.plugin and name in {one.name, one.plugin.distribution}]
        hits = hits or [one for one in built if one.name == name]
        if not hits:
            allowed = {one.name for one in (*added, *built)} | {one.plugin.distribution for one in added if one.plugin}
            raise InputError(f"No part and no package is called '{name}': {nearest(name, allowed)}")
        found += hits
    return tuple(dict.fromkeys(found))


def check(asked: Asked) -> Iterator[Finding]:
    """What holds and what does not, one finding a question; a question that raises does not hold."""
    if asked.plugin is not None:
        refusal = plugins.refused(asked.plugin, BUILTIN[asked.kind])
        yield Finding("its name is free", not refusal, refusal or "no other part has it")
        if refusal:
            return
    try:
        part = _part(asked)
    except InputError as problem:
        yield Finding("it can be loaded", holds=False, found=str(problem))
        return
    yield Finding("it can be loaded", holds=True, found=f"a {type(part).__name__}")
    if isinstance(part, saliency.Method):
        yield from saliency_contract.findings(asked.name, part)
    elif isinstance(part, pruners.Pruner):
        yield from pruner_contract.findings(asked.name, part)
    elif isinstance(part, metrics.Metric):
        yield from metric_contract.findings(part)
    elif isinstance(part, dataset.DataSet):
        yield from dataset_contract.findings(part)
    elif isinstance(part, scale.Scale):
        yield _tables_of(part)
    elif isinstance(part, networks.Network):
        yield from _network(part)


def _part(asked: Asked) -> Any:  # noqa: ANN401 - of as many types as kinds
    if asked.kind == "pruner" and asked.name in pruners.SOLVERS:
        return pruner_contract.built_in(asked.name)
    found: dict[str, Callable[[str], Any]] = {
        "saliency": saliency.find,
        "pruner": pruners.find,
        "metric": metrics.find,
        "network": networks.find,
        "dataset": dataset.find,
        "scale": scale.load,
        "table": definition.load,
    }
    return found[asked.kind](asked.name)


def _tables_of(recipe: scale.Scale) -> Finding:
    """Whether every table of the scale it is like can be planned, which needs ratios and patches by their names."""
    tables = [one for one in definition.load_all() if {recipe.name, recipe.like} & set(one.scales)]
    try:
        plan.make(tables, scale_subject.unexplained(recipe, 0))
    except InputError as problem:
        return Finding("its tables can be planned", holds=False, found=str(problem))
    return Finding("its tables can be planned", holds=True, found=", ".join(one.id for one in tables))


def _network(network: networks.Network) -> Iterator[Finding]:
    """What can be known of a derived network without deriving it, which takes a trained network and minutes."""
    try:
        json.dumps(network.settings, default=dict, allow_nan=False)
        yield Finding("its settings are plain data", holds=True, found="they can be part of a record's key")
    except (TypeError, ValueError) as problem:
        yield Finding("its settings are plain data", holds=False, found=f"they are no JSON: {problem}")
    try:
        made = callable(getattr(import_module(network.module), "make", None))
        found = f"{network.module}.make is there" if made else f"{network.module} has no function make"
    except Exception as problem:  # noqa: BLE001 - whatever importing raises is the finding
        made, found = False, f"{network.module} cannot be imported: {problem}"
    yield Finding("its module has make(material, settings, progress)", made, found)
