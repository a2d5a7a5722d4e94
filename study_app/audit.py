"""The audit chain: append a row, and check that nobody changed or removed one."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from .models import Audit

START = "0" * 64


def append(
    session: Session,
    *,
    actor: str,
    action: str,
    target: str,
    detail: Mapping[str, object],
    now: datetime,
) -> Audit:
    """A new last row, in a writing session."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(378607)"))
    last = session.scalar(select(Audit).order_by(Audit.id.desc()).limit(1))
    row = Audit(
        at=now,
        actor=actor,
        action=action,
        object=target,
        detail_json=json.dumps(dict(detail), sort_keys=True, ensure_ascii=False),
        prev_sha256=last.sha256 if last else START,
        sha256="",
    )
    row.sha256 = _hash(row)
    session.add(row)
    session.flush()
    return row


def first_broken(session: Session) -> int | None:
    """Id of the first row that does not follow from the one before it, None where the chain is whole.

    Rows removed from the end leave a shorter, whole chain: keep the last hash elsewhere to see that.
    """
    previous = START
    for row in session.scalars(select(Audit).order_by(Audit.id)):
        if row.prev_sha256 != previous or row.sha256 != _hash(row):
            return row.id
        previous = row.sha256
    return None


def _hash(row: Audit) -> str:
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = json.dumps([at, row.actor, row.action, row.object, row.detail_json, row.prev_sha256])
    return hashlib.sha256(content.encode()).hexdigest()
