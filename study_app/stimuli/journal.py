"""What has been done of a set, one JSON line a looked-at sample: a killed run goes on behind the last whole line."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spade.errors import EnvironmentProblem, InputError

NAME = "journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """The journal of one set; its first line is what the set is made from.

    Attributes:
        entries: one a misclassified or unreadable sample, in the order they were met: either an `image` (a manifest
            entry) or a `rejected` (with the reason); both say their `position`, their place among all images.
    """

    path: Path
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Manifest entries of the samples that became items."""
        return [entry["image"] for entry in self.entries if "image" in entry]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """Reference and reason of the others."""
        return [entry["rejected"] for entry in self.entries if "rejected" in entry]

    @property
    def next_position(self) -> int:
        """Place of the first image that may not have been looked at."""
        return 1 + max((one["position"] for one in (*self.accepted, *self.rejected)), default=-1)

    def add(self, entry: dict[str, Any]) -> None:
        """Keeps an entry on the disk before it counts.

        Raises:
            EnvironmentProblem: the disk does not take it.
        """
        _append(self.path, entry)
        self.entries.append(entry)


def opened(folder: Path, made_from: Mapping[str, Any], *, earlier: Iterable[dict[str, Any]] = ()) -> Journal:
    """The journal in `folder`, begun with `earlier` entries if there is none.

    Raises:
        InputError: it is of a set made from something else; the sentence names what differs.
        EnvironmentProblem: it cannot be read or written.
    """
    path = folder / NAME
    made_from = json.loads(json.dumps(made_from))
    if not path.is_file():
        begun = Journal(path)
        _append(path, {"made_from": made_from})
        for entry in earlier:
            begun.add(entry)
        return begun
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise EnvironmentProblem(f"{path} cannot be read: {problem.strerror}.") from problem
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)  # a line that a kill cut short
    try:
        head, *entries = [json.loads(line) for line in whole.splitlines()] or [{"made_from": made_from}]
        before = head["made_from"]
    except (ValueError, KeyError, TypeError) as problem:
        raise EnvironmentProblem(f"{path} is damaged; choose another folder for the set.") from problem
    if not whole:
        _append(path, {"made_from": made_from})
    if before != made_from:
        names = sorted(name for name in {*before, *made_from} if before.get(name) != made_from.get(name))
        raise InputError(
            f"{folder} holds a set begun with other {', '.join(names)}; give the same options to go on with it, or "
            "choose another folder."
        )
    return Journal(path, entries)


def _append(path: Path, entry: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise EnvironmentProblem(
            f"{path} cannot be written: {problem.strerror}. What was finished is kept; make room, and the same command "
            "goes on."
        ) from problem
