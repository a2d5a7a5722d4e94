import json

import pytest
from sqlalchemy import select, text
from study_world import MakeWorld, World

from study_app import exclusion, migration, unblinding
from study_app.audit import first_broken
from study_app.database import Database
from study_app.errors import InputError
from study_app.export import export_of
from study_app.models import Audit, Exclusion


def about(world: World) -> dict[str, object]:
    """What the export says of itself."""
    with world.writing() as (session, run):
        found: dict[str, object] = json.loads(export_of(session, run).files["about.json"])
        return found


def test_deciding_and_taking_back_is_on_record_and_says_whether_arms_were_seen(
    database: Database, make_world: MakeWorld
) -> None:
    world = make_world(database)
    with world.writing() as (session, run):
        person = world.join(session, run, 1)
        exclusion.exclude(session, run, person, reason="technical", note="", actor="admin ada", now=world.clock())
        with pytest.raises(InputError, match="excluded already \\(technical\\)"):
            exclusion.exclude(session, run, person, reason="catch", note="", actor="x", now=world.clock())
    assert (about(world)["excluded"], about(world)["excluded_after_unblinding"]) == (1, 0)
    with world.writing() as (session, run):
        person = session.merge(person)
        world.clock.forward(hours=1)
        unblinding.close(session, run, actor="x", now=world.clock())
        unblinding.unblind(session, run, actor="x", purpose="export", now=world.clock())
        world.clock.forward(hours=1)
        exclusion.readmit(session, run, person, note="works again", actor="admin grace", now=world.clock())
        with pytest.raises(InputError, match="is not excluded"):
            exclusion.readmit(session, run, person, note="", actor="x", now=world.clock())
        exclusion.exclude(session, run, person, reason="catch", note="", actor="admin ada", now=world.clock())
        rows = [(one.actor, one.action, json.loads(one.detail_json)) for one in exclusion.decisions(session, person)]
        assert first_broken(session) is None
    assert (about(world)["excluded"], about(world)["excluded_after_unblinding"]) == (1, 1)
    run_name = rows[0][2]["run"]
    assert rows == [
        ("admin ada", "exclude", {"run": run_name, "reason": "technical", "note": "", "arms_seen": False}),
        (
            "admin grace",
            "readmit",
            {"run": run_name, "was": "technical", "note": "works again", "arms_seen": True},
        ),
        ("admin ada", "exclude", {"run": run_name, "reason": "catch", "note": "", "arms_seen": True}),
    ]


def test_what_was_excluded_in_words_before_the_list_is_kept_up_and_down(
    database: Database, make_world: MakeWorld
) -> None:
    world = make_world(database)
    with world.writing() as (session, run):
        first, second = (world.join(session, run, seed) for seed in (1, 2))
        exclusion.exclude(session, run, first, reason="other", note="asleep", actor="a", now=world.clock())
        exclusion.exclude(session, run, second, reason="catch", note="", actor="a", now=world.clock())
        ids = (first.id, second.id)
    migration.downgrade(database, "0003")
    with database.reading() as session:
        rows = session.execute(text("SELECT participant_id, reason FROM exclusion ORDER BY participant_id")).all()
        assert rows == [(ids[0], "other: asleep"), (ids[1], "catch")]
    migration.upgrade(database)
    assert migration.differences(database) == []
    with database.reading() as session:
        found = session.scalars(select(Exclusion).order_by(Exclusion.participant_id)).all()
        assert [(one.participant_id, one.reason, one.note) for one in found] == [
            (ids[0], "other", "other: asleep"),
            (ids[1], "other", "catch"),
        ]
        assert {one.at for one in found} == {world.clock()}
        assert first_broken(session) is None
        assert len(session.scalars(select(Audit)).all()) == 2
