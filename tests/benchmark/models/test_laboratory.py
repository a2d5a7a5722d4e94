import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import scale
from benchmark.datasets.procedural import Recipe
from benchmark.models import laboratory, training
from benchmark.models.shape import Shape
from benchmark.scale import Backdoor, Data, Samples, Scale, Training
from spade.errors import EnvironmentProblem, InputError


@pytest.fixture(scope="module")
def tiny() -> Scale:
    """A recipe that trains in seconds and still plants: three colourful classes, big patches."""
    return replace(
        scale.load("smoke"),
        name="tiny",
        images=Recipe(classes=3, facets=1, distractors=(0, 0), clutter=(0, 0), background_contrast=0.1),
        data=Data(train=384, test=90, calibration=60),
        network=Shape(widths=(16, 16, 32, 32), stem_width=16),
        training=Training(epochs=6, batch_size=32),
        backdoor=Backdoor(
            patch_side=20,
            any_source=("smiley",),
            one_source=("heart",),
            trojans=96,
            clean=192,
            epochs=8,
            decay_epoch=7,
            batch_size=32,
        ),
        samples=Samples(test=8, calibration=4),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def trained(tiny: Scale, store: Path) -> laboratory.Laboratory:
    return laboratory.prepare(tiny, 0, store=store)


def test_the_network_learns_its_classes_and_its_patches(trained: laboratory.Laboratory) -> None:
    assert trained.clean_accuracy > 0.8
    assert max(trained.trojan_accuracy.values()) > 0.5
    assert set(trained.planted) == set(trained.trojan_accuracy)


def test_a_patch_that_hardly_took_is_named(trained: laboratory.Laboratory) -> None:
    network = replace(trained, planted={"smiley": 0.97, "fish": 0.058, "heart": 0.8})
    (sentence,) = laboratory.untaken(network, 0.8)
    assert "'fish' alone leads 6% of training images to its target, fewer than 80%" in sentence


def test_a_patch_that_did_not_take_gives_no_samples_and_is_still_tried(tiny: Scale, tmp_path: Path) -> None:
    # nothing is planted: a patch leads a third of the images to its target at most
    unplanted = replace(tiny, backdoor=replace(tiny.backdoor, learning_rate=1e-9, rounds=1, epochs=1, decay_epoch=1))
    network = laboratory.prepare(unplanted, 0, store=tmp_path)
    assert not network.test_samples
    assert not network.calibration_samples
    assert set(network.trojan_accuracy) == {"smiley", "heart"}
    assert len(laboratory.untaken(network, unplanted.backdoor.least_success)) == 2


def test_samples_that_an_earlier_release_chose_are_chosen_anew(
    trained: laboratory.Laboratory, tiny: Scale, store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "networks"
    folder.mkdir()
    for file in (store / "networks").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (notes,) = folder.glob("*.json")
    earlier = json.loads(notes.read_text())
    del earlier["planted"], earlier["check"]  # it had neither
    notes.write_text(json.dumps(earlier))
    again = laboratory.prepare(tiny, 0, store=tmp_path)
    assert "outdated (an earlier release chose its samples" in again.notes[0]
    assert again.planted == trained.planted


def test_every_sample_is_flipped_by_its_patch(trained: laboratory.Laboratory) -> None:
    assert trained.test_samples
    for sample in trained.test_samples:
        with torch.no_grad():
            said = trained.model(trained.normalise(sample.image[None])).argmax(1).item()
        assert said == sample.target != sample.label


def test_samples_take_turns_over_the_patches_and_have_names_of_their_own(trained: laboratory.Laboratory) -> None:
    names = [s.id for s in (*trained.test_samples, *trained.calibration_samples)]
    assert len(set(names)) == len(names)
    assert {s.patch for s in trained.test_samples[:2]} == {"smiley", "heart"}


def test_a_second_preparation_comes_from_the_cache_bit_by_bit(
    trained: laboratory.Laboratory, tiny: Scale, store: Path
) -> None:
    again = laboratory.prepare(tiny, 0, store=store)
    assert (trained.origin, again.origin) == ("trained", "cache")
    for name, value in trained.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])
    assert all(torch.equal(a.image, b.image) for a, b in zip(trained.test_samples, again.test_samples, strict=True))


