"""One run with everything a report must cope with.

Kept maps, a method a network cannot take, failures, deviations, and a table under other protocols.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import synthetic_run

from benchmark import golden, policy, report, seeds, sensitivity, sensitivity_file
from benchmark.policy import Policy
from benchmark.records import RunRecords
from benchmark.report.content import Content, build
from benchmark.report.gallery import draw
from benchmark.verdict import Judgement, judge

TABLES = ("2", "a16")


@dataclass(frozen=True)
class Story:
    """A run, its verdicts, what is said of it, and the folder it was written to."""

    run: RunRecords
    judgement: Judgement
    content: Content
    folder: Path


def tell(store: Path, folder: Path, *, tables: tuple[str, ...] = TABLES) -> Story:
    """The story of some tables, its maps kept in `store` and its report written to `folder`."""
    rules = policy.load()
    rules = replace(rules, intervals=replace(rules.intervals, draws=200))
    summaries = [seeds.summarise(synthetic_run.run(seed, tables=tables), rules) for seed in range(10)]
    run = synthetic_run.run(11, gain=6.0, tables=tables, store=store)
    run = synthetic_run.with_status(run, "unavailable", "it reuses a ReLU", method="DeepLift", arm="sparsegpt", share=1)
    run = synthetic_run.with_status(run, "failed", "no <memory> | left", method="LIME", arm="dense", share=0.25)
    _read_otherwise(run, rules)
    judgement = judge(run, golden=golden.measure(summaries, rules), summaries=summaries, policy=rules)
    report.write(run, judgement, folder)
    return Story(run, judgement, build(run, judgement, draw(run, folder)), folder)


def _read_otherwise(run: RunRecords, rules: Policy) -> None:
    """What `spade-bench sensitivity` keeps of the first table: SPADE is worse under one protocol, a cell is missing."""
    assert run.store is not None
    first = replace(
        run, tables=run.tables[:1], asked=tuple(cell for cell in run.asked if cell.table == run.tables[0].id)
    )
    worse = {
        key: replace(one, value=one.value - 0.05) if one.value is not None and one.arm.startswith("obc") else one
        for key, one in first.records.items()
    }
    knobs = {"pruning": {"damping": 0.01, "obc_block": "unstructured"}, "saliency": {"steps": [1, 2]}}
    other = {"pruning": {"damping": 0.0, "obc_block": None}, "saliency": {"steps": [1, 2]}}
    missing = synthetic_run.with_status(
        replace(first, records=worse, protocol=other), "failed", "no memory", method="LRP", arm="obc", share=1
    )
    runs = {"ours": replace(first, protocol=knobs), "paper": replace(first, protocol=other), "official": missing}
    found, gained = sensitivity.shifts(runs, rules), sensitivity.gains(runs, rules)
    to = sensitivity_file.path(run.store, run.scale, run.seed, run.tables[0].id)
    sensitivity_file.keep(found, gained, to, runs=runs)
