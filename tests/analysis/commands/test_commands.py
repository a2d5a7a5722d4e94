"""The commands of spade-stats that leave reports, run as a user would."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from analysis.cli import main
from analysis.simulated_export import write
from analysis.simulation import TRUTHS, Design, study


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_paper_is_replicated_and_said_in_four_sentences(tmp_path: Path) -> None:
    done = run("replicate", "--studies", "5", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "cannot be and should read 17.5 or 17.6" in done.output
    assert "Not supported:" in done.output
    tree = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [table["counts"] for table in tree["numbers"]["reconstruction"]["readings"][0]["tables"]][2] == [
        [220, 79, 89],
        [250, 63, 45],
    ]
    assert set(tree["numbers"]["designs"]) == {"none", "moderate", "strong"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run("replicate", "--studies", "2", "--seed", seed, "--out", tmp_path / name).exit_code == 0
    a, b, c = ((tmp_path / name / "index.html").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_power_is_written_with_its_curves(tmp_path: Path) -> None:
    done = run(
        "power", "--raters", "6,12", "--ratings", "60,120", "--images", "20", "--studies", "20", "--out", tmp_path
    )
    assert done.exit_code == 0, done.output
    assert "A true difference of +13.1 points" in done.output
    cells = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["numbers"]["cells"]
    # Two numbers of raters by two of ratings, with the effect and without.
    assert len(cells) == 8
    assert (tmp_path / "power-1.svg").is_file()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("power", "--looks", "0.5,1"), "--looks and --spending go together"),
        (("power", "--looks", "0.5,1", "--spending", "obrien"), "did you mean 'obrien-fleming'"),
        (("power", "--raters", "a few"), "--raters came as 'a few'"),
        (("power", "--heterogeneity", "string"), "did you mean 'strong'"),
        (("power", "--ratings", "999999"), "nobody gets a task twice"),
        (("consistency", "nosuch.toml"), "cannot be read"),
        (("consistency", "--n", "4"), "--n goes with --shares"),
        (("consistency", "--shares", "50"), "at least two"),
        (("report", "nosuch"), "no such file or folder"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_exit_code_2(words: tuple[str, ...], sentence: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_consistency_says_of_table_4_what_cannot_be() -> None:
    done = run("consistency")
    assert done.exit_code == 0
    assert "Inconsistent: no table of counts prints so." in done.output
    assert (
        "Without 'Disagree with Score-CAM' 17.8 (SPADE Vis.), which should read 17.5 or 17.6: 4 tables:" in done.output
    )


def test_consistency_of_shares_alone_names_the_counts() -> None:
    done = run("consistency", "--shares", "25.0 75.0", "--n", "8")
    assert "column 8 = 2 + 6" in done.output


def test_an_export_becomes_a_page(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    folder = write(study(TRUTHS["none"], Design(raters=5, images=8, ratings=60), draw), tmp_path / "export", draw)
    done = run("report", folder, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {
        "index.html",
        "report.md",
        "report.tex",
        "report.json",
    }
