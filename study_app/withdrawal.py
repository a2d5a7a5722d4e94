"""A participant goes, and takes the data along: by the policy that the study declared, leaving a tombstone."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from . import assignment, audit
from .models import (
    Assignment,
    Consent,
    Erasure,
    Event,
    Exclusion,
    Identity,
    Participant,
    Response,
    TrainingAttempt,
)
from .tokens import token


def withdraw(session: Session, participant: Participant, *, policy: str, actor: str, now: datetime) -> Erasure:
    """Erase `participant`; the way back to the person goes in any case.

    With "delete" every row of theirs goes. With "unlink" the answers stay under a new pseudonym, as the consent text
    said they would. The tombstone holds a hash of the old pseudonym and the number of rows that went.
    """
    old = participant.token
    identity = participant.identity
    removed = 0
    if policy == "delete":
        removed = _rows(session, participant)
        session.delete(participant)
    else:
        assignment.release(session, participant)
        participant.token, participant.identity_id, participant.status = token(), None, "withdrawn"
        participant.completion_code = None
        removed = len(
            session.scalars(delete(Event).where(Event.participant_id == participant.id).returning(Event.id)).all()
        )
    session.flush()
    if identity and not session.scalar(select(func.count()).where(Participant.identity_id == identity.id)):
        session.execute(delete(Identity).where(Identity.id == identity.id))
        removed += 1
    erasure = Erasure(
        run_id=participant.run_id,
        at=now,
        participant_token_hash=hashlib.sha256(old.encode()).hexdigest(),
        policy=policy,
        rows_removed=removed,
    )
    session.add(erasure)
    session.flush()
    audit.append(
        session,
        actor=actor,
        action="erase",
        target=erasure.participant_token_hash,
        detail={"policy": policy, "rows_removed": removed},
        now=now,
    )
    return erasure


def _rows(session: Session, participant: Participant) -> int:
    """How many rows hang on the participant, the participant included."""
    counts = [
        session.scalar(select(func.count()).select_from(table).where(table.participant_id == participant.id)) or 0
        for table in (Assignment, Consent, Event, Exclusion, TrainingAttempt)
    ]
    answers = session.scalar(
        select(func.count()).select_from(Response).join(Assignment).where(Assignment.participant_id == participant.id)
    )
    return 1 + sum(counts) + (answers or 0)
