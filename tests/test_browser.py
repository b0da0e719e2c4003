"""Notebook 6 in a real JupyterLab in a real browser: its first pad is drawn on by mouse and by touch."""

import shutil

import numpy as np
import pytest
from page import draw, open_notebook, pad, pen, picture_path, run_all, seen, wait_until, white_pixels, write_notebook
from playwright.sync_api import expect

from digitlab.ink import Ink
from digitlab.paths import NOTEBOOKS
from digitlab.prepare import prepare


@pytest.fixture(scope="module", params=["mouse", "touch"])
def screen(request, browser):
    """Return the window of a desktop, or a touch screen."""
    kind = {"has_touch": True} if request.param == "touch" else {"device_scale_factor": 2}
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **kind)
    context.hand = request.param
    yield context
    context.close()


def run_notebook(screen, lab, name):
    page = open_notebook(screen, lab, name)
    run_all(page)
    page.hand = screen.hand
    return page


@pytest.fixture(scope="module")
def page(screen, lab):
    """Open a copy of 06_draw and run all of it."""
    name = f"06_draw_{screen.hand}.ipynb"
    shutil.copy(NOTEBOOKS / "06_draw.ipynb", lab.home / "notebooks" / name)
    return run_notebook(screen, lab, name)


@pytest.fixture
def clear_page(page):
    clear(page)
    return page


def clear(page):
    pad(page).get_by_role("button", name="Clear", exact=True).click()
    expect(pad(page).locator(".digitlab-words")).to_have_text("Draw a digit, 0 to 9.")
    wait_until(lambda: white_pixels(page) == 0, page)


@pytest.mark.parametrize("digit", [3, 4, 7])
def test_a_digit_drawn_on_the_page_is_read_on_the_page(clear_page, digit):
    page = clear_page
    drawn = draw(page, Ink.example(digit))
    expect(pad(page).locator(".digitlab-digit")).to_have_text(str(digit))
    expect(pad(page).locator(".digitlab-words")).to_contain_text("% sure")
    longest = pad(page).locator(".digitlab-bars > div").nth(digit)
    expect(longest).to_have_css("font-weight", "700")
    wait_until(lambda: np.abs(seen(page).astype(int) - prepare(drawn)).max() <= 8, page)
    pad(page).screenshot(path=picture_path(f"pad-{page.hand}-{digit}.png"))


def test_clear_wipes_the_canvas_and_the_answer(clear_page):
    page = clear_page
    draw(page, Ink.example(8))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("8")
    wait_until(lambda: white_pixels(page) > 1000, page)
    clear(page)
    expect(pad(page).locator(".digitlab-digit")).to_have_text("")
    assert not seen(page).any()
    draw(page, Ink.example(2))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("2")


def test_the_page_does_not_scroll_under_the_finger(clear_page):
    page = clear_page
    pen(page).scroll_into_view_if_needed()
    top = pen(page).bounding_box()["y"]
    draw(page, Ink([[(140, 250), (140, 150), (140, 20)]]))
    expect(pad(page).locator(".digitlab-digit")).not_to_have_text("")
    assert pen(page).bounding_box()["y"] == top


def test_the_drawing_survives_a_reload_of_the_page(screen, lab):
    source = "from digitlab import Recognizer\nfrom digitlab.pad import DrawingPad\n\nDrawingPad(Recognizer.load())"
    page = run_notebook(screen, lab, write_notebook(lab, f"reload_{screen.hand}.ipynb", [source]))
    draw(page, Ink.example(0))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("0")
    wait_until(lambda: white_pixels(page) > 1000, page)
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_text("Save Notebook", exact=True).click()
    page.locator(".jp-NotebookPanel .jp-mod-dirty, .lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
    page.reload()
    expect(pad(page).locator(".digitlab-digit")).to_have_text("0")
    wait_until(lambda: white_pixels(page) > 1000, page)
    clear(page)
    draw(page, Ink.example(6))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("6")
    page.close()


def test_the_page_shows_neither_a_question_nor_an_error(page):
    page.screenshot(path=picture_path(f"lab-{page.hand}.png"))
    assert page.get_by_text("Would you like to").count() == 0
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']").count() == 0
