"""A run ties network, units and manifest together, and a later command finds what an earlier one left."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import fake_laboratory
import pytest
import torch
from fake_evaluator import FakeEvaluator, opened
from fake_laboratory import FakeMaterial

from benchmark import forecast, policy, reference_times, rerun, scale
from benchmark.execution import Execution
from benchmark.models import laboratory
from benchmark.models.laboratory import Laboratory
from benchmark.reference_times import ReferenceTimes
from benchmark.rerun import Request, Watch, weights_sha256
from benchmark.scale import Scale
from benchmark.store import Store
from spade.errors import EnvironmentProblem, InputError

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Bench:
    """Stands in for training: counts what was asked, gives what it is told to."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.laboratory = fake_laboratory.make()

    def prepare(self, recipe: Scale, seed: int, *, retrain: bool = False, **_: object) -> Laboratory:
        self.asked.append(retrain)
        return replace(self.laboratory, recipe_sha256=recipe.recipe_sha256(seed))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The embedded scale `smoke` without its training and its arithmetic."""
    double = Bench()
    monkeypatch.setattr(scale, "load", lambda _: fake_laboratory.SCALE)
    monkeypatch.setattr(laboratory, "prepare", double.prepare)
    monkeypatch.setattr(rerun, "Material", FakeMaterial)
    monkeypatch.setattr(rerun, "opened", lambda *_: opened(FakeEvaluator()))
    return double


def ran(folder: Path, *tables: str, started: datetime = NOON, watch: Watch | None = None, **wanted: Any) -> Execution:
    request = Request("smoke", 0, tables, workers=1, **wanted)
    return rerun.rerun(request, Store(folder), arguments=("spade-bench", "run"), started=started, watch=watch)


def test_a_network_without_samples_is_refused_before_anything_is_computed(tmp_path: Path, bench: Bench) -> None:
    bench.laboratory = replace(bench.laboratory, test_samples=())
    with pytest.raises(EnvironmentProblem, match=r"seed 0 no patch both took and flipped .* another --seed"):
        ran(tmp_path, "2")


def test_a_run_leaves_units_maps_samples_and_a_manifest(tmp_path: Path, bench: Bench) -> None:
    done = ran(tmp_path, "2")
    assert (done.computed, done.left) == (3 * 45, 0)
    run = Store(tmp_path).run("smoke", 0)
    assert len(run.records) == 3 * 45
    assert run.accuracy == {"clean_accuracy": 0.75, "trojan_accuracy fish": 0.5, "trojan_accuracy star": 0.25}
    stored = Store(tmp_path).read_sample(run.recipe_sha256, "t1")
    assert stored is not None
    image, mask = stored
    sample = bench.laboratory.test_samples[1]
    assert torch.equal(torch.from_numpy(image).float() / 255, sample.image)
    assert torch.equal(torch.from_numpy(mask), sample.mask)


def test_the_manifest_says_how_each_command_ended(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "2")
    ran(tmp_path, "a16", started=NOON + timedelta(hours=1))
    facts = Store(tmp_path).read_manifest("smoke", 0).provenance
    calls = facts["invocations"]
    assert [(call["ended"], call["units_computed"]) for call in calls] == [("complete", 135), ("complete", 3)]
    assert facts["scale_sha256"] == rerun.scale_sha256(fake_laboratory.SCALE)
    assert bench.asked == [False, False]


def test_tables_of_earlier_commands_stay_in_the_run(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "a20")
    ran(tmp_path, "2")
    assert Store(tmp_path).read_manifest("smoke", 0).tables == ("2", "a20")
    assert bench.asked


def test_a_killed_command_is_told_from_a_finished_one(tmp_path: Path, bench: Bench) -> None:
    class Killed(BaseException):
        pass

    def die(_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        ran(tmp_path, "2", watch=Watch(record=die))
    assert Store(tmp_path).read_manifest("smoke", 0).provenance["invocations"][0]["ended"] == "running"
    assert len(Store(tmp_path).run("smoke", 0).records) == 1
    assert ran(tmp_path, "2").computed == 134
    assert bench.asked


def test_an_interrupt_is_in_the_manifest(tmp_path: Path, bench: Bench) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    assert ran(tmp_path, "2", watch=Watch(record=stop)).interrupted
    assert Store(tmp_path).read_manifest("smoke", 0).provenance["invocations"][0]["ended"] == "interrupted"
    assert bench.asked


def test_a_network_trained_to_other_bits_shares_no_unit(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "2")
    bench.laboratory = fake_laboratory.make(seed=5)
    assert ran(tmp_path, "2", retrain=True).computed == 135
    assert bench.asked == [False, True]
    assert len(Store(tmp_path).read_manifest("smoke", 0).provenance["invocations"]) == 1  # a new run's history


def test_a_network_trained_to_the_same_bits_keeps_its_units(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "2")
    bench.laboratory = fake_laboratory.make()
    assert ran(tmp_path, "2", retrain=True).computed == 0


def test_a_damaged_manifest_is_written_anew_from_the_units(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "2")
    (tmp_path / "runs" / "smoke-seed0.json").write_text("{")
    said: list[str] = []
    assert ran(tmp_path, "2", watch=Watch(note=said.append)).computed == 0
    assert [sentence.partition(";")[0] for sentence in said] == [
        "The file of the run of scale 'smoke' with seed 0 was damaged and is written anew"
    ]
    assert len(Store(tmp_path).run("smoke", 0).records) == 135
    assert bench.asked


def test_ratios_under_a_wrong_name_are_known_before_anything_is_trained(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "load", lambda _: replace(fake_laboratory.SCALE, ratios={"spad": {}}))
    with pytest.raises(InputError, match="has no ratios called 'spade'"):
        ran(tmp_path, "2")
    assert bench.asked == []


def test_a_store_that_takes_no_file_is_known_before_anything_is_trained(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentProblem, match=r"store cannot be written: File exists\."):
        ran(tmp_path / "store", "2")

    def full(*_: object, **__: object) -> object:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(EnvironmentProblem, match=r"cannot be written: No space left on device\."):
        ran(tmp_path / "other", "2")
    assert bench.asked == []


def test_notes_about_a_damaged_cache_and_a_patch_that_hardly_took_are_passed_on(tmp_path: Path, bench: Bench) -> None:
    bench.laboratory = replace(
        bench.laboratory,
        notes=("The cached network is damaged; it was trained again.",),
        planted={"smiley": 0.9, "fish": 0.1},
    )
    said: list[str] = []
    ran(tmp_path, "a16", watch=Watch(note=said.append))
    assert said[0] == "The cached network is damaged; it was trained again."
    assert [sentence.startswith("The patch 'fish' alone leads 10% of training images") for sentence in said[1:]] == [
        True
    ]


def test_the_weights_hash_sees_one_bit_of_a_weight_and_of_an_image() -> None:
    lab = fake_laboratory.make()
    before = weights_sha256(lab)
    assert weights_sha256(fake_laboratory.make()) == before
    weight = lab.model.get_parameter("fc.weight")
    with torch.no_grad():
        weight[0, 0] = torch.nextafter(weight[0, 0], torch.tensor(9.0))
    assert weights_sha256(lab) != before
    first, *rest = fake_laboratory.make().test_samples
    brighter = replace(first, image=first.image.clone().index_fill_(0, torch.tensor([0]), 0.5))
    assert weights_sha256(replace(fake_laboratory.make(), test_samples=(brighter, *rest))) != before


def test_the_scale_hash_does_not_depend_on_the_seed_but_on_what_it_decides() -> None:
    hashes = {
        rerun.scale_sha256(one)
        for one in (
            fake_laboratory.SCALE,
            replace(fake_laboratory.SCALE, ratios={"spade": {"fc": 0.1}}),
            replace(fake_laboratory.SCALE, samples=replace(fake_laboratory.SCALE.samples, test=9)),
            replace(fake_laboratory.SCALE, pruning=replace(fake_laboratory.SCALE.pruning, n_augmentations=9)),
            replace(fake_laboratory.SCALE, training=replace(fake_laboratory.SCALE.training, epochs=9)),
        )
    }
    assert len(hashes) == 5
    renamed = replace(fake_laboratory.SCALE, title="another title")
    assert rerun.scale_sha256(renamed) == rerun.scale_sha256(fake_laboratory.SCALE)


def test_the_protocol_of_a_subject_holds_every_knob() -> None:
    subject = fake_laboratory.subject()
    assert subject.protocol["pruning"]["augmentation"] == "mild"
    assert subject.protocol["pruning"]["n_augmentations"] == 24
    assert subject.protocol["saliency"]["lime_samples"] > 0
    assert isinstance(subject.protocol["augmentation"], Mapping)


def test_a_subject_comes_back_from_its_manifest_equal(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "a16")
    expected = rerun.subject_of(FakeMaterial(fake_laboratory.SCALE, 0, bench.laboratory))
    assert Store(tmp_path).read_manifest("smoke", 0).subject == replace(
        expected, weights_sha256=Store(tmp_path).read_manifest("smoke", 0).subject.weights_sha256
    )


def test_the_outlook_before_any_run_counts_units_and_knows_no_time(tmp_path: Path, bench: Bench) -> None:
    outlook = forecast.outlook(Store(tmp_path), ("2",), "nowhere timed", 0, yardstick=lambda: pytest.fail("no use"))
    assert (len(outlook.plan.units), len(outlook.stored), outlook.trained) == (135, 0, False)
    assert outlook.cost.unmeasured == 135
    assert outlook.preparing.unmeasured == ("", "sparse fc")
    assert bench.asked == []


def test_the_outlook_before_any_run_borrows_times_and_scales_them(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = {("dense", ""): 1.0, ("dense", "LIME"): 3.0}
    there = ReferenceTimes("smoke", "A Processor", "2", "2026-01-02", 0.5, {"": 100.0, "sparse fc": 10.0}, units)
    monkeypatch.setattr(reference_times, "load", lambda _: there)
    outlook = forecast.outlook(Store(tmp_path), ("2",), "smoke", 0, yardstick=lambda: 1.0)
    # Three samples, ten methods, half as fast: 2 * (3 * 3 s of LIME + 27 * 1 s); the other arms were not timed there.
    assert outlook.cost.seconds == pytest.approx(2 * (9 + 27))
    assert (outlook.cost.borrowed, outlook.cost.unmeasured) == (30, 105)
    assert (outlook.preparing.seconds, outlook.preparing.borrowed) == (220.0, ("", "sparse fc"))
    assert outlook.elsewhere == "A Processor"
    assert bench.asked == []


def test_what_preparing_took_is_kept_and_is_the_outlook_of_the_next_seed(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "2")
    kept = Store(tmp_path).read_manifest("smoke", 0).provenance["prepared"]
    assert set(kept) == {"", "sparse fc"}
    bench.laboratory = replace(bench.laboratory, origin="cache")
    ran(tmp_path, "2")
    assert Store(tmp_path).read_manifest("smoke", 0).provenance["prepared"] == kept
    outlook = forecast.outlook(Store(tmp_path), ("2",), "smoke", 1, yardstick=lambda: pytest.fail("no use"))
    assert outlook.preparing.networks == ("", "sparse fc")
    assert outlook.preparing.seconds == pytest.approx(sum(kept.values()))
    assert not outlook.elsewhere


def test_networks_in_the_cache_are_not_prepared_again(tmp_path: Path, bench: Bench) -> None:
    store, recipe = Store(tmp_path), fake_laboratory.SCALE
    folder = store.cache / "networks"
    folder.mkdir(parents=True)
    (folder / f"smoke-0-{recipe.recipe_sha256(0)[:16]}.json").touch()
    assert forecast.outlook(store, ("2",), "nowhere timed", 0).preparing.networks == ("sparse fc",)
    (folder / "smoke-0-sparse-fc-0123456789abcdef.safetensors").touch()
    assert forecast.outlook(store, ("2",), "nowhere timed", 0).preparing.networks == ()
    assert bench.asked == []


def test_the_outlook_after_a_calibration_knows_the_time_of_the_rest(tmp_path: Path, bench: Bench) -> None:
    request = Request("smoke", 0, ("2",), workers=1, calibrate=True)
    rerun.rerun(request, Store(tmp_path), arguments=("spade-bench", "plan"), started=NOON)
    outlook = forecast.outlook(Store(tmp_path), ("2",), "smoke", 0)
    assert (len(outlook.stored), outlook.trained) == (45, True)
    # every unit of the double takes half a second
    assert (outlook.cost.units, outlook.cost.unmeasured) == (90, 0)
    assert outlook.cost.seconds == pytest.approx(45.0)
    assert bench.asked == [False]


def test_the_outlook_on_another_seed_takes_the_time_from_the_first(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "2")
    outlook = forecast.outlook(Store(tmp_path), ("2",), "smoke", 1)
    assert (len(outlook.stored), outlook.trained, outlook.cost.unmeasured) == (0, False, 0)
    assert outlook.cost.seconds == pytest.approx(135 * 0.5)
    assert bench.asked


def test_the_evaluator_of_a_scale_is_opened_by_name_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "load", lambda _: fake_laboratory.SCALE)
    monkeypatch.setattr(laboratory, "prepare", lambda *_, **__: fake_laboratory.make())
    monkeypatch.setattr(rerun, "Material", FakeMaterial)
    with partial(rerun.opened, "smoke", 0, tmp_path, fake_laboratory.subject())() as engine:
        assert set(engine.samples) == {"t0", "t1", "t2", "c0", "c1", "c2"}
        assert set(engine.samples) == {"t0", "t1", "t2", "c0", "c1", "c2"}


def test_a_run_recorded_under_another_policy_is_not_gone_on_with(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "a16")
    store = Store(tmp_path)
    manifest = store.read_manifest("smoke", 0)
    store.write_manifest(replace(manifest, provenance={**manifest.provenance, "policy_sha256": "ab" * 32}))
    with pytest.raises(InputError, match=r"recorded under policy abababababab .* are not merged") as refused:
        ran(tmp_path, "a16")
    assert "--store" in str(refused.value)
    assert bench.asked


def test_a_run_recorded_under_another_version_of_a_table_is_not_gone_on_with(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "a16")
    store = Store(tmp_path)
    manifest = store.read_manifest("smoke", 0)
    store.write_manifest(replace(manifest, provenance={**manifest.provenance, "tables": {"a16": 99}}))
    with pytest.raises(InputError, match="version 99 of table a16"):
        ran(tmp_path, "2")
    assert bench.asked


def test_a_run_recorded_under_another_protocol_is_not_gone_on_with(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "a16")
    store = Store(tmp_path)
    before = store.read_manifest("smoke", 0)
    with pytest.raises(InputError, match=r"recorded under protocol, pruning, name ours \(here official\); runs of"):
        ran(tmp_path, "2", protocol="official")
    assert store.read_manifest("smoke", 0) == before
    ran(tmp_path, "2")
    assert store.read_manifest("smoke", 0).tables == ("2", "a16")
    other = {**before.subject.protocol["pruning"], "damping": 0.5}
    subject = replace(before.subject, protocol={**before.subject.protocol, "pruning": other})
    store.write_manifest(replace(before, subject=subject))
    with pytest.raises(InputError, match=r"recorded under protocol, pruning, damping 0\.5 \(here 0\.01\); runs of"):
        ran(tmp_path, "2")
    assert bench.asked


def test_every_record_carries_the_policy_it_was_made_under(tmp_path: Path, bench: Bench) -> None:
    ran(tmp_path, "a16")
    found = Store(tmp_path).run("smoke", 0).records.values()
    assert {one.policy for one in found} == {policy.load().sha256[:12]}
    assert bench.asked


def test_another_protocol_is_another_subject_on_the_same_network(tmp_path: Path, bench: Bench) -> None:
    request = Request("smoke", 0, ("a16",), workers=1, protocol="official")
    rerun.rerun(request, Store(tmp_path), arguments=("spade-bench",), started=NOON)
    subject = Store(tmp_path).read_manifest("smoke", 0).subject
    assert subject.protocol["pruning"]["name"] == "official"
    assert subject.protocol["pruning"]["n_augmentations"] == 24
    assert subject.recipe_sha256 == bench.laboratory.recipe_sha256
