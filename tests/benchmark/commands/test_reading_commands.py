"""Commands that read stored runs: tables on a terminal, tab-separated lines in a pipe, refusals in a sentence."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_run
from click.testing import CliRunner, Result
from rich.console import Console

from benchmark import cli, golden_file, policy, seeds
from benchmark.grid import Grid, show
from benchmark.store import Manifest, Store
from benchmark.unit_file import UnitFile


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two stored runs of the same images, the second with another policy and SPADE one point lower."""
    for name, by, rules in (("before", 0.0, "aa" * 32), ("after", -0.01, "bb" * 32)):
        folder = Store(tmp_path / name)
        plan = synthetic_run.plan(0, scale="smoke", tables=("2",))
        with UnitFile(folder.units_path(plan.subject)) as units:
            for unit in plan.units:
                one = synthetic_run.record(unit)
                lower = (one.value or 0) + (by if one.arm.startswith("obc") else 0)
                units.append(replace(one, value=lower))
        facts = synthetic_run.provenance(policy_sha256=rules, tables={"2": 1})
        folder.write_manifest(Manifest(plan.subject, ("2",), {"clean_accuracy": 0.9}, facts))
    return tmp_path


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.output.splitlines()]


def test_a_difference_in_a_pipe_is_one_line_a_cell_that_nothing_has_cut(store: Path) -> None:
    found = lines(command("diff", store / "before/runs/smoke-seed0.json", store / "after/runs/smoke-seed0.json"))
    assert ["policy", ("aa" * 32)[:40], ("bb" * 32)[:40]] in found
    spade = next(line for line in found if line[:3] == ["2", "IntegratedGradients", "SPADE"])
    assert spade[5] == "-1.000"
    dense = next(line for line in found if line[:3] == ["2", "IntegratedGradients", "Dense"])
    assert dense[5:9] == ["+0.000", "[+0.000, +0.000]", "1.000", "8 of 8"]
    assert ["88 samples moved"] in found


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("diff", "smoke", "smoke-seed0"), "'smoke' is no run; name one like smoke-seed0"),
        (("diff", "smoke-seed0", "smoke-seed7"), "No run of scale 'smoke' with seed 7"),
        (("diff", "smoke-seed0", "smoke-seed0", "--table", "a18"), "has no table a18; it has: 2."),
        (("export-tables", "--scale", "smoke"), "Say in which form: --latex or --csv."),
        (("power", "22", "--scale", "smoke"), "No table is called '22'"),
        (("sensitivity", "2", "--scale", "smoke", "--protocol", "offical"), "Unknown protocol 'offical'"),
        (
            ("sensitivity", "2", "--scale", "smoke", "--protocol", "ours"),
            "One protocol has nothing to be compared with",
        ),
        (("sensitivity", "2", "--scale", "smoke", "--stored"), "the same command without --stored computes it"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(store: Path, words: tuple[str, ...], sentence: str) -> None:
    result = command(*words, "--store", store / "before")
    assert result.exit_code == 2
    assert sentence in result.output


def test_power_tells_each_cell_and_effect(store: Path) -> None:
    found = lines(command("power", "2", "--scale", "smoke", "--store", store / "before"))
    assert ["Cells"] in found
    effects = [line for line in found if line[1:2] == ["SPADE - Dense"]]
    assert [line[0] for line in effects][-1] == "Average"
    assert len(effects) == 11


def test_tables_are_exported_to_a_file_or_to_the_output(store: Path, tmp_path: Path) -> None:
    where = ("--scale", "smoke", "--store", store / "before")
    tidy = command("export-tables", "2", *where, "--csv")
    assert len(list(csv.DictReader(io.StringIO(tidy.output)))) > 100
    path = tmp_path / "tables.tex"
    assert command("export", "2", *where, "--csv").output == tidy.output
    said = command("export-tables", "2", *where, "--latex", "--into", path)
    assert said.output == f"1 table is in {path}.\n"
    assert r"\toprule" in path.read_text(encoding="utf-8")


def test_ranges_are_blessed_with_a_reason_and_in_no_other_way(tmp_path: Path) -> None:
    rules = policy.load()
    runs = [seeds.summarise(synthetic_run.run(seed, scale="smoke", tables=("2",)), rules) for seed in range(10)]
    seeds.write(tmp_path / "smoke_seeds.json", runs)
    where = ("--scale", "smoke", "--into", tmp_path)
    assert "for a reason" in command("bless", "2", *where).output
    assert golden_file.load("smoke", tmp_path) is None
    shown = lines(command("bless", "2", *where, "--dry-run"))
    assert shown[0] == ["table", "row", "column", "old", "new", "width"]
    assert golden_file.load("smoke", tmp_path) is None
    assert command("bless", "2", *where, "--reason", "the first ten seeds").exit_code == 0
    blessed = golden_file.load("smoke", tmp_path)
    assert blessed is not None
    assert [one.reason for one in blessed.blessings] == ["the first ten seeds"]
    assert "\n0 ranges changed" in command("bless", "2", *where, "--reason", "the same ten seeds").output


def test_a_grid_is_drawn_with_rules_on_a_terminal_and_without_in_a_pipe() -> None:
    grid = Grid(("name", "value"), title="Two")
    grid.add_row("a [bold] name", "1\n2")
    texts = []
    for terminal in (True, False):
        out = Console(file=io.StringIO(), force_terminal=terminal, width=60, color_system=None)
        show(grid, out)
        texts.append(out.file.getvalue())  # type: ignore[attr-defined]
    assert "─" in texts[0]
    assert texts[1] == "Two\nname\tvalue\na [bold] name\t1 2\n"
    with pytest.raises(ValueError, match="3 cells under a header of 2"):
        grid.add_row("a", "b", "c")
