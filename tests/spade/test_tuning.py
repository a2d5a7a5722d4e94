import json
import math
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spade.errors import EnvironmentProblem, InputError
from spade.sparsity import RATIO_GRID, Ratios
from spade.tuning import Score, Tuned, guard, tune

GROUPS = ["fc", "layer2", "layer1"]
CALIBRATION, TEST = ["a", "b"], ["c"]


def search(score: Score, state_path: Path | None = None, candidates: tuple[float, ...] = RATIO_GRID) -> Tuned:
    return tune(GROUPS, candidates, score=score, state_path=state_path, calibration_ids=CALIBRATION, test_ids=TEST)


def hill(ratios: Ratios) -> float:
    """Best at fc .9, layer2 .6, layer1 0, whatever the others are."""
    return -((ratios["fc"] - 0.9) ** 2) - (ratios["layer2"] - 0.6) ** 2 - ratios["layer1"]


def counted(score: Score) -> tuple[Score, list[Ratios]]:
    asked: list[Ratios] = []

    def count(ratios: Ratios) -> float:
        asked.append(dict(ratios))
        return score(ratios)

    return count, asked


def test_it_finds_the_best_ratio_of_independent_groups() -> None:
    tuned = search(hill)
    assert tuned.ratios == {"fc": 0.9, "layer2": 0.6, "layer1": 0.0}
    assert tuned.score == hill(tuned.ratios)
    assert tuned.dense == hill(dict.fromkeys(GROUPS, 0.0))


def test_groups_are_searched_in_the_order_given_each_at_the_best_of_those_before() -> None:
    score, asked = counted(hill)
    search(score, candidates=(0.6, 0.9))
    assert asked == [
        {"fc": 0.0, "layer2": 0.0, "layer1": 0.0},
        {"fc": 0.6, "layer2": 0.0, "layer1": 0.0},
        {"fc": 0.9, "layer2": 0.0, "layer1": 0.0},
        {"fc": 0.9, "layer2": 0.6, "layer1": 0.0},
        {"fc": 0.9, "layer2": 0.9, "layer1": 0.0},
        {"fc": 0.9, "layer2": 0.6, "layer1": 0.6},
        {"fc": 0.9, "layer2": 0.6, "layer1": 0.9},
    ]


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=27, max_size=27))
def test_it_is_coordinate_search_on_any_landscape(heights: list[float]) -> None:
    grid = (0.0, 0.5, 0.9)
    landscape = dict(zip(product(grid, repeat=3), heights, strict=True))

    def score(ratios: Ratios) -> float:
        return landscape[ratios["fc"], ratios["layer2"], ratios["layer1"]]

    # Slower and plainer: for one place after the other, the first largest of three.
    best = [0.0, 0.0, 0.0]
    for place in range(3):
        options = [[*best[:place], ratio, *best[place + 1 :]] for ratio in grid]
        best = max(options, key=lambda option: landscape[option[0], option[1], option[2]])
    tuned = search(score, candidates=grid)
    assert list(tuned.ratios.values()) == best
    assert tuned.score >= tuned.dense


def test_of_equal_scores_the_smaller_ratio_wins() -> None:
    assert search(lambda _: 1.0).ratios == dict.fromkeys(GROUPS, 0.0)


def test_a_score_of_nan_never_wins() -> None:
    tuned = search(lambda ratios: math.nan if ratios["fc"] == 0.9 else hill(ratios))
    assert tuned.ratios["fc"] == 0.95
    assert sum(math.isnan(trial.score) for trial in tuned.trials) == 1


def test_the_score_cannot_change_the_search() -> None:
    def spoil(ratios: Ratios) -> float:
        value = hill(ratios)
        ratios.clear()
        return value

    assert search(spoil) == search(hill)


