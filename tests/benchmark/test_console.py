"""What the command line shows is counted from plans and records."""

from io import StringIO

import pytest
from fake_evaluator import subject
from rich.console import Console
from rich.table import Table

from benchmark import console, definition
from benchmark.cost import Cost
from benchmark.forecast import Preparing
from benchmark.plan import make
from benchmark.records import UnitRecord


def text(table: Table) -> str:
    out = StringIO()
    Console(file=out, width=200).print(table)
    return out.getvalue()


def test_every_table_is_listed() -> None:
    shown = text(console.tables(definition.load_all()))
    assert all(f" {table.id} " in shown and table.title in shown for table in definition.load_all())


@pytest.mark.parametrize("name", definition.names())
def test_every_arm_has_words_and_a_column_that_is_not_run_its_reason(name: str) -> None:
    table = definition.load(name)
    shown = text(console.columns(table))
    for arm in table.arms:
        assert arm.column in shown
        assert console.describe(arm) in shown
        if isinstance(arm, definition.NotRun):
            assert arm.reason in console.describe(arm)


def test_the_papers_cells_are_shown_as_printed() -> None:
    assert "99.21" in text(console.printed(definition.load("2")))


def test_a_plan_is_counted_by_table_and_each_unit_once_together() -> None:
    plan = make([definition.load("2"), definition.load("a18")], subject())
    stored = [unit.key for unit in plan.units if unit.arm == "dense"]
    rows = [line.split("│")[1:-1] for line in text(console.planned(plan, stored)).splitlines() if line.startswith("│")]
    # Four samples with one patch. Table 2: OBC at one set of ratios and SparseGPT at ten, so 11 traces a sample.
    # A18: images of four samples, four classes (one and many each), four of any class, many of any and of the patch.
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["2", "180", "40", "140", "4", "4", "44", "160"],
        ["a18", "320", "40", "280", "18", "18", "18", "320"],
        ["together", "420", "40", "380", "18", "18", "58", "400"],
    ]
    # The ten dense maps of the four samples are there.
    work = "18 Hessians, 18 factorisations, 58 traces and 360 maps"
    assert console.work_left(plan, stored) == f"A run makes {work} for them, the least possible."
    assert console.work_left(plan, stored, trained=False) == (
        f"A run makes at most {work} for them, the least possible."
    )
    assert not console.work_left(plan, [unit.key for unit in plan.units])


@pytest.mark.parametrize(
    ("cost", "sentence"),
    [
        (Cost(0, 0.0, 0), "Nothing is left to compute."),
        (Cost(5, 0.0, 5), "5 units are left; how long they take was not measured on this machine: add --calibrate."),
        (Cost(5, 240.0, 0), "5 units are left: about 2 min on 2 workers."),
        (Cost(5, 60.0, 2), "5 units are left: about 30 s on 2 workers, not counting 2 units of a kind never timed."),
    ],
)
def test_the_time_left_is_a_sentence(cost: Cost, sentence: str) -> None:
    assert console.time_left(cost, 2) == sentence


def test_training_comes_before_the_units_and_is_not_shared_among_workers() -> None:
    cost = Cost(5, 240.0, 0, borrowed=5)
    said = console.time_left(cost, 2, Preparing(("", "cap"), 300.0, (), ("",)), "A Processor")
    first, second = said.split(". ")
    assert first == "5 units are left: about 2 min on 2 workers, after about 5 min of training"
    assert second == "Times were measured on another machine (A Processor) and scaled to the speed of this one."
    never = console.time_left(Cost(5, 60.0, 2), 1, Preparing(("",), 0.0, ("",)))
    assert never.endswith("not counting 2 units of a kind never timed and the training of the network.")


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h")])
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert console.duration(seconds) == words


def test_bars_count_what_is_new_and_what_failed() -> None:
    with console.Bars() as bars:
        bars.training("training", 1, 3)
        bars.start(2, 5)
        bars.record(UnitRecord("k", "failed", "no", "s", "dense", "LIME", 0))
        tasks = {task.description: (task.completed, task.total) for task in bars._progress.tasks}
    assert tasks == {"training": (1, 3), "units, 1 failed": (1, 3)}
