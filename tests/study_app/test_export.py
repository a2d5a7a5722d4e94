import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from rater import Rater
from sqlalchemy import select
from study_world import World

from analysis import responses
from data_manifests import codebook
from study_app import export
from study_app.audit import first_broken
from study_app.cli import main
from study_app.export import as_cell, as_token, export_of
from study_app.models import Assignment, Audit, Exclusion, Participant, Response, Run

CHOICES = ("left", "right", "both", "neither")


@pytest.fixture
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPADE_STUDY_SECRET_KEY", "a secret of the tests, long enough to be one")
    monkeypatch.setenv("SPADE_STUDY_DATABASE_URL", world.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SPADE_STUDY_PICTURES", str(world.store.folder))


def answered(app: Flask, people: int, answers: int) -> None:
    """So many raters with so many answers each, through the pages."""
    for _ in range(people):
        rater = Rater(app)
        rater.begin()
        for number in range(answers):
            rater.answer(CHOICES[number % 4])


def run_token(world: World) -> str:
    with world.database.reading() as db:
        run = db.get(Run, world.run_id)
        assert run
        return run.token


@pytest.mark.usefixtures("environment")
def test_the_analysis_reads_what_was_answered_through_the_pages(app: Flask, world: World, tmp_path: Path) -> None:
    answered(app, 2, 5)
    token, folder = run_token(world), tmp_path / "export"
    assert CliRunner().invoke(main, ["close-run", token]).exit_code == 0
    said = CliRunner().invoke(main, ["export", token, str(folder)])
    assert said.exit_code == 0, said.output
    assert "10 answers of 2 raters" in said.output
    read = responses.read(folder)
    assert read.missing == ()
    assert read.notes == ()
    assert (read.run, read.run_kind, len(read.frame)) == (token, "main", 10)
    with world.database.reading() as db:
        for row in read.frame.itertuples():
            stored = db.scalars(
                select(Response)
                .join(Assignment)
                .join(Participant)
                .where(Participant.token == row.rater, Assignment.position == row.position - 1)
            ).one()
            task = stored.assignment.task
            assert (row.choice, row.key_side) == (stored.choice, stored.assignment.key_side)
            assert (row.image, row.role, row.arm) == (task.image.dataset_ref, task.role, task.arm)
            outcome = "agree" if row.choice == row.key_side else "disagree"
            assert row.outcome == ("undecided" if row.choice in {"both", "neither"} else outcome)
    assert read.raters is not None
    assert set(read.raters["status"]) == {"active"}
    assert set(read.raters["training_attempts"]) == {1}


@pytest.mark.usefixtures("environment")
def test_parquet_says_what_the_csv_says(app: Flask, world: World, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    answered(app, 1, 4)
    CliRunner().invoke(main, ["close-run", run_token(world)])
    assert CliRunner().invoke(main, ["export", run_token(world), str(tmp_path), "--parquet"]).exit_code == 0
    one, other = responses.read(tmp_path / "responses.csv"), responses.read(tmp_path / "responses.parquet")
    assert one.frame.equals(other.frame)


@pytest.mark.usefixtures("environment")
def test_a_run_that_collects_answers_is_not_exported_by_accident(app: Flask, world: World, tmp_path: Path) -> None:
    answered(app, 1, 1)
    refused = CliRunner().invoke(main, ["export", run_token(world), str(tmp_path / "no")])
    assert refused.exit_code == 2
    assert "still collects answers" in refused.output
    assert not (tmp_path / "no").exists()
    taken = CliRunner().invoke(main, ["export", run_token(world), str(tmp_path / "yes"), "--before-close"])
    assert taken.exit_code == 0
    with world.database.reading() as db:
        rows = [(one.action, json.loads(one.detail_json)) for one in db.scalars(select(Audit))]
        assert rows == [("unblind", {"purpose": "export", "before_close": True})]
        assert first_broken(db) is None
        assert db.scalars(select(Run.unblinded_at)).one() is not None


def test_the_same_rows_give_the_same_bytes_and_hashes_that_hold(app: Flask, world: World) -> None:
    answered(app, 2, 2)
    with world.database.reading() as db:
        run = db.get(Run, world.run_id)
        assert run
        first, second = export_of(db, run), export_of(db, run)
    assert first == second
    lines = first.files[export.SUMS].decode().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums.keys() == first.files.keys() - {export.SUMS}
    assert all(hashlib.sha256(first.files[name]).hexdigest() == digest for name, digest in sums.items())
    assert first.files[codebook.FILE].decode().startswith("# What the study's export is")


def test_a_note_that_begins_like_a_formula_is_text_in_the_export(app: Flask, world: World) -> None:
    answered(app, 1, 2)
    with world.database.writing() as db:
        person = db.scalars(select(Participant)).one()
        db.add(
            Exclusion(
                participant_id=person.id, reason="other", note='=HYPERLINK("x")\nand more', actor="a", at=world.clock()
            )
        )
    with world.database.reading() as db:
        run = db.get(Run, world.run_id)
        assert run
        files = export_of(db, run).files
    for name in ("responses.csv", "raters.csv"):
        rows = list(csv.DictReader(io.StringIO(files[name].decode())))
        assert {row["excluded"] for row in rows} == {'other: =HYPERLINK("x") and more'}


def test_no_identity_leaves_with_the_export(app: Flask, world: World) -> None:
    answered(app, 1, 1)
    with world.database.reading() as db:
        run = db.get(Run, world.run_id)
        person = db.scalars(select(Participant)).one()
        assert run
        assert person.identity
        secrets = (person.identity.token, person.identity.code_sha256, db.scalars(select(Assignment.token)).first())
        everything = b"".join(export_of(db, run).files.values()).decode()
    assert not [one for one in secrets if one and one in everything]


@given(st.text(max_size=40))
def test_any_text_becomes_a_token_and_a_cell_that_no_spreadsheet_calculates(text: str) -> None:
    column = codebook.load("responses").column("image")
    assert column.type == "token"
    made = as_token(text)
    assert made[0] not in "=+-@"
    assert len(made) <= 200
    assert as_token(made) == made
    assert as_cell(text)[:1] not in ("=", "+", "-", "@", "\t")
    assert "\n" not in as_cell(text)
    assert "\r" not in as_cell(text)
