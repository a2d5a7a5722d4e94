"""The folder of runs: unit records, maps, sample images, and one manifest a run that ties them to tables.

    units/<scale>-seed<N>-<weights>.jsonl    one line a unit (`benchmark.unit_file`)
    maps/<recipe>/<2 digits>/<key>.npy       the saliency map behind a unit, [H, W] fp32
    samples/<recipe>/<n>.npz                 image [C, H, W] uint8 and mask [H, W] bool of a test sample
    runs/<scale>-seed<N>.json                what was asked of whom, and how the run went
    cache/                                   trained networks, and statistics of earlier reports

Everything but the manifests can be computed again; a damaged map or image counts as absent.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spade.errors import EnvironmentProblem, InputError

from . import definition, unit_file
from .plan import Subject, make
from .records import RunRecords, SampleNote

_LEAST_ROOM = 1 << 20
"""Bytes of a trained network and of a run's first hundred units."""

SHORT = 12
"""Digits of a hash in a file name; the full hash is in every key."""


@dataclass(frozen=True)
class Manifest:
    """What a run asked of whom: enough to make its plan, its pages and its verdicts again without the network.

    tables: ids of every table asked of this subject so far, in the paper's order.
    accuracy: "clean_accuracy", and "trojan_accuracy <patch>" for each patch, in [0, 1].
    """

    subject: Subject
    tables: tuple[str, ...]
    accuracy: Mapping[str, float]
    provenance: Mapping[str, Any]

    @property
    def defined(self) -> tuple[str, ...]:
        """Its tables, less those of other packages that are installed no more: their units stay in the store."""
        gone = {name for name in self.tables if f"table {name}" in self.provenance.get("plugins", {})}
        return tuple(name for name in self.tables if name not in gone - set(definition.all_names()))


