import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from spade import cli, explain_command
from spade.explanation import Explanation, explanation

Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "squeezenet.pt"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(torchvision.models.squeezenet1_1(weights=None, num_classes=6).state_dict(), path)
    return path


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    path = tmp_path / "photograph.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, photograph: Path, weights: Path
) -> Run:
    """Runs `spade explain` on small inputs in a folder of its own; gives exit code and everything printed."""
    monkeypatch.chdir(tmp_path)

    def explain(
        *options: str, image: Path = photograph, model: str = "squeezenet1_1", file: Path = weights
    ) -> tuple[int, str]:
        quick = ["--resize", "48", "--crop", "48", "--augmentations", "4", "--solver", "sparsegpt"]
        words = ["spade", "explain", str(image), "--model", model, "--weights", str(file)]
        words += [*quick, "--ratios", "classifier=0.5", "--methods", "Saliency", *options]
        monkeypatch.setattr(sys, "argv", words)
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, " ".join((captured.out + captured.err).split())

    return explain


def test_a_picture_is_written_and_what_happened_is_told(run: Run, tmp_path: Path) -> None:
    code, told = run()
    assert code == 0
    with Image.open(tmp_path / "photograph-spade.png") as picture:
        assert min(picture.size) > 300
    assert "pruning 1 of 26 layers" in told
    assert "the maps after it are not counted" in told
    assert "FastSPADE: " in told
    assert "prediction " in told


def test_a_prediction_that_is_not_kept_is_told_with_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explanation, "kept", property(lambda _: True))
    assert "remove less" not in run()[1]
    monkeypatch.setattr(Explanation, "kept", property(lambda _: False))
    code, told = run()
    assert code == 0
    assert "no longer answers as the network does" in told
    assert "remove less, such as --ratios classifier=0.5." in told


def test_methods_and_blocks_can_be_chosen(run: Run, tmp_path: Path) -> None:
    blocks = "features.12=0.8,classifier=0.5"
    code, told = run("--methods", "saliency, GUIDEDBACKPROP", "--ratios", blocks, "--output", "o.svg")
    assert code == 0
    assert "pruning 4 of 26 layers" in told  # the last fire module has three convolutions, the head one
    assert (tmp_path / "o.svg").stat().st_size > 1000


def test_greyscale_is_converted_and_said(run: Run, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    Image.new("L", (64, 64), 90).save(grey)
    code, told = run(image=grey)
    assert code == 0
    assert "grey.png is greyscale" in told


def test_a_class_out_of_range_is_answered_with_the_range(run: Run) -> None:
    assert run("--target", "6") == (2, run("--target", "6")[1])
    assert "Class 6 is out of range: the network knows classes 0 to 5." in run("--target", "6")[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--methods", "Salienci"), "did you mean 'Saliency'"),
        (("--methods", ","), "--methods names no method"),
        (("--solver", "obs"), "did you mean 'obc'"),
        (("--protocol", "our"), "did you mean 'ours'"),
        (("--ratios", "clasifier=0.5"), "did you mean 'classifier"),
        (("--ratios", "classifier=much"), "is no block and its share"),
        (("--ratios", "classifier=1.5"), "0 to 1; got 1.5"),
        (("--ratios", "lineal"), "neither 'linear', nor a number, nor a TOML file"),
        (("--ratios", "1.2"), "0 to 1; got 1.2"),
        (("--ratios", "nan"), "0 to 1; got nan"),
        (("--ratios", "absent.toml"), "absent.toml holds no ratios"),
        (("--mean", "a"), "--mean a is neither a number"),
        (("--mean", "0.5,0.5"), "one for each of the three channels"),
        (("--std", "0"), "divides by zero"),
        (("--output", "nowhere/x.png"), "its folder must exist"),
        (("--output", "x.txt"), "must end in one of"),
        (("--crop", "64"), "crop of 64 pixels must be positive and fit"),
        (("--augmentations", "0"), "is not in the range"),
        (("--target", "one"), "not a valid integer"),
    ],
)
def test_an_option_that_cannot_be_used_is_told_with_exit_code_2(
    run: Run, options: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    code, printed = run(*options)
    assert code == 2
    assert told in printed
    assert "Traceback" not in printed
    assert not list(tmp_path.glob("*-spade.png"))


def test_an_unknown_model_is_answered_with_near_names(run: Run) -> None:
    code, told = run(model="squeezenet11")
    assert code == 2
    assert "did you mean 'squeezenet1_1'" in told


def test_weights_of_another_network_are_told(run: Run) -> None:
    code, told = run(model="resnet18")
    assert code == 2
    assert "weights of another network than resnet18" in told


def test_what_is_no_picture_is_told(run: Run, weights: Path) -> None:
    code, told = run(image=weights)
    assert code == 2
    assert "is not a picture" in told


def test_ratios_of_a_file_are_taken_and_its_unknown_layers_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[ratios]\n"classifier.1" = 0.4\n')
    (tmp_path / "bad.toml").write_text('[ratios]\n"classifier.7" = 0.4\n')
    assert run("--ratios", "good.toml")[0] == 0
    code, told = run("--ratios", "bad.toml")
    assert code == 2
    assert "did you mean 'classifier.1'" in told


def test_ratios_of_a_file_may_be_those_of_blocks_as_a_search_finds_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "blocks.toml").write_text('[ratios]\n"features.12" = 0.8\nclassifier = 0.5\n')
    code, told = run("--ratios", "blocks.toml")
    assert code == 0
    assert "pruning 4 of 26 layers" in told


