"""What happened: events a study opted into, the audit chain, who was excluded, and what was erased."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Moment, one_of

POLICIES = ("delete", "unlink")
"""What becomes of the answers of somebody who withdraws: they go, or they lose their person."""


Reason = Literal["preregistered", "careless", "catch", "technical", "duplicate", "ineligible", "request", "other"]
"""Why somebody's answers do not count: a rule of the preregistration, careless answers, catch tasks missed, a technical
problem, a second time, not whom the study is for, their own wish; anything else is said in words."""
REASONS: tuple[Reason, ...] = get_args(Reason)


class Event(Base):
    """Something a participant's page reported."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    value: Mapped[str | None]
    client_ms: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Moment)


class Audit(Base):
    """A link of the audit chain: each row's hash covers the one before it, so a change shows."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    detail_json: Mapped[str] = mapped_column(Text)
    prev_sha256: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(unique=True)


class Exclusion(Base):
    """The researcher's decision that a participant's answers do not count. Nothing is deleted; it can be taken back."""

    __tablename__ = "exclusion"
    __table_args__ = (
        one_of("reason", REASONS),
        CheckConstraint("reason != 'other' OR note != ''", name="other_is_explained"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), unique=True)
    reason: Mapped[Reason] = mapped_column(Text)
    note: Mapped[str] = mapped_column(default="")
    """In the researcher's words."""
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment)


class Erasure(Base):
    """That somebody's data went, without saying whose: counts stay explicable."""

    __tablename__ = "erasure"
    __table_args__ = (one_of("policy", POLICIES), CheckConstraint("rows_removed >= 0", name="rows_removed"))

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    participant_token_hash: Mapped[str] = mapped_column(unique=True)
    policy: Mapped[str]
    rows_removed: Mapped[int]
