import itertools

from hypothesis import given
from hypothesis import strategies as st
from rater import Rater
from sqlalchemy import select
from study_world import World

from study_app.design import Design, Prize
from study_app.models import Assignment, Exclusion, Participant, Run, Task
from study_app.prize import Standing, ranked, standings

PLACES = st.builds(
    Standing,
    st.uuids().map(str),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.floats(0, 1, exclude_max=True),
)


@given(st.lists(PLACES, max_size=8))
def test_nobody_stands_before_a_better_score_and_equal_scores_go_by_lot(found: list[Standing]) -> None:
    order = ranked(found)
    assert sorted(order, key=id) == sorted(found, key=id)
    for first, second in itertools.pairwise(order):
        assert first.score > second.score or (first.score == second.score and first.lot <= second.lot)


def test_agreement_counts_up_disagreement_down_and_too_few_answers_not_at_all(rater: Rater, world: World) -> None:
    rater.begin()
    for wanted in ("agree", "agree", "disagree", "undecided"):
        with world.database.reading() as db:
            side = db.scalars(select(Assignment.key_side).join(Task).where(Assignment.token == rater.task)).one()
        other = "right" if side == "left" else "left"
        rater.answer({"agree": side, "disagree": other, "undecided": "both"}[wanted])
    with world.database.writing() as db:
        run = db.get(Run, world.run_id)
        person = db.scalars(select(Participant)).one()
        assert run is not None
        (place,) = standings(db, run, Design("s", "t", prize=Prize(minimum=4)))
        assert (place.rater, place.agree, place.disagree, place.undecided) == (person.token, 2, 1, 1)
        assert place.score == 1
        assert standings(db, run, Design("s", "t", prize=Prize(minimum=5))) == []
        db.add(Exclusion(participant_id=person.id, reason="careless", actor="ada", at=world.clock()))
        db.flush()
        assert standings(db, run, Design("s", "t", prize=Prize(minimum=4))) == []
