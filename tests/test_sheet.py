"""The sheet to print for pupils: offline, on one sheet of paper, true to the notebooks, and readable on a photo."""

import ast
import importlib.util
import re
from html import unescape

import cv2
import nbformat
import numpy as np
import pytest

from digitlab import Ink
from digitlab.paper import find_digits
from digitlab.paths import KIT, NOTEBOOKS

SHEET = NOTEBOOKS / "SHEET.html"
TEXT = SHEET.read_text("utf-8")
SCALE = 2
"""Pixels of the picture for each pixel of the page: about 190 for an inch."""

spec = importlib.util.spec_from_file_location("lesson_times", KIT / "tools" / "lesson_times.py")
lesson_times = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lesson_times)


def guesses():
    """Return the question of each guess in the notebooks, by its name."""
    found = {}
    for path in NOTEBOOKS.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and "exercises.guess" in cell.source:
                for node in ast.walk(ast.parse(cell.source)):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) == "exercises.guess":
                        found[node.args[0].value] = node.args[1].value
    return found


def rows():
    """Return the name, the number of the notebook and the question of each guess on the sheet."""
    found = re.findall(r'<tr data-guess="([^"]+)"><td>(\d)</td><td>([^<]*)</td>', TEXT)
    return [(name, number, unescape(question)) for name, number, question in found]


def core_guesses():
    return sum(lesson.core.guesses for lesson in lesson_times.measure_all())


def test_each_guess_on_the_sheet_is_one_of_the_notebooks():
    known = guesses()
    assert rows() == [(name, name[0], known[name]) for name, _, _ in rows()]
    assert len(rows()) == TEXT.count("data-guess")


def test_the_numbers_of_guesses_are_those_of_the_notebooks():
    assert f"These are {len(rows())} of the {core_guesses()} guesses of the core." in " ".join(TEXT.split())
    teaching = " ".join((NOTEBOOKS / "TEACHING.md").read_text("utf-8").split())
    boxes, words = TEXT.count('class="box"'), TEXT.count('class="term"')
    assert f"room for {len(rows())} guesses of the core that a class makes together" in teaching
    assert f"places for {words} words" in teaching
    assert f"{boxes} boxes for digits" in teaching


def test_each_word_of_the_sheet_is_in_the_glossary():
    glossary = (NOTEBOOKS / "GLOSSARY.md").read_text("utf-8")
    words = re.findall(r'<div class="term"><b>([^<]+)</b>', TEXT)
    assert len(words) >= 10
    assert [word for word in words if f"\n### {word}\n" not in glossary] == []


def test_the_page_for_teachers_links_to_the_sheet():
    assert "](SHEET.html)" in (NOTEBOOKS / "TEACHING.md").read_text("utf-8")


@pytest.fixture(scope="module")
def printed(browser):
    """Return the sheet as it is printed: the bytes of a PDF, the pictures of both sides, the boxes, what was loaded."""
    context = browser.new_context(viewport={"width": 794, "height": 1123}, device_scale_factor=SCALE)
    page, loaded = context.new_page(), []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(SHEET.as_uri())
    page.emulate_media(media="print")
    sides = page.locator("section").all()
    pictures = [cv2.imdecode(np.frombuffer(side.screenshot(), np.uint8), cv2.IMREAD_COLOR) for side in sides]
    corner = sides[1].bounding_box()
    boxes = []
    for box in page.locator(".box").all():
        place = box.bounding_box()
        left, top = place["x"] - corner["x"], place["y"] - corner["y"]
        boxes.append(np.array([left, top, place["width"], place["height"]]) * SCALE)
    fits = page.evaluate(
        "[...document.querySelectorAll('section')].map(one => one.scrollHeight <= one.clientHeight"
        " && one.scrollWidth <= one.clientWidth)"
    )
    pdfs = [page.pdf(prefer_css_page_size=True), page.pdf(format="A4"), page.pdf(format="Letter")]
    context.close()
    return {"pdfs": pdfs, "pictures": pictures, "boxes": boxes, "fits": fits, "loaded": loaded}


def test_it_loads_nothing_else(printed):
    assert printed["loaded"] == [SHEET.as_uri()]
    assert re.findall(r"https?:|src=|url\(|@import|<script|<link", TEXT) == []


def test_it_is_printed_on_both_sides_of_one_page(printed):
    assert [len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) for pdf in printed["pdfs"]] == [2, 2, 2]
    assert printed["fits"] == [True, True]


def test_on_the_empty_grid_no_digit_is_found(printed, recognizer):
    assert find_digits(printed["pictures"][1], recognizer) == []


def write(picture, boxes):
    """Write a digit with a blue pen into each box: 0 to 9 twice, the second time smaller."""
    picture = picture.copy()
    for number, (x, y, width, height) in enumerate(boxes):
        strokes = Ink.example(number % 10).strokes
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), points.max(axis=0) - points.min(axis=0)
        zoom = (0.6 if number < 10 else 0.45) * width / extent.max()
        corner = np.array([x + width / 2, y + height / 2]) - extent * zoom / 2
        for stroke in strokes:
            line = np.rint(((stroke - low) * zoom + corner) * 8).astype(np.int32)
            cv2.polylines(picture, [line], False, (130, 40, 30), 7, cv2.LINE_AA, 3)
    return picture


def photograph(picture):
    """Turn the sheet by three degrees on a dark table, with a light from the left; return it and the matrix."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 0.9)
    photo = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_AREA, borderValue=(60, 70, 80))
    light = np.linspace(1, 0.7, width)[np.newaxis, :, np.newaxis]
    return (cv2.GaussianBlur(photo, (0, 0), 1) * light).astype(np.uint8), matrix


def test_the_digits_in_the_boxes_are_found_and_read(printed, recognizer):
    boxes = printed["boxes"]
    assert len(boxes) == 20
    photo, matrix = photograph(write(printed["pictures"][1], boxes))
    found = find_digits(photo, recognizer)
    centres = cv2.transform(np.array([[(x + w / 2, y + h / 2) for x, y, w, h in boxes]]), matrix)[0]
    seen = np.array([(x + w / 2, y + h / 2) for x, y, w, h in (one.box for one in found)])
    nearest = [int(np.linalg.norm(centres - place, axis=1).argmin()) for place in seen]
    assert nearest == list(range(20))
    assert [recognizer.predict(one.image).digit for one in found] == [*range(10)] * 2
