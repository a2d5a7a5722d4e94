"""Agreement against published worked examples and, on random tables, against other packages."""

import itertools
import math
from collections import Counter

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from statsmodels.stats.inter_rater import fleiss_kappa

from analysis.agreement import Agreement, _alpha, agreement, count_table
from analysis.errors import AnalysisError
from analysis.paired import Bootstrap

FEW = Bootstrap(99, 0.95)


def of(table: object) -> Agreement:
    return agreement(np.asarray(table), bootstrap=FEW, generator=np.random.default_rng(0))


def from_raters(*raters: str) -> np.ndarray:
    """Counts of ratings given as one string a rater, a character an item, "." for none."""
    scale = sorted({mark for rater in raters for mark in rater} - {"."})
    pairs = [(item, mark) for rater in raters for item, mark in enumerate(rater) if mark != "."]
    return count_table([item for item, _ in pairs], [mark for _, mark in pairs], scale=scale)


def test_alpha_of_krippendorffs_binary_example_is_his() -> None:
    # Computing Krippendorff's Alpha-Reliability (2011), example A: two observers, ten units.
    assert of(from_raters("0100000010", "1110010000")).alpha.value == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_krippendorffs_nominal_example_is_his() -> None:
    # As above, example B: two observers, twelve units, five categories.
    assert of(from_raters("aabbdcccedda", "babbbccceddd")).alpha.value == pytest.approx(0.692, abs=5e-4)


def test_the_three_coefficients_of_four_raters_with_gaps_are_the_published_ones() -> None:
    # Krippendorff (2011), example C, alpha 0.743; the same ratings are data set cac.raw4raters of R's irrCAC, whose
    # overview page prints AC1 0.77544, Fleiss' kappa 0.76117, alpha 0.74342 and agreement 0.8181818.
    found = of(from_raters("123321412...", "1233224125.3", ".3332342251.", "12332441251."))
    assert found.alpha.value == pytest.approx(0.74342, abs=5e-6)
    assert found.ac1.value == pytest.approx(0.77544, abs=5e-6)
    assert found.fleiss.value == pytest.approx(0.76117, abs=5e-6)
    assert found.observed.value == pytest.approx(0.8181818, abs=5e-8)
    # One item has a single rating: of 12 items 11 are paired, of 41 ratings alpha uses 40.
    assert (found.items, found.paired_items, found.ratings) == (12, 11, 41)


def test_fleiss_kappa_of_ten_subjects_and_fourteen_raters_is_the_published_one() -> None:
    # The example of the Wikipedia article on Fleiss' kappa: 0.210.
    rows = "0 0 0 0 14/0 2 6 4 2/0 0 3 5 6/0 3 9 2 0/2 2 8 1 1/7 7 0 0 0/3 2 6 3 0/2 5 3 2 2/6 5 2 1 0/0 2 2 3 7"
    table = [[int(cell) for cell in row.split()] for row in rows.split("/")]
    assert of(table).fleiss.value == pytest.approx(0.210, abs=5e-4)


def test_a_sparse_table_gives_what_the_python_irrcac_gives() -> None:
    # irrCAC 0.4.4 on these ratings (a row an item, a column a rater); it prints five digits. It wants numpy below 2 and
    # so cannot be installed beside this project.
    rows = """
        ....20. .0.2..2 ..0..0. ..2.1.. ..1...1 ....1.. ......0 2.....0 .0.00.2 .00.... ...1110 ....0.. ..0...0 0.1..00
        0.10... .2.02.1 00....1 .2....1 ..00..0 .0.0.0. .1011.. 0...... 2...... 0...2.. .22...1
    """.split()  # noqa: SIM905 - the ratings stand as the table they are
    found = of(from_raters(*("".join(rater) for rater in zip(*rows, strict=True))))
    assert found.ac1.value == pytest.approx(0.24758, abs=5e-6)
    assert found.fleiss.value == pytest.approx(0.13153, abs=5e-6)
    assert found.alpha.value == pytest.approx(0.16234, abs=5e-6)


tables = arrays.arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(2, 4)), elements=st.integers(0, 4))


@given(tables)
def test_alpha_is_the_krippendorff_packages_on_any_table(table: np.ndarray) -> None:
    pairs = table[table.sum(axis=1) > 1]
    assume((pairs.sum(axis=0) > 0).sum() > 1)
    theirs = krippendorff.alpha(value_counts=table, level_of_measurement="nominal")
    assert of(table).alpha.value == pytest.approx(theirs)


