"""Which kind of trial stands at which position for a rater, and on which side the answer lies: seeded, never stored."""

from collections.abc import Iterator
from itertools import count

from .design import Tasks
from .models import Side, TaskKind
from .tokens import draw


def kind_at(position: int, tasks: Tasks, *, seed: int) -> TaskKind:
    """The kind of trial at `position` [0 for the first].

    Catch and repeated trials come once in every stretch of 1/share positions, at a place drawn for each stretch. No
    repeat comes within the first `repeat_gap` positions, where there is nothing to repeat.
    """
    if tasks.repeat_share and position >= tasks.repeat_gap and _falls_on(position, tasks.repeat_share, seed, "repeat"):
        return "repeat"
    if tasks.catch_share and _falls_on(position, tasks.catch_share, seed, "catch"):
        return "catch"
    return "main"


def length(main: int, tasks: Tasks, *, seed: int, start: int = 0, catch: int | None = None) -> int:
    """Positions from `start` on until `main` main tasks are done, catch and repeated trials included.

    There are `catch` catch tasks (None: enough); when they are used up, main tasks come in their place.
    """
    left, spare = main, catch
    for position in count(start):
        if left <= 0:
            return position - start
        kind = kind_at(position, tasks, seed=seed)
        if kind == "catch" and spare == 0:
            kind = "main"
        elif kind == "catch" and spare is not None:
            spare -= 1
        left -= kind == "main"
    raise AssertionError  # `count` never ends


def side_at(position: int, tasks: Tasks, *, seed: int) -> Side:
    """The side of the answer at `position`: "equally likely" (appendix K), and in balance within each block."""
    if not tasks.side_block:
        return "left" if draw(seed, "side", position) < 0.5 else "right"
    block, place = divmod(position, tasks.side_block)
    order = sorted(range(tasks.side_block), key=lambda one: draw(seed, "side", block, one))
    return "left" if order.index(place) < tasks.side_block // 2 else "right"


def _falls_on(position: int, share: float, seed: int, name: str) -> bool:
    stretch = next(one for one in _stretches(share) if one.stop > position)
    chosen = stretch.start + int(draw(seed, name, stretch.start) * len(stretch))
    return position == chosen


def _stretches(share: float) -> Iterator[range]:
    """Positions cut into stretches of 1/share on average; 0.3 gives 3, 3, 4, 3, 3, 4, ..."""
    for number in count():
        yield range(round(number / share), round((number + 1) / share))
