"""Whose answers do not count, and why: decided by a person, taken back by a person, both in the audit log."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import audit
from .errors import InputError, nearest
from .models import REASONS, Audit, Exclusion, Participant, Run

NOTE_MAX = 500


def exclude(
    session: Session, run: Run, person: Participant, *, reason: str, note: str, actor: str, now: datetime
) -> Exclusion:
    """Set the answers of `person` aside. Nothing is deleted; the export says why in each row.

    Raises:
        InputError: the reason is not on the list, `other` comes without a note, the note is too long, or the person is
            excluded already.
    """
    if reason not in REASONS:
        raise InputError(f"'{reason}' is no reason to exclude. {nearest(reason, REASONS)}")
    note = " ".join(note.split())
    if reason == "other" and not note:
        raise InputError("The reason 'other' needs a note that says what it is.")
    if len(note) > NOTE_MAX:
        raise InputError(f"The note has {len(note)} characters; {NOTE_MAX} are allowed.")
    known = exclusion_of(session, person)
    if known:
        raise InputError(f"Rater {person.token} is excluded already ({known.reason}). Take that back first.")
    made = Exclusion(participant_id=person.id, reason=reason, note=note, actor=actor, at=now)
    session.add(made)
    session.flush()
    # Whether the researcher could have known the results is what a reader of the log will ask.
    detail = {"run": run.token, "reason": reason, "note": note, "arms_seen": run.unblinded_at is not None}
    audit.append(session, actor=actor, action="exclude", target=person.token, detail=detail, now=now)
    return made


def readmit(session: Session, run: Run, person: Participant, *, note: str, actor: str, now: datetime) -> None:
    """Let the answers of `person` count again.

    Raises:
        InputError: the person is not excluded.
    """
    known = exclusion_of(session, person)
    if known is None:
        raise InputError(f"Rater {person.token} is not excluded.")
    session.delete(known)
    session.flush()
    detail = {"run": run.token, "was": known.reason, "note": " ".join(note.split())[:NOTE_MAX]}
    detail_seen = {**detail, "arms_seen": run.unblinded_at is not None}
    audit.append(session, actor=actor, action="readmit", target=person.token, detail=detail_seen, now=now)


def exclusion_of(session: Session, person: Participant) -> Exclusion | None:
    """Why the answers of `person` do not count, None where they do."""
    return session.scalar(select(Exclusion).where(Exclusion.participant_id == person.id))


def decisions(session: Session, person: Participant) -> Sequence[Audit]:
    """What was decided about `person`, in order."""
    actions = ("exclude", "readmit")
    return session.scalars(
        select(Audit).where(Audit.object == person.token, Audit.action.in_(actions)).order_by(Audit.id)
    ).all()
