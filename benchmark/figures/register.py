"""The figures that can be made, by the paper's number."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from spade.errors import InputError, nearest

from . import class_pictures, gradient_noise, last_block, picture_grid, tuned_ratios, tuning_path, two_circles
from .exhibit import Exhibit
from .setting import Setting, Told


@dataclass(frozen=True)
class Recipe:
    """How a figure is measured on a scale's network, and how it is drawn."""

    compute: Callable[[Setting, Told], Exhibit]
    draw: Callable[[Exhibit], Figure]


@dataclass(frozen=True)
class Toy:
    """How a figure is measured that makes its own network from a seed, and how it is drawn."""

    compute: Callable[[int, Told], Exhibit]
    draw: Callable[[Exhibit], Figure]


FIGURES: dict[str, Recipe | Toy] = {
    "3": Toy(two_circles.compute, two_circles.draw),
    "H.3": Recipe(tuned_ratios.average, tuned_ratios.draw_average),
    "H.4": Recipe(tuned_ratios.by_method, tuned_ratios.draw_by_method),
    "H.5": Recipe(tuning_path.compute, tuning_path.draw),
    "H.6": Recipe(last_block.compute, last_block.draw),
    "I.7": Recipe(gradient_noise.compute, gradient_noise.draw),
    "J.9": Recipe(picture_grid.clean, picture_grid.draw),
    "J.10": Recipe(picture_grid.patched, picture_grid.draw),
    "J.11": Recipe(class_pictures.compute, class_pictures.draw),
}


ELSEWHERE = {
    "J.8": "Figure J.8 shows maps on Food-101, which is not embedded; J.10 shows the same on the scale's data."
}
"""Figures of the paper that cannot be made here, and what comes nearest."""


def find(name: str) -> tuple[str, Recipe | Toy]:
    """The figure called `name`, in whatever case and with or without the dot.

    Raises:
        InputError: there is none, or it cannot be made here.
    """
    plain = {key.replace(".", "").lower(): key for key in (*FIGURES, *ELSEWHERE)}
    key = plain.get(name.replace(".", "").lower())
    if key in ELSEWHERE:
        raise InputError(ELSEWHERE[key])
    if key is None:
        raise InputError(f"There is no figure '{name}'. {nearest(name, FIGURES)}")
    return key, FIGURES[key]
