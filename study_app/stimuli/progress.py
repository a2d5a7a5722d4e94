"""Progress bars on standard error: samples found, and the step of the sample at work."""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from .production import Standing

SECONDS_BETWEEN = 30
"""After which a rejected sample is worth a line: most are rejected, and each may take a minute."""


class Bars:
    """Two bars while it lasts; where there is no terminal to draw them on, a line a sample, and one now and then."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._samples: TaskID | None = None
        self._step = self._progress.add_task("looking for samples", total=100, visible=True)
        self._found, self._rejected, self._told_at = -1, 0, clock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def standing(self, now: Standing) -> None:
        """How many samples are found and rejected."""
        told = f"samples ({now.rejected} rejected)"
        if self._samples is None:
            self._samples = self._progress.add_task(told, total=now.wanted)
        self._progress.update(self._samples, completed=now.found, description=told)
        self._progress.update(self._step, description="looking for samples", completed=0)
        late = now.rejected != self._rejected and self._clock() - self._told_at >= SECONDS_BETWEEN
        if not self._console.is_terminal and (now.found != self._found or late):
            self._console.print(f"{now.found} of {now.wanted} samples found, {now.rejected} rejected")
            self._told_at = self._clock()
        self._found, self._rejected = now.found, now.rejected

    def watch(self, what: str, share: float) -> None:
        """A step of the sample at work."""
        self._progress.update(self._step, description=what, completed=round(100 * share))
