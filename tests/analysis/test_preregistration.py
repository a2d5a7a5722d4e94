from pathlib import Path

import pytest

from analysis import preregistration
from analysis.errors import AnalysisError
from analysis.exclusion import Exclusion

FULL = """title = "SPADE against dense"
hypothesis = "SPADE helps."
primary = "agree"
secondary = ["undecided", "disagree"]
level = 0.9
smallest_effect = 0.05
raters = 24
ratings = 746
stop = "746 answers"
[[exclusion]]
rule = "too_fast"
below_ms = 500
"""


def read(folder: Path, text: str) -> preregistration.Preregistration:
    (folder / "prereg.toml").write_bytes(text.encode())
    return preregistration.read(folder / "prereg.toml")


def test_a_preregistration_is_read_as_written(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    assert (found.primary, found.secondary, found.level, found.ratings) == (
        "agree",
        ("undecided", "disagree"),
        0.9,
        746,
    )
    assert found.exclusions == (Exclusion("too_fast", (("below_ms", 500.0),)),)


def test_its_hash_is_that_of_the_text_whatever_the_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path, FULL).sha256 == read(tmp_path, FULL.replace("\n", "\r\n")).sha256
    assert read(tmp_path, FULL).sha256 != read(tmp_path, FULL.replace("500", "400")).sha256


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("stop =", "stopp =", "unknown key 'stopp'; did you mean 'stop'"),
        ('stop = "746 answers"\n', "", "the key 'stop' is missing"),
        ('"agree"', '"agre"', "no measure 'agre'; did you mean 'agree'"),
        ('"undecided"', '"agree"', "twice, or the primary"),
        ("level = 0.9", "level = 95", r"'level' should lie in"),
        ("smallest_effect = 0.05", "smallest_effect = 5", "a share"),
        ("ratings = 746", 'ratings = "many"', "'ratings' should be a int"),
        ('"too_fast"', '"too_quick"', "exclusion 1: There is no exclusion rule 'too_quick'"),
        ("below_ms = 500", 'below_ms = "500"', "'below_ms' should be a number"),
        ("below_ms = 500", "", "needs the number 'below_ms'"),
        ("[[exclusion]]", "[exclusion]", "should be a list"),
        ("title =", "title", "syntax error"),
    ],
)
def test_what_a_preregistration_cannot_say_is_refused(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(AnalysisError, match=sentence):
        read(tmp_path, FULL.replace(old, new))


def test_looks_are_declared_with_the_rule_that_spends_alpha_over_them(tmp_path: Path) -> None:
    found = read(tmp_path, FULL + '[monitoring]\nspending = "obrien-fleming"\nlooks = [0.5, 1.0]\n')
    assert (found.spending, found.looks) == ("obrien-fleming", (0.5, 1.0))
    assert read(tmp_path, FULL).looks == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('spending = "obrien"\nlooks = [1.0]', "monitoring: .*did you mean 'obrien-fleming'"),
        ('spending = "pocock"\nlooks = [1.0, 0.5]', "fractions that rise"),
        ('spending = "pocock"', "the keys 'spending' and 'looks'"),
        ('spending = "pocock"\nlooks = 3', "a list of fractions"),
    ],
)
def test_looks_that_make_no_sense_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(AnalysisError, match=sentence):
        read(tmp_path, f"{FULL}[monitoring]\n{text}\n")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"none\.toml"):
        preregistration.read(tmp_path / "none.toml")
