import hashlib
import json
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from study_app import stimulus_set
from study_app.commands import demo

SHIPPED = demo.DEMO / "stimuli"

# Any import of torch, or of what makes the pictures, fails in this interpreter.
WITHOUT_TORCH = """
import sys
sys.modules |= dict.fromkeys(["torch", "torchvision", "lucent", "spade", "benchmark"])
from study_app.cli import main
main()
"""


def test_the_shipped_pictures_are_those_the_manifest_describes() -> None:
    assert demo._shipped() == SHIPPED
    found = stimulus_set.read(SHIPPED)  # reads every picture and compares its sha256
    named = {picture.sha256 for picture in stimulus_set.pictures(found.images)}
    lying = {hashlib.sha256(path.read_bytes()).hexdigest() for path in SHIPPED.rglob("*.png")}
    assert lying == named
    tasks = tomllib.loads((demo.DEMO / "study.toml").read_text())["tasks"]["per_rater"]
    assert tasks % 4 == 0  # as many of each class and arm
    assert 4 * len(found.images) % tasks == 0  # and visitors fill every task alike


def test_the_shipped_set_says_what_it_was_made_from() -> None:
    raw = (SHIPPED / stimulus_set.MANIFEST).read_bytes()
    made = json.loads(raw)["made"]["from"]
    told = (SHIPPED / "README.md").read_text(encoding="utf-8")
    for sha256 in (hashlib.sha256(raw).hexdigest(), made["weights_sha256"], made["images_sha256"], made["code_sha256"]):
        assert sha256 in told


def test_the_shipped_set_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 1_500_000


def test_the_demo_shows_the_shipped_pictures_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        assert "Pictures and patterns" in page(address)
        assert json.loads(page(address + "readyz"))  # database at head, pictures whole; 503 otherwise
    stored = [path for path in (tmp_path / "kept" / "pictures").rglob("*.png") if path.is_file()]
    assert len(stored) == len({picture.sha256 for picture in pictures()})


def pictures() -> list[stimulus_set.Picture]:
    return list(stimulus_set.pictures(stimulus_set.read(SHIPPED).images))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of `spade-study demo`, running in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "said").open("w+b") as said:
        server = subprocess.Popen(  # noqa: S603 - this interpreter, on a script of ours
            [sys.executable, "-c", WITHOUT_TORCH, "demo", "--port", str(port), "--folder", str(folder / "kept")],
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(f"http://localhost:{port}/healthz", server, folder / "said")
            yield f"http://localhost:{port}/"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _await(address: str, server: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            page(address)
        except urllib.error.URLError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the demo does not answer; it said: {said.read_text()}")


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as response:  # noqa: S310 - an address of ours
        found: str = response.read().decode()
    return found
