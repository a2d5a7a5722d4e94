"""Accounts of the researcher's pages: made on the command line, every change in the audit log."""

import hashlib
import re
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.security import check_password_hash, generate_password_hash

from . import audit
from .errors import InputError, nearest
from .models import Admin, AdminSession
from .tokens import token

PASSWORD_MIN, PASSWORD_MAX = 12, 200
SESSION_LIFE = timedelta(hours=12)
"""A working day: whoever stays logged in longer logs in again."""


def add(session: Session, name: str, password: str, *, actor: str, now: datetime) -> Admin:
    """A new account.

    Raises:
        InputError: the name is taken or has odd characters, or the password is short.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", name):
        raise InputError(f"'{name}' cannot be the name of an admin; use 1 to 64 letters, digits or . @ - _")
    if session.scalar(select(Admin.id).where(Admin.name == name)):
        raise InputError(f"There is an admin '{name}' already. A new password: spade-study admin password {name}")
    made = Admin(name=name, password_hash=_hashed(password), created_at=now)
    session.add(made)
    session.flush()
    audit.append(session, actor=actor, action="add admin", target=name, detail={}, now=now)
    return made


def set_password(session: Session, name: str, password: str, *, actor: str, now: datetime) -> None:
    """Give `name` a new password, and end every session under the old one.

    Raises:
        InputError: there is no such admin, or the password is short.
    """
    found = find(session, name)
    found.password_hash = _hashed(password)
    session.execute(delete(AdminSession).where(AdminSession.admin_id == found.id))
    audit.append(session, actor=actor, action="set admin password", target=name, detail={}, now=now)


def remove(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Take the account away, with its sessions; what it did stays in the audit log.

    Raises:
        InputError: there is no such admin.
    """
    found = find(session, name)
    session.execute(delete(AdminSession).where(AdminSession.admin_id == found.id))
    session.execute(delete(Admin).where(Admin.id == found.id))
    audit.append(session, actor=actor, action="remove admin", target=name, detail={}, now=now)


def find(session: Session, name: str) -> Admin:
    """The admin of that name.

    Raises:
        InputError: there is none; the sentence lists those that are.
    """
    found = session.scalar(select(Admin).where(Admin.name == name))
    if found is None:
        names = session.scalars(select(Admin.name)).all()
        hint = nearest(name, names) if names else "Add one: spade-study admin add NAME"
        raise InputError(f"There is no admin '{name}'. {hint}")
    return found


def matching(session: Session, name: str, password: str) -> Admin | None:
    """The admin of that name and password; a wrong name takes as long as a wrong password."""
    found = session.scalar(select(Admin).where(Admin.name == name))
    right = check_password_hash(found.password_hash if found else _nobodys(), password[:PASSWORD_MAX])
    return found if right else None


def open_session(session: Session, admin: Admin, *, now: datetime) -> str:
    """The token of a new session; sessions of anybody that ran out are cleared away."""
    session.execute(delete(AdminSession).where(AdminSession.expires_at <= now))
    made = token()
    row = AdminSession(token_sha256=_digest(made), admin_id=admin.id, created_at=now, expires_at=now + SESSION_LIFE)
    session.add(row)
    session.flush()
    audit.append(session, actor=actor_of(admin.name), action="log in", target=admin.name, detail={}, now=now)
    return made


def close_session(session: Session, token: str) -> None:
    """End the session of that token, wherever its cookie was copied to."""
    session.execute(delete(AdminSession).where(AdminSession.token_sha256 == _digest(token)))


def of_session(session: Session, token: str, *, now: datetime) -> Admin | None:
    """Who is logged in with that token, None where nobody is any more."""
    found = session.scalar(
        select(AdminSession)
        .where(AdminSession.token_sha256 == _digest(token), AdminSession.expires_at > now)
        .options(joinedload(AdminSession.admin))
    )
    return found.admin if found else None


def actor_of(name: str) -> str:
    """How the audit log names an admin."""
    return f"admin {name}"


def _hashed(password: str) -> str:
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InputError(
            f"A password of {len(password)} characters is no good; use {PASSWORD_MIN} to {PASSWORD_MAX} characters."
        )
    return generate_password_hash(password)


@cache
def _nobodys() -> str:
    """What is compared with when there is no such name."""
    return generate_password_hash("nobody has this password")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
