"""A run to be killed: `python fake_run.py STORE WORKERS SECONDS_PER_UNIT`; prints the number of units it computed."""

import signal
import sys
from functools import partial
from pathlib import Path

from fake_evaluator import FakeEvaluator, opened, subject

from benchmark import definition
from benchmark.execution import execute
from benchmark.plan import make
from benchmark.store import Store

if __name__ == "__main__":
    # A shell that runs tests in the background has its children ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, workers, seconds = sys.argv[1:]
    plan = make([definition.load("2")], subject())
    done = execute(
        plan,
        Store(Path(folder)),
        open_evaluator=partial(opened, FakeEvaluator(seconds=float(seconds))),
        workers=int(workers),
    )
    print(done.computed, done.left, done.interrupted)  # noqa: T201 - read by the test
