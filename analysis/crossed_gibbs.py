"""The Gibbs sampler of the crossed logistic model (`analysis.crossed_logistic`), for one study or several at once.

Given Polya-Gamma weights (Polson, Scott, Windle 2013) everything but the standard deviations is Gaussian. Raters are
drawn together with intercept and effect given the images, then images and items together with intercept and effect
given the raters: drawing the common terms along with each side is what keeps a crossed model's sampler from crawling
(Papaspiliopoulos, Roberts, Zanella 2020), at a cost linear in the answers. Each standard deviation is drawn twice,
given the effects and given the standardised effects (Yu and Meng 2011), since the one crawls where it is small and the
other where it is large.
"""

from collections.abc import Callable, Sequence

import numpy as np

from .polya_gamma import polya_gamma
from .ratings import Floats, Integers, Ratings

PRIOR_INTERCEPT, PRIOR_EFFECT, PRIOR_SPREAD = 2.5, 1.5, 1.0
SPREADS = ("rater", "rater_slope", "image", "item", "item_slope")
SMALLEST_SPREAD = 1e-8


class Sampler:
    """All chains of all studies go through each step together; small studies cost little more than one of them.

    Studies have the same number of answers. Each is laid out as images by slots, a slot an item; an item or rater that
    a study lacks is drawn from the prior given the spreads and changes nothing else.
    """

    def __init__(
        self, studies: Sequence[Ratings], right: Sequence[Floats], generator: np.random.Generator, *, chains: int
    ) -> None:
        self._generator, self._rows = generator, chains * len(studies)
        slots = [_slots(ratings) for ratings in studies]
        self._slots = max(int(one.max()) for one in slots) + 1
        self._raters, self._images = (
            max(sizes) for sizes in zip(*((s.raters, s.images) for s in studies), strict=True)
        )

        def of_rows(parts: list[Floats]) -> Floats:
            return np.repeat(np.stack(parts), chains, axis=0)

        def places(codes: list[Integers], size: int) -> Integers:
            start = size * np.arange(self._rows)[:, None]
            return np.asarray(np.repeat(np.stack(codes), chains, axis=0) + start)

        self._kappa = of_rows([one - 0.5 for one in right])
        self._arm = of_rows([np.where(ratings.spade, 0.5, -0.5) for ratings in studies])
        items = [ratings.image * self._slots + slot for ratings, slot in zip(studies, slots, strict=True)]
        self._rater_of = places([ratings.rater for ratings in studies], self._raters)
        self._item_of = places(items, self._images * self._slots)
        # Chains start apart, so that their agreement says something.
        self._beta = generator.normal(0, 0.5, (self._rows, 2))
        self._spread = generator.uniform(0.2, 1.0, (self._rows, 5))
        self._by_rater = generator.normal(0, 0.1, (self._rows, self._raters, 2))
        self._by_image = generator.normal(0, 0.1, (self._rows, self._images))
        self._by_item = generator.normal(0, 0.1, (self._rows, self._images, self._slots, 2))

    def run(self, warm_up: int, kept: int, progress: Callable[[int, int], None] | None = None) -> Floats:
        """Intercept, effect and the five spreads [studies * chains, kept, 7], the chains of a study side by side."""
        found = np.empty((self._rows, kept, 7))
        for step in range(warm_up + kept):
            self._step()
            if step >= warm_up:
                found[:, step - warm_up] = np.concatenate([self._beta, self._spread], axis=1)
            if progress is not None:
                progress(step + 1, warm_up + kept)
        return found

    def _step(self) -> None:
        by_image = self._image_part()
        weights = polya_gamma(self._common_part() + self._rater_part() + by_image, self._generator)
        self._draw_raters(weights, by_image)
        self._draw_images(weights, self._rater_part())
        self._draw_spreads()
        self._draw_scales(weights)

    def _common_part(self) -> Floats:
        """What every rater and image has in common [rows, n]."""
        return np.asarray(self._beta[:, :1] + self._beta[:, 1:] * self._arm)

    def _rater_part(self) -> Floats:
        """What raters add to each answer's logit [rows, n]."""
        own = self._by_rater.reshape(-1, 2)[self._rater_of]
        return np.asarray(own[..., 0] + own[..., 1] * self._arm)

    def _image_part(self) -> Floats:
        """What images and items add to each answer's logit [rows, n]."""
        level = self._by_item[..., 0] + self._by_image[..., None]
        own = np.stack([level, self._by_item[..., 1]], axis=-1).reshape(-1, 2)[self._item_of]
        return np.asarray(own[..., 0] + own[..., 1] * self._arm)

    def _sums(self, values: Floats, groups: Integers, *shape: int) -> Floats:
        """Sums of values [rows, n] and of values times arm by group [rows, *shape, 2]."""
        size = self._rows * int(np.prod(shape))
        parts = [
            np.bincount(groups.ravel(), weights=part.ravel(), minlength=size) for part in (values, values * self._arm)
        ]
        return np.asarray(np.stack(parts, axis=-1).reshape(self._rows, *shape, 2), dtype=np.float64)

    def _draw_raters(self, weights: Floats, offset: Floats) -> None:
        precision = _two_by_two(self._sums(weights, self._rater_of, self._raters))
        score = self._sums(self._kappa - weights * offset, self._rater_of, self._raters)
        prior = _diagonal(self._spread[:, :2] ** -2)[:, None]
        self._beta, self._by_rater = self._arrow(
            precision + prior, precision, precision.sum(axis=1), score, score.sum(axis=1)
        )

    def _draw_images(self, weights: Floats, offset: Floats) -> None:
        shape = (self._images, self._slots)
        own = _two_by_two(self._sums(weights, self._item_of, *shape))
        score = self._sums(self._kappa - weights * offset, self._item_of, *shape)
        # A leaf is an image: its level first, then level and slope of each of its items.
        wide = 1 + 2 * self._slots
        prior = self._spread[:, 2:] ** -2
        precision = np.zeros((self._rows, self._images, wide, wide))
        precision[:, :, 0, 0] = own[..., 0, 0].sum(axis=2) + prior[:, :1]
        of_items = own.reshape(self._rows, self._images, 2 * self._slots, 2)
        precision[:, :, 0, 1:] = precision[:, :, 1:, 0] = of_items[..., 0]
        for slot in range(self._slots):
            block = slice(1 + 2 * slot, 3 + 2 * slot)
            precision[:, :, block, block] = own[:, :, slot] + _diagonal(prior[:, 1:])[:, None]
        cross = np.concatenate([own[..., 0, :].sum(axis=2)[:, :, None], of_items], axis=2)
        leaf = np.concatenate([score[..., 0].sum(axis=2)[..., None], score.reshape(*of_items.shape[:3])], axis=2)
        self._beta, drawn = self._arrow(precision, cross, own.sum(axis=(1, 2)), leaf, score.sum(axis=(1, 2)))
        self._by_image = drawn[..., 0]
        self._by_item = drawn[..., 1:].reshape(self._by_item.shape)

    def _arrow(
        self, leaf: Floats, cross: Floats, head: Floats, score: Floats, head_score: Floats
    ) -> tuple[Floats, Floats]:
        """A draw of the two common terms [rows, 2] and of every leaf [rows, leaves, d] from their joint Gaussian.

        Its precision is an arrow: leaves [.., d, d] on the diagonal, each tied to the head [rows, 2, 2] by cross
        [.., d, 2]. The head is drawn first with the leaves integrated out, then the leaves given it.
        """
        root = np.linalg.inv(np.linalg.cholesky(leaf))
        seen = root @ np.concatenate([cross, score[..., None]], axis=-1)
        flat = seen.reshape(self._rows, -1, 3)
        known = np.swapaxes(flat, 1, 2) @ flat
        prior = np.diag([PRIOR_INTERCEPT**-2, PRIOR_EFFECT**-2])
        beta = self._gaussian(head + prior - known[:, :2, :2], head_score - known[:, :2, 2])
        white = seen[..., 2] - (seen[..., :2] @ beta[:, None, :, None])[..., 0]
        white += self._generator.standard_normal(white.shape)
        return beta, (np.swapaxes(root, -1, -2) @ white[..., None])[..., 0]

    def _gaussian(self, precision: Floats, score: Floats) -> Floats:
        """A draw from the Gaussian with this precision [rows, d, d] and precision times mean [rows, d]."""
        root = np.linalg.inv(np.linalg.cholesky(precision))
        white = root @ score[..., None]
        white += self._generator.standard_normal(white.shape)
        return np.asarray((np.swapaxes(root, -1, -2) @ white)[..., 0])

    def _effects(self) -> list[Floats]:
        """The effects of each spread in turn [rows, how many]."""
        by_item = self._by_item.reshape(self._rows, -1, 2)
        return [*np.moveaxis(self._by_rater, -1, 0), self._by_image, *np.moveaxis(by_item, -1, 0)]

    def _draw_spreads(self) -> None:
        """Spreads given the effects: proposed as under a flat prior, accepted by what the half-normal says to it."""
        for place, effects in enumerate(self._effects()):
            size = effects.shape[1]
            if size < 2:
                continue
            proposed = np.sum(effects**2, axis=1) / self._generator.chisquare(size - 1, self._rows)
            gain = (self._spread[:, place] ** 2 - proposed) / (2 * PRIOR_SPREAD**2)
            accepted = np.log(self._generator.random(self._rows)) < gain
            self._spread[accepted, place] = np.maximum(np.sqrt(proposed[accepted]), SMALLEST_SPREAD)

    def _draw_scales(self, weights: Floats) -> None:
        """Intercept, effect and spreads given the standardised effects, whose products with the spreads stay linear."""
        by_rater = self._by_rater / self._spread[:, None, :2]
        by_image = self._by_image / self._spread[:, 2:3]
        by_item = self._by_item / self._spread[:, None, None, 3:]
        columns = np.ones((*weights.shape, 7))
        columns[..., 2:4] = by_rater.reshape(-1, 2)[self._rater_of]
        columns[..., 4] = np.repeat(by_image.ravel(), self._slots)[self._item_of]
        columns[..., 5:7] = by_item.reshape(-1, 2)[self._item_of]
        columns[..., [1, 3, 6]] *= self._arm[..., None]
        precision = np.swapaxes(columns * weights[..., None], 1, 2) @ columns
        precision += np.diag([PRIOR_INTERCEPT**-2, PRIOR_EFFECT**-2, *[PRIOR_SPREAD**-2] * 5])
        drawn = self._gaussian(precision, (self._kappa[:, None] @ columns)[:, 0])
        self._beta = drawn[:, :2]
        # A spread and its effects may change sign together: the model is the same, and the spread is kept positive.
        self._spread = np.maximum(np.abs(drawn[:, 2:]), SMALLEST_SPREAD)
        scales = np.where(drawn[:, 2:] < 0, -1, 1) * self._spread
        self._by_rater = by_rater * scales[:, None, :2]
        self._by_image = by_image * scales[:, 2:3]
        self._by_item = by_item * scales[:, None, None, 3:]


def _slots(ratings: Ratings) -> Integers:
    """Which of its image's items each answer is on [n], counted from 0."""
    _, first = np.unique(ratings.item, return_index=True)
    image = ratings.image[first]
    order = np.argsort(image, kind="stable")
    slot = np.empty(image.size, dtype=np.int64)
    slot[order] = np.arange(image.size) - np.searchsorted(image[order], image[order])
    return slot[ratings.item]


def _two_by_two(sums: Floats) -> Floats:
    """From sums of weights and of weights times arm [..., 2] to the precision of (level, slope) [..., 2, 2]."""
    level, slope = sums[..., 0], sums[..., 1]
    return np.stack([np.stack([level, slope], axis=-1), np.stack([slope, level / 4], axis=-1)], axis=-2)


def _diagonal(values: Floats) -> Floats:
    return np.asarray(values[..., None] * np.eye(values.shape[-1]))
