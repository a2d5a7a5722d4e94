"""The container files say what the code says: settings, ports, users, secrets."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from study_app import settings
from study_app.commands.serve import serve

ROOT = Path(__file__).parents[2]
HOSTING = ROOT / "hosting"
COMPOSE: dict[str, Any] = yaml.safe_load((HOSTING / "compose.yaml").read_text(encoding="utf-8"))
CONTAINERFILE = (HOSTING / "Containerfile").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
KNOWN = {f"{settings.PREFIX}{name}" for name in ("SECRET_KEY", "DATABASE_URL", "PICTURES", *settings._READERS)}


def variables(text: str) -> set[str]:
    """Names of settings in `text`; NAME_FILE counts as NAME."""
    found: set[str] = set(re.findall(rf"\b{settings.PREFIX}[A-Z_]+[A-Z]", text))
    return {name.removesuffix("_FILE") for name in found}


@pytest.mark.parametrize("path", ["hosting/compose.yaml", "hosting/Containerfile", "docs/hosting.md", "README.md"])
def test_every_variable_is_a_setting(path: str) -> None:
    assert variables((ROOT / path).read_text(encoding="utf-8")) <= KNOWN


def test_the_guides_table_lists_every_setting() -> None:
    assert set(re.findall(r"^\| `(SPADE_STUDY_[A-Z_]+)` \|", GUIDE, flags=re.MULTILINE)) == KNOWN


def test_the_app_starts_with_what_compose_sets(tmp_path: Path) -> None:
    given: dict[str, str] = dict(COMPOSE["services"]["app"]["environment"])
    for name, value in given.items():
        if name.endswith("_FILE"):
            file = tmp_path / Path(value).name
            file.write_text("s" * 48 + "\n", encoding="utf-8")
            given[name] = str(file)
        given[name] = re.sub(r"\$\{STUDY_HOST:\?[^}]*\}", "study.example", given[name]).replace(
            "${LOG_LEVEL:-INFO}", "INFO"
        )
    chosen = settings.from_environment(given)
    assert chosen.trusted_hosts == ("study.example", "localhost")
    assert (chosen.proxies, chosen.insecure_http, chosen.rate_limits) == (1, False, True)


def test_every_secret_that_is_read_is_given_and_every_secret_given_is_made_in_the_guide() -> None:
    for name, service in COMPOSE["services"].items():
        read = set(re.findall(r"/run/secrets/(\w+)", json.dumps(service)))
        assert read == set(service.get("secrets", [])), name
    assert {one["file"] for one in COMPOSE["secrets"].values()} == {
        f"./{path}" for path in re.findall(r"> (secrets/\w+)$", GUIDE, flags=re.MULTILINE)
    }


def program(name: str) -> str:
    """The path of a command that comes with the group `test`; the test skips where it does not."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not installed (group `test`)")
    return found


def linted(text: str) -> list[str]:
    words = [program("hadolint"), "--no-color", "-"]
    return subprocess.run(words, input=text, text=True, capture_output=True, check=False).stdout.splitlines()  # noqa: S603 - the line above


def test_hadolint_finds_nothing_in_the_containerfile_and_something_in_a_worse_one() -> None:
    assert linted(CONTAINERFILE) == []
    assert any("DL3020" in line for line in linted(CONTAINERFILE.replace("COPY . .", "ADD . .")))


def test_the_compose_file_is_one_by_the_specification_and_a_misspelt_one_is_not(tmp_path: Path) -> None:
    misspelt = tmp_path / "compose.yaml"
    misspelt.write_text(
        (HOSTING / "compose.yaml").read_text(encoding="utf-8").replace("healthcheck:", "healthchek:", 1)
    )
    words = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    for path, expected in ((HOSTING / "compose.yaml", 0), (misspelt, 1)):
        done = subprocess.run([*words, str(path)], capture_output=True, text=True, check=False)  # noqa: S603 - as above
        assert done.returncode == expected, done.stdout


def test_one_port_goes_from_gunicorn_over_the_health_check_to_the_proxy() -> None:
    (bound,) = re.findall(r'"--bind", "0\.0\.0\.0:(\d+)"', CONTAINERFILE)
    (exposed,) = re.findall(r"^EXPOSE (\d+)$", CONTAINERFILE, flags=re.MULTILINE)
    (checked,) = re.findall(r"localhost:(\d+)/readyz", json.dumps(COMPOSE["services"]["app"]["healthcheck"]))
    (proxied,) = re.findall(r"reverse_proxy app:(\d+)", (HOSTING / "Caddyfile").read_text(encoding="utf-8"))
    (default,) = (one.default for one in serve.params if one.name == "port")
    assert {bound, exposed, checked, proxied, str(default)} == {"8000"}
    assert "app" in COMPOSE["services"]


def test_only_the_proxy_is_reached_from_outside() -> None:
    services = COMPOSE["services"]
    assert {name for name, one in services.items() if one.get("ports")} == {"proxy"}
    assert {name for name, one in services.items() if "outside" in one["networks"]} == {"proxy"}
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_pictures_lie_in_a_volume_that_the_apps_user_owns() -> None:
    pictures = COMPOSE["services"]["app"]["environment"]["SPADE_STUDY_PICTURES"]
    assert f"pictures:{pictures}" in COMPOSE["services"]["app"]["volumes"]
    assert f"SPADE_STUDY_PICTURES={pictures}" in CONTAINERFILE
    assert re.search(rf"install -d -o study -g study .*{pictures}\b", CONTAINERFILE)
    (user,) = re.findall(r"^USER (\d+):\d+$", CONTAINERFILE, flags=re.MULTILINE)
    assert f"--uid {user}" in CONTAINERFILE
    assert user != "0"


def test_the_image_holds_every_package_and_nothing_else() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert kept == packages | {"pyproject.toml", "README.md", "LICENSE"}


def test_secrets_and_host_names_are_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/hosting/.env", "/hosting/secrets/"} <= set(ignored)
    assert not (HOSTING / "secrets").exists()
