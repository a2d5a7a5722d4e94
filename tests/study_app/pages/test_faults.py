"""What goes wrong while people answer: time, disk, locks and connections, and a browser that goes its own ways."""

import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from rater import Rater, hidden
from sqlalchemy import func, select, text
from study_world import MakeWorld, World

from study_app import answering, migration
from study_app.database import Database, lock_run
from study_app.models import RATING, Assignment, Response, Task


def answers(world: World) -> int:
    with world.database.reading() as db:
        return db.scalar(select(func.count()).select_from(Response)) or 0


def tab_of(rater: Rater, app: Flask) -> Rater:
    """Another tab of the same browser."""
    tab = Rater(app)
    tab.client = rater.client
    return tab


def test_an_answer_after_the_lease_ran_out_is_kept_though_somebody_else_has_the_task_by_then(
    sqlite_database: Database, make_world: MakeWorld, make_app: Callable[..., Flask]
) -> None:
    world = make_world(sqlite_database, images=1)
    app = make_app(world)
    late = Rater(app)
    late.begin()
    late_task, form = late.task, late.form(choice="right")
    world.clock.forward(minutes=31)
    other = Rater(app)
    other.begin()
    while 'id="task"' in other.page:  # every task there is, those of the late one too
        other.answer("left")
    assert late.post(f"/t/{late_task}", form, follow=False).status_code == 303
    with world.database.reading() as db:
        rows = db.execute(select(RATING.c.task_id, RATING.c.choice, RATING.c.participant_id)).all()
        theirs = db.scalars(select(Assignment).where(Assignment.token == late_task)).one()
        assert theirs.state == "answered"
        both = {choice for task, choice, _ in rows if task == theirs.task_id}
    assert (len(rows), both) == (5, {"left", "right"})
    late.get("/task")
    assert late.task  # the lease of the next one ran out as well, and is theirs still
    app.extensions["spade_study"].database.dispose()


