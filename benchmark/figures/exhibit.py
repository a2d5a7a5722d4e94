"""A figure's numbers, what they say, and the files they become."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spade.errors import EnvironmentProblem

DENSE, SPADE, FASTSPADE = "#8c8c8c", "#0072B2", "#D55E00"
"""Colours of the arms (Okabe and Ito's, told apart by colour-blind readers), the same in every figure."""

Row = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Exhibit:
    """One figure of the paper, measured here.

    Attributes:
        id: the paper's number, "H.6".
        title: what is shown.
        paper: what the paper says about it, with its place.
        findings: what our numbers say, in sentences with numbers.
        rows: the numbers, tidy: every row has the same keys.
        conditions: what the numbers depend on: scale, seed, samples, settings the paper leaves open.
        arrays: pictures behind the numbers, by name; empty for most figures.
    """

    id: str
    title: str
    paper: str
    findings: tuple[str, ...]
    rows: tuple[Row, ...]
    conditions: Mapping[str, str | int | float]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=lambda: MappingProxyType({}))


def write(exhibit: Exhibit, picture: Figure, folder: Path) -> tuple[Path, ...]:
    """The exhibit as figure-ID.csv, .json, .svg and .png in `folder`, and .npz where it has arrays.

    Raises:
        EnvironmentProblem: a file cannot be written.
    """
    stem = f"figure-{exhibit.id.lower().replace('.', '')}"
    paths = tuple(folder / f"{stem}.{kind}" for kind in ("csv", "json", "svg", "png"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with paths[0].open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(exhibit.rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(exhibit.rows)
        told = {name: value for name, value in vars(exhibit).items() if name != "arrays"}
        text = json.dumps(told, indent=1, default=dict)
        paths[1].write_text(text + "\n", encoding="utf-8")
        picture.savefig(paths[2], metadata={"Date": None})
        picture.savefig(paths[3], dpi=160)
        if exhibit.arrays:
            np.savez_compressed(folder / f"{stem}.npz", allow_pickle=False, **exhibit.arrays)
    except OSError as problem:
        raise EnvironmentProblem(f"Figure {exhibit.id} cannot be written to {folder}: {problem.strerror}.") from problem
    return paths
