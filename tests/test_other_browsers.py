"""The drawing pad in WebKit, Safari's engine, and in Firefox, by mouse and keys."""

import numpy as np
import other_browsers
import pytest
from page import write_notebook

from digitlab.ink import Ink
from digitlab.prepare import prepare

WORDS = "words => document.querySelector('.digitlab-words')?.textContent.includes(words)"
READ = "digit => document.querySelector('.digitlab-digit')?.textContent === digit"
POINTS = "count => Number(document.querySelector('.digitlab-answer')?.dataset.points) === count"
SEEN = """() => {
    const canvas = document.querySelector("canvas.digitlab-sees");
    return [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data];
}"""
WHITE = """selector => {
    const canvas = document.querySelector(selector);
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return data.filter((value, index) => index % 4 === 0 && value > 127).length;
}"""
CANVAS, LAYER = ".digitlab-frame > canvas", ".digitlab-pen canvas"


@pytest.fixture(scope="module", params=["webkit", "firefox"])
def page(request, lab):
    """Open a notebook with one pad and run it."""
    name = f"{request.param}.ipynb"
    write_notebook(lab, name, ["from digitlab.pad import DrawingPad\n\nDrawingPad()"])
    base, token = lab.address.split("?token=")
    with getattr(other_browsers, request.param)() as page:
        page.open(f"{base.split('/lab')[0]}/lab/tree/{name}?reset&token={token}")
        page.run_first_cell()
        page.wait_for("() => document.querySelector('.digitlab-pen') !== null")
        page.wait_for(WORDS, "Draw a digit")
        yield page


@pytest.fixture
def clear_page(page):
    page.click(".digitlab-pad button", "Clear")
    page.wait_for(WORDS, "Draw a digit, 0 to 9.")
    page.wait_for(f"selector => ({WHITE})(selector) === 0", CANVAS)
    return page


def draw(page, ink):
    """Draw an ink with the mouse; return it as it is on the canvas, in whole pixels of the page."""
    find = """() => {
        const pen = document.querySelector(".digitlab-pen");
        pen.scrollIntoView({block: "nearest"});
        const {left, top} = pen.getBoundingClientRect();
        return [left, top];
    }"""
    corner = np.array(page.call(find))
    drawn = [np.rint(stroke + corner) for stroke in ink.strokes]
    page.draw(drawn)
    return Ink([stroke - corner for stroke in drawn])


@pytest.mark.parametrize("digit", [4, 7])
def test_a_digit_drawn_with_the_mouse_is_read_with_all_its_points(clear_page, digit):
    page = clear_page
    ink = draw(page, Ink.example(digit))
    page.wait_for(READ, str(digit))
    page.wait_for(POINTS, sum(len(stroke) for stroke in ink.strokes))
    page.wait_for(WORDS, "% sure")
    seen = np.array(page.call(SEEN))[::4].reshape(28, 28)
    assert np.abs(seen - prepare(ink)).max() <= 8
    # Python has drawn it on the canvas below, and the pen has wiped it from its layer.
    page.wait_for(f"selector => ({WHITE})(selector) > 1000", CANVAS)
    page.wait_for(f"selector => ({WHITE})(selector) === 0", LAYER)


def test_undo_removes_the_last_stroke(clear_page):
    page = clear_page
    ink = draw(page, Ink.example(4))
    page.wait_for(POINTS, sum(len(stroke) for stroke in ink.strokes))
    page.click(".digitlab-pad button", "Undo")
    page.wait_for(POINTS, len(ink.strokes[0]))


def test_arrows_and_space_draw_a_one(clear_page):
    page = clear_page
    page.call("() => document.querySelector('.digitlab-pen').focus()")
    page.press(*["ArrowUp"] * 15, "Space", *["ArrowDown"] * 30, "Space")
    page.wait_for(READ, "1")
    page.wait_for(POINTS, 31)
    page.press("Escape")
    page.wait_for(WORDS, "Draw a digit, 0 to 9.")
    page.press("Tab")
    page.wait_for("() => document.activeElement.textContent === 'Clear'")
