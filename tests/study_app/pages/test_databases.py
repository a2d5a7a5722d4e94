from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from rater import Rater
from sqlalchemy import select
from study_world import MakeWorld

from study_app.database import Database
from study_app.models import RATING, Assignment, Response


def test_four_raters_at_once_lose_double_and_misplace_nothing_on_either_database(
    database: Database, make_world: MakeWorld, make_app: Callable[..., Flask]
) -> None:
    world = make_world(database, images=2)
    app = make_app(world)

    def answer(choice: str) -> list[str]:
        rater = Rater(app)
        rater.begin()
        tokens = []
        for _ in range(3):
            tokens.append(rater.task)
            rater.answer(choice)
        return tokens

    choices = ["left", "right", "both", "neither"]
    with ThreadPoolExecutor(4) as pool:
        sent = {
            token: choice for choice, tokens in zip(choices, pool.map(answer, choices), strict=True) for token in tokens
        }
    with database.reading() as db:
        stored = db.execute(select(Assignment.token, Response.choice).join(Response)).all()
        cells = Counter((role, arm) for role, arm in db.execute(select(RATING.c.role, RATING.c.arm)))
    app.extensions["spade_study"].database.dispose()
    assert {token: choice for token, choice in stored} == sent  # noqa: C416 - rows are not pairs
    assert len(stored) == 12
    # 12 answers and 4 leases over 4 cells: answers alone differ by what is still held.
    assert max(cells.values()) - min(cells.values()) <= 4
