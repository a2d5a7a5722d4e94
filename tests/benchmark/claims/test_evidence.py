"""What records say to a question, against tests written out and effects that were planted."""

import math
from dataclasses import replace

import numpy as np
import pytest
import synthetic_run
from scipy import stats

from benchmark import policy
from benchmark.cells import Cell, cells
from benchmark.claims.evidence import over_images, over_seeds
from benchmark.claims.question import question
from benchmark.seeds import CellSummary, SeedSummary, summarise
from data_manifests.claim import load

RULES = replace(policy.load(), intervals=replace(policy.load().intervals, draws=2000))
CLAIMS = load()


def cell(row: str, column: str, values: dict[str, float]) -> Cell:
    kept = tuple(sorted(values))
    return Cell("2", row, column, "value", "%", kept, tuple(values[name] for name in kept), asked=len(values))


def table(gains: dict[str, list[float]]) -> list[Cell]:
    """Dense cells of 80 and SPADE cells above them by a gain on each image."""
    made = []
    for row, gain in gains.items():
        made.append(cell(row, "Dense", {f"i{n}": 80.0 + n for n in range(len(gain))}))
        made.append(cell(row, "SPADE", {f"i{n}": 80.0 + n + one for n, one in enumerate(gain)}))
    return made


METHODS = [name.row for name in CLAIMS.claim("spade-every-method").expression.cells[:10]]


def test_an_average_gain_is_the_mean_over_images_of_the_mean_over_methods() -> None:
    asked = question(CLAIMS.claim("spade-average-gain"))
    assert asked is not None
    found = over_images(asked, table({"LRP": [1.0, 2.0, 3.0], "LIME": [3.0, 4.0, 5.0]}), RULES)
    assert found is not None
    # Images gain 2, 3 and 4 on average over the two methods.
    assert found.mean == pytest.approx(3.0)
    assert (found.n, found.answer) == (3, 1)
    # Of three images the interval is Student's: 3 -+ 4.3027 * 1 / sqrt(3).
    assert (found.low, found.high) == pytest.approx((0.5159, 5.4841), abs=1e-4)


def test_an_average_leaves_out_a_method_that_one_column_lacks() -> None:
    asked = question(CLAIMS.claim("spade-average-gain"))
    assert asked is not None
    lone = cell("Occlusion", "Dense", {"i0": 0.0, "i1": 0.0})
    found = over_images(asked, [*table({"LRP": [1.0, 2.0]}), lone], RULES)
    assert found is not None
    assert found.mean == pytest.approx(1.5)


def test_a_missing_cell_is_no_evidence() -> None:
    asked = question(CLAIMS.claim("spade-every-method"))
    assert asked is not None
    assert over_images(asked, table({"LRP": [1.0, 2.0]}), RULES) is None
    assert over_images(asked, [], RULES) is None
    assert over_seeds(asked, [], RULES) is None


def test_one_image_has_no_interval_and_no_p_value() -> None:
    asked = question(CLAIMS.claim("spade-average-gain"))
    assert asked is not None
    found = over_images(asked, table({"LRP": [1.0]}), RULES)
    assert found is not None
    assert math.isnan(found.low)
    assert math.isnan(found.p_value)


def gains(worst: float) -> dict[str, list[float]]:
    generator = np.random.default_rng(0)
    made = {row: [4.0 + one for one in generator.normal(0, 0.5, 12)] for row in METHODS}
    made["LIME"] = [worst + one for one in generator.normal(0, 0.5, 12)]
    return made


@pytest.mark.parametrize(
    ("worst", "answer", "shown"), [(4.0, 1, True), (-4.0, -1, True), (0.0, None, False)], ids=["all", "one loses", "?"]
)
def test_every_method_gains_only_if_each_is_shown_to(worst: float, answer: int | None, *, shown: bool) -> None:
    asked = question(CLAIMS.claim("spade-every-method"))
    assert asked is not None
    assert asked.form == "every row"
    found = over_images(asked, table(gains(worst)), RULES)
    assert found is not None
    assert (found.p_value < 0.05) == shown
    assert answer is None or found.answer == answer
    assert found.parts == 10
    assert found.confirmed == 10 - (worst <= 0)
    assert found.refuted == (worst < 0)


def test_the_biggest_gains_are_asked_pair_by_pair() -> None:
    asked = question(CLAIMS.claim("spade-biggest-gains"))
    assert asked is not None
    made = gains(4.0)
    for row in ("Saliency", "InputXGradient", "LRP"):
        made[row] = [gain + 5 for gain in made[row]]
    found = over_images(asked, table(made), RULES)
    assert found is not None
    # Three methods against seven.
    assert (found.parts, found.confirmed, found.refuted, found.answer) == (21, 21, 0, 1)
    made["LIME"] = [30.0 + n / 10 for n in range(12)]
    beaten = over_images(asked, table(made), RULES)
    assert beaten is not None
    assert (beaten.refuted, beaten.answer) == (3, -1)
    assert beaten.p_value < 0.05


def summaries(values: list[float]) -> list[SeedSummary]:
    first = summarise(synthetic_run.run(0, tables=("2",), n_samples=2), policy.load())

    def one(seed: int, gain: float) -> SeedSummary:
        made = (
            CellSummary("2", "LRP", "Dense", "value", "%", 80.0, 4),
            CellSummary("2", "LRP", "SPADE", "value", "%", 80.0 + gain, 4),
        )
        return replace(first, seed=seed, cells=made)

    return [one(seed, gain) for seed, gain in enumerate(values)]


def test_over_seeds_it_is_students_t_test() -> None:
    asked = question(CLAIMS.claim("spade-lrp-raised"))
    assert asked is not None
    values = [1.0, 2.0, 0.5, 1.5]
    found = over_seeds(asked, summaries(values), RULES)
    assert found is not None
    plain = stats.ttest_1samp(values, 0)
    interval = plain.confidence_interval(1 - RULES.directions.alpha)
    assert found.mean == pytest.approx(1.25)
    assert (found.n, found.answer) == (4, 1)
    assert found.low == pytest.approx(interval.low)
    assert found.high == pytest.approx(interval.high)
    assert found.p_value == pytest.approx(plain.pvalue)


def test_a_number_of_the_paper_is_shown_and_never_tested() -> None:
    asked = question(CLAIMS.claim("spade-lrp-99"))
    assert asked is not None
    found = over_seeds(asked, summaries([19.5, 19.6]), RULES)
    assert found is not None
    assert found.mean == pytest.approx(99.55)
    assert found.answer == 0
    assert math.isnan(found.p_value)


def test_a_planted_effect_is_found_in_a_whole_run_and_a_planted_loss_too() -> None:
    asked = question(CLAIMS.claim("spade-average-gain"))
    assert asked is not None
    for gain, answer in ((1.0, 1), (-1.0, -1)):
        run = synthetic_run.run(3, gain=gain, tables=("2",))
        found = over_images(asked, [one for table in run.tables for one in cells(table, run)], RULES)
        assert found is not None
        assert found.answer == answer
        assert found.p_value < 0.05


def test_evidence_does_not_depend_on_the_order_of_images() -> None:
    asked = question(CLAIMS.claim("spade-average-gain"))
    assert asked is not None
    made = table({"LRP": [1.0, 2.0, 4.0], "LIME": [3.0, 4.0, 4.5]})
    turned = [replace(one, samples=one.samples[::-1], values=one.values[::-1]) for one in made]
    assert over_images(asked, made, RULES) == over_images(asked, turned, RULES)
