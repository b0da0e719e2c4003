"""A notebook in JupyterLab in a real browser, and the drawing pad on it: what tests do there as a reader would."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from playwright.sync_api import TimeoutError

from digitlab.ink import Ink
from digitlab.paths import KIT

ARTEFACTS = KIT / "artefacts"


def write_notebook(lab, name, sources, heading=""):
    """Write a notebook with a code cell for each source into the lab's folder, below a heading; return its name."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if heading:
        cells.insert(0, nbformat.v4.new_markdown_cell(f"# {heading}"))
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.home / "notebooks" / name)
    return name


def open_notebook(context, lab, name):
    """Open a notebook of the lab in a new page and wait until its kernel is there."""
    page = context.new_page()
    page.set_default_timeout(120_000)
    base, token = lab.address.split("?token=")
    page.goto(f"{base.split('/lab')[0]}/lab/tree/{name}?reset&token={token}")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    return page


def run_all(page, shown=".digitlab-pen"):
    """Run all cells, and wait until a widget is shown and the last cell has run: nothing moves the page any more."""
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")

    def run():
        page.get_by_role("menuitem", name="Run", exact=True).click(timeout=5_000)
        page.get_by_text("Run All Cells", exact=True).click(timeout=5_000)

    _repeat(run, page, prompts.last.filter(has_text="[*]"))  # Numbers may have been saved with the notebook.
    page.locator(shown).first.wait_for()
    prompts.last.filter(has_text=re.compile(r"\[\d+\]")).wait_for()
    # JupyterLab scrolls to the last cell a little later.
    wait_until_still(page.locator(shown).first, frames=40)


def run_first_cell(page):
    """Run the first cell of a fresh notebook with Shift+Enter, and wait until it has begun."""
    prompt = page.locator(".jp-CodeCell .jp-InputPrompt").first

    def run():
        prompt.click(timeout=5_000)
        page.keyboard.press("Shift+Enter")

    _repeat(run, page, prompt.filter(has_text=re.compile(r"\[(\*|1)\]")))


def _repeat(run, page, running):
    """Run cells until they run: a page that does not hear its kernel yet does nothing, or asks which kernel to use.

    The question may come at any moment, and lies above everything.
    """
    choose = page.locator(".jp-Dialog").get_by_role("button", name="Select", exact=True)
    for _ in range(12):
        if choose.is_visible():
            choose.click()
        try:
            run()
            return running.wait_for(timeout=10_000)
        except TimeoutError:
            continue
    pytest.fail("The notebook does not run.")


def wait_until_still(locator, frames):
    """Wait until an element has stayed where it is for so many frames of the screen."""
    locator.evaluate(
        """(element, frames) => new Promise((done) => {
            let last, still = 0;
            const look = () => {
                const { x, y } = element.getBoundingClientRect();
                still = `${x} ${y}` === last ? still + 1 : 0;
                last = `${x} ${y}`;
                if (still === frames) done(); else requestAnimationFrame(look);
            };
            look();
        })""",
        frames,
    )


LETTERS = ["x", "d", "d", "a", "b", "m", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]
"""Keys with which JupyterLab cuts, deletes, inserts and converts cells, and goes to others."""


def press_letters(page, control):
    """Press keys that JupyterLab knows while a control has the focus; return what they have changed in the notebook."""

    def look():
        return [
            page.locator(f".jp-Notebook .{cells}").count() for cells in ("jp-CodeCell", "jp-MarkdownCell", "jp-RawCell")
        ] + [page.evaluate("document.activeElement.closest('.digitlab-widget') !== null")]

    control.focus()
    before = look()
    for key in LETTERS:
        page.keyboard.press(key)
    after = look()
    return [] if before == after else [before, after]


def run_cell(page, source):
    """Put code into the last cell and run it, without waiting for its end."""
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")
    # The keyboard goes back to the notebook, as a reader's does who goes on elsewhere.
    page.keyboard.press("Escape")


def keep_python_busy(page, seconds):
    """Let one computation have all of Python for a while: no message is answered meanwhile."""
    run_cell(
        page,
        "import sys, time\n"
        "usual = sys.getswitchinterval()\n"
        "print('begun', flush=True)\n"
        "time.sleep(0.5)\n"
        "sys.setswitchinterval(1000)\n"
        f"end = time.monotonic() + {seconds}\n"
        "while time.monotonic() < end:\n"
        "    pass\n"
        "sys.setswitchinterval(usual)\n"
        "print('ended')",
    )
    page.get_by_text("begun").last.wait_for()
    page.wait_for_timeout(800)


def pad(page):
    """Find the first pad on the page."""
    return page.locator(".digitlab-pad").first


def pen(page, on=None):
    """Find what is drawn on: the transparent layer above the canvas."""
    return (on or pad(page)).locator(".digitlab-pen")


def draw(page, ink, on=None):
    """Draw an ink with the hand that `page.hand` names; return it as it is on the canvas, in whole pixels."""
    layer = pen(page, on)
    layer.scroll_into_view_if_needed()
    wait_until_still(layer, frames=10)
    box = layer.bounding_box()
    corner = np.array([box["x"], box["y"]])
    drawn = Ink([np.rint(stroke + corner) for stroke in ink.strokes], ink.size)
    if page.hand == "touch":
        devtools = page.context.new_cdp_session(page)
        for stroke in drawn.strokes:
            for number, (x, y) in enumerate(stroke):
                kind = "touchMove" if number else "touchStart"
                devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        devtools.detach()
    elif page.hand == "pen":
        devtools = page.context.new_cdp_session(page)
        for stroke in drawn.strokes:
            for kind, (x, y) in zip(
                ["mousePressed", *["mouseMoved"] * (len(stroke) - 1), "mouseReleased"],
                [*stroke, stroke[-1]],
                strict=True,
            ):
                event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "clickCount": 1}
                pressed = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1}
                devtools.send("Input.dispatchMouseEvent", {**event, **pressed})
        devtools.detach()
    else:
        for stroke in drawn.strokes:
            page.mouse.move(*stroke[0])
            page.mouse.down()
            for x, y in stroke[1:]:
                page.mouse.move(x, y)
            page.mouse.up()
    return Ink([stroke - corner for stroke in drawn.strokes], ink.size)


def seen(page):
    """Return the pixels of what the network sees, as the page shows them."""
    canvas = pad(page).locator("canvas.digitlab-sees")
    data = canvas.evaluate("canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]")
    return np.array(data, np.uint8)[::4].reshape(28, 28)


def wait_until(condition, page, seconds=60):
    """Wait until a condition holds; the browser goes on meanwhile."""
    for _ in range(seconds * 20):
        if condition():
            return
        page.wait_for_timeout(50)
    pytest.fail("what was waited for did not come true")


def picture_path(name):
    ARTEFACTS.mkdir(exist_ok=True)
    return Path(ARTEFACTS, name)


def white_pixels(page, on=None, layer="canvas"):
    """Count the white pixels of the canvas, or of the pen above it."""
    name = ".digitlab-pen canvas" if layer == "pen" else ".digitlab-frame > canvas"
    return (
        (on or pad(page))
        .locator(name)
        .evaluate(
            """canvas => {
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return data.filter((value, index) => index % 4 === 0 && value > 127).length;
        }"""
        )
    )
