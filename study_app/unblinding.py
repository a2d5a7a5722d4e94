"""The moment the researcher first sees which answer belongs to which arm: closed before, recorded always."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import audit
from .errors import InputError
from .models import Audit, Run


def close(session: Session, run: Run, *, actor: str, now: datetime) -> None:
    """Close `run` for good: nobody enters or answers any more; a second call changes nothing."""
    if run.closed_at is None:
        run.closed_at = now
        audit.append(session, actor=actor, action="close", target=run.token, detail={}, now=now)


def unblind(session: Session, run: Run, *, actor: str, purpose: str, now: datetime, early: bool = False) -> None:
    """Note that `actor` sees the arms of `run`, for `purpose`; the first time is kept with the run.

    Raises:
        InputError: the run still collects answers, and `early` was not asked for.
    """
    if run.closed_at is None and not early:
        raise InputError(
            f"Run {run.token} still collects answers, and looking at arms now would bias what is decided about it. "
            f"Close it first: spade-study close-run {run.token}"
        )
    run.unblinded_at = run.unblinded_at or now
    detail = {"purpose": purpose, "before_close": run.closed_at is None}
    audit.append(session, actor=actor, action="unblind", target=run.token, detail=detail, now=now)


def has_seen(session: Session, run: Run, *, actor: str) -> bool:
    """Whether `actor` may be shown the arms of `run`: it is closed, and that they look is on record."""
    looked = select(Audit.id).where(Audit.object == run.token, Audit.action == "unblind", Audit.actor == actor)
    return run.closed_at is not None and session.scalar(looked.limit(1)) is not None
