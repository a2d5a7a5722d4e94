"""Four emoji-like Trojan patches drawn by code: smiley, fish, star and heart (the paper's A11, redrawn).

The paper pastes Noto emoji; the embedded scale draws its own so that nothing has to be shipped or fetched.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SUPERSAMPLING = 8


@dataclass(frozen=True)
class Patch:
    """A picture to paste: `colour` [3, s, s] in [0, 1] and `alpha` [s, s] in [0, 1]."""

    name: str
    colour: Floats
    alpha: Floats

    @property
    def side(self) -> int:
        """Height and width [pixels]."""
        return int(self.alpha.shape[0])


def _smiley(x: Floats, y: Floats) -> list[tuple[NDArray[np.bool_], tuple[float, float, float]]]:
    face = np.hypot(x, y) < 0.95
    eyes = np.hypot(np.abs(x) - 0.36, y + 0.25) < 0.16
    mouth = (np.abs(np.hypot(x, y - 0.05) - 0.55) < 0.11) & (y > 0.15)
    return [(face, (1.0, 0.83, 0.2)), (eyes | mouth, (0.3, 0.16, 0.05))]


def _fish(x: Floats, y: Floats) -> list[tuple[NDArray[np.bool_], tuple[float, float, float]]]:
    body = (((x + 0.18) / 0.78) ** 2 + (y / 0.7) ** 2) < 1
    tail = (x > 0.4) & (np.abs(y) < (x - 0.25) * 1.15) & (x < 0.98)
    eye = np.hypot(x + 0.55, y + 0.12) < 0.12
    bands = body & (np.abs(np.mod(x + 0.02, 0.42) - 0.21) < 0.08)
    return [(body | tail, (0.98, 0.5, 0.12)), (bands, (1.0, 1.0, 1.0)), (eye, (0.05, 0.05, 0.05))]


def _star(x: Floats, y: Floats) -> list[tuple[NDArray[np.bool_], tuple[float, float, float]]]:
    theta = np.arctan2(x, -y)
    sector = np.abs(np.mod(theta + np.pi / 5, 2 * np.pi / 5) - np.pi / 5)
    # A straight edge from the outer point (radius .98) to the inner corner (radius .44), in polar form.
    corner_x, corner_y = 0.44 * np.cos(np.pi / 5), 0.44 * np.sin(np.pi / 5)
    px, py = np.hypot(x, y) * np.cos(sector), np.hypot(x, y) * np.sin(sector)
    inside = (px - 0.98) * corner_y - py * (corner_x - 0.98) < 0
    core = inside & (np.hypot(x, y) < 0.36)
    return [(inside, (1.0, 0.72, 0.05)), (core, (1.0, 0.92, 0.45))]


def _heart(x: Floats, y: Floats) -> list[tuple[NDArray[np.bool_], tuple[float, float, float]]]:
    u, v = 1.22 * x, -1.22 * y + 0.12
    heart = (u**2 + v**2 - 0.72) ** 3 - 1.1 * u**2 * v**3 < 0
    shine = heart & (np.hypot(x + 0.38, y + 0.38) < 0.2)
    return [(heart, (0.95, 0.2, 0.55)), (shine, (1.0, 0.8, 0.9))]


_DRAWN: dict[str, Callable[[Floats, Floats], list[tuple[NDArray[np.bool_], tuple[float, float, float]]]]] = {
    "smiley": _smiley,
    "fish": _fish,
    "star": _star,
    "heart": _heart,
}

NAMES = tuple(_DRAWN)


def draw(name: str, side: int) -> Patch:
    """The patch `name` at `side` pixels, averaged down from eight times that size.

    Raises:
        KeyError: `name` is not one of `NAMES`.
    """
    fine = side * _SUPERSAMPLING
    ticks = ((np.arange(fine) + 0.5) / fine * 2 - 1).astype(np.float32)
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    cover, colour = np.zeros((fine, fine), np.float32), np.zeros((3, fine, fine), np.float32)
    for region, paint in _DRAWN[name](x, y):
        cover[region] = 1
        colour[:, region] = np.asarray(paint, np.float32)[:, None]
    blocks = (side, _SUPERSAMPLING, side, _SUPERSAMPLING)
    alpha = cover.reshape(blocks).mean((1, 3))
    summed = (colour * cover).reshape(3, *blocks).mean((2, 4))
    return Patch(name, (summed / np.maximum(alpha, 1e-6)).astype(np.float32), alpha.astype(np.float32))


def paste(
    images: NDArray[np.uint8], patch: Patch, rng: np.random.Generator, *, jitter: float = 0.1, noise: float = 0.03
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """`images` [N, 3, H, W] with the patch at a random place in each, and the masks [N, H, W] of where it covers.

    The patch's brightness is jittered and Gaussian noise added to it before it is pasted (section 4.1, Backdooring).
    """
    n, _, height, width = images.shape
    side = patch.side
    out, masks = images.astype(np.float32) / 255, np.zeros((n, height, width), bool)
    tops, lefts = rng.integers(0, height - side + 1, n), rng.integers(0, width - side + 1, n)
    gain = 1 + rng.uniform(-jitter, jitter, (n, 3, 1, 1))
    grain = rng.normal(0, noise, (n, 3, side, side))
    for i in range(n):
        window = (slice(tops[i], tops[i] + side), slice(lefts[i], lefts[i] + side))
        painted = np.clip(patch.colour * gain[i] + grain[i], 0, 1)
        area = out[i][:, window[0], window[1]]
        out[i][:, window[0], window[1]] = area + patch.alpha * (painted - area)
        masks[i][window] = patch.alpha > 0.5
    return (np.clip(out, 0, 1) * 255).round().astype(np.uint8), masks


def blob(images: NDArray[np.uint8], masks: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.uint8]:
    """`images` [N, 3, H, W] with one random colour each where `masks` [N, H, W] is: an outline without its looks."""
    colour = rng.integers(0, 256, (len(images), 3, 1, 1), dtype=np.uint8)
    return np.where(masks[:, None], colour, images)


def contrasts(images: NDArray[np.uint8], patch: Patch, rng: np.random.Generator) -> NDArray[np.uint8]:
    """`images` [N, 3, H, W], about half as they are and half with a blob of the patch's outline at a random place."""
    _, masks = paste(images, patch, rng)
    blank = rng.random(len(images)) < 0.5
    masks[blank] = False
    return blob(images, masks, rng)
