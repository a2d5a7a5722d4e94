"""One run with everything a report must cope with: kept maps, a method a network cannot take, failures, deviations."""

from dataclasses import dataclass, replace
from pathlib import Path

import synthetic_run

from benchmark import golden, policy, report, seeds
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


def tell(store: Path, folder: Path) -> Story:
    """The story, its maps kept in `store` and its report written to `folder`."""
    rules = policy.load()
    rules = replace(rules, intervals=replace(rules.intervals, draws=200))
    summaries = [seeds.summarise(synthetic_run.run(seed, tables=TABLES), rules) for seed in range(10)]
    run = synthetic_run.run(11, gain=6.0, tables=TABLES, store=store)
    run = synthetic_run.with_status(run, "unavailable", "it reuses a ReLU", method="DeepLift", arm="sparsegpt", share=1)
    run = synthetic_run.with_status(run, "failed", "no <memory> | left", method="LIME", arm="dense", share=0.25)
    judgement = judge(run, golden=golden.measure(summaries, rules), summaries=summaries, policy=rules)
    report.write(run, judgement, folder)
    return Story(run, judgement, build(run, judgement, draw(run, folder)), folder)
