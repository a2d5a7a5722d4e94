"""A study with answers of every kind, and somebody who may look at it."""

import pytest
import researcher
from flask import Flask
from rater import Rater
from researcher import Researcher
from sqlalchemy import select
from study_world import MakeWorld, World

from study_app.database import Database
from study_app.models import Run

MIXED = "tasks.catch_share = 0.25\ntasks.repeat_share = 0.25\ntasks.repeat_gap = 3"


@pytest.fixture
def world(sqlite_database: Database, make_world: MakeWorld) -> World:
    """Four images, with catch and repeated tasks among the others."""
    return make_world(sqlite_database, rules=MIXED)


@pytest.fixture
def ada(app: Flask, world: World) -> Researcher:
    """A researcher with an account, logged in."""
    researcher.add(world)
    one = Researcher(app)
    assert one.log_in() == 200
    return one


@pytest.fixture
def answered(app: Flask, world: World) -> str:
    """The name of the run, in which two people answered ten and six tasks."""
    for count, choices in ((10, ("left", "right", "both")), (6, ("left",))):
        rater = Rater(app)
        rater.begin()
        for number in range(count):
            world.clock.forward(seconds=7)
            rater.answer(choices[number % len(choices)])
    return run_token(world)


def run_token(world: World) -> str:
    with world.database.reading() as db:
        return db.scalars(select(Run.token).where(Run.id == world.run_id)).one()