@pytest.mark.parametrize("jump", [{"days": 400}, {"days": -400}, {"hours": 2}, {"seconds": -1}])
def test_a_clock_that_jumps_loses_no_place_and_no_answer(app: Flask, world: World, jump: dict[str, float]) -> None:
    raters = [Rater(app), Rater(app)]
    for one in raters:
        one.begin()
    before = [one.task for one in raters]
    world.clock.forward(**jump)
    assert app.test_client().get("/readyz").status_code == 200
    for one, task in zip(raters, before, strict=True):
        one.get("/task")
        assert one.task == task
        one.answer()
    world.clock.forward(**{name: -span for name, span in jump.items()})
    for one in raters:
        one.answer()
    assert answers(world) == 4
    with world.database.reading() as db:
        assert all(took >= 0 for took in db.scalars(select(Response.server_rt_ms)))
        assert db.scalars(select(Assignment.state).where(Assignment.state == "expired")).all() == []


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """No byte more for the write-ahead log: writes to the disk fail, as they do when it is full."""
    log = Path(f"{database.url.database}-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_the_page_says_so_and_the_answer_is_taken_once_there_is_room(app: Flask, world: World) -> None:
    rater = Rater(app)
    rater.begin()
    rater.answer()
    task, form, page = rater.task, rater.form(choice="both"), rater.page
    with full_disk(app.extensions["spade_study"].database):
        refused = rater.post(f"/t/{task}", form)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "Nothing was stored" in refused.text
        assert app.test_client().get("/readyz").get_json()["checks"]["database"] is False
        assert rater.client.get("/privacy").status_code == 200  # what only reads goes on
    assert answers(world) == 1
    assert app.test_client().get("/readyz").status_code == 200
    rater.page = page
    assert rater.post(f"/t/{task}", form, follow=False).status_code == 303
    assert answers(world) == 2


def test_what_two_tabs_send_for_one_task_is_one_answer_and_both_go_on_to_the_same(rater: Rater, app: Flask) -> None:
    rater.begin()
    tab = tab_of(rater, app)
    tab.get("/task")
    assert tab.task == rater.task
    assert hidden(tab.page, "idem") != hidden(rater.page, "idem")
    rater.answer("left")
    tab.answer("right")
    assert tab.task == rater.task
    data = rater.get("/me/data.json").get_json()
    assert [one["choice"] for one in data["tasks"] if "choice" in one] == ["left"]


def test_the_back_button_leads_to_the_open_task_and_a_form_kept_there_changes_nothing(
    rater: Rater, world: World
) -> None:
    rater.begin()
    task, form = rater.task, rater.form(choice="left")
    rater.answer("left")
    now = rater.task
    rater.get(f"/t/{task}")  # every page says no-store, so going back asks the server
    assert rater.task == now
    rater.post(f"/t/{task}", {**form, "choice": "neither"})
    assert rater.task == now
    while 'id="task"' in rater.page:
        rater.answer("left")
    rater.get("/me")
    replayed = rater.post(f"/t/{task}", {**form, "choice": "neither"})
    assert "Thank you, you are done" in replayed.text
    with world.database.reading() as db:
        assert set(db.scalars(select(Response.choice))) == {"left"}


def test_a_task_whose_picture_did_not_arrive_is_left_out_and_never_answered(rater: Rater, world: World) -> None:
    rater.begin()
    task, form = rater.task, rater.form()
    rater.post(f"/t/{task}/void")
    assert rater.task != task
    assert rater.post(f"/t/{task}", form).status_code == 409
    rater.get("/task")
    rater.answer()
    with world.database.reading() as db:
        void = db.scalars(select(Assignment).where(Assignment.state == "void")).one()
        # Others may have more luck with it, so it is not withdrawn.
        assert (void.token, void.void_reason, void.response) == (task, "picture did not arrive", None)
        assert db.scalars(select(Task.id).where(Task.withdrawn_at.is_not(None))).all() == []
    assert answers(world) == 1


def test_a_task_that_was_answered_or_not_shown_cannot_be_left_out(rater: Rater, world: World) -> None:
    rater.begin()
    task = rater.task
    with world.database.reading() as db:
        ahead = db.scalars(select(Assignment.token).where(Assignment.position == 1)).one()
    rater.post(f"/t/{ahead}/void")
    rater.answer()
    rater.post(f"/t/{task}/void")
    with world.database.reading() as db:
        assert db.scalars(select(Assignment).where(Assignment.state == "void")).all() == []
    assert rater.task == ahead


@pytest.fixture
def hosted(postgres_url: str, make_world: MakeWorld) -> Iterator[World]:
    """The study in PostgreSQL, whose locks are waited for two seconds."""
    with Database(postgres_url, busy_seconds=2) as database:
        migration.downgrade(database)
        migration.upgrade(database)
        yield make_world(database)
        migration.downgrade(database)


def impatient(make_app: Callable[..., Flask], world: World) -> Flask:
    app = make_app(world)
    app.extensions["spade_study"] = replace(app.extensions["spade_study"], database=world.database)
    return app


def test_a_row_locked_in_postgresql_is_said_to_be_busy_and_the_answer_can_be_sent_again(
    hosted: World, make_app: Callable[..., Flask]
) -> None:
    rater = Rater(impatient(make_app, hosted))
    rater.begin()
    task, form, page = rater.task, rater.form(), rater.page
    with hosted.writing() as (db, run):
        db.execute(text("SELECT id FROM assignment FOR UPDATE"))
        assert rater.post(f"/t/{task}", form).status_code == 503
        lock_run(db, run.id)
        assert rater.client.get("/task").status_code == 503
    assert answers(hosted) == 0
    rater.page = page
    assert rater.post(f"/t/{task}", form, follow=False).status_code == 303
    assert answers(hosted) == 1


def test_an_answer_that_comes_while_the_same_is_being_stored_waits_and_finds_it(
    hosted: World, make_app: Callable[..., Flask]
) -> None:
    rater = Rater(impatient(make_app, hosted))
    rater.begin()
    task, form = rater.task, rater.form(choice="both")
    with ThreadPoolExecutor(1) as pool:
        with hosted.writing() as (db, _):
            first = db.scalars(select(Assignment).where(Assignment.token == task).with_for_update()).one()
            second = pool.submit(rater.post, f"/t/{task}", form, follow=False)
            while not db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                assert not second.done()
                time.sleep(0.01)
            given = answering.Given(choice="left", input="click", idempotency_key=form["idem"], locale="en")
            answering.answer(db, first, given, hosted.clock())
        assert second.result().status_code == 303
    with hosted.database.reading() as db:
        assert db.scalars(select(Response.choice)).all() == ["left"]


def test_connections_that_the_database_drops_cost_no_answer(hosted: World, make_app: Callable[..., Flask]) -> None:
    rater = Rater(impatient(make_app, hosted))
    rater.begin()
    for _ in range(3):
        with hosted.database.reading() as db:
            db.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"))
        rater.answer()
    assert answers(hosted) == 3
