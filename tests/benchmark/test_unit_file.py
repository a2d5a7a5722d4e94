"""A unit file loses at most the line that was being written, and says what it lost."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import unit_file
from benchmark.records import UnitRecord
from benchmark.unit_file import UnitFile, decode, encode, read
from spade.errors import EnvironmentProblem

words = st.text(max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
records = st.builds(
    UnitRecord,
    key=words,
    status=st.sampled_from(["ok", "failed", "unavailable", "skipped"]),
    reason=words,
    sample=words,
    arm=words,
    method=words,
    seed=st.integers(0, 2**31),
    value=st.none() | finite,
    kept=st.none() | st.booleans(),
    probability_dense=st.none() | finite,
    seconds=finite,
    sparsity=st.dictionaries(words, finite, max_size=3),
    dead_columns=st.dictionaries(words, st.integers(0, 9), max_size=3),
    fallbacks=st.lists(words, max_size=3).map(tuple),
    delta=st.none() | finite,
    versions=st.dictionaries(words, words, max_size=2),
)


def record(key: str, value: float = 0.5) -> UnitRecord:
    return UnitRecord(key, "ok", "", "s", "dense", "LIME", 0, value=value)


def filled(path: Path, count: int) -> bytes:
    with UnitFile(path) as units:
        for i in range(count):
            units.append(record(f"k{i}"))
    return path.read_bytes()


@given(records)
def test_a_record_comes_back_bit_for_bit(one: UnitRecord) -> None:
    line = encode(one)
    assert line.count(b"\n") == 1
    assert decode(line) == one


def test_a_number_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(record("k", float("nan")))


def test_a_changed_digit_is_noticed() -> None:
    line = encode(record("k", 0.5))
    with pytest.raises(ValueError, match="check sum"):
        decode(line.replace(b"0.5", b"0.6"))


def test_a_missing_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl").records == {}


def test_what_was_appended_is_there_when_opened_again(tmp_path: Path) -> None:
    filled(tmp_path / "u.jsonl", 3)
    with UnitFile(tmp_path / "u.jsonl") as units:
        assert list(units.records) == ["k0", "k1", "k2"]
        assert units.notes == ()


def test_of_two_lines_with_one_key_the_later_holds(tmp_path: Path) -> None:
    with UnitFile(tmp_path / "u.jsonl") as units:
        units.append(record("k", 0.1))
        units.append(record("k", 0.2))
    assert read(tmp_path / "u.jsonl").records["k"].value == 0.2


def test_a_file_cut_anywhere_loses_only_the_line_it_was_cut_in(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    whole = filled(path, 3)
    starts = [0, *(i + 1 for i, byte in enumerate(whole) if byte == ord("\n"))]
    near = {start + step for start in starts for step in (-2, -1, 0, 1, 2)} & set(range(len(whole) + 1))
    for cut in sorted(near | set(range(0, len(whole), 41))):
        path.write_bytes(whole[:cut])
        with UnitFile(path) as units:
            complete = sum(start <= cut for start in starts) - 1
            assert list(units.records) == [f"k{i}" for i in range(complete)]
            assert bool(units.notes) == (cut not in starts)
            units.append(record("next"))
        assert list(read(path).records)[-1] == "next"


def test_a_torn_line_is_said_and_gone_after_the_next_opening(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    whole = filled(path, 2)
    path.write_bytes(whole[:-5])
    with UnitFile(path) as units:
        assert units.notes == (
            "u.jsonl: the last line was cut off (a run was killed there); its unit is computed again.",
        )
    with UnitFile(path) as units:
        assert units.notes == ()


@pytest.mark.parametrize("damage", [b"\x00\xff\x00\n", b"{}\n", b"[1]\n", b'{"key": "k"}\n', b"\n"])
def test_a_damaged_line_is_set_aside_and_the_others_stay(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "u.jsonl"
    whole = filled(path, 3)
    first, *rest = whole.splitlines(keepends=True)
    path.write_bytes(first + damage + b"".join(rest))
    with UnitFile(path) as units:
        assert units.notes == ("u.jsonl: 1 damaged line set aside; the units are computed again.",)
        assert list(units.records) == ["k0", "k1", "k2"]
    assert path.read_bytes() == whole
    assert path.with_name("u.jsonl.damaged").read_bytes() == damage


def test_reading_repairs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    cut = filled(path, 2)[:-3]
    path.write_bytes(cut)
    contents = read(path)
    assert path.read_bytes() == cut
    assert contents.notes("u.jsonl")


def test_a_line_with_a_field_of_another_release_is_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    data = json.loads(encode(record("k")))
    del data["check"]
    data["colour"] = "red"
    path.write_text(json.dumps({**data, "check": unit_file._check_sum(data)}) + "\n")
    assert read(path).records == {}


def test_two_runs_cannot_write_one_file(tmp_path: Path) -> None:
    with UnitFile(tmp_path / "u.jsonl"), pytest.raises(EnvironmentProblem, match="Another run is writing u"):
        UnitFile(tmp_path / "u.jsonl")
    UnitFile(tmp_path / "u.jsonl").close()


def test_a_full_disk_is_a_sentence_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "u.jsonl"
    written = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written(file, data[: len(data) - 50])  # the disk takes a part, then no more

    with UnitFile(path) as units:
        units.append(record("k0"))
        before = path.read_bytes()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(EnvironmentProblem, match="No space left on device"):
            units.append(record("k1"))
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert "k1" not in units.records
        units.append(record("k1"))
    assert list(read(path).records) == ["k0", "k1"]


LIMITED = """
import resource, sys
from pathlib import Path
from benchmark.records import UnitRecord
from benchmark.unit_file import UnitFile
from spade.errors import EnvironmentProblem
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with UnitFile(Path(sys.argv[1])) as units:
    try:
        for i in range(100):
            units.append(UnitRecord(f"k{i}", "ok", "", "s", "dense", "LIME", 0))
    except EnvironmentProblem as problem:
        sys.exit(str(problem))
"""


def test_a_real_write_that_the_system_cuts_short_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    root = Path(unit_file.__file__).parent.parent
    done = subprocess.run(  # noqa: S603 - this interpreter, on a script of ours
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False, cwd=root
    )
    assert "cannot be written: File too large" in done.stderr
    contents = read(path)
    assert contents.torn == b""
    assert contents.damaged == ()
    assert len(contents.records) == len(path.read_bytes().splitlines()) > 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        UnitFile(tmp_path / "units" / "u.jsonl")


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "units").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        UnitFile(tmp_path / "units" / "u.jsonl")
