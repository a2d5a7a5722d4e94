"""The report of a study: what it says of one simulated, and that it says something of any that could be."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import intervals_in_prose
import numpy as np
import pandas as pd
import pytest

from analysis import cells
from analysis.crossed_logistic import Chains
from analysis.exclusion import exclude
from analysis.measure import MEASURES
from analysis.paired import Bootstrap
from analysis.preregistration import UNREGISTERED
from analysis.raters import analyse_raters
from analysis.ratings import of_frame
from analysis.report import data, latex, markdown, page
from analysis.report.document import Document, Paragraph, Points, Table
from analysis.report.study import build
from analysis.responses import checked
from analysis.simulated_export import export_of
from analysis.simulation import TRUTHS, Design, study
from analysis.study import Effort, analyse

QUICK = Effort(deals=99, resamples=99, chains=Chains(2, 20, 40))


@cache
def _export() -> pd.DataFrame:
    draw = np.random.default_rng(4)
    return export_of(study(TRUTHS["paper"], Design(raters=8, images=20, ratings=200), draw), draw)


def export() -> pd.DataFrame:
    return _export().copy()


def report(frame: pd.DataFrame) -> Document:
    read = checked(cells.Cells(frame.reset_index(drop=True), "made up", "", ()))
    found = analyse(read, effort=QUICK)
    kept = exclude(read, UNREGISTERED.exclusions).kept
    people = analyse_raters(
        read.frame,
        kept,
        of_frame(kept),
        MEASURES[UNREGISTERED.primary],
        level=0.95,
        bootstrap=Bootstrap(99, 0.95),
        generator=np.random.default_rng(0),
    )
    return build(found, people, facts={"seed": "0"})


def text(document: Document) -> str:
    """Every form, so that each is made."""
    json.loads(data.render(document))
    return page.render(document) + latex.render(document) + markdown.render(document)


@pytest.fixture(scope="module")
def document() -> Document:
    return report(export())


def test_the_shares_are_those_of_the_rows(document: Document) -> None:
    frame = export()
    spade = frame[frame["arm"] == "spade"]
    agree = int((spade["choice"] == spade["key_side"]).sum())
    (rows,) = (
        block.rows
        for part in document.sections
        for block in part.blocks
        if isinstance(block, Table) and block.name == "table-4-rows"
    )
    cell = next(row.cells[4] for row in rows if row.cells[0] == "Agree with Score-CAM")
    assert cell.startswith(f"{agree} of {len(spade)} = ")


def test_without_a_preregistration_everything_is_exploratory(document: Document) -> None:
    marks = {
        row.status
        for part in document.sections
        for block in part.blocks
        if isinstance(block, Table)
        for row in block.rows
    }
    assert marks - {""} == {"exploratory"}
    assert any("every analysis is exploratory" in block.text for block in document.lead)


def test_every_source_is_a_function_that_exists(document: Document) -> None:
    sources = {
        source
        for part in document.sections
        for block in part.blocks
        if isinstance(block, Table)
        for source in block.sources
    }
    assert len(sources) > 8
    for source in sources:
        module, _, name = source.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name)), source


def test_every_interval_outside_a_table_is_named_with_its_level_or_what_it_bounds(document: Document) -> None:
    said = [block.text for block in document.lead]
    for part in document.sections:
        for block in part.blocks:
            said += [block.text] if isinstance(block, Paragraph) else []
            said += block.items if isinstance(block, Points) else ()
    # Lead, sentences, drift, times, bounds and spreads: an empty pattern would find none.
    assert intervals_in_prose.named(said, after=("lies in ", "difference in ", "for dense and ")) > 20


def test_the_functions_behind_a_table_stand_in_every_form(document: Document) -> None:
    for form in (page.render(document), latex.render(document), markdown.render(document)):
        assert "analysis.crossed.risk_difference" in form.replace(r"\_", "_")


def test_simulated_raters_are_called_that(document: Document) -> None:
    assert "simulated raters" in document.title


def _never_right(frame: pd.DataFrame) -> pd.DataFrame:
    other = {"left": "right", "right": "left"}
    wrong = [other[side] for side in frame["key_side"]]
    return frame.assign(choice=np.where(frame["arm"] == "spade", frame["key_side"], wrong))


AWKWARD: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "one answer": (lambda frame: frame.head(1), "nothing to compare"),
    "one rater": (lambda frame: frame[frame["rater"] == frame["rater"].iloc[0]], "says nothing about the next rater"),
    "one image": (lambda frame: frame[frame["image"] == frame["image"].iloc[0]], "image"),
    "an empty arm": (lambda frame: frame[frame["arm"] == "dense"], "The SPADE arm has no answer"),
    "all undecided": (lambda frame: frame.assign(choice="both"), "The shares are equal here, and there is no interval"),
    "one arm undecided": (
        lambda frame: frame.assign(choice=np.where(frame["arm"] == "dense", "both", frame["choice"])),
        "Raters do better with SPADE",
    ),
    "perfect separation": (_never_right, "+100.0 points"),
    "two raters": (lambda frame: frame[frame["rater"].isin(sorted(set(frame["rater"]))[:2])], "rater"),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_answers_give_a_page_with_their_caveat(name: str) -> None:
    change, sentence = AWKWARD[name]
    said = text(report(change(export())))
    assert sentence in said
    assert [word for word in ("[nan", "nan,", "= nan", ">nan", "nan %", "nan points") if word in said] == []


@pytest.mark.parametrize(
    ("planned", "declared", "sentence"),
    [
        (400, (), "This is a peek: 200 of 400 planned answers are in"),
        (200, (), ""),
        (400, (0.6, 1.0), "before the first declared look"),
        (400, (0.5, 1.0), "At the look of 50 % the run stops at"),
    ],
)
def test_a_run_that_is_not_at_its_end_says_what_may_be_decided(
    planned: int, declared: tuple[float, ...], sentence: str
) -> None:
    read = checked(cells.Cells(export(), "made up", "", ()))
    plan = replace(UNREGISTERED, ratings=planned, looks=declared, spending="pocock" if declared else "")
    said = markdown.render(build(analyse(read, plan, effort=QUICK), None, facts={}))
    assert sentence in said
    assert bool(sentence) == ("This is a peek" in said or "Declared looks" in said)


def test_without_any_answer_left_there_is_a_page_that_says_so() -> None:
    read = checked(cells.Cells(export(), "made up", "", ()))
    found = analyse(read, effort=QUICK)
    said = text(build(found, None, facts={}))
    assert "nothing can be said of the raters" in said
