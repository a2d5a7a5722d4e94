"""Exact draws from the Polya-Gamma distribution PG(1, z), many at once.

Devroye's accept-reject for the Jacobi distribution J*(1, z/2), of which PG(1, z) is a quarter (Polson, Scott, Windle
2013, section 4 and algorithm 1): a proposal from an exponential right of t and an inverse Gaussian left of it,
decided by partial sums of an alternating series. Every draw that is still open goes through one step together.
"""

import numpy as np
from scipy.special import expit, log_ndtr

from .ratings import Booleans, Floats

_T = 0.64
"""Where the two proposals meet; this value accepts 0.9991 of them (Polson, Scott, Windle 2013)."""


def polya_gamma(z: Floats, generator: np.random.Generator) -> Floats:
    """One draw from PG(1, z) for each z [...] finite; the result has its shape."""
    tilt = np.abs(np.asarray(z, dtype=np.float64)).ravel() / 2
    drawn = np.empty_like(tilt)
    rate = np.pi**2 / 8 + tilt**2 / 2
    right = _right_share(tilt, rate)
    open_ = np.arange(tilt.size)
    while open_.size:
        proposed = _proposed(tilt[open_], rate[open_], right[open_], generator)
        accepted = _accepted(proposed, generator)
        drawn[open_[accepted]] = proposed[accepted]
        open_ = open_[~accepted]
    return drawn.reshape(np.shape(z)) / 4


def _right_share(tilt: Floats, rate: Floats) -> Floats:
    """Probability that the proposal lies right of t: p / (p + q), on the log scale where q would overflow."""
    log_p = np.log(np.pi / 2) - np.log(rate) - rate * _T
    root = 1 / np.sqrt(_T)
    # 2 exp(-z) times the distribution function of the inverse Gaussian(1/z, 1) at t.
    log_q = np.log(2) + np.logaddexp(-tilt + log_ndtr(root * (_T * tilt - 1)), tilt + log_ndtr(-root * (_T * tilt + 1)))
    return np.asarray(expit(log_p - log_q))


def _proposed(tilt: Floats, rate: Floats, right: Floats, generator: np.random.Generator) -> Floats:
    found = _T + generator.standard_exponential(tilt.size) / rate
    left = np.flatnonzero(generator.random(tilt.size) >= right)
    found[left] = _truncated_inverse_gaussian(tilt[left], generator)
    return found


def _truncated_inverse_gaussian(tilt: Floats, generator: np.random.Generator) -> Floats:
    """Draws from the inverse Gaussian(1/tilt, 1) below t."""
    found = np.empty_like(tilt)
    # Where the mean lies right of t: from the inverse chi-squared tail, thinned by the tilt (algorithm 2).
    open_ = np.flatnonzero(tilt * _T < 1)
    while open_.size:
        first, second = generator.standard_exponential((2, open_.size))
        x = _T / (1 + _T * first) ** 2
        fits = (first**2 <= 2 * second / _T) & (generator.random(open_.size) <= np.exp(-(tilt[open_] ** 2) * x / 2))
        found[open_[fits]] = x[fits]
        open_ = open_[~fits]
    # Elsewhere most of the inverse Gaussian already lies below t (algorithm 3).
    open_ = np.flatnonzero(tilt * _T >= 1)
    while open_.size:
        x = generator.wald(1 / tilt[open_], 1.0)
        fits = x < _T
        found[open_[fits]] = x[fits]
        open_ = open_[~fits]
    return found


def _accepted(x: Floats, generator: np.random.Generator) -> Booleans:
    """Whether a uniform share of the series' first term lies below the series' sum."""
    total = _term(0, x)
    target = generator.random(x.size) * total
    accepted = np.zeros(x.size, dtype=bool)
    open_ = np.arange(x.size)
    n = 0
    while open_.size:
        n += 1
        # Partial sums with odd n lie below the sum, with even n above it, and both come closer each time.
        total[open_] += (-1) ** n * _term(n, x[open_])
        decided = target[open_] < total[open_] if n % 2 else target[open_] > total[open_]
        accepted[open_[decided]] = bool(n % 2)
        open_ = open_[~decided]
    return accepted


def _term(n: int, x: Floats) -> Floats:
    """The n-th coefficient of the series, in the form that converges on x's side of t."""
    half = n + 0.5
    with np.errstate(under="ignore"):
        left = np.pi * half * (2 / (np.pi * x)) ** 1.5 * np.exp(-2 * half**2 / x)
        right = np.pi * half * np.exp(-(half**2) * np.pi**2 * x / 2)
    return np.asarray(np.where(x <= _T, left, right))
