from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from study_world import MakeWorld, World

from study_app import answering, assignment, withdrawal
from study_app.database import Database
from study_app.models import Assignment, Consent, Participant, Response, Run, Task
from study_app.monitor import Monitor, last_seen, monitor, pace
from study_app.tokens import token

START = datetime(2026, 3, 1, 9, 20, tzinfo=UTC)


def answered(world: World, session: Session, person: Participant, count: int) -> None:
    """So many answers of `person`, one a minute."""
    for _ in range(count):
        held = assignment.hold(session, person, world.design, world.clock())
        answering.show(held[0], world.clock())
        world.clock.forward(minutes=1)
        given = answering.Given(choice="left", input="click", idempotency_key=token(), locale="en")
        answering.answer(session, held[0], given, world.clock())


def seen(world: World, *, named: bool = False) -> Monitor:
    with world.database.reading() as db:
        run = db.get(Run, world.run_id)
        assert run
        return monitor(db, run, world.design, world.clock(), named=named)


def test_every_person_is_counted_where_they_are(database: Database, make_world: MakeWorld) -> None:
    world = make_world(database)
    with world.writing() as (session, run):
        many, none, gone, out, done, left = (world.join(session, run, seed) for seed in range(6))
        for one in (many, none, gone, done):
            one.training_step = 6
        out.status, left.training_step = "screened_out", 2
        answered(world, session, done, 2)
        done.status, done.finished_at = "finished", world.clock()
        answered(world, session, gone, 1)
        assignment.hold(session, none, world.design, world.clock())
        answering.void(assignment.hold(session, none, world.design, world.clock())[0], "picture did not arrive")
        world.clock.forward(minutes=31)  # a lease and a minute
        answered(world, session, many, 3)
        session.add(
            Consent(
                run_id=run.id, document_sha256="0" * 64, version="1", locale="en", decision="declined", at=world.clock()
            )
        )
        withdrawal.withdraw(session, left, policy="delete", actor="participant", now=world.clock())
    state = seen(world)
    people = state.people
    assert (people.entered, people.trained, people.answered, people.finished) == (5, 4, 3, 1)
    assert (people.screened_out, people.withdrawn, people.declined) == (1, 1, 1)
    assert (people.here, people.quiet) == (1, 2)  # `many`; `none` and `gone`, half an hour ago
    assert state.answers == {"main": 6}
    assert state.last_at == world.clock()
    assert state.leases == 1  # what `many` holds ahead; the others' ran out
    assert state.void == {"picture did not arrive": 1}


def test_cells_hold_what_plain_counting_finds_and_have_names_only_when_asked(
    database: Database, make_world: MakeWorld
) -> None:
    world = make_world(database, images=3)
    with world.writing() as (session, run):
        for seed in range(3):
            answered(world, session, world.join(session, run, seed), 3)
    with database.reading() as session:
        stored = session.execute(
            select(Task.role, Task.arm, Task.id).join(Assignment).join(Response).where(Task.kind == "main")
        ).all()
    by_task = Counter(stored_task for _, _, stored_task in stored)
    by_cell = Counter((role, arm) for role, arm, _ in stored)
    named, hidden = seen(world, named=True).cells, seen(world).cells
    assert {(one.role, one.arm): one.answers for one in named} == by_cell
    assert all((one.role, one.arm) == (None, None) for one in hidden)
    assert sorted(one.answers for one in hidden) == sorted(by_cell.values())
    for one in named:
        assert (one.tasks, sum(one.filled)) == (3, 3)
        assert sum(count * tasks for count, tasks in enumerate(one.filled)) == one.answers
    assert sum(one.filled[0] for one in named) == 12 - len(by_task)
    assert sum(one.leases for one in named) == 3


def test_the_order_of_hidden_cells_differs_between_runs(world: World) -> None:
    with world.writing() as (session, run):
        answered(world, session, world.join(session, run, 1), 1)
        orders = set()
        for seed in range(12):
            run.seed = seed
            session.flush()
            found = monitor(session, run, world.design, world.clock(), named=False).cells
            orders.add(tuple(one.answers for one in found))
    assert len(orders) > 1


def test_an_hour_without_answers_is_there_and_long_runs_go_by_days() -> None:
    few = pace([START, START + timedelta(minutes=39), START + timedelta(hours=2)])
    hour = START.replace(minute=0)
    assert few.counts == ((hour, 2), (hour + timedelta(hours=1), 0), (hour + timedelta(hours=2), 1))
    long = pace([START, START + timedelta(days=4)])
    assert long.by_day
    assert [count for _, count in long.counts] == [1, 0, 0, 0, 1]
    assert pace([]).counts == ()


@pytest.mark.parametrize("hours", [1, 60, 500])
def test_no_answer_is_lost_between_the_bars(hours: int) -> None:
    generator = Random(hours)  # noqa: S311 - a test
    moments: Iterable[datetime] = [START + timedelta(hours=generator.random() * hours) for _ in range(200)]
    assert sum(count for _, count in pace(moments).counts) == 200


def test_whoever_did_nothing_yet_was_seen_when_they_entered(world: World) -> None:
    with world.writing() as (session, run):
        person = world.join(session, run, 1)
        entered = world.clock()
        world.clock.forward(hours=1)
        assert last_seen(session, run) == {person.id: entered}
