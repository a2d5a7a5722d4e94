"""Provenance says what was run on what, and nothing that names a person or a host."""

import getpass
import json
import socket
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import provenance

STARTED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))


def call(*words: str, seconds: float = 2.5) -> dict[str, object]:
    return provenance.invocation(
        words or ("spade-bench", "run"), started=STARTED, seconds=seconds, workers=2, units=7, ended="complete"
    )


def facts(*calls: dict[str, object]) -> dict[str, object]:
    return provenance.collect(calls or (call(),), scale_sha256="s", policy_sha256="p", network="cache")


def test_the_start_of_a_command_carries_its_zone() -> None:
    assert call()["started"] == "2026-03-04T05:06:07+02:00"
    naive = STARTED.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        provenance.invocation((), started=naive, seconds=1, workers=1, units=1, ended="complete")


def test_the_time_of_all_commands_is_added_up() -> None:
    assert facts(call(seconds=2.5), call(seconds=4))["seconds"] == 6.5


def test_it_is_json() -> None:
    assert json.loads(json.dumps(facts())) == facts()


def test_releases_are_those_installed() -> None:
    assert provenance.releases(("numpy", "no such package")) == {"numpy": np.__version__}
    assert set(provenance.ARITHMETIC) <= set(provenance.releases())


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("cannot open /home/ada/runs/x.json", "cannot open .../x.json"),
        ("--store=/srv/ada/runs", "--store=.../runs"),
        ("~/runs/x and 'C:\\Users\\ada\\x.bin'", ".../x and '.../x.bin'"),
        ("3/4 of a/b at https://example.org/a/b", "3/4 of a/b at https://example.org/a/b"),
        ("benchmark/tables/2.toml", "benchmark/tables/2.toml"),
        ("/", "/"),
    ],
)
def test_absolute_paths_are_cut_to_their_last_part(text: str, cleaned: str) -> None:
    assert provenance.without_paths(text) == cleaned


@given(st.lists(st.text("abcxyz", min_size=1, max_size=8), min_size=2, max_size=5))
def test_no_folder_of_a_path_survives(parts: list[str]) -> None:
    path = "/" + "/".join(f"<{part}>" for part in parts)
    assert provenance.without_paths(f"in {path} now") == f"in .../<{parts[-1]}> now"


def test_the_command_names_no_folder() -> None:
    words = ("/home/ada/.venv/bin/spade-bench", "run", "--store", "/home/ada/secret/runs", "2")
    assert provenance.command(words) == "spade-bench run --store .../runs 2"


def test_nothing_names_the_host_the_user_or_their_folders() -> None:
    text = json.dumps(facts(call(f"{Path.home()}/spade-bench", "run", f"--report={Path.cwd()}/out")))
    host, user = socket.gethostname(), getpass.getuser()
    for secret in (str(Path.cwd()), f'"{host}"', f"@{host}", f"/{user}/"):
        assert secret not in text


def test_the_commit_is_that_of_this_checkout() -> None:
    here = Path(provenance.__file__).parent
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(here), "rev-parse", "HEAD"],  # noqa: S607 - the user's git
        capture_output=True,
        text=True,
        check=False,
    )
    expected = done.stdout.strip() if done.returncode == 0 else None
    assert (provenance.commit() or "").removesuffix("-changed") == (expected or "")


def test_another_projects_repository_lends_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "theirs"\n')
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # noqa: S603, S607 - the user's git
    (tmp_path / "benchmark").mkdir()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "benchmark" / "provenance.py"))
    assert provenance.commit() is None


def test_outside_any_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() is None


def test_the_numerics_in_a_key_change_with_the_release_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    before = provenance.numerics()
    monkeypatch.setattr(provenance, "version", lambda name: "0.0" if name == "torch" else "1.0")
    assert provenance.numerics() != before
    assert provenance.numerics()["libraries"]["torch"] == "0.0"
