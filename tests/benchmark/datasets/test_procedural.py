import numpy as np
import pytest

from benchmark.datasets import procedural
from benchmark.datasets.procedural import Recipe, Vocabulary

RECIPE = Recipe(classes=4, facets=2, side=32, radius=(8.0, 10.0))


def drawn(n: int, seed: int = 0, recipe: Recipe = RECIPE) -> procedural.ImageSet:
    rng = np.random.default_rng(seed)
    return procedural.draw(recipe, Vocabulary.draw(recipe, rng), n, rng)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = drawn(20), drawn(20)
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.labels, second.labels)


def test_another_seed_gives_other_images() -> None:
    assert not np.array_equal(drawn(20).images, drawn(20, seed=1).images)


def test_labels_are_balanced_and_images_are_bytes() -> None:
    images = drawn(22)
    assert images.images.shape == (22, 3, 32, 32)
    assert images.images.dtype == np.uint8
    assert sorted(np.bincount(images.labels, minlength=4).tolist()) == [5, 5, 6, 6]


def test_no_images_are_an_empty_set_and_not_an_error() -> None:
    assert drawn(0).images.shape == (0, 3, 32, 32)


def test_the_main_object_shows_its_facets_colours() -> None:
    recipe = Recipe(classes=2, facets=1, distractors=(0, 0), clutter=(0, 0), background_contrast=0, noise=0)
    black_and_white = Vocabulary(
        amplitude=np.zeros((2, 5), np.float32),
        phase=np.zeros((2, 5), np.float32),
        colours=np.array([[[1, 0, 0]] * 2, [[0, 0, 1]] * 2], np.float32),
        frequency=np.ones(2, np.float32),
        angle=np.zeros(2, np.float32),
        facets=1,
    )
    images = procedural.draw(recipe, black_and_white, 16, np.random.default_rng(0))
    reddest = images.images[:, 0].astype(int) - images.images[:, 2]
    # An all-red disc of radius 13 or more on grey: over a tenth of the picture leans far to red; blue likewise.
    red = (reddest > 120).mean((1, 2)) > 0.1
    blue = (reddest < -120).mean((1, 2)) > 0.1
    assert np.array_equal(red, images.labels == 0)
    assert np.array_equal(blue, images.labels == 1)


@pytest.mark.parametrize("seed", range(3))
def test_images_of_one_class_differ_less_from_each_other_in_colour_than_from_others(seed: int) -> None:
    recipe = Recipe(classes=3, facets=1, distractors=(0, 0), clutter=(0, 0), background_contrast=0.1)
    images = drawn(90, seed, recipe)
    hues = images.images.astype(float).mean((2, 3))
    inner = np.mean([hues[images.labels == c].std(0).mean() for c in range(3)])
    assert inner < hues.std(0).mean()
