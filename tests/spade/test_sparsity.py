import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spade import sparsity
from spade.errors import EnvironmentProblem, InputError
from spade.sparsity import RATIO_GRID

LAYERS = ["conv1", "layer1.0.conv1", "layer1.0.downsample.0", "layer1.1.conv1", "layer10.0.conv1", "fc"]


def test_constant_gives_every_layer_the_ratio() -> None:
    assert sparsity.constant(LAYERS, 0.5) == dict.fromkeys(LAYERS, 0.5)


def test_linear_rises_from_zero_to_the_last_layer_on_the_grid() -> None:
    # 0.99 * i / 4 = 0, .2475, .495, .7425, .99; closest on the grid.
    assert list(sparsity.linear("abcde").values()) == [0, 0.2, 0.4, 0.8, 0.99]


def test_linear_off_the_grid_is_a_line() -> None:
    assert list(sparsity.linear("abc", last=0.5, grid=None).values()) == [0, 0.25, 0.5]


def test_linear_takes_the_smaller_of_two_ratios_as_close() -> None:
    assert sparsity.linear("abc", last=0.6, grid=(0.6, 0.4, 0.2, 0))["b"] == 0.2


@settings(deadline=None)
@given(st.integers(2, 200))
def test_linear_never_falls_and_is_never_off_by_more_than_half_a_step(n: int) -> None:
    ratios = list(sparsity.linear(map(str, range(n))).values())
    assert ratios == sorted(ratios)
    assert set(ratios) <= set(RATIO_GRID)
    assert all(abs(ratio - 0.99 * i / (n - 1)) <= 0.1 + 1e-12 for i, ratio in enumerate(ratios))


def test_a_single_layer_is_the_last() -> None:
    assert sparsity.linear(["fc"]) == {"fc": 0.99}


def test_a_group_is_a_whole_part_of_the_name_and_the_innermost_counts() -> None:
    assert sparsity.by_group(LAYERS, {"layer1": 0.8, "layer1.1": 0.9, "fc": 0.2}) == {
        "conv1": 0.0,
        "layer1.0.conv1": 0.8,
        "layer1.0.downsample.0": 0.8,
        "layer1.1.conv1": 0.9,
        "layer10.0.conv1": 0.0,
        "fc": 0.2,
    }


def test_an_unknown_group_is_answered_with_its_neighbour() -> None:
    with pytest.raises(InputError, match=r"No layer is in 'layr1'. did you mean 'layer1\?*'"):
        sparsity.by_group(LAYERS, {"layr1": 0.5})


def test_blocks_are_the_groups_of_the_published_search() -> None:
    assert sparsity.blocks(LAYERS) == ("conv1", "layer1.0", "layer1.1", "layer10.0", "fc")
    assert sparsity.blocks(LAYERS, depth=1) == ("conv1", "layer1", "layer10", "fc")


@settings(deadline=None)
@given(st.integers(1, 4))
def test_blocks_of_any_depth_hold_every_layer_once(depth: int) -> None:
    held = [name for block in sparsity.blocks(LAYERS, depth=depth) for name in sparsity.members(LAYERS, block)]
    assert sorted(held) == sorted(LAYERS)


@pytest.mark.parametrize("ratio", [-0.1, 1.01, float("nan"), "0.5", None, True])
def test_a_ratio_that_is_no_share_is_refused(ratio: object) -> None:
    with pytest.raises(InputError, match="The ratio of 'fc' is the share of weights to remove, 0 to 1; got"):
        sparsity.checked({"fc": ratio})


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), min_size=1), st.floats(0, 1)))
def test_saved_ratios_are_loaded_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, ratios: dict[str, float]
) -> None:
    path = tmp_path_factory.mktemp("ratios") / "ratios.toml"
    sparsity.save(ratios, path)
    assert sparsity.load(path) == ratios
    assert [each.name for each in path.parent.iterdir()] == ["ratios.toml"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[ratios\n", "holds no ratios"),
        ("[other]\nfc = 0.5\n", r"should hold one table, \[ratios\]"),
        ("[ratios]\nfc = 2\n", "'fc' is the share"),
        ("[ratios.layer1]\nconv1 = 0.5\n", "'layer1' is the share"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "ratios.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=sentence):
        sparsity.load(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        sparsity.load(tmp_path / "ratios.toml")


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ratios.toml"
    sparsity.save({"fc": 0.5}, path)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(EnvironmentProblem, match="No space left"):
        sparsity.save({"fc": 0.9}, path)
    monkeypatch.undo()
    assert sparsity.load(path) == {"fc": 0.5}
