"""Every place that names the version or the licence names the same."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def first(pattern: str, file: str) -> str:
    """What the one group of `pattern` matches first in `file`."""
    match = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert match, f"{file} has nothing like {pattern}"
    return match[1]


@pytest.mark.parametrize(
    ("file", "pattern"), [("CITATION.cff", r'^version: "?([^"\n]+)"?$'), ("CHANGELOG.md", r"^## (\d\S*)")]
)
def test_versions_agree(file: str, pattern: str) -> None:
    assert first(pattern, file) == PROJECT["version"]


def test_licences_agree() -> None:
    assert first(r"^license: (\S+)$", "CITATION.cff") == PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_oldest_python_agrees() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert settings["mypy"]["python_version"] == oldest
    assert settings["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert f"Python {oldest}" in (ROOT / "README.md").read_text(encoding="utf-8")
