"""The drawing pad in a real JupyterLab in a real browser: opened, run, drawn in by mouse and by touch, cleared."""

import base64
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import require
from playwright.sync_api import expect, sync_playwright

from digitlab.ink import Ink
from digitlab.places import KIT, NOTEBOOKS
from digitlab.prepare import prepare

ARTEFACTS = KIT / "artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    program = require(*BROWSERS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start `digitlab lab` on a copy of the notebooks and return its address."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    process = subprocess.Popen(
        [sys.executable, "-m", "digitlab.cli", "lab", "--no-browser", f"--ServerApp.root_dir={home / 'notebooks'}"],
        env={**os.environ, "DIGITLAB_HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)  # Reading lines would wait for ever.
    watchdog.start()
    address = next((found for line in process.stdout if (found := re.search(r"http://\S+", line))), None)
    watchdog.cancel()
    assert address, process.stderr.read()
    yield address.group()
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture(scope="module", params=["mouse", "touch"])
def page(request, browser, lab):
    """05_draw, opened and run from top to bottom, in the window of a desktop or on a touch screen."""
    kind = {"has_touch": True} if request.param == "touch" else {"device_scale_factor": 2}
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **kind)
    page = context.new_page()
    page.set_default_timeout(60_000)
    base, token = lab.split("?token=")
    page.goto(f"{base.split('/lab')[0]}/lab/tree/05_draw.ipynb?reset&token={token}")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    pad(page).locator("canvas").wait_for()
    # The last cell has run: nothing more moves the page.
    page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for()
    page.hand = request.param
    yield page
    context.close()


@pytest.fixture
def clear_page(page):
    pad(page).get_by_role("button", name="Clear", exact=True).click()
    expect(pad(page).locator(".digitlab-words")).to_have_text("Draw a digit, 0 to 9.")
    return page


def pad(page):
    """Find the first of the notebook's pads, in which the kit's network reads."""
    return page.locator(".digitlab-pad").first


def draw(page, ink):
    """Draw an ink on the canvas by mouse or by touch; return it as it stands on the canvas, in whole pixels."""
    canvas = pad(page).locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    corner = np.array([box["x"], box["y"]])
    drawn = Ink([np.rint(stroke + corner) for stroke in ink.strokes], ink.size)
    if page.hand == "mouse":
        for stroke in drawn.strokes:
            page.mouse.move(*stroke[0])
            page.mouse.down()
            for x, y in stroke[1:]:
                page.mouse.move(x, y)
            page.mouse.up()
    else:
        devtools = page.context.new_cdp_session(page)
        for stroke in drawn.strokes:
            for number, (x, y) in enumerate(stroke):
                kind = "touchMove" if number else "touchStart"
                devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        devtools.detach()
    return Ink([stroke - corner for stroke in drawn.strokes], ink.size)


def seen(page):
    source = pad(page).locator("img.digitlab-sees").get_attribute("src")
    return cv2.imdecode(np.frombuffer(base64.b64decode(source.split(",")[1]), np.uint8), cv2.IMREAD_GRAYSCALE)


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
    pad(page).get_by_role("button", name="Clear", exact=True).click()
    expect(pad(page).locator(".digitlab-words")).to_have_text("Draw a digit, 0 to 9.")
    expect(pad(page).locator(".digitlab-digit")).to_have_text("")
    assert not seen(page).any()
    wait_until(lambda: white_pixels(page) == 0, page)
    draw(page, Ink.example(2))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("2")


def test_the_page_does_not_scroll_under_the_finger(clear_page):
    page = clear_page
    top = pad(page).locator("canvas").bounding_box()["y"]
    draw(page, Ink([[(140, 250), (140, 150), (140, 20)]]))
    expect(pad(page).locator(".digitlab-digit")).not_to_have_text("")
    assert pad(page).locator("canvas").bounding_box()["y"] == top


def test_the_drawing_is_there_again_after_a_reload(clear_page):
    page = clear_page
    draw(page, Ink.example(0))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("0")
    wait_until(lambda: white_pixels(page) > 1000, page)
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_text("Save Notebook", exact=True).click()
    page.locator(".jp-NotebookPanel .jp-mod-dirty, .lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
    page.reload()
    expect(pad(page).locator(".digitlab-digit")).to_have_text("0")
    wait_until(lambda: white_pixels(page) > 1000, page)
    pad(page).get_by_role("button", name="Clear", exact=True).click()
    wait_until(lambda: white_pixels(page) == 0, page)
    draw(page, Ink.example(6))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("6")


def test_the_page_asks_nothing_and_shows_no_error(page):
    page.screenshot(path=picture_path(f"lab-{page.hand}.png"))
    assert page.get_by_text("Would you like to").count() == 0
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def wait_until(condition, page, seconds=10):
    """Wait until a condition holds; the browser goes on meanwhile."""
    for _ in range(seconds * 20):
        if condition():
            return
        page.wait_for_timeout(50)
    pytest.fail("what was waited for did not come true")


def picture_path(name):
    ARTEFACTS.mkdir(exist_ok=True)
    return Path(ARTEFACTS, name)


def white_pixels(page):
    return (
        pad(page)
        .locator("canvas")
        .evaluate(
            """canvas => {
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return data.filter((value, index) => index % 4 === 0 && value > 127).length;
        }"""
        )
    )
