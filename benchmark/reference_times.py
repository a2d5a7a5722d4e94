"""What a scale's networks and units took on one machine, so that `plan` has an estimate where nothing was run yet.

`expected/<scale>_times.json` is written by `spade-bench times` from a calibrated run and by nothing else. Seconds of
two machines differ; what is read from another's is multiplied by how long one fixed piece of work takes here and took
there (`yardstick`), which makes an estimate of it and no more. No verdict rests on it.
"""

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path

from spade.errors import EnvironmentProblem, InputError

from . import whole_file
from .records import UnitRecord

Kind = tuple[str, str]
"""Arm and method of a unit; ("dense", "") stands for any method of the arm."""

OF_STORED: Kind = ("", "a score of a stored map")


@dataclass(frozen=True)
class ReferenceTimes:
    """Seconds of one core.

    Attributes:
        cpu: the processor they were measured on.
        torch: its release.
        date: of the measurement.
        yardstick: seconds of the fixed piece of work there.
        prepared: for each network, what making it took; "" is the dense one, its images and samples included.
        units: median of each kind of unit.
    """

    scale: str
    cpu: str
    torch: str
    date: str
    yardstick: float
    prepared: Mapping[str, float]
    units: Mapping[Kind, float]

    def here(self, yardstick: float) -> "ReferenceTimes":
        """The same as it should be on a machine whose yardstick is this many seconds."""
        factor = yardstick / self.yardstick
        return replace(
            self,
            yardstick=yardstick,
            prepared={name: factor * seconds for name, seconds in self.prepared.items()},
            units={kind: factor * seconds for kind, seconds in self.units.items()},
        )


def medians(records: Iterable[UnitRecord]) -> dict[Kind, float]:
    """The median seconds of each kind of unit among some records; failed ones say nothing about time."""
    times: dict[Kind, list[float]] = {}
    for record in records:
        if record.status == "ok":
            kinds = [OF_STORED] if record.scored_from else [(record.arm, record.method), (record.arm, "")]
            for kind in kinds:
                times.setdefault(kind, []).append(record.seconds)
    return {kind: statistics.median(seconds) for kind, seconds in times.items()}


def load(scale: str, folder: Path | None = None) -> ReferenceTimes | None:
    """The times of a scale, from `folder` or from this release; None where none were measured.

    Raises:
        EnvironmentProblem: the file is damaged.
    """
    source = (folder or files("benchmark.expected")).joinpath(f"{scale}_times.json")
    if not source.is_file():
        return None
    try:
        data = json.loads(source.read_text(encoding="utf-8"))
        units = {(arm, method): float(seconds) for arm, method, seconds in data.pop("units")}
        return ReferenceTimes(**data, units=units)
    except (ValueError, KeyError, TypeError) as problem:
        raise EnvironmentProblem(
            f"expected/{source.name} is damaged ({problem}); restore it, or measure it again with `spade-bench times`."
        ) from problem


def store(times: ReferenceTimes, folder: Path) -> Path:
    """The file the times were written to, `folder`/<scale>_times.json.

    Raises:
        InputError: a preparation that was not measured.
        EnvironmentProblem: the file cannot be written.
    """
    if "" not in times.prepared:
        raise InputError(
            f"The run of scale '{times.scale}' took its network from the cache, so that what making it takes is not "
            "known; calibrate in an empty store: `spade-bench plan --calibrate --store FOLDER`."
        )
    path = folder / f"{times.scale}_times.json"
    units = [[*kind, round(seconds, 5)] for kind, seconds in sorted(times.units.items())]
    head = json.dumps({**asdict(replace(times, units={})), "units": None}, indent=1, sort_keys=True)
    lines = ",\n  ".join(json.dumps(line) for line in units)
    whole_file.write(path, head.replace('"units": null', f'"units": [\n  {lines}\n ]') + "\n")
    return path
