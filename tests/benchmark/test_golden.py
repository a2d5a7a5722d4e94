import hashlib
import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import synthetic_run
from scipy import stats

from benchmark import golden, policy, seeds
from benchmark.seeds import CellSummary, Condition, SeedSummary
from spade.errors import InputError

RULES = policy.load()


@cache
def summaries(n: int = 10) -> tuple[SeedSummary, ...]:
    return tuple(seeds.summarise(synthetic_run.run(seed, tables=("2", "a16")), RULES) for seed in range(n))


def one_cell(values: list[float], *, torch: str = "2.15.0", unit: str = "%") -> list[SeedSummary]:
    """Runs of a scale that has a single cell."""
    pattern = summaries()[0]
    return [
        replace(
            pattern,
            seed=seed,
            condition=Condition(torch, 1, "A Processor"),
            cells=(CellSummary("2", "LRP", "SPADE", "value", unit, mean=value, n=8),),
        )
        for seed, value in enumerate(values)
    ]


def test_a_range_is_the_prediction_interval_of_a_fresh_seed_with_bonferroni_over_the_cells() -> None:
    measured = golden.measure(summaries(), RULES)
    name = "2", "LRP", "SPADE"
    values = np.array([one.mean(name) for one in summaries()], dtype=float)
    cells = len(summaries()[0].cells)
    # mean +- t(1 - alpha / (2 cells), 9) sd sqrt(1 + 1/10), and half a digit of the page on either side
    half = stats.t.ppf(1 - 0.01 / (2 * cells), 9) * values.std(ddof=1) * math.sqrt(1.1) + 0.005
    found = measured.range(name)
    assert found is not None
    assert found.low == pytest.approx(values.mean() - half)
    assert found.high == pytest.approx(min(100.0, values.mean() + half))
    assert (found.n, len(measured.ranges), measured.level) == (10, cells, 1 - 0.01 / cells)
    assert math.isnan(found.sd_arithmetic)


def test_the_header_says_how_the_ranges_were_measured() -> None:
    measured = golden.measure(summaries(), RULES)
    text = seeds.encode(summaries())
    assert measured.seeds == tuple(range(10))
    assert measured.condition == Condition("2.15.0", 1, "A Processor")
    assert measured.seeds_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert measured.policy_sha256 == RULES.sha256
    assert measured.releases["numpy"] == "2.4.6"
    assert (measured.first, measured.last) == (synthetic_run.STARTED, synthetic_run.STARTED)


def test_all_ranges_hold_a_fresh_seed_together_as_often_as_the_policy_says() -> None:
    # 20 independent cells at a family level of 20 %, so that misses are frequent enough to be counted in few rounds.
    rules = replace(RULES, golden=replace(RULES.golden, family_alpha=0.2))
    rounds, cells, held = 200, 20, 0
    draws = np.random.default_rng(8).normal(50.0, 3.0, size=(rounds, 11, cells))
    pattern = summaries()[0]
    for values in draws:
        runs = [
            replace(
                pattern,
                seed=seed,
                cells=tuple(
                    CellSummary("2", str(i), "SPADE", "value", "%", mean=float(value), n=8)
                    for i, value in enumerate(row)
                ),
            )
            for seed, row in enumerate(values)
        ]
        measured = golden.measure(runs[:10], rules)
        fresh = runs[10]
        held += all(r.low <= cell.mean <= r.high for r, cell in zip(measured.ranges, fresh.cells, strict=True))
    # For independent cells Bonferroni gives (1 - .2/20)^20 = .818; 3.3 binomial standard errors of 200 rounds are .09.
    assert abs(held / rounds - 0.818) < 0.09


