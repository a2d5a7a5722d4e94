"""The manifest of a set as JSON data: what each picture is, and how all of them were made.

`study_app.stimulus_set` says what a server needs of it; here are also `made`, with hashes, versions, parameters and
rejected samples, and `vetoes`.
"""

import json
import os
from pathlib import Path
from typing import Any

from spade.errors import EnvironmentProblem, InputError

FORMAT = 1
NAME = "manifest.json"


def read(folder: Path) -> dict[str, Any]:
    """The manifest in `folder`.

    Raises:
        InputError: there is none, or it is not of this format.
    """
    path = folder / NAME
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        right = found["format"] == FORMAT and isinstance(found["images"], list) and "from" in found["made"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(
            f"{path} cannot be read as the manifest of a stimulus set ({problem!r}); `spade-study stimuli` writes it "
            "when a set is complete."
        ) from problem
    if not right:
        raise InputError(f"{path} is no stimulus manifest of format {FORMAT}.")
    return found


def write(folder: Path, content: dict[str, Any]) -> None:
    """Keeps the manifest, whole or not at all.

    Raises:
        EnvironmentProblem: the disk does not take it.
    """
    replace(folder / NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def replace(path: Path, text: str) -> None:
    """Writes a text file whole or not at all.

    Raises:
        EnvironmentProblem: the disk does not take it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise EnvironmentProblem(
            f"{path} cannot be written: {problem.strerror}. What was finished is kept; make room, and the same command "
            "goes on."
        ) from problem
