import json
from pathlib import Path

import numpy as np
import pytest

from analysis import preregistration, responses, simulated_export
from analysis.crossed_logistic import Chains
from analysis.estimate import as_tree
from analysis.ratings import Ratings, of_labels
from analysis.simulation import TRUTHS, Design, study
from analysis.study import Effort, StudyAnalysis, analyse

QUICK = Effort(deals=199, resamples=200, chains=Chains(2, 50, 100))
REGISTERED = """
title = "SPADE against dense"
hypothesis = "Raters agree with Score-CAM more often under SPADE."
primary = "agree"
secondary = ["undecided", "disagree"]
ratings = 300
raters = 12
stop = "when every task has been answered twice"

[[exclusion]]
rule = "too_fast"
below_ms = 1500
[[exclusion]]
rule = "too_few"
fewer_than = 10
[[exclusion]]
rule = "failed_catch"
below_share = 0.5
"""


def simulated(seed: int = 1, **design: int) -> Ratings:
    asked = Design(**{"raters": 12, "images": 20, "ratings": 300} | design)  # type: ignore[arg-type]
    return study(TRUTHS["paper"], asked, np.random.default_rng(seed))


def analysed(ratings: Ratings, seed: int = 0) -> StudyAnalysis:
    return analyse(simulated_export.responses_of(ratings, np.random.default_rng(9)), seed=seed, effort=QUICK)


def test_the_whole_result_is_json_and_every_number_names_the_function_it_came_from() -> None:
    result = analysed(simulated())
    tree = json.loads(json.dumps(as_tree(result), allow_nan=False))
    assert tree["primary"]["value"] == result.primary.value
    for one in result.estimates():
        module, _, function = one.source.rpartition(".")
        assert callable(getattr(__import__(module, fromlist=[function]), function)), one.name
        assert one.status in {"confirmatory", "exploratory"}, one.name
    names = [one.name for one in result.estimates()]
    assert len(names) == len(set(names))


def test_the_same_seed_gives_the_same_result_whatever_the_order_of_rows(tmp_path: Path) -> None:
    ratings = simulated()
    folder = simulated_export.write(ratings, tmp_path / "a", np.random.default_rng(9))
    lines = (folder / "responses.csv").read_text().splitlines()
    (folder / "mixed.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    first = analyse(responses.read(folder), seed=3, effort=QUICK)
    other = analyse(responses.read(folder / "mixed.csv", raters=folder / "raters.csv"), seed=3, effort=QUICK)
    for one, two in zip(first.estimates(), other.estimates(), strict=True):
        assert as_tree(one) == as_tree(two)


def test_only_the_preregistration_the_run_was_opened_with_makes_anything_confirmatory(tmp_path: Path) -> None:
    (tmp_path / "prereg.toml").write_text(REGISTERED)
    plan = preregistration.read(tmp_path / "prereg.toml")
    ratings = simulated()
    for opened, confirmatory in ((plan.sha256, True), ("0" * 64, False), ("", False)):
        export = simulated_export.responses_of(ratings, np.random.default_rng(9), preregistration=opened)
        result = analyse(export, plan, effort=QUICK)
        assert result.registered is confirmatory
        assert (result.primary.status == "confirmatory") is confirmatory
        assert all(one.status == "exploratory" for one in result.checks[1:])
        assert [one.measure for one in result.secondary] == ["undecided", "disagree"]
    assert analyse(export, effort=QUICK).primary.status == "exploratory"


def test_the_result_tells_what_each_exclusion_rule_took(tmp_path: Path) -> None:
    (tmp_path / "prereg.toml").write_text(REGISTERED)
    plan = preregistration.read(tmp_path / "prereg.toml")
    export = simulated_export.responses_of(simulated(), np.random.default_rng(9))
    result = analyse(export, plan, effort=QUICK)
    fast = int((export.frame["client_rt_ms"] < 1500).sum())
    assert result.exclusions[0].answers == fast > 0
    assert result.answers == result.before - sum(one.answers for one in result.exclusions)
    assert result.exclusions[2].answers == 0
    assert len(result.specifications.specifications) == 8
    registered = [one for one in result.specifications.specifications if one.registered]
    assert [one.estimate.value for one in registered] == [result.primary.value]


def test_secondary_p_values_are_holms() -> None:
    found = analysed(simulated()).secondary
    order = sorted(found, key=lambda one: one.p_value)
    running = 0.0
    for place, one in enumerate(order):
        running = max(running, min(1.0, one.p_value * (len(order) - place)))
        assert one.p_adjusted == pytest.approx(running)


def rows(outcome: list[int], spade: list[int], rater: list[int], image: list[int]) -> Ratings:
    return of_labels(
        outcome, np.array(spade, dtype=bool), [f"r{one}" for one in rater], [f"i{one}" for one in image], image
    )


CYCLE = list(range(4))
BAD = {
    "one rater": rows([0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], CYCLE),
    "one image": rows([0, 1, 0, 0], [0, 1, 1, 0], CYCLE, [0, 0, 0, 0]),
    "an empty arm": rows([0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1], CYCLE),
    "all undecided": rows([2] * 8, [0, 1] * 4, [0, 0, 1, 1] * 2, [0, 1, 1, 0, 2, 3, 3, 2]),
    "all right": rows([0] * 8, [0, 1] * 4, [0, 0, 1, 1] * 2, [0, 1, 1, 0, 2, 3, 3, 2]),
    "perfect separation": rows([1, 0] * 8, [0, 1] * 8, [0, 0, 1, 1] * 4, [0, 0, 1, 1, 2, 2, 3, 3] * 2),
    "one answer": rows([0], [1], [0], [0]),
}


@pytest.mark.parametrize("kind", BAD)
def test_answers_that_carry_little_give_values_with_caveats_or_reasons_and_never_a_silent_zero(kind: str) -> None:
    ratings = BAD[kind]
    unique = np.arange(ratings.n)
    # No rater answers a task twice in an export; give each answer a rater's position of its own by image.
    tasks = np.unique(np.stack([ratings.rater, ratings.item, ratings.spade]), axis=1).shape[1]
    if tasks < ratings.n:
        ratings = of_labels(ratings.outcome, ratings.spade, ratings.rater, np.char.add("i", unique.astype(str)), unique)
    result = analysed(ratings)
    json.dumps(as_tree(result), allow_nan=False)
    primary = result.primary
    assert primary.reason or primary.caveats or np.isfinite(primary.low)
    for one in result.estimates():
        if one.available:
            assert np.isfinite(one.value) or "empty" in " ".join(one.caveats) or one.name == "mcnemar", one
            if one.value == 0 and one.quantity == "risk difference":
                assert one.caveats or np.isfinite(one.low), one
        else:
            assert one.reason.endswith("."), one


def test_rules_that_take_every_answer_leave_a_result_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "prereg.toml").write_text(REGISTERED.replace("fewer_than = 10", "fewer_than = 1000"))
    export = simulated_export.responses_of(simulated(), np.random.default_rng(9))
    result = analyse(export, preregistration.read(tmp_path / "prereg.toml"), effort=QUICK)
    assert result.answers == 0
    assert "took all 300" in " ".join(result.caveats)
    assert "no answer" in result.primary.reason
