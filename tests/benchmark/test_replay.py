from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
import synthetic_run

from benchmark import golden, golden_file, policy, seeds
from benchmark.golden import Golden
from benchmark.records import RunRecords
from benchmark.replay import Tolerance, tolerances
from benchmark.seeds import SeedSummary
from benchmark.verdict import judge

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=200))
WEIGHTS = "ab" * 32


def run(seed: int = 0) -> RunRecords:
    return replace(synthetic_run.run(seed, tables=("2",)), weights_sha256=WEIGHTS)


@cache
def reference() -> tuple[SeedSummary, ...]:
    return tuple(seeds.summarise(run(seed), RULES) for seed in range(10))


def again(seed: int, by: float, name: str, *, weights: str = WEIGHTS) -> SeedSummary:
    """The seed under another arithmetic, every cell of column SPADE moved by so much."""
    one = reference()[seed]
    moved = tuple(replace(cell, mean=cell.mean + by) if cell.column == "SPADE" else cell for cell in one.cells)
    return replace(one, condition=replace(one.condition, environment=name), cells=moved, weights_sha256=weights)


def measured(*others: SeedSummary) -> Golden:
    return golden.measure([*reference(), *others], RULES)


def found(known: Sequence[Tolerance], column: str, network: str = "same") -> Tolerance:
    return next(one for one in known if (one.column, one.network) == (column, network))


def test_a_column_may_move_by_the_policys_multiple_of_its_largest_measured_move() -> None:
    known = measured(again(0, 0.02, "narrow"), again(1, -0.05, "narrow")).replays
    spade = found(known, "SPADE")
    # 3 x .05, and half a digit of the page
    assert (spade.largest, spade.allowed) == pytest.approx((0.05, 0.155))
    assert (spade.values, spade.replays, spade.environments) == (22, 2, ("environment narrow",))
    assert found(known, "Dense").allowed == 0.005


def test_one_replay_gives_no_tolerance() -> None:
    assert measured(again(0, 0.02, "narrow")).replays == ()


def test_a_network_trained_otherwise_has_a_tolerance_of_its_own() -> None:
    others = [again(0, 0.02, "a"), again(1, 0.02, "a"), again(0, 4.0, "b", weights="cd" * 32)]
    others += [again(1, 5.0, "b", weights="cd" * 32)]
    known = measured(*others).replays
    assert found(known, "SPADE", "same").allowed == pytest.approx(0.065)
    assert found(known, "SPADE", "other").allowed == pytest.approx(15.005)


def test_moves_that_the_other_replays_would_not_have_allowed_are_counted() -> None:
    known = tolerances(reference(), [again(0, 0.01, "a"), again(1, 0.01, "a"), again(2, 1.0, "a")], RULES)
    # the third moved eleven cells by 1, and the first two allow .035
    assert found(known, "SPADE").missed == 11


def test_the_run_of_a_stored_seed_that_moved_further_has_drifted_and_fails_the_check() -> None:
    ranges = measured(again(0, 0.001, "a"), again(1, 0.001, "a"))
    same = judge(run(0), golden=ranges, summaries=reference(), policy=RULES)
    assert same.counts["drifted"] == 0
    assert same.exit_code(check=True) == 0
    records = {
        key: replace(one, value=min(1.0, (one.value or 0) + 0.004)) if one.arm.startswith("obc") else one
        for key, one in run(0).records.items()
    }
    moved = judge(replace(run(0), records=records), golden=ranges, summaries=reference(), policy=RULES)
    drifted = {one.cell.column for one in moved.cells if one.outcome == "drifted"}
    assert drifted == {"SPADE"}
    assert moved.counts["deviates"] == 0
    assert (moved.exit_code(check=True), moved.exit_code(check=False)) == (1, 0)
    reason = next(one.reason for one in moved.cells if one.outcome == "drifted")
    assert "the stored value of seed 0; a replay on the same network may move it by 0.008" in reason


def test_a_seed_that_is_not_stored_is_held_to_the_golden_range_alone() -> None:
    ranges = measured(again(0, 0.001, "a"), again(1, 0.001, "a"))
    fresh = judge(run(11), golden=ranges, summaries=reference(), policy=RULES)
    assert {one.replayed for one in fresh.cells} == {None}
    assert fresh.counts["drifted"] == 0


def test_tolerances_come_back_from_the_file_of_ranges() -> None:
    ranges = measured(again(0, 0.02, "a"), again(1, 0.02, "a"))
    assert golden_file.decode(golden_file.encode(ranges), where="a test").replays == ranges.replays


def test_a_replay_leaves_the_golden_ranges_of_fresh_seeds_as_they_are() -> None:
    plain, with_replays = measured(), measured(again(0, 0.001, "a"), again(1, 0.001, "a"))
    assert [(one.low, one.high) for one in plain.ranges] == [(one.low, one.high) for one in with_replays.ranges]
