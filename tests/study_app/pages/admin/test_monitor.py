import re

import pytest
from flask import Flask
from rater import Rater
from researcher import Researcher
from sqlalchemy import func, select
from study_world import World

from study_app.models import Assignment, Image, Participant, Response, Task


def pages(ada: Researcher, world: World, run: str) -> dict[str, str]:
    """Every page about the open run, without the form tokens."""
    with world.database.reading() as db:
        people = db.scalars(select(Participant.token).order_by(Participant.id)).all()
    raters = [f"/admin/runs/{run}/raters/{one}" for one in people]
    found = {}
    for address in ["/admin/", f"/admin/runs/{run}", f"/admin/runs/{run}/raters", *raters]:
        response = ada.get(address)
        assert response.status_code == 200, address
        found[address] = re.sub(r'name="csrf_token" value="[^"]*"', "", response.text)
    return found


def test_pages_of_an_open_run_are_the_same_whichever_side_was_right(
    ada: Researcher, world: World, answered: str
) -> None:
    before = pages(ada, world, answered)
    with world.database.writing() as db:
        main = select(Task.id).where(Task.kind != "catch")
        rows = db.scalars(select(Assignment).where(Assignment.task_id.in_(main))).all()
        for one in rows:
            one.key_side = "right" if one.key_side == "left" else "left"
        assert len(rows) > 10
    assert pages(ada, world, answered) == before


def test_pages_of_an_open_run_name_no_arm_no_class_and_no_image(ada: Researcher, world: World, answered: str) -> None:
    text = "".join(pages(ada, world, answered).values()).lower()
    with world.database.reading() as db:
        names = {
            one for row in db.execute(select(Image.dataset_ref, Image.true_class, Image.pred_class)) for one in row
        }
    for name in {*names, "dense", "spade", "gneiss", "schist", "disagree"}:
        assert name.lower() not in text


def test_the_monitor_counts_what_was_answered(ada: Researcher, world: World, answered: str) -> None:
    text = ada.get(f"/admin/runs/{answered}").text
    with world.database.reading() as db:
        rows = db.execute(select(Task.kind, func.count()).join(Assignment).join(Response).group_by(Task.kind)).all()
    counts = {kind: count for kind, count in rows}  # noqa: C416 - rows are not pairs
    assert sum(counts.values()) == 16
    for words, kind in (("Main", "main"), ("Catch", "catch"), ("Repeat", "repeat")):
        assert re.search(rf"<dt>{words} answers</dt><dd>{counts[kind]}<", text), words
    assert text.count("Cell 4") == 1


def test_the_table_of_raters_sorts_both_ways_and_has_everybody(app: Flask, ada: Researcher, answered: str) -> None:
    Rater(app).begin()  # somebody without an answer

    def order(query: str) -> list[str]:
        return re.findall(r"/raters/([\w-]+)\"", ada.get(f"/admin/runs/{answered}/raters?{query}").text)

    many = order("sort=answers")
    assert len(many) == 3
    assert order("sort=answers&order=up") == many[::-1]
    assert order("sort=median&order=up")[-1] == many[-1]  # who has no time stands last
    assert order("sort=median")[-1] == many[-1]
    assert 'aria-sort="descending"' in ada.page
    assert ada.get(f"/admin/runs/{answered}/raters?sort=arm").status_code == 404


def test_the_page_of_a_rater_has_each_answer_in_its_place(ada: Researcher, world: World, answered: str) -> None:
    with world.database.reading() as db:
        person = db.scalars(select(Participant).order_by(Participant.id)).first()
        assert person
        stored = db.scalars(
            select(Response.choice)
            .join(Assignment)
            .where(Assignment.participant_id == person.id)
            .order_by(Assignment.position)
        ).all()
    text = ada.get(f"/admin/runs/{answered}/raters/{person.token}").text
    assert re.findall(r"<td>(left|right|both|neither)</td>", text) == list(stored)


@pytest.mark.parametrize("address", ["nothing", "nothing/raters", "{run}/raters/nobody"])
def test_a_name_that_is_not_there_is_a_page_that_says_so(ada: Researcher, answered: str, address: str) -> None:
    response = ada.get("/admin/runs/" + address.format(run=answered))
    assert response.status_code == 404
    assert "There is no" in response.text  # nobody, or no run


def test_somebody_who_withdrew_is_counted_as_that_alone(app: Flask, ada: Researcher, answered: str) -> None:
    rater = Rater(app)
    rater.begin()
    rater.get("/me")
    rater.post("/me/withdraw", sure="yes")
    text = ada.get(f"/admin/runs/{answered}").text
    assert re.search(r"withdrew their data</th><td class=\"number\">1<", text)
    assert re.search(r"agreed and entered</th><td class=\"number\">2<", text)
