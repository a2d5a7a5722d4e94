"""The researcher's pages in a real browser; axe holds each to WCAG 2.2 AA."""

from typing import TYPE_CHECKING

import pytest
from browser_checks import hold
from browser_walk import agree, drawn, left, train
from researcher import NAME, PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page


def log_in(page: "Page") -> None:
    page.goto("/admin/login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


@pytest.mark.browser
@pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)
def test_every_page_of_the_researcher_passes_axe_and_fits_the_width(page: "Page") -> None:
    agree(page)
    train(page)
    for number in range(3):
        before = drawn(page)
        page.locator("label.choice").nth(number).dblclick()
        left(page, before)
    checked = []

    def check(name: str) -> None:
        hold(page, name)
        checked.append(name)

    page.goto("/admin/login")
    check("login")
    log_in(page)
    check("runs")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="How the cells fill").wait_for()
    check("monitor")
    page.locator("summary").click()
    check("monitor with the table of answers")
    page.get_by_role("link", name="Raters", exact=True).click()
    page.wait_for_url("**/raters")
    check("raters")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="Answers in order").wait_for()
    page.get_by_text("Exclude this rater").click()
    check("rater, about to be excluded")
    page.get_by_label("Reason").select_option("careless")
    page.get_by_label("Note").fill("too fast")
    page.get_by_role("button", name="Exclude", exact=True).click()
    page.get_by_text("They do not count: careless answers.").wait_for()
    check("rater, excluded")
    page.get_by_role("button", name="Let them count again").click()
    page.get_by_text("They count.").wait_for()
    page.get_by_role("link", name="End and export").click()
    page.get_by_role("heading", name="1. Close the run").wait_for()
    check("end")
    page.get_by_role("link", name="Audit log").click()
    page.get_by_role("heading", name="Audit log").wait_for()
    check("audit log")
    assert len(checked) == 9


@pytest.mark.browser
def test_the_monitor_renews_itself_and_stops_when_asked(page: "Page") -> None:
    log_in(page)
    page.clock.install()
    page.locator("tbody a").first.click()
    box = page.get_by_label("Renew the figures every 15 seconds")
    assert box.is_checked()
    page.locator("#live").evaluate("one => { one.replaceChildren(); }")
    page.clock.run_for(16_000)
    page.get_by_role("heading", name="How the cells fill").wait_for()
    box.uncheck()
    page.locator("#live").evaluate("one => { one.replaceChildren(); }")
    page.clock.run_for(60_000)
    page.wait_for_timeout(500)
    assert page.get_by_role("heading", name="How the cells fill").count() == 0
