import re
from dataclasses import replace

import pytest
from story import Story

from benchmark.report import sensitivity_page


@pytest.fixture(scope="module")
def text(story: Story) -> str:
    return (story.folder / "sensitivity.html").read_text(encoding="utf-8")


def test_every_cell_stands_under_every_protocol_and_a_missing_one_as_a_dash(story: Story, text: str) -> None:
    (entry,) = story.content.sensitivity
    assert entry.protocols == ("ours", "paper", "official")
    lists = re.findall(r'<dl class="cell">(.*?)</dl>', text, flags=re.DOTALL)
    cells = [cell for _, row in entry.rows for cell in row if cell is not None]
    assert len(lists) == len(cells)
    assert all(one.count("<dt>") == 3 for one in lists)
    lost = next(i for i, cell in enumerate(cells) if (cell.row, cell.column) == ("LRP", "SPADE"))
    assert "<dt>official</dt><dd>—" in lists[lost]


def test_a_tick_marks_the_cells_shown_to_move_and_no_others(story: Story, text: str) -> None:
    (entry,) = story.content.sensitivity
    assert entry.too_few
    assert "8 images are too few to show any" in text
    assert "✓ " not in text
    (row, (dense, spade, *others)), *rows = entry.rows
    assert spade is not None
    shown = replace(spade, against={**spade.against, "official": replace(spade.against["official"], p_holm=0.001)})
    changed = replace(entry, rows=((row, (dense, shown, *others)), *rows))
    again = sensitivity_page.render(replace(story.content, sensitivity=(changed,)))
    assert again.count("✓ ") == 1


def test_only_what_the_protocols_read_otherwise_is_listed_in_words(story: Story) -> None:
    (entry,) = story.content.sensitivity
    said = {knob.name: tuple(knob.values.values()) for knob in entry.knobs}
    assert said == {
        "pruning, damping": ("0.01", "0", "0"),
        "pruning, obc block": ("unstructured", "none", "none"),
    }


def test_the_first_page_leads_to_it_and_it_leads_back(story: Story, text: str) -> None:
    assert 'href="sensitivity.html"' in (story.folder / "index.html").read_text(encoding="utf-8")
    assert 'href="index.html"' in text


def test_a_run_under_one_protocol_alone_has_a_page_that_says_how_to_get_more(story: Story) -> None:
    text = sensitivity_page.render(replace(story.content, sensitivity=()))
    assert "spade-bench sensitivity 2 --scale mini --seed 11" in text