class TestResuming:
    @pytest.mark.parametrize("stop_after", [0, 1, 5, 20])
    def test_a_stopped_search_ends_as_if_it_had_not_been(self, tmp_path: Path, stop_after: int) -> None:
        score, asked = counted(hill)

        def stopping(ratios: Ratios) -> float:
            if len(asked) == stop_after:
                raise KeyboardInterrupt
            return score(ratios)

        with pytest.raises(KeyboardInterrupt):
            search(stopping, tmp_path / "state")
        resumed, again = counted(hill)
        assert search(resumed, tmp_path / "state") == search(hill)
        assert len(again) + stop_after == len(search(hill).trials)

    def test_a_finished_search_asks_for_nothing(self, tmp_path: Path) -> None:
        first = search(hill, tmp_path / "state")
        score, asked = counted(hill)
        assert search(score, tmp_path / "state") == first
        assert asked == []

    def test_a_torn_last_line_is_scored_again(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        whole = search(hill, state)
        state.write_bytes(state.read_bytes()[:-7])
        score, asked = counted(hill)
        assert search(score, state) == whole
        assert len(asked) == 1
        assert search(hill, state) == whole

    def test_a_score_of_nan_is_remembered(self, tmp_path: Path) -> None:
        def holed(ratios: Ratios) -> float:
            return math.nan if ratios["fc"] == 0.9 else hill(ratios)

        search(holed, tmp_path / "state")
        score, asked = counted(holed)
        search(score, tmp_path / "state")
        assert asked == []

    def test_the_state_of_another_search_is_refused(self, tmp_path: Path) -> None:
        search(hill, tmp_path / "state")
        with pytest.raises(InputError, match="belongs to another search"):
            search(hill, tmp_path / "state", candidates=(0.5,))
        with pytest.raises(InputError, match="belongs to another search"):
            tune(GROUPS, score=hill, state_path=tmp_path / "state", calibration_ids=["z"], test_ids=[])

    @pytest.mark.parametrize("line", ["no json", '{"score": 1}', '{"ratios": {"fc": 3}, "score": 1}', "[]"])
    def test_a_line_of_something_else_is_told(self, tmp_path: Path, line: str) -> None:
        state = tmp_path / "state"
        search(hill, state)
        with state.open("a") as file:
            file.write(line + "\n")
        with pytest.raises(InputError, match=r"state|share of weights"):
            search(hill, state)

    def test_a_state_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentProblem, match="could not be written"):
            search(hill, tmp_path / "missing" / "state")

    def test_the_state_is_one_json_line_a_trial(self, tmp_path: Path) -> None:
        tuned = search(hill, tmp_path / "state")
        _, *lines = map(json.loads, (tmp_path / "state").read_text().splitlines())
        assert lines == [{"ratios": trial.ratios, "score": trial.score} for trial in tuned.trials]


class TestRefusals:
    def test_a_calibration_sample_that_is_a_test_sample(self) -> None:
        with pytest.raises(InputError, match=r"2 samples would be used both .* \(a, b\)"):
            tune(GROUPS, score=hill, calibration_ids=["a", "b", "c"], test_ids=["b", "a"])

    def test_samples_that_differ_are_let_through(self) -> None:
        guard(["a"], ["b"])

    @pytest.mark.parametrize("groups", [[], ["fc", "fc"]])
    def test_groups_that_are_no_list_of_groups(self, groups: list[str]) -> None:
        with pytest.raises(InputError, match="one or more groups, each once"):
            tune(groups, score=hill, calibration_ids=CALIBRATION, test_ids=TEST)

    @pytest.mark.parametrize("candidates", [(0.5, 0.5), (1.5,)])
    def test_ratios_that_are_no_grid(self, candidates: tuple[float, ...]) -> None:
        with pytest.raises(InputError, match=r"each ratio once|0 to 1"):
            search(hill, candidates=candidates)

    def test_a_dense_network_without_a_score(self) -> None:
        with pytest.raises(InputError, match="dense network has no score"):
            search(lambda _: math.nan)
