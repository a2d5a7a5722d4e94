"""Names of a network's classes, and which class a folder of images is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spade.errors import InputError, nearest


@dataclass(frozen=True)
class ClassNames:
    """What the classes are called, in the order of the network's outputs.

    Attributes:
        names: one a class.
        folders: class index by the name of a folder: names, and other identifiers such as WordNet's.
    """

    names: tuple[str, ...]
    folders: Mapping[str, int]

    def of_folder(self, folder: str) -> int:
        """The class of the images in a folder of that name: a class name or identifier, or else an index.

        Raises:
            InputError: no class is called so.
        """
        if folder in self.folders:
            return self.folders[folder]
        if folder.isdecimal() and int(folder) < len(self.names):
            return int(folder)
        raise InputError(
            f"The image folder '{folder}' is neither a class name nor an index below {len(self.names)}. "
            f"{_some(folder, self.folders)}"
        )


def read(path: Path, outputs: int) -> ClassNames:
    """The class names in a file, of a network with that many outputs.

    A .txt file has one name a line. A .json file has a list of names; or a name, or a pair of identifier and name, by
    index (`{"0": ["n01440764", "tench"]}`); or an index by name, as torchvision's ImageFolder has it.

    Raises:
        InputError: The file cannot be read, or names another number of classes than the network has.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows = json.loads(text) if path.suffix == ".json" else [line.strip() for line in text.splitlines()]
        entries = _entries(rows)
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise InputError(
            f"{path} cannot be read as class names ({problem}): one a line, or a JSON list or mapping."
        ) from problem
    while entries and not entries[-1][-1]:  # blank lines at the end
        entries.pop()
    if len(entries) != outputs:
        raise InputError(f"{path} names {len(entries)} classes, but the network has {outputs} outputs.")
    return _named(entries)


def from_folders(folders: Sequence[str], outputs: int) -> ClassNames:
    """Class names where there is no file: the folders are indices, or one a class in alphabetical order.

    Raises:
        InputError: They are neither.
    """
    if folders and all(name.isdecimal() and int(name) < outputs for name in folders):
        return ClassNames(tuple(str(index) for index in range(outputs)), {})
    if len(folders) != outputs:
        raise InputError(
            f"There are {len(folders)} image folders for a network with {outputs} outputs, so their order does not say "
            "which class is which; give --classes, or name the folders by class index."
        )
    return _named([(name,) for name in sorted(folders)])


def of_torchvision(model: str, outputs: int) -> ClassNames | None:
    """ImageNet's names, where a torchvision network has its thousand classes."""
    import torchvision  # noqa: PLC0415 - names in a file need no torch

    if model not in torchvision.models.list_models(module=torchvision.models):
        return None
    shipped = list(torchvision.models.get_model_weights(model))
    names = tuple(shipped[0].meta["categories"]) if shipped else ()
    return _named([(name,) for name in names]) if len(names) == outputs else None


def _named(entries: Sequence[tuple[str, ...]]) -> ClassNames:
    folders: dict[str, int] = {}
    for index, entry in enumerate(entries):
        for name in entry:
            folders.setdefault(name, index)  # ImageNet has two cranes; the folder of the second goes by identifier
    return ClassNames(tuple(entry[-1] for entry in entries), folders)


def _entries(rows: Any) -> list[tuple[str, ...]]:  # noqa: ANN401 - whatever the file holds
    if isinstance(rows, dict) and all(isinstance(value, int) for value in rows.values()):
        rows = {str(index): name for name, index in rows.items()}
    if isinstance(rows, dict):
        rows = [rows[str(index)] for index in range(len(rows))]
    if not isinstance(rows, list):
        raise TypeError(f"it holds {type(rows).__name__}")
    return [tuple(str(part) for part in row) if isinstance(row, list) else (str(row),) for row in rows]


def _some(folder: str, folders: Mapping[str, int]) -> str:
    told = nearest(folder, folders)
    return told if len(told) < 400 else told[:400] + " ..."  # a thousand classes fill the screen
