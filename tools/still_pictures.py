"""Take the still pictures of pads and sliders: uv run python tools/still_pictures.py [NAME ...].

A website that shows notebooks shows no widgets. Each picture here is taken of the real widget in JupyterLab, in
Chromium, and written to notebooks/pictures. What is drawn on them is drawn by code. Without a name all in the table
PICTURES are taken; the one named teach needs a minute, because it trains.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from digitlab.paths import KIT, NOTEBOOKS

sys.path.insert(0, str(KIT / "tests"))
from conftest import BROWSERS, served
from page import open_notebook, run_all, write_notebook

BEGIN = """\
from digitlab import Ink, Recognizer
from digitlab.pad import DrawingPad
from digitlab.panels import InsidePanel, StepsPanel, TeachPanel
from digitlab.paths import MNIST_ONLY_NETWORK
ours, other = Recognizer.load(), Recognizer.load(MNIST_ONLY_NETWORK)
both = {"ours": ours, "MNIST-only": other}
"""
FACE = """\
eyes = [[(110, 110), (112, 112)], [(170, 110), (172, 112)]]
head = [(140, 40), (220, 90), (220, 190), (140, 240), (60, 190), (60, 90), (140, 40)]
"""
TEACH = """\
import numpy as np
from digitlab.ink import append_drawing
from digitlab.paths import MY_DRAWINGS
one = np.array([(55, 150), (160, 50), (150, 230)])
rng = np.random.default_rng(0)
for number in range(20):
    append_drawing(MY_DRAWINGS, Ink([one + rng.normal(0, 8, (3, 2))]), 1)
pad = DrawingPad(other, panels=[TeachPanel()])
pad.replay(Ink([one]))
pad
"""
SEVEN = """\
from digitlab.explore import Knobs
Knobs(other, Ink.example(7))
"""
PICTURES = {
    "inside": ("pad = DrawingPad(networks=both, panels=[InsidePanel()])\npad.replay(Ink.example(3))\npad", "pad", ()),
    "both": (
        f"{FACE}pad = DrawingPad(networks=both)\n"
        "pad.replay(Ink([head, *eyes, [(100, 180), (140, 200), (180, 180)]]))\npad",
        "pad",
        (),
    ),
    "steps": (
        "pad = DrawingPad(ours, panels=[StepsPanel()])\n"
        "pad.replay(Ink([stroke * 0.4 + (150, 140) for stroke in Ink.example(3).strokes]))\npad",
        "pad",
        ("Show how it sees",),
    ),
    "teach": (TEACH, "pad", ("Learn",)),
    "knobs": (SEVEN, "knobs", ()),
    "paper": (
        "from digitlab.reader import PhotoReader\nreader = PhotoReader(recognizer=ours)\nreader.chosen = 3\nreader",
        "reader",
        (),
    ),
}
"""For each picture: the code that shows the widget, the widget's class, and the buttons to press."""
MARGIN = 8
"""White around what is seen, in pixels."""


def take(context, lab, name):
    """Take one picture and return it, an array (h, w, 3), without the white around it."""
    code, widget, buttons = PICTURES[name]
    page = open_notebook(context, lab, write_notebook(lab, f"{name}.ipynb", [BEGIN + code]))
    shown = page.locator(f".digitlab-{widget}").first
    run_all(page, f".digitlab-{widget}")
    for button in buttons:
        page.get_by_role("button", name=button, exact=True).click()
    if name == "teach":
        page.get_by_text("It learnt").wait_for(timeout=500_000)
        page.get_by_text("taught").first.wait_for()
    page.wait_for_timeout(2000)  # A picture that is painted a little later shows by no sign that it is complete.
    page.mouse.move(5, 5)
    picture = cv2.imdecode(np.frombuffer(shown.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    page.close()
    rows, columns = (np.flatnonzero((picture < 250).any(axis=(1 - axis, 2))) for axis in (0, 1))
    low, left = max(0, rows[0] - MARGIN), max(0, columns[0] - MARGIN)
    return picture[low : rows[-1] + MARGIN, left : columns[-1] + MARGIN]


def main() -> None:
    """Take the pictures that are named on the command line, or all."""
    program = next(path for path in map(shutil.which, BROWSERS) if path)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        (home / "notebooks").mkdir()
        with served(["digitlab.commands.main", "lab"], home) as lab:
            arguments = ["--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=program, args=arguments)
            context = browser.new_context(viewport={"width": 1366, "height": 1000})
            for name in sys.argv[1:] or PICTURES:
                path = NOTEBOOKS / "pictures" / f"{name}.png"
                cv2.imwrite(str(path), take(context, lab, name), [cv2.IMWRITE_PNG_COMPRESSION, 9])
                print(path.name, flush=True)
            browser.close()


if __name__ == "__main__":
    main()
