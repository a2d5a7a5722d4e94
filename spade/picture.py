"""The picture of an explanation: the image, and dense beside SPADE for every method."""

import shutil
import tempfile
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from .errors import EnvironmentProblem, InputError
from .explanation import Explanation, Pair, Verdict

FORMATS = (".png", ".pdf", ".svg", ".jpg", ".webp")
_ACROSS = 5
# The brightest two percent of pixels are drawn alike: one bright pixel would leave the rest of a map black.
_BRIGHTEST = 0.98
# A picture of all methods has about a megabyte.
_LEAST_ROOM = 1 << 20


@dataclass(frozen=True)
class Caption:
    """The words around an explanation.

    Attributes:
        title: What was explained, by what.
        lines: Facts printed beside the image, one a line.
        trace: What the trace is called, SPADE or FastSPADE.
        class_names: Name of each class, empty where unknown.
        quarter_turns: How often the panels are turned by 90 degrees, counter-clockwise, to be looked at.
    """

    title: str
    lines: tuple[str, ...]
    trace: str = "SPADE"
    class_names: tuple[str, ...] = ()
    quarter_turns: int = 0

    def class_name(self, index: int) -> str:
        """The class as people call it."""
        return f"{index} ({self.class_names[index]})" if self.class_names else str(index)


