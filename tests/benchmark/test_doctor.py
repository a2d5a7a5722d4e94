"""The doctor finds what is wrong and says what to do."""

import shutil
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from benchmark import definition, doctor, policy, provenance
from benchmark.doctor import Finding
from spade.errors import InputError


def findings(folder: Path) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in doctor.examine(folder):
        found.setdefault(one.check, []).append(one)
    return found


def test_this_installation_is_fine(tmp_path: Path) -> None:
    assert [one for found in findings(tmp_path).values() for one in found if one.state == "bad"] == []


def test_a_definition_that_breaks_the_format_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise InputError("benchmark/tables/2.toml: unknown key 'titel'.")

    monkeypatch.setattr(definition, "load_all", broken)
    (found,) = findings(tmp_path)["tables"]
    assert found == Finding("tables", "bad", "benchmark/tables/2.toml: unknown key 'titel'.")


def test_whatever_a_check_raises_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise KeyError("x")

    monkeypatch.setattr(policy, "load", broken)
    (found,) = findings(tmp_path)["policy and directions"]
    assert found == Finding("policy and directions", "bad", "KeyError: 'x'")


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil gives it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 100, 2**20))
    assert doctor._disk(tmp_path / "not" / "there").state == "bad"


def test_little_memory_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = namedtuple("memory", "available")  # noqa: PYI024 - as psutil gives it
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(2**30))
    assert doctor._memory().state == "bad"


def test_a_package_that_is_missing_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "releases", lambda *_: {"torch": "2.0"})
    bad = [one for one in doctor._releases() if one.state == "bad"]
    assert len(bad) == 1
    assert "captum" in bad[0].found


def test_a_release_below_its_bound_is_worth_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy>=999.1; extra == 'method'", "scipy>=1.0,<9", "nothing"])
    assert [one.partition(" ")[0] for one in doctor._below_the_bound()] == ["numpy"]


def test_a_damaged_store_is_worth_a_note(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "smoke-seed0-x.jsonl").write_text("{}\nhalf a li")
    notes = [one.found for one in findings(tmp_path)["store"]]
    assert len(notes) == 2
    assert all(note.startswith("smoke-seed0-x.jsonl") for note in notes)
