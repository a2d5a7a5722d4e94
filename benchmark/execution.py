"""A plan carried out against a store: what is there is not computed again, what is computed is kept at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from . import known_maps, policy, runner, unit_file, work
from .plan import Plan, Unit, map_key, one_of_each
from .records import UnitRecord
from .runner import Finished, OpenEvaluator
from .store import SHORT, Store
from .unit_file import UnitFile
from .work import Work


@dataclass(frozen=True)
class Execution:
    """How carrying out a plan went.

    Attributes:
        asked: units of the plan.
        computed: units this command computed.
        left: units without a record.
        failed: units of the plan whose record says they failed.
        interrupted: whether somebody stopped it.
        made: the dear work that was done.
        least: the least work that the units it computed can take, from the maps that were stored.
        scored: units of those computed whose maps were in the store already.
        notes: sentences about damage found in the store.
    """

    asked: int
    computed: int
    left: int
    failed: int
    interrupted: bool
    notes: tuple[str, ...]
    made: Work = Work()  # noqa: RUF009 - frozen
    least: Work = Work()  # noqa: RUF009 - frozen
    scored: int = 0


def execute(
    plan: Plan,
    store: Store,
    *,
    open_evaluator: OpenEvaluator,
    workers: int,
    retry_failed: bool = False,
    calibrate: bool = False,
    on_start: Callable[[int, int], None] = lambda _stored, _asked: None,
    on_record: Callable[[UnitRecord], None] = lambda _: None,
) -> Execution:
    """Compute the units that the store does not have yet, and keep each as it is finished.

    retry_failed: compute units again whose record says "failed"; otherwise a failure is a result.
    calibrate: do one job of each kind only, to learn what they take.
    on_start: told how many units are stored and how many are asked.

    Raises:
        EnvironmentProblem: the disk is full, or the machine cannot carry the work; what was kept stays kept.
    """
    path = store.units_path(plan.subject)
    with UnitFile(path) as units:
        before = dict(units.records)
        keys = {unit.key for unit in plan.units}
        again = {key for key, record in units.records.items() if retry_failed and record.status == "failed"}
        stored = units.records.keys() - again
        on_start(len(stored & keys), len(keys))
        left = [unit for unit in plan.units if unit.key not in stored]
        # Of a unit that is asked for again nothing is taken, its map included.
        there = (record for key, record in units.records.items() if key in stored)
        maps = known_maps.find(left, plan.subject, there, store)
        jobs = plan.jobs(stored, maps.records)
        if calibrate:
            jobs = one_of_each(jobs)

        in_force = policy.load().sha256[:SHORT]
        by_key = {unit.key: unit for unit in left}
        made, fresh, scored = Work(), list[Unit](), 0

        def keep(finished: Finished) -> None:
            nonlocal made, scored
            made += finished.made
            record, unit = replace(finished.record, policy=in_force), by_key[finished.record.key]
            if record.scored_from:
                scored += 1
            else:
                fresh.append(unit)
            if finished.heatmap is not None:
                check = store.write_map(plan.subject.recipe_sha256, unit.key, finished.heatmap)
                record = replace(record, map_check=check)
            if finished.heatmap is not None or record.status == "unavailable":
                record = replace(record, map_key=map_key(unit, plan.subject))
            units.append(record)
            on_record(record)

        interrupted = False
        try:
            runner.run(jobs, open_evaluator=open_evaluator, keep=keep, workers=workers, seed=plan.subject.seed)
        except KeyboardInterrupt:
            interrupted = True
        # Counted on the disk: an interrupt may fall between a write and its note in memory.
        records = unit_file.read(path).records
        return Execution(
            asked=len(keys),
            computed=sum(before.get(key) != record for key, record in records.items()),
            left=len(keys - records.keys()),
            failed=sum(records[key].status == "failed" for key in keys & records.keys()),
            interrupted=interrupted,
            notes=(*units.notes, *maps.notes),
            made=made,
            least=work.least(fresh, plan.subject.protocol),
            scored=scored,
        )
