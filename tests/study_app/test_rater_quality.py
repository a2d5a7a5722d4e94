import itertools
import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from rater import Rater
from scipy import stats
from sqlalchemy import select
from study_world import MakeWorld

from analysis import paired, responses
from analysis import rater_quality as theirs
from analysis.paired import Bootstrap
from analysis.retest import retest
from study_app import rater_quality as ours
from study_app.commands.export import write
from study_app.database import Database
from study_app.export import export_of
from study_app.models import Run
from study_app.rater_quality import Given, quality, rater_quality


def test_an_export_of_the_same_answers_has_the_same_figures_in_the_analysis(
    sqlite_database: Database, make_world: MakeWorld, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    world = make_world(
        sqlite_database, rules="tasks.catch_share = 0.25\ntasks.repeat_share = 0.25\ntasks.repeat_gap = 3"
    )
    app, generator = make_app(world), Random(5)  # noqa: S311 - a test
    habits = (("left", "right", "both"), ("left",), ("left", "right"), ("neither",))
    for habit in habits:
        rater = Rater(app)
        rater.begin()
        for _ in range(14):
            form = rater.form(choice=generator.choice(habit), client_rt_ms=generator.choice(["", "300", "800", "9000"]))
            rater.post(f"/t/{rater.task}", form)
    with world.database.reading() as db:
        run = db.scalars(select(Run)).one()
        mine = rater_quality(db, run)
        write(export_of(db, run), tmp_path / "export")
    read = responses.read(tmp_path / "export")
    found = theirs.rater_quality(read.frame)
    assert {one.rater for one in found} == mine.keys()
    for one in found:
        other = mine[one.rater]
        assert (one.answers, one.left, one.decided, one.longest_run) == (
            other.answers,
            other.left,
            other.decided,
            other.longest_run,
        )
        assert one.undecided == pytest.approx(other.undecided / other.answers)
        assert (one.side_p, one.run_p) == pytest.approx((other.side_p, other.run_p), nan_ok=True)
        assert 1000 * one.median_seconds == pytest.approx(other.median_ms, nan_ok=True)
        assert one.fast == pytest.approx(other.fast / other.timed if other.timed else math.nan, nan_ok=True)
        assert (one.catch, one.catch_right) == (other.catch, other.catch - other.catch_missed)
    again = retest(read.frame, bootstrap=Bootstrap(draws=100, level=0.95), generator=np.random.default_rng(0))
    assert again
    assert again.pairs == sum(one.repeats for one in mine.values()) > 0
    changed = sum(one.repeats_changed for one in mine.values())
    assert again.same.mean == pytest.approx(1 - changed / again.pairs)
    assert (ours.FAST_MS, ours.UNUSUAL) == (theirs.FAST_MS, theirs.UNUSUAL)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_the_chance_of_sides_is_the_exact_binomial_test(left: int, right: int) -> None:
    if left + right == 0:
        assert math.isnan(ours.side_chance(0, 0))
    else:
        assert ours.side_chance(left, left + right) == pytest.approx(stats.binomtest(left, left + right).pvalue)


@pytest.mark.parametrize("n", range(1, 11))
def test_the_chance_of_a_run_is_counted_over_every_sequence(n: int) -> None:
    runs = [ours.longest_run(one) for one in itertools.product("lr", repeat=n)]
    for longest in range(n + 2):
        assert ours.run_chance(longest, n) == pytest.approx(sum(one >= longest for one in runs) / 2**n)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=12))
def test_chances_are_adjusted_as_in_the_analysis(chances: list[float]) -> None:
    assert ours.holm(chances) == pytest.approx(list(paired.holm(chances)), nan_ok=True)


def main(choice: str, side: str = "left", *, image: int = 0, kind: str = "main", ms: int | None = 900) -> Given:
    return Given(kind, choice, side, (image, "true", "dense"), ms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "signs"),
    [
        ([main("left"), main("right"), main("both")], ()),
        ([main("left", ms=499), main("right"), main("both")], ("fast",)),  # one of three is above a tenth
        ([main("left", ms=500), main("right")], ()),
        ([main("left", ms=None)], ()),
        ([main("left")] * 9, ("side", "run")),  # 2 / 2^9 = 0.004, and 2 / 2^9 again
        ([main("left")] * 5, ()),  # 2 / 2^5 = 0.06
        ([main("both"), main("neither")], ("undecided",)),
        ([main("left"), main("right", kind="catch")], ("catch",)),
        ([main("left"), main("left", kind="catch")], ()),
        ([main("left"), *[main("right", kind="repeat")] * 3], ("repeat",)),
        ([main("left"), *[main("right", kind="repeat")] * 2], ()),  # too few to tell
        ([main("left"), *[main("right", "right", kind="repeat")] * 3], ()),  # the other side, and the same region
        ([main("left", image=1), *[main("right", kind="repeat")] * 3], ()),  # of a task that was never answered
    ],
)
def test_each_sign_is_shown_by_the_answers_that_deserve_it(answers: list[Given], signs: tuple[str, ...]) -> None:
    assert quality("r", answers).signs == signs


def test_nobody_without_a_main_answer_is_judged() -> None:
    assert ours.qualities([("r", [main("left", kind="catch")]), ("s", [])]) == []