def check_destination(path: Path) -> None:
    """Refuse, before hours of work, a place where no picture can be written.

    Raises:
        InputError: Its folder does not exist, it is a folder, or its ending names no format.
        EnvironmentProblem: Its folder takes no file.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"The picture's name '{path.name}' must end in one of {', '.join(FORMATS)}.")
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"The picture cannot go to {path}: its folder must exist, and it must be no folder itself.")
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(bytes(_LEAST_ROOM))
    except OSError as problem:
        raise EnvironmentProblem(
            f"The picture cannot be written to {path} ({problem.strerror or problem}); make room or choose another "
            "place with --output."
        ) from problem


def save(explanation: Explanation, caption: Caption, path: Path) -> None:
    """Write the picture; the file is there whole or not at all.

    Raises:
        EnvironmentProblem: The disk is full or does not take the file. It may have taken hours to make, so the picture
            is then put among the temporary files, if they take it, and the sentence says where.
    """
    content = BytesIO()
    draw(explanation, caption).savefig(content, format=path.suffix.lower().removeprefix("."), dpi=110)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content.getvalue())
        partial.replace(path)
    except OSError as problem:
        elsewhere = _saved_elsewhere(content.getvalue(), path)
        mend = f"it is in {elsewhere} instead" if elsewhere else "make room or choose another place with --output"
        raise EnvironmentProblem(
            f"The picture could not be written to {path} ({problem.strerror or problem}); {mend}."
        ) from problem
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _saved_elsewhere(content: bytes, path: Path) -> Path | None:
    """Where among the temporary files the picture is now; None where they do not take it either."""
    try:
        name = Path(tempfile.mkdtemp(prefix="spade-")) / path.name
    except OSError:
        return None
    try:
        name.write_bytes(content)
    except OSError:
        shutil.rmtree(name.parent, ignore_errors=True)
        return None
    return name


def draw(explanation: Explanation, caption: Caption) -> Figure:
    """The picture as a matplotlib figure."""
    bands = -(-len(explanation.pairs) // _ACROSS)
    across = min(_ACROSS, max(3, len(explanation.pairs)))
    figure = Figure(figsize=(2.35 * across + 0.5, 3.6 + 4.75 * bands), layout="constrained")
    figure.suptitle(caption.title, fontsize=13, fontweight="bold", x=0.01, ha="left")
    parts = figure.subfigures(1 + bands, 1, height_ratios=[3.4, *[4.75] * bands], hspace=0.02, squeeze=False)
    top, *rest = parts[:, 0]
    _draw_head(top, explanation, caption)
    for band, part in enumerate(rest):
        _draw_band(part, explanation.pairs[band * across : (band + 1) * across], across, caption)
    return figure


def _draw_head(part: SubFigure, explanation: Explanation, caption: Caption) -> None:
    image, words, bars = part.subplots(1, 3, width_ratios=[1.0, 1.45, 1.75])
    image.imshow(_turned(explanation.image.permute(1, 2, 0), caption))
    image.set_axis_off()
    words.set_axis_off()
    lines = [
        f"explained: class {caption.class_name(explanation.target)}",
        f"dense says {_said(explanation.dense, explanation, caption)}",
        f"{caption.trace} says {_said(explanation.sparse, explanation, caption)}",
        f"prediction {'kept' if explanation.kept else 'NOT kept'}",
        "",
        *caption.lines,
    ]
    wrapped = [part for line in lines for part in (textwrap.wrap(line, 44, subsequent_indent="   ") or [""])]
    words.text(0, 1, "\n".join(wrapped), va="top", fontsize=9, linespacing=1.35, transform=words.transAxes)
    _draw_sparsity(bars, explanation.sparsity)


def _draw_sparsity(axes: Axes, sparsity: dict[str, float]) -> None:
    values = list(sparsity.values())
    axes.bar(range(len(values)), values, width=0.85, color="#4c72b0")
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=8)
    names, last = list(sparsity), len(values) - 1
    axes.set_xticks(ends := sorted({0, last}), [names[end] for end in ends], fontsize=8)
    for end, label in zip(ends, axes.get_xticklabels(), strict=True):
        label.set_horizontalalignment("left" if end == 0 else "right")
    if last > 1:
        # A line lower: on a narrow picture three names do not fit into one.
        axes.set_xticks([len(values) // 2], [names[len(values) // 2]], fontsize=8, minor=True)
        axes.tick_params(axis="x", which="minor", length=3.5, pad=14)
    pruned = sum(value > 0 for value in values)
    axes.set_title(f"weights removed, layer by layer\n({pruned} of {len(values)} layers)", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_band(part: SubFigure, pairs: Sequence[Pair], across: int, caption: Caption) -> None:
    axes = part.subplots(2, across, squeeze=False)
    for column in range(across):
        for row, name in enumerate(("dense", caption.trace)):
            panel = axes[row, column]
            panel.set_xticks([])
            panel.set_yticks([])
            if column >= len(pairs):
                panel.set_axis_off()
                continue
            pair = pairs[column]
            _draw_map(panel, pair.dense if row == 0 else pair.sparse, pair.reason, caption)
            if row == 0:
                panel.set_title(pair.method, fontsize=10)
            if column == 0:
                panel.set_ylabel(name, fontsize=10, fontweight="bold")


def _draw_map(panel: Axes, values: torch.Tensor | None, reason: str, caption: Caption) -> None:
    if values is None:
        panel.set_facecolor("#f2f2f2")
        panel.set_box_aspect(1)
        panel.text(0.5, 0.5, textwrap.fill(reason, 30), ha="center", va="center", fontsize=7, transform=panel.transAxes)
        return
    ceiling = float(values.quantile(_BRIGHTEST)) or float(values.max()) or 1.0
    panel.imshow(_turned(values, caption), cmap="magma", vmin=0, vmax=ceiling)


def _turned(values: torch.Tensor, caption: Caption) -> np.ndarray:
    return np.rot90(values.cpu().numpy(), caption.quarter_turns)


def _said(verdict: Verdict, explanation: Explanation, caption: Caption) -> str:
    said = f"{caption.class_name(verdict.top)} at {percent(verdict.top_probability)}"
    if verdict.top != explanation.target:
        said += f", the explained class at {percent(verdict.target_probability)}"
    return said


def percent(probability: float) -> str:
    """A probability as people read it, one decimal where it is small."""
    return f"{probability:.0%}" if probability >= 0.1 else f"{probability:.1%}"
