from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from study_world import MakeWorld, World

from study_app import answering, assignment
from study_app.database import Database
from study_app.models import Assignment, Participant, Task
from study_app.tokens import token

RATERS = 12
"""Kinds of task are drawn: twelve raters meet some 34 catch trials (SD 5), one rater now and then hardly any."""


def answer_next(world: World, session: Session, participant: Participant) -> Assignment | None:
    """Show and answer the rater's next task."""
    held = assignment.hold(session, participant, world.design, world.clock())
    if not held:
        return None
    answering.show(held[0], world.clock())
    given = answering.Given(choice="left", input="click", idempotency_key=token(), locale="en")
    answering.answer(session, held[0], given, world.clock())
    return held[0]


def cells(session: Session) -> Counter[tuple[str, str | None]]:
    rows = session.execute(
        select(Task.role, Task.arm, func.count())
        .join(Assignment)
        .where(Assignment.state == "answered", Task.kind == "main")
        .group_by(Task.role, Task.arm)
    )
    return Counter({(role, arm): count for role, arm, count in rows})


def test_everybody_at_once_leaves_cells_within_one(database: Database, make_world: MakeWorld) -> None:
    world = make_world(database, images=5)
    with world.writing() as (session, run):
        people = [world.join(session, run, seed).id for seed in range(8)]

    def answer(person: int) -> None:
        with world.writing() as (session, _):
            participant = session.get(Participant, person)
            assert participant
            answer_next(world, session, participant)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(answer, people * 4))
    with database.reading() as session:
        counts = cells(session)
        assert counts.total() == 32  # 8 people, 4 answers each, none lost
        # Each rater holds one lease more; answers alone can differ by what is still held.
        assert max(counts.values()) - min(counts.values()) <= 4
    with world.writing() as (session, run):
        filled: Counter[tuple[str, str | None]] = Counter()
        for task in assignment.fills(session, run):
            filled[task.role, task.arm] += task.fill
        assert filled.total() == 32 + 8
        assert max(filled.values()) - min(filled.values()) <= 1


def test_a_rater_gets_every_task_once_and_then_nothing(sqlite_database: Database, make_world: MakeWorld) -> None:
    world = make_world(sqlite_database, images=3)
    with world.writing() as (session, run):
        participant = world.join(session, run)
        seen = [answer_next(world, session, participant) for _ in range(13)]
    tasks = [one.task_id for one in seen if one]
    assert len(tasks) == len(set(tasks)) == 12  # 3 images, 2 classes, 2 arms
    assert seen[-1] is None


def test_a_lease_that_ran_out_no_longer_counts_and_its_holder_keeps_the_task(
    sqlite_database: Database, make_world: MakeWorld
) -> None:
    world = make_world(sqlite_database, images=1)
    with world.writing() as (session, run):
        gone, other = world.join(session, run), world.join(session, run)
        first = assignment.hold(session, gone, world.design, world.clock())
        assert sum(task.fill for task in assignment.fills(session, run)) == 2
        world.clock.forward(minutes=31)
        assignment.hold(session, other, world.design, world.clock())
        assert sum(task.fill for task in assignment.fills(session, run)) == 2
        assert {one.state for one in first} == {"expired"}
        again = assignment.hold(session, gone, world.design, world.clock())
    assert [one.token for one in again] == [one.token for one in first]
    assert {one.state for one in again} == {"leased"}


def test_an_answer_after_the_lease_is_kept(sqlite_database: Database, make_world: MakeWorld) -> None:
    world = make_world(sqlite_database, images=1)
    with world.writing() as (session, run):
        participant = world.join(session, run)
        held = assignment.hold(session, participant, world.design, world.clock())
        answering.show(held[0], world.clock())
        world.clock.forward(hours=3)
        other = world.join(session, run)
        assignment.hold(session, other, world.design, world.clock())
        given = answering.Given(choice="both", input="key", idempotency_key=token(), locale="en")
        stored = answering.answer(session, held[0], given, world.clock())
        assert stored.server_rt_ms == 3 * 3600 * 1000
        assert held[0].state == "answered"


