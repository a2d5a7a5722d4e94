import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.figures.tuning_path import apart, trail
from spade import tuning
from spade.errors import InputError
from spade.sparsity import Ratios

GROUPS = ("fc", "layer2", "layer1")


def _score(ratios: Ratios) -> float:
    # Best at fc .9, layer2 .4 and layer1 0, whatever the others are.
    return 0.9 - (ratios["fc"] - 0.9) ** 2 - (ratios["layer2"] - 0.4) ** 2 - ratios["layer1"] ** 2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "spade-Saliency.jsonl"
    tuning.tune(GROUPS, (0.4, 0.9), score=_score, calibration_ids=["a", "b"], test_ids=["c"], state_path=path)
    return path


def test_the_trail_is_the_best_score_after_each_group(state: Path) -> None:
    groups, best, samples = trail(state)
    assert groups == GROUPS
    assert samples == ("a", "b")
    # Dense: .9 - .81 - .16; then fc gives back .81 and layer2 .16; layer1 is best left alone.
    assert best == pytest.approx((-0.07, 0.74, 0.9, 0.9))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_labels_keep_their_order_and_their_distance(values: list[float]) -> None:
    found = apart(values, least=2.0)
    ranked = sorted(zip(values, found, strict=True))
    assert all(after - before >= 2.0 - 1e-9 for (_, before), (_, after) in pairwise(ranked))
    assert sum(found) == pytest.approx(sum(values))


def test_labels_that_do_not_touch_stay_where_they_are() -> None:
    # 10.5 and 9.5 touch and move to 11 and 9 around their middle, 10; 20 stays.
    assert apart([10.5, 20.0, 9.5], least=2.0) == [11.0, 20.0, 9.0]


def test_a_search_that_was_stopped_is_refused(state: Path) -> None:
    lines = state.read_text(encoding="utf-8").splitlines()
    state.write_text("\n".join(lines[:4]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="stopped before its end"):
        trail(state)


def test_of_equal_scores_the_smaller_ratio_is_followed(state: Path) -> None:
    lines = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    flat = [lines[0], *({**line, "score": 0.5} for line in lines[1:])]
    zero = {"ratios": dict.fromkeys(GROUPS, 0.0), "score": 0.5}
    # With all scores equal nothing is pruned, so every later trial starts from zeros.
    flat += [{"ratios": zero["ratios"] | {g: r}, "score": 0.5} for g in GROUPS for r in (0.4, 0.9)]
    state.write_text("".join(json.dumps(line) + "\n" for line in flat), encoding="utf-8")
    assert trail(state)[1] == (0.5,) * 4
