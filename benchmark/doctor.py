"""Whether this machine and this installation can run the benchmark: one finding a check, each with its remedy."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import psutil

from data_manifests import manifest, published, trojan_patches
from data_manifests.errors import ManifestError
from spade.errors import SpadeError

from . import definition, direction, golden_file, plan, policy, provenance, unit_file
from .store import Store

State = Literal["ok", "note", "bad"]

LEAST_MEMORY_GB = 2.0
"""The main job with one worker stays below this."""

LEAST_DISK_GB = 1.0
"""Maps and a trained network of a run take a tenth of it; the rest is room for more seeds."""


@dataclass(frozen=True)
class Finding:
    """What one check found; "bad" keeps the benchmark from running or from being right, "note" is worth knowing."""

    check: str
    state: State
    found: str


def examine(folder: Path) -> Iterator[Finding]:
    """Every finding, cheap checks first; `folder` is where runs are stored."""
    yield _python()
    yield from _releases()
    yield _processor()
    yield _memory()
    yield _disk(folder)
    yield _checked("torch and torchvision", _operators)
    yield _checked("published numbers", _published)
    yield _checked("manifests", _manifests)
    yield _checked("policy and directions", _rules)
    yield _checked("tables", _tables)
    yield _checked("scales", _scales)
    yield _checked("golden ranges", _golden)
    yield from _stored(folder)


def _checked(check: str, look: Callable[[], str]) -> Finding:
    """The finding of a check that raises where something is wrong."""
    try:
        return Finding(check, "ok", look())
    except (SpadeError, ManifestError) as problem:
        return Finding(check, "bad", str(problem))
    except Exception as problem:  # noqa: BLE001 - a doctor reports what ails, whatever it is
        return Finding(check, "bad", f"{type(problem).__name__}: {problem}")


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _releases() -> Iterator[Finding]:
    found = provenance.releases()
    yield Finding("releases", "ok", ", ".join(f"{name} {release}" for name, release in found.items()))
    missing = [name for name in provenance.ARITHMETIC if name not in found]
    if missing:
        yield Finding("releases", "bad", f"Not installed: {', '.join(missing)}. Install `spade-bench[benchmark]`.")
    old = list(_below_the_bound())
    if old:
        yield Finding("releases", "note", f"Older than was tested: {', '.join(old)}.")


def _below_the_bound() -> Iterator[str]:
    try:
        wanted = requires("spade-bench") or []
    except PackageNotFoundError:  # run from a checkout: nothing declares a bound
        return
    for line in wanted:
        name, _, bound = line.partition(";")[0].strip().partition(">=")
        try:
            release = version(name.partition("[")[0].strip())
        except PackageNotFoundError:
            continue
        if bound and _numbers(release) < _numbers(bound):
            yield f"{name} {release} (tested from {bound.strip()})"


def _numbers(release: str) -> tuple[int, ...]:
    """The leading numbers of a release; an upper bound and build tags behind them do not matter here."""
    parts = release.partition(",")[0].partition("+")[0].split(".")
    return tuple(int(part) for part in parts if part.strip().isdigit())


def _processor() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if name in os.environ}
    said = ", ".join(f"{name}={value}" for name, value in threads.items()) or "thread variables not set"
    return Finding("processor", "ok", f"{provenance.cpu()}, {usable} of {os.cpu_count()} cores usable, {said}")


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 2**30
    found = f"{free:.1f} GB available"
    if free < LEAST_MEMORY_GB:
        return Finding("memory", "bad", f"{found}; the main job needs {LEAST_MEMORY_GB:g} GB. Close something.")
    return Finding("memory", "ok", found)


def _disk(folder: Path) -> Finding:
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return Finding("disk", "bad", f"{existing} cannot be written; name another folder with --store.")
    free = shutil.disk_usage(existing).free / 2**30
    found = f"{free:.1f} GB free at {folder}"
    if free < LEAST_DISK_GB:
        return Finding("disk", "bad", f"{found}; runs need {LEAST_DISK_GB:g} GB. Make room or use --store.")
    return Finding("disk", "ok", found)


def _operators() -> str:
    torch = import_module("torch")
    ops = import_module("torchvision.ops")
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    # A torchvision that was not built for this torch imports and then lacks its operators.
    ops.nms(boxes, torch.ones(1), 0.5)
    return f"operators answer, {torch.get_num_threads()} threads"


def _published() -> str:
    tables = [published.load(name) for name in published.table_ids()]
    return f"{len(tables)} tables, {sum(len(table.cells) for table in tables)} cells, every hash as noted"


def _manifests() -> str:
    entries = sum(len(manifest.load(name).entries) for name in manifest.MANIFESTS)
    return f"{entries} entries in {len(manifest.MANIFESTS)} manifests, {len(trojan_patches())} Trojans"


def _rules() -> str:
    rules = policy.load()
    return f"policy version {rules.version} (sha256 {rules.sha256[:12]}), {len(direction.load())} directions"


def _tables() -> str:
    tables = definition.load_all()
    for table in tables:
        printed = published.load(table.id.upper())
        for column in (arm.column for arm in table.arms):
            printed.column(column)  # raises where the paper prints no such column
    return f"{len(tables)} definitions: {', '.join(table.id for table in tables)}"


def _scales() -> str:
    scale_subject = import_module("benchmark.scale_subject")
    scale = import_module("benchmark.scale")
    for name in scale.names():
        subject = scale_subject.unexplained(scale.load(name), 0)
        plan.make((table for table in definition.load_all() if name in table.scales), subject)
    return f"{', '.join(scale.names())}: every table finds its ratios"


def _golden() -> str:
    scale = import_module("benchmark.scale")
    said = []
    for name in scale.names():
        ranges = golden_file.load(name)
        golden_file.load_seeds(name)
        said.append(f"{name}: {len(ranges.ranges)} ranges of {len(ranges.seeds)} seeds" if ranges else f"{name}: none")
    return "; ".join(said)


def _stored(folder: Path) -> Iterator[Finding]:
    store = Store(folder)
    for path in sorted((folder / "units").glob("*.jsonl")):
        contents = unit_file.read(path)
        for note in contents.notes(path.name):
            yield Finding("store", "note", note)
        if not contents.notes(path.name):
            yield Finding("store", "ok", f"{path.name}: {len(contents.records)} units")
    for name, seed in store.runs():
        try:
            store.read_manifest(name, seed)
        except SpadeError as problem:
            yield Finding("store", "note", str(problem))
