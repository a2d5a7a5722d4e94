"""Which picture stands in which place of a task; the places are all that a browser knows."""

from typing import Literal

from .models import Assignment, Region

Slot = Literal["full", "pattern", "left", "right"]
SLOTS: tuple[Slot, ...] = ("full", "pattern", "left", "right")


def pictures_of(assignment: Assignment) -> dict[Slot, str]:
    """The sha256 of the picture in each place: the answer's region on the key side, the other class's on the other."""
    task = assignment.task
    answer = task.answer_region
    (other,) = (region for region in task.image.regions if region.id != answer.id)
    left, right = (answer, other) if assignment.key_side == "left" else (other, answer)
    return {
        "full": task.image.sha256,
        "pattern": _pattern(assignment, answer),
        "left": left.sha256,
        "right": right.sha256,
    }


def _pattern(assignment: Assignment, answer: Region) -> str:
    visualisation = assignment.task.visualisation
    return visualisation.sha256 if visualisation else answer.sha256  # a catch trial shows the region itself
