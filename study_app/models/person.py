"""Who answers: a pseudonym, and apart from it, deletable, how the person comes back."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Moment, one_of
from .study import Run

Source = Literal["open", "account", "invitation", "prolific", "mturk", "sona", "bot"]
Status = Literal["consented", "training", "active", "finished", "screened_out", "withdrawn", "abandoned"]
Device = Literal["desktop", "tablet", "phone", "unknown"]
Decision = Literal["accepted", "declined"]


class Identity(Base):
    """What leads back to a person. Exports and statistics never join it; erasing deletes it."""

    __tablename__ = "identity"
    __table_args__ = (
        UniqueConstraint("source", "external_pid"),
        one_of("source", get_args(Source)),
        CheckConstraint("(username IS NULL) = (password_hash IS NULL)", name="account_is_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    source: Mapped[Source] = mapped_column(Text)
    username: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    external_pid: Mapped[str | None]
    external_session: Mapped[str | None]
    code_sha256: Mapped[str | None] = mapped_column(unique=True)
    """Of the return code or invitation code; the code itself is not kept."""
    created_at: Mapped[datetime] = mapped_column(Moment)

    participants: Mapped[list["Participant"]] = relationship(back_populates="identity")


class Invitation(Base):
    """The run that a personal link leads to, whichever others are open."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)

    run: Mapped[Run] = relationship()


class Participant(Base):
    """A pseudonym in one run."""

    __tablename__ = "participant"
    __table_args__ = (
        UniqueConstraint("run_id", "identity_id"),
        one_of("status", get_args(Status)),
        one_of("device_class", get_args(Device)),
        one_of("source", get_args(Source)),
        CheckConstraint("status != 'finished' OR finished_at IS NOT NULL", name="finished_has_a_moment"),
        CheckConstraint("training_step >= 0", name="training_step"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="SET NULL"))
    source: Mapped[Source] = mapped_column(Text)
    locale: Mapped[str]
    device_class: Mapped[Device] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    status: Mapped[Status] = mapped_column(Text, index=True)
    training_step: Mapped[int] = mapped_column(default=0)
    """Training pages passed."""
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    completion_code: Mapped[str | None] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(BigInteger)

    run: Mapped[Run] = relationship()
    identity: Mapped[Identity | None] = relationship(back_populates="participants")


class Consent(Base):
    """A decision about one wording of the consent text. Somebody who declines leaves no participant behind."""

    __tablename__ = "consent"
    __table_args__ = (
        one_of("decision", get_args(Decision)),
        CheckConstraint("(decision = 'accepted') OR (participant_id IS NULL)", name="declined_is_nobody"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), index=True)
    document_sha256: Mapped[str]
    version: Mapped[str]
    locale: Mapped[str]
    decision: Mapped[Decision] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)


class TrainingAttempt(Base):
    """One try at the gated trial; training never mixes with data."""

    __tablename__ = "training_attempt"
    __table_args__ = (
        one_of("choice", ("left", "right", "both", "neither")),
        CheckConstraint("rt_ms >= 0", name="rt_ms"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"), index=True)
    step: Mapped[int]
    choice: Mapped[str]
    correct: Mapped[bool]
    rt_ms: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Moment)
