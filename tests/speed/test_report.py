"""What a report costs by the unit, at twenty thousand units and at a fifth of them: it should be the same."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark import golden_file, policy, report, verdict
from benchmark.records import RunRecords
from benchmark.verdict import Judgement

DOUBLES = str(Path(__file__).parents[1] / "benchmark" / "doubles")
if DOUBLES not in sys.path:
    sys.path.insert(0, DOUBLES)

import synthetic_run  # noqa: E402 - found by the line above

pytestmark = pytest.mark.speed

TABLES = ("2", "a2", "a4", "a16", "a17", "a18", "a19", "a20")
SAMPLES = {20_000: 165, 4_000: 26}
"""By about how many units: the samples of that many, since some tables explain a few samples only."""

Paired = Callable[..., None]


def _judged(run: RunRecords) -> Judgement:
    return verdict.judge(
        run, golden=golden_file.load(run.scale), summaries=golden_file.load_seeds(run.scale), policy=policy.load()
    )


def test_a_report_of_twenty_thousand_units_is_written_at_the_cost_of_a_small_one_by_the_unit(
    tmp_path: Path, paired: Paired
) -> None:
    runs = {n: synthetic_run.run(n_samples=SAMPLES[n], tables=TABLES, store=tmp_path / str(n)) for n in SAMPLES}
    large, small = runs[20_000], runs[4_000]
    said = {n: _judged(run) for n, run in runs.items()}
    paired(
        f"report of {len(large.records):,} units, by the unit",
        lambda: report.write(large, said[20_000], tmp_path / "large"),
        other=f"of {len(small.records):,} units",
        theirs=lambda: report.write(small, said[4_000], tmp_path / "small"),
        theirs_times=len(large.records) / len(small.records),
        units=len(large.records),
        target=1.0,
        rounds=1,
    )
