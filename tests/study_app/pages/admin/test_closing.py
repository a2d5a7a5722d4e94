import csv
import hashlib
import io
import json
import re
import zipfile

import pytest
import researcher
from flask import Flask
from rater import Rater
from researcher import Researcher
from sqlalchemy import select
from study_world import World

from study_app import unblinding
from study_app.audit import first_broken
from study_app.export import export_of
from study_app.models import RATING, Audit, Run


def told(world: World) -> list[tuple[str, str, dict[str, object]]]:
    """Who did what, and the details, of every row of the log."""
    with world.database.reading() as db:
        assert first_broken(db) is None
        return [
            (one.actor, one.action, json.loads(one.detail_json)) for one in db.scalars(select(Audit).order_by(Audit.id))
        ]


def end(ada: Researcher, run: str) -> None:
    ada.get(f"/admin/runs/{run}/end")
    ada.post(f"/admin/runs/{run}/close", sure="yes")


def test_closing_asks_first_and_then_nobody_answers(app: Flask, ada: Researcher, world: World, answered: str) -> None:
    rater = Rater(app)
    rater.begin()
    ada.get(f"/admin/runs/{answered}/end")
    assert ada.post(f"/admin/runs/{answered}/close").status_code == 400
    with world.database.reading() as db:
        assert db.scalars(select(Run.closed_at)).one() is None
    end(ada, answered)
    assert "Closed since" in ada.page
    assert "This study is closed" in rater.answer().text
    assert told(world)[-1] == ("admin ada", "close", {})


@pytest.mark.parametrize(("way", "fields"), [("unblind", {"sure": "yes"}), ("download", {"file": "responses.csv"})])
def test_an_open_run_shows_its_arms_to_nobody(
    ada: Researcher, world: World, answered: str, way: str, fields: dict[str, str]
) -> None:
    ada.get(f"/admin/runs/{answered}/end")
    refused = ada.post(f"/admin/runs/{answered}/{way}", fields)
    assert refused.status_code == 409
    assert "Close it first" in refused.text
    assert [action for _, action, _ in told(world)] == ["add admin", "log in"]


def test_arms_that_were_looked_at_early_on_the_command_line_stay_hidden_here(
    ada: Researcher, world: World, answered: str
) -> None:
    with world.writing() as (session, run):
        unblinding.unblind(session, run, actor="admin ada", purpose="export", now=world.clock(), early=True)
    assert "dense" not in ada.get(f"/admin/runs/{answered}").text


def test_arms_are_shown_after_closing_to_who_looked_on_record_and_to_nobody_else(
    app: Flask, ada: Researcher, world: World, answered: str
) -> None:
    end(ada, answered)
    assert "dense" not in ada.get(f"/admin/runs/{answered}").text
    ada.get(f"/admin/runs/{answered}/end")
    assert ada.post(f"/admin/runs/{answered}/unblind").status_code == 400
    ada.get(f"/admin/runs/{answered}/end")
    text = ada.post(f"/admin/runs/{answered}/unblind", sure="yes").text
    assert told(world)[-1] == ("admin ada", "unblind", {"purpose": "monitor", "before_close": False})
    with world.database.reading() as db:
        rows = db.execute(select(RATING.c.arm, RATING.c.outcome)).all()
    for arm in ("dense", "spade"):
        agree, disagree = (sum(row == (arm, outcome) for row in rows) for outcome in ("agree", "disagree"))
        assert re.search(rf">{arm}</th>(<td[^>]*>\d+</td>)<td[^>]*>{agree} \(.*?<td[^>]*>{disagree} \(", text), arm
        assert f"true, {arm}" in text
    researcher.add(world, "grace")
    other = Researcher(app)
    other.log_in("grace")
    assert "dense" not in other.get(f"/admin/runs/{answered}").text


def test_downloads_are_the_export_and_each_is_on_record(ada: Researcher, world: World, answered: str) -> None:
    end(ada, answered)
    bodies = {}
    for name in ("responses.csv", "raters.csv", "codebook.toml", "export.zip", "responses.parquet"):
        ada.get(f"/admin/runs/{answered}/end")
        response = ada.post(f"/admin/runs/{answered}/download", file=name)
        assert response.status_code == 200, name
        assert response.headers["Content-Disposition"] == f'attachment; filename="{answered}-{name}"'
        bodies[name] = response.data
        assert told(world)[-1][2] == {"purpose": f"download {name}", "before_close": False}
    with world.database.reading() as db:
        files = export_of(db, db.scalars(select(Run)).one()).files
    assert {name: bodies[name] for name in ("responses.csv", "raters.csv", "codebook.toml")} == {
        name: files[name] for name in ("responses.csv", "raters.csv", "codebook.toml")
    }
    with zipfile.ZipFile(io.BytesIO(bodies["export.zip"])) as archive:
        found = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    sums = dict(line.split("  ")[::-1] for line in found["SHA256SUMS"].decode().splitlines())
    assert {name: hashlib.sha256(found[name]).hexdigest() for name in sums} == sums
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(io.BytesIO(bodies["responses.parquet"])).to_pylist()
    assert rows == list(csv.DictReader(io.StringIO(files["responses.csv"].decode())))


@pytest.mark.parametrize("name", ["", "about", "../study.sqlite", "export.zip/../x"])
def test_a_file_of_another_name_is_not_there_and_leaves_no_row(
    ada: Researcher, world: World, answered: str, name: str
) -> None:
    end(ada, answered)
    before = len(told(world))
    ada.get(f"/admin/runs/{answered}/end")
    assert ada.post(f"/admin/runs/{answered}/download", file=name).status_code == 404
    assert len(told(world)) == before
