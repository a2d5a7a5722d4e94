"""What the commands work on: the database of the environment, and a run by its name."""

import os

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import settings
from ..database import Database
from ..errors import InputError, nearest
from ..models import Run


def database() -> Database:
    """The database of SPADE_STUDY_DATABASE_URL."""
    return Database(settings.from_environment(os.environ).database_url)


def find_run(session: Session, name: str) -> Run:
    """The run of that name.

    Raises:
        InputError: there is none; the sentence lists those that are.
    """
    found = session.scalar(select(Run).where(Run.token == name))
    if found is None:
        raise InputError(f"There is no run '{name}'. {nearest(name, session.scalars(select(Run.token)))}")
    return found
