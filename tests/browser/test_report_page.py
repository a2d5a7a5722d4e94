"""The benchmark's report in a real browser, opened from its folder; axe holds each page to WCAG 2.2 AA."""

from typing import TYPE_CHECKING

import pytest
from browser_checks import hold
from story import Story, tell

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = ("index.html", "claims.html", "samples.html", "samples/sample-0000.html", "failures.html", "sensitivity.html")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A run with failures and deviations, of per cent and of shares, with few columns and with many."""
    return tell(tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("report"), tables=("2", "a6", "a16", "a18"))


@pytest.fixture(scope="session")
def address(told: Story) -> str:
    """A folder, since a report is opened without any server."""
    return f"{told.folder.as_uri()}/"


@pytest.fixture
def home() -> str:
    return PAGES[0]


@pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_report_passes_axe_and_fits_the_width(page: "Page", told: Story, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert set(PAGES) >= {one.name for one in told.folder.glob("*.html")}
    for name in PAGES:
        page.goto(name)
        hold(page, name)


@pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)
def test_whatever_scrolls_inside_a_page_is_reached_by_the_keyboard_and_has_a_name(page: "Page") -> None:
    for name in PAGES:
        page.goto(name)
        for region in page.locator(".wide").all():
            assert region.get_attribute("tabindex") == "0"
            assert region.get_attribute("aria-label")


def test_a_link_to_a_claim_shows_it_below_the_filters_even_where_they_hide_it(page: "Page") -> None:
    page.goto("claims.html")
    page.get_by_label("holds (", exact=False).first.check()
    link = page.locator(".findings a").first
    claim = page.locator(f"tr{link.get_attribute('href')}")
    assert not claim.is_visible()
    link.click()
    assert claim.is_visible()
    row, filters = claim.bounding_box(), page.locator(".filters").bounding_box()
    assert row is not None
    assert filters is not None
    assert row["y"] >= filters["y"] + filters["height"]


def test_filters_leave_what_they_say_or_a_sentence(page: "Page", told: Story) -> None:
    entries = told.content.claims.entries
    page.goto("claims.html")
    nothing = page.get_by_text("No claim is all of these.")
    assert page.locator("tr.claim:visible").count() == len(entries)
    assert not nothing.is_visible()
    page.locator("#kind-rank").check()
    assert page.locator("tr.claim:visible").count() == sum(one.kind == "rank" for one in entries)
    page.locator("#paper-does-not-hold").check()
    left = sum(one.kind == "rank" and one.arithmetic == "does not hold" for one in entries)
    assert page.locator("tr.claim:visible").count() == left
    assert nothing.is_visible() == (left == 0)


def test_a_table_of_shares_shows_as_much_of_a_value_as_one_of_per_cent(page: "Page") -> None:
    for table, decimals in (("2", 2), ("A6", 4)):
        value = page.locator(f"#table-{table} td .value").first.inner_text()
        assert len(value.partition(".")[2]) == decimals
