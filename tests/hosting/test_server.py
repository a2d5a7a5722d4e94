"""The container files' commands without containers: gunicorn on PostgreSQL, behind Caddy where it is installed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

HOSTING = Path(__file__).parents[2] / "hosting"
HOST = "study.example"
Answer = tuple[int, dict[str, str], str]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def ask(port: int, path: str, **headers: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        if process.poll() is not None:
            pytest.fail(f"it ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("it did not listen within a minute")


@pytest.fixture(scope="module")
def gunicorn(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the image's own command, with compose's settings and secrets in files."""
    folder, port = tmp_path_factory.mktemp("hosted"), free_port()
    (command,) = re.findall(r"^CMD (\[.*\])$", (HOSTING / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    words = [word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in json.loads(command)]
    (folder / "secret_key").write_text("k" * 64 + "\n", encoding="utf-8")
    (folder / "database_url").write_text(postgres_url + "\n", encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SPADE_STUDY_")},
        "SPADE_STUDY_SECRET_KEY_FILE": str(folder / "secret_key"),
        "SPADE_STUDY_DATABASE_URL_FILE": str(folder / "database_url"),
        "SPADE_STUDY_PICTURES": str(folder / "pictures"),
        "SPADE_STUDY_TRUSTED_HOSTS": f"{HOST},localhost",
        "SPADE_STUDY_PROXIES": "1",
    }
    assert words[0] == "gunicorn"
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", *words[1:]], env=environment)  # noqa: S603 - the Containerfile's words
    try:
        wait(process, port)
        yield port
    finally:
        process.terminate()
        assert process.wait(40) == 0  # a container stops by SIGTERM


def test_it_migrates_and_is_ready_under_the_name_of_the_health_check(gunicorn: int) -> None:
    status, _, body = ask(gunicorn, "/readyz", Host="localhost")
    assert (status, json.loads(body)["status"]) == (200, "ready")


def test_behind_the_proxy_it_believes_scheme_and_host(gunicorn: int) -> None:
    status, headers, _ = ask(gunicorn, "/login", Host=HOST, X_Forwarded_Proto="https", X_Forwarded_For="198.51.100.7")
    assert status == 200
    assert headers["Set-Cookie"].startswith("__Host-study=")
    assert "Secure" in headers["Set-Cookie"]
    assert "max-age" in headers["Strict-Transport-Security"]


def test_under_any_other_name_it_does_not_answer(gunicorn: int) -> None:
    assert ask(gunicorn, "/login", Host="elsewhere.example")[0] == 400
    assert ask(gunicorn, "/login", Host=HOST, X_Forwarded_Host="elsewhere.example")[0] == 400


def test_caddy_with_the_shipped_file_passes_pages_on_and_keeps_the_health_check_inside(
    gunicorn: int, tmp_path: Path
) -> None:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("Caddy is not installed (Debian: apt-get install caddy)")
    port = free_port()
    text = (HOSTING / "Caddyfile").read_text(encoding="utf-8").replace("app:8000", f"127.0.0.1:{gunicorn}")
    # Plain HTTP on a port of the test's own, and no administration port; the rest is the shipped file.
    text = text.replace("{\n\tlog", "{\n\tadmin off\n\tauto_https off\n\tlog", 1)
    (tmp_path / "Caddyfile").write_text(text, encoding="utf-8")
    environment = {**os.environ, "STUDY_HOST": f"http://{HOST}:{port}", "HOME": str(tmp_path)}
    environment |= {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [program, "run", "--config", str(tmp_path / "Caddyfile")]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - the installed Caddy
    try:
        wait(process, port)
        # What a browser claims about where it comes from is dropped: the app would refuse this host.
        status, headers, body = ask(port, "/login", Host=f"{HOST}:{port}", X_Forwarded_Host="elsewhere.example")
        assert (status, "Server" in headers) == (200, False)
        assert "<form" in body
        assert ask(port, "/readyz", Host=f"{HOST}:{port}")[0] == 404
        assert ask(port, "/healthz", Host=f"{HOST}:{port}")[0] == 200
    finally:
        process.terminate()
        process.wait(20)
