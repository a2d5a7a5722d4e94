import math
from dataclasses import replace
from functools import cache

import pytest
import synthetic_run

from benchmark import golden, policy, seeds
from benchmark.golden import Golden
from benchmark.records import RunRecords
from benchmark.seeds import SeedSummary
from benchmark.verdict import CellVerdict, DirectionVerdict, Judgement, judge, judge_directions

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))


@cache
def summaries(gain: float = 1.0, n: int = 10) -> tuple[SeedSummary, ...]:
    return tuple(seeds.summarise(synthetic_run.run(seed, gain=gain), RULES) for seed in range(n))


@cache
def ranges() -> Golden:
    return golden.measure(summaries(), RULES)


def judged(run: RunRecords, known: Golden | None = None) -> Judgement:
    return judge(run, golden=known or ranges(), summaries=summaries(), policy=RULES)


@cache
def plain() -> Judgement:
    """The verdicts on a finished fresh seed."""
    return judged(synthetic_run.run(11))


def cell(found: Judgement, row: str, column: str, table: str = "2") -> CellVerdict:
    return next(one for one in found.cells if (one.cell.table, one.cell.row, one.cell.column) == (table, row, column))


def directions(of: tuple[SeedSummary, ...]) -> dict[str, DirectionVerdict]:
    return {one.direction.id: one for one in judge_directions(of, RULES)}


def test_a_fresh_seed_lies_within_its_ranges_and_passes_the_check() -> None:
    found = plain()
    assert found.counts["deviates"] == found.counts["invalid"] == found.counts["no range"] == 0
    assert found.counts["within"] == len(ranges().ranges)
    assert found.exit_code(check=True) == 0


def test_a_cell_outside_its_range_deviates_and_fails_only_the_check() -> None:
    found = judged(synthetic_run.run(11, gain=4.0))
    verdict = cell(found, "Average", "Block 3", "a20")
    assert verdict.outcome == "deviates"
    assert "lies below" in verdict.reason
    assert (found.exit_code(check=True), found.exit_code(check=False)) == (1, 0)


def test_what_nothing_computes_is_not_run_with_its_reason_and_fails_nothing() -> None:
    verdict = cell(plain(), "ResNet50/CelebA", "Clean Accuracy", "a16")
    assert verdict.outcome == "not run"
    assert "CelebA" in verdict.reason
    assert (verdict.interval, verdict.paper) == (None, "91.4")


def test_a_method_the_network_cannot_take_is_not_run_with_its_reason() -> None:
    run = synthetic_run.run(11)
    for arm in ("dense", "obc", "sparsegpt", "sparse fc"):
        run = synthetic_run.with_status(run, "unavailable", "reuses a ReLU", method="DeepLift", arm=arm, share=1)
    verdict = cell(judged(run), "DeepLift", "SPADE")
    assert (verdict.outcome, verdict.reason) == ("not run", "none of 8 units has a value: reuses a ReLU")


def test_missing_units_are_incomplete_and_more_than_the_allowed_share_of_failures_is_invalid() -> None:
    run = synthetic_run.run(11)
    torn = judged(synthetic_run.without(run, method="LRP", arm="dense", share=0.25))
    assert cell(torn, "LRP", "Dense").outcome == "incomplete"
    assert "2 of 8 units" in cell(torn, "LRP", "Dense").reason
    assert (torn.exit_code(check=False), torn.exit_code(check=True)) == (3, 3)
    failed = judged(synthetic_run.with_status(run, "failed", "no memory", method="LRP", arm="dense", share=0.25))
    assert cell(failed, "LRP", "Dense").outcome == "invalid"
    assert cell(failed, "LRP", "Dense").reason == "2 of 8 units failed: no memory"
    assert (failed.exit_code(check=False), failed.exit_code(check=True)) == (0, 1)


def test_a_share_of_failures_that_the_policy_allows_leaves_the_cell_its_verdict() -> None:
    run = synthetic_run.run(11, n_samples=50, tables=("2",))
    one_of_fifty = synthetic_run.with_status(run, "failed", "x", method="LRP", arm="dense", share=0.02)
    assert cell(judged(one_of_fifty), "LRP", "Dense").outcome in {"within", "deviates"}
    two_of_fifty = synthetic_run.with_status(run, "failed", "x", method="LRP", arm="dense", share=0.04)
    assert cell(judged(two_of_fifty), "LRP", "Dense").outcome == "invalid"


