from collections.abc import Callable, Iterator

import pytest
import researcher
from flask import Flask
from rater import Rater, hidden
from researcher import NAME, PASSWORD, Researcher
from sqlalchemy import func, select
from study_world import World

from study_app import admins
from study_app.audit import first_broken
from study_app.models import AdminSession, Audit


def behind(app: Flask) -> Iterator[tuple[str, str]]:
    """Method and address of every page behind the door, with made-up names."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin.") and rule.endpoint not in {"admin.login", "admin.log_in"}:
            for method in (rule.methods or set()) & {"GET", "POST"}:
                if rule.endpoint != "admin.language":
                    yield method, rule.rule.replace("<", "").replace(">", "")


def test_no_page_behind_the_door_opens_to_somebody_else(app: Flask, world: World) -> None:
    rater = Rater(app)
    rater.begin()
    pages = list(behind(app))
    assert len(pages) > 1
    for method, address in pages:
        csrf = hidden(rater.get("/admin/login").text, "csrf_token")
        response = rater.client.open(address, method=method, data={"csrf_token": csrf})
        assert (response.status_code, response.headers["Location"]) == (303, "/admin/login"), address
    with world.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(Audit)) == 0


def test_name_and_password_open_the_door_and_the_log_says_so(ada: Researcher, world: World) -> None:
    assert "Every run, the newest first" in ada.get("/admin/").text
    with world.database.reading() as db:
        rows = [(one.actor, one.action, one.object) for one in db.scalars(select(Audit).order_by(Audit.id))]
        assert rows == [("test", "add admin", NAME), (f"admin {NAME}", "log in", NAME)]
        assert first_broken(db) is None
        assert PASSWORD not in str(db.scalars(select(Audit.detail_json)).all())


@pytest.mark.parametrize(("name", "password"), [(NAME, "correct horse"), ("bob", PASSWORD), ("", ""), (NAME, "")])
def test_every_failure_to_log_in_is_one_sentence(app: Flask, world: World, name: str, password: str) -> None:
    researcher.add(world)
    one = Researcher(app)
    assert one.log_in(name, password) == 400
    assert "That does not match" in one.page
    assert one.get("/admin/", follow=False).status_code == 303


def test_an_account_of_a_participant_is_no_admin_and_the_other_way_round(app: Flask, world: World) -> None:
    researcher.add(world)
    rater = Rater(app)
    rater.get("/register")
    rater.post("/register", username="grace", password=PASSWORD, run="")
    assert Researcher(app).log_in("grace") == 400
    rater.get("/login")
    assert rater.post("/login", username=NAME, password=PASSWORD).status_code == 400


def test_the_two_cookies_open_nothing_of_each_other(app: Flask, ada: Researcher) -> None:
    kept = ada.client.get_cookie("study-admin", path="/admin")
    assert kept
    assert kept.path == "/admin"
    other = app.test_client()
    other.set_cookie("study", kept.value)
    other.set_cookie("study-admin", kept.value, path="/admin")
    assert other.get("/admin/").status_code == 200  # the cookie itself is enough, as a session is
    with other.session_transaction() as session:
        assert "admin" not in session  # signed with another salt: to the pages of the study it is nothing
    rater = Rater(app)
    rater.begin()
    theirs = rater.client.get_cookie("study")
    assert theirs
    thief = app.test_client()
    thief.set_cookie("study-admin", theirs.value, path="/admin")
    assert thief.get("/admin/").status_code == 303


def test_a_participant_and_an_admin_in_one_browser_do_not_disturb_each_other(app: Flask, world: World) -> None:
    researcher.add(world)
    one = Researcher(app)
    one.begin()
    task = one.task
    one.get("/admin/login")
    one.log_in()
    one.get("/task")
    assert one.task == task
    one.post("/logout")
    assert one.get("/admin/", follow=False).status_code == 200


def test_a_copied_cookie_is_dead_after_logging_out(app: Flask, ada: Researcher, world: World) -> None:
    kept = ada.client.get_cookie("study-admin", path="/admin")
    assert kept
    thief = app.test_client()
    thief.set_cookie("study-admin", kept.value, path="/admin")
    ada.get("/admin/")
    ada.post("/admin/logout")
    assert thief.get("/admin/").status_code == 303
    with world.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(AdminSession)) == 0


def test_a_session_ends_after_a_working_day_whatever_the_cookie_says(ada: Researcher, world: World) -> None:
    world.clock.forward(hours=11.9)
    assert ada.get("/admin/", follow=False).status_code == 200
    world.clock.forward(hours=0.2)
    assert ada.get("/admin/", follow=False).status_code == 303


def test_a_new_password_ends_every_session(ada: Researcher, world: World) -> None:
    with world.database.writing() as db:
        admins.set_password(db, NAME, "another horse battery", actor="test", now=world.clock())
    assert ada.get("/admin/", follow=False).status_code == 303
    assert ada.log_in() == 400


def test_the_session_is_new_after_logging_in(app: Flask, world: World) -> None:
    researcher.add(world)
    one = Researcher(app)
    before = hidden(one.page, "csrf_token")
    one.log_in()
    stale = one.client.post("/admin/logout", data={"csrf_token": before})
    assert stale.status_code == 400
    assert one.client.post("/admin/logout").status_code == 400
    assert one.get("/admin/", follow=False).status_code == 200


def test_the_cookie_of_a_tls_server_is_for_these_pages_alone(world: World, make_app: Callable[..., Flask]) -> None:
    client = make_app(world, insecure_http=False).test_client()
    (cookie,) = client.get("/admin/login", base_url="https://localhost").headers.getlist("Set-Cookie")
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Secure-study-admin=")
    assert {"Secure", "HttpOnly", "Path=/admin", "SameSite=Strict"} <= set(attributes)
    assert not [one for one in attributes if one.startswith(("Expires", "Max-Age"))]


def test_guessing_passwords_is_slowed_down(world: World, make_app: Callable[..., Flask]) -> None:
    one = Researcher(make_app(world, rate_limits=True))
    csrf = hidden(one.page, "csrf_token")
    found = [one.post("/admin/login", username="x", password="y", csrf=csrf).status_code for _ in range(12)]
    assert found == [400] * 10 + [429] * 2


def test_a_language_is_remembered_on_these_pages_and_leads_nowhere_else(ada: Researcher) -> None:
    ada.get("/admin/")
    assert ada.post("/admin/language", locale="de", back="//elsewhere.invalid", follow=False).headers["Location"] == (
        "/admin/"
    )
    assert '<html lang="de">' in ada.get("/admin/").text
    assert '<html lang="de">' not in ada.get("/").text


def test_a_page_that_is_not_there_leads_back_to_the_runs(ada: Researcher) -> None:
    response = ada.get("/admin/nothing")
    assert response.status_code == 404
    assert 'href="/admin/"' in response.text
