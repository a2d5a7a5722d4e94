import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark import export_scale, scale
from benchmark.datasets import procedural
from benchmark.datasets.procedural import Recipe
from benchmark.models import laboratory, training
from benchmark.models.shape import Shape
from benchmark.scale import Data, Scale, Training
from spade import checkpoint
from spade.errors import EnvironmentProblem, InputError
from study_app.stimuli.recipe import gather
from study_app.stimuli.subject import load


@pytest.fixture(scope="module")
def tiny() -> Scale:
    return replace(
        scale.load("smoke"),
        name="tiny",
        images=Recipe(classes=3, facets=1, side=32, radius=(6.0, 9.0), distractors=(0, 0), clutter=(0, 0)),
        data=Data(train=192, test=30, calibration=30),
        network=Shape(widths=(16, 16, 32, 32), stem_width=16),
        training=Training(epochs=4, batch_size=32),
    )


@pytest.fixture(scope="module")
def exported(tiny: Scale, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, export_scale.Exported]:
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    return folder, export_scale.export(tiny, 0, folder, n_images=20)


def test_weights_and_code_give_the_network_back_to_anyone(
    tiny: Scale, exported: tuple[Path, export_scale.Exported]
) -> None:
    folder, found = exported
    model = checkpoint.load(f"{folder / 'network.py'}:build", folder / "weights.safetensors")
    names = (folder / "classes.txt").read_text().splitlines()
    right = 0
    for path in (folder / "images").rglob("*.png"):
        pixels = np.array(Image.open(path)).transpose(2, 0, 1)
        with torch.no_grad():
            said = int(model(training.normalise(training.pixels(pixels[None]))).argmax())
        right += names[said] == path.parent.name
    assert (found.images, round(20 * found.accuracy), found.wrong) == (20, right, 20 - right)
    assert right > 20 / 3  # better than a guess: these are its weights, and its classes in its order
    assert model.conv1.weight.shape == (tiny.network.stem_width, 3, 3, 3)


def test_the_code_needs_nothing_of_this_project(exported: tuple[Path, export_scale.Exported]) -> None:
    code = (exported[0] / "network.py").read_text()
    imports = [line for line in code.splitlines() if line.startswith(("import", "from"))]
    assert imports
    assert [
        line for line in imports if line.split()[1].partition(".")[0] not in {"dataclasses", "torch", "torchvision"}
    ] == []


def test_the_study_takes_the_options_as_they_stand(tiny: Scale, exported: tuple[Path, export_scale.Exported]) -> None:
    subject = load(gather(exported[0] / "stimuli.toml", {}))
    assert (subject.block, subject.cam_layer, len(subject.names.names)) == (("layer4",), "layer3", 3)
    assert len(subject.images.images) == 20
    x = laboratory.fresh_images(tiny, 0, 1).images
    assert (subject.normalise(training.pixels(x)) == training.normalise(training.pixels(x))).all()


def test_images_are_those_of_the_classes_that_no_network_has_seen(tiny: Scale) -> None:
    fresh = laboratory.fresh_images(tiny, 0, 20)
    again = laboratory.fresh_images(tiny, 0, 20)
    assert (fresh.images == again.images).all()
    streams = laboratory.random_streams(0)
    assert isinstance(tiny.images, Recipe)
    vocabulary = procedural.Vocabulary.draw(tiny.images, streams["vocabulary"])
    for part in ("train", "test", "calibration"):
        seen = procedural.draw(tiny.images, vocabulary, 20, streams[part]).images
        assert not (seen[:, None] == fresh.images[None]).all(axis=(2, 3, 4)).any()


def test_every_file_has_the_hash_that_is_noted(exported: tuple[Path, export_scale.Exported]) -> None:
    about = json.loads((exported[0] / "export.json").read_text())
    assert set(about["sha256"]) == {"weights.safetensors", "network.py", "classes.txt", "stimuli.toml"}
    for name, sha256 in about["sha256"].items():
        assert hashlib.sha256((exported[0] / name).read_bytes()).hexdigest() == sha256


def test_an_export_that_was_stopped_goes_on_without_training(
    tiny: Scale, exported: tuple[Path, export_scale.Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, whole = exported
    for name in ("export.json", "weights.safetensors"):  # what a kill among the images leaves
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    monkeypatch.setattr(laboratory, "train_clean", lambda *_, **__: pytest.fail("it was trained already"))
    again = export_scale.export(tiny, 0, tmp_path, n_images=20)
    assert again == replace(whole, made=False)
    assert _content(tmp_path) == _content(folder)


def _content(folder: Path) -> dict[Path, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    # Python leaves its bytecode where another test has loaded the exported network's file.
    return {path.relative_to(folder): path.read_bytes() for path in found if path.parent.name != "__pycache__"}


def test_altered_weights_are_made_again(
    tiny: Scale, exported: tuple[Path, export_scale.Exported], tmp_path: Path
) -> None:
    folder, _ = exported
    (tmp_path / "export.json").write_bytes((folder / "export.json").read_bytes())
    (tmp_path / "weights.safetensors").write_bytes(b"altered")
    assert export_scale.export(tiny, 0, tmp_path, n_images=20).made
    assert (tmp_path / "weights.safetensors").read_bytes() == (folder / "weights.safetensors").read_bytes()


@pytest.mark.parametrize(("seed", "images"), [(1, 20), (0, 21)])
def test_a_folder_with_another_export_is_refused(
    tiny: Scale, exported: tuple[Path, export_scale.Exported], seed: int, images: int
) -> None:
    with pytest.raises(InputError, match="holds something else than this export"):
        export_scale.export(tiny, seed, exported[0], n_images=images)


def test_a_folder_with_files_of_yours_and_a_file_are_refused(tiny: Scale, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="files of yours"):
        export_scale.export(tiny, 0, tmp_path, n_images=20)
    with pytest.raises(InputError, match="is a file; an export needs a folder"):
        export_scale.export(tiny, 0, tmp_path / "thesis.tex", n_images=20)


def test_a_place_that_cannot_be_written_is_told(tiny: Scale, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        export_scale.export(tiny, 0, tmp_path / "file" / "folder", n_images=20)
