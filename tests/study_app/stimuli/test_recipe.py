from pathlib import Path

import pytest

from spade.errors import InputError
from study_app.stimuli.recipe import gather

WHOLE = """
model = "network.py:build"
weights = "w.safetensors"
images = "images"
samples = 12
mean = [0.5]
block = ["layer4"]
[regions]
threshold = 0.8
[ascent]
steps = 64
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "stimuli.toml"
    path.write_text(WHOLE)
    return path


def test_paths_in_the_file_are_relative_to_the_file(config: Path) -> None:
    found = gather(config, {})
    assert found.weights == config.parent / "w.safetensors"
    assert found.model == f"{config.parent / 'network.py'}:build"


def test_options_come_before_the_file(config: Path) -> None:
    found = gather(config, {"samples": 3, "weights": Path("other.pt"), "seed": None})
    assert (found.samples, found.weights, found.seed) == (3, Path("other.pt"), 0)


def test_tables_of_the_file_become_settings(config: Path) -> None:
    found = gather(config, {})
    assert (found.regions.threshold, found.ascent.steps, found.mean, found.block) == (0.8, 64, (0.5,), ("layer4",))


def test_the_parameters_say_nothing_about_paths(config: Path) -> None:
    assert not [value for value in gather(config, {}).parameters().values() if str(config.parent) in str(value)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("sampels = 3", "unknown key 'sampels'. did you mean 'samples'"),
        ("samples = 'three'", "samples is 'three'; int belongs there"),
        ("samples = 0", "samples is 1 or more"),
        ("solver = 'obd'", "no solver 'obd'. did you mean 'obc'"),
        ("protocol = 'our'", "Unknown protocol 'our'. did you mean 'ours'"),
        ("crop = 300", "crop .300. is positive and fits"),
        ("sparsity = 1.0", "sparsity is the share"),
        ("std = [0.0]", "standard deviations are above 0"),
        ("mean = [1.0, 2.0]", "mean is one number or three"),
        ("block = 3", "block: .*|block is 3"),
        ("regions = 3", "regions is 3; a table belongs there"),
        ("[ascent]\nstep = 3", "ascent: unknown key 'step'. did you mean 'steps'"),
        ("[regions]\nthreshold = 3.0", "threshold is in"),
    ],
)
def test_what_makes_no_set_is_told(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(f'model = "resnet18"\nweights = "w"\nimages = "i"\n{line}\n')
    with pytest.raises(InputError, match=sentence):
        gather(path, {})


def test_what_is_missing_is_told() -> None:
    with pytest.raises(InputError, match="does not say --weights, --images; give it, or a --config"):
        gather(None, {"model": "resnet18"})


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("model = ")
    with pytest.raises(InputError, match="cannot be read as TOML"):
        gather(tmp_path / "s.toml", {})
