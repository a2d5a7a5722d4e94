"""An evaluator without a network: every value is arithmetic on the unit's key, so any order must give the same."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.plan import Job, Subject, Unit, generator_seed
from benchmark.records import SampleNote, Status, UnitRecord
from benchmark.runner import Evaluator, Finished, failed
from spade.errors import EnvironmentProblem

METHODS = (
    "Saliency",
    "InputXGradient",
    "DeepLift",
    "LRP",
    "GuidedBackprop",
    "GuidedGradCam",
    "LIME",
    "Occlusion",
    "IntegratedGradients",
    "GradientShap",
)


def subject(n_samples: int = 4, *, seed: int = 0, scale: str = "smoke") -> Subject:
    """A subject whose FastSPADE ratios differ by method."""
    return Subject(
        scale=scale,
        seed=seed,
        recipe_sha256="ab" * 32,
        weights_sha256="12" * 32,
        protocol={"name": "ours", "map_channels": "abs_sum"},
        numerics={"device": "cpu"},
        n_augmentations=8,
        ratios={
            "spade": {"layer4": 0.9, "layer3": 0.8},
            "fastspade": {method: {"layer4": round(0.5 + i / 100, 2)} for i, method in enumerate(METHODS)},
        },
        samples=tuple(SampleNote(f"s{i}", label=i, target=i + 1, patch="fish") for i in range(n_samples)),
        patches=("fish", "star"),
        clean=tuple(SampleNote(f"c{i}", label=i, target=i, patch="") for i in range(n_samples)),
    )


def value(unit: Unit) -> float:
    """A value in [0, 1) that depends on nothing but the key."""
    return generator_seed(unit.key) / 2**63


@dataclass(frozen=True)
class FakeEvaluator:
    """What goes wrong is chosen by the fields.

    seconds: sleep in each unit.
    fails: method that raises. unavailable: method the network cannot take.
    dies: method at which its process is killed, once for each file name left free under `markers`.
    """

    seconds: float = 0.0
    fails: str = ""
    unavailable: str = ""
    dies: str = ""
    markers: str = ""
    deaths: int = 1
    broken: bool = False
    constant: float | None = None  # every unit has this value

    def __call__(self, job: Job) -> Iterator[Finished]:
        for unit in job.units:
            if unit.method == self.dies:
                self._die(job)
            time.sleep(self.seconds)
            yield self._finish(unit)

    def _die(self, job: Job) -> None:
        for i in range(self.deaths):
            marker = Path(self.markers) / f"{job.name}-{i}"
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    def _finish(self, unit: Unit) -> Finished:
        if self.broken:
            raise EnvironmentProblem("The machine is on fire; put it out.")
        if unit.method == self.fails:
            return Finished(failed(unit, 0, "RuntimeError: no"))
        status: Status = "unavailable" if unit.method == self.unavailable else "ok"
        record = UnitRecord(
            key=unit.key,
            status=status,
            reason="the network has no such layer" if status != "ok" else "",
            sample=unit.sample,
            arm=unit.arm,
            method=unit.method,
            seed=0,
            value=(value(unit) if self.constant is None else self.constant) if status == "ok" else None,
            seconds=0.5,
            sparsity=dict(unit.ratios),
        )
        heatmap = np.full((2, 2), value(unit), dtype=np.float32) if unit.kind == "map" else None
        return Finished(record, heatmap)


@contextmanager
def opened(evaluator: FakeEvaluator) -> Iterator[Evaluator]:
    """An evaluator made ready; a partial of this pickles."""
    yield evaluator


@contextmanager
def never_ready() -> Iterator[Evaluator]:
    """An evaluator whose process dies while it loads."""
    os.kill(os.getpid(), signal.SIGKILL)
    yield FakeEvaluator()
