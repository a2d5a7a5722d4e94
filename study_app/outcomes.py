"""What the answers say of the arms, once somebody may see it: counts, and no statistics."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import RATING, Exclusion, Run


@dataclass(frozen=True)
class Outcomes:
    """Main answers of one arm that count, by whether they agree with Score-CAM."""

    arm: str
    agree: int
    disagree: int
    undecided: int

    @property
    def answers(self) -> int:
        """All of them."""
        return self.agree + self.disagree + self.undecided


def outcomes(session: Session, run: Run) -> tuple[Outcomes, ...]:
    """Each arm of `run`, in order of name; who is excluded is left out."""
    rows = session.execute(
        select(RATING.c.arm, RATING.c.outcome, func.count())
        .outerjoin(Exclusion, Exclusion.participant_id == RATING.c.participant_id)
        .where(RATING.c.run_id == run.id, Exclusion.id.is_(None))
        .group_by(RATING.c.arm, RATING.c.outcome)
    )
    counts = Counter({(arm, outcome): count for arm, outcome, count in rows})
    return tuple(
        Outcomes(arm, counts[arm, "agree"], counts[arm, "disagree"], counts[arm, "undecided"])
        for arm in sorted({arm for arm, _ in counts})
    )
