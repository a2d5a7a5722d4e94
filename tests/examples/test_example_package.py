"""The example package, installed into a folder of its own, adds a method, a metric and a table."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmark import cli, conformance, definition, plan, rerun
from benchmark.records import SampleNote
from benchmark.scale import load
from spade import plugins, saliency
from spade.errors import InputError
from spade.plugins import PluginError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "spade-bench-example"

BROKEN = {"spade_bench.saliency": {"Saliency": "os:sep", "Broken": "no_such_module:METHOD", "Wrong": "os:sep"}}


def install(folder: Path, name: str, version: str, groups: dict[str, dict[str, str]]) -> None:
    """What an installer writes of a package: its name, release and entry points."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [
        line for group, parts in groups.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in parts.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def forget() -> None:
    importlib.invalidate_caches()
    plugins.installed.cache_clear()
    plugins._source.cache_clear()
    definition.load.cache_clear()


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example package in a folder of installed packages."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install(tmp_path, project["name"], project["version"], project["entry-points"])
    package = tmp_path / "spade_bench_example"
    package.mkdir()
    for path in (EXAMPLE / "spade_bench_example").glob("*.py"):
        (package / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield tmp_path
    for name in [one for one in sys.modules if one.partition(".")[0] == "spade_bench_example"]:
        del sys.modules[name]
    monkeypatch.undo()
    forget()


def units(table: str) -> dict[tuple[str, str], str]:
    """Key by row's method and arm, on one sample of the scale smoke."""
    note = SampleNote("s0", label=0, target=1, patch="fish")
    subject = rerun.unexplained(load("smoke"), 0, weights_sha256="0" * 64, samples=(note,))
    made = plan.make([definition.load(table)], subject)
    return {(unit.method, unit.arm): unit.key for unit in made.units if unit.kind == "map"}


@pytest.mark.usefixtures("example")
def test_its_table_is_shown_and_its_parts_keep_every_contract() -> None:
    shown = CliRunner().invoke(cli.main, ["show", "smoothgrad"])
    assert shown.exit_code == 0, shown.output
    assert "SmoothGrad beside Saliency" in shown.output
    checked = CliRunner().invoke(cli.main, ["check-plugin", "spade-bench-example"])
    assert checked.exit_code == 0, checked.output
    assert "FAIL" not in checked.output
    assert checked.output.count("pass") > 20


def test_only_units_of_the_added_method_have_its_source_in_their_keys(example: Path) -> None:
    before, of_the_paper = units("smoothgrad"), units("2")
    assert before["Saliency", "dense"] == of_the_paper["Saliency", "dense"]
    source = example / "spade_bench_example" / "smoothgrad.py"
    source.write_text(source.read_text(encoding="utf-8").replace("COPIES = 16", "COPIES = 17"), encoding="utf-8")
    forget()
    after = units("smoothgrad")
    changed = {name for name, key in before.items() if after[name] != key}
    assert changed == {name for name in before if name[0] == "SmoothGrad"} != set()


def test_a_part_may_not_take_the_name_of_a_built_in_one_nor_stop_other_work(example: Path) -> None:
    install(example, "unruly", "2.0", BROKEN)
    forget()
    assert saliency.find("Saliency") is saliency.METHODS["Saliency"]
    assert "Saliency" not in plugins.offered("saliency", saliency.METHODS)
    (taken,) = [one for one in conformance.named(["unruly"]) if one.name == "Saliency"]
    assert "unruly 2.0" in next(iter(conformance.check(taken))).found
    with pytest.raises(PluginError, match=r"'Broken' of unruly 2\.0 .* cannot be loaded: ModuleNotFoundError"):
        saliency.find("Broken")
    with pytest.raises(PluginError, match=r"'Wrong' of unruly 2\.0 .* is a str"):
        saliency.find("Wrong")
    assert saliency.find("SmoothGrad").random
    assert definition.load("2").id == "2"


def test_without_the_package_its_table_is_unknown() -> None:
    forget()
    with pytest.raises(InputError, match="No table is called 'smoothgrad'"):
        definition.load("smoothgrad")
