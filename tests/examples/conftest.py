"""Installed packages that last for one test."""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from installed_packages import Site, forget

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "spade-bench-example"


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
