import tomllib
from importlib.resources import files

import pytest

from benchmark import scale
from spade.errors import InputError


def document(name: str = "smoke") -> dict[str, object]:
    return tomllib.loads((files("benchmark.scales") / f"{name}.toml").read_text())


@pytest.mark.parametrize("name", scale.names())
def test_every_scale_loads_under_its_own_name(name: str) -> None:
    assert scale.load(name).name == name


def test_an_unknown_scale_is_answered_with_a_near_name() -> None:
    with pytest.raises(InputError, match="did you mean 'mini'"):
        scale.load("mimi")


def test_an_unknown_key_is_refused_with_its_place() -> None:
    text = document()
    text["network"]["block"] = [1]
    with pytest.raises(InputError, match=r"here\.toml: network: unknown key 'block'.*did you mean 'blocks'"):
        scale.parse(text, "here.toml")


def test_a_missing_key_is_named() -> None:
    text = document()
    del text["training"]
    with pytest.raises(InputError, match=r"missing training\."):
        scale.parse(text, "here.toml")


def test_a_number_that_is_a_word_is_refused() -> None:
    text = document()
    text["data"]["train"] = "many"
    with pytest.raises(InputError, match="data: train must be int, found 'many'"):
        scale.parse(text, "here.toml")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("clutter", [1, 2, 3], r"images: clutter must be a list of 2, found \[1, 2, 3\]"),
        ("clutter", 4, "images: clutter must be a list, found 4"),
        ("distractors", [1, "3"], "images: distractors must be int, found '3'"),
    ],
)
def test_a_range_that_is_none_is_refused(key: str, value: object, sentence: str) -> None:
    text = document()
    text["images"][key] = value
    with pytest.raises(InputError, match=sentence):
        scale.parse(text, "here.toml")


def test_a_switch_that_is_a_number_is_refused() -> None:
    text = document()
    text["backdoor"]["contrasts"] = 1
    with pytest.raises(InputError, match="contrasts must be bool, found 1"):
        scale.parse(text, "here.toml")


def test_one_source_patches_that_no_epoch_shows_are_refused() -> None:
    text = document()
    text["backdoor"]["one_source_times"] = 0
    with pytest.raises(InputError, match="one_source_times is 0; at least 1 is needed"):
        scale.parse(text, "here.toml")


@pytest.mark.parametrize(("first_scale", "shrunk_epoch"), [(1.6, 12), (1.6, 0), (1.6, -1), (1.0, 3)])
def test_patches_that_never_reach_their_side_or_have_it_from_the_first_are_refused(
    first_scale: float, shrunk_epoch: int
) -> None:
    text = document()
    text["backdoor"] |= {"first_scale": first_scale, "shrunk_epoch": shrunk_epoch, "epochs": 12}
    with pytest.raises(
        InputError, match=rf"shrunk_epoch is {shrunk_epoch} and first_scale {first_scale}; .* 12 epochs"
    ):
        scale.parse(text, "here.toml")


@pytest.mark.parametrize(("first_scale", "pixels"), [(4.0, 72), (0.5, 9)])
def test_first_patches_larger_than_the_image_or_smaller_than_the_patch_are_refused(
    first_scale: float, pixels: int
) -> None:
    text = document()
    text["backdoor"] |= {"first_scale": first_scale, "shrunk_epoch": 4}
    with pytest.raises(InputError, match=rf"makes the first patches {pixels} pixels wide; allowed are 18 .* to 64"):
        scale.parse(text, "here.toml")


def test_a_patch_that_nobody_draws_is_answered_with_near_names() -> None:
    text = document()
    text["backdoor"]["any_source"] = ["smily"]
    with pytest.raises(InputError, match=r"there is no patch 'smily'\. did you mean 'smiley'\?"):
        scale.parse(text, "here.toml")


def test_a_patch_of_two_kinds_is_refused() -> None:
    text = document()
    text["backdoor"]["one_source"] = ["smiley"]
    with pytest.raises(InputError, match="the patch 'smiley' is named twice"):
        scale.parse(text, "here.toml")


def test_more_carriers_than_a_class_has_images_are_refused_before_anything_is_trained() -> None:
    text = document()
    text["backdoor"]["trojans"] = 500  # 4,000 images of 8 classes
    assert scale.parse(text, "here.toml").backdoor.trojans == 500
    text["backdoor"]["trojans"] = 501
    with pytest.raises(InputError, match=r"trojans is 501; .* 8 classes 500 can carry a patch of one source"):
        scale.parse(text, "here.toml")


def test_the_recipe_hash_moves_with_the_seed_and_the_training_and_not_with_the_ratios() -> None:
    text = document()
    plain = scale.parse(text, "x")
    text["ratios"] = {}
    assert scale.parse(text, "x").recipe_sha256(0) == plain.recipe_sha256(0)
    assert plain.recipe_sha256(1) != plain.recipe_sha256(0)
    text["training"]["epochs"] = 99
    assert scale.parse(text, "x").recipe_sha256(0) != plain.recipe_sha256(0)
