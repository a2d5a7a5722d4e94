"""From a person at the door to a pseudonym in a run."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Consent, Device, Identity, Invitation, Participant, Run, Source
from .tokens import code, code_hash, seed, token


@dataclass(frozen=True)
class Agreed:
    """The consent text somebody saw: what was decided about which wording."""

    document_sha256: str
    version: str
    locale: str


def open_run(session: Session, run_token: str | None = None) -> Run | None:
    """The open run of that token; without one the newest open run, a main one before a pilot, never one for bots."""
    runs = select(Run).where(Run.opened_at.is_not(None), Run.closed_at.is_(None))
    if run_token:
        return session.scalar(runs.where(Run.token == run_token))
    found = session.scalars(runs.where(Run.kind != "bot").order_by(Run.opened_at.desc(), Run.id.desc())).all()
    return next((run for run in found if run.kind == "main"), found[0] if found else None)


def platform_identity(session: Session, source: Source, pid: str) -> Identity | None:
    """Who came from a platform before under that id."""
    return session.scalar(select(Identity).where(Identity.source == source, Identity.external_pid == pid))


def invite(session: Session, run: Run, now: datetime) -> str:
    """The code of a new personal invitation to `run`; only its hash is kept."""
    text = code()
    identity = Identity(token=token(), source="invitation", code_sha256=code_hash(text), created_at=now)
    session.add(identity)
    session.flush()
    session.add(Invitation(identity_id=identity.id, run_id=run.id))
    return text


def invited_to(session: Session, identity: Identity) -> Run | None:
    """The run an identity was invited to, None for who came another way."""
    return session.scalar(
        select(Run).join(Invitation, Invitation.run_id == Run.id).where(Invitation.identity_id == identity.id)
    )


def participant_of(session: Session, run: Run, identity: Identity) -> Participant | None:
    """The pseudonym of an identity in a run, if it has one."""
    return session.scalar(
        select(Participant).where(Participant.run_id == run.id, Participant.identity_id == identity.id)
    )


def enrol(
    session: Session, run: Run, identity: Identity, agreed: Agreed, *, device: Device, now: datetime
) -> Participant:
    """A new pseudonym for somebody who agreed; the old one, for somebody who is in the run already."""
    known = participant_of(session, run, identity)
    if known:
        return known
    participant = Participant(
        token=token(),
        run_id=run.id,
        identity_id=identity.id,
        source=identity.source,
        locale=agreed.locale,
        device_class=device,
        created_at=now,
        status="consented",
        training_step=0,
        seed=seed(),
    )
    session.add(participant)
    session.flush()
    session.add(_decision(run, agreed, "accepted", now, participant.id))
    session.flush()
    return participant


def decline(session: Session, run: Run, agreed: Agreed, identity: Identity | None, now: datetime) -> None:
    """Record that somebody said no, and nothing about who."""
    session.add(_decision(run, agreed, "declined", now, None))
    if identity and not identity.participants and identity.source == "account":
        session.delete(identity)


def finish(participant: Participant, now: datetime) -> None:
    """Close the rater's part, with a code that shows it; a second call changes nothing."""
    if participant.status == "finished":
        return
    participant.status, participant.finished_at = "finished", now
    participant.completion_code = participant.completion_code or code()


def screen_out(participant: Participant) -> None:
    """End the rater's part before the tasks, with a code for the platform."""
    participant.status = "screened_out"
    participant.completion_code = participant.completion_code or code()


def _decision(run: Run, agreed: Agreed, decision: str, now: datetime, participant_id: int | None) -> Consent:
    return Consent(
        run_id=run.id,
        participant_id=participant_id,
        document_sha256=agreed.document_sha256,
        version=agreed.version,
        locale=agreed.locale,
        decision=decision,
        at=now,
    )
