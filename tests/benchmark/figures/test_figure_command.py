import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from benchmark.cli import main


@pytest.mark.slow
def test_the_measured_figures_of_smoke_are_numbers_between_chance_and_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main,
        [
            *["figure", "H.6", "I.7", "J.9", "J.10", "--scale", "smoke", "--samples", "1"],
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
    clean = json.loads((tmp_path / "figure-j9.json").read_text())["rows"]
    assert all(row["insertion"] >= 0 for row in clean)


def test_chosen_ratios_are_not_shown_as_searched_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.models import laboratory  # noqa: PLC0415 - the command imports it as late

    class Untouched:
        test_samples = ()

    monkeypatch.setattr(laboratory, "prepare", lambda *_args, **_more: Untouched())
    done = CliRunner().invoke(main, ["figure", "H.3", "--scale", "smoke", "--store", str(tmp_path)])
    assert done.exit_code == 2
    assert "were chosen, not searched" in done.output


def test_without_a_name_what_cannot_be_made_is_left_out_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.figures import register  # noqa: PLC0415 - the command imports it as late
    from benchmark.figures.exhibit import Exhibit  # noqa: PLC0415 - as above
    from benchmark.models import laboratory  # noqa: PLC0415 - as above

    class Untouched:
        test_samples = ()

    toy = register.Toy(lambda *_: Exhibit("3", "t", "p", ("f",), ({"a": 1},), {}), lambda _: Figure())
    monkeypatch.setattr(register, "FIGURES", {"H.3": register.FIGURES["H.3"], "3": toy})
    monkeypatch.setattr(laboratory, "prepare", lambda *_args, **_more: Untouched())
    asked = ["figure", "--scale", "smoke", "--store", str(tmp_path), "--into", str(tmp_path / "figures")]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert "Figure H.3 was left out: The ratios of 'smoke' were chosen, not searched" in " ".join(done.output.split())
    assert (tmp_path / "figures" / "figure-3.csv").is_file()
