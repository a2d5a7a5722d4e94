from collections import Counter
from pathlib import Path

import pytest

from data_manifests import claim as claims
from data_manifests.claim import Claim
from data_manifests.errors import ManifestError, UnknownNameError

GOOD = """
[[claim]]
id = "gain"
quote = "improves by 5.54%"
place = "section 4.1"
kind = "effect"
expression = 'T2["Average", "SPADE"] - T2["Average", "Dense"]'
states = "5.54"
on = "ResNet50/ImageNet"
"""


def read(folder: Path, text: str) -> claims.Claims:
    path = folder / "claims.toml"
    path.write_text(text, encoding="utf-8")
    return claims.read(path)


def test_a_claim_is_read_with_the_exactness_of_its_words(tmp_path: Path) -> None:
    (found,) = read(tmp_path, GOOD).claims
    assert found.relation == "is"
    assert found.states is not None
    assert (str(found.states.value), found.states.rounded_to) == ("5.54", 2)
    assert found.expression is not None
    assert found.expression.tables == ("2",)


def test_a_bare_sign_is_above_zero(tmp_path: Path) -> None:
    (found,) = read(tmp_path, GOOD.replace('"effect"', '"sign"').replace('states = "5.54"\n', "")).claims
    assert found.states is not None
    assert found.relation == "above"
    assert found.states.value == 0


def test_a_bound_was_not_rounded(tmp_path: Path) -> None:
    (found,) = read(tmp_path, GOOD + 'relation = "above"\n').claims
    assert found.states is not None
    assert found.states.half_unit == 0


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"SPADE"]', '"SPAD"]', "claim 'gain': Table 2 has no column 'SPAD'; did you mean 'SPADE'?"),
        ("T2[", "sqrt(T2[", "claim 'gain'"),
        ('"effect"', '"efect"', "there is no kind 'efect'; did you mean 'effect'?"),
        ('states = "5.54"', 'states = "5,54"', "'states' should be a number"),
        ('states = "5.54"\n', "", "needs 'states'"),
        ('states = "5.54"', 'states = "5.54"\nrelation = "over"', "there is no relation 'over'"),
        ('states = "5.54"', 'state = "5.54"', "needs 'states'"),
        ('on = "Res', 'om = "Res', "the key 'on' is missing"),
        ('place = "section 4.1"\n', "", "the key 'place' is missing"),
        ("[[claim]]", "[[clam]]", "unknown key 'clam'; did you mean 'claim'?"),
        ('on = "ResNet50/ImageNet"', 'on = "ResNet50/ImageNet"\nreason = "none"', "either an expression or a reason"),
        ('on = "ResNet50/ImageNet"', 'on = "ResNet50/ImageNet"\ncolour = "red"', "unknown key 'colour'"),
        ("[[claim]]", "[[claim", "a syntax error"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_name_and_near_names(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert sentence in str(caught.value)


def test_two_claims_cannot_share_an_id(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="two claims have the id 'gain'"):
        read(tmp_path, GOOD + GOOD)


def test_a_claim_that_does_not_exist_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'spade-average-gain'"):
        claims.load().claim("spade-averge-gain")


def test_every_claim_has_an_expression_or_a_reason() -> None:
    for one in claims.load().claims:
        assert (one.expression is None) == bool(one.reason), one.id
        assert bool(one.on) == (one.expression is not None), one.id


def test_the_number_a_claim_states_stands_in_its_quote_or_its_note_says_how_it_was_read() -> None:
    for one in claims.load().claims:
        if one.states is not None and one.states.value != 0:
            printed = str(one.states.value)
            assert printed in one.quote or one.note.startswith("Read as"), one.id


def test_every_kind_is_used() -> None:
    assert Counter(one.kind for one in claims.load().claims).keys() == {"count", "sign", "effect", "rank", "value"}


def counted(one: Claim) -> bool:
    return one.expression is not None and "count(" in one.expression.text


def test_a_count_counts() -> None:
    assert [one.id for one in claims.load().claims if one.expression and counted(one) != (one.kind == "count")] == []


def test_a_rank_leads() -> None:
    ranks = [one for one in claims.load().claims if one.kind == "rank" and one.expression]
    assert [one.id for one in ranks if one.expression and not one.expression.text.startswith("lead(")] == []
