from datetime import UTC, datetime
from typing import Any

import pytest

from spade.errors import InputError
from study_app.stimuli.veto import applied, vetoed

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def content() -> dict[str, Any]:
    return {"format": 1, "images": [{"ref": "cat/1.png"}, {"ref": "dog/2.png"}, {"ref": "dog/3.png"}]}


def standing(content: dict[str, Any]) -> dict[str, str]:
    return {entry["ref"]: entry["vetoed"] for entry in content["images"] if "vetoed" in entry}


def test_samples_are_vetoed_by_number_or_by_name_with_the_reason(content: dict[str, Any]) -> None:
    found = vetoed(content, ["1", "dog/3.png"], reason=" blank crop ", at=AT)
    assert standing(found) == {"cat/1.png": "blank crop", "dog/3.png": "blank crop"}
    assert standing(content) == {}  # what came in is as it was


def test_every_word_is_kept_and_the_last_one_counts(content: dict[str, Any]) -> None:
    once = vetoed(content, ["1"], reason="blank crop", at=AT)
    back = vetoed(once, ["1"], reason="looked again", at=AT, withdraw=True)
    assert standing(back) == {}
    assert back["vetoes"] == [
        {"ref": "cat/1.png", "veto": True, "reason": "blank crop", "at": "2026-01-02T03:04:05+00:00"},
        {"ref": "cat/1.png", "veto": False, "reason": "looked again", "at": "2026-01-02T03:04:05+00:00"},
    ]


def test_vetoes_hold_when_the_entries_are_written_anew(content: dict[str, Any]) -> None:
    once = vetoed(content, ["2"], reason="blank crop", at=AT)
    grown = {"format": 1, "vetoes": once["vetoes"], "images": [*content["images"], {"ref": "cat/4.png"}]}
    assert standing(applied(grown)) == {"dog/2.png": "blank crop"}


@pytest.mark.parametrize("sample", ["0", "4", "dog/4.png"])
def test_a_sample_that_is_not_there_is_told(content: dict[str, Any], sample: str) -> None:
    with pytest.raises(InputError, match=rf"no sample '{sample}': samples are 1 to 3"):
        vetoed(content, [sample], reason="blank crop", at=AT)


def test_a_veto_without_a_reason_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="needs a reason"):
        vetoed(content, ["1"], reason="  ", at=AT)


def test_a_veto_that_nobody_made_cannot_be_withdrawn(content: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not vetoed, so there is nothing to withdraw"):
        vetoed(content, ["1"], reason="why not", at=AT, withdraw=True)
