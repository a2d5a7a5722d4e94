"""Installed packages that last for one test; the doubles of these tests and of the benchmark's are importable here."""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "spade-bench-example"

for doubles in (HERE / "doubles", HERE.parent / "benchmark" / "doubles"):
    if str(doubles) not in sys.path:  # at import: test modules import the doubles when they are collected
        sys.path.insert(0, str(doubles))

from installed_packages import Site, forget  # noqa: E402 - found by the path above


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder of installed packages, on the path."""
    made = Site(tmp_path / "site")
    made.folder.mkdir()
    monkeypatch.syspath_prepend(str(made.folder))
    forget()
    yield made
    for name in [one for one in sys.modules if one.partition(".")[0] in made.packages]:
        del sys.modules[name]
    monkeypatch.undo()
    forget()


@pytest.fixture
def example(site: Site) -> Site:
    """The example package, installed."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = {one.stem: one.read_text(encoding="utf-8") for one in (EXAMPLE / "spade_bench_example").glob("*.py")}
    site.install(project["name"], project["version"], project["entry-points"], **texts)
    return site
