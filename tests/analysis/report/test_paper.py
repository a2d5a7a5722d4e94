import importlib

import intervals_in_prose
import pytest

from analysis.errors import AnalysisError
from analysis.reconstruction import reconstruct
from analysis.report import latex, markdown, page
from analysis.report.document import Document, Paragraph, Table
from analysis.report.paper import build
from analysis.share_table import of_one_column, table_4


@pytest.fixture(scope="module")
def document() -> Document:
    return build(reconstruct(table_4()), level=0.95, designs={}, facts={})


def table(document: Document, name: str) -> Table:
    return next(
        block for part in document.sections for block in part.blocks if isinstance(block, Table) and block.name == name
    )


def test_the_page_says_first_what_cannot_be_and_what_is_and_is_not_supported(document: Document) -> None:
    printed, supported, unsupported, _ = (block.text for block in document.lead)
    assert "“Disagree with Score-CAM 17.8 %” under SPADE Vis. cannot be and should read 17.5 or 17.6" in printed
    assert supported.startswith("Supported: ")
    # Newcombe's interval of 250/358 - 220/388, and (3.711 / 1.96)^2.
    assert "69.8 % against 56.7 %, a difference of +13.1 points, 95 % CI [6.2, 19.9]" in supported
    assert "more than 3.6" in supported
    assert unsupported.startswith("Not supported: ")
    assert "+6.3 points, 95 % CI [\N{MINUS SIGN}0.4, 13.0], *p* = .065" in unsupported


def test_the_print_that_no_counts_give_is_marked_and_no_other(document: Document) -> None:
    marked = [
        (row.cells[0], cell) for row in table(document, "table-4-rows").rows for cell in row.cells if "(!)" in cell
    ]
    assert marked == [("Disagree with Score-CAM", "17.8 (!)")]


def test_the_four_splits_are_shown_and_two_are_used(document: Document) -> None:
    rows = table(document, "table-counts").rows
    assert [row.cells[0] for row in rows if row.strong] == ["358 (203, 73, 82)", "388 (220, 79, 89)"]
    assert len(rows) == 4


def test_the_gain_when_decided_survives_no_design_effect_and_the_success_does(document: Document) -> None:
    limits = {row.cells[0]: row.cells[1] for row in table(document, "table-clustering").rows}
    assert limits["Agree with Score-CAM"] == "up to 3.59"
    assert limits["Agree when not undecided"] == "does not, even at 1"


def test_every_table_names_the_function_its_numbers_come_from(document: Document) -> None:
    tables = [block for part in document.sections for block in part.blocks if isinstance(block, Table)]
    assert tables
    for one in tables:
        assert one.sources, one.name
        for source in one.sources:
            module, _, name = source.rpartition(".")
            assert callable(getattr(importlib.import_module(module), name))


def test_the_same_sentences_stand_in_every_form(document: Document) -> None:
    words = "matched Score-CAM on"
    for text in (page.render(document), markdown.render(document), latex.render(document)):
        assert words in text


def test_a_table_without_a_plausible_split_is_refused() -> None:
    with pytest.raises(AnalysisError, match="nothing to analyse"):
        build(reconstruct(of_one_column(["50.1", "50.1"], size=10)), level=0.95, designs={}, facts={})


def test_every_interval_in_prose_is_named_with_its_level_or_what_it_bounds(document: Document) -> None:
    blocks = [*document.lead, *(block for part in document.sections for block in part.blocks)]
    said = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert intervals_in_prose.named(said, after=("would lie in ", "difference in ", "for dense and ")) >= 6
