"""`spade-bench` answers with sentences and exit codes, and goes on where it was stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_laboratory
import psutil
import pytest
from click.testing import CliRunner, Result
from fake_evaluator import FakeEvaluator, opened

from benchmark import cli, doctor, golden_file, reference_times, report, rerun, scale, yardstick
from benchmark.commands import options
from benchmark.console import Bars
from benchmark.models import laboratory
from benchmark.models.laboratory import Laboratory
from benchmark.scale import Scale
from spade.errors import EnvironmentProblem

ROOT = Path(cli.__file__).parent.parent

Run = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in an empty folder, with a scale that needs no training; `evaluator` decides what units are worth."""
    monkeypatch.chdir(tmp_path)
    load = scale.load
    monkeypatch.setattr(scale, "load", lambda name: fake_laboratory.SCALE if name == "smoke" else load(name))

    def prepare(recipe: Scale, seed: int, **_: object) -> Laboratory:
        lab = fake_laboratory.make(seed)
        return Laboratory(**{**vars(lab), "recipe_sha256": recipe.recipe_sha256(seed)})

    monkeypatch.setattr(laboratory, "prepare", prepare)
    monkeypatch.setattr(rerun, "Material", fake_laboratory.FakeMaterial)

    def command(*words: str, evaluator: FakeEvaluator | None = None) -> Result:
        monkeypatch.setattr(rerun, "opened", lambda *_: opened(evaluator or FakeEvaluator()))
        handler = signal.getsignal(signal.SIGTERM)
        try:
            return CliRunner().invoke(cli.main, words)
        finally:
            signal.signal(signal.SIGTERM, handler)

    return command


def run(bench: Run, *words: str, evaluator: FakeEvaluator | None = None) -> Result:
    return bench("run", "2", "--scale", "smoke", "--jobs", "1", *words, evaluator=evaluator)


def test_a_run_ends_with_a_report_and_0(bench: Run, tmp_path: Path) -> None:
    result = run(bench)
    assert result.exit_code == 0, result.output
    assert "The report is report/index.html." in result.output
    assert (tmp_path / "report" / "index.html").is_file()
    assert (tmp_path / "spade-bench-runs" / "runs" / "smoke-seed0.json").is_file()


