"""The chance of resolving each effect of a table against the number of images: a figure, and its numbers as CSV."""

import csv
import math
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from spade.errors import EnvironmentProblem, InputError

from .cells import AVERAGE
from .power import SIZES, TablePower

FORMATS = (".svg", ".png", ".pdf")


def draw(found: TablePower, path: Path) -> tuple[Path, Path]:
    """The figure at `path` and the CSV beside it.

    Raises:
        InputError: a name that ends otherwise than in .svg, .png or .pdf, or a table without effects.
        EnvironmentProblem: a file cannot be written.
    """
    if path.suffix not in FORMATS:
        raise InputError(f"The curves were asked for as '{path.name}'; name a file in {', '.join(FORMATS)}.")
    if not found.effects:
        raise InputError(f"Table {found.table} has no effect to draw: no column is compared with a dense network.")
    numbers = path.with_suffix(".csv")
    try:
        with numbers.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["table", "row", "column", "baseline", "images", "power"])
            for one in found.effects:
                for size, chance in zip(SIZES, one.curve, strict=True):
                    writer.writerow([found.table, one.row, one.column, one.baseline, size, f"{chance:.6f}"])
        _figure(found, path)
    except OSError as problem:
        raise EnvironmentProblem(f"{path} cannot be written: {problem.strerror}.") from problem
    return path, numbers


def _figure(found: TablePower, path: Path) -> None:
    columns = list(dict.fromkeys(one.column for one in found.effects))
    figure = Figure(figsize=(4.6 * len(columns), 3.6), layout="constrained")
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for axis, column in zip(axes, columns, strict=True):
        of_column = sorted(
            (one for one in found.effects if one.column == column), key=lambda one: math.fsum(one.curve), reverse=True
        )
        # Colours run in the order of the legend and of the curves, dark to light for every kind of colour vision.
        shades = colormaps["cividis"](np.linspace(0, 0.9, len(of_column)))
        for one, shade in zip(of_column, shades, strict=True):
            average = one.row == AVERAGE
            axis.plot(
                SIZES,
                one.curve,
                color="black" if average else shade,
                linewidth=2.4 if average else 1.1,
                linestyle="--" if average else "-",
                label=one.row,
            )
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, frameon=False, handlelength=1.6)
        axis.axhline(found.power, color="#D55E00", linewidth=1, linestyle=":")
        axis.set_xscale("log")
        axis.set_xticks(SIZES, [str(size) for size in SIZES], fontsize=7, rotation=45)
        axis.minorticks_off()
        axis.set_ylim(0, 1.02)
        axis.set_title(f"{column} \N{MINUS SIGN} {of_column[0].baseline}", fontsize=9)
        axis.set_xlabel("images", fontsize=8)
    axes[0].set_ylabel("chance of resolving the effect seen", fontsize=8)
    figure.suptitle(f"Table {found.table.upper()}; dotted: {100 * found.power:.0f} %", fontsize=9)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
