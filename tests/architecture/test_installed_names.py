"""The generic names spade, benchmark and analysis in site-packages are this distribution's, and complete."""

import importlib
import os
import re
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = PROJECT["project"]["name"]
LISTED: list[str] = PROJECT["tool"]["setuptools"]["packages"]
TOP = sorted({name for name in LISTED if "." not in name})

installed_by_tox = pytest.mark.skipif(
    "TOX_ENV_NAME" not in os.environ, reason="only tox installs the wheel; here the checkout is imported"
)


def test_the_package_list_equals_the_tree() -> None:
    # The list is explicit because automatic discovery drops `benchmark`; this keeps it from going stale.
    found = {path.parent.relative_to(ROOT) for name in TOP for path in (ROOT / name).rglob("__init__.py")}
    assert sorted(LISTED) == sorted(".".join(path.parts) for path in found)


def test_every_python_file_lies_in_a_listed_package() -> None:
    folders = {path.parent for name in TOP for path in (ROOT / name).rglob("*.py")}
    assert {".".join(folder.relative_to(ROOT).parts) for folder in folders} <= set(LISTED)


@installed_by_tox
@pytest.mark.parametrize("name", TOP)
def test_an_installed_name_belongs_to_this_distribution_alone(name: str) -> None:
    assert packages_distributions()[name] == [NAME]


@installed_by_tox
@pytest.mark.parametrize("name", TOP)
def test_the_wheel_is_under_test_and_not_the_checkout(name: str) -> None:
    file = importlib.import_module(name).__file__
    assert file is not None
    assert Path(file).parent.parent.name == "site-packages"
    assert not Path(file).is_relative_to(ROOT / name)


@installed_by_tox
def test_the_wheel_carries_every_file_of_the_packages() -> None:
    # Definitions, templates and numbers are data files: one left out of package-data is missing for users only.
    held = {str(path) for path in distribution(NAME).files or ()}
    tree = {path for name in TOP for path in (ROOT / name).rglob("*") if path.is_file()}
    wanted = {path.relative_to(ROOT).as_posix() for path in tree if "__pycache__" not in path.parts}
    assert wanted - held == set()


@installed_by_tox
def test_the_installed_version_is_the_declared_one() -> None:
    assert distribution(NAME).version == PROJECT["project"]["version"]


def test_an_upload_is_refused() -> None:
    # An index would let these generic names into other people's environments.
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


def test_every_ignored_lint_rule_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lint = text.partition("[tool.ruff.lint]")[2]
    rules = [line for line in lint.splitlines() if re.match(r'\s*"[A-Z]+\d*",|"[^"]+" = \[".*\]', line)]
    assert rules
    assert [line for line in rules if not re.search(r"#\s+\S+ \S+", line)] == []
