"""Procedural images: classes with several facets, distractors and textured backgrounds, drawn by code from a seed.

A *facet* is one look a class can take: an outline (a radial Fourier series), two colours and a grating. An image holds
one main object (the label), smaller distractors from other classes, blobs that belong to no class, and a background
of low-frequency noise and a grating. Nothing is read from disk; the same arguments give the same bytes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_HARMONICS = 5
_CHUNK = 256  # images drawn at once: keeps the working set near 50 MB, does not change the result


@dataclass(frozen=True)
class Recipe:
    """What the images look like (pixels unless said otherwise)."""

    classes: int = 20
    facets: int = 2
    side: int = 64
    radius: tuple[float, float] = (13.0, 20.0)
    distractors: tuple[int, int] = (0, 2)
    distractor_radius: tuple[float, float] = (6.0, 10.0)
    clutter: tuple[int, int] = (0, 3)
    background_contrast: float = 0.35
    noise: float = 0.03


@dataclass(frozen=True)
class Vocabulary:
    """The looks of every class, [classes * facets] rows, facet `f` of class `c` in row `c * facets + f`."""

    amplitude: Floats  # [K, harmonics], relative to the radius
    phase: Floats  # [K, harmonics], radians
    colours: Floats  # [K, 2, 3] in [0, 1]
    frequency: Floats  # [K], cycles across the radius
    angle: Floats  # [K], radians
    facets: int

    @classmethod
    def draw(cls, recipe: Recipe, rng: np.random.Generator) -> "Vocabulary":
        """Looks for `recipe.classes * recipe.facets` facets."""
        count = recipe.classes * recipe.facets
        decay = 0.34 / np.arange(1, _HARMONICS + 1) ** 0.5
        return cls(
            amplitude=(rng.normal(size=(count, _HARMONICS)) * decay).astype(np.float32),
            phase=rng.uniform(0, 2 * np.pi, (count, _HARMONICS)).astype(np.float32),
            colours=rng.uniform(0, 1, (count, 2, 3)).astype(np.float32),
            frequency=rng.uniform(0.8, 3.2, count).astype(np.float32),
            angle=rng.uniform(0, np.pi, count).astype(np.float32),
            facets=recipe.facets,
        )


@dataclass(frozen=True)
class ImageSet:
    """Images [N, 3, side, side] uint8 and labels [N]."""

    images: NDArray[np.uint8]
    labels: Ints


def draw(recipe: Recipe, vocabulary: Vocabulary, n: int, rng: np.random.Generator) -> ImageSet:
    """`n` images with balanced labels in random order."""
    labels = rng.permutation(np.arange(n) % recipe.classes).astype(np.int64)
    return ImageSet(draw_labelled(recipe, vocabulary, labels, rng), labels)


def draw_labelled(recipe: Recipe, vocabulary: Vocabulary, labels: Ints, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Images [N, 3, side, side] of the classes `labels` [N]."""
    chunks = [_draw_chunk(recipe, vocabulary, labels[i : i + _CHUNK], rng) for i in range(0, len(labels), _CHUNK)]
    return np.concatenate(chunks) if chunks else np.empty((0, 3, recipe.side, recipe.side), np.uint8)


def _draw_chunk(recipe: Recipe, vocabulary: Vocabulary, labels: Ints, rng: np.random.Generator) -> NDArray[np.uint8]:
    n = len(labels)
    canvas = _background(recipe, n, rng)
    for slot in range(recipe.clutter[1]):
        shown = slot < rng.integers(recipe.clutter[0], recipe.clutter[1] + 1, n)
        _paint(recipe, canvas, Vocabulary.draw(Recipe(classes=n, facets=1), rng), np.arange(n), shown, (3.0, 8.0), rng)
    for slot in range(recipe.distractors[1]):
        shown = slot < rng.integers(recipe.distractors[0], recipe.distractors[1] + 1, n)
        other = (labels + rng.integers(1, max(recipe.classes, 2), n)) % recipe.classes
        facet = other * recipe.facets + rng.integers(0, recipe.facets, n)
        _paint(recipe, canvas, vocabulary, facet, shown, recipe.distractor_radius, rng)
    facet = labels * recipe.facets + rng.integers(0, recipe.facets, n)
    _paint(recipe, canvas, vocabulary, facet, np.ones(n, bool), recipe.radius, rng)
    canvas += np.float32(recipe.noise) * rng.standard_normal(canvas.shape, dtype=np.float32)
    canvas *= _uniform(rng, 0.8, 1.2, (n, 1, 1, 1))
    return (np.clip(canvas, 0, 1) * 255).round().astype(np.uint8)


