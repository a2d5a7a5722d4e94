import csv
import io

import pytest
from researcher import Researcher
from sqlalchemy import select
from study_world import World

from study_app.export import export_of
from study_app.models import Exclusion, Participant, Run


@pytest.fixture
def person(world: World, answered: str) -> str:
    """The address of somebody's page."""
    with world.database.reading() as db:
        token = db.scalars(select(Participant.token).order_by(Participant.id)).first()
    return f"/admin/runs/{answered}/raters/{token}"


def exported(world: World) -> dict[str, set[str]]:
    """What the export says of each rater's answers."""
    with world.database.reading() as db:
        files = export_of(db, db.scalars(select(Run)).one()).files
    found: dict[str, set[str]] = {}
    for row in csv.DictReader(io.StringIO(files["responses.csv"].decode())):
        found.setdefault(row["rater"], set()).add(row["excluded"])
    return found


def test_an_exclusion_is_in_the_export_and_in_the_list_until_it_is_taken_back(
    ada: Researcher, world: World, person: str
) -> None:
    token = person.rpartition("/")[2]
    ada.get(person)
    page = ada.post(f"{person}/exclude", reason="careless", note="half of them\nunder 0.4 s").text
    assert "They do not count: careless answers." in page
    assert exported(world)[token] == {"careless: half of them under 0.4 s"}
    assert [one for one in exported(world) if one != token and exported(world)[one] != {""}] == []
    assert "does not count: careless answers" in ada.get(person.rpartition("/")[0]).text
    ada.get(person)
    page = ada.post(f"{person}/readmit", note="it was the browser").text
    assert "They count." in page
    assert "it was the browser" in page  # what was decided before stays on the page
    assert exported(world)[token] == {""}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"reason": "ugly"},
        {"reason": "other"},
        {"reason": "other", "note": " \n "},
        {"reason": "catch", "note": "x" * 501},
    ],
)
def test_a_reason_that_does_not_do_changes_nothing(
    ada: Researcher, world: World, person: str, form: dict[str, str]
) -> None:
    ada.get(person)
    assert ada.post(f"{person}/exclude", form).status_code == 400
    with world.database.reading() as db:
        assert db.scalars(select(Exclusion)).all() == []


def test_what_a_note_holds_is_text_on_the_page(ada: Researcher, person: str) -> None:
    ada.get(person)
    page = ada.post(f"{person}/exclude", reason="other", note='<script>alert("x")</script>').text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