@pytest.mark.parametrize("holding", [1, 2])
def test_loading_a_page_again_draws_nothing_new(sqlite_database: Database, make_world: MakeWorld, holding: int) -> None:
    world = make_world(sqlite_database)
    with world.writing() as (session, run):
        participant = world.join(session, run)
        tokens = {
            tuple(
                one.token for one in assignment.hold(session, participant, world.design, world.clock(), wanted=holding)
            )
            for _ in range(5)
        }
    assert len(tokens) == 1


def test_the_order_follows_from_the_seeds(sqlite_database: Database, make_world: MakeWorld) -> None:
    world = make_world(sqlite_database)
    orders = []
    for _ in range(2):
        with world.writing() as (session, run):
            participant = world.join(session, run, seed=5)
            found = [answer_next(world, session, participant) for _ in range(6)]
            orders.append([(one.task_id, one.key_side) for one in found if one])
            session.flush()
            session.rollback()
    assert orders[0] == orders[1]


def test_one_view_an_image_means_as_many_tasks_as_images(sqlite_database: Database, make_world: MakeWorld) -> None:
    world = make_world(sqlite_database, images=5, rules="tasks.one_view_per_image = true")
    with world.writing() as (session, run):
        participant = world.join(session, run)
        found = [one for _ in range(20) if (one := answer_next(world, session, participant))]
        assert len({one.task.image_id for one in found}) == len(found) == 5


def test_one_class_an_image_halves_the_tasks(sqlite_database: Database, make_world: MakeWorld) -> None:
    world = make_world(sqlite_database, images=5, rules='tasks.classes = "one"')
    with world.writing() as (session, run):
        participant = world.join(session, run)
        found = [one for _ in range(20) if (one := answer_next(world, session, participant))]
        roles = {(one.task.image_id, one.task.role) for one in found}
    assert len(found) == 10  # 5 images, 1 class, 2 arms
    assert len(roles) == 5


def test_the_quota_ends_a_rater_and_the_stop_rule_ends_the_run(
    sqlite_database: Database, make_world: MakeWorld
) -> None:
    world = make_world(sqlite_database, rules="tasks.per_rater = 3\nstop.answers = 5")
    with world.writing() as (session, run):
        first, second = world.join(session, run), world.join(session, run)
        done = [[one for _ in range(9) if (one := answer_next(world, session, who))] for who in (first, second)]
    assert [len(one) for one in done] == [3, 2]


def test_catch_and_repeated_trials_come_at_their_rate_and_fill_no_quota(
    sqlite_database: Database, make_world: MakeWorld
) -> None:
    rules = "tasks.per_rater = 12\ntasks.catch_share = 0.2\ntasks.repeat_share = 0.2\ntasks.repeat_gap = 3"
    world = make_world(sqlite_database, rules=rules)
    kinds: Counter[str] = Counter()
    with world.writing() as (session, run):
        for _ in range(RATERS):
            participant = world.join(session, run)
            found = [one for _ in range(60) if (one := answer_next(world, session, participant))]
            by_position = {one.position: one for one in found}
            for one in found:
                if one.task.kind == "repeat":
                    (original,) = (
                        other
                        for other in by_position.values()
                        if other.task.kind == "main" and other.task.visualisation_id == one.task.visualisation_id
                    )
                    assert one.position - original.position >= 3
            assert Counter(one.task.kind for one in found)["main"] == 12
            kinds.update(one.task.kind for one in found)
    assert kinds["catch"] >= RATERS
    assert kinds["repeat"] >= RATERS


def test_a_withdrawn_task_is_handed_out_no_more(sqlite_database: Database, make_world: MakeWorld) -> None:
    world = make_world(sqlite_database, images=1)
    with world.writing() as (session, run):
        task = session.scalars(select(Task).where(Task.kind == "main")).first()
        assert task
        answering.withdraw_task(task, "vetoed", world.clock())
        participant = world.join(session, run)
        found = [one for _ in range(9) if (one := answer_next(world, session, participant))]
    assert len(found) == 3
    assert task.id not in {one.task_id for one in found}


def test_sides_are_in_balance_within_every_four_tasks_of_a_rater(
    sqlite_database: Database, make_world: MakeWorld
) -> None:
    world = make_world(sqlite_database)
    with world.writing() as (session, run):
        participant = world.join(session, run)
        sides = [one.key_side for _ in range(16) if (one := answer_next(world, session, participant))]
    assert [sides[start : start + 4].count("left") for start in range(0, 16, 4)] == [2, 2, 2, 2]
