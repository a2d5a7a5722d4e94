"""The way to the first task, as a person clicks it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def agree(page: "Page") -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_label("I am at least 18 years old.").check()
    page.get_by_role("button", name="I agree and want to take part").click()
    page.wait_for_url("**/training/1")


def train(page: "Page") -> None:
    for number in range(1, 7):
        page.wait_for_url(f"**/training/{number}")
        if number == 4:
            page.wait_for_selector("#task[data-drawn]")
            page.locator("label.choice", has_text="Right part").click()
            page.get_by_role("button", name="Confirm").click()
        else:
            page.locator("#onward button").click()
    drawn(page)


def drawn(page: "Page") -> str:
    """Wait until the task on screen can be answered; its address."""
    page.wait_for_url("**/t/*")
    page.wait_for_selector("#task[data-drawn]")
    page.wait_for_timeout(400)  # until then a double click is taken for the end of one before
    return page.url


def left(page: "Page", address: str) -> None:
    """Wait until the page at that address is gone."""
    page.wait_for_url(lambda url: url != address)
