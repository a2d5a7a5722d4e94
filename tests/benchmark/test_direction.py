from decimal import Decimal
from importlib.resources import files

import pytest

from benchmark import direction
from spade.errors import InputError

TEXT = files("benchmark").joinpath("directions.toml").read_text(encoding="utf-8")


def test_every_direction_is_one_the_paper_prints() -> None:
    assert all(one.paper > 0 for one in direction.load())


def test_the_papers_difference_is_its_own_arithmetic() -> None:
    by_id = {one.id: one for one in direction.load()}
    # Table 2, averages: 96.55 - 91.01 and 94.34 - 91.01; Table A20: 90.3 - 57.4
    assert by_id["spade over dense"].paper == Decimal("5.54")
    assert by_id["fastspade over dense"].paper == Decimal("3.33")
    assert by_id["block 3 harms"].paper == Decimal("32.9")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('high = "SPADE"', 'high = "SPADEX"', "table 2 has no row or column 'SPADEX'. did you mean 'SPADE'"),
        ('high = "SPADE"', 'higher = "SPADE"', "unknown key 'higher'. did you mean 'high'"),
        ('high = "SPADE"', "high = 3", "high must be a text, found 3"),
        ('high = "SPADE"\n', "", r"direction\[0\]: missing high"),
        ('id = "fastspade over dense"', 'id = "spade over dense"', "'spade over dense' is given twice"),
        ("[[direction]]", "[[directions]]", r"expected \[\[direction\]\] entries"),
        ('high = "SPADE"', "high = ", "is not TOML"),
    ],
)
def test_directions_that_break_the_format_are_refused_in_one_sentence(old: str, new: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        direction.parse(TEXT.replace(old, new, 1))
