import json
import math
from pathlib import Path

import pytest

from analysis import calibration
from analysis.crossed_logistic import Chains
from analysis.errors import AnalysisError

STUDIES = 150


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], calibration.Rates]:
    """The closed battery on few studies a truth: enough to see a gross failure, not to measure a percent."""
    store = tmp_path_factory.mktemp("calibration") / "trials.jsonl"
    calibration.run(store, replications={"closed": STUDIES})
    return {(one.truth, one.method): one for one in calibration.rates(store)}


def error(share: float) -> float:
    """Four Monte Carlo standard errors of a share."""
    return 4 * math.sqrt(share * (1 - share) / STUDIES)


@pytest.mark.parametrize("truth", calibration.TWO_STEPS)
def test_the_primary_interval_holds_the_planted_truth_about_as_often_as_it_says(
    closed: dict[tuple[str, str], calibration.Rates], truth: str
) -> None:
    for method in ("primary", "crossed_undecided", "crossed_disagree", "crossed_agree_decided", "crossed_half_credit"):
        found = closed[truth, method]
        assert found.missing == 0
        assert found.coverage > 0.93 - error(0.93), (method, found)
        assert abs(found.bias) < 4.5 * found.bias_error, (method, found)


@pytest.mark.parametrize("truth", ["none", "none, heterogeneous"])
def test_the_primary_test_rarely_calls_a_difference_where_there_is_none(
    closed: dict[tuple[str, str], calibration.Rates], truth: str
) -> None:
    assert closed[truth, "primary"].rejected < 0.06 + error(0.06)


def test_the_naive_interval_fails_where_raters_and_items_differ(
    closed: dict[tuple[str, str], calibration.Rates],
) -> None:
    # The reason for all the rest: independent answers are assumed, and the planted truth is missed too often.
    naive, primary = (closed["none, heterogeneous", method] for method in ("newcombe", "primary"))
    assert naive.coverage < 0.93
    assert primary.coverage > naive.coverage


def test_the_papers_effect_is_found_more_often_than_none(
    closed: dict[tuple[str, str], calibration.Rates],
) -> None:
    assert closed["paper", "primary"].rejected > 0.5 > closed["none", "primary"].rejected


def test_a_run_goes_on_where_it_stopped_and_gives_what_one_run_gives(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    calibration.run(whole, replications={"closed": 3}, truths=["none"])
    calibration.run(parts, replications={"closed": 2}, truths=["none"])
    # A run killed while it wrote its last line.
    parts.write_text(parts.read_text() + '{"battery": "closed", "tru')
    assert len(parts.read_text().splitlines()) == 3
    parts.write_text(parts.read_text() + "\n")
    calibration.run(parts, replications={"closed": 3}, truths=["none"])
    # Tables, since what is not a number equals nothing.
    assert calibration.as_markdown(calibration.rates(parts)) == calibration.as_markdown(calibration.rates(whole))


@pytest.mark.parametrize("battery", ["fitted", "resampled", "within"])
def test_every_other_battery_gives_intervals_too(battery: str) -> None:
    found = calibration.trials("none", 0, battery=battery)
    assert all(one.covered is not None or one.rejected is not None for one in found)


def test_studies_that_are_taken_together_are_all_kept_and_made_again_only_where_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "QUICK_CHAINS", Chains(2, 10, 30))
    store = tmp_path / "trials.jsonl"
    calibration.run(store, replications={"bayesian": 3}, truths=["none"])
    whole = store.read_text().splitlines()
    assert [json.loads(line)["seed"] for line in whole] == list(range(10))
    assert all(json.loads(line)["trials"][0]["covered"] in {True, False} for line in whole)
    # A run killed in the middle of a block makes it again, to the same studies.
    store.write_text("\n".join(whole[:4]) + "\n")
    calibration.run(store, replications={"bayesian": 3}, truths=["none"])
    assert store.read_text().splitlines() == whole


def test_the_crossed_models_odds_ratio_and_spreads_have_a_truth_where_one_step_was_planted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration, "QUICK_CHAINS", Chains(2, 10, 30))
    told = {
        truth: {one.method: one for one in calibration.trials(truth, 0, battery="bayesian")}
        for truth in ("none", "paper", "paper, one step", "paper, one step, heterogeneous")
    }
    assert told["none"]["crossed_logistic_odds_ratio"].covered is not None
    assert told["paper"]["crossed_logistic_odds_ratio"].covered is None
    for truth, spreads in (("paper, one step", 3), ("paper, one step, heterogeneous", 5)):
        found = told[truth]
        assert found["crossed_logistic_odds_ratio"].covered is not None
        # A spread of zero lies outside every interval of a positive quantity: it is no truth to hold.
        assert sum(name.startswith("crossed_logistic_sd_") for name in found) == spreads
    assert "crossed_logistic_sd_rater" not in told["none"]


def test_an_unknown_battery_or_an_empty_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="did you mean 'closed'"):
        calibration.trials("none", 0, battery="close")
    with pytest.raises(AnalysisError, match="did you mean 'paper'"):
        calibration.trials("papr", 0, battery="closed")
    with pytest.raises(AnalysisError, match="no simulated study"):
        calibration.rates(tmp_path / "none.jsonl")
