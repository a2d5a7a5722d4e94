"""What is shown: images, their two regions, the visualisations, and the tasks made of them."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Moment, one_of

Role = Literal["true", "pred"]
"""Whose neuron and region: the correct class or the predicted one."""
Arm = Literal["dense", "spade"]
TaskKind = Literal["main", "train", "catch", "repeat"]


class Image(Base):
    """A misclassified sample. Its classes never leave the server while people answer."""

    __tablename__ = "image"
    __table_args__ = (
        UniqueConstraint("study_id", "dataset_ref"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    dataset_ref: Mapped[str]
    true_class: Mapped[str]
    pred_class: Mapped[str]
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]

    regions: Mapped[list["Region"]] = relationship(back_populates="image")
    visualisations: Mapped[list["Visualisation"]] = relationship(back_populates="image")


class Region(Base):
    """The image cut to what Score-CAM of the dense network finds for one class."""

    __tablename__ = "region"
    __table_args__ = (
        UniqueConstraint("image_id", "role"),
        one_of("role", get_args(Role)),
        CheckConstraint("area_frac > 0 AND area_frac <= 1", name="area_frac"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id"))
    role: Mapped[Role] = mapped_column(Text)
    sha256: Mapped[str]
    bbox: Mapped[str | None]
    """JSON: left, top, right, bottom in pixels of the image."""
    mask_sha256: Mapped[str | None]
    area_frac: Mapped[float | None]
    method: Mapped[str]
    params_json: Mapped[str] = mapped_column(Text)

    image: Mapped[Image] = relationship(back_populates="regions")


class Visualisation(Base):
    """The pattern that excites a class neuron, of the dense network or of the sample's trace."""

    __tablename__ = "visualisation"
    __table_args__ = (
        UniqueConstraint("image_id", "role", "arm", "seed"),
        one_of("role", get_args(Role)),
        one_of("arm", get_args(Arm)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id"))
    role: Mapped[Role] = mapped_column(Text)
    arm: Mapped[Arm] = mapped_column(Text)
    sha256: Mapped[str]
    seed: Mapped[int]
    steps: Mapped[int | None]
    sparsity: Mapped[float | None]
    generator_version: Mapped[str | None]

    image: Mapped[Image] = relationship(back_populates="visualisations")


class Task(Base):
    """One question: this image, the pattern of this class by this arm. 100 images make the paper's 400 main tasks.

    A catch task shows a region itself in place of the pattern, so it belongs to no arm.
    """

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("study_id", "image_id", "role", "arm", "kind"),
        # NULLs differ from each other in a unique constraint, so catch tasks need one of their own.
        Index(
            "uq_task_catch",
            "study_id",
            "image_id",
            "role",
            unique=True,
            sqlite_where=text("kind = 'catch'"),
            postgresql_where=text("kind = 'catch'"),
        ),
        one_of("role", get_args(Role)),
        one_of("arm", get_args(Arm)),
        one_of("kind", get_args(TaskKind)),
        CheckConstraint("(kind = 'catch') = (arm IS NULL)", name="catch_has_no_arm"),
        CheckConstraint("(arm IS NULL) = (visualisation_id IS NULL)", name="arm_has_visualisation"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_for_a_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id"))
    role: Mapped[Role] = mapped_column(Text)
    arm: Mapped[Arm | None] = mapped_column(Text)
    visualisation_id: Mapped[int | None] = mapped_column(ForeignKey("visualisation.id"))
    answer_region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    kind: Mapped[TaskKind] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
    """Not handed out any more: a picture of it is missing or altered, or the researcher vetoed it."""
    withdrawn_reason: Mapped[str | None]

    image: Mapped[Image] = relationship()
    visualisation: Mapped[Visualisation | None] = relationship()
    answer_region: Mapped[Region] = relationship()
