"""Who runs the study: accounts of the researcher's pages, apart from everybody who takes part."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Moment


class Admin(Base):
    """Somebody who may see the researcher's pages; made and removed on the command line alone."""

    __tablename__ = "admin"
    __table_args__ = (CheckConstraint("name != ''", name="name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)

    sessions: Mapped[list["AdminSession"]] = relationship(back_populates="admin", passive_deletes=True)


class AdminSession(Base):
    """One browser that is logged in. Logging out deletes the row, so that a copied cookie opens nothing."""

    __tablename__ = "admin_session"
    __table_args__ = (CheckConstraint("expires_at > created_at", name="life"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    """Of what the cookie holds; the token itself is not kept."""
    admin_id: Mapped[int] = mapped_column(ForeignKey("admin.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)

    admin: Mapped[Admin] = relationship(back_populates="sessions")
