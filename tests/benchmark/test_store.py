"""The folder of runs gives back what was put in, and takes damage for absence."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_evaluator import subject

from benchmark import definition
from benchmark.plan import make
from benchmark.records import UnitRecord
from benchmark.store import Manifest, Store
from benchmark.unit_file import UnitFile
from spade.errors import EnvironmentProblem, InputError

RECIPE = "ab" * 32
KEY = "cd" * 32


def manifest(*tables: str) -> Manifest:
    return Manifest(subject(), tables, {"clean_accuracy": 0.9, "trojan_accuracy fish": 0.8}, {"cpu": "abacus"})


def test_a_manifest_comes_back_equal(tmp_path: Path) -> None:
    Store(tmp_path).write_manifest(manifest("2", "a20"))
    back = Store(tmp_path).read_manifest("smoke", 0)
    assert back == manifest("2", "a20")
    assert [u.key for u in make([definition.load("2")], back.subject).units] == [
        u.key for u in make([definition.load("2")], subject()).units
    ]


def test_a_run_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    Store(tmp_path).write_manifest(manifest("2"))
    with pytest.raises(InputError, match=r"No run of scale 'mini' with seed 3 .*smoke with seed 0"):
        Store(tmp_path).read_manifest("mini", 3)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"subject": {}}'])
def test_a_damaged_manifest_is_a_sentence(tmp_path: Path, text: str) -> None:
    Store(tmp_path).write_manifest(manifest("2"))
    (tmp_path / "runs" / "smoke-seed0.json").write_text(text)
    with pytest.raises(EnvironmentProblem, match="is damaged; give the same"):
        Store(tmp_path).read_manifest("smoke", 0)


def test_runs_are_listed_by_scale_and_seed(tmp_path: Path) -> None:
    assert Store(tmp_path).runs() == ()
    for seed in (10, 2):
        Store(tmp_path).write_manifest(replace(manifest("2"), subject=subject(seed=seed)))
    (tmp_path / "runs" / "notes.json").write_text("")
    assert Store(tmp_path).runs() == (("smoke", 2), ("smoke", 10))


def test_a_run_is_read_with_the_records_of_its_plan_and_no_others(tmp_path: Path) -> None:
    place = Store(tmp_path)
    place.write_manifest(manifest("2"))
    wanted = make([definition.load("2")], subject()).units[0]
    with UnitFile(place.units_path(subject())) as units:
        for key in (wanted.key, "stale"):
            units.append(UnitRecord(key, "ok", "", "s0", "dense", "Saliency", 0, value=0.5))
    run = place.run("smoke", 0)
    assert list(run.records) == [wanted.key]
    assert [table.id for table in run.tables] == ["2"]
    assert run.accuracy["clean_accuracy"] == 0.9
    assert run.store == tmp_path


def test_a_run_can_be_read_for_one_table(tmp_path: Path) -> None:
    Store(tmp_path).write_manifest(manifest("2", "a20"))
    assert {cell.table for cell in Store(tmp_path).run("smoke", 0, tables=("a20",)).asked} == {"a20"}


def test_a_map_comes_back_bit_for_bit(tmp_path: Path) -> None:
    heatmap = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    Store(tmp_path).write_map(RECIPE, KEY, heatmap)
    back = Store(tmp_path).read_map(RECIPE, KEY)
    assert back is not None
    assert back.tobytes() == heatmap.tobytes()


def test_a_damaged_map_counts_as_absent(tmp_path: Path) -> None:
    place = Store(tmp_path)
    assert place.read_map(RECIPE, KEY) is None
    place.write_map(RECIPE, KEY, np.ones((3, 3), np.float32))
    path = place._map(RECIPE, KEY)
    path.write_bytes(path.read_bytes()[:100])
    assert place.read_map(RECIPE, KEY) is None
    path.write_bytes(b"")
    assert place.read_map(RECIPE, KEY) is None


def test_a_sample_comes_back_whatever_its_name(tmp_path: Path) -> None:
    image, mask = np.arange(12, dtype=np.uint8).reshape(3, 2, 2), np.eye(2, dtype=bool)
    Store(tmp_path).write_sample(RECIPE, "../a/b: c", image, mask)
    back = Store(tmp_path).read_sample(RECIPE, "../a/b: c")
    assert back is not None
    assert np.array_equal(back[0], image)
    assert np.array_equal(back[1], mask)


def test_a_damaged_sample_counts_as_absent(tmp_path: Path) -> None:
    place = Store(tmp_path)
    place.write_sample(RECIPE, "s", np.zeros((3, 2, 2), np.uint8), np.eye(2, dtype=bool))
    path = place._sample(RECIPE, "s")
    path.write_bytes(path.read_bytes()[:-30])
    assert place.read_sample(RECIPE, "s") is None


def test_seeds_and_weights_have_unit_files_of_their_own(tmp_path: Path) -> None:
    subjects = [subject(), subject(seed=1), replace(subject(), weights_sha256="ef" * 32)]
    assert len({Store(tmp_path).units_path(one) for one in subjects}) == 3


def test_a_full_disk_is_a_sentence_and_leaves_the_old_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).write_manifest(manifest("2"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        Store(tmp_path).write_manifest(manifest("2", "a20"))
    assert Store(tmp_path).read_manifest("smoke", 0).tables == ("2",)
