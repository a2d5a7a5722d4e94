"""Whatever stops a run, the next one goes on from the units that are stored, and the cells come out the same."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest
from fake_evaluator import FakeEvaluator, opened, subject

from benchmark import definition, unit_file
from benchmark.cells import Cell, cells
from benchmark.execution import Execution, execute
from benchmark.plan import Plan, make
from benchmark.records import UnitRecord
from benchmark.store import Manifest, Store
from spade.errors import EnvironmentProblem

TABLE = definition.load("2")
RUN = Path(__file__).parent / "doubles" / "fake_run.py"
ROOT = Path(unit_file.__file__).parent.parent


def carried_out(
    folder: Path, evaluator: FakeEvaluator | None = None, *, workers: int = 1, retry_failed: bool = False
) -> Execution:
    open_evaluator = partial(opened, evaluator or FakeEvaluator())
    return execute(
        make([TABLE], subject()),
        Store(folder),
        open_evaluator=open_evaluator,
        workers=workers,
        retry_failed=retry_failed,
    )


def cells_of(folder: Path) -> list[Cell]:
    store = Store(folder)
    store.write_manifest(Manifest(subject(), ("2",), {}, {}))
    return cells(TABLE, store.run("smoke", 0))


def as_bytes(found: list[Cell]) -> bytes:
    return repr([asdict(cell) for cell in found]).encode()


def test_cells_are_the_same_to_the_byte_for_one_and_two_workers_and_any_order(tmp_path: Path) -> None:
    carried_out(tmp_path / "one")
    carried_out(tmp_path / "two", workers=2)
    lines = (next((tmp_path / "two" / "units").glob("*.jsonl"))).read_bytes().splitlines(keepends=True)
    random.Random(0).shuffle(lines)  # noqa: S311 - an order, not a secret
    shuffled = Store(tmp_path / "three").units_path(subject())
    shuffled.parent.mkdir(parents=True)
    shuffled.write_bytes(b"".join(lines))
    one, two, three = (as_bytes(cells_of(tmp_path / name)) for name in ("one", "two", "three"))
    assert one == two == three


def test_a_second_run_computes_nothing(tmp_path: Path) -> None:
    first, second = carried_out(tmp_path), carried_out(tmp_path)
    assert (first.computed, first.left) == (180, 0)
    assert (second.computed, second.left, second.asked) == (0, 0, 180)


def test_another_table_computes_only_what_is_new(tmp_path: Path) -> None:
    carried_out(tmp_path)
    plan = make([definition.load("a18")], subject())
    done = execute(plan, Store(tmp_path), open_evaluator=partial(opened, FakeEvaluator()), workers=1)
    assert (done.asked, done.computed) == (320, 240)  # dense and 1SI are there, the six other selections are new


def test_no_table_computes_what_another_left_in_the_store(tmp_path: Path) -> None:
    stored: set[str] = set()
    for table in definition.load_all():
        plan = make([table], subject(2))
        done = execute(plan, Store(tmp_path), open_evaluator=partial(opened, FakeEvaluator()), workers=1)
        keys = {unit.key for unit in plan.units}
        assert (done.computed, done.left) == (len(keys - stored), 0)
        stored |= keys
    assert len(stored) == len(make(definition.load_all(), subject(2)).units)


def test_maps_are_kept_beside_the_records(tmp_path: Path) -> None:
    carried_out(tmp_path)
    store, plan = Store(tmp_path), make([TABLE], subject())
    kept = [store.read_map(plan.subject.recipe_sha256, unit.key) is not None for unit in plan.units]
    assert kept == [unit.kind == "map" for unit in plan.units]


def test_a_failure_is_a_result_until_it_is_asked_for_again(tmp_path: Path) -> None:
    first = carried_out(tmp_path, FakeEvaluator(fails="LIME"))
    assert (first.failed, first.left) == (16, 0)
    assert carried_out(tmp_path).failed == 16
    again = carried_out(tmp_path, retry_failed=True)
    assert (again.computed, again.failed) == (16, 0)


def test_a_full_disk_stops_with_a_sentence_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended = 0
    write = unit_file.UnitFile.append

    def full_after_twenty(self: unit_file.UnitFile, record: UnitRecord) -> None:
        nonlocal appended
        if appended == 20:
            raise EnvironmentProblem("No space left on device.")
        appended += 1
        write(self, record)

    monkeypatch.setattr(unit_file.UnitFile, "append", full_after_twenty)
    with pytest.raises(EnvironmentProblem, match="No space left"):
        carried_out(tmp_path)
    monkeypatch.undo()
    assert carried_out(tmp_path).computed == 160


def test_an_interrupt_leaves_what_was_finished(tmp_path: Path) -> None:
    def stop_at(record: UnitRecord, count: list[str]) -> None:
        count.append(record.key)
        if len(count) == 30:
            raise KeyboardInterrupt

    count: list[str] = []
    plan = make([TABLE], subject())
    stopped = execute(
        plan,
        Store(tmp_path),
        open_evaluator=partial(opened, FakeEvaluator()),
        workers=1,
        on_record=partial(stop_at, count=count),
    )
    assert (stopped.interrupted, stopped.computed, stopped.left) == (True, 30, 150)
    assert carried_out(tmp_path).computed == 150


def started(folder: Path, workers: int) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this interpreter, on a script of ours
        [sys.executable, str(RUN), str(folder), str(workers), "0.01"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The script's folder is named too: with PYTHONSAFEPATH set, Python does not add it by itself.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(RUN.parent)])},
    )


def wait_for_lines(folder: Path, count: int) -> int:
    """The whole lines in the unit file once there are `count`."""
    path = Store(folder).units_path(subject())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = path.read_bytes().count(b"\n") if path.exists() else 0
        if lines >= count:
            return lines
        time.sleep(0.005)
    raise AssertionError("the run wrote nothing")


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("after", [1, 20, 77])
def test_sigkill_at_any_moment_loses_only_units_in_flight(tmp_path: Path, workers: int, after: int) -> None:
    reference = tmp_path / "whole"
    carried_out(reference)
    run = started(tmp_path / "killed", workers)
    lines = wait_for_lines(tmp_path / "killed", after)
    run.kill()
    run.communicate()
    assert run.returncode == -signal.SIGKILL
    stored = unit_file.read(Store(tmp_path / "killed").units_path(subject())).records
    assert len(stored) >= lines  # whatever was on the disk when the signal was sent is still there
    rest = carried_out(tmp_path / "killed")
    assert rest.computed == 180 - len(stored)
    assert rest.left == 0
    assert as_bytes(cells_of(tmp_path / "killed")) == as_bytes(cells_of(reference))


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path, workers: int) -> None:
    run = started(tmp_path, workers)
    wait_for_lines(tmp_path, 10)
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=60)
    assert run.returncode == 0, errors
    computed, left, interrupted = output.split()
    assert interrupted == "True"
    assert int(computed) + int(left) == 180
    assert int(left) > 0
    assert carried_out(tmp_path).computed == int(left)


def test_damage_in_the_store_is_said_and_mended(tmp_path: Path) -> None:
    carried_out(tmp_path)
    path = Store(tmp_path).units_path(subject())
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"status":"ok"', b'"status":"no"')
    path.write_bytes(b"".join(lines)[:-4])
    mended = carried_out(tmp_path)
    assert mended.computed == 2
    assert [note.partition(": ")[2] for note in mended.notes] == [
        "the last line was cut off (a run was killed there); its unit is computed again.",
        "1 damaged line set aside; the units are computed again.",
    ]
    assert carried_out(tmp_path).notes == ()


def test_a_calibration_does_one_job_of_a_kind(tmp_path: Path) -> None:
    plan: Plan = make([TABLE], subject())
    done = execute(plan, Store(tmp_path), open_evaluator=partial(opened, FakeEvaluator()), workers=1, calibrate=True)
    assert (done.computed, done.left) == (45, 135)


def test_records_of_another_network_are_not_taken(tmp_path: Path) -> None:
    carried_out(tmp_path)
    plan = make([TABLE], replace(subject(), weights_sha256="99" * 32))
    done = execute(plan, Store(tmp_path), open_evaluator=partial(opened, FakeEvaluator()), workers=1)
    assert done.computed == 180
