"""Paired timings: two ways to the same result, in turns in one process, as one row of a table.

Nothing here fails for being slow: a target stands beside what was measured, and a person reads both.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console
from rich.table import Table

Work = Callable[[], object]
Paired = Callable[..., None]


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: what is computed.
        seconds: CPU seconds of our way, the median of the rounds; of one unit where the work yields many.
        other: what it is compared with.
        other_seconds: CPU seconds of the other way, the median of the rounds; scaled up where only a share was run.
        ratio: median over the rounds of other / ours.
        least, most: the smallest and largest such ratio.
        target: the ratio to reach, or None where the row only informs.
    """

    name: str
    seconds: float
    other: str
    other_seconds: float
    ratio: float
    least: float
    most: float
    target: float | None


_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--speed-json", type=Path, default=Path("speed.json"), help="Where the table of ratios is written as JSON."
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """CPU seconds then mean the same on every machine, whatever else runs on it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def paired(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Paired:
    """Adds a row to the table: `ours` and `theirs` timed in turns.

    `theirs_times` says how often `theirs` would have to run for the work that `ours` does once, and `units` how many of
    what the row is about that work yields: the seconds are those of one.
    """
    if benchmark.disabled:
        pytest.skip("speed is measured with --benchmark-enable (tox run -e speed)")

    def measure(
        name: str,
        ours: Work,
        *,
        other: str,
        theirs: Work,
        theirs_times: float = 1,
        units: float = 1,
        target: float | None = None,
        rounds: int = 5,
    ) -> None:
        others: list[float] = []

        def take_turns() -> None:
            start = time.process_time()
            theirs()
            others.append((time.process_time() - start) * theirs_times)

        ours()
        theirs()
        benchmark._timer = time.process_time
        benchmark.pedantic(ours, setup=take_turns, rounds=rounds)  # type: ignore[no-untyped-call]
        mine = benchmark.stats.stats.data
        ratios = [theirs / own for theirs, own in zip(others, mine, strict=True)]
        seconds, other_seconds = median(mine) / units, median(others) / units
        row = Row(name, seconds, other, other_seconds, median(ratios), min(ratios), max(ratios), target)
        benchmark.extra_info.update(asdict(row))
        request.config.stash[_ROWS].append(row)

    return measure


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_ROWS]
    if not rows:
        return
    table = Table("what", "CPU s", "compared with", "CPU s", "times faster", "range", "target")
    for row in rows:
        target = "" if row.target is None else f"{row.target:g} {'reached' if row.ratio >= row.target else 'MISSED'}"
        spread = f"{row.least:.3g} to {row.most:.3g}"
        table.add_row(
            row.name, f"{row.seconds:.3g}", row.other, f"{row.other_seconds:.3g}", f"{row.ratio:.3g}", spread, target
        )
    # 120 columns also where the output is no terminal, which would fold the table to 80.
    with Console(file=terminalreporter._tw._file, width=max(120, terminalreporter._tw.fullwidth)) as console:
        console.print(table)
    path: Path = config.getoption("speed_json")
    measured = {
        "rows": [asdict(row) for row in rows],
        "threads": 1,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processor": platform.processor() or platform.machine(),
        "pytest-benchmark": version("pytest-benchmark"),
    }
    path.write_text(json.dumps(measured, indent=2) + "\n")
    terminalreporter.write_line(f"written to {path}")
