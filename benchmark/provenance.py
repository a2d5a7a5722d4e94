"""Where numbers come from: command, releases, machine, commit, policy; nothing that names a person or a host."""

import os
import platform
import re
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any

import psutil

LIBRARIES = ("torch", "torchvision", "captum", "zennit", "scikit-learn", "scikit-image", "numpy", "scipy", "pandas")
"""Distributions whose release is recorded."""

ARITHMETIC = ("torch", "torchvision", "captum", "zennit", "scikit-learn", "scikit-image", "numpy")
"""Those whose release can change a unit's value, and so is part of its key."""

_ABSOLUTE = re.compile(r"(?<![\w.~:/])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\"]+[/\\])+")


def releases(names: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Installed release by distribution, without importing any; those not installed are left out."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def release() -> str:
    """The release of this project: of the installed package, else of the checkout this code lies in."""
    try:
        return version("spade-bench")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def numerics() -> dict[str, Any]:
    """What decides the arithmetic of a unit: device, precision, threads and releases; part of every unit's key."""
    # Build tags (+cpu, +cu128) stay: another build is another arithmetic.
    return {"device": "cpu", "dtype": "float32", "threads": 1, "libraries": releases(ARITHMETIC)}


def without_paths(text: str) -> str:
    """The text with every absolute path cut down to its last part: a report is read by strangers."""
    return _ABSOLUTE.sub(".../", text)


def command(arguments: Sequence[str]) -> str:
    """The command line as typed, the program by its name and paths by their last part."""
    program, *rest = arguments or ["spade-bench"]
    return " ".join([PurePath(program).name, *(without_paths(word) for word in rest)])


def invocation(
    arguments: Sequence[str], *, started: datetime, seconds: float, workers: int, units: int, ended: str
) -> dict[str, Any]:
    """What is recorded of one command: what was typed, when (with its zone), how long it took, what it computed.

    ended: "complete", "interrupted", or "running", which stays where the process was killed.
    """
    if started.tzinfo is None:
        raise ValueError("the start of a command needs a time zone")
    return {
        "command": command(arguments),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "workers": workers,
        "units_computed": units,
        "ended": ended,
        "releases": releases(),
    }


def collect(
    invocations: Sequence[Mapping[str, Any]], *, scale_sha256: str, policy_sha256: str, network: str
) -> dict[str, Any]:
    """The provenance of a run that took one or more commands, fit for publishing.

    network: whether the network was "trained" or taken from the "cache" by the last command.
    """
    return {
        "scale_sha256": scale_sha256,
        "policy_sha256": policy_sha256,
        "network": network,
        "invocations": [dict(item) for item in invocations],
        "seconds": round(sum(float(item["seconds"]) for item in invocations), 1),
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "threads_per_worker": 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "releases": releases(),
        "commit": commit(),
    }


def cpu() -> str:
    """The processor's model; its architecture where the system does not say more."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def commit() -> str | None:
    """The commit of the checkout this code lies in, "-changed" behind it if files differ; None outside a checkout."""
    here = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(here), *words],  # noqa: S607 - the user's git
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
        return done.stdout.strip()

    try:
        # An environment inside somebody else's repository must not lend us its commit.
        root = Path(git("rev-parse", "--show-toplevel"))
        if 'name = "spade-bench"' not in (root / "pyproject.toml").read_text(encoding="utf-8"):
            return None
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("-changed" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
