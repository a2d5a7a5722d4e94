"""Each standing a claim can have, from runs and seeds whose effects are known."""

from dataclasses import replace

import pytest
import synthetic_run

from benchmark import policy
from benchmark.cells import Cell, cells
from benchmark.claims.question import question
from benchmark.claims.verification import ClaimVerdict, comparable, missing, verify
from benchmark.records import RunRecords
from benchmark.seeds import SeedSummary, summarise
from data_manifests.claim import load
from data_manifests.expression import CellName

# All draws: with fewer, no p-value is small enough to survive the adjustment over parts and questions.
RULES = policy.load()
TABLES = ("2", "a20")


def of_run(run: RunRecords) -> list[Cell]:
    return [one for table in run.tables for one in cells(table, run)]


@pytest.fixture(scope="module")
def summaries() -> list[SeedSummary]:
    return [summarise(synthetic_run.run(seed, tables=TABLES), RULES) for seed in range(6)]


@pytest.fixture(scope="module")
def verdicts(summaries: list[SeedSummary]) -> dict[str, ClaimVerdict]:
    run = synthetic_run.run(7, tables=TABLES)
    found = verify(of_run(run), comparable(run, summaries), RULES)
    return {one.claim.id: one for one in found}


def test_every_claim_has_a_verdict_in_the_papers_order(verdicts: dict[str, ClaimVerdict]) -> None:
    assert list(verdicts) == [claim.id for claim in load().claims]


@pytest.mark.parametrize(
    ("name", "standing", "reason"),
    [
        ("spade-average-gain", "holds", ""),
        ("later-layers-helpful", "holds", ""),
        # LRP is not the best method of the synthetic network, GuidedGradCam is.
        ("spade-lrp-99", "other data", "no comparison of numbers"),
        ("linear-gain", "not run", "Table A2"),
        ("noise-reduced", "not run", "Figure I.7 is no table; `spade-bench figure I.7` measures it"),
        ("intro-robust", "not checkable", "no measure of robustness"),
        ("study-tasks", "not checkable", "set-up"),
    ],
)
def test_each_standing_has_its_reason(verdicts: dict[str, ClaimVerdict], name: str, standing: str, reason: str) -> None:
    assert (verdicts[name].standing, reason in verdicts[name].reason) == (standing, True)


def test_seeds_decide_where_they_have_the_cells_and_this_run_stands_beside(verdicts: dict[str, ClaimVerdict]) -> None:
    one = verdicts["spade-average-gain"]
    assert one.seeds is not None
    assert one.here is not None
    assert one.deciding is one.seeds
    assert one.seeds.n == 6


def test_a_planted_loss_reverses_the_claim() -> None:
    run = synthetic_run.run(3, gain=-1.0, tables=TABLES, n_samples=24)
    found = {one.claim.id: one for one in verify(of_run(run), (), RULES)}
    assert found["spade-average-gain"].standing == "reversed"
    assert found["spade-average-gain"].deciding is found["spade-average-gain"].here
    # Pruning the early blocks helps when all gains are turned round.
    assert found["later-layers-helpful"].standing == "reversed"


def test_eight_images_that_all_lose_are_too_few_among_so_many_claims() -> None:
    found = {one.claim.id: one for one in verify(of_run(synthetic_run.run(3, gain=-1.0, tables=TABLES)), (), RULES)}
    claim = found["spade-average-gain"]
    assert claim.standing == "unresolved"
    # Eight signs all turned: 2 of 256.
    assert claim.here is not None
    assert claim.here.p_value == pytest.approx(2 / 256)


def test_without_records_everything_is_not_run_or_not_checkable() -> None:
    found = verify((), (), RULES)
    assert {one.standing for one in found} == {"not run", "not checkable"}
    reasons = {one.claim.id: one.reason for one in found}
    assert "`spade-bench run 2` computes it" in reasons["spade-average-gain"]


def test_seeds_of_another_protocol_say_nothing(summaries: list[SeedSummary]) -> None:
    run = synthetic_run.run(7, tables=TABLES)
    assert len(comparable(run, summaries)) == 6
    assert comparable(run, [replace(one, identity="other") for one in summaries]) == ()
    assert len(comparable(None, summaries)) == 6


def test_p_values_are_adjusted_over_distinct_questions(verdicts: dict[str, ClaimVerdict]) -> None:
    same = [verdicts[name] for name in ("abstract-saliency", "spade-over-dense", "spade-average-gain")]
    assert len({one.adjusted_p for one in same}) == 1
    (first,) = {one.seeds.p_value for one in same if one.seeds}
    assert same[0].adjusted_p >= first


def test_a_size_and_a_count_of_the_paper_become_directions() -> None:
    def asked(name: str) -> str:
        found = question(load().claim(name))
        assert found is not None
        return found.form

    assert asked("spade-over-8") == "above zero"
    assert asked("sparse-fc-deletion-gain") == "below zero"
    assert asked("fastspade-nine-methods") == "most rows"
    assert asked("spade-every-method") == "every row"
    assert asked("same-class-no-better") == "below zero"
    assert asked("intro-error-dense") == "value"
    assert question(load().claim("study-tasks")) is None


def test_a_reason_that_several_columns_share_is_said_once() -> None:
    names = [CellName("3", "LIME", f"Insertion/{arm}") for arm in ("Dense", "FastSPADE")]
    names += [CellName("A5", "LIME", "SPADE"), CellName("A5", "LIME", "Dense")]
    assert missing(names, ()) == (
        "Table 3, Insertion/Dense, Insertion/FastSPADE: no value is stored; `spade-bench run 3` computes it; "
        "Table A5 is not among the tables that are run here"
    )
