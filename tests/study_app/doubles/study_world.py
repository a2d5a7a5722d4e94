"""A small study in a migrated database, and a clock that is wound by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from study_app import enrolment
from study_app.database import Database
from study_app.design import Design
from study_app.models import Identity, Participant, Run
from study_app.pictures import PictureStore
from study_app.tokens import token

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@dataclass
class World:
    """A migrated database with one study, from a set of a few images, and one open run."""

    database: Database
    design: Design
    store: PictureStore
    run_id: int
    clock: Clock

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, Run]]:
        with self.database.writing() as session:
            run = session.get(Run, self.run_id)
            assert run is not None
            yield session, run

    def join(self, session: Session, run: Run, seed: int | None = None) -> Participant:
        """A new participant past training."""
        identity = Identity(token=token(), source="open", created_at=self.clock())
        session.add(identity)
        session.flush()
        agreed = enrolment.Agreed("0" * 64, "1", "en")
        participant = enrolment.enrol(session, run, identity, agreed, device="desktop", now=self.clock())
        participant.status = "active"
        if seed is not None:
            participant.seed = seed
        return participant


MakeWorld = Callable[..., World]
