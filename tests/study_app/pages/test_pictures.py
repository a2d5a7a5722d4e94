"""What the browser gets of a task: the four pictures and nothing that tells them apart from outside."""

from pathlib import Path

from flask import Flask
from rater import Rater
from sqlalchemy import select
from study_world import World

from study_app.models import Assignment, Task
from study_app.shown import SLOTS, pictures_of


def test_each_place_holds_the_picture_that_the_key_puts_there(rater: Rater, world: World) -> None:
    rater.begin()
    for _ in range(6):
        with world.database.reading() as db:
            shown = db.scalars(select(Assignment).where(Assignment.token == rater.task)).one()
            wanted = pictures_of(db, shown)
            answer = shown.task.answer_region.sha256
            assert wanted[shown.key_side] == answer
            assert {wanted["left"], wanted["right"]} == {region.sha256 for region in shown.task.image.regions}
        for slot in SLOTS:
            sent = rater.client.get(f"/s/{rater.task}/{slot}").data
            kept = world.store.read(wanted[slot])
            assert sent[: len(kept)] == kept
            assert set(sent[len(kept) :]) <= {0}
        rater.answer()


def test_every_picture_has_the_same_length_and_headers(rater: Rater) -> None:
    rater.begin()
    lengths, headers = set(), set()
    for _ in range(8):
        for slot in SLOTS:
            response = rater.client.get(f"/s/{rater.task}/{slot}")
            lengths.add(len(response.data))
            headers.add(tuple(sorted((name, value) for name, value in response.headers if name != "Set-Cookie")))
        rater.answer()
    assert len(lengths) == 1
    assert len(headers) == 1
    assert dict(headers.pop())["Cache-Control"] == "private, no-store"


def test_no_page_of_a_task_names_a_class_an_arm_or_a_file(rater: Rater, world: World) -> None:
    rater.begin()
    with world.database.reading() as db:
        hashes = {one.image.sha256 for one in db.scalars(select(Task))}
    for _ in range(8):
        page = rater.page.lower()
        for word in ("gneiss", "schist", "dense", "spade", "predicted", "catch", "repeat", *hashes):
            assert word not in page
        rater.answer()


def test_an_answered_task_no_longer_shows_its_pictures(rater: Rater) -> None:
    rater.begin()
    task = rater.task
    assert rater.client.get(f"/s/{task}/left").status_code == 200
    rater.answer()
    assert rater.client.get(f"/s/{task}/left").status_code == 404


def test_a_missing_or_altered_picture_voids_the_task_for_everybody_and_nobody_answers_it(
    app: Flask, world: World
) -> None:
    rater = Rater(app)
    rater.begin()
    token, form = rater.task, rater.form()
    with world.database.reading() as db:
        shown = db.scalars(select(Assignment).where(Assignment.token == token)).one()
        sha256 = pictures_of(db, shown)["pattern"]
    path = world.store.folder / sha256[:2] / f"{sha256}.png"
    path.write_bytes(path.read_bytes().replace(b"IEND", b"IENE"))
    assert rater.client.get(f"/s/{token}/pattern").status_code == 404
    assert rater.post(f"/t/{token}", form).status_code == 409
    rater.get("/task")
    assert rater.task != token
    with world.database.reading() as db:
        shown = db.scalars(select(Assignment).where(Assignment.token == token)).one()
        assert (shown.state, shown.response) == ("void", None)
        assert shown.task.withdrawn_reason == "picture missing or altered"
    assert not app.test_client().get("/readyz").get_json()["checks"]["pictures"]


def test_a_page_with_a_broken_picture_is_not_shown_at_all(rater: Rater, world: World) -> None:
    rater.begin()
    with world.database.reading() as db:
        ahead = db.scalars(select(Assignment).where(Assignment.position == 1)).one()
        token, sha256 = ahead.token, pictures_of(db, ahead)["left"]
    Path(world.store.folder / sha256[:2] / f"{sha256}.png").unlink()
    rater.answer()
    assert rater.task != token
    assert sha256 not in rater.page


def test_while_all_pictures_are_away_no_task_is_taken_out(rater: Rater, world: World) -> None:
    rater.begin()
    task, form = rater.task, rater.form()
    away = world.store.folder.rename(world.store.folder.with_name("not mounted"))
    world.store.folder.mkdir()  # as an empty mount point
    assert rater.client.get(f"/s/{task}/left").status_code == 503
    assert rater.client.get(f"/t/{task}").status_code == 503
    assert rater.client.get("/readyz").status_code == 503
    assert rater.post(f"/t/{task}", form, follow=False).status_code == 303  # what was seen before can be answered
    world.store.folder.rmdir()
    away.rename(world.store.folder)
    rater.get("/task")
    assert rater.client.get(f"/s/{rater.task}/left").status_code == 200
    with world.database.reading() as db:
        assert db.scalars(select(Task.id).where(Task.withdrawn_at.is_not(None))).all() == []
        assert {one.state for one in db.scalars(select(Assignment))} == {"answered", "shown", "leased"}


def test_the_server_is_ready_as_long_as_database_migrations_and_pictures_are_whole(app: Flask) -> None:
    response = app.test_client().get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (200, "ready")
    assert app.test_client().get("/healthz").status_code == 200
