"""Who sits at the browser: a participant, somebody on the way in, or nobody. The cookie holds tokens, signed."""

from dataclasses import asdict, dataclass

from flask import session as cookie
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from .models import Device, Participant, Run, Source

_KEPT = ("locale",)


@dataclass(frozen=True)
class Entry:
    """Somebody who came in and has not agreed yet."""

    run: str
    source: Source
    pid: str | None = None
    session: str | None = None
    identity: str | None = None
    """Token of the identity: of one that exists (account, invitation), or for one to be made, once, on consent."""


def participant_token() -> str | None:
    """The pseudonym that the browser carries; not whether there is still somebody of that name."""
    token: str | None = cookie.get("participant")
    return token


def participant(session: Session) -> Participant | None:
    """The participant of the current request, with run and study."""
    token = participant_token()
    if not token:
        return None
    return session.scalar(
        select(Participant)
        .where(Participant.token == token)
        .options(joinedload(Participant.run).joinedload(Run.study), joinedload(Participant.identity))
    )


def sign_in(participant: Participant) -> None:
    """Make the browser this participant's; everything of the session before, its CSRF secret too, is dropped."""
    _rotate()
    cookie["participant"] = participant.token


def sign_out() -> None:
    """Make the browser nobody's."""
    _rotate()


def arrive(entry: Entry) -> None:
    """Note that somebody came in, until they agree or decline."""
    _rotate()
    cookie["entry"] = asdict(entry)


def arrived() -> Entry | None:
    """Who came in and has not decided yet."""
    noted = cookie.get("entry")
    return Entry(**noted) if noted else None


def device(user_agent: str) -> Device:
    """A coarse class of machine; nothing else of the user agent is kept."""
    text = user_agent.lower()
    if "ipad" in text or "tablet" in text or ("android" in text and "mobile" not in text):
        return "tablet"
    if "mobi" in text or "iphone" in text:
        return "phone"
    return "desktop" if any(name in text for name in ("windows", "macintosh", "linux", "cros")) else "unknown"


def _rotate() -> None:
    kept = {name: cookie[name] for name in _KEPT if name in cookie}
    cookie.clear()
    cookie.update(kept)
    cookie.permanent = True
