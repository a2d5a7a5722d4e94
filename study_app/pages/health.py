"""For whoever watches the server: is the process there, and can it take answers."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from .. import migration
from ..models import Image, Region, Run, Visualisation
from ..resources import Resources, resources

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 as long as the process answers."""
    return {"status": "ok"}


@pages.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when the database takes writes, is migrated, and every picture of an open run is as it was; else 503."""
    found = _checks(resources())
    ready = all(found.values())
    return jsonify({"status": "ready" if ready else "not ready", "checks": found}), 200 if ready else 503


def _write(session: Session) -> None:
    """Write something that means nothing: a full disk shows only then, and only when it is committed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("UPDATE run SET seed = seed WHERE id = (SELECT max(id) FROM run)"))
        return
    # SQLite does not write what stays the same. The number that it keeps for applications is not used otherwise.
    number = session.scalar(text("PRAGMA user_version")) or 0
    session.execute(text(f"PRAGMA user_version = {(number + 1) % 2**31}"))


def _checks(parts: Resources) -> dict[str, bool]:
    checks = {"database": False, "migrations": False, "pictures": False}
    try:
        checks["migrations"] = migration.is_current(parts.database)
        with parts.database.writing() as session:
            _write(session)
        checks["database"] = True
        with parts.database.reading() as session:
            studies = select(Run.study_id).where(Run.opened_at.is_not(None), Run.closed_at.is_(None))
            images = select(Image.id).where(Image.study_id.in_(studies))
            wanted = [
                *session.scalars(select(Image.sha256).where(Image.study_id.in_(studies))),
                *session.scalars(select(Region.sha256).where(Region.image_id.in_(images))),
                *session.scalars(select(Visualisation.sha256).where(Visualisation.image_id.in_(images))),
            ]
        checks["pictures"] = all(parts.pictures.seems_whole(one) for one in wanted)
    except SQLAlchemyError:
        pass  # what could not be checked stays False
    return checks