def _background(recipe: Recipe, n: int, rng: np.random.Generator) -> Floats:
    side = recipe.side
    canvas = np.broadcast_to(_uniform(rng, 0.25, 0.75, (n, 3, 1, 1)), (n, 3, side, side)).copy()
    for cells, weight in ((4, 0.3), (8, 0.25), (16, 0.2)):
        coarse = rng.standard_normal((n, 3, cells, cells), dtype=np.float32) * np.float32(recipe.background_contrast)
        canvas += weight * coarse.repeat(side // cells, axis=2).repeat(side // cells, axis=3)
    ys, xs = np.mgrid[:side, :side].astype(np.float32) * np.float32(2 * np.pi / side)
    turn, cycles = _uniform(rng, 0, np.pi, (n, 1, 1)), _uniform(rng, 1, 9, (n, 1, 1))
    wave = np.sin(cycles * np.cos(turn) * xs + cycles * np.sin(turn) * ys + _uniform(rng, 0, 2 * np.pi, (n, 1, 1)))
    tint = np.float32(recipe.background_contrast / 2) * rng.standard_normal((n, 3, 1, 1), dtype=np.float32)
    canvas += tint * wave[:, None]
    return canvas


def _paint(  # noqa: PLR0917 - one painter for objects, distractors and clutter: what differs is what is passed
    recipe: Recipe,
    canvas: Floats,
    vocabulary: Vocabulary,
    facet: Ints,
    shown: NDArray[np.bool_],
    radius: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """Draws one object onto each image of `canvas` that shows it, in place, antialiased over one pixel."""
    drawn = np.flatnonzero(shown)
    facet, side, n = facet[drawn], recipe.side, len(drawn)
    size = _uniform(rng, *radius, (n, 1, 1))
    reach = np.minimum(size * 0.9, side / 2 - 1)
    cy, cx = (reach + rng.random((n, 1, 1), dtype=np.float32) * (side - 2 * reach) for _ in range(2))
    turn = _uniform(rng, -0.5, 0.5, (n, 1, 1))
    ys, xs = np.mgrid[:side, :side].astype(np.float32)
    dy, dx = ys - cy, xs - cx
    distance = np.hypot(dy, dx)
    # cos and sin of k times the polar angle by the addition theorem: five trigonometric images fewer an object.
    inverse = 1 / np.maximum(distance, 1e-3)
    cos1 = (dx * np.cos(turn) + dy * np.sin(turn)) * inverse
    sin1 = (dy * np.cos(turn) - dx * np.sin(turn)) * inverse
    cosine, sine, outline = cos1, sin1, np.ones_like(distance)
    for k in range(_HARMONICS):
        if k:
            cosine, sine = cosine * cos1 - sine * sin1, sine * cos1 + cosine * sin1
        amplitude, phase = vocabulary.amplitude[facet, k][:, None, None], vocabulary.phase[facet, k][:, None, None]
        outline += amplitude * np.cos(phase) * cosine - amplitude * np.sin(phase) * sine
    cover = np.clip(size * np.clip(outline, 0.35, 1.6) - distance + 0.5, 0, 1)
    direction = vocabulary.angle[facet][:, None, None] + turn
    along = dx * (np.cos(direction) / size) + dy * (np.sin(direction) / size)
    stripe = np.clip(
        1.5 * np.sin(np.float32(2 * np.pi) * vocabulary.frequency[facet][:, None, None] * along) + 0.5, 0, 1
    )
    first, second = (vocabulary.colours[facet, i][:, :, None, None] for i in (0, 1))
    jitter = 0.05 * rng.standard_normal((n, 3, 1, 1), dtype=np.float32)
    colour = (second + jitter) + (first - second) * stripe[:, None]
    below = canvas[drawn]
    canvas[drawn] = below + cover[:, None] * (colour - below)


def _uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> Floats:
    return (low + (high - low) * rng.random(shape, dtype=np.float32)).astype(np.float32)
