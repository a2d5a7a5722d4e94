"""Whether chains of draws agree, and how many independent draws they are worth."""

import math

import numpy as np
from scipy import stats

from .ratings import Floats


def r_hat(draws: Floats) -> float:
    """Rank-normalised split R-hat of draws [chains, draws]: the larger of that of location and of spread.

    Vehtari, Gelman, Simpson, Carpenter, Buerkner 2021, equation 4; below 1.01 the chains agree. NaN with fewer than
    four draws a chain or where nothing varies.
    """
    halves = _split(draws)
    if halves.shape[1] < 2 or np.ptp(halves) == 0:
        return math.nan
    folded = np.abs(halves - np.median(halves))
    return max(_plain_r_hat(_ranked(halves)), _plain_r_hat(_ranked(folded)))


def bulk_ess(draws: Floats) -> float:
    """Effective sample size of the middle of the distribution, of draws [chains, draws] (as above, section 4.3)."""
    return _ess(_ranked(_split(draws)))


def tail_ess(draws: Floats) -> float:
    """The smaller effective sample size of the two 5 % tails, which is what ends of intervals rest on."""
    halves = _split(draws)
    return min(_ess((halves <= np.quantile(halves, tail)).astype(np.float64)) for tail in (0.05, 0.95))


def _split(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def _ranked(draws: Floats) -> Floats:
    ranks = stats.rankdata(draws, axis=None).reshape(draws.shape)
    return np.asarray(stats.norm.ppf((ranks - 0.375) / (draws.size + 0.25)))


def _plain_r_hat(draws: Floats) -> float:
    n = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean()
    between = n * draws.mean(axis=1).var(ddof=1)
    return math.nan if within == 0 else float(math.sqrt(((n - 1) / n * within + between / n) / within))


def _ess(draws: Floats) -> float:
    """Geyer's initial monotone sequence over the chains' combined autocorrelation."""
    chains, n = draws.shape
    if n < 4 or np.ptp(draws) == 0:
        return math.nan
    covariance = _autocovariance(draws)
    within = covariance[:, 0].mean() * n / (n - 1)
    total = within * (n - 1) / n + (draws.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    correlation = 1 - (within - covariance.mean(axis=0) * n / (n - 1)) / total
    correlation[0] = 1.0
    pairs = correlation[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: negative[0]] if negative.size else pairs)
    time = max(-1 + 2 * float(pairs.sum()), 1 / math.log10(chains * n))
    return float(chains * n / time)


def _autocovariance(draws: Floats) -> Floats:
    n = draws.shape[1]
    centred = draws - draws.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * n, axis=1)
    return np.asarray(np.fft.irfft(spectrum * spectrum.conj(), 2 * n, axis=1)[:, :n] / n)
