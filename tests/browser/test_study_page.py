"""The study in a real browser; axe holds each page to WCAG 2.2 AA."""

from typing import TYPE_CHECKING

import pytest
from browser_checks import hold, violations, width_of
from browser_walk import agree, drawn, left, train

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_keyboard_alone_leads_from_the_home_page_through_two_answers(page: "Page") -> None:
    def press_until(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == name:
                return
        pytest.fail(f"Tab does not reach {name}")

    press_until("Start")
    page.keyboard.press("Enter")
    page.wait_for_url("**/consent")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "age":
            break
    page.keyboard.press("Space")
    press_until("I agree and want to take part")
    page.keyboard.press("Enter")
    for number in range(1, 7):
        page.wait_for_url(f"**/training/{number}")
        if number == 4:
            page.wait_for_selector("#task[data-drawn]")
            page.keyboard.press("2")
        else:
            press_until("Start the tasks" if number == 6 else "Next")
        page.keyboard.press("Enter")
    first = drawn(page)
    assert violations(page) == []
    page.keyboard.press("b")
    assert page.locator("input[value=both]").is_checked()
    page.keyboard.press("ArrowLeft")
    assert page.locator("input[value=left]").is_checked()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != first)
    second = drawn(page)
    assert page.locator("input[name=choice]:checked").count() == 0
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != second)
    assert "3 of 12" in page.locator(".progress").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)
def test_every_page_of_the_way_passes_axe_and_fits_the_width(page: "Page") -> None:
    checked = []

    def check(name: str) -> None:
        hold(page, name)
        checked.append(name)

    check("home")
    for address in ("/login", "/register", "/privacy", "/accessibility"):
        page.goto(address)
        check(address)
    page.goto("/")
    page.get_by_role("button", name="Start", exact=True).click()
    check("consent")
    page.get_by_label("I am at least 18 years old.").check()
    page.get_by_role("button", name="I agree and want to take part").click()
    for number in range(1, 7):
        page.wait_for_url(f"**/training/{number}")
        check(f"training {number}")
        if number == 4:
            page.wait_for_selector("#task[data-drawn]")
            page.locator("label.choice", has_text="Left part").click()
            page.get_by_role("button", name="Confirm").click()
            page.get_by_role("alert").wait_for()
            page.wait_for_selector("#task[data-drawn]")
            check("training 4, wrong")
            page.locator("label.choice", has_text="Right part").click()
            page.get_by_role("button", name="Confirm").click()
        else:
            page.locator("#onward button").click()
    drawn(page)
    check("task")
    page.locator("summary").click()
    check("task with help")
    for number in range(12):
        before = drawn(page)
        page.locator("label.choice").nth(number % 4).dblclick()
        left(page, before)
    page.wait_for_url("**/done")
    check("done")
    page.goto("/me")
    check("me")
    page.get_by_label("Yes, I want to withdraw.").check()
    page.get_by_role("button", name="Withdraw and delete").click()
    page.get_by_role("heading", name="You have withdrawn").wait_for()
    check("withdrawn")
    assert len(checked) == 18


@pytest.mark.browser
def test_a_task_fits_a_small_laptop_without_scrolling_and_its_pictures_are_of_one_size(page: "Page") -> None:
    agree(page)
    train(page)
    height, seen = page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
    assert height <= seen
    boxes = [one.bounding_box() for one in page.locator(".tiles img").all()]
    sizes = {(round(box["width"]), round(box["height"])) for box in boxes if box}
    assert len(sizes) == 1
    assert min(sizes)[0] >= 240


@pytest.mark.browser
def test_at_twice_the_size_everything_is_there_and_nothing_scrolls_sideways(page: "Page") -> None:
    page.set_viewport_size({"width": 640, "height": 360})  # what 1280 x 720 is at 200 %
    agree(page)
    train(page)
    wide, seen = width_of(page)
    assert wide <= seen
    page.get_by_role("button", name="Confirm").scroll_into_view_if_needed()
    assert page.get_by_role("button", name="Confirm").is_visible()
    assert violations(page) == []


@pytest.mark.browser
def test_names_for_screen_readers_say_the_place_and_nothing_more(page: "Page") -> None:
    agree(page)
    train(page)
    names = [one.get_attribute("alt") for one in page.locator(".tiles img").all()]
    assert names == ["The whole picture", "The pattern", "", ""]
    for name in ("Left part", "Right part", "Both fit", "Neither fits"):
        assert page.get_by_role("radio", name=name).count() == 1


@pytest.mark.browser
def test_letters_do_nothing_once_they_are_switched_off(page: "Page") -> None:
    agree(page)
    train(page)
    page.locator("summary").click()
    page.get_by_label("Use the keys 1, 2, B and N").uncheck()
    page.locator("#main").focus()
    page.keyboard.press("b")
    assert page.locator("input[name=choice]:checked").count() == 0
    page.keyboard.press("ArrowRight")
    assert page.locator("input[value=right]").is_checked()


@pytest.mark.browser
def test_an_answer_that_cannot_be_sent_stays_and_is_sent_again(page: "Page") -> None:
    agree(page)
    train(page)
    before = page.url
    page.route("**/t/*", lambda route: route.abort())
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "Your answer is kept here" in page.get_by_role("alert").inner_text()
    assert page.locator("input[value=left]").is_checked()
    page.unroute("**/t/*")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)


@pytest.mark.browser
def test_the_back_button_never_shows_an_answered_task_and_leads_forward_again(page: "Page") -> None:
    agree(page)
    train(page)
    answered = []
    for _ in range(2):
        answered.append(drawn(page))
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        left(page, answered[-1])
    now = drawn(page)
    page.go_back()
    page.wait_for_load_state()
    assert page.url not in answered
    page.goto(answered[0])  # as a bookmark or a history entry would
    assert drawn(page) == now
    assert "3 of 12" in page.locator(".progress").inner_text()


@pytest.mark.browser
def test_a_second_tab_left_behind_answers_nothing_and_goes_on_with_the_first(page: "Page") -> None:
    agree(page)
    train(page)
    first = drawn(page)
    tab = page.context.new_page()
    tab.goto("/task")
    assert drawn(tab) == first
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    left(page, first)
    now = drawn(page)
    tab.keyboard.press("2")
    tab.keyboard.press("Enter")
    left(tab, first)
    assert drawn(tab) == now
    assert "2 of 12" in tab.locator(".progress").inner_text()


@pytest.mark.browser
def test_a_picture_that_does_not_arrive_stops_the_answer_and_the_task_can_be_loaded_again_or_left_out(
    page: "Page",
) -> None:
    agree(page)
    train(page)
    first = page.url
    page.route("**/s/*/pattern", lambda route: route.abort())
    page.reload()
    page.get_by_role("alert").wait_for()
    assert "A picture did not arrive" in page.get_by_role("alert").inner_text()
    assert page.get_by_role("button", name="Confirm").is_disabled()
    assert page.locator("input[value=left]").is_disabled()
    assert violations(page) == []
    page.unroute("**/s/*/pattern")
    page.get_by_role("link", name="Load again").click()
    assert drawn(page) == first
    page.route("**/s/*/pattern", lambda route: route.abort())
    page.reload()
    page.get_by_role("alert").wait_for()
    page.unroute("**/s/*/pattern")
    page.get_by_role("button", name="Leave this task out").click()
    left(page, first)
    drawn(page)
    assert "1 of 12" in page.locator(".progress").inner_text()
