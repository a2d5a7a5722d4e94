"""Commands printed in the documents are commands that exist."""

import configparser
import importlib
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]

REPRODUCE = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox run -e reproduce"
TEST = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox run -e py"


def environments() -> set[str]:
    """Names of the tox environments."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini", encoding="utf-8")
    return {name.removeprefix("testenv:") for name in config.sections() if name.startswith("testenv:")}


def printed(document: Path) -> list[str]:
    """Shell lines of `document`: fenced code marked as shell, and inline code that starts with one of our commands."""
    text = document.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    joined = "\n".join(fenced).replace("\\\n", " ")
    inline = re.findall(r"(?<!`)`((?:\S*/)?(?:spade|spade-bench|spade-study) [^`\n]+)`(?!`)", text)
    return [line for line in joined.splitlines() if line and not line.startswith("#")] + inline


def group(module: str) -> click.Group:
    """The command group that `module` defines; its entry point may be a function around it."""
    (found,) = {one for one in vars(importlib.import_module(module)).values() if isinstance(one, click.Group)}
    return found


def problem(line: str) -> str | None:
    """Why one simple command `line` of ours cannot be run as printed, None where it can (or is not ours)."""
    words = shlex.split(line, comments=True)
    script = Path(words[0]).name if words else ""
    if script == "tox":
        asked = {name for flag, names in pairwise(words) if flag == "-e" for name in names.split(",")}
        return f"no tox environment {asked - environments()}" if asked - environments() else None
    if script not in SCRIPTS:
        return None
    command: click.Command = group(SCRIPTS[script].partition(":")[0])
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            return f"no command {rest[0]!r} in {line!r}"
        command, rest = found, rest[1:]
    known = {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)} | {"--help"}
    unknown = {word.partition("=")[0] for word in rest if word.startswith("-")} - known
    return f"{command.name} has no option {sorted(unknown)}" if unknown else None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_printed_command_exists(document: Path) -> None:
    parts = [part.strip() for line in printed(document) for part in re.split(r"&&|\|(?!\|)|;", line)]
    assert [reason for part in parts if (reason := problem(part))] == []


@pytest.mark.parametrize(
    "line",
    ["tox run -e nosuch", "spade nosuch", "spade-bench run --nosuch", ".venv/bin/spade explain a.jpg --nosuch 1"],
)
def test_a_command_that_does_not_exist_is_seen(line: str) -> None:
    assert problem(line) is not None


def test_the_readme_prints_its_two_commands_to_the_letter() -> None:
    lines = printed(ROOT / "README.md")
    assert REPRODUCE in lines
    assert TEST in lines


def test_continuous_integration_calls_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert TEST in script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111, "nothing can execute .ci/run"


def test_every_tox_environment_is_explained_to_contributors() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {name for name in environments() if f"`{name}`" not in text} == set()


def test_the_python_example_of_the_readme_runs(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    done = subprocess.run(  # noqa: S603 - this interpreter, on the document's own text
        [sys.executable, "-W", "error", "-c", f"import sys; sys.path[:] = {sys.path}\n{example}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    # The last of two layers, 1280 weights, at 0.99: ceil(1267.2) = 1268 go, and 1268 / 1280 = 0.990625.
    assert "'4': 0.990625" in done.stdout
