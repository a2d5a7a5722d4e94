"""The specification curve: the same difference under every combination of the exclusion rules."""

from dataclasses import dataclass

import numpy as np

from .crossed import risk_difference
from .errors import AnalysisError
from .estimate import Estimate
from .exclusion import Exclusion, combinations, marked
from .measure import Measure
from .ratings import of_frame
from .responses import Responses

MOST_RULES = 10
"""1,024 combinations; more cannot be read off one figure."""


@dataclass(frozen=True)
class Specification:
    """One combination of rules.

    Attributes:
        rules: position of each rule applied, among the rules of the curve.
        estimate: the difference with its crossed interval.
        registered: whether it is the combination that was to be used: all rules.
    """

    rules: tuple[int, ...]
    estimate: Estimate
    registered: bool


@dataclass(frozen=True)
class SpecificationCurve:
    """Every combination, by its difference.

    Attributes:
        measure: what is compared.
        rules: each rule in words.
        specifications: ascending by value; those without a value last.
        left_out: rules that could not be applied, with the reason.
        least: smallest difference.
        greatest: largest difference.
        resolved: how many intervals leave zero out.
    """

    measure: str
    rules: tuple[str, ...]
    specifications: tuple[Specification, ...]
    left_out: tuple[str, ...]
    least: float
    greatest: float
    resolved: int


def specification_curve(
    responses: Responses, rules: tuple[Exclusion, ...], measure: Measure, *, level: float = 0.95
) -> SpecificationCurve:
    """The difference under every combination of `rules`; with none there is one specification, all answers.

    Raises:
        AnalysisError: there are more than MOST_RULES rules.
    """
    if len(rules) > MOST_RULES:
        raise AnalysisError(
            f"{len(rules)} exclusion rules make {2 ** len(rules)} combinations; at most {MOST_RULES} rules."
        )
    main = (responses.frame["kind"] == "main").to_numpy()
    everything = of_frame(responses.frame)
    marks, used, left_out = [], [], []
    for rule in rules:
        taken = marked(responses.frame, rule)
        if isinstance(taken, str):
            left_out.append(f"{rule.sentence}: {taken}")
        else:
            marks.append(taken[main])
            used.append(rule)
    places = {rule: place for place, rule in enumerate(used)}
    found = []
    for subset in combinations(tuple(used)):
        chosen = tuple(places[rule] for rule in subset)
        gone = np.any([marks[place] for place in chosen], axis=0) if chosen else np.zeros(everything.n, dtype=bool)
        name = "specification_" + ("".join(str(place) for place in chosen) or "none")
        estimate = risk_difference(everything.where(~gone), measure, level=level, name=name)
        found.append(Specification(chosen, estimate, registered=len(chosen) == len(used)))
    found.sort(key=lambda one: (not one.estimate.available, one.estimate.value))
    values = np.array([one.estimate.value for one in found if one.estimate.available])
    return SpecificationCurve(
        measure.name,
        tuple(rule.sentence for rule in used),
        tuple(found),
        tuple(left_out),
        float(values.min()) if values.size else float("nan"),
        float(values.max()) if values.size else float("nan"),
        sum(one.estimate.low > 0 or one.estimate.high < 0 for one in found),
    )
