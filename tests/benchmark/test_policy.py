import hashlib
from importlib.resources import files

import pytest

from benchmark import policy
from spade.errors import InputError

TEXT = files("benchmark").joinpath("policy.toml").read_text(encoding="utf-8")


def test_the_policy_of_this_release_can_be_read_and_asks_for_ten_seeds() -> None:
    found = policy.load()
    assert found.golden.least_seeds >= 10
    assert (found.bootstrap.draws, found.bootstrap.level) == (10_000, 0.95)


def test_the_hash_is_that_of_the_file_so_no_limit_moves_without_it() -> None:
    content = files("benchmark").joinpath("policy.toml").read_bytes()
    assert policy.load().sha256 == hashlib.sha256(content).hexdigest()


def test_an_intervals_generator_depends_on_its_name_alone() -> None:
    found = policy.load()
    first = found.generator("2", "LRP", "SPADE").random()
    assert found.generator("2", "LRP", "SPADE").random() == first
    assert found.generator("2", "LRP", "FastSPADE").random() != first
    assert found.generator("2", "LRPSPADE").random() != found.generator("2LRP", "SPADE").random()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("draws = 10000", "draw = 10000", r"\[intervals\]: unknown key 'draw'. did you mean 'draws'"),
        ("draws = 10000", "draws = 1e4", "draws must be of type int, found 10000.0"),
        ("level = 0.95", "level = 95.0", "level is 95.0; it must be at least 0 and below 1"),
        ("[units]", "[unit]", "unknown key 'unit'"),
        ("version = 2", "", "version must be a whole number"),
        ("version = 2", "version = ", "is not TOML"),
        ("trojan_auc = 1.0", "trojan_auc = 0.0", "margin of trojan_auc must be a number above zero, found 0.0"),
        ("factor = 3.0", "", "factor must be of type float, found None"),
    ],
)
def test_a_policy_that_breaks_the_format_is_refused_in_one_sentence(old: str, new: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        policy.parse(TEXT.replace(old, new))


def test_a_missing_section_is_named() -> None:
    head, _, _ = TEXT.partition("[directions]")
    with pytest.raises(InputError, match=r"\[directions\]: this section is missing"):
        policy.parse(head)
