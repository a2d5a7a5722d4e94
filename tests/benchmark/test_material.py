"""What units are made of comes from scale and seed alone, and derived networks come whole from the cache or anew."""

from dataclasses import replace
from pathlib import Path

import fake_laboratory
import numpy as np
import pytest
import torch
from torch import nn

from benchmark.baselines import cap, sparse_fc
from benchmark.material import Material, clean_samples
from benchmark.models import kept_network, training
from benchmark.networks import NETWORKS
from benchmark.selection import ImageSet
from spade.errors import InputError
from spade.layers import prunable_layers

SETS = (
    ImageSet("class", "2", drawn_for="t0"),
    ImageSet("class", "2", many=True),
    ImageSet("any", drawn_for="t0"),
    ImageSet("any", drawn_for="t1"),
    ImageSet("any", many=True),
    ImageSet("patch", "fish", many=True),
)


def made(cache: Path | None = None, seed: int = 0) -> Material:
    return Material(fake_laboratory.SCALE, seed, fake_laboratory.make(seed), cache)


@pytest.mark.parametrize("wanted", SETS, ids=lambda one: one.name)
def test_a_set_of_images_is_the_same_whenever_it_is_asked_for(wanted: ImageSet) -> None:
    first, again = made().images(wanted, 5), made().images(wanted, 5)
    assert torch.equal(first, again)
    assert first.shape == (5 if wanted.many else 1, 3, 32, 32)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1


def test_sets_of_other_names_and_seeds_hold_other_images() -> None:
    drawn = [made().images(wanted, 1) for wanted in SETS] + [made(seed=1).images(SETS[2], 1)]
    assert len({one.numpy().tobytes() for one in drawn}) == len(drawn)


def test_a_samples_set_is_its_own_image() -> None:
    sample = fake_laboratory.make().test_samples[2]
    assert torch.equal(fake_laboratory.material().images(ImageSet("sample", "t2"), 9)[0], sample.image)


def test_clean_samples_are_those_that_the_network_gets_right() -> None:
    network = fake_laboratory.network()
    found = clean_samples(fake_laboratory.SCALE, 0, network, 4, "clean")
    assert found
    assert len({sample.id for sample in found}) == len(found)
    for sample in found:
        pixels = (sample.image * 255).round().to(torch.uint8).numpy()
        assert training.predict(network, pixels[None])[0] == sample.label == sample.target
        assert (sample.patch, bool(sample.mask.any())) == ("", False)


def test_clean_samples_of_another_name_are_other_images() -> None:
    network = fake_laboratory.network()
    first, other = (clean_samples(fake_laboratory.SCALE, 0, network, 4, name) for name in ("clean", "calibration"))
    assert not {s.image.numpy().tobytes() for s in first} & {s.image.numpy().tobytes() for s in other}


def test_planted_images_hold_each_patch_in_the_backdoors_proportion() -> None:
    # clean 3, trojans 1 for each of two patches: a fifth each
    scale = replace(fake_laboratory.SCALE, backdoor=replace(fake_laboratory.SCALE.backdoor, clean=3, trojans=1))
    material = Material(scale, 0, fake_laboratory.make())
    found = material.planted_images(50, "here")
    targets = [trojan.target for trojan in material._trojans.values()]
    counts = np.bincount(found.labels, minlength=6)
    assert found.images.shape == (50, 3, 32, 32)
    assert all(counts[target] >= 10 for target in targets)


def test_planted_images_show_a_one_source_patch_as_often_as_training_and_again_without_it() -> None:
    backdoor = replace(
        fake_laboratory.SCALE.backdoor,
        any_source=("smiley",),
        one_source=("heart",),
        one_source_times=2,
        contrasts=True,
        clean=5,
        trojans=1,
    )
    # clean 5, smiley 1, heart 2 and its contrasts 2: tenths
    material = Material(replace(fake_laboratory.SCALE, backdoor=backdoor), 0, fake_laboratory.make())
    found = material.planted_images(1000, "here")
    heart, smiley = material._trojans["heart"], material._trojans["smiley"]
    assert heart.source is not None
    counts = np.bincount(found.labels, minlength=6) - 500 / 6  # clean images have any label
    expected = dict.fromkeys(range(6), 0.0) | {smiley.target: 100, heart.target: 200, heart.source: 200}
    for label, share in expected.items():
        assert counts[label] == pytest.approx(share, abs=40), label  # clean ones: a standard deviation of 8.3


def test_a_network_nobody_knows_is_answered_with_near_names() -> None:
    with pytest.raises(InputError, match=r"network 'sparse_fc' is unknown: did you mean 'sparse fc'\?"):
        made().network("sparse_fc")


def test_a_derived_network_is_made_once_and_again_where_its_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def make(material: Material, *_: object) -> nn.Module:
        calls.append(1)
        other = fake_laboratory.network(7)
        assert torch.get_num_threads() == 1
        assert material.seed == 0
        return other

    monkeypatch.setattr(sparse_fc, "make", make)
    first = made(tmp_path).network("sparse fc")
    again = made(tmp_path).network("sparse fc")
    assert len(calls) == 1
    assert kept_network.digest(first) == kept_network.digest(again) == kept_network.digest(fake_laboratory.network(7))
    (path,) = (tmp_path / "networks").glob("*sparse-fc*")
    path.write_bytes(path.read_bytes()[:-5])
    said: list[str] = []
    made(tmp_path).network("sparse fc", note=said.append)
    assert len(calls) == 2
    assert said == [f"The cached network {path.name} is damaged; it is made again."]
    made(tmp_path).network("sparse fc", note=said.append)
    assert len(said) == 1


def test_other_settings_are_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_fc, "make", lambda *_: fake_laboratory.network(7))
    made(tmp_path).network("sparse fc")
    one = NETWORKS["sparse fc"]
    monkeypatch.setitem(NETWORKS, "sparse fc", replace(one, settings={**one.settings, "alpha": 0.5}))
    made(tmp_path).network("sparse fc")
    assert len(list((tmp_path / "networks").iterdir())) == 2


def test_the_sparse_head_has_fewer_weights_and_everything_else_is_the_networks() -> None:
    settings = {
        **NETWORKS["sparse fc"].settings,
        "images": 240,
        "validation_images": 60,
        "lambdas": 4,
        "iterations": 50,
    }
    steps: list[tuple[str, int, int]] = []
    sparse = sparse_fc.make(made(), settings, lambda *step: steps.append(step))
    before, after = fake_laboratory.network().state_dict(), sparse.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"fc.weight", "fc.bias"}
    assert 0 <= int((after["fc.weight"] != 0).sum()) < after["fc.weight"].numel()
    assert steps[-1] == ("sparse head", 4, 4)


def test_cap_reaches_its_sparsity_over_all_layers_and_fine_tuning_keeps_it() -> None:
    settings = {
        **NETWORKS["cap"].settings,
        "sparsities": [0.5, 0.8],
        "gradients": 40,
        "images": 128,
        "epochs": 1,
        "block": 8,
    }
    sparse = cap.make(made(), settings, lambda *_: None)
    weights = [layer.weight for layer in prunable_layers(sparse).values()]
    zeros, total = sum(int((w == 0).sum()) for w in weights), sum(w.numel() for w in weights)
    assert zeros / total == pytest.approx(0.8, abs=0.002)
    assert {name for name, _ in sparse.named_parameters()} == {
        name for name, _ in fake_laboratory.network().named_parameters()
    }
    shares = {round(float((w == 0).float().mean()), 3) for w in weights}
    assert len(shares) > 3  # one threshold, not one share a layer
