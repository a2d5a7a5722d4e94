"""Bootstrap statistics that an earlier report computed from the very same numbers, kept in a file beside the networks.

A statistic is known by all that it depends on: the values and their clusters to the bit, level, draws, the generator's
state, the source of `analysis` and the releases of numpy and scipy. Outside `remembering` everything is computed.
"""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from analysis import paired
from analysis.paired import Bootstrap, ClusterMean, PairedDifference

from .provenance import releases

MOST = 20_000
"""Statistics that a file holds; beyond it keeps those that were asked for last."""


Statistic = TypeVar("Statistic", ClusterMean, PairedDifference)


@dataclass
class _Memory:
    """What an earlier report computed, and what this one used of it or added."""

    there: Mapping[str, Mapping[str, Any]]
    used: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    new: bool = False

    def taken(self, name: str, kind: type[Statistic], compute: Callable[[], Statistic]) -> Statistic:
        """The statistic of that name; computed where it is not there."""
        fields = self.used.get(name) or self.there.get(name)
        if fields is not None:
            self.used[name] = fields
            return kind(**fields)
        computed = compute()
        self.used[name], self.new = asdict(computed), True
        return computed


_MEMORY: ContextVar[_Memory | None] = ContextVar("statistics of an earlier report", default=None)


@contextmanager
def remembering(path: Path) -> Iterator[str]:
    """Take statistics from the file at `path` where it has them, and leave there those that it lacked.

    A file that is missing or damaged is an empty one, and the sentence that is given says so of a damaged one; one that
    cannot be written is left out: nothing rests on it.
    """
    there, note = _read(path)
    memory = _Memory(there)
    token = _MEMORY.set(memory)
    try:
        yield note
    finally:
        _MEMORY.reset(token)
    if memory.new:
        both = {**memory.there, **memory.used}
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(path.name + ".fresh")
            text = json.dumps(both if len(both) <= MOST else memory.used)
            fresh.write_text(f"{_check_sum(text)}\n{text}", encoding="utf-8")
            fresh.replace(path)


def cluster_mean(
    values: ArrayLike, clusters: Sequence[Hashable], *, bootstrap: Bootstrap, generator: np.random.Generator
) -> ClusterMean:
    """As `analysis.paired.cluster_mean`, from memory where it is there; the generator is then not advanced."""

    def compute() -> ClusterMean:
        return paired.cluster_mean(values, clusters, bootstrap=bootstrap, generator=generator)

    memory = _MEMORY.get()
    if memory is None:
        return compute()
    return memory.taken(_name("cluster mean", [values], clusters, bootstrap, generator), ClusterMean, compute)


def paired_difference(
    treated: ArrayLike,
    baseline: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    bootstrap: Bootstrap,
    generator: np.random.Generator,
) -> PairedDifference:
    """As `analysis.paired.paired_difference`, from memory where it is there; the generator is then not advanced."""

    def compute() -> PairedDifference:
        return paired.paired_difference(treated, baseline, clusters, bootstrap=bootstrap, generator=generator)

    memory = _MEMORY.get()
    if memory is None:
        return compute()
    name = _name("paired difference", [treated, baseline], clusters, bootstrap, generator)
    return memory.taken(name, PairedDifference, compute)


def _name(
    what: str,
    values: Sequence[ArrayLike],
    clusters: Sequence[Hashable],
    bootstrap: Bootstrap,
    generator: np.random.Generator,
) -> str:
    """sha256 of everything that a statistic depends on."""
    facts = [what, _arithmetic(), repr(bootstrap), repr(generator.bit_generator.state), repr(list(clusters))]
    digest = hashlib.sha256("\n".join(facts).encode())
    for one in values:
        row = np.asarray(one, dtype=np.float64)
        digest.update(f"\n{row.shape} ".encode() + row.tobytes())
    return digest.hexdigest()


@cache
def _arithmetic() -> str:
    """sha256 of the source that computes statistics, and the releases it computes them with."""
    digest = hashlib.sha256(repr(releases(("numpy", "scipy"))).encode())
    for source in sorted(files("analysis").iterdir(), key=lambda one: one.name):
        if source.name.endswith(".py"):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> tuple[Mapping[str, Mapping[str, Any]], str]:
    """The statistics in a file; and "", or a sentence where it is there and not what was written."""
    try:
        check, _, text = path.read_text(encoding="utf-8").partition("\n")
        if check == _check_sum(text):
            return json.loads(text), ""
    except (FileNotFoundError, NotADirectoryError):
        return {}, ""
    except (OSError, ValueError):
        pass
    return {}, f"The kept statistics {path.name} are damaged or of an earlier release; they are computed again."


def _check_sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