def test_the_store_can_be_named_by_the_environment(bench: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_BENCH_STORE", str(tmp_path / "elsewhere"))
    assert run(bench).exit_code == 0
    assert (tmp_path / "elsewhere" / "runs" / "smoke-seed0.json").is_file()
    assert not (tmp_path / "spade-bench-runs").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("run", "a21"), "No table is called 'a21'. did you mean 'a"),
        (("run", "A5"), "Table A5 of the paper is not rerun here (Trojan AUC on CelebA and Food-101"),
        (("show", "22"), "No table is called '22'. did you mean '2'?"),
        (("plan", "--scale", "smok"), "There is no scale 'smok'. did you mean 'smoke'?"),
        (("run", "--scale", "maxi"), "There is no scale 'maxi'."),
        (("report", "--scale", "smoke"), "No run of scale 'smoke' with seed 0"),
        (("golden", "smoke", "--into", "."), "No run of scale 'smoke'"),
        (("golden", "smok", "--into", "."), "There is no scale 'smok'. did you mean 'smoke'?"),
        (("run", "--seed", "-1"), "Invalid value for '--seed'"),
        (("run", "--jobs", "0"), "Invalid value for '--jobs'"),
        (("rum",), "No such command 'rum'"),
    ],
)
def test_what_makes_no_sense_is_answered_in_a_sentence_with_2(
    bench: Run, words: tuple[str, ...], sentence: str
) -> None:
    result = bench(*words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_machine_that_cannot_carry_the_work_is_4(bench: Run) -> None:
    result = run(bench, evaluator=FakeEvaluator(broken=True))
    assert result.exit_code == 4
    assert "The machine is on fire; put it out." in result.output


def test_a_stopped_run_is_3_and_the_same_command_goes_on(
    bench: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    record = Bars.record

    def stop(self: Bars, one: Any) -> None:
        nonlocal count
        count += 1
        record(self, one)
        if count == 40:
            raise KeyboardInterrupt

    monkeypatch.setattr(Bars, "record", stop)
    result = run(bench)
    assert result.exit_code == 3
    assert "Stopped: 40 of 135 units are stored; the same command goes on from there." in result.output
    assert not (tmp_path / "report").exists()
    monkeypatch.undo()


def test_a_stop_while_training_is_3(bench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(laboratory, "prepare", stop)
    result = run(bench)
    assert result.exit_code == 3
    assert "the same command goes on from there" in result.output


def test_a_calibration_leaves_the_rest_which_status_and_report_say(bench: Run) -> None:
    calibrated = bench("plan", "2", "--scale", "smoke", "--calibrate", "--jobs", "1")
    assert calibrated.exit_code == 0, calibrated.output
    assert "90 units are left: about 45 s on 1 worker." in calibrated.output
    status = bench("status")
    assert status.exit_code == 0
    assert "90" in status.output
    assert "skipped" in status.output
    assert "…" not in status.output, "a word is cut on a terminal of eighty characters"
    assert bench("report", "--scale", "smoke").exit_code == 3


def test_a_plan_trains_nothing(bench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laboratory, "prepare", lambda *_, **__: pytest.fail("it trained"))
    monkeypatch.setattr(reference_times, "load", lambda _: None)
    result = bench("plan", "--scale", "smoke", "--jobs", "2")
    assert result.exit_code == 0, result.output
    assert "how long they take was not measured on this machine" in result.output


def test_times_of_another_machine_make_an_estimate_where_nothing_was_run(
    bench: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yardstick, "seconds", lambda: 0.5)
    assert bench("plan", "2", "--scale", "smoke", "--calibrate").exit_code == 0
    kept = bench("times", "smoke", "--into", ".")
    assert kept.exit_code == 0, kept.output
    there = reference_times.load("smoke", tmp_path)
    assert there is not None
    assert (there.yardstick, set(there.prepared)) == (0.5, {"", "sparse fc"})
    monkeypatch.setattr(reference_times, "load", lambda _: replace(there, cpu="A Fast One", yardstick=0.25))
    planned = bench("plan", "2", "--scale", "smoke", "--seed", "1", "--jobs", "1", "--store", "empty")
    # Every unit of the double takes half a second there, and this machine twice as long: 135 s.
    assert "135 units are left: about 2 min on 1 worker." in " ".join(planned.output.split())
    assert "another machine (A Fast One) and scaled to the speed of this one" in " ".join(planned.output.split())


def test_times_are_not_kept_of_a_network_from_the_cache(
    bench: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = fake_laboratory.make()
    monkeypatch.setattr(laboratory, "prepare", lambda *_, **__: replace(cached, origin="cache"))
    assert bench("plan", "2", "--scale", "smoke", "--calibrate").exit_code == 0
    result = bench("times", "smoke", "--into", ".")
    assert result.exit_code == 2
    assert "took its network from the cache" in result.output
    assert not list(tmp_path.glob("*_times.json"))


def test_an_empty_store_says_how_to_start(bench: Run) -> None:
    result = bench("status")
    assert result.exit_code == 0
    assert "Start one with `spade-bench run`" in result.output


def test_a_damaged_run_does_not_hide_the_others(bench: Run, tmp_path: Path) -> None:
    for seed in ("0", "1"):
        assert run(bench, "--seed", seed).exit_code == 0
    (tmp_path / "spade-bench-runs" / "runs" / "smoke-seed0.json").write_text("{")
    status = bench("status")
    assert status.exit_code == 4
    assert "smoke-seed0.json is damaged; give the same `spade-bench run` again" in " ".join(status.output.split())
    assert "135" in status.output
    (tmp_path / "spade-bench-runs" / "runs" / "smoke-seed1.json").write_text("{")
    assert bench("status").exit_code == 4


def test_what_the_system_refuses_is_a_sentence_with_4(bench: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = bench("tune", "--scale", "smoke", "--into", "file/below")
    assert result.exit_code == 4
    assert result.output == "file/below: Not a directory.\n"


def test_statistics_that_were_changed_are_computed_again_and_said(bench: Run, tmp_path: Path) -> None:
    run(bench)
    before = (tmp_path / "report" / "report.csv").read_bytes()
    kept = tmp_path / "spade-bench-runs" / "cache" / "statistics" / "smoke-seed0.json"
    text = kept.read_text()
    kept.write_text(text.replace('"mean": ', '"mean": 1', 1))
    assert kept.read_text() != text
    result = bench("report", "--scale", "smoke")
    assert "The kept statistics smoke-seed0.json are damaged" in result.output
    assert (tmp_path / "report" / "report.csv").read_bytes() == before
    assert "damaged" not in bench("report", "--scale", "smoke").output


def test_a_report_is_written_again_without_computing(bench: Run, tmp_path: Path) -> None:
    run(bench)
    pages = tmp_path / "again"
    result = bench("report", "--scale", "smoke", "--report", str(pages), evaluator=FakeEvaluator(broken=True))
    assert result.exit_code == 0, result.output
    assert json.loads((pages / "report.json").read_text())["scale"] == "smoke"


def test_failed_units_are_results_until_they_are_asked_for_again(bench: Run) -> None:
    assert run(bench, evaluator=FakeEvaluator(fails="LIME")).exit_code == 0
    checked = run(bench, "--check")
    assert checked.exit_code == 1
    assert "invalid: table 2, LIME, Dense" in checked.output
    assert "invalid" not in run(bench, "--retry-failed").output


@pytest.fixture
def measured(bench: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten seeds of the scale run, and its ranges measured from them."""
    for seed in range(10):
        assert run(bench, "--seed", str(seed)).exit_code == 0
    folder = tmp_path / "expected"
    folder.mkdir()
    result = bench("golden", "smoke", "--into", str(folder))
    assert result.exit_code == 0, result.output
    assert not (folder / "smoke.toml").exists()
    result = bench("bless", "2", "--scale", "smoke", "--into", str(folder), "--reason", "the first ten seeds")
    assert result.exit_code == 0, result.output
    monkeypatch.setenv("SPADE_BENCH_EXPECTED", str(folder))
    return folder


def test_a_check_is_0_inside_the_ranges_and_1_outside(bench: Run, measured: Path) -> None:
    assert {path.name for path in measured.iterdir()} == {"smoke.toml", "smoke_seeds.json"}
    fine = run(bench, "--check", "--seed", "3")
    assert fine.exit_code == 0, fine.output
    wrong = run(bench, "--check", "--seed", "77", evaluator=FakeEvaluator(constant=0.999))
    assert wrong.exit_code == 1
    assert "deviates: table 2, Average, SPADE: 99.90 lies above" in wrong.output
    unchecked = run(bench, "--seed", "77")
    assert unchecked.exit_code == 0


def test_a_check_against_nothing_is_3(bench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_file, "load", lambda *_: None)
    assert run(bench, "--check").exit_code == 3


def test_too_few_seeds_give_no_ranges_but_stay_summarised(bench: Run, tmp_path: Path) -> None:
    run(bench)
    result = bench("golden", "smoke", "--into", str(tmp_path))
    assert result.exit_code == 2
    assert "Golden ranges need 10 seeds" in result.output
    assert (tmp_path / "smoke_seeds.json").is_file()


def test_every_command_explains_itself(bench: Run) -> None:
    for name, command in cli.main.commands.items():
        result = bench(name, "--help")
        assert result.exit_code == 0
        assert (command.help or "").splitlines()[0] in " ".join(result.output.split())


@pytest.mark.parametrize(("name", "number"), [("1", "15m51s"), ("a5", "+15.58")])
def test_a_table_that_nothing_reruns_is_shown_as_the_paper_prints_it(bench: Run, name: str, number: str) -> None:
    result = bench("show", name)
    assert result.exit_code == 0, result.output
    assert "Nothing here reruns it." in result.output
    assert number in result.output


@pytest.mark.parametrize("words", [("list",), ("show", "2"), ("show", "A16")])
def test_tables_are_shown(bench: Run, words: tuple[str, ...]) -> None:
    assert bench(*words).exit_code == 0


def test_the_doctor_leaves_with_4_if_a_check_fails(bench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = [doctor.Finding("python", "ok", "3.11")]
    monkeypatch.setattr(doctor, "examine", lambda _: iter(sound))
    assert bench("doctor").exit_code == 0
    monkeypatch.setattr(doctor, "examine", lambda _: iter([*sound, doctor.Finding("disk", "bad", "full [red]")]))
    result = bench("doctor")
    assert result.exit_code == 4
    assert "bad disk: full [red]" in result.output
    assert "1 check failed." in result.output


def test_jobs_default_to_the_cores_that_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = int(3.2 * 2**30)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    assert options.default_jobs() == 2
    Memory.available = 2**20
    assert options.default_jobs() == 1


KILLED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores Ctrl-C
sys.path[:0] = sys.argv[1].split(":")
import fake_laboratory
from functools import partial
from fake_evaluator import FakeEvaluator, opened
from benchmark import cli, rerun, scale
scale.load = lambda _: fake_laboratory.SCALE
rerun.laboratory.prepare = lambda *_, **__: fake_laboratory.make()
rerun.opened = lambda *_: opened(FakeEvaluator(seconds=0.02))
cli.main(["run", "2", "--scale", "smoke", "--jobs", "1", "--store", sys.argv[2], "--report", sys.argv[2] + "/report"])
"""


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_real_process_in_order(tmp_path: Path, signal_sent: signal.Signals) -> None:
    path = f"{Path(__file__).parent / 'doubles'}:{ROOT}"
    process = subprocess.Popen(  # noqa: S603 - this interpreter, on a script of ours
        [sys.executable, "-c", KILLED, path, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not any(
        path.read_bytes().count(b"\n") > 3 for path in (tmp_path / "units").glob("*.jsonl")
    ):
        time.sleep(0.02)
    process.send_signal(signal_sent)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 3, output
    assert "of 135 units are stored; the same command goes on from there." in output


def test_a_report_that_cannot_be_written_is_4(bench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> object:
        raise EnvironmentProblem("The report cannot be written: No space left on device.")

    monkeypatch.setattr(report, "write", full)
    result = run(bench)
    assert result.exit_code == 4
    assert "No space left on device" in result.output
