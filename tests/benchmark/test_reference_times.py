"""Times of one machine come back from their file, scale to another, and are refused where they say too little."""

from pathlib import Path

import pytest

from benchmark import reference_times
from benchmark.records import Status, UnitRecord
from benchmark.reference_times import OF_STORED, ReferenceTimes
from spade.errors import EnvironmentProblem, InputError

TIMES = ReferenceTimes(
    scale="mini",
    cpu='A "quoted" Processor',
    torch="2.15.0",
    date="2026-01-02",
    yardstick=0.25,
    prepared={"": 200.0, "cap": 30.0},
    units={("dense", ""): 0.5, ("dense", "LIME"): 2.0, OF_STORED: 0.125},
)


def record(key: str, method: str, seconds: float, *, status: Status = "ok", scored_from: str = "") -> UnitRecord:
    return UnitRecord(key, status, "", "s", "dense", method, 0, seconds=seconds, scored_from=scored_from)


def test_times_come_back_from_their_file_unchanged(tmp_path: Path) -> None:
    assert reference_times.load("mini", tmp_path) is None
    path = reference_times.store(TIMES, tmp_path)
    assert reference_times.load("mini", tmp_path) == TIMES
    assert list(tmp_path.iterdir()) == [path]


def test_a_machine_that_takes_twice_as_long_for_the_yardstick_does_for_everything() -> None:
    slow = TIMES.here(0.5)
    assert slow.prepared == {"": 400.0, "cap": 60.0}
    assert slow.units == {("dense", ""): 1.0, ("dense", "LIME"): 4.0, OF_STORED: 0.25}


def test_medians_are_of_units_that_were_made_and_of_stored_maps_apart() -> None:
    found = reference_times.medians(
        [
            record("a", "LIME", 1.0),
            record("b", "LIME", 5.0),
            record("c", "Saliency", 3.0),
            record("d", "LIME", 900.0, status="failed"),
            record("e", "LIME", 0.25, scored_from="a"),
        ]
    )
    assert found == {("dense", "LIME"): 3.0, ("dense", ""): 3.0, ("dense", "Saliency"): 3.0, OF_STORED: 0.25}


@pytest.mark.parametrize("text", ["{", "{}", '{"units": [[1]]}', '{"units": [], "scale": "mini", "speed": 1}'])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "mini_times.json").write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"expected/mini_times\.json is damaged .* `spade-bench times`"):
        reference_times.load("mini", tmp_path)


def test_times_without_the_training_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="took its network from the cache"):
        reference_times.store(reference_times.ReferenceTimes(**{**vars(TIMES), "prepared": {"cap": 3.0}}), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scale", ["smoke", "mini"])
def test_the_committed_times_know_the_training(scale: str) -> None:
    times = reference_times.load(scale)
    assert times is not None
    assert times.prepared[""] > 0
    assert times.yardstick > 0
