"""Everything that is inferred from one run of the study, as one frozen result that a page can be made of."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version

import numpy as np

from .bounds import Bounds, bounds_of_ratings
from .conclusion import Conclusion, conclude
from .crossed import CrossedVariance, clusters, crossed_variance, odds_ratio, risk_difference
from .crossed_logistic import Chains, Posterior, crossed_logistic
from .estimate import Estimate
from .exclusion import Taken, exclude
from .matched import cochran_mantel_haenszel, conditional_logit, mcnemar_test
from .measure import MEASURES, Measure
from .paired import holm
from .pigeonhole import pigeonhole_bootstrap
from .preregistration import UNREGISTERED, Preregistration
from .randomisation import randomisation_test
from .ratings import Ratings, of_frame
from .regression import gee, multinomial, sandwich
from .responses import Responses
from .specification import SpecificationCurve, specification_curve
from .table4 import Table4, table_of_ratings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much is drawn.

    Attributes:
        deals: dealings of the randomisation test.
        resamples: draws of the multiway bootstrap.
        chains: length of the Bayesian chains.
    """

    deals: int = 9999
    resamples: int = 5000
    chains: Chains = field(default_factory=Chains)

    def scaled(self, answers: int) -> "Effort":
        """The same with fewer dealings where so many answers would take minutes; never fewer than 999."""
        return replace(self, deals=min(self.deals, max(999, int(2e8 / max(answers, 1)))))


@dataclass(frozen=True)
class StudyAnalysis:
    """What one run says.

    Attributes:
        source: the export.
        sha256: its hash.
        run: the run's name.
        run_kind: "main", "pilot" or "bot".
        notes: what was odd about the export and did no harm.
        missing: optional columns it lacks.
        preregistration: what was fixed, or the default that nobody fixed.
        registered: whether that is what the run was opened with; only then is anything confirmatory.
        registration: a sentence on it.
        before: main answers before exclusions.
        answers: main answers analysed.
        raters: raters analysed.
        images: images analysed.
        items: items (image and role) analysed.
        exclusions: what each rule took.
        table4: the paper's rows.
        primary: the one primary test: risk difference, crossed interval.
        conclusion: what the primary says of zero and of the smallest difference of interest.
        variance: the primary's variance by what is left out, and its design effect.
        checks: the primary's question answered otherwise.
        secondary: risk differences of the secondary measures, p-values also after Holm.
        three_outcomes: relative risk ratios of the multinomial logit.
        bounds: what the undecided could have said.
        posterior: the crossed Bayesian model.
        specifications: the primary under every combination of the exclusion rules.
        caveats: what a reader must know of the whole.
        effort: how much was drawn.
        seed: what the draws began with.
        versions: packages that computed it.
        seconds: how long it took, by part.
    """

    source: str
    sha256: str
    run: str
    run_kind: str
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    preregistration: Preregistration
    registered: bool
    registration: str
    before: int
    answers: int
    raters: int
    images: int
    items: int
    exclusions: tuple[Taken, ...]
    table4: Table4
    primary: Estimate
    conclusion: Conclusion
    variance: CrossedVariance | None
    checks: tuple[Estimate, ...]
    secondary: tuple[Estimate, ...]
    three_outcomes: tuple[Estimate, ...]
    bounds: Bounds
    posterior: Posterior
    specifications: SpecificationCurve
    caveats: tuple[str, ...]
    effort: Effort
    seed: int
    versions: dict[str, str]
    seconds: dict[str, float]

    def estimates(self) -> tuple[Estimate, ...]:
        """Every estimate of the result, each with the function it came from."""
        rows = [
            one
            for row in self.table4.rows
            for one in (row.difference, row.odds_ratio, row.crossed_difference, row.crossed_odds_ratio)
            if one is not None
        ]
        return (
            self.primary,
            *self.checks,
            *self.secondary,
            *self.three_outcomes,
            self.posterior.difference,
            self.posterior.odds_ratio,
            *rows,
        )


