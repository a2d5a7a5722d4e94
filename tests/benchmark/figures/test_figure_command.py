import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmark.cli import main


@pytest.mark.slow
def test_the_measured_figures_of_smoke_are_numbers_between_chance_and_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main,
        [
            *["figure", "H.6", "I.7", "J.10", "--scale", "smoke", "--samples", "1"],
            "--store",
            f"{tmp_path}/store",
            "--into",
            f"{tmp_path}",
        ],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    block = json.loads((tmp_path / "figure-h6.json").read_text())["rows"]
    assert {row["n"] for row in block} == {1}
    assert all(0 <= row["auc"] <= 100 for row in block)
    noise = json.loads((tmp_path / "figure-i7.json").read_text())["rows"]
    assert all(-1 <= row["cosine"] <= 1 for row in noise)
    assert (tmp_path / "figure-j10.npz").is_file()


def test_chosen_ratios_are_not_shown_as_searched_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.models import laboratory  # noqa: PLC0415 - the command imports it as late

    class Untouched:
        test_samples = ()

    monkeypatch.setattr(laboratory, "prepare", lambda *_args, **_more: Untouched())
    done = CliRunner().invoke(main, ["figure", "H.3", "--scale", "smoke", "--store", str(tmp_path)])
    assert done.exit_code == 2
    assert "were chosen, not searched" in done.output
