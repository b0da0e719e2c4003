"""The photo reader in a real JupyterLab in a real browser: a photo is read, put right and kept."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from page import keep_python_busy, open_notebook, picture_path, press_letters, run_all, wait_until, write_notebook
from playwright.sync_api import expect
from test_paper import sheet

from digitlab import reader
from digitlab.ink import read_drawings
from digitlab.paper import example_photo, find_digits

CELLS = [
    "from digitlab.reader import PhotoReader\nfrom digitlab_classroom.submissions import SubmissionStore",
    "PhotoReader(store=SubmissionStore())",
    "print('ready')",
]


@pytest.fixture
def page(browser, lab):
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = open_notebook(context, lab, write_notebook(lab, "photo.ipynb", CELLS))
    run_all(page, shown=".digitlab-sheet button")
    yield page
    context.close()


def boxes(page):
    return page.locator(".digitlab-sheet button")


def said(page):
    return page.locator(".digitlab-said").last


def press(page, name):
    page.locator(".digitlab-reader").get_by_role("button", name=name, exact=True).click()


def test_the_example_is_read_and_stands_in_view(page, recognizer):
    found = find_digits(example_photo(), recognizer)
    expect(boxes(page)).to_have_count(len(found))
    reader = page.locator(".digitlab-reader")
    page.screenshot(path=picture_path("photo_reader.png"))
    reader.scroll_into_view_if_needed()
    box = reader.bounding_box()
    assert box["height"] < 500
    assert box["x"] + box["width"] <= 1366
    first, photo = boxes(page).first.bounding_box(), page.locator(".digitlab-sheet img").bounding_box()
    scale = photo["width"] / example_photo().shape[1]
    assert abs(first["x"] + 2 - photo["x"] - found[0].box[0] * scale) < 3


def test_the_readers_style_leaves_other_widgets_alone():
    style = re.sub(
        r"/\*.*?\*/|@media[^{]*", "", Path(reader.__file__).with_name("reader.css").read_text("utf-8"), flags=re.S
    )
    selectors = [one.strip() for names in re.findall(r"([^{}]+)\{", style) for one in names.split(",") if one.strip()]
    assert len(selectors) > 10
    assert [one for one in selectors if not re.match(r"\.digitlab-(reader|sheet|seen)\b", one)] == []


def test_a_click_shows_what_the_network_saw_and_keys_put_it_right(page):
    boxes(page).nth(2).click()
    expect(page.locator(".digitlab-seen")).to_be_visible()
    expect(boxes(page).nth(2)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(boxes(page).nth(3)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("4")
    expect(boxes(page).nth(3)).to_have_text("4")
    page.keyboard.press("ArrowLeft")
    expect(boxes(page).nth(2)).to_be_focused()


def test_a_digit_that_is_typed_puts_the_marked_box_right(page):
    texts = boxes(page).all_text_contents()
    page.set_viewport_size({"width": 1366, "height": 1400})  # The new cell leaves the photo in view.
    keep_python_busy(page, 1)
    boxes(page).first.click()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "9"):
        page.keyboard.press(key)
    expect(boxes(page).nth(3)).to_have_attribute("aria-pressed", "true")
    expect(boxes(page).nth(3)).to_have_text("9")
    expect(page.get_by_role("group", name="Is it another digit?").get_by_role("button", pressed=True)).to_have_text("9")
    assert boxes(page).all_text_contents() == [*texts[:3], "9", *texts[4:]]
    # Python marks the digit of a box that is chosen, while a click on another digit is on its way.
    keep_python_busy(page, 1)
    boxes(page).nth(5).click()
    digits = page.get_by_role("group", name="Is it another digit?")
    digits.get_by_role("button", name="7", exact=True).click()
    expect(boxes(page).nth(5)).to_have_text("7")
    expect(digits.get_by_role("button", pressed=True)).to_have_text("7")


def test_with_the_keyboard_any_box_can_be_kept_and_keys_leave_the_notebook_alone(page):
    boxes(page).nth(2).click()
    digit = boxes(page).nth(2).inner_text()
    expect(boxes(page).nth(2)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".digitlab-labels button").first).to_be_focused()
    expect(boxes(page).nth(2)).to_have_attribute("aria-pressed", "true")
    keep = page.get_by_role("button", name="Keep to teach")
    assert press_letters(page, keep) == []
    page.keyboard.press("Enter")
    expect(said(page)).to_contain_text(f"Kept as a {digit}")
    assert press_letters(page, boxes(page).nth(2)) == []
    page.keyboard.press("ArrowDown")


def test_a_digit_is_kept_only_when_a_button_is_pressed(page, lab):
    file = lab.home / "drawings" / "my_drawings.jsonl"
    file.unlink(missing_ok=True)
    boxes(page).nth(1).click()
    page.keyboard.press("7")
    expect(boxes(page).nth(1)).to_have_text("7")
    press(page, "Keep to teach")
    expect(said(page)).to_contain_text("Kept as a 7")
    (drawing,) = read_drawings(file)
    assert drawing.label == "7"
    assert drawing.ink
    press(page, "Hand in")
    expect(said(page)).to_contain_text("Handed in as")


def test_a_photo_is_chosen_and_a_bad_file_named(page, tmp_path):
    photo, _ = sheet("271828")
    cv2.imwrite(str(tmp_path / "page.png"), cv2.resize(photo, None, fx=8, fy=8))
    chooser = page.locator(".digitlab-reader input[type=file]")
    chooser.set_input_files(tmp_path / "page.png")
    expect(boxes(page)).to_have_count(6)
    wait_until(lambda: boxes(page).all_text_contents() == list("271828"), page)
    (tmp_path / "bad.jpg").write_bytes(bytes(100))
    chooser.set_input_files(tmp_path / "bad.jpg")
    expect(said(page)).to_contain_text("bad.jpg is not a photo")
    expect(boxes(page)).to_have_count(6)
    cv2.imwrite(str(tmp_path / "empty.jpg"), np.full((300, 400), 240, np.uint8))
    chooser.set_input_files(tmp_path / "empty.jpg")
    expect(said(page)).to_contain_text("No digits were found")
