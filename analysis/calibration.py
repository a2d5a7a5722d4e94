"""Known-truth recovery: how often each interval holds the planted truth, and how often each test cries wolf.

Studies are simulated with the paper's design and a planted effect (`analysis.simulation`), every method of the report
is run on each, and the share of intervals that hold the truth is counted. A replication is a function of truth and
seed, so that runs go on where they stopped and may be split.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from data_manifests.errors import allowed_names

from . import simulation
from .bounds import bounds_of_ratings
from .crossed import odds_ratio, risk_difference, share_interval
from .crossed_gibbs import SPREADS
from .crossed_logistic import Chains, Posterior, crossed_logistic_of_studies
from .errors import AnalysisError
from .estimate import Estimate
from .matched import cochran_mantel_haenszel, conditional_logit, mcnemar_test
from .measure import MEASURES
from .pigeonhole import pigeonhole_bootstrap
from .randomisation import randomisation_test
from .ratings import Ratings
from .regression import gee, multinomial, sandwich
from .simulation import PAPER_DESIGN, TRUTHS, Design, Truth, study
from .table4 import arm_counts, table_of_counts
from .three_outcomes import three_outcomes
from .within_rater import within_slope

LEVEL = 0.95
MEASURED = ("agree", "undecided", "disagree", "agree_decided", "half_credit")
QUICK_CHAINS = Chains(chains=2, warm_up=200, kept=400)
"""Shorter than a report's chains: their Monte Carlo error is a small share of an interval's length."""
LARGE = Design(raters=1500, images=1500, ratings=300_000, unevenness=0.0)
"""One study so large that its estimate stands for the value a method aims at where no formula gives it."""


@dataclass(frozen=True)
class Trial:
    """One interval or test of one simulated study.

    Attributes:
        method: what made it.
        error: estimate less truth, on the scale of the test (log odds for ratios); NaN without truth or value.
        covered: whether the interval holds the truth; None without interval or truth.
        rejected: whether the test calls a difference; None without a test.
        width: length of the interval.
    """

    method: str
    error: float
    covered: bool | None
    rejected: bool | None
    width: float


@dataclass(frozen=True)
class Rates:
    """What the trials of one method under one truth add up to.

    Attributes:
        truth: name of the planted truth.
        method: what made the intervals.
        replications: studies simulated.
        missing: studies without an interval where one was asked for.
        bias: mean error, and bias_error its Monte Carlo standard error.
        coverage: share of intervals that hold the truth, NaN without; low and high its 95 % Monte Carlo interval.
        rejected: share of tests at 5 % that call a difference: type I error where the truth is none, else power.
        width: mean length of the interval.
    """

    truth: str
    method: str
    replications: int
    missing: int
    bias: float
    bias_error: float
    coverage: float
    coverage_low: float
    coverage_high: float
    rejected: float
    rejected_low: float
    rejected_high: float
    width: float


def trials(truth: str, seed: int, *, battery: str, design: Design = PAPER_DESIGN) -> tuple[Trial, ...]:
    """The methods of a battery (`BATTERIES`) on one simulated study; the study is the same for all batteries.

    Raises:
        AnalysisError: there is no such truth or battery.
    """
    if battery not in BATTERIES:
        raise AnalysisError(f"There is no battery '{battery}'; {allowed_names(battery, BATTERIES)}")
    block = BATTERIES[battery].together
    return _block(truth, seed // block * block, battery, design)[seed % block]


def _block(truth: str, first: int, battery: str, design: Design = PAPER_DESIGN) -> list[tuple[Trial, ...]]:
    """The trials of the studies that a battery takes together, from this seed on."""
    planted, how = simulation.truth(truth), BATTERIES[battery]
    key = sorted(TRUTHS).index(truth)
    seeds = range(first, first + how.together)
    studies = [study(planted, design, np.random.default_rng([key, seed])) for seed in seeds]
    generator = np.random.default_rng([key, first, 1])
    if how.trials is None:
        return _bayesian(planted, studies, generator)
    return [tuple(how.trials(planted, truth, studies[0], generator))]


def _closed(planted: Truth, name: str, ratings: Ratings, generator: np.random.Generator) -> Iterator[Trial]:
    """What a formula gives: milliseconds a study."""
    del generator
    agree = MEASURES["agree"]
    difference, log_odds = planted.difference("agree"), _log_odds_ratio(*planted.share("agree"))
    for measure in MEASURED:
        found = risk_difference(ratings, MEASURES[measure], level=LEVEL)
        yield _trial("primary" if measure == "agree" else f"crossed_{measure}", found, planted.difference(measure))
    yield _trial("crossed_odds_ratio", odds_ratio(ratings, agree, level=LEVEL), log_odds, ratio=True)
    for by in ("rater", "image", "both"):
        yield _trial(f"sandwich_{by}", sandwich(ratings, agree, by=by, level=LEVEL), difference)
    row = table_of_counts(arm_counts(ratings, spade=False), arm_counts(ratings, spade=True), level=LEVEL).row("agree")
    yield _trial("newcombe", row.difference, difference)
    yield _trial("independent_odds_ratio", row.odds_ratio, log_odds, ratio=True)
    for place, (share, spade) in enumerate(((row.dense, False), (row.spade, True))):
        known = planted.share("agree")[place]
        arm = "spade" if spade else "dense"
        yield _interval(f"wilson_{arm}", (share.low, share.high), known)
        yield _interval(f"crossed_share_{arm}", share_interval(ratings, agree, spade=spade, level=LEVEL), known)
    decided, right = planted.decided, planted.agree
    least = right[1] - (right[0] + 1 - decided[0])
    yield _interval("bounds", bounds_of_ratings(ratings, level=LEVEL).interval, least)
    yield _trial("cmh", cochran_mantel_haenszel(ratings, agree, level=LEVEL), _aims(name), ratio=True)


def _fitted(planted: Truth, name: str, ratings: Ratings, generator: np.random.Generator) -> Iterator[Trial]:
    """What is iterated: a twelfth of a second a study."""
    del generator
    agree = MEASURES["agree"]
    log_odds = _log_odds_ratio(*planted.share("agree"))
    for by in ("rater", "image"):
        yield _trial(f"gee_{by}", gee(ratings, agree, by=by, level=LEVEL), log_odds, ratio=True)
    yield _trial("conditional_logit", conditional_logit(ratings, agree, level=LEVEL), _aims(name), ratio=True)
    wrong = planted.share("disagree")
    for found in multinomial(ratings, level=LEVEL):
        share = planted.share(found.measure)
        yield _trial(found.name, found, math.log(share[1] / wrong[1] / (share[0] / wrong[0])), ratio=True)


def _resampled(planted: Truth, name: str, ratings: Ratings, generator: np.random.Generator) -> Iterator[Trial]:
    """What is dealt or drawn again: a twentieth of a second a study."""
    del name
    agree, difference = MEASURES["agree"], planted.difference("agree")
    yield _trial("randomisation", randomisation_test(ratings, agree, draws=499, generator=generator), math.nan)
    for found in pigeonhole_bootstrap(ratings, agree, draws=999, generator=generator, level=LEVEL):
        yield _trial(found.name, found, difference)
    pairs = mcnemar_test(ratings, agree, generator=generator, level=LEVEL)
    yield _trial("mcnemar", pairs, planted.pair_log_odds(), ratio=True)


def _bayesian(planted: Truth, studies: Sequence[Ratings], generator: np.random.Generator) -> list[tuple[Trial, ...]]:
    """The crossed model, studies side by side: a third of a second a study."""
    found = crossed_logistic_of_studies(
        studies, MEASURES["agree"], generator=generator, chains=QUICK_CHAINS, level=LEVEL
    )
    return [tuple(_of_posterior(planted, one)) for one in found]


def _of_posterior(planted: Truth, found: Posterior) -> Iterator[Trial]:
    """Risk difference, odds ratio given rater and item, and the spreads that differ from zero.

    The odds ratio of a model with one step has a value where one step was planted, and where nothing distinguishes the
    arms (it is then 1, whatever the model).
    """
    yield _trial("crossed_logistic", found.difference, planted.difference("agree"))
    known = planted.parameters()
    dense, spade = planted.agree
    log_odds = known.get("effect", 0.0 if dense == spade else math.nan)
    yield _trial("crossed_logistic_odds_ratio", found.odds_ratio, log_odds, ratio=True)
    for one in found.parameters:
        if known.get(one.name) and one.name in SPREADS:
            yield _interval(f"crossed_logistic_sd_{one.name}", (one.low, one.high), known[one.name], one.median)


TIME_RATIO = 0.95
"""Planted: how many times as long answers under SPADE take."""


def _within(planted: Truth, name: str, ratings: Ratings, generator: np.random.Generator) -> Iterator[Trial]:
    """What the report compares within raters, and its half credit from counts alone: milliseconds a study.

    Answers come in random order, so that nothing drifts; log times have a level a rater (SD 0.3) and a difference of
    the arms that varies over raters (SD 0.1).
    """
    del name
    order = np.argsort(ratings.rater + generator.random(ratings.n))
    position = np.empty(ratings.n)
    position[order] = np.arange(ratings.n) - np.searchsorted(ratings.rater[order], ratings.rater[order])
    slope = within_slope(ratings.outcome == 0, position / 10, ratings.rater, level=LEVEL)
    yield _interval("drift_agree", (slope.low, slope.high), 0.0, slope.estimate)
    arm = ratings.spade.astype(np.float64)
    level, apart = generator.normal(0, 0.3, ratings.raters), generator.normal(math.log(TIME_RATIO), 0.1, ratings.raters)
    log_time = level[ratings.rater] + apart[ratings.rater] * arm + generator.normal(8.3, 0.5, ratings.n)
    ratio = within_slope(log_time, arm, ratings.rater, level=LEVEL)
    yield _interval("time_ratio", (ratio.low, ratio.high), math.log(TIME_RATIO), ratio.estimate)
    counted = three_outcomes(arm_counts(ratings, spade=False), arm_counts(ratings, spade=True), level=LEVEL)
    truth = planted.difference("half_credit")
    yield _interval("independent_half_credit", (counted.low, counted.high), truth, counted.half_credit)


TWO_STEPS = ("none", "none, heterogeneous", "paper", "paper, heterogeneous")
"""Truths in which raters may be undecided, as in the paper."""


@dataclass(frozen=True)
class Battery:
    """Methods that are run on the same studies.

    Attributes:
        trials: they on one study; None for the crossed model, which takes several studies at once.
        together: how many studies of consecutive seeds are taken at once.
        truths: what is planted in them.
    """

    trials: Callable[[Truth, str, Ratings, np.random.Generator], Iterator[Trial]] | None
    together: int = 1
    truths: tuple[str, ...] = TWO_STEPS


BATTERIES: dict[str, Battery] = {
    "closed": Battery(_closed),
    "fitted": Battery(_fitted),
    "resampled": Battery(_resampled),
    "within": Battery(_within),
    "bayesian": Battery(None, together=10, truths=tuple(TRUTHS)),
}
"""Methods by what a study costs them, so that each is run as often as it can be."""


def _trial(method: str, found: Estimate, truth: float, *, ratio: bool = False) -> Trial:
    value, low, high = found.value, found.low, found.high
    if ratio:
        value, low, high = (math.log(one) if one > 0 else math.nan for one in (value, low, high))
    known = not (math.isnan(truth) or math.isnan(low) or math.isnan(high))
    rejected = found.p_value < 1 - LEVEL if not math.isnan(found.p_value) else None
    return Trial(method, value - truth, low <= truth <= high if known else None, rejected, high - low)


def _interval(method: str, ends: tuple[float, float], truth: float, value: float = math.nan) -> Trial:
    known = not any(math.isnan(end) for end in ends)
    return Trial(method, value - truth, ends[0] <= truth <= ends[1] if known else None, None, ends[1] - ends[0])


def _log_odds_ratio(dense: float, spade: float) -> float:
    return math.log(spade / (1 - spade) / (dense / (1 - dense)))


@cache
def _aims(name: str) -> float:
    """The log odds ratio given the item that a conditional logit aims at: its estimate from one very large study."""
    truth = simulation.truth(name)
    if truth.share("agree")[0] == truth.share("agree")[1]:
        return 0.0
    generator = np.random.default_rng(7)
    large = cochran_mantel_haenszel(study(truth, LARGE, generator), MEASURES["agree"])
    return math.log(large.value)


def run(
    store: Path,
    *,
    replications: Mapping[str, int],
    truths: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Simulate what `store` (JSON lines) lacks of so many studies a truth and battery; of all its truths, or of these.

    A run that was stopped goes on from there. Where a battery takes studies together, all of them are kept, so that
    there may be some more than asked for.
    """
    done = {(one["battery"], one["truth"], one["seed"]) for one in _records(store)}
    todo = []
    for battery, count in replications.items():
        for first in range(0, count, BATTERIES[battery].together):
            for truth in BATTERIES[battery].truths if truths is None else truths:
                seeds = range(first, first + BATTERIES[battery].together)
                if missing := [seed for seed in seeds if (battery, truth, seed) not in done]:
                    todo.append((battery, truth, first, missing))
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.open("a", encoding="utf-8") as stream:
        for number, (battery, truth, first, missing) in enumerate(todo, start=1):
            found = _block(truth, first, battery)
            for seed in missing:
                told = [asdict(one) for one in found[seed - first]]
                stream.write(json.dumps({"battery": battery, "truth": truth, "seed": seed, "trials": told}) + "\n")
            stream.flush()
            if progress is not None:
                progress(number, len(todo))