def analyse(
    responses: Responses,
    preregistration: Preregistration | None = None,
    *,
    seed: int = 0,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> StudyAnalysis:
    """The whole analysis of one run; `progress` is told what comes next.

    Nothing here fails for what the answers are: an analysis they cannot carry has a reason in place of a value.
    """
    plan = preregistration or UNREGISTERED
    registered, sentence = _registration(responses, preregistration)
    left = exclude(responses, plan.exclusions)
    ratings = of_frame(left.kept)
    primary_measure = MEASURES[plan.primary]
    effort = (effort or Effort()).scaled(ratings.n)
    clock = _Clock(progress)
    streams = np.random.SeedSequence(seed).spawn(5)
    deal, resample, pairs, gibbs, _ = (np.random.default_rng(one) for one in streams)
    level = plan.level

    with clock("Table 4"):
        table = table_of_ratings(ratings, level=level)
    with clock("primary test"):
        primary = risk_difference(ratings, primary_measure, level=level, name="primary")
        variance = crossed_variance(ratings, primary_measure) if primary.available else None
    with clock("randomisation test"):
        dealt = randomisation_test(ratings, primary_measure, draws=effort.deals, generator=deal)
    with clock("secondary measures"):
        secondary = _secondary(ratings, tuple(MEASURES[name] for name in plan.secondary), level)
    with clock("multiway bootstrap"):
        resampled = pigeonhole_bootstrap(
            ratings, primary_measure, draws=effort.resamples, generator=resample, level=level
        )
    with clock("regressions"):
        fitted = _regressions(ratings, primary_measure, level)
        outcomes = multinomial(ratings, level=level)
    with clock("comparisons within items"):
        matched = _matched(ratings, primary_measure, pairs, level)
    with clock("bounds"):
        bounds = bounds_of_ratings(ratings, level=level)
    with clock("crossed Bayesian model"):
        posterior = crossed_logistic(ratings, primary_measure, generator=gibbs, chains=effort.chains, level=level)
    with clock("specification curve"):
        curve = specification_curve(responses, plan.exclusions, primary_measure, level=level)

    fixed = "confirmatory" if registered else "exploratory"
    return StudyAnalysis(
        source=responses.source,
        sha256=responses.sha256,
        run=responses.run,
        run_kind=responses.run_kind,
        notes=responses.notes,
        missing=responses.missing,
        preregistration=plan,
        registered=registered,
        registration=sentence,
        before=left.before,
        answers=ratings.n,
        raters=ratings.raters,
        images=ratings.images,
        items=ratings.items,
        exclusions=left.steps,
        table4=_exploratory_table(table),
        primary=replace(primary, status=fixed),
        conclusion=conclude(primary, plan.smallest_effect),
        variance=variance,
        checks=(replace(dealt, status=fixed), *_exploratory((*resampled, *fitted, *matched))),
        secondary=tuple(replace(one, status=fixed) for one in secondary),
        three_outcomes=_exploratory(outcomes),
        bounds=bounds,
        posterior=replace(
            posterior,
            difference=replace(posterior.difference, status="exploratory"),
            odds_ratio=replace(posterior.odds_ratio, status="exploratory"),
        ),
        specifications=curve,
        caveats=_caveats(responses, ratings, left.before),
        effort=effort,
        seed=seed,
        versions={name: version(name) for name in ("numpy", "scipy", "pandas", "statsmodels")},
        seconds=clock.seconds,
    )


def _registration(responses: Responses, given: Preregistration | None) -> tuple[bool, str]:
    opened = responses.preregistration
    if given is None:
        told = f" although the run was opened with one ({opened[:12]})" if opened else ""
        return (
            False,
            f"No preregistration was given{told}: every analysis is exploratory, and no exclusion rule is applied.",
        )
    if opened is None:
        return False, (
            f"The export carries no preregistration, so the one given ({given.sha256[:12]}) may have been written "
            "after the answers: every analysis is exploratory."
        )
    if opened != given.sha256:
        return False, (
            f"The preregistration given ({given.sha256[:12]}) is not the one the run was opened with ({opened[:12]}): "
            "it was changed, and every analysis is exploratory."
        )
    return True, f"The run was opened with this preregistration ({opened[:12]})."


def _secondary(ratings: Ratings, measures: tuple[Measure, ...], level: float) -> tuple[Estimate, ...]:
    found = [risk_difference(ratings, one, level=level, name=f"secondary_{one.name}") for one in measures]
    adjusted = holm([one.p_value for one in found])
    return tuple(replace(one, p_adjusted=float(p)) for one, p in zip(found, adjusted, strict=True))


def _regressions(ratings: Ratings, measure: Measure, level: float) -> tuple[Estimate, ...]:
    # A score of halves is no share of one kind of answer: it has no odds.
    halves = any(score not in {0, 1} for score in measure.score)
    linear = [sandwich(ratings, measure, by=by, level=level) for by in ("rater", "image", "both")]
    if halves:
        return tuple(linear)
    return (
        *linear,
        odds_ratio(ratings, measure, level=level, name="crossed_odds_ratio"),
        gee(ratings, measure, by="rater", level=level),
        gee(ratings, measure, by="image", level=level),
    )


def _matched(ratings: Ratings, measure: Measure, generator: np.random.Generator, level: float) -> tuple[Estimate, ...]:
    if any(score not in {0, 1} for score in measure.score):
        return ()
    return (
        conditional_logit(ratings, measure, level=level),
        cochran_mantel_haenszel(ratings, measure, level=level),
        mcnemar_test(ratings, measure, generator=generator, level=level),
    )


def _exploratory(estimates: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    return tuple(replace(one, status="exploratory") for one in estimates)


def _exploratory_table(table: Table4) -> Table4:
    rows = []
    for row in table.rows:
        names = ("difference", "odds_ratio", "crossed_difference", "crossed_odds_ratio")
        found = {name: getattr(row, name) for name in names}
        rows.append(replace(row, **{name: one and replace(one, status="exploratory") for name, one in found.items()}))
    return replace(table, rows=tuple(rows))


def _caveats(responses: Responses, ratings: Ratings, before: int) -> tuple[str, ...]:
    found = []
    if responses.run_kind == "pilot":
        found.append("These are answers of a pilot: people, but before the study was fixed.")
    if responses.run_kind == "bot":
        found.append("These are answers of simulated raters and say nothing about people.")
    if ratings.n == 0:
        left = "there are none" if before == 0 else f"the exclusion rules took all {before}"
        found.append(f"No main answer is left: {left}.")
    if responses.raters is None:
        found.append("No table of raters came with the export, so nothing is known of people who gave no answer.")
    else:
        silent = len(responses.raters) - responses.frame["rater"].nunique()
        if silent:
            found.append(f"{silent} people entered the run and gave no answer; they are in no share.")
    pairs = clusters(ratings)[2][1]
    if ratings.n and ratings.n > 4 * pairs:
        found.append("Raters answered the same image many times over; answers on one image lean on few judgements.")
    return tuple(found)


class _Clock:
    """Tells what begins and keeps how long it took."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._name = ""
        self._start = 0.0
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str) -> "_Clock":
        self._name = name
        return self

    def __enter__(self) -> None:
        if self._progress is not None:
            self._progress(self._name)
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds[self._name] = time.perf_counter() - self._start
