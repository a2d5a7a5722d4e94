"""What was fixed before the answers came: one TOML file, hashed when the run was opened."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data_manifests.errors import allowed_names

from .errors import AnalysisError
from .exclusion import Exclusion, checked
from .measure import MEASURES
from .monitoring import looks


@dataclass(frozen=True)
class Preregistration:
    """What the study set out to test, and how.

    Attributes:
        title: the study.
        hypothesis: in words.
        primary: measure of the one primary test.
        secondary: measures tested beside it, Holm over all of them.
        level: of every interval; the test is at 1 - level.
        smallest_effect: smallest difference of interest (SESOI), as a share; 0 where none was named.
        raters: raters planned.
        ratings: answers planned.
        stop: the stopping rule, in words.
        exclusions: rules in the order they are applied.
        sha256: hash of the file, "" for the default that nobody registered.
        spending: rule by which alpha is spent over looks (`analysis.monitoring.SPENDING`), "" for one look at the end.
        looks: fractions of the planned answers at which the run may be stopped.
    """

    title: str
    hypothesis: str
    primary: str
    secondary: tuple[str, ...]
    level: float
    smallest_effect: float
    raters: int
    ratings: int
    stop: str
    exclusions: tuple[Exclusion, ...]
    sha256: str
    spending: str = ""
    looks: tuple[float, ...] = ()


UNREGISTERED = Preregistration(
    title="",
    hypothesis="Raters agree with Score-CAM more often when the visualisation was made with SPADE.",
    primary="agree",
    secondary=("undecided", "disagree", "agree_decided", "half_credit"),
    level=0.95,
    smallest_effect=0.0,
    raters=0,
    ratings=0,
    stop="",
    exclusions=(),
    sha256="",
)
"""The analyses made where nobody fixed any: all of them are exploratory."""


def file_hash(content: bytes) -> str:
    """The hash that stands in the export's column 'preregistration': SHA-256 with CR LF counted as LF."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def read(path: Path) -> Preregistration:
    """The preregistration in a TOML file.

    Raises:
        AnalysisError: the file cannot be read or is no preregistration; the key is named.
    """
    try:
        content = path.read_bytes()
        raw = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise AnalysisError(f"{path}: the preregistration cannot be read ({error.strerror or error}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AnalysisError(f"{path}: expected TOML in UTF-8, found a syntax error: {error}.") from error
    return _parsed(raw, str(path), file_hash(content))


_KEYS = {
    "title": str,
    "hypothesis": str,
    "primary": str,
    "secondary": list,
    "level": float,
    "smallest_effect": float,
    "raters": int,
    "ratings": int,
    "stop": str,
    "exclusion": list,
    "monitoring": dict,
}


def _refuse(raw: Mapping[str, object], where: str) -> None:
    for key, value in raw.items():
        if key not in _KEYS:
            raise AnalysisError(f"{where}: unknown key '{key}'; {allowed_names(key, _KEYS)}")
        allowed = (int, float) if _KEYS[key] is float else _KEYS[key]
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise AnalysisError(f"{where}: '{key}' should be a {_KEYS[key].__name__}, found {value!r}.")
    for key in ("title", "hypothesis", "primary", "secondary", "stop", "ratings"):
        if key not in raw:
            raise AnalysisError(f"{where}: the key '{key}' is missing.")


def _parsed(raw: Mapping[str, object], where: str, sha256: str) -> Preregistration:
    _refuse(raw, where)
    level, smallest = float(raw.get("level", 0.95)), float(raw.get("smallest_effect", 0.0))  # type: ignore[arg-type]
    if not 0.5 <= level < 1:
        raise AnalysisError(f"{where}: 'level' should lie in [0.5, 1), found {level}.")
    if not 0 <= smallest < 1:
        raise AnalysisError(f"{where}: 'smallest_effect' should be a share in [0, 1), found {smallest}.")
    primary, secondary = str(raw["primary"]), _names(raw["secondary"], where)
    spending, fractions = _monitoring(raw.get("monitoring"), where, alpha=1 - level)
    for name in (primary, *secondary):
        if name not in MEASURES:
            raise AnalysisError(f"{where}: there is no measure '{name}'; {allowed_names(name, MEASURES)}")
    if primary in secondary or len(set(secondary)) < len(secondary):
        raise AnalysisError(f"{where}: 'secondary' names a measure twice, or the primary one.")
    return Preregistration(
        title=str(raw["title"]),
        hypothesis=str(raw["hypothesis"]),
        primary=primary,
        secondary=secondary,
        level=level,
        smallest_effect=smallest,
        raters=int(raw.get("raters", 0)),  # type: ignore[call-overload]
        ratings=int(raw["ratings"]),  # type: ignore[call-overload]
        stop=str(raw["stop"]),
        exclusions=_exclusions(raw.get("exclusion", []), where),
        sha256=sha256,
        spending=spending,
        looks=fractions,
    )


def _monitoring(value: object, where: str, *, alpha: float) -> tuple[str, tuple[float, ...]]:
    if value is None:
        return "", ()
    place = f"{where}, monitoring"
    if not isinstance(value, dict) or set(value) != {"spending", "looks"}:
        raise AnalysisError(f"{place}: expected the keys 'spending' and 'looks', found {value!r}.")
    fractions = value["looks"]
    if not isinstance(fractions, list) or not all(isinstance(one, (int, float)) for one in fractions):
        raise AnalysisError(f"{place}: 'looks' should be a list of fractions, found {fractions!r}.")
    try:
        looks([float(one) for one in fractions], spending=str(value["spending"]), alpha=alpha)
    except AnalysisError as error:
        raise AnalysisError(f"{place}: {error}") from error
    return str(value["spending"]), tuple(float(one) for one in fractions)


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise AnalysisError(f"{where}: 'secondary' should be a list of measures, found {value!r}.")
    return tuple(value)


def _exclusions(value: object, where: str) -> tuple[Exclusion, ...]:
    found = []
    for number, entry in enumerate(value if isinstance(value, list) else [value], start=1):
        place = f"{where}, exclusion {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get("rule"), str):
            raise AnalysisError(f"{place}: expected a table headed [[exclusion]] with a key 'rule'.")
        numbers = {key: one for key, one in entry.items() if key != "rule"}
        for key, one in numbers.items():
            if not isinstance(one, (int, float)) or isinstance(one, bool):
                raise AnalysisError(f"{place}: '{key}' should be a number, found {one!r}.")
        exclusion = Exclusion(entry["rule"], tuple((key, float(one)) for key, one in numbers.items()))
        try:
            checked(exclusion)
        except AnalysisError as error:
            raise AnalysisError(f"{place}: {error}") from error
        found.append(exclusion)
    return tuple(found)
