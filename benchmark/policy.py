"""The tolerance policy, frozen and hashed: levels, draws and limits, read from `policy.toml` and from nowhere else."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from analysis.paired import Bootstrap
from spade.errors import InputError, nearest


@dataclass(frozen=True)
class Intervals:
    """Intervals within one run: level, bootstrap draws, their seed, and alpha of Holm's tests over the methods."""

    level: float
    draws: int
    seed: int
    alpha: float


@dataclass(frozen=True)
class Units:
    """The share of failed units beyond which a cell is invalid."""

    failed_share: float


@dataclass(frozen=True)
class GoldenRule:
    """How a golden range is made: alpha of the whole scale, seeds it takes at least, half the last digit shown."""

    family_alpha: float
    least_seeds: int
    half_digit: float


@dataclass(frozen=True)
class DirectionRule:
    """When a direction counts as resolved over seeds, and the chance its power is stated for."""

    alpha: float
    power: float


@dataclass(frozen=True)
class PaperRule:
    """How a cell stands to the paper's, where network and data are the paper's.

    Attributes:
        alpha: of each of the two one-sided tests behind "reproduced".
        family_alpha: what the prediction intervals of one table's cells leave together.
        least_seeds: augmentation seeds from which on their spread counts.
        replicate_sd: between the paper's own tables of one network, in points.
        margins: of equivalence by metric, in the printed unit.
    """

    alpha: float
    family_alpha: float
    least_seeds: int
    replicate_sd: float
    margins: Mapping[str, float]


@dataclass(frozen=True)
class ReplayRule:
    """How far a cell may move when its seed is run again: so many times the largest move measured in its column."""

    factor: float
    least_replays: int
    half_digit: float


@dataclass(frozen=True)
class Policy:
    """Everything that decides a verdict, besides the numbers themselves; `sha256` is that of the file it came from."""

    version: int
    sha256: str
    intervals: Intervals
    units: Units
    golden: GoldenRule
    directions: DirectionRule
    paper: PaperRule
    replay: ReplayRule

    @property
    def bootstrap(self) -> Bootstrap:
        """How intervals within a run are drawn."""
        return Bootstrap(draws=self.intervals.draws, level=self.intervals.level)

    def generator(self, *names: str) -> np.random.Generator:
        """A generator for one named interval, so that no interval depends on which others were computed before it."""
        digest = hashlib.sha256(json.dumps(names).encode()).digest()
        return np.random.default_rng([self.intervals.seed, int.from_bytes(digest[:8], "big")])


@cache
def load() -> Policy:
    """The policy of this release.

    Raises:
        InputError: `benchmark/policy.toml` breaks the format.
    """
    return parse(files("benchmark").joinpath("policy.toml").read_bytes().decode())


def parse(text: str, *, where: str = "benchmark/policy.toml") -> Policy:
    """The policy written in `text`; unknown, missing and mistyped keys are refused.

    Raises:
        InputError: a key or a value that the format does not have, or a share outside 0 to 1.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{where} is not TOML: {problem}.") from problem
    parts: dict[str, type] = {
        "intervals": Intervals,
        "units": Units,
        "golden": GoldenRule,
        "directions": DirectionRule,
        "paper": PaperRule,
        "replay": ReplayRule,
    }
    for key in data:
        if key not in {"version", *parts}:
            raise InputError(f"{where}: unknown key '{key}'. {nearest(key, ['version', *parts])}")
    sections = {name: _section(kind, data.get(name), f"{where}: [{name}]") for name, kind in parts.items()}
    if type(data.get("version")) is not int:
        raise InputError(f"{where}: version must be a whole number, found {data.get('version')!r}.")
    return Policy(version=data["version"], sha256=hashlib.sha256(text.encode()).hexdigest(), **sections)


SHARES = frozenset({"level", "alpha", "failed_share", "family_alpha", "power"})


def _section(kind: type, data: object, where: str) -> Any:  # noqa: ANN401 - the caller names the class it gets
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: this section is missing.")
    types = {field.name: field.type for field in fields(kind)}
    for key in data:
        if key not in types:
            raise InputError(f"{where}: unknown key '{key}'. {nearest(key, types)}")
    for key, wanted in types.items():
        value: Any = data.get(key)
        if key == "margins":
            _check_margins(value, where)
            continue
        if type(value) is not wanted:
            raise InputError(f"{where}: {key} must be of type {getattr(wanted, '__name__', wanted)}, found {value!r}.")
        if key in SHARES and not 0 <= value < 1:
            raise InputError(f"{where}: {key} is {value}; it must be at least 0 and below 1.")
    return kind(**data)


def _check_margins(value: object, where: str) -> None:
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"{where}: margins must be a table of numbers by metric, found {value!r}.")
    for metric, margin in value.items():
        if type(margin) is not float or not margin > 0:
            raise InputError(f"{where}: the margin of {metric} must be a number above zero, found {margin!r}.")
