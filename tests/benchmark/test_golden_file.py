import math
from dataclasses import astuple, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import synthetic_run

from benchmark import golden, golden_file, policy, seeds
from benchmark.seeds import Condition, SeedSummary
from spade.errors import EnvironmentProblem

RULES = policy.load()


@cache
def summaries(n: int = 10) -> tuple[SeedSummary, ...]:
    return tuple(seeds.summarise(synthetic_run.run(seed, tables=("2", "a16")), RULES) for seed in range(n))


def test_ranges_come_back_from_their_file_unchanged(tmp_path: Path) -> None:
    both = [*summaries(), *(replace(one, condition=Condition("2.11.0", 2, 'A "quoted" CPU')) for one in summaries(2))]
    measured = golden.measure(both, RULES)
    assert golden_file.load("mini", tmp_path) is None
    path = golden_file.store(measured, tmp_path)
    assert golden_file.load("mini", tmp_path) == measured
    assert golden_file.encode(measured) == path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["scale = ", 'scale = "mini"', 'scales = "mini"'])
def test_a_damaged_file_of_ranges_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "mini.toml").write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"expected/mini\.toml"):
        golden_file.load("mini", tmp_path)


@pytest.mark.parametrize("scale", ["smoke", "mini"])
def test_the_committed_ranges_are_what_the_committed_seeds_give(scale: str) -> None:
    committed, measured = golden_file.load(scale), golden_file.load_seeds(scale)
    if committed is None:
        assert not measured, f"{scale}_seeds.json has no ranges beside it: compute them"
        pytest.skip(f"no ranges of scale '{scale}' are committed")
    again = golden.measure(measured, RULES)
    # The last bits of Student's t differ between scipy releases.
    for ours, theirs in zip(again.ranges, committed.ranges, strict=True):
        assert ours.name == theirs.name
        numbers = [astuple(one)[3:] for one in (ours, theirs)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, nan_ok=True)
    assert [astuple(one)[:3] for one in again.replays] == [astuple(one)[:3] for one in committed.replays]
    plain: dict[str, Any] = {"ranges": (), "replays": (), "blessings": ()}
    assert replace(again, **plain) == replace(committed, **plain)
    assert committed.blessings
    assert committed.blessings[-1].seeds_sha256 == committed.seeds_sha256


def test_a_spread_that_was_not_measured_comes_back_as_such(tmp_path: Path) -> None:
    golden_file.store(golden.measure(summaries(), RULES), tmp_path)
    back = golden_file.load("mini", tmp_path)
    assert back is not None
    assert all(math.isnan(one.sd_arithmetic) for one in back.ranges)


def test_ranges_of_ones_own_go_before_ours_where_they_have_the_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = golden_file.load("smoke")
    own = golden.measure(summaries(), RULES)
    golden_file.store(own, tmp_path)
    monkeypatch.setenv("SPADE_BENCH_EXPECTED", str(tmp_path))
    found = golden_file.load("mini")
    assert found is not None
    assert golden_file.encode(found) == golden_file.encode(own)
    assert golden_file.load_seeds("mini") == ()
    theirs = golden_file.load("smoke")
    assert ours is not None
    assert theirs is not None
    assert golden_file.encode(theirs) == golden_file.encode(ours)
    monkeypatch.setenv("SPADE_BENCH_EXPECTED", str(tmp_path / "nowhere"))
    with pytest.raises(EnvironmentProblem, match=r"SPADE_BENCH_EXPECTED names .*nowhere, where no folder is"):
        golden_file.load("mini")
