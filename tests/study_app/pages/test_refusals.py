from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from rater import Rater, hidden
from sqlalchemy import create_engine, func, select, text
from study_world import MakeWorld, World

from study_app.database import Database
from study_app.models import Assignment, Participant, Response, Run


def answers(world: World) -> int:
    with world.database.reading() as db:
        return db.scalar(select(func.count()).select_from(Response)) or 0


@pytest.fixture
def asked(rater: Rater) -> Rater:
    """A rater with the first task on screen."""
    rater.begin()
    return rater


@pytest.mark.parametrize(
    "changed",
    [
        {"choice": "true"},
        {"choice": ""},
        {"choice": "left\x00"},
        {"input": "telepathy"},
        {"idem": ""},
        {"idem": "short"},
        {"idem": "'; DROP TABLE response; --"},
        {"idem": "x" * 65},
    ],
)
def test_a_malformed_answer_is_refused_and_nothing_is_stored(
    asked: Rater, world: World, changed: dict[str, str]
) -> None:
    assert asked.post(f"/t/{asked.task}", asked.form(**changed)).status_code == 400
    assert answers(world) == 0


def test_numbers_beyond_reason_are_cut_and_the_answer_is_kept(asked: Rater, world: World) -> None:
    form = asked.form(client_rt_ms="9" * 12, n_blur="-3", viewport="<b>")
    assert asked.post(f"/t/{asked.task}", form, follow=False).status_code == 303
    with world.database.reading() as db:
        stored = db.scalars(select(Response)).one()
    assert (stored.client_rt_ms, stored.n_blur, stored.viewport) == (2**31 - 1, 0, None)


def test_a_form_of_another_session_or_without_its_token_is_refused(asked: Rater, app: Flask, world: World) -> None:
    other = Rater(app)
    other.get("/login")
    foreign = hidden(other.page, "csrf_token")
    address, form = f"/t/{asked.task}", asked.form()
    for token in (foreign, "", "x" * 40):
        assert asked.client.post(address, data={**form, "csrf_token": token}).status_code == 400
    assert asked.client.post(address, data=form).status_code == 400
    assert answers(world) == 0


def test_the_task_of_somebody_else_cannot_be_seen_or_answered(asked: Rater, app: Flask, world: World) -> None:
    other = Rater(app)
    other.begin()
    theirs, form = asked.task, other.form()
    assert other.post(f"/t/{theirs}", form).status_code == 404
    for slot in ("full", "pattern", "left", "right"):
        assert other.client.get(f"/s/{theirs}/{slot}").status_code == 404
        assert app.test_client().get(f"/s/{theirs}/{slot}").status_code == 404
    assert answers(world) == 0


def test_a_task_ahead_cannot_be_answered_before_it_is_shown(asked: Rater, world: World) -> None:
    with world.database.reading() as db:
        ahead = db.scalars(select(Assignment.token).where(Assignment.position == 1)).one()
    assert asked.post(f"/t/{ahead}", asked.form()).status_code == 409
    assert answers(world) == 0


def test_the_same_form_for_another_task_is_refused(asked: Rater, world: World) -> None:
    form = asked.form()
    asked.post(f"/t/{asked.task}", form)
    assert asked.post(f"/t/{asked.task}", form).status_code == 409
    assert answers(world) == 1


def test_an_oversize_body_is_refused(asked: Rater, world: World) -> None:
    response = asked.post(f"/t/{asked.task}", asked.form(), more="x" * 70_000)
    assert response.status_code == 413
    assert answers(world) == 0


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PUT", "/t/abc"),
        ("DELETE", "/me"),
        ("GET", "/logout"),
        ("GET", "/begin"),
        ("POST", "/"),
        ("GET", "/me/withdraw"),
    ],
)
def test_a_wrong_method_is_refused_and_the_right_ones_are_named(asked: Rater, method: str, address: str) -> None:
    response = asked.client.open(address, method=method, data={"csrf_token": hidden(asked.page, "csrf_token")})
    assert response.status_code == 405
    assert method not in response.headers["Allow"]


