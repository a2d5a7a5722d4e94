"""What every page is held to in a browser: WCAG 2.2 AA by axe, and no scrolling sideways."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def violations(page: "Page") -> list[str]:
    """What axe finds, and where; the test skips where axe is not installed."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (group `browser`)")
    found: dict[str, Any] = axe.Axe().run(page, options=RULES).response
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


def width_of(page: "Page") -> tuple[int, int]:
    """How wide the page is, and how much of it is seen."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return wide, seen


def hold(page: "Page", name: str) -> None:
    """Fail where axe finds something on the page of that name, or it scrolls sideways."""
    assert violations(page) == [], name
    wide, seen = width_of(page)
    assert wide <= seen, f"{name} scrolls sideways"