@given(st.integers(2, 5), st.integers(2, 10), st.integers(2, 4), st.integers(0, 2**32))
def test_fleiss_kappa_with_equal_raters_is_statsmodels(raters: int, items: int, categories: int, seed: int) -> None:
    table = np.random.default_rng(seed).multinomial(raters, [1 / categories] * categories, size=items)
    assume((table.sum(axis=0) > 0).sum() > 1)
    assert of(table).fleiss.value == pytest.approx(fleiss_kappa(table))


@given(tables)
def test_observed_agreement_is_the_mean_of_counted_pairs(table: np.ndarray) -> None:
    shares = []
    for row in table:
        ratings = [category for category, count in enumerate(row) for _ in range(count)]
        pairs = list(itertools.combinations(ratings, 2))
        shares += [sum(a == b for a, b in pairs) / len(pairs)] if pairs else []
    assume(shares)
    assert of(table).observed.value == pytest.approx(sum(shares) / len(shares))


def test_the_interval_over_patterns_is_scipys_over_items() -> None:
    table = np.random.default_rng(3).multinomial(3, [0.5, 0.3, 0.2], size=60)
    ours = agreement(table, bootstrap=Bootstrap(4000, 0.9), generator=np.random.default_rng(1)).alpha

    def alpha(items: np.ndarray) -> float:
        return float(_alpha(table[items], np.ones((1, len(items)), dtype=np.int64))[0])

    plain = stats.bootstrap(
        (np.arange(60),), alpha, vectorized=False, n_resamples=4000, confidence_level=0.9, rng=np.random.default_rng(2)
    )
    # The 5 % quantile of 4,000 draws is uncertain by about a thirtieth of their spread, twice, and its level too.
    theirs = plain.confidence_interval
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.15 * float(plain.standard_error))


def test_one_category_throughout_is_undefined_and_says_why() -> None:
    found = of([[3, 0], [2, 0]])
    assert math.isnan(found.alpha.value)
    assert "one category" in found.alpha.reason
    assert found.observed.value == 1


def test_single_ratings_leave_nothing_to_agree_on() -> None:
    found = of([[1, 0], [0, 1], [1, 0]])
    assert math.isnan(found.ac1.value)
    assert found.ac1.reason == "no item has two ratings"


def test_one_item_has_a_value_and_no_interval() -> None:
    found = of([[2, 1]])
    # Three pairs, one of them equal.
    assert found.observed.value == pytest.approx(1 / 3)
    assert math.isnan(found.observed.low)
    assert "interval" in found.observed.reason


def test_a_coefficient_that_hangs_on_one_item_has_no_interval() -> None:
    found = of([[0, 1], [2, 0], [1, 1], [1, 0]])
    # Without the third item every pair lies in one category.
    assert not math.isnan(found.alpha.value)
    assert math.isnan(found.alpha.low)
    assert "single item" in found.alpha.reason


def test_a_category_off_the_scale_is_named() -> None:
    with pytest.raises(AnalysisError, match="'maybe' is not on the scale 'yes', 'no'"):
        count_table([1, 1], ["yes", "maybe"], scale=["yes", "no"])


@pytest.mark.parametrize("bad", [[[1.5, 0]], [[-1, 2]], [[0, 0]], [1, 2], [[3], [4]]])
def test_what_is_no_table_of_counts_is_refused(bad: object) -> None:
    with pytest.raises(AnalysisError):
        of(bad)


def test_counts_are_counted() -> None:
    items, marks = list("abcabca"), list("xyxxyxy")
    plain = Counter(zip(items, marks, strict=True))
    expected = [[plain[item, mark] for mark in "xy"] for item in "abc"]
    assert count_table(items, marks, scale="xy").tolist() == expected


@pytest.mark.slow
@pytest.mark.parametrize("items", [30, 100, 400])
def test_the_intervals_cover_the_truth_of_their_population(items: int) -> None:
    # Items of three kinds with one to four ratings each; the truth is that of a population of 400,000 such items.
    kinds = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.3, 0.3, 0.4]])
    draw = np.random.default_rng(11)

    def population(n: int) -> np.ndarray:
        return draw.multinomial(draw.integers(1, 5, n), kinds[draw.integers(0, 3, n)])

    names = ("observed", "alpha", "fleiss", "ac1")
    large = of(population(400_000))
    hits = Counter[str]()
    for _ in range(1000):
        found = agreement(population(items), bootstrap=Bootstrap(999, 0.95), generator=draw)
        hits.update(
            name
            for name in names
            if getattr(found, name).low <= getattr(large, name).value <= getattr(found, name).high
        )
    # 93 to 97 % is asked for; 1,000 data sets know a share of 95 % to 0.7 points (one standard error).
    assert {name: hits[name] / 1000 for name in names if not 0.93 <= hits[name] / 1000 <= 0.97} == {}
