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


def test_the_recipe_hash_moves_with_the_seed_and_the_training_and_not_with_the_ratios() -> None:
    text = document()
    plain = scale.parse(text, "x")
    text["ratios"] = {}
    assert scale.parse(text, "x").recipe_sha256(0) == plain.recipe_sha256(0)
    assert plain.recipe_sha256(1) != plain.recipe_sha256(0)
    text["training"]["epochs"] = 99
    assert scale.parse(text, "x").recipe_sha256(0) != plain.recipe_sha256(0)
