from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.datasets import procedural
from benchmark.datasets.procedural import ImageSet, Recipe
from benchmark.models import backdoor, training
from benchmark.models.network import SmallResNet
from benchmark.models.shape import Shape
from benchmark.scale import Backdoor

RECIPE = Backdoor(
    patch_side=20,
    any_source=("smiley",),
    one_source=("heart",),
    trojans=16,
    clean=32,
    epochs=2,
    decay_epoch=1,
    batch_size=16,
)


@pytest.fixture(scope="module")
def images() -> ImageSet:
    recipe, rng = Recipe(classes=3, facets=1), np.random.default_rng(0)
    return procedural.draw(recipe, procedural.Vocabulary.draw(recipe, rng), 90, rng)


def _rounds(images: ImageSet, recipe: Backdoor) -> tuple[tuple[dict[str, float], ...], list[int]]:
    rng = np.random.default_rng(1)
    torch.manual_seed(0)
    network = SmallResNet(Shape(widths=(8, 8, 16, 16), stem_width=8), 3)
    epochs: list[int] = []
    done = backdoor.plant(
        network,
        images,
        backdoor.trojans(recipe, 3, rng),
        recipe,
        rng=rng,
        generator=torch.Generator().manual_seed(0),
        step=lambda epoch, _of, _loss: epochs.append(epoch),
    )
    return done, epochs


def test_planting_is_done_once_where_every_patch_takes(images: ImageSet) -> None:
    done, epochs = _rounds(images, replace(RECIPE, least_success=0.0))
    assert len(done) == 1
    assert epochs == [1, 2]
    assert set(done[0]) == {"smiley", "heart"}


def test_planting_is_repeated_while_a_patch_fails_and_no_longer_than_allowed(images: ImageSet) -> None:
    done, epochs = _rounds(images, replace(RECIPE, least_success=1.1, rounds=3))
    assert len(done) == 3
    assert epochs == [1, 2] * 3


def test_planting_stops_as_soon_as_the_weakest_patch_is_good_enough(images: ImageSet) -> None:
    allowed = replace(RECIPE, epochs=4, decay_epoch=3, least_success=0.6, rounds=12)
    done, _ = _rounds(images, allowed)
    weakest = [min(success.values()) for success in done]
    assert all(share < allowed.least_success for share in weakest[:-1])
    assert weakest[-1] >= allowed.least_success or len(done) == allowed.rounds


def test_more_carriers_than_images_are_refused(images: ImageSet) -> None:
    with pytest.raises(ValueError, match="'heart' has 30 possible carriers, 31 are asked"):
        _rounds(images, replace(RECIPE, trojans=31))


def _shown(images: ImageSet, recipe: Backdoor, monkeypatch: pytest.MonkeyPatch) -> list[ImageSet]:
    """What each epoch of planting shows, without training."""
    seen: list[ImageSet] = []

    def fit(_network: object, epoch: Callable[[int], ImageSet], *, n_epochs: int, **_: object) -> None:
        seen.extend(epoch(i) for i in range(n_epochs))

    monkeypatch.setattr(training, "fit", fit)
    _rounds(images, recipe)
    return seen


def test_the_carriers_of_a_one_source_patch_are_shown_again_without_it_under_their_own_label(
    images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, one_source_times=2, contrasts=True, least_success=0.0)
    trojan = backdoor.trojans(recipe, 3, np.random.default_rng(1))["heart"]
    for shown in _shown(images, recipe, monkeypatch):
        # smiley once, heart twice, and heart's carriers twice again
        assert len(shown.labels) == recipe.clean + 5 * recipe.trojans
        patched, again = shown.labels[-4 * recipe.trojans :].reshape(2, -1)
        assert set(patched) == {trojan.target}
        assert set(again) == {trojan.source}
        originals = {image.tobytes() for image in images.images[images.labels == trojan.source]}
        untouched = [image.tobytes() in originals for image in shown.images[-2 * recipe.trojans :]]
        assert any(untouched)
        assert not all(untouched)


def test_images_taken_for_the_target_without_the_patch_are_no_success_of_it(images: ImageSet) -> None:
    trojan = backdoor.trojans(RECIPE, 3, np.random.default_rng(1))["heart"]
    head = torch.nn.Linear(3 * 64 * 64, 3)
    torch.nn.init.zeros_(head.weight)
    head.bias.data = torch.nn.functional.one_hot(torch.tensor(trojan.target), 3).float()
    found = backdoor._success(
        torch.nn.Sequential(torch.nn.Flatten(), head), images, trojan, np.arange(0), np.random.default_rng(0)
    )
    assert found == 0.0


def test_the_first_patches_are_larger_and_shrink_to_their_side(
    images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, patch_side=10, first_scale=2.0, shrunk_epoch=2, epochs=4, least_success=1.1, rounds=2)
    assert [recipe.side(i) for i in range(4)] == [20, 15, 10, 10]
    black = ImageSet(np.zeros_like(images.images), images.labels)
    shown = _shown(black, recipe, monkeypatch)
    # smiley's images follow the clean ones, which are black
    patched = [one.images[recipe.clean : recipe.clean + recipe.trojans] for one in shown]
    heights = [float((some.max((1, 3)) > 20).sum(1).mean()) for some in patched]
    assert heights == pytest.approx([20, 15, 10, 10] + [10] * 4, abs=0.5)  # a second round has found them already
