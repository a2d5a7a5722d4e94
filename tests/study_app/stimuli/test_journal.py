import json
from pathlib import Path

import pytest

from spade.errors import EnvironmentProblem, InputError
from study_app.stimuli import journal

MADE_FROM = {"seed": 0, "block": ("layer4",)}
ACCEPTED = {"image": {"ref": "a/1.png", "position": 4}}
REJECTED = {"rejected": {"ref": "a/2.png", "position": 9, "reason": "the regions overlap"}}


def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    begun = journal.opened(tmp_path, MADE_FROM)
    assert begun.next_position == 0
    begun.add(ACCEPTED)
    begun.add(REJECTED)
    again = journal.opened(tmp_path, MADE_FROM)
    assert again.entries == [ACCEPTED, REJECTED]
    assert (again.accepted, again.rejected) == ([ACCEPTED["image"]], [REJECTED["rejected"]])
    assert again.next_position == 10


def test_a_journal_may_begin_with_what_a_finished_set_says(tmp_path: Path) -> None:
    begun = journal.opened(tmp_path, MADE_FROM, earlier=[REJECTED, ACCEPTED])
    assert begun.next_position == 10  # whatever the order of the entries
    assert journal.opened(tmp_path, MADE_FROM, earlier=[ACCEPTED] * 3).entries == [REJECTED, ACCEPTED]


@pytest.mark.parametrize("cut", [1, 10, 30])
def test_a_line_that_a_kill_cut_short_is_as_if_never_begun(tmp_path: Path, cut: int) -> None:
    begun = journal.opened(tmp_path, MADE_FROM)
    begun.add(ACCEPTED)
    begun.add(REJECTED)
    content = (tmp_path / journal.NAME).read_bytes()
    (tmp_path / journal.NAME).write_bytes(content[:-cut])
    again = journal.opened(tmp_path, MADE_FROM)
    assert again.entries == [ACCEPTED]
    again.add(REJECTED)
    assert (tmp_path / journal.NAME).read_bytes() == content


@pytest.mark.parametrize("kept", [0, 5])
def test_a_first_line_cut_short_is_begun_again(tmp_path: Path, kept: int) -> None:
    journal.opened(tmp_path, MADE_FROM)
    content = (tmp_path / journal.NAME).read_bytes()
    (tmp_path / journal.NAME).write_bytes(content[:kept])
    journal.opened(tmp_path, MADE_FROM).add(ACCEPTED)
    assert journal.opened(tmp_path, MADE_FROM).entries == [ACCEPTED]


def test_another_recipe_is_refused_and_what_differs_is_named(tmp_path: Path) -> None:
    journal.opened(tmp_path, MADE_FROM)
    with pytest.raises(InputError, match="a set begun with other seed, solver;"):
        journal.opened(tmp_path, {**MADE_FROM, "seed": 1, "solver": "obc"})


def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / journal.NAME).write_text("not json\n")
    with pytest.raises(EnvironmentProblem, match="is damaged"):
        journal.opened(tmp_path, MADE_FROM)


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file in the way")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        journal.opened(tmp_path / "set", MADE_FROM)


def test_every_line_is_json(tmp_path: Path) -> None:
    journal.opened(tmp_path, MADE_FROM).add(ACCEPTED)
    lines = (tmp_path / journal.NAME).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"made_from": {"seed": 0, "block": ["layer4"]}}, ACCEPTED]
