"""The audit chain: append a row, and check that nobody changed or removed one."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Broken:
    """The first link that does not hold."""

    row: Audit
    changed: bool
    """Its content is not what was hashed; else a row before it was removed or put in."""


@dataclass(frozen=True)
class Chain:
    """The whole log, held against its hashes."""

    rows: int
    last_sha256: str
    """Of the last row; `START` where there is none. Kept elsewhere, it shows later that no row went from the end."""
    broken: Broken | None


def verify(session: Session) -> Chain:
    """Every link from the first on. Rows removed from the end leave a shorter, whole chain: see `Chain.last_sha256`."""
    previous, count, broken = START, 0, None
    for row in session.scalars(select(Audit).order_by(Audit.id)):
        count += 1
        changed = row.sha256 != _hash(row)
        if broken is None and (changed or row.prev_sha256 != previous):
            broken = Broken(row, changed)
        previous = row.sha256
    return Chain(count, previous, broken)


def first_broken(session: Session) -> int | None:
    """Id of the first row that does not follow from the one before it, None where the chain is whole."""
    found = verify(session).broken
    return found.row.id if found else None


def about(row: Audit, run: str) -> bool:
    """Whether a row is about the run of that name, or about somebody in it."""
    return row.object == run or json.loads(row.detail_json).get("run") == run


def _hash(row: Audit) -> str:
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = json.dumps([at, row.actor, row.action, row.object, row.detail_json, row.prev_sha256])
    return hashlib.sha256(content.encode()).hexdigest()