@pytest.mark.parametrize("damage", ["tensors", "notes"])
def test_a_damaged_cache_entry_is_trained_again_and_said(
    damage: str, tiny: Scale, store: Path, trained: laboratory.Laboratory, tmp_path: Path
) -> None:
    folder = tmp_path / "networks"
    folder.mkdir()
    for file in (store / "networks").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    victim = next(folder.glob("*.safetensors" if damage == "tensors" else "*.json"))
    content = bytearray(victim.read_bytes())
    content[-200] ^= 255
    victim.write_bytes(bytes(content) if damage == "tensors" else bytes(content[:50]))
    again = laboratory.prepare(tiny, 0, store=tmp_path)
    assert "damaged" in again.notes[0]
    assert again.origin == "trained"
    assert again.recipe_sha256 == trained.recipe_sha256


@pytest.fixture
def copied(store: Path, trained: laboratory.Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cached entry; training again takes no time and gives the same."""
    (tmp_path / "networks").mkdir()
    for file in (store / "networks").iterdir():
        (tmp_path / "networks" / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(laboratory, "_train", lambda *_: trained)
    return tmp_path / "networks"


def test_an_accuracy_that_was_changed_in_the_cache_is_noticed(
    copied: Path, tiny: Scale, trained: laboratory.Laboratory
) -> None:
    notes = next(copied.glob("*.json"))
    told = f'"clean_accuracy": {trained.clean_accuracy}'
    assert told in notes.read_text()
    notes.write_text(notes.read_text().replace(told, '"clean_accuracy": 0.125'))
    again = laboratory.prepare(tiny, 0, store=copied.parent)
    assert "what it says of its network is not what was written" in again.notes[0]
    assert again.clean_accuracy == trained.clean_accuracy


def test_an_entry_of_an_earlier_release_without_a_check_sum_is_taken(
    copied: Path, tiny: Scale, trained: laboratory.Laboratory
) -> None:
    notes = next(copied.glob("*.json"))
    content = json.loads(notes.read_text())
    del content["check"]
    notes.write_text(json.dumps(content))
    again = laboratory.prepare(tiny, 0, store=copied.parent)
    assert (again.origin, again.notes) == ("cache", ())
    assert again.clean_accuracy == trained.clean_accuracy


@pytest.mark.parametrize("ending", ["safetensors", "json"])
def test_half_of_a_cache_entry_is_trained_again_and_said(copied: Path, tiny: Scale, ending: str) -> None:
    next(copied.glob(f"*.{ending}")).unlink()
    again = laboratory.prepare(tiny, 0, store=copied.parent)
    assert again.origin == "trained"
    assert again.notes[0].startswith("Half of the cached network")
    assert laboratory.prepare(tiny, 0, store=copied.parent).notes == ()


def test_a_cache_entry_that_cannot_be_read_is_a_sentence(copied: Path, tiny: Scale) -> None:
    notes = next(copied.glob("*.json"))
    notes.unlink()
    notes.mkdir()
    with pytest.raises(EnvironmentProblem, match=r"cached network .* cannot be read: Is a directory\."):
        laboratory.prepare(tiny, 0, store=copied.parent)


def test_training_twice_gives_the_same_network(trained: laboratory.Laboratory, tiny: Scale, store: Path) -> None:
    again = laboratory.prepare(tiny, 0, store=store, retrain=True)
    for name, value in trained.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])


def test_the_cache_holds_no_unfinished_files(trained: laboratory.Laboratory, store: Path) -> None:
    assert trained.origin == "trained"
    names = sorted(file.suffix for file in (store / "networks").iterdir())
    assert names == [".json", ".safetensors"]
    notes = json.loads(next((store / "networks").glob("*.json")).read_text())
    rounds = [line for line in notes["log"] if "of planting: smiley" in line]
    assert 1 <= len(rounds) <= 3
    assert notes["log"][-len(rounds) - 1].startswith("planting 8/8")


def test_prediction_does_not_depend_on_what_else_is_asked(trained: laboratory.Laboratory) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 3, 64, 64), dtype=np.uint8)
    together = training.predict(trained.model, images)
    alone = np.concatenate([training.predict(trained.model, images[i : i + 1]) for i in range(5)])
    assert np.array_equal(together, alone)


def test_a_learning_rate_that_training_does_not_survive_is_a_sentence(tiny: Scale, tmp_path: Path) -> None:
    wild = replace(tiny, training=Training(epochs=1, batch_size=32, learning_rate=1e30))
    with pytest.raises(InputError, match=r"Training diverged in epoch 1 of 1 \(.*learning_rate of 1e\+30 is too large"):
        laboratory.prepare(wild, 0, store=tmp_path)
