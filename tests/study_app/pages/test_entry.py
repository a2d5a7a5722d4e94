from collections.abc import Callable

import pytest
from flask import Flask
from rater import Rater, hidden
from sqlalchemy import func, select, update
from study_world import MakeWorld, World

from study_app import enrolment, loading
from study_app.database import Database
from study_app.models import Identity, Participant, Run
from study_app.tokens import code_hash, token

PLATFORMS = 'entry.ways = ["prolific", "mturk", "sona", "invitation", "account"]'


@pytest.fixture
def world(sqlite_database: Database, make_world: MakeWorld) -> World:
    rules = f'{PLATFORMS}\nentry.complete_url = "https://platform.invalid/done?cc={{code}}&id={{pid}}"'
    return make_world(sqlite_database, rules=rules)


def people(world: World) -> int:
    with world.database.reading() as db:
        return db.scalar(select(func.count()).select_from(Participant)) or 0


@pytest.mark.parametrize(
    ("query", "source", "session"),
    [
        ("PROLIFIC_PID=5a9d64f5f6dfdd0001eaa73d&STUDY_ID=s1&SESSION_ID=x1", "prolific", "x1"),
        ("workerId=A1B2C3&assignmentId=3XYZ&hitId=H", "mturk", "3XYZ"),
        ("survey_code=4711", "sona", None),
    ],
)
def test_a_platform_link_loses_its_query_and_leads_back_to_the_same_place(
    app: Flask, world: World, query: str, source: str, session: str | None
) -> None:
    rater = Rater(app)
    assert rater.get(f"/enter?{query}", follow=False).headers["Location"] == "/consent"
    rater.get("/consent")
    rater.agree()
    rater.train()
    task = rater.task
    with world.database.reading() as db:
        identity = db.scalars(select(Identity)).one()
        assert (identity.source, identity.external_session) == (source, session)
    elsewhere = Rater(app)
    elsewhere.get(f"/enter?{query}")
    assert elsewhere.task == task
    assert people(world) == 1


def test_the_way_back_carries_the_code_and_the_id(app: Flask, world: World) -> None:
    rater = Rater(app)
    rater.get("/enter?PROLIFIC_PID=somebody")
    rater.agree()
    rater.train()
    rater.answer()
    rater.get("/finish")
    rater.post("/finish")
    with world.database.reading() as db:
        code = db.scalars(select(Participant.completion_code)).one()
    assert f'href="https://platform.invalid/done?cc={code}&amp;id=somebody"' in rater.page


@pytest.mark.parametrize("pid", ["", "a b", "<script>", "x" * 65, "../../etc", "%00"])
def test_an_id_that_no_platform_gives_is_refused(app: Flask, world: World, pid: str) -> None:
    assert Rater(app).client.get("/enter", query_string={"PROLIFIC_PID": pid}).status_code == 400
    assert people(world) == 0


def test_a_way_the_study_does_not_have_is_closed(app: Flask) -> None:
    rater = Rater(app)
    rater.get("/login")
    assert rater.post("/begin").status_code == 404  # not an open study
    assert rater.get("/enter?bot=b1").status_code == 404  # bots have runs of their own


def test_a_preview_of_the_platform_stores_nothing(app: Flask, world: World) -> None:
    page = Rater(app).get("/enter?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H")
    assert "accept the task on the platform first" in page.text
    assert people(world) == 0


def test_an_invitation_opens_once_made_and_however_it_is_typed(app: Flask, world: World) -> None:
    with world.database.writing() as db:
        db.add(
            Identity(
                token=token(),
                source="invitation",
                code_sha256=code_hash("ABCD-EFGH-JKLM-NPQR"),
                created_at=world.clock(),
            )
        )
    rater = Rater(app)
    assert rater.get("/enter?code=abcd efgh jklm npqr", follow=False).headers["Location"] == "/consent"
    assert rater.get("/enter?code=ABCD-EFGH-JKLM-XXXX", follow=False).status_code == 404


def test_an_invitation_leads_into_its_own_run_whichever_others_are_open(app: Flask, world: World) -> None:
    with world.writing() as (db, main):
        pilot = loading.create_run(db, main.study, kind="pilot", seed=1, opened_at=world.clock())
        codes = {run.id: enrolment.invite(db, run, world.clock()) for run in (main, pilot)}
        late = enrolment.invite(db, pilot, world.clock())
        assert main.id != pilot.id
    for run_id, code in codes.items():
        rater = Rater(app)
        rater.get(f"/enter?code={code}")
        rater.agree()
        with world.database.reading() as db:
            assert db.scalars(select(Participant.run_id).order_by(Participant.id.desc())).first() == run_id
    with world.database.writing() as db:
        db.execute(update(Run).where(Run.kind == "pilot").values(closed_at=world.clock()))
    refused = Rater(app).get(f"/enter?code={late}")
    assert refused.status_code == 404  # and not into the main run, which is open
    assert "No study is open" in refused.text


def test_an_account_is_made_and_comes_back_with_its_password_alone(app: Flask, world: World) -> None:
    rater = Rater(app)
    rater.get("/register")
    assert "at least 8 characters" in rater.post("/register", username="ada", password="short").text
    rater.post("/register", username="ada", password="correct horse", run="")
    rater.agree()
    elsewhere = Rater(app)
    elsewhere.get("/login")
    wrong = [
        elsewhere.post("/login", username="ada", password="wrong horse"),
        elsewhere.post("/login", username="nobody", password="wrong horse"),
        elsewhere.post("/login", code="AAAA-AAAA-AAAA-AAAA"),
    ]
    assert {one.status_code for one in wrong} == {400}
    assert len({one.text.count("That does not match") for one in wrong}) == 1
    elsewhere.post("/login", username="ada", password="correct horse")
    assert "Training, page 1" in elsewhere.page
    again = Rater(app)
    again.get("/register")
    assert "That name is taken" in again.post("/register", username="ada", password="another horse").text
    with world.database.reading() as db:
        stored = db.scalars(select(Identity.password_hash)).one()
    assert stored
    assert stored.startswith("scrypt:")


def test_the_session_is_new_after_entering(app: Flask) -> None:
    rater = Rater(app)
    rater.get("/register")
    before = hidden(rater.page, "csrf_token")
    rater.post("/register", username="ada", password="correct horse")
    stale = rater.client.post("/consent", data={"csrf_token": before, "decision": "declined"})
    assert stale.status_code == 400
    assert "earlier visit" in stale.text


def test_too_many_tries_to_log_in_are_slowed_down(world: World, make_app: Callable[..., Flask]) -> None:
    rater = Rater(make_app(world, rate_limits=True))
    rater.get("/login")
    csrf = hidden(rater.page, "csrf_token")
    found = [rater.post("/login", code=f"WRONG-{number}", csrf=csrf).status_code for number in range(22)]
    assert found == [400] * 20 + [429] * 2
