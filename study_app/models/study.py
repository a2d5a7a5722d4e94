"""A study, and the runs in which it collects answers."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Moment, one_of

RunKind = Literal["main", "pilot", "bot"]


class Study(Base):
    """A stimulus set with a design: what is shown, and by which rules."""

    __tablename__ = "study"
    __table_args__ = (CheckConstraint("picture_bytes > 0", name="picture_bytes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    config_json: Mapped[str] = mapped_column(Text)
    config_sha256: Mapped[str]
    stimuli_sha256: Mapped[str]
    """Of the manifest the pictures came with: the end of the thread from weights to p-value."""
    picture_bytes: Mapped[int]
    """Every picture is sent with this many bytes, the longest of them."""
    created_at: Mapped[datetime] = mapped_column(Moment)

    runs: Mapped[list["Run"]] = relationship(back_populates="study")


class Run(Base):
    """One collection of answers. Pilots and bots are kept apart from the answers that count."""

    __tablename__ = "run"
    __table_args__ = (one_of("kind", get_args(RunKind)),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    """Names the run in entry links."""
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    kind: Mapped[RunKind] = mapped_column(Text)
    seed: Mapped[int]
    prereg_sha256: Mapped[str | None]
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    unblinded_at: Mapped[datetime | None] = mapped_column(Moment)

    study: Mapped[Study] = relationship(back_populates="runs")

    @property
    def is_open(self) -> bool:
        """Whether people may enter."""
        return self.opened_at is not None and self.closed_at is None
