"""Who wins what the study offers. The paper pays the top performer and does not say how to find one; this is our rule.

The score is the number of main answers that agree with Score-CAM less those that disagree; an undecided answer counts
nothing. So a guess gains nothing on average, and neither does skipping. Who gave fewer main answers than the study's
`prize.minimum`, was excluded, or withdrew takes no part. Ties are broken by a draw from the run's seed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .design import Design
from .models import RATING, Exclusion, Participant, Run
from .tokens import draw


@dataclass(frozen=True)
class Standing:
    """One rater who takes part, by pseudonym."""

    rater: str
    agree: int
    disagree: int
    undecided: int
    lot: float
    """In [0, 1), of the run's seed and the pseudonym; the smaller goes first among equal scores."""

    @property
    def score(self) -> int:
        """Agreeing less disagreeing answers."""
        return self.agree - self.disagree


def standings(session: Session, run: Run, design: Design) -> list[Standing]:
    """Everybody who takes part, the winner first."""
    rows = session.execute(
        select(Participant.token, RATING.c.outcome, func.count())
        .join(RATING, RATING.c.participant_id == Participant.id)
        .outerjoin(Exclusion, Exclusion.participant_id == Participant.id)
        .where(Participant.run_id == run.id, Participant.status != "withdrawn", Exclusion.id.is_(None))
        .group_by(Participant.token, RATING.c.outcome)
    )
    counts: dict[str, dict[str, int]] = {}
    for rater, outcome, count in rows:
        counts.setdefault(rater, {})[outcome] = count
    found = (
        Standing(
            rater,
            one.get("agree", 0),
            one.get("disagree", 0),
            one.get("undecided", 0),
            draw(run.seed, "prize", rater),
        )
        for rater, one in counts.items()
        if sum(one.values()) >= design.prize.minimum
    )
    return ranked(found)


def ranked(found: Iterable[Standing]) -> list[Standing]:
    """By score, the highest first; equal scores by lot."""
    return sorted(found, key=lambda one: (-one.score, one.lot))
