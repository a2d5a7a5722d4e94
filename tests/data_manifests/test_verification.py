import csv
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from data_manifests import ManifestError, ManifestFile, verify
from data_manifests.manifest import MANIFESTS, load

CONTENT = b"three patches, one of them a fish"
KNOWN = ManifestFile(
    name="patches.bin",
    bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    sha256_prefix=hashlib.sha256(CONTENT).hexdigest()[:8],
    md5=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
    why_no_hash=None,
    address=None,
)
UNKNOWN = replace(KNOWN, bytes=None, sha256=None, sha256_prefix=None, md5=None, why_no_hash="Nobody has had it.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "patches.bin"
    path.write_bytes(CONTENT)
    return path


def test_the_right_file_passes_everything_that_is_known_of_it(path: Path) -> None:
    found = verify(KNOWN, path)
    assert found.checked == ("bytes", "sha256", "sha256_prefix", "md5")
    assert (found.bytes, found.sha256) == (len(CONTENT), KNOWN.sha256)


def test_a_file_nothing_is_known_of_is_hashed_and_not_said_to_have_passed(path: Path) -> None:
    found = verify(UNKNOWN, path)
    assert found.checked == ()
    assert found.sha256 == KNOWN.sha256


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (replace(KNOWN, bytes=32), "bytes 32"),
        (replace(UNKNOWN, sha256="0" * 64), "sha256 " + "0" * 64),
        (replace(UNKNOWN, sha256_prefix="00000000"), "sha256 prefix 00000000"),
        (replace(UNKNOWN, md5="0" * 32), "md5 " + "0" * 32),
    ],
)
def test_another_file_is_refused_by_path_expectation_and_finding(path: Path, wrong: ManifestFile, kind: str) -> None:
    with pytest.raises(ManifestError, match=re.escape(f"{path}: expected {kind} for 'patches.bin', found ")):
        verify(wrong, path)


def test_one_flipped_bit_is_found(path: Path) -> None:
    path.write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])
    with pytest.raises(ManifestError, match=f"expected sha256 {KNOWN.sha256} for 'patches.bin', found [0-9a-f]{{64}};"):
        verify(KNOWN, path)


def test_a_cut_file_is_refused_by_its_size(path: Path) -> None:
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ManifestError, match=r"expected bytes 33 for 'patches\.bin', found 32"):
        verify(KNOWN, path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.bin", tmp_path):
        with pytest.raises(ManifestError, match=r"expected the file 'patches\.bin', and it cannot be read \("):
            verify(KNOWN, path)


def test_a_file_longer_than_one_read_is_hashed_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8193
    (tmp_path / "long.bin").write_bytes(content)
    assert verify(UNKNOWN, tmp_path / "long.bin").sha256 == hashlib.sha256(content).hexdigest()


def test_the_real_files_are_the_ones_the_manifests_mean(shared_data: Path) -> None:
    verified = [
        verify(file, shared_data / file.name)
        for name in MANIFESTS
        for entry in load(name).entries
        for file in entry.files
        if file.sha256 is not None
    ]
    # One network, eleven emoji, the answers, and the list of photographs.
    assert len(verified) == 14


def test_every_photograph_has_the_hash_the_list_gives(shared_data: Path) -> None:
    folder = shared_data / "imagenet_like"
    with (folder / "images.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 600
    wrong = [r["file"] for r in rows if hashlib.sha256((folder / r["file"]).read_bytes()).hexdigest() != r["sha256"]]
    assert wrong == []
