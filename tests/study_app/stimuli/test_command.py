"""`spade-study stimuli`, `veto` and `contact-sheet` answer with sentences and exit codes."""

import json
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from study_app.cli import main
from study_app.stimuli import command, item

OPTIONS = """
model = "network.py:build"
weights = "w.safetensors"
images = "images"
classes = "classes.txt"
samples = 2
resize = 32
crop = 32
mean = [0.5]
std = [0.25]
block = "1"
sparsity = 0.9
augmentations = 8
[regions]
threshold = 0.9
least = 0.0
most = 0.9
[ascent]
steps = 3
"""


@pytest.fixture
def config(laboratory: Path) -> Path:
    path = laboratory / "stimuli.toml"
    path.write_text(OPTIONS)
    return path


def called(*words: str) -> Result:
    handler = signal.getsignal(signal.SIGTERM)
    try:
        return CliRunner().invoke(main, words)
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_a_dry_run_tells_the_cost_and_makes_nothing(config: Path, tmp_path: Path) -> None:
    result = called("stimuli", str(tmp_path / "set"), "--config", str(config), "--dry-run")
    assert result.exit_code == 0, result.output
    assert "4 classes, 20 images; Score-CAM with the 16 maps of 1; 1 pruned to 0.9 by obc (2 layers)" in result.output
    assert "for each misclassified sample tried" in result.output
    assert not (tmp_path / "set").exists()


def test_what_draws_the_pictures_is_missed_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda module: None if module == "lucent" else find_spec(module))
    result = called("stimuli", str(tmp_path / "set"), "--dry-run")
    assert result.exit_code == 4
    assert result.output == "'stimuli' needs torch-lucent, which is not installed here: pip install '.[stimuli]'.\n"


def test_a_set_is_made_looked_at_and_vetoed(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    result = called("stimuli", str(folder), "--config", str(config), "--samples", "2")
    assert result.exit_code == 0, result.output
    assert "2 samples, 8 tasks" in result.output
    page = (folder / "contact-sheet.html").read_text()
    content = json.loads((folder / "manifest.json").read_text())
    assert content["images"][1]["picture"]["file"] in page
    assert "&lt;3" in page or "dog" not in page
    result = called("veto", str(folder), "2", "--reason", "blank crop")
    assert result.exit_code == 0, result.output
    assert "1 of 2 samples are left, 4 tasks." in result.output
    assert "Vetoed: blank crop" in (folder / "contact-sheet.html").read_text()
    assert called("veto", str(folder), "2", "--reason", "looked again", "--withdraw").exit_code == 0
    (folder / "contact-sheet.html").unlink()
    assert called("contact-sheet", str(folder)).exit_code == 0
    assert "Vetoed" not in (folder / "contact-sheet.html").read_text()


def test_a_stop_by_the_user_is_told_and_has_a_code_of_its_own(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(item, "made", stopped)
    result = called("stimuli", str(tmp_path / "set"), "--config", str(config))
    assert result.exit_code == 3
    assert "the same command goes on from there" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--weights", "nowhere.pt"], "There is no weights file at nowhere.pt"),
        (["--model", "resnet18"], "another network than resnet18"),
        (["--crop", "64"], "crop (64) is positive and fits into resize (32)"),
        (["--block", "layer4"], "No layer is in 'layer4'"),
        (["--mean", "a,b"], "neither a number nor numbers"),
        (["--solver", "obd"], "obd"),
    ],
)
def test_bad_input_ends_with_a_sentence_and_code_2(
    config: Path, tmp_path: Path, words: list[str], sentence: str
) -> None:
    result = called("stimuli", str(tmp_path / "set"), "--config", str(config), *words)
    assert result.exit_code == 2, result.output
    assert sentence in result.output
    assert not result.exception or isinstance(result.exception, SystemExit)


def test_a_folder_that_holds_no_set_is_told(tmp_path: Path) -> None:
    result = called("veto", str(tmp_path), "1", "--reason", "blank crop")
    assert result.exit_code == 2
    assert "cannot be read as the manifest of a stimulus set" in result.stderr
