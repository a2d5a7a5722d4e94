import csv
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmark.figures.exhibit import Exhibit, Row, write
from benchmark.figures.register import FIGURES, find
from spade.errors import EnvironmentProblem, InputError


@pytest.fixture
def exhibit() -> Exhibit:
    rows: tuple[Row, ...] = ({"arm": "Dense", "auc": 90.5}, {"arm": "SPADE", "auc": 93.25})
    return Exhibit("H.6", "A title", "“a sentence”", ("A finding.",), rows, {"seed": 0}, {"map": np.eye(3)})


def test_numbers_and_arrays_come_back_from_the_files(exhibit: Exhibit, tmp_path: Path) -> None:
    paths = write(exhibit, Figure(), tmp_path / "new")
    assert [path.name for path in paths] == ["figure-h6.csv", "figure-h6.json", "figure-h6.svg", "figure-h6.png"]
    with paths[0].open(encoding="utf-8") as file:
        assert [float(row["auc"]) for row in csv.DictReader(file)] == [90.5, 93.25]
    document = json.loads(paths[1].read_text(encoding="utf-8"))
    assert document["rows"][1] == {"arm": "SPADE", "auc": 93.25}
    assert "arrays" not in document
    with np.load(tmp_path / "new" / "figure-h6.npz") as arrays:
        assert np.array_equal(arrays["map"], np.eye(3))


def test_a_folder_that_cannot_be_made_is_one_sentence(exhibit: Exhibit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"Figure H.6 cannot be written to .*file"):
        write(exhibit, Figure(), tmp_path / "file")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_found_however_it_is_written(name: str) -> None:
    assert find(name)[0] == find(name.lower())[0] == find(name.replace(".", ""))[0] == name


def test_an_unknown_figure_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"There is no figure 'H\.7'"):
        find("H.7")