def _records(store: Path) -> list[dict[str, object]]:
    if not store.exists():
        return []
    found = []
    for line in store.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            # The last line of a run that was killed while writing; its study is simulated again.
            continue
    return found


def rates(store: Path) -> tuple[Rates, ...]:
    """The trials in `store`, added up by truth and method in the order they were first met.

    Raises:
        AnalysisError: the store holds no trial.
    """
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for record in _records(store):
        for one in record["trials"]:  # type: ignore[attr-defined]
            groups[str(record["truth"]), one["method"]].append(Trial(**one))
    if not groups:
        raise AnalysisError(f"{store}: no simulated study is stored there; run `spade-stats calibrate` first.")
    return tuple(_rates(truth, method, found) for (truth, method), found in groups.items())


def _rates(truth: str, method: str, found: list[Trial]) -> Rates:
    errors = np.array([one.error for one in found])
    errors = errors[np.isfinite(errors)]
    covered = [one.covered for one in found if one.covered is not None]
    rejected = [one.rejected for one in found if one.rejected is not None]
    widths = np.array([one.width for one in found])
    widths = widths[np.isfinite(widths)]
    return Rates(
        truth,
        method,
        len(found),
        len(found) - len(covered),
        float(errors.mean()) if errors.size else math.nan,
        float(errors.std(ddof=1) / math.sqrt(errors.size)) if errors.size > 1 else math.nan,
        *_share(covered),
        *_share(rejected),
        float(widths.mean()) if widths.size else math.nan,
    )