@pytest.mark.parametrize(
    "address",
    [
        "/s/../../etc/passwd",
        "/s/%2e%2e%2f%2e%2e%2fetc%2fpasswd/full",
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%5csettings.py",
        "/t/%00",
        "/training/999999999999999999999",
        "/s/abc/full.png",
    ],
)
def test_path_tricks_lead_nowhere(asked: Rater, address: str) -> None:
    response = asked.client.get(address)
    assert response.status_code in {303, 404}
    assert "SECRET" not in response.text


@pytest.mark.parametrize("back", ["//elsewhere.invalid", "https://elsewhere.invalid", "/\\elsewhere.invalid"])
def test_choosing_a_language_never_leads_elsewhere(rater: Rater, back: str) -> None:
    rater.get("/")
    assert rater.post("/language", locale="de", back=back, follow=False).headers["Location"] == "/"


def test_an_untrusted_host_is_refused(app: Flask) -> None:
    assert app.test_client().get("/", headers={"Host": "elsewhere.invalid"}).status_code == 400


def test_a_database_that_is_locked_says_so_and_the_answer_can_be_sent_again(app: Flask, world: World) -> None:
    impatient = Database(world.database.url.render_as_string(), busy_seconds=0.05)
    app.extensions["spade_study"] = replace(app.extensions["spade_study"], database=impatient)
    rater = Rater(app)
    rater.begin()
    form, task = rater.form(), rater.task
    other = create_engine(world.database.url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 0.05})
    with other.connect() as connection:
        connection.execute(text("BEGIN IMMEDIATE"))
        refused = rater.client.post(f"/t/{task}", data={**form, "csrf_token": hidden(rater.page, "csrf_token")})
        connection.execute(text("ROLLBACK"))
    other.dispose()
    assert refused.status_code == 503
    assert answers(world) == 0
    assert rater.post(f"/t/{task}", form, follow=False).status_code == 303
    assert answers(world) == 1


def test_a_closed_run_takes_no_answer(asked: Rater, world: World) -> None:
    with world.writing() as (_, run):
        run.closed_at = world.clock()
    assert "This study is closed" in asked.answer().text
    assert answers(world) == 0


def test_a_clock_set_back_costs_no_answer(asked: Rater, world: World) -> None:
    world.clock.forward(hours=-5)
    asked.answer()
    with world.database.reading() as db:
        assert db.scalars(select(Response.server_rt_ms)).all() == [0]


def test_undo_is_off_unless_the_design_says_so(asked: Rater, sqlite_database: Database) -> None:
    task = asked.task
    asked.answer("left")
    assert asked.get(f"/t/{task}", follow=False).status_code == 303
    asked.get("/task")
    assert "Change my last answer" not in asked.page
    with sqlite_database.reading() as db:
        assert db.scalars(select(Response.choice)).all() == ["left"]


def test_an_answer_taken_back_in_time_leaves_what_it_was(
    sqlite_database: Database, make_world: MakeWorld, make_app: Callable[..., Flask]
) -> None:
    world = make_world(sqlite_database, rules="tasks.undo_seconds = 30")
    rater = Rater(make_app(world))
    rater.begin()
    task = rater.task
    rater.answer("left")
    rater.get(f"/t/{task}")
    assert "You are changing your last answer" in rater.page
    rater.post(f"/t/{task}", rater.form(choice="both"), revise="yes")
    world.clock.forward(seconds=31)
    rater.get("/task")
    rater.post(f"/t/{task}", rater.form(choice="right"), revise="yes")
    with world.database.reading() as db:
        assert db.scalars(select(Response.choice)).all() == ["both"]
        assert db.execute(text("SELECT choice, reason FROM response_revision")).all() == [("left", "undo")]


def test_nobody_can_enter_before_a_run_opens_or_after_it_closed(app: Flask, world: World) -> None:
    with world.database.writing() as db:
        run = db.get(Run, world.run_id)
        assert run
        run.closed_at = world.clock()
    rater = Rater(app)
    assert "No study is open" in rater.get("/").text
    rater.get("/login")
    assert rater.post("/begin").status_code == 404
    with world.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(Participant)) == 0
