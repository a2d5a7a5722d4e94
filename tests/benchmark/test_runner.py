"""Units come out one by one, and no way for a worker to die loses or repeats a finished one."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from fake_evaluator import FakeEvaluator, never_ready, opened, subject, value

from benchmark import definition, runner
from benchmark.plan import Job, Plan, make
from benchmark.runner import Finished
from spade.errors import EnvironmentProblem


def plan_of(n_samples: int = 4) -> Plan:
    return make([definition.load("a20")], subject(n_samples))


def gathered(evaluator: FakeEvaluator, *, workers: int, plan: Plan) -> list[Finished]:
    kept: list[Finished] = []
    runner.run(plan.jobs(), open_evaluator=partial(opened, evaluator), keep=kept.append, workers=workers)
    return kept


@pytest.mark.parametrize("workers", [1, 2])
def test_every_unit_is_kept_once_with_its_own_value(workers: int) -> None:
    plan = plan_of()
    kept = gathered(FakeEvaluator(), workers=workers, plan=plan)
    assert {one.record.key: one.record.value for one in kept} == {unit.key: value(unit) for unit in plan.units}
    assert len(kept) == len(plan.units)


def test_one_worker_computes_in_this_process_in_the_plans_order() -> None:
    plan = plan_of(2)
    kept = gathered(FakeEvaluator(), workers=1, plan=plan)
    assert [one.record.key for one in kept] == [unit.key for job in plan.jobs() for unit in job.units]


def test_units_are_kept_while_their_job_goes_on() -> None:
    seen: list[int] = []
    kept: list[Finished] = []

    def evaluate(job: Job) -> object:
        for finished in FakeEvaluator()(job):
            seen.append(len(kept))
            yield finished

    class Open:
        def __enter__(self) -> object:
            return evaluate

        def __exit__(self, *_: object) -> None:
            return None

    runner.run(plan_of(2).jobs(), open_evaluator=Open, keep=kept.append, workers=1)  # type: ignore[arg-type]
    assert seen == list(range(len(kept)))


def test_a_worker_killed_once_costs_nothing(tmp_path: Path) -> None:
    plan = plan_of()
    kept = gathered(FakeEvaluator(dies="LIME", markers=str(tmp_path)), workers=2, plan=plan)
    assert len(list(tmp_path.iterdir())) == 4  # one death a sample did happen
    assert Counter(one.record.key for one in kept) == Counter(unit.key for unit in plan.units)
    assert {one.record.status for one in kept} == {"ok"}


def test_a_sample_that_kills_every_worker_fails_with_the_signal_in_its_reason(tmp_path: Path) -> None:
    plan = plan_of()
    kept = gathered(FakeEvaluator(dies="LIME", markers=str(tmp_path), deaths=9), workers=2, plan=plan)
    assert Counter(one.record.key for one in kept) == Counter(unit.key for unit in plan.units)
    lost = [one.record for one in kept if one.record.status == "failed"]
    assert "LIME" in {record.method for record in lost}
    assert {record.reason for record in lost} == {
        "the worker process died 2 times at this sample (SIGKILL, as when memory runs out)"
    }
    # what was finished before the deaths stays: Saliency comes first in every job
    assert "Saliency" not in {record.method for record in lost if record.arm == "dense"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_machine_stops_the_run_with_its_sentence(workers: int) -> None:
    with pytest.raises(EnvironmentProblem, match="The machine is on fire"):
        gathered(FakeEvaluator(broken=True), workers=workers, plan=plan_of(2))


def test_workers_that_never_get_ready_are_given_up() -> None:
    with pytest.raises(EnvironmentProblem, match=r"die before they start work \(SIGKILL"):
        runner.run(plan_of(2).jobs(), open_evaluator=never_ready, keep=lambda _: None, workers=2)


def test_a_failing_disk_stops_the_workers() -> None:
    def full(_: Finished) -> None:
        raise EnvironmentProblem("The disk is full.")

    with pytest.raises(EnvironmentProblem, match="The disk is full"):
        runner.run(plan_of().jobs(), open_evaluator=partial(opened, FakeEvaluator(seconds=0.05)), keep=full, workers=2)


def test_no_jobs_start_nothing() -> None:
    runner.run((), open_evaluator=never_ready, keep=lambda _: None, workers=2)
