from dataclasses import replace
from functools import cache

import pytest
import synthetic_run

from benchmark import blessing, golden, golden_file, policy, seeds
from benchmark.blessing import bless, changes
from benchmark.golden import Golden
from spade.errors import InputError

RULES = policy.load()
WHY = "the samples are drawn otherwise"


@cache
def measured(gain: float = 1.0) -> Golden:
    runs = [seeds.summarise(synthetic_run.run(seed, gain=gain, tables=("2", "a16")), RULES) for seed in range(10)]
    return golden.measure(runs, RULES)


def blessed(old: Golden | None, new: Golden, *tables: str, reason: str = WHY) -> Golden:
    return bless(old, new, tables, reason=reason, date="2026-03-01", release="0.1.0")


@pytest.mark.parametrize("reason", ["", "  ", "x", "update"])
def test_without_a_reason_nothing_is_blessed(reason: str) -> None:
    with pytest.raises(InputError, match="for a reason"):
        blessed(None, measured(), "2", "a16", reason=reason)


def test_the_first_ranges_are_all_changes_and_the_reason_is_kept() -> None:
    found = blessed(None, measured(), "2", "a16")
    (entry,) = found.blessings
    assert (entry.reason, entry.date, entry.changed) == (WHY, "2026-03-01", len(measured().ranges))
    assert entry.seeds_sha256 == measured().seeds_sha256


def test_only_what_moved_is_a_change() -> None:
    first = measured()
    moved = replace(first, ranges=(replace(first.ranges[0], high=first.ranges[0].high + 1), *first.ranges[1:]))
    (change,) = changes(first, moved)
    assert change.name == first.ranges[0].name
    width = first.ranges[0].high - first.ranges[0].low
    assert change.widening == pytest.approx((width + 1) / width)
    assert changes(first, first) == ()


def test_a_range_that_is_gone_and_one_that_is_new_are_changes() -> None:
    first = measured()
    fewer = replace(first, ranges=first.ranges[1:])
    assert [(c.old is None, c.new is None) for c in changes(first, fewer)] == [(False, True)]
    assert [(c.old is None, c.new is None) for c in changes(fewer, first)] == [(True, False)]


def test_a_table_that_changes_unnamed_is_refused() -> None:
    with pytest.raises(InputError, match="Ranges of table a16 change too"):
        blessed(None, measured(), "2")


def test_the_history_grows_and_what_does_not_change_is_refused() -> None:
    first = blessed(None, measured(), "2", "a16")
    with pytest.raises(InputError, match="Nothing changes"):
        blessed(first, measured(), "2", "a16")
    second = blessed(first, measured(gain=0.5), "2", "a16", reason="half the gain, for a test")
    assert [entry.reason for entry in second.blessings] == [WHY, "half the gain, for a test"]
    # Dense cells, controls and accuracies do not hang on the gain.
    assert second.blessings[1].changed < first.blessings[0].changed


def test_the_history_comes_back_from_the_file_of_ranges() -> None:
    first = blessed(None, measured(), "2", "a16", reason='because of "quotes" and\nlines')
    back = golden_file.decode(golden_file.encode(first), where="a test")
    assert back.blessings == first.blessings
    assert back.blessings[0].reason == 'because of "quotes" and lines'
    assert blessing.changes(first, back) == ()
