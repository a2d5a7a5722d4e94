"""Jobs to finished units: in this process, or on worker processes that one coordinator feeds and listens to.

Nothing here knows what a unit computes. An evaluator yields a job's units one by one, in the job's order; the
coordinator keeps each as it comes, so whatever is killed, only the units in flight are lost.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spade.errors import EnvironmentProblem

from .plan import Job, Unit
from .records import UnitRecord
from .work import Work

DEATHS_ALLOWED = 2
"""Worker deaths on one job before its remaining units are recorded as failed: one may be an accident, two are not."""

PATIENCE = 5.0
"""Seconds a worker is given to leave before it is killed."""


@dataclass(frozen=True)
class Finished:
    """A unit's record, the map [H, W] fp32 behind its value where there is one, and what had to be made for it."""

    record: UnitRecord
    heatmap: NDArray[np.float32] | None = None
    made: Work = Work()  # noqa: RUF009 - frozen


class Evaluator(Protocol):
    """Computes the units of a job, in the job's order; a unit that raises is yielded as a failed record."""

    def __call__(self, job: Job, /) -> Iterator[Finished]:
        """Yield each unit of the job."""
        ...


OpenEvaluator = Callable[[], AbstractContextManager[Evaluator]]
"""Makes an evaluator ready (loads the network); sent to worker processes, so it must pickle."""


def run(
    jobs: Sequence[Job],
    *,
    open_evaluator: OpenEvaluator,
    keep: Callable[[Finished], None],
    workers: int,
    seed: int = 0,
) -> None:
    """Compute every unit of the jobs and hand each to `keep`, in this process, as soon as it is finished.

    workers: 1 computes here; more start that many processes (never more than there are jobs).
    seed: only labels the records of units that no worker survives.

    Raises:
        EnvironmentProblem: the machine cannot carry the work; what was kept stays kept.
    """
    if not jobs:
        return
    if workers == 1:
        with open_evaluator() as evaluate:
            for job in jobs:
                for finished in evaluate(job):
                    keep(finished)
        return
    coordinator = _Coordinator(open_evaluator, keep, seed, deque(_Open(job, list(job.units)) for job in jobs))
    try:
        coordinator.work(min(workers, len(jobs)))
    finally:
        coordinator.stop()


def failed(unit: Unit, seed: int, reason: str) -> UnitRecord:
    """The record of a unit that could not be computed."""
    return UnitRecord(
        key=unit.key,
        status="failed",
        reason=reason,
        sample=unit.sample,
        arm=unit.arm,
        method=unit.method,
        seed=seed,
    )


@dataclass
class _Open:
    """A job with what is left of it, and how many workers it has cost."""

    job: Job
    left: list[Unit]
    deaths: int = 0


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    at: _Open | None = None


@dataclass
class _Coordinator:
    open_evaluator: OpenEvaluator
    keep: Callable[[Finished], None]
    seed: int
    waiting: deque[_Open]
    workers: list[_Worker] = field(default_factory=list)
    barren: int = 0  # workers that died before they were ready, in a row

    def work(self, count: int) -> None:
        """Keep `count` workers busy until nothing waits."""
        for _ in range(count):
            self._start()
        while self.workers:
            ready = wait([worker.pipe for worker in self.workers])
            for worker in [worker for worker in self.workers if worker.pipe in ready]:
                self._listen(worker)

    def stop(self) -> None:
        """Leave no process behind."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self.workers.clear()

    def _start(self) -> None:
        # Spawned, not forked: a forked child inherits torch's threads in whatever state they are.
        context = get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, self.open_evaluator), daemon=True)
        process.start()
        there.close()
        self.workers.append(_Worker(process, here))

    def _listen(self, worker: _Worker) -> None:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        match message:
            case Finished():
                self.keep(message)
                if worker.at is not None:
                    worker.at.left = [unit for unit in worker.at.left if unit.key != message.record.key]
            case EnvironmentProblem():
                raise message
            case "ready" | "done":
                self.barren = 0
                self._feed(worker)
            case _:
                raise EnvironmentProblem(f"A worker process stopped: {message}.")

    def _feed(self, worker: _Worker) -> None:
        worker.at = self.waiting.popleft() if self.waiting else None
        order = None if worker.at is None else replace(worker.at.job, units=tuple(worker.at.left))
        with suppress(OSError):  # a worker that just died is buried when its pipe is next heard
            worker.pipe.send(order)
        if order is None:
            worker.process.join(PATIENCE)
            worker.pipe.close()
            self.workers.remove(worker)

    def _bury(self, worker: _Worker) -> None:
        """A worker died: its job goes back, or is recorded as failed; a new worker takes its place."""
        worker.process.join(PATIENCE)
        worker.pipe.close()
        self.workers.remove(worker)
        how = _how_it_died(worker.process.exitcode)
        if worker.at is None:
            self.barren += 1
            if self.barren >= DEATHS_ALLOWED:
                raise EnvironmentProblem(f"Worker processes die before they start work ({how}); try `--jobs 1`.")
        else:
            self._return(worker.at, how)
        if self.waiting:
            self._start()

    def _return(self, at: _Open, how: str) -> None:
        at.deaths += 1
        if at.deaths < DEATHS_ALLOWED:
            self.waiting.appendleft(at)
            return
        reason = f"the worker process died {at.deaths} times at this sample ({how})"
        for unit in at.left:
            self.keep(Finished(failed(unit, self.seed, reason)))


def _how_it_died(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            name = f"signal {-exit_code}"
        return f"{name}, as when memory runs out" if name == "SIGKILL" else name
    return f"exit code {exit_code}"


def _serve(pipe: Connection, open_evaluator: OpenEvaluator) -> None:
    """A worker's life: take a job, send its units one by one, ask for the next; leave when the coordinator is gone."""
    # Ctrl-C reaches every process of the terminal; the coordinator alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            with open_evaluator() as evaluate:
                pipe.send("ready")
                for job in _orders(pipe):
                    for finished in evaluate(job):
                        pipe.send(finished)
                    pipe.send("done")
        except EnvironmentProblem as problem:
            pipe.send(problem)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as problem:  # noqa: BLE001 - told to the coordinator, which stops the run
            pipe.send(f"{type(problem).__name__}: {problem}")
    pipe.close()
    os._exit(0)  # no atexit handlers of libraries: they have been seen to hang once the parent is gone


def _orders(pipe: Connection) -> Iterable[Job]:
    while (job := pipe.recv()) is not None:
        yield job
