import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from story import Story

from benchmark.report import page
from benchmark.report.notation import chance, number, share, signed
from benchmark.report.page import SIGNS, WORDS

VOID = {"meta", "link", "img", "line", "circle", "wbr", "br"}


class Reader(HTMLParser):
    """What a page refers to, which ids it has, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "srcset", "action", "data"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def text(story: Story) -> str:
    return (story.folder / "index.html").read_text(encoding="utf-8")


def test_the_page_asks_nobody_for_anything_and_runs_nothing(story: Story, text: str) -> None:
    reader = Reader(text)
    assert not {"script", "iframe", "object", "embed"} & reader.tags
    for address in reader.addresses:
        if address.startswith("#"):
            assert address[1:] in reader.ids
        elif address != "data:,":
            assert (story.folder / address).is_file(), address
    assert "//" not in re.sub(r"/\*.*?\*/", "", text.partition("<style>")[2].partition("</style>")[0], flags=re.DOTALL)
    assert "@import" not in text
    assert "url(" not in text


def test_every_element_is_closed(text: str) -> None:
    assert Reader(text).open == []


def test_every_number_of_the_paper_is_marked_as_other_data(story: Story, text: str) -> None:
    papers = re.findall(r'<span class="paper">(.*?)</span>', text)
    assert papers
    assert all("<sup>†</sup>" in one for one in papers)
    assert text.count("other data: direction only") >= len(story.content.tables) + 1


def test_verdicts_are_counted_before_anything_else_is_told(text: str) -> None:
    order = [text.index(f'id="{name}"') for name in ("verdicts", "not-run", "directions", "table-2", "samples")]
    assert order == sorted(order)


def test_every_cell_shows_its_value_interval_n_range_and_verdict(story: Story, text: str) -> None:
    for entry in (entry for row in story.content.tables[0].rows for entry in row if entry.n):
        assert f'<span class="value">{number(entry.mean)}</span>' in text
        assert f"[{number(entry.low)}, {number(entry.high)}], n = {entry.n}" in text
        if math.isfinite(entry.golden_low):
            assert f"range {number(entry.golden_low)} to {number(entry.golden_high)}" in text


def test_a_verdict_is_a_sign_and_a_word_and_not_a_colour_alone() -> None:
    assert set(WORDS) <= set(SIGNS)
    signs = [SIGNS[outcome] for outcome in WORDS]
    assert len(set(signs)) == len(signs)


def test_text_from_a_run_cannot_become_markup(story: Story) -> None:
    hostile = "<script>alert(1)</script>"
    gallery = story.content.gallery
    sample = replace(gallery.samples[0], id=hostile, patch=hostile)
    content = replace(
        story.content,
        gallery=replace(gallery, samples=(sample,)),
        provenance={hostile: hostile},
        problems=(replace(story.content.problems[0], reason=hostile),),
    )
    text = page.render(content)
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)") == 6
    assert "no &lt;memory&gt; | left" in text


def test_the_page_holds_in_light_dark_and_print(text: str) -> None:
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert 'name="viewport"' in text


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(-1.005), "\N{MINUS SIGN}1.00"),
        (number(math.nan), "—"),
        (signed(0.5), "+0.50"),
        (signed(-0.5, 1), "\N{MINUS SIGN}0.5"),
        (share(0.405), "40 %"),
        (share(math.inf), "—"),
        (chance(0.0), "< .001"),
        (chance(0.0412), "0.041"),
        (chance(math.nan), "—"),
    ],
)
def test_numbers_are_shown_for_readers(shown: str, expected: str) -> None:
    assert shown == expected
