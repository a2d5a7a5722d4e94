import itertools
import math

import numpy as np
import pytest

from analysis.replication import Fresh, Printed, spread_between
from benchmark import definition, policy
from benchmark.comparison import compare, paper_effect, printed_mean
from data_manifests import published

RULES = policy.load()
REPLICATES = ("2", "A2", "A18", "A19", "A20")
"""Tables in which the paper prints its dense ResNet50; A19 repeats A18."""


def _plain(row: str) -> str:
    """A method's name however a table spells it."""
    return "".join(filter(str.isalnum, row)).casefold()


def standing(difference: float, *, sd: float = 8.0, n: int = 100, n_paper: int = 100, effect: float = 8.0) -> str:
    found = compare(
        Printed(90.0, 0.005, n_paper),
        Fresh(90.0 + difference, sd, n),
        metric="trojan_auc",
        effect=effect,
        cells=30,
        policy=RULES,
    )
    return found.outcome


def test_equal_cells_with_enough_samples_are_reproduced() -> None:
    # error 4 sqrt(2/1000) = .18; 90 % interval +-.29 inside +-(1 - .005)
    assert standing(0.0, sd=4.0, n=1000, n_paper=1000) == "reproduced"
    # .75 + .29 reaches beyond the margin of 1
    assert standing(0.75, sd=4.0, n=1000, n_paper=1000) == "consistent"


def test_half_the_papers_effect_is_the_margin_where_it_is_the_smaller() -> None:
    assert standing(0.3, sd=4.0, n=1000, n_paper=1000, effect=8.0) == "reproduced"
    # half of .8 is .4; .3 + .29 reaches beyond; the interval, .59 wide, is narrower than the effect
    assert standing(0.3, sd=4.0, n=1000, n_paper=1000, effect=0.8) == "consistent"


@pytest.mark.parametrize("difference", [0.0, 0.3, 0.75, 3.0, 9.0])
def test_a_table_of_shares_is_judged_like_the_same_in_per_cent(difference: float) -> None:
    shares = compare(
        Printed(0.9, 0.00005, 1000),
        Fresh(0.9 + difference / 100, 0.04, 1000),
        metric="trojan_auc",
        effect=0.08,
        cells=30,
        policy=RULES,
        unit="",
    )
    assert shares.outcome == standing(difference, sd=4.0, n=1000, n_paper=1000)
    assert f"{difference / 100:+.4f}" in shares.reason


def test_a_cell_far_outside_deviates_in_either_direction() -> None:
    assert standing(9.0) == standing(-9.0) == "deviates"


def test_an_interval_wider_than_the_effect_is_uninformative_and_says_what_it_takes() -> None:
    found = compare(
        Printed(90.0, 0.005, 400),
        Fresh(91.0, 8.0, 10),
        metric="trojan_auc",
        effect=2.0,
        cells=10,
        policy=RULES,
    )
    assert found.outcome == "uninformative"
    # half of 2 less half a digit; 1.65 * 8 sqrt(1/400 + 1/n) = .995 gives n = 305 or a little more
    assert 300 < found.needed < 320
    assert f"it takes n >= {found.needed:.0f}" in found.reason


def test_the_papers_own_few_samples_can_make_any_number_too_small() -> None:
    found = compare(
        Printed(90.0, 0.005, 20), Fresh(91.0, 8.0, 50), metric="trojan_auc", effect=2.0, cells=10, policy=RULES
    )
    assert found.outcome == "uninformative"
    assert math.isinf(found.needed)
    assert "the paper's n is too small" in found.reason


def test_the_papers_own_dense_replicates_pass_each_other() -> None:
    """Without any spread of our own: what passes here passes with any."""
    tables = {name: published.load(name).column("Dense") for name in REPLICATES}
    outcomes = []
    for one, other in itertools.permutations(REPLICATES, 2):
        shown = {_plain(row): cell for row, cell in tables[other].items()}
        cells = len(shown)
        for row, cell in tables[one].items():
            printed = printed_mean(cell, default_n=100)
            fresh = shown[_plain(row)]
            assert printed is not None
            found = compare(
                printed,
                Fresh(float(fresh.value), 0.0, fresh.n or 100),
                metric="trojan_auc",
                effect=math.nan,
                cells=cells,
                policy=RULES,
            )
            outcomes.append(found.outcome)
    assert len(outcomes) == 20 * 11
    assert "deviates" not in outcomes


def test_the_spread_between_replicates_in_the_policy_is_the_papers() -> None:
    independent = [name for name in REPLICATES if name != "A19"]
    rows = [
        [float(cell.value) for row, cell in published.load(name).column("Dense").items() if row != "Average"]
        for name in independent
    ]
    assert {len(row) for row in rows} == {10}
    assert spread_between(rows) == pytest.approx(RULES.paper.replicate_sd, abs=5e-5)


def test_a_policy_at_one_cells_level_would_not_pass_the_replicates() -> None:
    # 2.64 points between Tables 2 and A18 exceed 1.96 * .8516 * sqrt(2) = 2.36: the family level is needed.
    found = compare(
        Printed(83.8, 0.05, 100), Fresh(86.44, 0.0, 111), metric="trojan_auc", effect=math.nan, cells=1, policy=RULES
    )
    assert found.outcome == "deviates"


def test_the_effect_of_a_column_is_over_dense_and_that_of_dense_is_the_rows_largest() -> None:
    table = published.load("2")
    row = {cell.column: cell for cell in table.cells if cell.row == "Saliency"}
    # 96.21 - 87.87 = 8.34; 93.91 - 87.87 = 6.04
    assert paper_effect(row, "FastSPADE", "Dense") == pytest.approx(6.04)
    assert paper_effect(row, "Dense", "Dense") == pytest.approx(8.34)
    assert math.isnan(paper_effect(row, "SPADE", "Nothing"))


def test_every_metric_of_a_table_has_a_margin() -> None:
    assert {table.metric for table in definition.load_all()} <= set(RULES.paper.margins)


def test_reproduced_is_said_of_a_difference_at_the_margin_at_most_once_in_twenty() -> None:
    # The test's size: the truth lies exactly at the margin, on either side; alike on both within the noise.
    draw, rounds, sd, n = np.random.default_rng(12), 3000, 4.0, 400
    said = {}
    for sign in (1, -1):
        paper = draw.normal(90.0, sd, size=(rounds, n)).mean(axis=1)
        ours = draw.normal(90.0 + sign * RULES.paper.margins["trojan_auc"], sd, size=(rounds, n))
        outcomes = [
            compare(
                Printed(round(p, 2), 0.005, n),
                Fresh(float(row.mean()), float(row.std(ddof=1)), n),
                metric="trojan_auc",
                effect=math.nan,
                cells=30,
                policy=RULES,
            ).outcome
            for p, row in zip(paper.tolist(), ours, strict=True)
        ]
        said[sign] = outcomes.count("reproduced") / rounds
    error = math.sqrt(0.05 * 0.95 / rounds)
    assert max(said.values()) <= 0.05 + 2 * error
    assert abs(said[1] - said[-1]) <= 3.3 * math.sqrt(2) * error
    assert min(said.values()) > 0.02, "it never says so"
