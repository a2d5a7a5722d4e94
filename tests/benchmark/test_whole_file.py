from pathlib import Path

import pytest

from benchmark import whole_file
from spade.errors import EnvironmentProblem


def test_a_file_is_replaced_and_leaves_no_other_behind(tmp_path: Path) -> None:
    path = tmp_path / "text"
    whole_file.write(path, "old\n")
    whole_file.write(path, "né\n")
    assert path.read_text(encoding="utf-8") == "né\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"text cannot be written: No such file or directory\."):
        whole_file.write(tmp_path / "nowhere" / "text", "new")
