"""The researcher's pages of a closed run in a real browser; axe holds each to WCAG 2.2 AA."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_checks import hold
from researcher import NAME, PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def address(serving: Callable[[Path], AbstractContextManager[str]], tmp_path: Path) -> Iterator[str]:
    """A study of this test's own, since its run is closed."""
    with serving(tmp_path) as served:
        yield served


@pytest.mark.browser
@pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)
def test_the_pages_of_a_closed_run_pass_axe_before_and_after_its_arms_are_seen(page: "Page") -> None:
    page.goto("/admin/login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="How the cells fill").wait_for()
    monitor = page.url
    page.get_by_role("link", name="End and export").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Close the run").click()
    page.get_by_text("Closed since").wait_for()
    hold(page, "end, closed")
    for box in page.get_by_role("checkbox").all():
        box.check()
    with page.expect_navigation():
        page.get_by_role("button", name="Show the arms").click()
    page.goto(monitor)
    page.get_by_role("heading", name="What the answers say of the arms").wait_for()
    hold(page, "monitor with arms")
    page.get_by_role("link", name="End and export").click()
    page.get_by_text("You have seen them").wait_for()
    hold(page, "end, arms seen")
