"""What the command line shows: progress with the time left, and tables of definitions, plans and stored runs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from data_manifests import published
from spade import pruners

from . import networks
from .cost import Cost
from .definition import Arm, Dense, Derived, Measured, NotRun, OneGroup, Pruned, TableDefinition
from .forecast import Preparing
from .plan import Plan
from .ratios import RATIO_SOURCES
from .records import RunRecords, UnitRecord
from .selection import SELECTIONS
from .work import ahead, least


class Bars:
    """Progress bars on standard error: training steps, then units, each with the time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._steps: dict[str, TaskID] = {}
        self._tenths: dict[TaskID, int] = {}
        self._failed = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def training(self, what: str, done: int, of: int) -> None:
        """A step of making the network."""
        if what not in self._steps:
            self._steps[what] = self._progress.add_task(what, total=of)
        self._progress.update(self._steps[what], completed=done, total=of)
        self._log(self._steps[what])

    def start(self, stored: int, asked: int) -> None:
        """The size of the plan, and how much of it is there."""
        self.note(f"{asked} units asked, {stored} of them stored already.")
        # Units that were there take no time, so the bar counts the others: its rate is the rate of the work.
        self._steps["units"] = self._progress.add_task("units", total=asked - stored)

    def record(self, record: UnitRecord) -> None:
        """A finished unit."""
        self._failed += record.status == "failed"
        failed = f", {self._failed} failed" if self._failed else ""
        self._progress.update(self._steps["units"], advance=1, description=f"units{failed}")
        self._log(self._steps["units"])

    def _log(self, step: TaskID) -> None:
        """A line at each tenth where no bar can move, as in the log of a scheduler."""
        task = next(task for task in self._progress.tasks if task.id == step)
        tenth = int(10 * task.completed / task.total) if task.total else 10
        if not self._progress.console.is_terminal and tenth > self._tenths.get(step, 0):
            self._tenths[step] = tenth
            left = f", {duration(task.time_remaining)} left" if task.time_remaining else ""
            self.note(f"{task.description}: {task.completed:.0f} of {task.total:.0f}{left}")

    def note(self, sentence: str) -> None:
        """A sentence above the bars."""
        self._progress.console.print(sentence, soft_wrap=True, markup=False, highlight=False)


def tables(definitions: Iterable[TableDefinition]) -> Table:
    """The defined tables, one a line."""
    table = Table("table", "title", "metric", "cells", "not run", "scales", box=SIMPLE_HEAD, pad_edge=False)
    for one in definitions:
        idle = [arm.column for arm in one.arms if isinstance(arm, NotRun)]
        idle += [row.name for row in one.rows if row.not_run]
        size = f"{len(one.rows)} x {len(one.arms)}"
        table.add_row(one.id, one.title, one.metric, size, str(len(idle)) if idle else "", ", ".join(one.scales))
    return table


def columns(definition: TableDefinition) -> Table:
    """What each column of a table computes."""
    table = Table("column", "what it is")
    for arm in definition.arms:
        table.add_row(arm.column, describe(arm))
    return table


def describe(arm: Arm) -> str:
    """An arm in words."""
    match arm:
        case Dense():
            return "the network as trained"
        case Pruned():
            said = f"{pruners.title(arm.solver)} on {SELECTIONS[arm.image].title}"
            said += f", ratios {RATIO_SOURCES[arm.ratios].title}"
            said += f", augmentations {arm.augmentation}" if arm.augmentation else ""
            return f"{said}, one layer after the other" if arm.sequential else said
        case Derived():
            return networks.find(arm.network).title
        case OneGroup():
            return f"{pruners.title(arm.solver)}, {arm.group} alone, at {arm.sparsity:g}"
        case Measured():
            return {"clean_accuracy": "accuracy on clean test images", "trojan_accuracy": "accuracy on patched images"}[
                arm.quantity
            ]
        case NotRun():
            return f"not run: {arm.reason}"


def printed(definition: TableDefinition) -> Table:
    """The paper's own cells of a table, measured on other data than the embedded scales have."""
    if not definition.printed:
        return Table(title=f"The paper prints no table {definition.id}; {definition.place}")
    return as_printed(published.load(definition.id.upper()), f"As the paper prints it ({definition.setting})")


