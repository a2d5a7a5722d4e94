import re

from flask import Flask
from rater import Rater
from sqlalchemy import func, select
from study_world import World

from study_app.models import RATING, Assignment, Consent, Identity, Participant, Response, TrainingAttempt


def count(world: World, table: type) -> int:
    with world.database.reading() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


def test_a_rater_comes_in_agrees_trains_answers_every_task_and_gets_a_code(rater: Rater, world: World) -> None:
    rater.begin()
    choices = ["left", "right", "both", "neither"]
    for number in range(16):  # 4 images, 2 classes, 2 arms
        assert f"Task {number + 1}" in rater.page
        rater.answer(choices[number % 4])
    assert "Thank you, you are done" in rater.page
    code = re.search(r'id="completion-code">([^<]+)<', rater.page)
    assert code
    with world.database.reading() as db:
        person = db.scalars(select(Participant)).one()
        assert (person.status, person.completion_code) == ("finished", code[1])
        stored = db.scalars(select(Response).order_by(Response.id)).all()
        assert [one.choice for one in stored] == choices * 4
        assert {one.client_rt_ms for one in stored} == {1234}
        rows = db.execute(select(RATING.c.choice, RATING.c.key_side, RATING.c.outcome)).all()
    assert len(rows) == 16
    for choice, key, outcome in rows:
        expected = "undecided" if choice in {"both", "neither"} else "agree" if choice == key else "disagree"
        assert outcome == expected


def test_every_page_sends_somebody_who_is_elsewhere_to_where_they_belong(rater: Rater) -> None:
    for address in ("/task", "/t/abc", "/done", "/finish", "/training/1", "/me", "/consent", "/me/data.json"):
        assert rater.get(address, follow=False).headers["Location"] == "/"
    rater.consent()
    for address in ("/task", "/t/abc", "/done", "/finish", "/training/2", "/training/6", "/consent"):
        assert rater.get(address, follow=False).headers["Location"] == "/training/1"
    rater.train()
    for address in ("/done", "/consent", "/training/7"):
        assert rater.get(address, follow=False).headers["Location"] == "/task"
    assert rater.get("/training/3").status_code == 200  # training can be read again


def test_the_trial_opens_for_the_right_choice_only_and_keeps_the_attempts(rater: Rater, world: World) -> None:
    rater.consent()
    for number in (1, 2, 3):
        rater.post(f"/training/{number}")
    for wrong in ("left", "both", "neither"):
        assert "Not quite" in rater.post("/training/4", choice=wrong, client_rt_ms="900").text
    assert rater.get("/training/5", follow=False).headers["Location"] == "/training/4"
    assert rater.post("/training/4", choice="right", follow=False).headers["Location"] == "/training/5"
    with world.database.reading() as db:
        tries = db.execute(select(TrainingAttempt.choice, TrainingAttempt.correct)).all()
    assert [tuple(one) for one in tries] == [("left", False), ("both", False), ("neither", False), ("right", True)]
    assert count(world, Response) == 0


def test_declining_leaves_the_decision_and_nobody(rater: Rater, world: World) -> None:
    rater.get("/")
    rater.post("/begin")
    document = re.search(r'name="document" value="([0-9a-f]{64})"', rater.page)
    assert document
    assert "Nothing about you is stored" in rater.post("/consent", decision="declined", document=document[1]).text
    assert (count(world, Participant), count(world, Identity)) == (0, 0)
    with world.database.reading() as db:
        row = db.scalars(select(Consent)).one()
    assert (row.decision, row.participant_id, row.document_sha256) == ("declined", None, document[1])


def test_consent_to_another_wording_is_not_taken(rater: Rater, world: World) -> None:
    rater.get("/")
    rater.post("/begin")
    response = rater.post("/consent", decision="accepted", age="yes", document="0" * 64)
    assert response.status_code == 409
    assert count(world, Participant) == 0


def test_without_the_age_nobody_is_enrolled(rater: Rater, world: World) -> None:
    rater.get("/")
    rater.post("/begin")
    document = re.search(r'name="document" value="([0-9a-f]{64})"', rater.page)
    assert document
    assert rater.post("/consent", decision="accepted", document=document[1]).status_code == 400
    assert count(world, Participant) == 0


def test_a_second_answer_changes_nothing(rater: Rater, world: World) -> None:
    rater.begin()
    token, form = rater.task, rater.form(choice="both")
    first = rater.post(f"/t/{token}", form, follow=False)
    again = rater.post(f"/t/{token}", {**form, "choice": "left"}, follow=False, csrf=_csrf(rater))
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    with world.database.reading() as db:
        assert db.scalars(select(Response.choice)).all() == ["both"]


def _csrf(rater: Rater) -> str:
    page = rater.client.get("/task", follow_redirects=True).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_reloading_and_another_device_show_the_same_task(rater: Rater, app: Flask, world: World) -> None:
    rater.begin()
    token = rater.task
    for _ in range(3):
        rater.get("/task")
        assert rater.task == token
    code = re.search(r'id="return-code">([^<]+)<', rater.get("/me").text)
    assert code
    elsewhere = Rater(app)
    elsewhere.get("/login")
    elsewhere.post("/login", code=code[1].lower().replace("-", " "))
    assert elsewhere.task == token
    assert count(world, Participant) == 1


def test_stopping_early_gives_back_what_was_held(rater: Rater, world: World) -> None:
    rater.begin()
    rater.answer()
    assert "You have answered 1 task." in rater.get("/finish").text
    assert "Thank you, you are done" in rater.post("/finish").text
    with world.database.reading() as db:
        states = db.scalars(select(Assignment.state).order_by(Assignment.position)).all()
    assert states == ["answered", "expired", "expired"]


def test_withdrawing_deletes_every_row_and_leaves_a_tombstone(rater: Rater, world: World) -> None:
    rater.begin()
    for _ in range(3):
        rater.answer()
    rater.get("/me")
    assert rater.post("/me/withdraw").status_code == 400  # not confirmed
    assert count(world, Response) == 3
    rater.get("/me")
    assert "You have withdrawn" in rater.post("/me/withdraw", sure="yes").text
    for table in (Participant, Identity, Assignment, Response, Consent, TrainingAttempt):
        assert count(world, table) == 0, table
    assert rater.get("/me", follow=False).headers["Location"] == "/"


def test_my_data_holds_my_answers_and_no_key(rater: Rater) -> None:
    rater.begin()
    rater.answer("both")
    data = rater.get("/me/data.json").get_json()
    assert [one["choice"] for one in data["tasks"] if "choice" in one] == ["both"]
    text = str(data)
    for word in ("key_side", "arm", "spade", "gneiss", "schist", "dense"):
        assert word not in text
