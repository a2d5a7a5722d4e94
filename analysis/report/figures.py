"""The figures of a report: few, in ink and two colours that every kind of colour vision tells apart, same bytes twice.

Matplotlib's object interface without pyplot: no window system, no global state, nothing left open.
"""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from .document import Figure

BLUE, VERMILLION, INK, SOFT = "#0063a0", "#b54a00", "#1b1f24", "#6b7680"
"""Okabe-Ito's blue and vermillion, darkened to 4.5:1 on white; shape or dash tells apart what colour does."""

WIDTH = 5.4
"""Inches. Shown 360 pixels wide on a phone, nine points are still seven pixels high."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.hashsalt": "spade-stats",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Bar:
    """A point with its interval and its name; `hollow` marks what is printed elsewhere or exploratory."""

    name: str
    value: float
    low: float
    high: float
    hollow: bool = False


@dataclass(frozen=True)
class Series:
    """A line of a chart with its name, and a band where there is one."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def draw(
    name: str, paint: Callable[[Canvas], None], *, height: float, caption: str, alt: str, sources: tuple[str, ...] = ()
) -> Figure:
    """A figure from whatever `paint` puts on an empty canvas of WIDTH by `height` inches."""
    # Newer releases spell out the keys in the type, older ones take any string.
    with mpl.rc_context(cast("Any", STYLE)):
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        paint(canvas)
        svg, pdf = io.BytesIO(), io.BytesIO()
        # A date in the file would make two equal reports differ.
        canvas.savefig(svg, format="svg", metadata={"Date": None})
        canvas.savefig(pdf, format="pdf", metadata={"CreationDate": None})
    return Figure(name, caption, alt, svg.getvalue(), pdf.getvalue(), sources)


def forest(
    name: str,
    bars: Sequence[Bar],
    *,
    label: str,
    caption: str,
    alt: str,
    zero: float | None = 0.0,
    sources: tuple[str, ...] = (),
) -> Figure:
    """Points with intervals, one below the other, about a line of no effect."""

    def paint(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for place, bar in enumerate(bars):
            _bar(axes, bar, -place)
        if zero is not None:
            axes.axvline(zero, color=SOFT, linewidth=0.8, linestyle=(0, (3, 3)), zorder=0)
        axes.set_yticks([-place for place in range(len(bars))], [bar.name for bar in bars])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(-len(bars) + 0.4, 0.6)
        axes.set_xlabel(label)

    return draw(name, paint, height=0.75 + 0.27 * len(bars), caption=caption, alt=alt, sources=sources)


def paired_shares(
    name: str, first: Sequence[float], second: Sequence[float], sizes: Sequence[int], *, caption: str, alt: str
) -> Figure:
    """One dot a rater: share under dense across, under SPADE up, its area by the number of answers."""

    def paint(canvas: Canvas) -> None:
        axes = canvas.subplots()
        axes.plot([0, 100], [0, 100], color=SOFT, linewidth=0.8, linestyle=(0, (3, 3)), zorder=0)
        largest = max(sizes)
        axes.scatter(
            [100 * one for one in first],
            [100 * one for one in second],
            s=[max(12.0, 110 * size / largest) for size in sizes],
            facecolor=BLUE,
            alpha=0.55,
            edgecolor="white",
            linewidth=0.6,
            clip_on=False,
        )
        axes.set_aspect("equal")
        axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="dense: agree (%)", ylabel="SPADE: agree (%)")
        axes.text(3, 97, "better with SPADE", va="top", color=SOFT)
        axes.text(97, 3, "better with dense", ha="right", color=SOFT)

    return draw(name, paint, height=4.2, caption=caption, alt=alt, sources=("analysis.influence.by_rater",))


