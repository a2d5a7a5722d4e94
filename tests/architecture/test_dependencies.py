"""What a package imports is what its extra installs."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
HOUSE = {"data_manifests", "spade", "benchmark", "study_app", "analysis"}

# Which extras a folder's imports may come from; the base dependencies are always there.
PROMISED = {
    "data_manifests": [],
    "spade": ["method"],
    "spade/visualisation.py": ["stimuli"],
    "spade/scorecam.py": ["stimuli"],
    "benchmark": ["benchmark"],
    "study_app": ["study"],
    "study_app/parquet.py": ["study", "parquet"],
    "study_app/stimuli": ["stimuli"],
    "analysis": ["analysis"],
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(extra: str | None) -> set[str]:
    """Names of the distributions that `extra` (None: the base) asks for, extras of this project unfolded."""
    found: set[str] = set()
    for line in EXTRAS[extra] if extra else PROJECT["dependencies"]:
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[([^]]*)\])?", line)
        assert match, line
        if normal(match[1]) == PROJECT["name"]:
            found = found.union(*(requirements(part.strip()) for part in match[2].split(",")))
        else:
            found.add(normal(match[1]))
    return found


def third_party(path: Path) -> set[str]:
    """Top-level names `path` imports that are neither the standard library's nor this house's."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - HOUSE - set(sys.stdlib_module_names)


def promised(path: Path) -> set[str]:
    """Distributions that the extras of `path` and the base install."""
    key = max((name for name in PROMISED if path.is_relative_to(ROOT / name)), key=len)
    return requirements(None).union(*(requirements(extra) for extra in PROMISED[key]))


@pytest.mark.parametrize("package", sorted(HOUSE))
def test_every_third_party_import_is_declared_by_the_extra_of_its_package(package: str) -> None:
    owners = packages_distributions()
    undeclared = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / package).rglob("*.py")
        for name in third_party(path)
        if not {normal(owner) for owner in owners.get(name, [name])} & promised(path)
    }
    assert undeclared == set()


def test_a_study_server_installs_without_torch_and_an_analyst_without_torch_or_flask() -> None:
    assert not requirements("study") & {"torch", "torchvision", "captum", "zennit", "grad-cam", "torch-lucent"}
    assert not requirements("analysis") & {"torch", "torchvision", "captum", "zennit", "flask", "sqlalchemy"}


def test_every_dependency_has_a_lower_bound() -> None:
    lines = [line for group in (PROJECT["dependencies"], *EXTRAS.values()) for line in group]
    assert [line for line in lines if not line.startswith(PROJECT["name"]) and ">=" not in line] == []


def test_the_same_dependency_has_the_same_bound_wherever_it_is_named() -> None:
    bounds: dict[str, set[str]] = {}
    for line in [line for group in EXTRAS.values() for line in group]:
        name, _, rest = line.partition(">=")
        bounds.setdefault(normal(name), set()).add(rest)
    assert {name: values for name, values in bounds.items() if len(values) > 1} == {}
