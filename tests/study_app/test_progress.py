import pytest
from sqlalchemy import func, select
from study_world import MakeWorld

from study_app import answering, assignment
from study_app.database import Database
from study_app.models import Response
from study_app.progress import progress_of
from study_app.tokens import token


@pytest.mark.parametrize(
    ("rules", "total"),
    [
        ("tasks.per_rater = 100", 12),  # 3 images, 4 tasks each
        ("tasks.per_rater = 5", 5),
        ('tasks.per_rater = 100\ntasks.classes = "one"', 6),
        ("tasks.per_rater = 100\ntasks.one_view_per_image = true", 3),
        # A catch task at every second place, of which there are 2 an image: 12 main and 6 catch tasks.
        ("tasks.per_rater = 100\ntasks.catch_share = 0.5", 18),
        ("tasks.per_rater = 100\ntasks.repeat_share = 0.25\ntasks.repeat_gap = 2", None),
    ],
)
@pytest.mark.parametrize("left_out", [False, True])
def test_the_total_on_the_page_is_the_number_of_tasks_that_come(
    sqlite_database: Database, make_world: MakeWorld, rules: str, total: int | None, *, left_out: bool
) -> None:
    world = make_world(sqlite_database, images=3, rules=rules)
    with world.writing() as (session, run):
        person = world.join(session, run, 11)
        first = progress_of(session, person, world.design).of
        said = []
        while held := assignment.hold(session, person, world.design, world.clock()):
            said.append(progress_of(session, person, world.design).of)
            if left_out and len(said) == 1:
                answering.void(held[0], "picture did not arrive")
                continue
            answering.show(held[0], world.clock())
            given = answering.Given(choice="left", input="click", idempotency_key=token(), locale="en")
            answering.answer(session, held[0], given, world.clock())
        answered = session.scalar(select(func.count()).select_from(Response))
        if total is not None and not left_out:
            assert (first, answered) == (total, total)
        assert said[-1] == answered == progress_of(session, person, world.design).of
        if total is not None:
            assert set(said[1:]) == {answered}  # and it does not change on the way