def specification_curve(
    name: str,
    bars: Sequence[Bar],
    choices: Sequence[tuple[str, ...]],
    *,
    rules: Sequence[str],
    primary: int,
    label: str,
    caption: str,
    alt: str,
    sources: tuple[str, ...],
) -> Figure:
    """Estimates in order of size over a board of the rules each applies; the preregistered one in vermillion."""

    def paint(canvas: Canvas) -> None:
        above, below = canvas.subplots(2, 1, sharex=True, height_ratios=[2.2, 0.22 * len(rules) + 0.2])
        for place, bar in enumerate(bars):
            chosen = place == primary
            colour = VERMILLION if chosen else INK
            above.plot([place, place], [bar.low, bar.high], color=colour, linewidth=2.4 if chosen else 1, alpha=0.8)
            above.plot(place, bar.value, marker="D" if chosen else "o", color=colour, markersize=5 if chosen else 3)
            for height, rule in enumerate(rules):
                on = rule in choices[place]
                below.plot(place, -height, marker="s", markersize=3.5, color=colour if on else "#dfe3e7")
        above.axhline(0, color=SOFT, linewidth=0.8, linestyle=(0, (3, 3)), zorder=0)
        above.set_ylabel(label)
        below.set_yticks([-height for height in range(len(rules))], list(rules))
        below.set_ylim(-len(rules) + 0.5, 0.5)
        below.set_xticks([])
        for side in ("left", "bottom"):
            below.spines[side].set_visible(False)
        below.tick_params(length=0)
        above.tick_params(axis="x", length=0)

    return draw(name, paint, height=2.4 + 0.24 * len(rules), caption=caption, alt=alt, sources=sources)


def curves(
    name: str,
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    caption: str,
    alt: str,
    marks: Sequence[float] = (),
    limits: tuple[float, float] | None = None,
    sources: tuple[str, ...] = (),
) -> Figure:
    """Lines with their names at their right ends, told apart by dash and sign too, and dashed marks across."""
    dashes: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
    signs = ("o", "s", "^", "D", "v", "P")

    def paint(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for mark in marks:
            axes.axhline(mark, color=SOFT, linewidth=0.8, linestyle=(0, (3, 3)), zorder=0)
        for place, one in enumerate(series):
            colour = (BLUE, VERMILLION, INK)[place % 3]
            if one.low:
                axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.12, linewidth=0)
            axes.plot(
                one.x,
                one.y,
                color=colour,
                linestyle=dashes[place % 4],
                marker=signs[place % 6],
                markersize=4,
                linewidth=1.5,
                label=one.name,
            )
        axes.set(xlabel=x_label, ylabel=y_label)
        if limits:
            axes.set_ylim(*limits)
        _name_ends(axes, series)

    return draw(name, paint, height=3.4, caption=caption, alt=alt, sources=sources)


def _name_ends(axes: Axes, series: Sequence[Series]) -> None:
    """Names beside the last points, pushed apart where lines end together."""
    ends = sorted(((one.y[-1], place, one) for place, one in enumerate(series)), key=lambda end: end[:2])
    bottom, top = axes.get_ylim()
    # A line of text takes about a fifteenth of the height of these charts.
    apart, heights = (top - bottom) / 15, list[float]()
    for height, _, _ in ends:
        heights.append(max(height, heights[-1] + apart) if heights else height)
    above = max(0.0, heights[-1] - top)
    for at, (_, place, one) in zip(heights, ends, strict=True):
        axes.annotate(
            one.name,
            (one.x[-1], at - above),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=(BLUE, VERMILLION, INK)[place % 3],
            annotation_clip=False,
        )


def _bar(axes: Axes, bar: Bar, height: float) -> None:
    if math.isfinite(bar.low) and math.isfinite(bar.high):
        axes.plot([bar.low, bar.high], [height, height], color=INK, linewidth=1.6, solid_capstyle="butt")
    axes.plot(
        bar.value,
        height,
        marker="D" if bar.hollow else "o",
        markersize=5.5,
        color=VERMILLION if bar.hollow else BLUE,
        markerfacecolor="white" if bar.hollow else BLUE,
    )
