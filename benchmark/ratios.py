"""Where the sparsity ratios of an arm come from, a literal table.

Nothing here imports torch: definitions and plans are made from names.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RatioSource:
    """One way to come by ratios.

    Attributes:
        title: in words.
        rule: "linear" needs no search: ratios rise linearly from 0 in the first layer to 0.99 in the last (appendix B);
            "searched" ratios stand with their scale.
        solver: what prunes while searching.
        metric: what the search maximises.
        share: of the scale's calibration samples that the search looks at.
    """

    title: str
    rule: Literal["searched", "linear"] = "searched"
    solver: Literal["obc", "sparsegpt"] = "obc"
    metric: str = "trojan_auc"
    share: float = 1.0


RATIO_SOURCES: dict[str, RatioSource] = {
    "spade": RatioSource("searched with OBC"),
    "fastspade": RatioSource("searched with SparseGPT", solver="sparsegpt"),
    "fastspade-few": RatioSource(
        "searched with SparseGPT on three tenths of the calibration samples", solver="sparsegpt", share=0.3
    ),
    # A score by insertion costs as many forward passes as it has steps, four times a map: half the samples.
    "fastspade-insertion": RatioSource(
        "searched with SparseGPT and the insertion metric, on clean images, half as many as the calibration samples",
        solver="sparsegpt",
        metric="insertion",
        share=0.5,
    ),
    "linear": RatioSource("rising linearly from 0 in the first layer to 0.99 in the last", rule="linear"),
}
"""As tables and scales call them."""
