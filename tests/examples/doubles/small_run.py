"""A whole run of a table on the laboratory nobody trained, as a report reads it."""

from pathlib import Path

import fake_laboratory

from benchmark import engine, plan, runner
from benchmark.definition import TableDefinition
from benchmark.records import RunRecords, UnitRecord


def small_run(table: TableDefinition, n_samples: int = 3) -> RunRecords:
    """Every unit of the table computed by the engine, in this process."""
    lab, subject = fake_laboratory.material(0, n_samples), fake_laboratory.subject(n_samples)
    made = plan.make([table], subject)
    kept: list[UnitRecord] = []
    runner.run(
        made.jobs(),
        open_evaluator=lambda: engine.opened(lambda: lab, subject),
        keep=lambda done: kept.append(done.record),
        workers=1,
    )
    return RunRecords(
        scale=subject.scale,
        seed=subject.seed,
        recipe_sha256=subject.recipe_sha256,
        protocol=subject.protocol,
        tables=made.tables,
        asked=made.asked,
        records={record.key: record for record in kept},
        samples=subject.all_samples,
        accuracy={},
        provenance={},
        store=Path("nowhere"),
    )
