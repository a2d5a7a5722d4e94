import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import synthetic_run

from benchmark import cells, golden, policy, seeds
from spade.errors import EnvironmentProblem, InputError

RULES = policy.load()


def test_a_summary_holds_the_mean_and_n_of_every_cell_that_has_a_value() -> None:
    run = synthetic_run.run(3)
    summary = seeds.summarise(run, policy.load())
    expected = {
        (cell.table, cell.row, cell.column): (cell.mean, cell.n)
        for table in run.tables
        for cell in cells.cells(table, run)
        if cell.n
    }
    assert {cell.name: (cell.mean, cell.n) for cell in summary.cells} == expected
    assert summary.mean(("2", "Average", "SPADE")) == expected["2", "Average", "SPADE"][0]
    assert summary.mean(("a16", "ResNet50/CelebA", "Clean Accuracy")) is None
    assert (summary.seed, summary.condition) == (3, seeds.Condition("2.15.0", 1, "A Processor"))
    assert (summary.tables["a20"], summary.started) == (1, synthetic_run.STARTED)


def test_a_run_with_missing_units_gives_no_summary() -> None:
    run = synthetic_run.without(synthetic_run.run(), method="LRP", arm="dense", share=0.5)
    with pytest.raises(InputError, match=r"row 'LRP', column 'Dense' lacks 4 of 8 units"):
        seeds.summarise(run, policy.load())


def test_a_run_with_too_many_failures_gives_no_summary() -> None:
    run = synthetic_run.with_status(synthetic_run.run(), "failed", "no memory", method="LRP", arm="dense", share=0.5)
    with pytest.raises(InputError, match=r"4 failed of 8 units \(no memory\)"):
        seeds.summarise(run, policy.load())


def test_summaries_come_back_from_their_file_unchanged(tmp_path: Path) -> None:
    summaries = tuple(seeds.summarise(synthetic_run.run(seed), policy.load()) for seed in (0, 1))
    path = tmp_path / "mini_seeds.json"
    assert seeds.read(path) == ()
    seeds.write(path, summaries)
    assert seeds.read(path) == summaries
    assert seeds.encode(seeds.read(path)) == path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1, "runs": [{}]}', '{"format": 2, "runs": []}'])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mini_seeds.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match="measure the seeds again"):
        seeds.read(path)


def test_adding_a_seed_again_replaces_it_and_the_order_of_adding_does_not_matter() -> None:
    zero, one = (seeds.summarise(synthetic_run.run(seed), policy.load()) for seed in (0, 1))
    fresh = replace(one, started="2026-03-02T00:00:00+00:00")
    assert seeds.add(seeds.add(seeds.add((), one), zero), fresh) == seeds.add(seeds.add((), fresh), zero)
    assert len(seeds.add((one, zero), fresh)) == 2


def test_the_reference_is_the_condition_most_seeds_ran_under() -> None:
    summaries = [seeds.summarise(synthetic_run.run(seed), policy.load()) for seed in range(3)]
    other = replace(summaries[0].condition, torch="2.11.0")
    assert seeds.reference([replace(summaries[2], condition=other), *summaries[1::-1]]) == tuple(summaries[:2])
    assert other.unlike(summaries[0].condition) == "torch 2.11.0"
    assert seeds.reference([]) == ()


def test_the_identity_changes_with_the_protocol_and_not_with_seed_or_releases() -> None:
    run = synthetic_run.run(0)
    assert seeds.identity(synthetic_run.run(1, facts={"releases": {"torch": "1"}})) == seeds.identity(run)
    assert seeds.identity(replace(run, protocol={**run.protocol, "damping": 0.1})) != seeds.identity(run)
    assert seeds.identity(synthetic_run.run(0, facts={"scale_sha256": "other"})) != seeds.identity(run)


def test_no_summary_holds_a_nan() -> None:
    summary = seeds.summarise(synthetic_run.run(), policy.load())
    assert all(math.isfinite(cell.mean) for cell in summary.cells)


def test_a_summary_carries_the_table_version_and_the_policy_of_its_record_and_not_todays() -> None:
    facts = {"tables": {"2": 7}, "policy_sha256": "ee" * 32}
    one = seeds.summarise(synthetic_run.run(0, tables=("2", "a16"), facts=facts), RULES, environment="narrow")
    assert (one.tables["2"], one.policy_sha256, one.condition.environment) == (7, "ee" * 32, "narrow")
    assert seeds.decode(seeds.encode([one]), where="a test") == (one,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"policy_sha256": "ee" * 32}, r"another set of policy than seed 0 \(eeeeeeeeeeee and d1d1d1d1d1d1\)"),
        ({"tables": {"2": 7}}, r"another set of table versions than seed 0 .*7"),
    ],
)
def test_runs_under_other_rules_are_not_put_beside_each_other(change: dict[str, Any], sentence: str) -> None:
    first = seeds.summarise(synthetic_run.run(0, tables=("2",)), RULES)
    other = seeds.summarise(synthetic_run.run(1, tables=("2",), facts=change), RULES)
    with pytest.raises(InputError, match=sentence):
        golden.alike([first, other])
