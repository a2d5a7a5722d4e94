import re
from pathlib import Path
from shutil import copy

import pytest

from data_manifests import ManifestError, TrojanPatch, trojan_patches
from data_manifests.manifest import load as load_manifest
from data_manifests.published import load

SOURCE = Path(trojan_patches.__code__.co_filename).parent


def printed(patch: TrojanPatch) -> str:
    """The character the table prints for a patch: its emoji, or the star outside the emoji block."""
    (file,) = load_manifest("patches").entry(patch.patch).files
    code = re.fullmatch(r"emoji/emoji_u([0-9a-f]+)\.png", file.name)
    assert code is not None
    return "\N{BLACK STAR}" if patch.patch == "star" else chr(int(code[1], 16))


@pytest.mark.parametrize(("table_id", "dataset"), [("A11", "imagenet-1k"), ("A13", "food-101")])
def test_backdoors_into_a_class_are_those_the_table_prints(table_id: str, dataset: str) -> None:
    table = load(table_id)
    patches = [patch for patch in trojan_patches() if patch.table == table_id]
    assert [f"{patch.target}/{patch.target_name}" for patch in patches] == list(table.rows)
    for patch, row in zip(patches, table.rows, strict=True):
        source = "Any" if patch.source is None else f"{patch.source}/{patch.source_name}"
        assert source == table.cell(row, "Source").printed
        assert printed(patch) == table.cell(row, "Patch").printed
        assert patch.dataset == dataset


def test_backdoors_into_attributes_are_those_a12_prints() -> None:
    table = load("A12")
    patches = [patch for patch in trojan_patches() if patch.table == "A12"]
    assert [patch.patch for patch in patches] == list(table.rows)
    for patch in patches:
        assert patch.target_attributes == table.cell(patch.patch, "Target").printed
        assert printed(patch) == table.cell(patch.patch, "Patch").printed
        assert patch.source is None


def test_two_rows_of_attributes_lack_a_digit() -> None:
    lengths = {patch.patch: len(patch.target_attributes) for patch in trojan_patches() if patch.target_attributes}
    assert lengths == {"star": 39, "smiley": 40, "strawberry": 39, "fish": 40}
    noted = {row for row, cell in load("A12").column("Target").items() if "39 digits" in cell.note}
    assert noted == {"star", "strawberry"}


def test_a10_and_a11_turn_the_same_classes() -> None:
    sources = {row: cell.printed for row, cell in load("A11").column("Source").items()}
    assert sources == {row: cell.printed for row, cell in load("A10").column("Source").items()}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('patch = "heart"', 'patch = "hart"', "trojan 4: there is no patch 'hart'; did you mean 'heart'?"),
        ('dataset = "celeba"', 'dataset = "celebs"', "trojan 5: there is no dataset 'celebs'; did you mean 'celeba'?"),
        ("target = 99\n", "target = 99\ntarget_attributes = '01'\n", "trojan 4: expected either 'target' or"),
        ("source = 271\n", "", "trojan 4: 'source' and 'source_name' should be given together"),
        ("source = 271\n", "source = 271\nsorce = 3\n", "trojan 4: unknown key 'sorce'; did you mean 'source'?"),
    ],
)
def test_a_bad_backdoor_is_refused_by_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    copy(SOURCE / "datasets.toml", tmp_path)
    text = (SOURCE / "patches.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "patches.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ManifestError, match=re.escape(f"patches.toml, {sentence}")):
        trojan_patches(tmp_path)