def test_a_cell_equal_on_every_seed_keeps_half_a_digit_and_no_range_leaves_the_scale() -> None:
    equal = golden.measure(one_cell([72.5] * 10), RULES).ranges[0]
    assert (equal.low, equal.high) == pytest.approx((72.495, 72.505))
    top = golden.measure(one_cell([100.0] * 9 + [99.0]), RULES).ranges[0]
    assert top.high == 100.0
    share = golden.measure(one_cell([1.0] * 9 + [0.9], unit=""), RULES).ranges[0]
    assert share.high == 1.0
    # Half a digit of a share is half a ten-thousandth.
    half = golden.measure(one_cell([0.5] * 10, unit=""), RULES).ranges[0]
    assert (half.low, half.high) == pytest.approx((0.49995, 0.50005), abs=1e-12)
    # Insertion is a share of the whole image's softmax, which a part of the image may exceed.
    insertion = [
        replace(run, cells=(replace(run.cells[0], table="3", column="Insertion/FastSPADE"),))
        for run in one_cell([100.0] * 9 + [101.0])
    ]
    assert golden.measure(insertion, RULES).ranges[0].high > 101.0


def test_arithmetic_widens_a_range_only_where_it_moves_more_than_seeds_do() -> None:
    values = [50.0, 51.0, 52.0, 53.0, 54.0] * 2
    alone = golden.measure(one_cell(values), RULES).ranges[0]
    small = one_cell([value + 0.5 for value in values[:5]], torch="2.11.0")
    calm = golden.measure([*one_cell(values), *small], RULES)
    assert (calm.ranges[0].low, calm.ranges[0].high) == (alone.low, alone.high)
    # differences of .5: a spread of .5 / sqrt(2) for one draw
    assert calm.ranges[0].sd_arithmetic == pytest.approx(0.5 / math.sqrt(2))
    far = [value + 10.0 for value in values[:5]]
    wild = golden.measure([*one_cell(values), *one_cell(far, torch="2.11.0")], RULES).ranges[0]
    assert wild.high - wild.low - 0.01 == pytest.approx(
        (alone.high - alone.low - 0.01) * (10 / math.sqrt(2)) / alone.sd
    )


def test_four_differences_are_too_few_to_widen_a_range() -> None:
    values = [50.0, 51.0, 52.0, 53.0, 54.0] * 2
    alone = golden.measure(one_cell(values), RULES).ranges[0]
    few = golden.measure([*one_cell(values), *one_cell([60.0, 61.0, 62.0, 63.0], torch="2.11.0")], RULES)
    assert (few.ranges[0].low, few.ranges[0].high) == (alone.low, alone.high)
    assert few.ranges[0].sd_arithmetic == pytest.approx(10 / math.sqrt(2))
    assert few.arithmetic[0].outside == 4


def test_the_spread_of_each_other_condition_is_told() -> None:
    values = [50.0, 51.0] * 5
    found = golden.measure([*one_cell(values), *one_cell([50.3, 50.6], torch="2.11.0")], RULES).arithmetic
    assert len(found) == 1
    assert (found[0].condition, found[0].seeds, found[0].values, found[0].outside) == ("torch 2.11.0", (0, 1), 2, 0)
    # .3 and -.4: root mean square sqrt((.09 + .16) / 2)
    assert found[0].rms == pytest.approx(math.sqrt(0.125))
    assert found[0].largest == pytest.approx(0.4)


def test_fewer_seeds_than_the_policy_asks_for_are_refused() -> None:
    with pytest.raises(InputError, match="need 10 seeds run under one condition; found 9"):
        golden.measure(summaries()[:9], RULES)


@pytest.mark.parametrize(
    ("change", "what"),
    [({"identity": "other"}, "protocol"), ({"tables": {"2": 9}}, "table versions"), ({"cells": ()}, "cells")],
)
def test_runs_that_computed_different_things_make_no_range(change: dict[str, Any], what: str) -> None:
    mixed = [*summaries()[:9], replace(summaries()[9], **change)]
    with pytest.raises(InputError, match=f"Seed 9 .* another set of {what} than seed 0"):
        golden.measure(mixed, RULES)
