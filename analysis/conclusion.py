"""What the primary test says, held against zero and against the smallest difference of interest."""

import math
from dataclasses import dataclass

from scipy import stats

from .estimate import Estimate


@dataclass(frozen=True)
class Conclusion:
    """What may be said of the primary difference.

    Attributes:
        kind: "more", "less", "equivalent", "unresolved" or "none" (there is no test).
        sentence: it in words.
        equivalence_p: p-value of two one-sided tests (Schuirmann 1987) against the smallest difference of interest; NaN
            where none was named or there is no standard error.
        smallest_effect: that difference, as a share; 0 where none was named.
    """

    kind: str
    sentence: str
    equivalence_p: float
    smallest_effect: float


def conclude(primary: Estimate, smallest_effect: float) -> Conclusion:
    """The conclusion from the primary estimate; equivalence is only judged where a smallest difference was named."""
    if not math.isfinite(primary.p_value):
        why = primary.reason or (primary.caveats[-1] if primary.caveats else "")
        return Conclusion("none", f"Nothing is concluded. {why}".strip(), math.nan, smallest_effect)
    alpha = 1 - primary.level
    p = _equivalence(primary, smallest_effect) if smallest_effect > 0 else math.nan
    span = f"{100 * primary.value:+.1f} points [{100 * primary.low:.1f}, {100 * primary.high:.1f}]"
    if primary.p_value < alpha:
        kind = "more" if primary.value > 0 else "less"
        sentence = f"Raters did so {'more' if kind == 'more' else 'less'} often under SPADE ({span})."
        if smallest_effect > 0:
            near = primary.low if primary.value > 0 else -primary.high
            told = "is larger" if near > smallest_effect else "may be smaller"
            sentence += f" The difference {told} than the smallest of interest ({100 * smallest_effect:.1f} points)."
        return Conclusion(kind, sentence, p, smallest_effect)
    if p < alpha:
        sentence = (
            f"The arms are equivalent: the difference ({span}) is smaller than {100 * smallest_effect:.1f} points "
            "either way."
        )
        return Conclusion("equivalent", sentence, p, smallest_effect)
    sentence = f"Whether the arms differ is not resolved ({span}); that is no evidence that they do not."
    return Conclusion("unresolved", sentence, p, smallest_effect)


def _equivalence(primary: Estimate, margin: float) -> float:
    error, df = primary.standard_error, primary.df
    above = stats.t.sf((primary.value + margin) / error, df)
    below = stats.t.cdf((primary.value - margin) / error, df)
    return float(max(above, below))
