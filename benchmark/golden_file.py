"""Files of a scale's golden ranges and per-seed summaries: written by `bless` and `golden`, read by every verdict.

Those of this release come with it. Ranges of one's own (a table or a scale of another package, another machine) stand
in a folder that the environment variable `SPADE_BENCH_EXPECTED` names, and go before them.
"""

import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from spade.errors import EnvironmentProblem, nearest

from . import seeds, whole_file
from .golden import ArithmeticSpread, Blessing, Golden, GoldenRange
from .replay import Tolerance
from .seeds import Condition, SeedSummary

EXPECTED = "SPADE_BENCH_EXPECTED"
"""The environment variable that names a folder of one's own ranges."""


def load(scale: str, folder: Path | None = None) -> Golden | None:
    """The golden ranges of a scale, from `folder` or where verdicts take them; None where none were measured.

    Raises:
        EnvironmentProblem: the file is damaged, or the folder that the environment names is not there.
    """
    source = _place(scale, folder).joinpath(f"{scale}.toml")
    if not source.is_file():
        return None
    return decode(source.read_text(encoding="utf-8"), where=f"expected/{scale}.toml")


def load_seeds(scale: str, folder: Path | None = None) -> tuple[SeedSummary, ...]:
    """The per-seed summaries of a scale, from `folder` or where verdicts take them; none where none were kept.

    Raises:
        EnvironmentProblem: the file is damaged, or the folder that the environment names is not there.
    """
    source = _place(scale, folder).joinpath(f"{scale}_seeds.json")
    if not source.is_file():
        return ()
    return seeds.decode(source.read_text(encoding="utf-8"), where=f"expected/{scale}_seeds.json")


def store(golden: Golden, folder: Path) -> Path:
    """The file the ranges were written to, `folder`/<scale>.toml.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    path = folder / f"{golden.scale}.toml"
    whole_file.write(path, encode(golden))
    return path


def encode(golden: Golden) -> str:
    """The ranges as TOML text, equal for equal ranges."""
    lists = {"arithmetic", "ranges", "replays", "blessings"}
    head = {key: value for key, value in asdict(golden).items() if key not in lists}
    plain = {key: value for key, value in head.items() if not isinstance(value, Mapping)}
    lines = [f"# Computed by `spade-bench bless` from {golden.scale}_seeds.json. Never edit by hand."]
    lines += _pairs(plain)
    for key, value in head.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *_pairs(value)]
    for name, entries in (
        ("blessings", golden.blessings),
        ("arithmetic", golden.arithmetic),
        ("replays", golden.replays),
    ):
        for entry in entries:
            lines += ["", f"[[{name}]]", *_pairs(asdict(entry))]
    for one in golden.ranges:
        lines += ["", "[[ranges]]", *_pairs(asdict(one))]
    return "\n".join(lines) + "\n"


def decode(text: str, *, where: str) -> Golden:
    """The ranges in TOML text that `encode` wrote; `where` names the text in errors.

    Raises:
        EnvironmentProblem: the text is damaged.
    """
    try:
        data = tomllib.loads(text)
        for key in data:
            if key not in {field.name for field in fields(Golden)}:
                raise EnvironmentProblem(
                    f"{where}: unknown key '{key}'. {nearest(key, (field.name for field in fields(Golden)))}"
                )
        spreads = tuple(ArithmeticSpread(**{**one, "seeds": tuple(one["seeds"])}) for one in data.pop("arithmetic", []))
        ranges = tuple(GoldenRange(**one) for one in data.pop("ranges", []))
        replays = tuple(
            Tolerance(**{**one, "environments": tuple(one["environments"])}) for one in data.pop("replays", [])
        )
        blessings = tuple(Blessing(**{**one, "tables": tuple(one["tables"])}) for one in data.pop("blessings", []))
        condition = Condition(**data.pop("condition"))
        return Golden(
            **{**data, "seeds": tuple(data["seeds"])},
            condition=condition,
            arithmetic=spreads,
            ranges=ranges,
            replays=replays,
            blessings=blessings,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as problem:
        raise EnvironmentProblem(f"{where} is damaged ({problem}); compute it again from the seeds.") from problem


def _place(scale: str, folder: Path | None) -> Traversable:
    """The folder of a scale's files: the one given, else one's own where it has ranges of the scale, else ours."""
    if folder is not None:
        return folder
    if named := os.environ.get(EXPECTED):
        own = Path(named)
        if not own.is_dir():
            raise EnvironmentProblem(f"{EXPECTED} names {named}, where no folder is; make it, or unset the variable.")
        if own.joinpath(f"{scale}.toml").is_file():
            return own
    return files("benchmark.expected")


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in values.items()]


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: object) -> str:
    """A TOML value; JSON's texts, whole numbers and lists are TOML's too."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    return json.dumps(value, ensure_ascii=False)
