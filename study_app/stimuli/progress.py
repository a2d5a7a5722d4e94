"""Progress bars on standard error: samples found, and the step of the sample at work."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from .production import Standing


class Bars:
    """Two bars while it lasts; a line a sample where there is no terminal to draw them on."""

    def __init__(self) -> None:
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
        self._found = -1

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
        if not self._console.is_terminal and now.found != self._found:
            self._console.print(f"{now.found} of {now.wanted} samples found, {now.rejected} rejected")
        self._found = now.found

    def watch(self, what: str, share: float) -> None:
        """A step of the sample at work."""
        self._progress.update(self._step, description=what, completed=round(100 * share))