@dataclass(frozen=True)
class Store:
    """The folder where runs live."""

    folder: Path

    @property
    def cache(self) -> Path:
        """Folder of trained networks."""
        return self.folder / "cache"

    def statistics(self, scale: str, seed: int) -> Path:
        """File of the statistics of a run's last reports."""
        return self.cache / "statistics" / f"{scale}-seed{seed}.json"

    def units_path(self, subject: Subject) -> Path:
        """The unit file of one network: seeds and scales never share one, so they may run at the same time."""
        name = f"{subject.scale}-seed{subject.seed}-{subject.weights_sha256[:SHORT]}.jsonl"
        return self.folder / "units" / name

    def runs(self) -> tuple[tuple[str, int], ...]:
        """(scale, seed) of every run that has a manifest."""
        found = []
        for path in (self.folder / "runs").glob("*-seed*.json"):
            scale, _, seed = path.stem.rpartition("-seed")
            if scale and seed.isdigit():
                found.append((scale, int(seed)))
        return tuple(sorted(found))

    def refuse_unwritable(self) -> None:
        """Nothing, where the folder takes files: asked before minutes of training, and not only after.

        Raises:
            EnvironmentProblem: it cannot be made or written, or the disk is full.
        """
        with _said(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder) as file:
                file.write(bytes(_LEAST_ROOM))

    def write_manifest(self, manifest: Manifest) -> None:
        """Keep the manifest of a run, in one step."""
        subject = manifest.subject
        path = self.folder / "runs" / f"{subject.scale}-seed{subject.seed}.json"
        text = json.dumps(asdict(manifest), indent=1, sort_keys=True, default=dict)
        _replace(path, text.encode())

    def read_manifest(self, scale: str, seed: int) -> Manifest:
        """The manifest of a run.

        Raises:
            InputError: no such run in this folder.
            EnvironmentProblem: its file is damaged.
        """
        path = self.folder / "runs" / f"{scale}-seed{seed}.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            subject = data["subject"]
            for part in ("samples", "clean"):
                subject[part] = tuple(SampleNote(**note) for note in subject.get(part, ()))
            subject["patches"] = tuple(subject["patches"])
            return Manifest(Subject(**subject), tuple(data["tables"]), data["accuracy"], data["provenance"])
        except FileNotFoundError:
            known = ", ".join(f"{name} with seed {n}" for name, n in self.runs()) or "none"
            raise InputError(
                f"No run of scale '{scale}' with seed {seed} in {self.folder} (runs there: {known}); "
                f"start one with `spade-bench run --scale {scale} --seed {seed}`."
            ) from None
        except (ValueError, KeyError, TypeError) as problem:
            raise EnvironmentProblem(
                f"{path} is damaged; give the same `spade-bench run` again, which writes it anew from the stored units."
            ) from problem

    def run(self, scale: str, seed: int, *, tables: tuple[str, ...] = ()) -> RunRecords:
        """Everything stored of a run, for its pages and verdicts; all its tables unless some are named."""
        manifest = self.read_manifest(scale, seed)
        subject = manifest.subject
        plan = make((definition.load(name) for name in tables or manifest.defined), subject)
        wanted = {unit.key for unit in plan.units}
        records = unit_file.read(self.units_path(subject)).records
        return RunRecords(
            scale=scale,
            seed=seed,
            recipe_sha256=subject.recipe_sha256,
            protocol=subject.protocol,
            tables=plan.tables,
            asked=plan.asked,
            records={key: record for key, record in records.items() if key in wanted},
            samples=subject.all_samples,
            accuracy=manifest.accuracy,
            provenance=manifest.provenance,
            store=self.folder,
            weights_sha256=subject.weights_sha256,
        )

    def write_map(self, recipe_sha256: str, key: str, heatmap: NDArray[np.float32]) -> str:
        """Keep a map [H, W] for pages and later metrics; its check sum."""
        path = self._map(recipe_sha256, key)
        kept = np.ascontiguousarray(heatmap, dtype=np.float32)
        content = BytesIO()
        np.save(content, kept)
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.getvalue())  # np.save on a full disk says how many items, and not why
        return _check_sum(kept)

    def read_map(self, recipe_sha256: str, key: str, *, check: str = "") -> NDArray[np.float32] | None:
        """The map [H, W] of a unit; None where it is absent or damaged, or has another check sum than is given."""
        try:
            with self._map(recipe_sha256, key).open("rb") as file:
                found = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        heatmap = found.astype(np.float32, copy=False) if found.ndim == 2 else None
        return None if heatmap is None or (check and _check_sum(heatmap) != check) else heatmap

    def write_sample(self, recipe_sha256: str, name: str, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
        """Keep the image [C, H, W] and the patch mask [H, W] of a test sample for pages."""
        path = self._sample(recipe_sha256, name)
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, image=image, mask=mask)

    def read_sample(self, recipe_sha256: str, name: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_]] | None:
        """Image [C, H, W] and mask [H, W] of a test sample; None where they are absent or damaged."""
        try:
            with self._sample(recipe_sha256, name).open("rb") as file, np.load(file, allow_pickle=False) as found:
                return found["image"], found["mask"]
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def _map(self, recipe_sha256: str, key: str) -> Path:
        return self.folder / "maps" / recipe_sha256[:SHORT] / key[:2] / f"{key}.npy"

    def _sample(self, recipe_sha256: str, name: str) -> Path:
        # An id may hold any character; its hash is a file name everywhere.
        return self.folder / "samples" / recipe_sha256[:SHORT] / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.npz"


def _check_sum(heatmap: NDArray[np.float32]) -> str:
    return hashlib.sha256(f"{heatmap.shape}".encode() + heatmap.tobytes()).hexdigest()[:SHORT]


class _said:  # noqa: N801 - reads as a word: with _said(path)
    """Turns a failing disk into a sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, OSError):
            raise EnvironmentProblem(
                f"{self.path} cannot be written: {problem.strerror}. The units stored so far are kept; make room and "
                "give the same command again."
            ) from problem


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never half of it."""
    with _said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".fresh")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
