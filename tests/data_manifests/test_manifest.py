import re
from collections.abc import Callable
from pathlib import Path

import pytest

from data_manifests import ManifestError, UnknownNameError
from data_manifests.manifest import MANIFESTS, load

ENTRY = """
[entry.thing]
title = "T"
purpose = "P"
address = "https://example.org"
licence = "L"
redistributable = true
obtain = "O"
citation = "C"
named_in = ["section 1"]
"""
FILE = """
[[entry.thing.file]]
name = "a/b.bin"
"""
SHA = "0" * 64
Folder = Callable[[str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder whose datasets.toml has the given text."""

    def write(text: str) -> Path:
        (tmp_path / "datasets.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_file_has_a_hash_with_a_size_or_a_sentence_that_says_why_not(name: str) -> None:
    for entry in load(name).entries:
        for file in entry.files:
            if file.sha256 is None:
                assert file.why_no_hash is not None
                assert file.why_no_hash.endswith(".")
            else:
                assert file.bytes


@pytest.mark.parametrize("name", MANIFESTS)
def test_no_manifest_names_a_path_of_a_machine(name: str) -> None:
    text = Path(load.__code__.co_filename).with_name(f"{name}.toml").read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w./:-])(/(work|tmp|home|root|mnt|data)/|[A-Z]:\\|~/)", text)


def test_what_cannot_be_passed_on_says_how_to_obtain_it() -> None:
    closed = {entry.id: entry for entry in load("datasets").entries if not entry.redistributable}
    assert set(closed) == {"imagenet-1k", "celeba", "food-101", "sst-2", "ag-news"}
    assert all("ownload" in entry.obtain and entry.named_in for entry in closed.values())


def test_every_data_set_and_network_of_the_paper_is_there() -> None:
    named = {entry.id for name in ("datasets", "weights") for entry in load(name).entries if entry.named_in}
    assert named == {
        "imagenet-1k", "celeba", "food-101", "sst-2", "ag-news", "resnet50-imagenet-v2", "resnet50-imagenet-v1",
        "mobilenet-v2-imagenet-v2", "convnext-tiny-imagenet-v1", "bert", "spade-backdoored", "cap-98",
    }  # fmt: skip


def test_a_torchvision_file_is_known_by_the_digits_in_its_name() -> None:
    for entry in load("weights").entries:
        for file in entry.files:
            if file.sha256_prefix is not None:
                assert file.name.endswith(f"-{file.sha256_prefix}.pth")


def test_an_entry_is_read_as_written(folder: Folder) -> None:
    text = ENTRY + FILE + f'bytes = 3\nsha256 = "{SHA}"\n'
    entry = load("datasets", folder(text)).entry("thing")
    assert (entry.title, entry.named_in, entry.redistributable) == ("T", ("section 1",), True)
    assert (entry.file("a/b.bin").bytes, entry.file("a/b.bin").sha256) == (3, SHA)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ENTRY + 'license = "L"', "datasets.toml, entry.thing: unknown key 'license'; did you mean 'licence'?"),
        (ENTRY.replace('licence = "L"', ""), "datasets.toml, entry.thing: the key 'licence' is missing"),
        (ENTRY.replace('"L"', '""'), "the key 'licence' should be a string that is not empty, found ''"),
        (ENTRY.replace("true", '"yes"'), "the key 'redistributable' should be true or false, found 'yes'"),
        (ENTRY.replace('["section 1"]', '"section 1"'), "'named_in' should be a list of strings, found 'section 1'"),
        (ENTRY.replace("https://", "ftp://"), "'address' should start with https:// or http://, found 'ftp://exam"),
        (ENTRY + 'file = "a.bin"', "the key 'file' should be tables headed [[file]], found 'a.bin'"),
        (ENTRY + FILE, "entry.thing, file 1: expected either 'sha256' or a sentence in 'why_no_hash'"),
        (ENTRY + FILE + f'bytes = 3\nsha256 = "{SHA}"\nwhy_no_hash = "W."', "not both or none"),
        (ENTRY + FILE + f'sha256 = "{SHA}"', "entry.thing, file 1: 'bytes' is missing beside 'sha256'"),
        (ENTRY + FILE + 'bytes = 3\nsha256 = "00ff"', "'sha256' should be hexadecimal digits [0-9a-f]{64}"),
        (ENTRY + FILE + f'bytes = -3\nsha256 = "{SHA}"', "'bytes' should be a whole number of at least 0, found -3"),
        (ENTRY + FILE + f'bytes = true\nsha256 = "{SHA}"', "should be a whole number of at least 0, found True"),
        (ENTRY + FILE + 'why_no_hash = "W."\nmd6 = "0"', "file 1: unknown key 'md6'; did you mean 'md5'?"),
        (ENTRY + 2 * (FILE + 'why_no_hash = "W."\n'), "entry.thing: the file 'a/b.bin' is listed 2 times"),
        ("[thing]\ntitle = 'T'", "datasets.toml: unknown key 'thing'"),
        ("[[trojan]]\n", "datasets.toml: unknown key 'trojan'; Allowed: entry."),
        ("[entry", "datasets.toml: expected TOML in UTF-8, found a syntax error"),
    ],
)  # fmt: skip
def test_a_bad_manifest_is_refused_by_file_place_and_what_was_expected(
    folder: Folder, text: str, sentence: str
) -> None:
    with pytest.raises(ManifestError, match=re.escape(sentence)) as caught:
        load("datasets", folder(text))
    assert str(caught.value).startswith("datasets.toml")


@pytest.mark.parametrize("name", ["/etc/passwd", "../b.bin", "a\\\\b.bin", "a//b.bin", "./b.bin"])
def test_a_file_name_that_leaves_its_folder_is_refused(folder: Folder, name: str) -> None:
    text = ENTRY + FILE.replace("a/b.bin", name) + 'why_no_hash = "W."'
    with pytest.raises(ManifestError, match="'name' should be a plain relative path"):
        load("datasets", folder(text))


def test_unknown_names_are_answered_with_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no manifest 'dataset'; did you mean 'datasets'\?"):
        load("dataset")
    with pytest.raises(UnknownNameError, match=r"datasets.toml has no entry 'celebA'; did you mean 'celeba'\?"):
        load("datasets").entry("celebA")
    with pytest.raises(
        UnknownNameError, match=r"'food-101' has no file 'food101.tar'; did you mean 'food-101.tar.gz'\?"
    ):
        load("datasets").entry("food-101").file("food101.tar")
