"""What was asked of whom, and what was answered."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Moment, one_of
from .person import Participant
from .stimulus import Task

Side = Literal["left", "right"]
State = Literal["leased", "shown", "answered", "expired", "void"]
Choice = Literal["left", "right", "both", "neither"]
"""The paper records "both" and "neither" alike as declining to answer; here they are kept apart."""
InputMode = Literal["dblclick", "click", "key", "touch"]

CHOICES: tuple[Choice, ...] = get_args(Choice)
INPUT_MODES: tuple[InputMode, ...] = get_args(InputMode)


class Assignment(Base):
    """A task lent to a participant until `expires_at`, with the side on which the answer lies."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("participant_id", "task_id"),
        UniqueConstraint("participant_id", "position"),
        Index("ix_assignment_task_id_state", "task_id", "state"),
        Index("ix_assignment_participant_id_state", "participant_id", "state"),
        one_of("key_side", get_args(Side)),
        one_of("state", get_args(State)),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("expires_at > leased_at", name="lease"),
        CheckConstraint("state NOT IN ('shown', 'answered') OR shown_at IS NOT NULL", name="answered_was_shown"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id", ondelete="CASCADE"))
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"))
    position: Mapped[int]
    key_side: Mapped[Side] = mapped_column(Text)
    leased_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    shown_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[State] = mapped_column(Text)
    void_reason: Mapped[str | None]

    participant: Mapped[Participant] = relationship()
    task: Mapped[Task] = relationship()
    response: Mapped["Response | None"] = relationship(back_populates="assignment")


class Response(Base):
    """The one answer to an assignment. Whether it agrees with Score-CAM is derived (view `rating`), never stored."""

    __tablename__ = "response"
    __table_args__ = (
        one_of("choice", CHOICES),
        one_of("input", INPUT_MODES),
        CheckConstraint("client_rt_ms >= 0", name="client_rt_ms"),
        CheckConstraint("server_rt_ms >= 0", name="server_rt_ms"),
        CheckConstraint("n_blur >= 0", name="n_blur"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id", ondelete="CASCADE"), unique=True)
    choice: Mapped[Choice] = mapped_column(Text)
    input: Mapped[InputMode] = mapped_column(Text)
    client_rt_ms: Mapped[int | None]
    """From the moment all four pictures were drawn to the choice, by the browser's monotonic clock."""
    server_rt_ms: Mapped[int]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    n_blur: Mapped[int] = mapped_column(default=0)
    """How often the page lost the focus before the choice."""
    viewport: Mapped[str | None]
    image_error: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str]
    at: Mapped[datetime] = mapped_column(Moment)

    assignment: Mapped[Assignment] = relationship(back_populates="response")


class ResponseRevision(Base):
    """What an answer was before the participant took it back."""

    __tablename__ = "response_revision"
    __table_args__ = (one_of("choice", CHOICES),)

    id: Mapped[int] = mapped_column(primary_key=True)
    response_id: Mapped[int] = mapped_column(ForeignKey("response.id", ondelete="CASCADE"), index=True)
    choice: Mapped[Choice] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str]
