"""The primary question answered otherwise: every other analysis of it in one table, and the Bayesian model's chains."""

import math

from ..crossed_logistic import PARAMETERS, Posterior
from ..measure import MEASURES
from ..study import StudyAnalysis
from . import estimates as told
from . import wording as say
from .document import Block, Paragraph, Points, Table
from .figures import Bar, forest


def checks(found: StudyAnalysis) -> list[Block]:
    """Every analysis of the primary question beside the primary one, and how the Bayesian chains fared."""
    posterior = found.posterior
    shown = [found.primary, *found.checks, posterior.difference, posterior.odds_ratio]
    caveats = tuple(
        dict.fromkeys(
            f"{told.title(one)}: {caveat}"
            for one in shown
            for caveat in one.caveats
            if caveat not in found.primary.caveats
        )
    )
    judged = [one for one in shown if math.isfinite(one.low)]
    without = [told.title(one) for one in judged if not told.resolved(one)]
    agreed = f"{len(judged) - len(without)} of {len(judged)} intervals exclude a difference of zero (a ratio of one)"
    blocks: list[Block] = [
        Paragraph(f"{agreed}; these include it: {say.listed(without)}." if without else f"{agreed}."),
        Table(
            "table-checks",
            f"{MEASURES[found.preregistration.primary].row}, {say.level(found.table4.level)} intervals",
            ("analysis", "quantity", "estimate", "interval", "*p*"),
            tuple(told.row(one) for one in shown),
            "The multiway bootstrap is wider than its level says where raters and images hardly differ (Owen, 2007). "
            "Odds ratios given a rater or an item tend to be further from 1 than those of the population: they answer "
            "another question, and differ even where both are right. Each method in full stands in report.json.",
            tuple(dict.fromkeys(one.source for one in shown)),
        ),
    ]
    bars = [
        Bar(told.title(one), 100 * one.value, 100 * one.low, 100 * one.high)
        for one in shown
        if "difference" in one.quantity and math.isfinite(one.low)
    ]
    if len(bars) > 1:
        blocks.append(
            forest(
                "checks",
                bars,
                label="SPADE less dense, points",
                caption="Every analysis of the primary difference that has an interval.",
                alt="; ".join(f"{bar.name} {bar.value:.1f} [{bar.low:.1f}, {bar.high:.1f}]" for bar in bars),
                sources=tuple(dict.fromkeys(one.source for one in shown)),
            )
        )
    if posterior.parameters:
        blocks.append(Paragraph(_chains(posterior)))
    return [*blocks, Points(caveats)] if caveats else blocks


def _chains(posterior: Posterior) -> str:
    """What the chains say, and how far they may be trusted."""
    settled = "settled" if posterior.converged else "did *not* settle"
    apart = max(posterior.parameters, key=lambda one: one.r_hat)
    least = min(posterior.parameters, key=lambda one: min(one.bulk_ess, one.tail_ess))
    spreads = say.listed(
        [
            f"{PARAMETERS[one.name].removeprefix('the spread of ')} {say.number(one.median)} "
            f"{say.interval(one.low, one.high)}"
            for one in posterior.parameters[3:]
        ]
    )
    return (
        f"The Bayesian model gives SPADE the better share with probability {say.proper(posterior.positive, 3)}. Its "
        f"{posterior.chains.chains} chains of {posterior.chains.kept:,} draws {settled}: R-hat is at most "
        f"{apart.r_hat:.3f} ({PARAMETERS[apart.name]}); the effective size is {posterior.parameters[0].bulk_ess:,.0f} "
        f"for the risk difference and least, {min(least.bulk_ess, least.tail_ess):,.0f}, for {PARAMETERS[least.name]}. "
        f"Standard deviations on the logit scale (posterior medians, {say.level(posterior.difference.level)} "
        f"equal-tailed intervals): {spreads}."
    )