def _share(hits: list[bool]) -> tuple[float, float, float]:
    if not hits:
        return math.nan, math.nan, math.nan
    low, high = proportion_confint(sum(hits), len(hits), method="wilson")
    return sum(hits) / len(hits), float(low), float(high)


def as_markdown(found: Sequence[Rates]) -> str:
    """One table a truth: bias, coverage and rejections in percent with their Monte Carlo intervals."""
    lines: list[str] = []
    for truth in dict.fromkeys(one.truth for one in found):
        null = truth.startswith("none")
        lines += [
            f"### {truth}",
            "",
            f"| method | studies | bias (MC error) | coverage, % | width | {'type I error' if null else 'power'}, % |",
            "|---|---|---|---|---|---|",
        ]
        for one in found:
            if one.truth == truth:
                bias = "" if math.isnan(one.bias) else f"{one.bias:+.4f} ({one.bias_error:.4f})"
                width = "" if math.isnan(one.width) else f"{one.width:.3f}"
                coverage = _percent(one.coverage, one.coverage_low, one.coverage_high)
                rejected = _percent(one.rejected, one.rejected_low, one.rejected_high)
                lines.append(f"| {one.method} | {one.replications} | {bias} | {coverage} | {width} | {rejected} |")
        lines.append("")
    return "\n".join(lines)


def _percent(share: float, low: float, high: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