def test_one_number_is_the_ratio_of_every_layer(run: Run) -> None:
    code, told = run("--ratios", "0.5")
    assert code == 0
    assert "pruning 26 of 26 layers" in told


def test_nothing_to_prune_is_said(run: Run) -> None:
    code, told = run("--ratios", "classifier=0")
    assert code == 0
    assert "FastSPADE will equal dense" in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_ends_with_exit_code_4(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / ".out.png.partial").symlink_to("/dev/full")
    code, told = run("--output", "out.png")
    assert code == 4
    assert "No space left on device" in told
    assert not (tmp_path / "out.png").exists()


def test_ctrl_c_ends_without_a_trace_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_request: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(explain_command, "run", interrupt)
    code, told = run()
    assert code == 130
    assert "stopped" in told


@pytest.mark.parametrize("stage", ["look", "trace", "maps"])
def test_ctrl_c_at_any_stage_leaves_no_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str
) -> None:
    def interrupted(*args: Any, watch: Callable[..., None], **options: Any) -> object:
        def stop(at: str, *facts: object) -> None:
            watch(at, *facts)
            if at == stage:
                raise KeyboardInterrupt

        return explanation(*args, watch=stop, **options)

    monkeypatch.setattr(explain_command, "explanation", interrupted)
    there = set(tmp_path.iterdir())
    code, told = run()
    assert code == 130
    assert "spade: stopped; nothing was written." in told
    assert "Traceback" not in told
    assert set(tmp_path.iterdir()) == there


def test_a_log_without_a_terminal_says_how_far_it_is(run: Run) -> None:
    _, told = run()
    assert "looking at the image: 100%" in told
    assert "pruning for this image: 100%" in told
    assert "saliency maps: 100%" in told


def test_help_does_not_import_torch() -> None:
    program = "import sys; sys.argv = ['spade', 'explain', '--help']\ntry:\n    import spade.cli; spade.cli.main()\n"
    program += "finally:\n    sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert "--methods" in done.stdout


@pytest.mark.slow
def test_a_real_photograph_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shared_data / "imagenet_like"
    image = next((data / "images" / "0427").glob("*.jpg"))
    words = ["spade", "explain", str(image), "--model", "mobilenet_v2", "--mean", "0.5", "--std", "0.5", "--solver"]
    words += ["sparsegpt", "--augmentations", "16", "--output", str(tmp_path / "o.png")]
    monkeypatch.setattr(sys, "argv", [*words, "--weights", str(data / "mobilenet_v2.safetensors")])
    cli.main()
    assert "dense: 427 (barrel)" in capsys.readouterr().err
    assert (tmp_path / "o.png").stat().st_size > 50_000
