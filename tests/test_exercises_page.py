"""Guesses and the quiz in a real JupyterLab in a real browser, also in a narrow window."""

import re

import pytest
from page import open_notebook, picture_path, press_letters, run_all, run_cell, write_notebook
from playwright.sync_api import expect

SOURCES = [
    'from digitlab import exercises\nexercises.guess("2.shape", "What shape comes out?")',
    'exercises.guess("5.switch", "At which switch?", options=["crop", "fit", "a long one that says from strokes"])',
    "exercises.quiz(3)",
    "1 + 1",
]


@pytest.fixture
def page(browser, lab):
    (lab.home / "my_answers.json").unlink(missing_ok=True)
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = open_notebook(context, lab, write_notebook(lab, "boxes.ipynb", SOURCES))
    run_all(page, shown=".digitlab-asked")
    yield page
    context.close()


def test_a_guess_typed_on_the_page_is_shown_by_a_later_cell(page):
    field = page.get_by_placeholder("your guess")
    field.fill("28 x 28")
    field.press("Enter")
    expect(page.get_by_text("Kept. Now run the next cell.")).to_have_count(1)
    run_cell(page, 'exercises.compare("2.shape", (26, 26, 16))')
    expect(page.get_by_text("Your guess: 28 x 28 · It is: (26, 26, 16)")).to_be_visible()


def test_a_guess_is_kept_even_if_the_next_cell_is_run_at_once(page):
    page.get_by_placeholder("your guess").fill("26")
    run_cell(page, 'exercises.compare("2.shape", 26)')
    expect(page.get_by_text("Your guess: 26 · It is: 26, just as you guessed.")).to_be_visible()


def test_a_choice_on_the_page_is_kept(page):
    page.get_by_role("button", name="fit", exact=True).click()
    run_cell(page, 'exercises.compare("5.switch", "fit")')
    expect(page.get_by_text("Your guess: fit · It is: fit, just as you guessed.")).to_be_visible()


def test_a_click_in_the_quiz_explains_the_answer(page):
    asked = page.locator(".digitlab-asked").first
    asked.get_by_role("button", name="b) Rules").click()
    expect(asked.locator(".digitlab-said")).to_contain_text("No. Nobody writes rules")


def test_keys_on_an_answer_do_nothing_to_the_notebook(page):
    asked = page.locator(".digitlab-asked").first
    assert press_letters(page, asked.get_by_role("button", name="b) Rules")) == []
    assert press_letters(page, page.get_by_role("button", name="fit", exact=True)) == []
    page.keyboard.press("Shift+Enter")  # Goes on, as everywhere.
    expect(page.locator(".jp-Cell").nth(2)).to_have_class(re.compile("jp-mod-active"))


def test_after_a_restart_the_boxes_say_what_to_do(page):
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.locator(".digitlab-box")).to_have_count(3)
    for box in page.locator(".digitlab-box").all():
        expect(box).to_have_class(re.compile("jupyter-widgets-disconnected"))
        words = box.evaluate("box => getComputedStyle(box, '::before').content")
        assert words == '"Python was restarted. Run this cell again."'


@pytest.mark.parametrize("width", [1366, 620])
def test_no_box_is_cut_off(page, width):
    page.set_viewport_size({"width": width, "height": 768})
    if width < 1000:
        page.keyboard.press("Control+b")  # Hides the list of files.
        page.locator(".jp-FileBrowser").wait_for(state="hidden")
    expect(page.locator(".digitlab-box")).to_have_count(3)
    for box in page.locator(".digitlab-box").all():
        box.scroll_into_view_if_needed()
        frame = box.bounding_box()
        for button in box.locator("button, input").all():
            inside = button.bounding_box()
            assert inside["x"] + inside["width"] <= frame["x"] + frame["width"]
            assert button.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    page.screenshot(path=picture_path(f"boxes-{width}.png"))
