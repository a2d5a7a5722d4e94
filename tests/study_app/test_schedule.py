from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from study_app.design import Tasks
from study_app.schedule import kind_at, length, side_at


@given(seed=st.integers(0, 2**62), block=st.sampled_from([2, 4, 6]))
def test_every_block_of_a_rater_has_as_many_left_as_right(seed: int, block: int) -> None:
    sides = [side_at(position, Tasks(side_block=block), seed=seed) for position in range(5 * block)]
    for start in range(0, len(sides), block):
        assert sides[start : start + block].count("left") == block // 2


def test_without_blocks_both_sides_come_about_equally_often() -> None:
    sides = Counter(side_at(position, Tasks(side_block=0), seed=11) for position in range(2000))
    # Binomial(2000, .5) has a standard deviation of 22.4; 5 of them.
    assert abs(sides["left"] - 1000) < 112


@given(seed=st.integers(0, 2**62))
def test_extra_trials_come_at_their_share_and_never_before_the_gap(seed: int) -> None:
    tasks = Tasks(catch_share=0.1, repeat_share=0.05, repeat_gap=10)
    kinds = [kind_at(position, tasks, seed=seed) for position in range(400)]
    assert "repeat" not in kinds[:10]
    # One in every stretch of 20, less the stretch that the gap may take; one catch in every 10, less those it loses.
    assert 19 <= kinds.count("repeat") <= 20
    assert 40 - 20 <= kinds.count("catch") <= 40


@given(main=st.integers(0, 60), seed=st.integers(0, 2**62))
def test_the_length_holds_that_many_main_tasks_and_ends_on_one(main: int, seed: int) -> None:
    tasks = Tasks(catch_share=0.2, repeat_share=0.1, repeat_gap=3)
    kinds = [kind_at(position, tasks, seed=seed) for position in range(length(main, tasks, seed=seed))]
    assert kinds.count("main") == main
    assert not kinds or kinds[-1] == "main"
