"""Parts that other installed packages add, found by their entry points and imported when they are used, not before.

A package offers a part under a name in one of the groups "spade_bench.KIND", the kinds being those of KINDS. A name
that is already there stays what it was: the part is refused.
Only the standard library is needed here, so that tables and plans are made without torch.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from .errors import InputError, nearest

KINDS: dict[str, str] = {
    "saliency": "saliency method",
    "pruner": "pruner",
    "metric": "metric",
    "network": "network",
    "dataset": "data set",
    "scale": "scale",
    "table": "table",
}
"""What can be added, and what it is called in sentences; the group is "spade_bench." and the key."""

Part = TypeVar("Part")


class PluginError(InputError):
    """A part of another package cannot be used; the sentence names the part and the package."""


@dataclass(frozen=True)
class Plugin:
    """A part that an installed package offers, not loaded yet.

    Attributes:
        kind: a key of KINDS.
        distribution: the package that offers it, as it was installed.
        version: that package's release.
    """

    kind: str
    name: str
    distribution: str
    version: str
    entry: EntryPoint

    @property
    def title(self) -> str:
        """The part and its package in words."""
        return f"{KINDS[self.kind]} '{self.name}' of {self.distribution} {self.version} ({self.entry.value})"

    @property
    def identity(self) -> str:
        """Package, release and the beginning of the sha256 of its Python source: another of any is another part.

        The source, because whoever writes a plug-in changes it many times under one version.
        """
        return f"{self.distribution} {self.version} {_source(self.entry.module.partition('.')[0])[:12]}"


@cache
def installed() -> tuple[Plugin, ...]:
    """Every part that some installed package offers, in the order of KINDS and then of names."""
    found = []
    for kind in KINDS:
        for entry in entry_points(group=f"spade_bench.{kind}"):
            name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("an unnamed package", "")
            found.append(Plugin(kind, entry.name, name, version, entry))
    return tuple(sorted(found, key=lambda one: (list(KINDS).index(one.kind), one.name, one.distribution)))


def refused(plugin: Plugin, builtin: Iterable[str]) -> str:
    """Why a part is not used, in a sentence; "" where it is. Names are compared without regard to case."""
    name = plugin.name.casefold()
    if name in {one.casefold() for one in builtin}:
        return (
            f"The {plugin.title} has the name of a built-in {KINDS[plugin.kind]}, which stays in force; "
            "give the entry point another name."
        )
    alike = [one for one in installed() if one.kind == plugin.kind and one.name.casefold() == name]
    if len(alike) > 1:
        others = " and ".join(f"{one.distribution} {one.version}" for one in alike)
        return (
            f"The {KINDS[plugin.kind]} '{plugin.name}' is offered more than once, by {others}; none of them is used. "
            "Uninstall one, or give its entry point another name."
        )
    return ""


def offered(kind: str, builtin: Iterable[str]) -> dict[str, Plugin]:
    """The parts of a kind that other packages add, by name; those refused are left out."""
    names = tuple(builtin)
    return {one.name: one for one in installed() if one.kind == kind and not refused(one, names)}


def loaded(plugin: Plugin) -> object:
    """What a plug-in's entry point refers to; imported the first time.

    Raises:
        PluginError: it cannot be imported.
    """
    try:
        return _imported(plugin.entry)
    except Exception as problem:
        told = " ".join(str(problem).split())
        raise PluginError(
            f"The {plugin.title} cannot be loaded: {type(problem).__name__}: {told}. Mend or uninstall that package."
        ) from problem


def part(kind: str, name: str, builtin: Mapping[str, Part], cls: type[Part]) -> Part:
    """The part of that name: built-in, or of another package.

    Raises:
        InputError: there is none of that name; answered with the nearest.
        PluginError: the package that offers it is broken, or is refused, or offers something else than a `cls`.
    """
    if name in builtin:
        return builtin[name]
    there = offered(kind, builtin)
    if name not in there:
        for plugin in (one for one in installed() if one.kind == kind and one.name == name):
            raise PluginError(refused(plugin, builtin))
        raise InputError(f"The {KINDS[kind]} '{name}' is unknown: {nearest(name, (*builtin, *there))}")
    found = loaded(there[name])
    if not isinstance(found, cls):
        raise PluginError(
            f"The {there[name].title} is a {type(found).__name__}; a {cls.__module__}.{cls.__qualname__} belongs there."
        )
    return found


def identities(used: Mapping[str, str], builtin: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """By "kind name" the identity of those of the used parts (name by kind) that other packages add."""
    found = {}
    for kind, name in used.items():
        plugin = offered(kind, builtin[kind]).get(name) if name not in builtin[kind] else None
        if plugin is not None:
            found[f"{kind} {name}"] = plugin.identity
    return found


@cache
def _imported(entry: EntryPoint) -> object:
    return entry.load()


@cache
def _source(package: str) -> str:
    """sha256 over the Python files of a top-level package or module, which is not imported; "" where there are none."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    folders = [Path(one) for one in spec.submodule_search_locations or ()]
    files = sorted((path, folder) for folder in folders for path in folder.rglob("*.py"))
    if not folders and spec.origin and Path(spec.origin).is_file():
        files = [(Path(spec.origin), Path(spec.origin).parent)]
    digest = hashlib.sha256()
    for path, folder in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest() if files else ""