def as_printed(paper: published.PublishedTable, title: str) -> Table:
    """The cells of a table of the paper, to the character."""
    table = Table(title=title)
    for name in ("", *paper.columns):
        table.add_column(name, overflow="fold")  # a name cut short is no name
    by_name = {(cell.row, cell.column): cell.printed for cell in paper.cells}
    for row in paper.rows:
        table.add_row(row, *(by_name.get((row, column), "") for column in paper.columns))
    return table


def planned(plan: Plan, stored: Iterable[str]) -> Table:
    """How many units each table of a plan asks for and how many are stored, and the dear work it takes at least.

    A table's work is counted as if it ran alone on an empty store; the last line is the least that all take together.
    """
    kept = set(stored)
    table = Table("table", "units", "stored", "left", "Hessians", "factorisations", "traces", "maps")
    by_key = {unit.key: unit for unit in plan.units}

    def line(name: str, keys: set[str], style: str = "") -> None:
        work = least((by_key[key] for key in keys), plan.subject.protocol)
        numbers = (len(keys), len(keys & kept), len(keys - kept))
        dear = (work.hessians, work.factorisations, work.traces, work.maps)
        table.add_row(name, *map(str, (*numbers, *dear)), style=style)

    for definition in plan.tables:
        line(definition.id, {key for cell in plan.asked if cell.table == definition.id for _, key in cell.units})
    line("together", set(by_key), "bold")
    return table


def work_left(
    plan: Plan, stored: Iterable[str], known: Mapping[str, UnitRecord] | None = None, *, trained: bool = True
) -> str:
    """What a run would make for the units that are left, beside the least they take, in a sentence; "" for none.

    known: units that are scored from maps in the store. trained: whether the samples are known; before, each counts as
    one of a class of its own, and those that share one take less.
    """
    jobs = plan.jobs(frozenset(stored), known)
    if not jobs:
        return ""
    fresh = [unit for job in jobs for unit in job.fresh]
    made, possible = ahead(jobs, plan.subject.protocol), least(fresh, plan.subject.protocol)
    bound = "" if trained else "at most "
    rest = ", the least possible" if made == possible else f"; the least possible is {bound}{possible}"
    said = f"A run makes {bound}{made} for them{rest}."
    return f"{said} {from_store(len(known))}" if known else said


def from_store(units: int) -> str:
    """How many units need no map made, in a sentence."""
    return f"{units} unit{'s are' if units > 1 else ' is'} scored from maps in the store."


def time_left(cost: Cost, workers: int, preparing: Preparing | None = None, elsewhere: str = "") -> str:
    """What is left of a plan, in sentences.

    preparing: the networks that come first. elsewhere: the processor that some of the times come from.
    """
    if not cost.units:
        return "Nothing is left to compute."
    before = preparing or Preparing()
    what = f"{cost.units} units are left"
    if cost.unmeasured == cost.units:
        return f"{what}; how long they take was not measured on this machine: add --calibrate."
    said = f"{what}: about {duration(cost.seconds / workers)} on {workers} worker{'s' * (workers > 1)}"
    if before.seconds >= 1:
        said += f", after about {duration(before.seconds)} of training"
    missing = [f"{cost.unmeasured} units of a kind never timed"] if cost.unmeasured else []
    missing += ["the training of the network"] if before.unmeasured else []
    said += f", not counting {' and '.join(missing)}." if missing else "."
    if elsewhere:
        said += f" Times were measured on another machine ({elsewhere}) and scaled to the speed of this one."
    return said


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def runs(found: Mapping[tuple[str, int], RunRecords]) -> Table:
    """The stored runs, one line a table of each."""
    states = ("ok", "failed", "unavailable", "skipped", "missing")
    # Ten columns and no word cut on a terminal of eighty characters: no rules between them.
    head = ("scale", "seed", "table", "units", "ok", "failed", "n/a", "skipped", "missing", "last command")
    table = Table(*head, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for (scale, seed), run in found.items():
        ended = run.provenance["invocations"][-1]["ended"]
        for definition in run.tables:
            keys = {key for cell in run.asked if cell.table == definition.id for _, key in cell.units}
            count = Counter(run.records[key].status if key in run.records else "missing" for key in keys)
            numbers = (str(count[state]) for state in states)
            table.add_row(scale, str(seed), definition.id, str(len(keys)), *numbers, ended)
    return table