def test_ranges_of_another_protocol_or_table_version_judge_nothing() -> None:
    run = synthetic_run.run(11)
    other = judged(replace(run, protocol={**run.protocol, "damping": 0.5}))
    assert other.counts["within"] == other.counts["deviates"] == 0
    assert "were not measured for this protocol" in cell(other, "LRP", "SPADE").reason
    assert other.exit_code(check=True) == 3
    older = judged(run, replace(ranges(), tables={**ranges().tables, "2": 0}))
    assert "version 1 of this table" in cell(older, "LRP", "SPADE").reason
    assert cell(older, "Average", "Block 4", "a20").outcome == "within"


def test_without_any_range_a_run_is_fine_until_it_is_checked() -> None:
    found = judge(synthetic_run.run(11), golden=None, summaries=(), policy=RULES)
    assert cell(found, "LRP", "SPADE").outcome == "no range"
    assert (found.exit_code(check=False), found.exit_code(check=True)) == (0, 3)
    assert {one.outcome for one in found.directions} == {"unmeasured"}


def test_an_accuracy_has_no_interval_over_samples_and_a_control_has_one() -> None:
    found = plain()
    assert cell(found, "embedded network", "Trojan Accuracy", "a16").interval is None
    assert cell(found, "edges", "Control").interval is not None


def test_the_order_of_records_changes_no_verdict() -> None:
    run = synthetic_run.run(11)
    turned = replace(run, records=dict(list(run.records.items())[::-1]))
    assert judged(turned).cells == judged(run).cells
    assert judged(turned).effects == judged(run).effects


def test_directions_with_a_clear_effect_are_resolved_and_an_opposite_one_is_reversed() -> None:
    assert directions(summaries())["spade over dense"].outcome == "resolved"
    assert directions(summaries())["block 3 harms"].outcome == "resolved"
    assert directions(summaries(gain=-1.0))["spade over dense"].outcome == "reversed"


def test_an_effect_of_nothing_is_unresolved_and_says_what_could_have_been_seen() -> None:
    verdict = directions(summaries(gain=0.0))["spade over dense"]
    assert verdict.outcome == "unresolved"
    assert verdict.over_seeds is not None
    assert verdict.over_seeds.n == 10
    assert f"10 seeds would detect {verdict.over_seeds.detectable:.2f} with a chance of 80 %" in verdict.reason


def test_the_value_of_a_direction_is_the_difference_of_the_cells_on_each_seed() -> None:
    verdict = directions(summaries())["own over other sample"]
    first = summaries()[0]
    own, other = first.mean(("a18", "Average", "1SI")), first.mean(("a18", "Average", "1SD"))
    assert own is not None
    assert other is not None
    assert verdict.values[0] == pytest.approx(own - other)


def test_an_average_over_seeds_compares_the_methods_that_both_columns_have() -> None:
    def without_lrp_under_spade(one: SeedSummary) -> SeedSummary:
        kept = tuple(cell for cell in one.cells if cell.name != ("2", "LRP", "SPADE"))
        return replace(one, cells=kept)

    torn = tuple(map(without_lrp_under_spade, summaries()))
    verdict = directions(torn)["spade over dense"]
    first = {cell.name: cell.mean for cell in summaries()[0].cells if (cell.table, cell.kind) == ("2", "value")}
    nine = [row for _, row, column in first if column == "Dense" and row != "LRP"]
    gains = [first["2", row, "SPADE"] - first["2", row, "Dense"] for row in nine]
    assert verdict.values[0] == pytest.approx(sum(gains) / 9)


def test_one_seed_resolves_nothing() -> None:
    verdict = directions(summaries()[:1])["spade over dense"]
    assert (verdict.outcome, verdict.reason) == ("unresolved", "one seed has no spread")
    assert math.isnan(verdict.adjusted_p)


def test_a_table_no_seed_ran_leaves_its_directions_unmeasured() -> None:
    only_two = tuple(seeds.summarise(synthetic_run.run(seed, tables=("2",)), RULES) for seed in range(3))
    found = directions(only_two)
    assert found["last block helps"].outcome == "unmeasured"
    assert found["spade over dense"].outcome != "unmeasured"


def test_seeds_of_another_protocol_say_nothing_about_a_run() -> None:
    run = synthetic_run.run(11)
    found = judge(
        replace(run, protocol={**run.protocol, "damping": 0.5}), golden=None, summaries=summaries(), policy=RULES
    )
    assert {one.outcome for one in found.directions} == {"unmeasured"}
    assert "another protocol" in found.directions[0].reason


@pytest.mark.parametrize("table", ["2", "a16", "a18", "a20"])
def test_every_cell_shows_what_the_paper_prints_there(table: str) -> None:
    found = plain()
    printed = [one for one in found.cells if one.cell.table == table and one.paper]
    unprinted = {one.cell.row for one in found.cells if one.cell.table == table and not one.paper}
    assert printed
    assert unprinted <= {"embedded network", "random", "centre", "edges", "input magnitude", "patch oracle"}
