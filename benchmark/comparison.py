"""How a cell stands to the paper's printed one, where network and data are the paper's own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.equivalence import Equivalence, equivalence
from analysis.replication import Fresh, Printed, Replication, replication, samples_needed
from data_manifests.published import PublishedCell

from .cells import decimals, point
from .policy import Policy

Standing = Literal["reproduced", "consistent", "deviates", "uninformative"]
"""reproduced: equivalent within the margin; consistent: inside the prediction interval, but not shown to be equivalent;
deviates: outside it; uninformative: inside it, but so wide that the paper's effect could hide in it."""


@dataclass(frozen=True)
class Comparison:
    """A cell beside the printed one.

    Attributes:
        margin: of equivalence, in the printed unit; NaN where neither policy nor paper gives one.
        effect: the paper's own effect in this row, in the printed unit; NaN where it prints none.
        needed: samples with which the interval would be no wider than the effect; infinite where the paper's own
            number of samples is too small for that, NaN where there is no effect.
    """

    outcome: Standing
    reason: str
    replication: Replication
    equivalence: Equivalence | None
    margin: float
    effect: float
    needed: float


def compare(
    printed: Printed,
    fresh: Fresh,
    *,
    metric: str,
    effect: float,
    cells: int,
    policy: Policy,
    unit: str = "%",
) -> Comparison:
    """The standing of a fresh cell beside a printed one, in the printed unit.

    effect: the paper's effect that this cell is part of; NaN where it prints none.
    cells: of the table that are compared, which share the policy's family level.
    unit: of the printed cells, "%" or, for shares, "".

    Raises:
        AnalysisError: fewer than two samples, or a number that is not finite.
    """
    rule = policy.paper
    replicate_sd = rule.replicate_sd * point(unit) if metric == "trojan_auc" else 0.0
    found = replication(printed, fresh, level=1 - rule.family_alpha / cells, replicate_sd=replicate_sd)
    # The margin is for what was sampled: the error of two tables of one source is for what may be called deviating.
    sampled = replication(printed, fresh, level=1 - 2 * rule.alpha)
    fixed = rule.margins.get(metric, math.nan) * point(unit)
    margin = min((one for one in (fixed, abs(effect) / 2) if math.isfinite(one)), default=math.nan)
    # Rounding may hide half a unit on either side, so that much less of the margin is left.
    room = margin - printed.half_unit
    tested = (
        equivalence(sampled.difference, sampled.error, sampled.df, margin=room, alpha=rule.alpha) if room > 0 else None
    )
    width = sampled.high - sampled.low
    needed = math.nan
    if math.isfinite(effect):
        half = abs(effect) / 2 - printed.half_unit
        needed = (
            samples_needed(fresh.sd, printed.n, half_width=half, level=1 - 2 * rule.alpha) if half > 0 else math.inf
        )
    outcome, reason = _standing(found, tested, width, effect, needed, shown=decimals(unit))
    return Comparison(outcome, reason, found, tested, margin, effect, needed)


def printed_mean(cell: PublishedCell, *, default_n: int) -> Printed | None:
    """A printed cell as a mean over samples; None where it prints words or an exact count, or n is nowhere given."""
    if cell.number is None or cell.number.rounded_to is None:
        return None
    n = cell.n or default_n
    return Printed(float(cell.number.value), float(cell.number.half_unit), n) if n else None


def paper_effect(row: Mapping[str, PublishedCell], column: str, baseline: str) -> float:
    """The paper's effect in a row of printed cells by column: of this column over the baseline's.

    For the baseline itself it is the largest of the row. NaN where the row prints no baseline, or nothing beside it.
    """
    values = {name: cell.number.value for name, cell in row.items() if cell.number is not None}
    if baseline not in values or column not in values:
        return math.nan
    gains = {name: float(value - values[baseline]) for name, value in values.items() if name != baseline}
    if column != baseline:
        return gains[column]
    return max(gains.values(), key=abs, default=math.nan)


def _standing(
    found: Replication, tested: Equivalence | None, width: float, effect: float, needed: float, *, shown: int
) -> tuple[Standing, str]:
    moved, span = f"{found.difference:+.{shown}f} from print", f"{found.low:.{shown}f} to {found.high:.{shown}f}"
    if tested is not None and tested.equivalent:
        return "reproduced", f"{moved}, inside the margin of {tested.margin:.{shown}f} (p {tested.p_value:.3f})"
    if not found.inside:
        return "deviates", f"{moved}, outside {span}, where a repetition falls"
    if math.isfinite(effect) and width > abs(effect):
        enough = (
            f"it takes n >= {needed:.0f}" if math.isfinite(needed) else "no number would do: the paper's n is too small"
        )
        wide = f"the interval is {width:.{shown}f} wide, the paper's effect {abs(effect):.{shown}f}"
        return "uninformative", f"{wide}; {enough}"
    return "consistent", f"{moved}, inside {span}"
