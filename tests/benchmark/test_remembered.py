"""A statistic is taken from an earlier report only where everything that it depends on is the same, to the bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import paired
from analysis.paired import Bootstrap, ClusterMean, PairedDifference
from benchmark import remembered
from benchmark.remembered import cluster_mean, paired_difference, remembering

BEFORE = [0.1, 0.5, 0.4, 0.9, 0.2, 0.7]
AFTER = [0.3, 0.4, 0.8, 0.95, 0.1, 0.9]
IMAGES = ["a", "b", "c", "a", "b", "d"]


def mean(values: list[float] | None = None, images: list[str] | None = None, **asked: Any) -> ClusterMean:
    return cluster_mean(values or AFTER, images or IMAGES, **_drawn(**asked))


def difference(after: list[float] | None = None, before: list[float] | None = None, **asked: Any) -> PairedDifference:
    return paired_difference(after or AFTER, before or BEFORE, IMAGES, **_drawn(**asked))


def _drawn(*, draws: int = 200, level: float = 0.9, seed: int = 3) -> dict[str, Any]:
    return {"bootstrap": Bootstrap(draws=draws, level=level), "generator": np.random.default_rng(seed)}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really computed."""
    calls: list[str] = []
    for name in ("cluster_mean", "paired_difference"):
        compute = getattr(paired, name)

        def called(*values: Any, compute: Callable[..., Any] = compute, name: str = name, **options: Any) -> Any:
            calls.append(name)
            return compute(*values, **options)

        monkeypatch.setattr(paired, name, called)
    return calls


def test_what_was_computed_once_comes_back_equal_to_the_last_bit_and_is_not_computed(
    tmp_path: Path, counted: list[str]
) -> None:
    plain = mean(), difference()
    counted.clear()
    with remembering(tmp_path / "cache" / "s.json"):
        assert (mean(), difference()) == plain
    assert counted == ["cluster_mean", "paired_difference"]
    with remembering(tmp_path / "cache" / "s.json"):
        assert (mean(), difference()) == plain
    assert counted == ["cluster_mean", "paired_difference"]


OTHERS: dict[str, Callable[[], object]] = {
    "one bit of a value": lambda: mean([*AFTER[:-1], float(np.nextafter(AFTER[-1], 2))]),
    "an image": lambda: mean(images=[*IMAGES[:-1], "e"]),
    "the draws": lambda: mean(draws=201),
    "the level": lambda: mean(level=0.95),
    "the generator": lambda: mean(seed=4),
    "the baseline": lambda: difference(before=[*BEFORE[:-1], 0.71]),
    "which of two arms is the baseline": lambda: difference(BEFORE, AFTER),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_value_image_draw_or_baseline_is_another_statistic(
    tmp_path: Path, counted: list[str], what: str
) -> None:
    with remembering(tmp_path / "s.json"):
        mean(), difference()
    counted.clear()
    with remembering(tmp_path / "s.json"):
        found = OTHERS[what]()
    assert len(counted) == 1
    assert found == OTHERS[what]()


def test_statistics_of_other_source_or_releases_are_not_taken(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with remembering(tmp_path / "s.json"):
        mean()
    monkeypatch.setattr(remembered, "_arithmetic", lambda: "another")
    with remembering(tmp_path / "s.json"):
        mean()
    assert len(counted) == 2


def test_an_interval_that_is_not_a_number_comes_back_as_one(tmp_path: Path, counted: list[str]) -> None:
    for _ in range(2):
        with remembering(tmp_path / "s.json"):
            found = mean([0.5], ["a"])
    assert (found.mean, found.clusters) == (0.5, 1)
    assert np.isnan([found.low, found.high]).all()
    assert len(counted) == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}'])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, counted: list[str], text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    said = []
    for _ in range(2):
        with remembering(tmp_path / "s.json") as note:
            mean()
        said.append(note)
    assert len(counted) == 1
    assert said == ["The kept statistics s.json are damaged or of an earlier release; they are computed again.", ""]


def test_a_missing_file_is_nothing_to_speak_of(tmp_path: Path) -> None:
    with remembering(tmp_path / "s.json") as note:
        assert note == ""


def test_a_changed_digit_is_computed_again_and_said(tmp_path: Path, counted: list[str]) -> None:
    path = tmp_path / "s.json"
    with remembering(path):
        before = mean()
    low = f'"low": {before.low!r}'
    assert low in path.read_text()
    path.write_text(path.read_text().replace(low, '"low": -9.0'))
    with remembering(path) as note:
        assert mean() == before
    assert "damaged" in note
    assert len(counted) == 2
    with remembering(path) as note:
        mean()
    assert (note, len(counted)) == ("", 2)


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path: Path, counted: list[str]) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with remembering(tmp_path / "cache" / "s.json"):
        mean()
    assert counted == ["cluster_mean"]


def test_what_other_reports_of_the_run_asked_for_stays_up_to_a_limit(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with remembering(tmp_path / "s.json"):
        mean()
    with remembering(tmp_path / "s.json"):
        difference()
    with remembering(tmp_path / "s.json"):
        mean(), difference()
    assert len(counted) == 2
    monkeypatch.setattr(remembered, "MOST", 2)
    with remembering(tmp_path / "s.json"):
        mean(seed=9)
    with remembering(tmp_path / "s.json"):
        mean()
    assert len(counted) == 4


def test_outside_of_a_report_nothing_is_remembered(counted: list[str]) -> None:
    assert mean() == mean()
    assert len(counted) == 2
