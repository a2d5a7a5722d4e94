"""Which picture stands in which place of a task; the places are all that a browser knows."""

from typing import Literal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from .models import Assignment, Image, Region, Task, Visualisation

Slot = Literal["full", "pattern", "left", "right"]
SLOTS: tuple[Slot, ...] = ("full", "pattern", "left", "right")

# The answer's region first. Made once: this is asked for every picture of every task.
_HASHES = (
    select(Image.sha256, Visualisation.sha256, Region.sha256)
    .select_from(Task)
    .join(Task.image)
    .join(Region, Region.image_id == Image.id)
    .outerjoin(Task.visualisation)
    .where(Task.id == bindparam("task"))
    .order_by(Region.id != Task.answer_region_id)
)


def pictures_of(session: Session, assignment: Assignment) -> dict[Slot, str]:
    """The sha256 of the picture in each place: the answer's region on the key side, the other class's on the other."""
    rows = session.execute(_HASHES, {"task": assignment.task_id})
    (full, pattern, answer), (_, _, other) = rows
    left, right = (answer, other) if assignment.key_side == "left" else (other, answer)
    # A catch trial shows the region itself.
    return {"full": full, "pattern": pattern or answer, "left": left, "right": right}
