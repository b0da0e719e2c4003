"""The drawing pad with all panels in a real JupyterLab in a real browser, used as a reader uses it."""

import re
import shutil

import numpy as np
import pytest
from conftest import served
from page import (
    draw,
    keep_python_busy,
    open_notebook,
    pad,
    pen,
    picture_path,
    press_letters,
    run_all,
    run_cell,
    seen,
    wait_until,
    white_pixels,
    write_notebook,
)
from playwright.sync_api import expect

from digitlab.ink import Ink, read_drawings
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.prepare import prepare, shrink
from digitlab.recognizer import Recognizer

CELLS = [
    """\
from digitlab import Ink, Recognizer
from digitlab.pad import DrawingPad
from digitlab.panels import SavePanel, StepsPanel, TeachPanel
from digitlab.paths import MNIST_ONLY_NETWORK, MY_NETWORK
from digitlab_classroom.submit_panel import SubmitPanel

plain = Recognizer.load(MNIST_ONLY_NETWORK)
networks = {"ours": Recognizer.load(), "plain": plain, "yours": MY_NETWORK}
teach, submit = TeachPanel(), SubmitPanel()
pad = DrawingPad(networks=networks, trackpad=True, panels=[StepsPanel(), SavePanel(), teach, submit])
pad""",
    """\
import time

print("ready")""",
]


@pytest.fixture(scope="module")
def notebook(lab):
    """Write a notebook with one pad that has all panels."""
    return write_notebook(lab, "pad.ipynb", CELLS)


@pytest.fixture(scope="module")
def page(browser, lab, notebook):
    context = browser.new_context(viewport={"width": 1400, "height": 1200}, accept_downloads=True)
    page = open_notebook(context, lab, notebook)
    run_all(page)
    page.hand = "mouse"
    yield page
    context.close()


@pytest.fixture
def clear_page(page):
    press(page, "Clear")
    expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
    wait_until(lambda: white_pixels(page) == 0, page)
    return page


def press(page, name):
    pad(page).get_by_role("button", name=name, exact=True).click()


def words(page):
    return pad(page).locator(".digitlab-words")


def panel(page, title):
    return pad(page).locator(".digitlab-panel", has_text=title)


def choose(page, title, digit):
    panel(page, title).locator(".digitlab-labels").get_by_text(str(digit), exact=True).click()


def test_undo_removes_the_last_stroke(clear_page):
    page = clear_page
    ink = draw(page, Ink.example(4))
    wait_until(lambda: white_pixels(page) > 1000, page)
    before = white_pixels(page)
    press(page, "Undo")
    ink.undo()
    wait_until(lambda: 0 < white_pixels(page) < before, page)
    wait_until(lambda: np.abs(seen(page).astype(int) - prepare(ink)).max() <= 8, page)


def test_keys_save_undo_and_clear_and_tab_goes_through_the_pad(clear_page, lab):
    page = clear_page
    draw(page, Ink.example(4))
    wait_until(lambda: white_pixels(page) > 1000, page)
    page.keyboard.press("s")
    expect(pad(page).locator(".digitlab-saved")).to_contain_text("Saved as drawings/drawing-")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    wait_until(lambda: white_pixels(page) == 0, page)
    page.keyboard.press("Tab")
    expect(pad(page).get_by_role("button", name="Clear", exact=True)).to_be_focused()
    for name in ("Undo", "Click to start and to end a stroke", "Show how it sees"):
        page.keyboard.press("Tab")
        expect(pad(page).get_by_role("button", name=name, exact=True)).to_be_focused()
    for name in ("Click to start and to end a stroke", "Undo", "Clear"):
        page.keyboard.press("Shift+Tab")
        expect(pad(page).get_by_role("button", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(pen(page)).to_be_focused()
    expect(pen(page)).to_have_css("outline-style", "solid")
    page.keyboard.press("Shift+Tab")
    expect(pen(page)).not_to_be_focused()
    draw(page, Ink.example(1))
    wait_until(lambda: white_pixels(page) > 1000, page)
    page.keyboard.press("Escape")
    wait_until(lambda: white_pixels(page) == 0, page)


def test_ctrl_s_on_the_canvas_saves_the_notebook_and_no_picture(clear_page, lab):
    page = clear_page
    saved = len([*(lab.home / "drawings").glob("*.png")])
    run_cell(page, "print('changed')")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for()
    draw(page, Ink.example(4))
    expect(pen(page)).to_be_focused()
    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
    page.keyboard.press("x")  # Elsewhere this cuts a cell.
    expect(page.locator(".jp-CodeCell")).to_have_count(len(CELLS))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("4")
    assert len([*(lab.home / "drawings").glob("*.png")]) == saved


def test_a_saved_picture_can_be_downloaded(clear_page, lab, recognizer, tmp_path):
    import cv2

    page = clear_page
    draw(page, Ink.example(9))
    press(page, "Save picture")
    with page.expect_download() as download:
        pad(page).get_by_text("Download it").click()
    download.value.save_as(tmp_path / "picture.png")
    name = download.value.suggested_filename
    assert (tmp_path / "picture.png").read_bytes() == (lab.home / "drawings" / name).read_bytes()
    assert recognizer.predict(cv2.imread(str(tmp_path / "picture.png"), cv2.IMREAD_GRAYSCALE)).digit == 9


def test_networks_answer_side_by_side_and_a_missing_one_says_so(clear_page, recognizer):
    page = clear_page
    ink = draw(page, Ink([[(60, 150), (160, 50), (150, 230)]]))
    plain = Recognizer.load(MNIST_ONLY_NETWORK)
    for number, reader in enumerate((recognizer, plain)):
        prediction = reader.predict(ink)
        digit = "?" if prediction.digit is None else str(prediction.digit)
        expect(pad(page).locator(".digitlab-digit").nth(number)).to_have_text(digit)
    expect(pad(page).get_by_text("There is none yet. Train it in notebook 3")).to_be_visible()
    pad(page).screenshot(path=picture_path("pad-networks.png"))


def test_the_steps_are_shown_and_can_be_left_out(clear_page):
    page = clear_page
    small = draw(page, Ink([stroke * 0.35 + (160, 150) for stroke in Ink.example(7).strokes]))
    press(page, "Show how it sees")
    expect(pad(page).locator(".digitlab-steps figcaption")).to_have_text(
        ["canvas", "cropped to its ink", "fitted into 20 x 20", "centred in 28 x 28"]
    )
    pad(page).screenshot(path=picture_path("pad-steps.png"))
    press(page, "Feed it the whole canvas")
    expect(pad(page).locator(".digitlab-steps figcaption")).to_have_text(["canvas", "resized to 28 x 28"])
    wait_until(lambda: np.abs(seen(page).astype(int) - shrink(small)).max() <= 8, page)
    press(page, "Feed it the whole canvas")
    press(page, "Show how it sees")
    expect(pad(page).locator(".digitlab-steps")).to_have_count(0)
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("7")


def test_a_fast_hand_loses_no_point(clear_page, recognizer):
    """120 events, as fast as the browser can send them."""
    page = clear_page
    stroke = Ink.example(7).strokes[0]
    where = np.linspace(0, len(stroke) - 1, 120)
    points = np.rint([np.interp(where, np.arange(len(stroke)), axis) for axis in stroke.T]).astype(int).T
    took = pen(page).evaluate(
        """async (canvas, points) => {
        const {left, top} = canvas.getBoundingClientRect();
        const digit = canvas.closest(".digitlab-pad").querySelector(".digitlab-answer");
        const send = (kind, [x, y]) => canvas.dispatchEvent(new PointerEvent(kind, {
            bubbles: true, pointerId: 1, pointerType: "mouse", clientX: left + x, clientY: top + y, buttons: 1}));
        send("pointerdown", points[0]);
        points.slice(1).forEach(point => send("pointermove", point));
        send("pointerup", points.at(-1));
        const sent = performance.now();
        let changed = sent;
        const watch = new MutationObserver(() => { changed = performance.now(); });
        watch.observe(canvas.closest(".digitlab-pad"), {subtree: true, childList: true, attributes: true});
        while (performance.now() - changed < 1500) await new Promise(done => setTimeout(done, 50));
        watch.disconnect();
        return changed - sent;
    }""",
        points.tolist(),
    )
    print(f"{len(points)} events; the last answer stood {took:.0f} ms after the last of them")
    ink = Ink([points])
    assert np.abs(seen(page).astype(int) - prepare(ink)).max() <= 8
    assert recognizer.predict(ink).digit == 7
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("7")
    run_cell(page, "print(sum(len(stroke) for stroke in pad.ink.strokes), 'points')")
    expect(page.locator(".jp-CodeCell").last.get_by_text(f"{len(points)} points", exact=True)).to_be_visible()


def test_the_pad_reads_while_another_cell_runs(clear_page, tmp_path):
    page = clear_page
    # The cell runs until the test lets it end: a slow machine has all the time that it needs.
    end = tmp_path / "end"
    run_cell(page, f"import os, time\nwhile not os.path.exists({str(end)!r}):\n    time.sleep(0.05)\nprint('slept')")
    page.get_by_text("Python 3 (ipykernel) | Busy").wait_for()
    try:
        draw(page, Ink.example(3))
        expect(pad(page).locator(".digitlab-digit").first).to_have_text("3")
        press(page, "Clear")
        expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
        assert page.get_by_text("slept", exact=True).count() == 0
    finally:
        end.touch()
    expect(page.get_by_text("slept", exact=True)).to_be_visible()


def test_a_second_view_shows_the_same_drawing_and_draws_on_it(clear_page):
    page = clear_page
    draw(page, Ink.example(5))
    wait_until(lambda: white_pixels(page) > 1000, page)
    run_cell(page, "display(pad)")
    second = page.locator(".digitlab-pad").nth(1)
    pen(page, second).wait_for()
    expect(second.locator(".digitlab-digit").first).to_have_text("5")
    wait_until(lambda: white_pixels(page, second) == white_pixels(page) > 1000, page)
    second.get_by_role("button", name="Clear", exact=True).click()
    wait_until(lambda: white_pixels(page) == white_pixels(page, second) == 0, page)
    expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
    draw(page, Ink.example(2), second)
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("2")
    wait_until(lambda: white_pixels(page) > 1000, page)
    run_cell(page, "print('ready')")
    second.wait_for(state="detached")


def test_a_replay_is_visible_while_it_draws(clear_page):
    page = clear_page
    run_cell(page, "pad.replay(Ink.example(6), seconds=8); print('drawn')")
    wait_until(lambda: 200 < white_pixels(page) < 3000, page)
    assert page.get_by_text("drawn", exact=True).count() == 0
    expect(page.get_by_text("drawn", exact=True)).to_be_visible()
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("6")


def test_it_learns_a_hand_and_reports_the_result(clear_page, lab):
    page = clear_page
    drawings = lab.home / "drawings" / "my_drawings.jsonl"
    drawings.unlink(missing_ok=True)  # Other tests add drawings, too.
    choose(page, "Teach", 7)
    strokes = [[(80, 60), (190, 55), (150, 140), (110, 240)], [(50, 200), (120, 195), (220, 200)]]
    random = np.random.default_rng(0)
    for number in range(1, 7):
        draw(page, Ink([np.array(stroke) + random.normal(0, 5, (len(stroke), 2)) for stroke in strokes]))
        press(page, "Add")
        expect(panel(page, "Teach").locator(".digitlab-counts > div").nth(7)).to_have_text(str(number))
    assert [drawing.label for drawing in read_drawings(drawings)] == ["7"] * 6
    press(page, "Learn")
    # The pad reads on meanwhile.
    draw(page, Ink.example(3))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("3")
    expect(pad(page).locator(".digitlab-lesson")).to_contain_text("It learnt 3 of your drawings.", timeout=180_000)
    said = pad(page).locator(".digitlab-lesson").inner_text()
    before, after = re.search(r"it read (\d) before, and (\d) now", said).groups()
    assert int(after) > int(before)
    press(page, "Clear")
    draw(page, Ink(strokes))
    expect(pad(page).locator(".digitlab-network").last).to_contain_text("taught")
    expect(pad(page).locator(".digitlab-digit").last).to_have_text("7")
    pad(page).screenshot(path=picture_path("pad-taught.png"))


def test_a_button_that_is_pressed_next_knows_the_digit_that_was_chosen_last(clear_page, lab):
    page = clear_page
    draw(page, Ink.example(5))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("5")
    keep_python_busy(page, 2)
    choose(page, "Teach", 3)
    choose(page, "Teach", 5)
    press(page, "Add")
    chosen = panel(page, "Teach").get_by_role("button", pressed=True)
    expect(chosen).to_have_text("5")
    expect(pad(page).locator(".digitlab-lesson")).to_contain_text("Kept as a 5")
    expect(chosen).to_have_text("5")
    assert read_drawings(lab.home / "drawings" / "my_drawings.jsonl")[-1].label == "5"


def test_letters_on_a_button_do_nothing_to_the_notebook(clear_page):
    page = clear_page
    for name in ("Clear", "Show how it sees"):
        assert press_letters(page, pad(page).get_by_role("button", name=name, exact=True)) == []
    choose(page, "Teach", 2)
    assert press_letters(page, panel(page, "Teach").get_by_role("button", pressed=True)) == []
    page.keyboard.press("4")
    expect(panel(page, "Teach").get_by_role("button", pressed=True)).to_have_text("4")


def test_shift_enter_after_drawing_goes_on_and_keeps_the_drawing(clear_page):
    page = clear_page
    draw(page, Ink.example(7))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("7")
    cells = page.locator(".jp-Notebook .jp-Cell")
    number = pad(page).evaluate(
        "pad => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].indexOf(pad.closest('.jp-Cell'))"
    )
    for place in (pen(page), pad(page).get_by_role("button", name="Undo", exact=True)):
        place.focus()
        expect(cells.nth(number)).to_have_class(re.compile("jp-mod-active"))
        page.keyboard.press("Shift+Enter")
        expect(cells.nth(number + 1)).to_have_class(re.compile("jp-mod-active"))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("7")
    assert white_pixels(page) > 1000


def fill(folder, writers):
    """Let others hand in the examples, moved a little. The last label of every third writer is wrong."""
    random = np.random.default_rng(3)
    for number, writer in enumerate(writers):
        lines = []
        digits = random.integers(0, 10, random.integers(3, 12))
        labels = [*digits[:-1], (digits[-1] + (number % 3 == 1)) % 10]
        for digit, label in zip(digits, labels, strict=True):
            turn = random.normal(0, 0.2)
            matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * random.uniform(0.5, 1.1)
            strokes = [(stroke - 140) @ matrix + 140 for stroke in Ink.example(digit).strokes]
            lines.append(Ink(strokes).to_json(label) + "\n")
        (folder / writer).mkdir(parents=True)
        (folder / writer / "drawings.jsonl").write_text("".join(lines))


@pytest.fixture
def class_folder(lab):
    folder = lab.home / "class"
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def view(page):
    return page.locator(".digitlab-class")


def test_the_view_shows_what_is_handed_in_by_itself(clear_page, class_folder):
    page = clear_page
    # Another test may have chosen a digit.
    run_cell(
        page,
        "from digitlab_classroom.view import SubmissionsView\nsubmit.label = None\ndisplay(SubmissionsView(plain))",
    )
    expect(view(page)).to_contain_text("Nobody has handed in anything yet.")
    ink = draw(page, Ink.example(7))
    press(page, "Hand in")
    expect(pad(page).locator(".digitlab-submitted")).to_have_text("Choose the digit that you meant first.")
    choose(page, "Hand in", 7)
    press(page, "Hand in")
    expect(pad(page).locator(".digitlab-submitted")).to_have_text(re.compile(r"Handed in as [a-z]+: 1 so far\."))
    expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
    (file,) = class_folder.glob("*/drawings.jsonl")
    (drawing,) = read_drawings(file)
    assert (drawing.label, len(drawing.ink.strokes)) == ("7", len(ink.strokes))
    expect(view(page).locator(".digitlab-handed")).to_have_count(1)
    expect(view(page).get_by_alt_text(f"A 7 by {file.parent.name} 1")).to_be_visible()
    # Another writer, whose name is HTML.
    fill(class_folder, ["<img src=x onerror=document.title=666>"])
    expect(view(page)).to_contain_text("by 2 writers")
    expect(view(page).locator(".digitlab-of-writers")).to_contain_text("<img src=x onerror=document.title=666>")
    assert page.title() != "666"
    shutil.rmtree(class_folder / "<img src=x onerror=document.title=666>")
    expect(view(page)).to_contain_text("by 1 writer:")
    others = ("otter", "heron", "lynx", "kingfisher", "wren", "fox", "panda", "owl", "seal", "robin")
    fill(class_folder, [f"{name}-2" for name in others])  # The pad's own pseudonym has no number.
    expect(view(page)).to_contain_text("by 11 writers")
    expect(view(page).locator(".digitlab-handed")).to_have_count(30)
    page.wait_for_timeout(500)
    view(page).screenshot(path=picture_path("class-view.png"))
    # The teacher hides a drawing and shows it again.
    misread = view(page).locator(".digitlab-handed", has_text="read as").first
    name = misread.locator("figcaption span").inner_text()
    choice = view(page).get_by_role("combobox", name="To hide")
    expect(view(page).get_by_role("img", name=re.compile(r"7: \d+, \d+ read right"))).to_be_visible()
    choice.select_option(label=re.sub("$", f": a {misread.locator('b').first.inner_text()}", name))
    view(page).get_by_role("button", name="Hide", exact=True).click()
    expect(view(page).locator(".digitlab-class-message")).to_have_text(
        f"{name} is shown to nobody any more. Show again takes that back."
    )
    expect(view(page).get_by_text(name, exact=True)).to_have_count(0)
    assert choice.evaluate("select => select.selectedIndex") == 0
    back = view(page).get_by_role("button", name="Show again", exact=True)
    assert press_letters(page, back) == []
    back.click()
    expect(view(page).get_by_text(name, exact=True)).to_be_visible()
    for theme, width in (("Dark", 1400), ("Light", 820)):
        use_theme(page, theme)
        page.set_viewport_size({"width": width, "height": 1200})
        page.wait_for_timeout(1000)  # Until the page is laid out again.
        view(page).screenshot(path=picture_path(f"class-view-{theme.lower()}.png"))
        pad(page).screenshot(path=picture_path(f"pad-hand-in-{theme.lower()}.png"))
        wait_until(lambda: view(page).evaluate("element => element.scrollWidth <= element.clientWidth + 1"), page)
    page.set_viewport_size({"width": 1400, "height": 1200})
    run_cell(page, "print('ready')")


def use_theme(page, theme):
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_text(f"JupyterLab {theme}", exact=True).click()
    page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")


def test_it_survives_a_restart_of_the_kernel(clear_page):
    page = clear_page
    run_cell(page, "print('nothing is replayed')")
    expect(page.get_by_text("nothing is replayed", exact=True)).to_be_visible()
    draw(page, Ink.example(3))
    choose(page, "Teach", 3)
    press(page, "Add")
    expect(panel(page, "Teach").locator(".digitlab-counts > div").nth(3)).not_to_have_text("0")
    added = panel(page, "Teach").locator(".digitlab-counts").inner_text()
    draw(page, Ink.example(0))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("0")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
    # What was added is still there.
    expect(panel(page, "Teach").locator(".digitlab-counts")).to_have_text(added.replace("\n", ""))
    wait_until(lambda: white_pixels(page) == 0, page)
    draw(page, Ink.example(4))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("4")


@pytest.mark.parametrize(
    ("name", "theme", "width", "height"), [("dark", "Dark", 1400, 1200), ("tablet", "Light", 820, 1180)]
)
def test_nothing_crosses_the_edge_in_the_dark_and_on_a_tablet(clear_page, name, theme, width, height):
    """Take screenshots to look at, and check that nothing crosses the edge of the pad."""
    page = clear_page
    page.set_viewport_size({"width": width, "height": height})
    use_theme(page, theme)
    page.wait_for_timeout(1000)  # Until the page is laid out again.
    draw(page, Ink.example(9))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("9")
    page.screenshot(path=picture_path(f"pad-{name}.png"))
    # What the network sees is black: without a frame its margin cannot be told from a dark page.
    expect(pad(page).locator(".digitlab-image").first).to_have_css("border-top-style", "solid")

    def is_inside(part):
        box, inner = pad(page).bounding_box(), pad(page).locator(part).first.bounding_box()
        return inner["x"] + inner["width"] <= box["x"] + box["width"] + 1

    for part in (".digitlab-answer", ".digitlab-labels", ".digitlab-counts", ".digitlab-pen"):
        wait_until(lambda part=part: is_inside(part), page)
    page.set_viewport_size({"width": 1400, "height": 1200})


def test_all_panels_work_with_a_finger(browser, lab):
    context = browser.new_context(viewport={"width": 1024, "height": 1200}, has_touch=True)
    # A notebook of its own, thus a kernel of its own: in the other tests' kernel it would make `pad` another pad.
    page = open_notebook(context, lab, write_notebook(lab, "finger.ipynb", CELLS))
    run_all(page)
    page.hand = "touch"

    def tap(name):
        pad(page).get_by_role("button", name=name, exact=True).tap()

    ink = draw(page, Ink.example(4))
    expect(pad(page).locator(".digitlab-digit").first).to_have_text("4")
    tap("Undo")
    ink.undo()
    wait_until(lambda: np.abs(seen(page).astype(int) - prepare(ink)).max() <= 8, page)
    tap("Save picture")
    expect(pad(page).locator(".digitlab-saved")).to_contain_text("Saved as drawings/drawing-")
    tap("Show how it sees")
    expect(pad(page).locator(".digitlab-steps figcaption")).to_have_count(4)
    tap("Feed it the whole canvas")
    wait_until(lambda: np.abs(seen(page).astype(int) - shrink(ink)).max() <= 8, page)
    column = panel(page, "Teach").locator(".digitlab-counts > div").nth(6)
    before = int(column.inner_text())
    panel(page, "Teach").locator(".digitlab-labels").get_by_text("6", exact=True).tap()
    tap("Add")
    expect(column).to_have_text(str(before + 1))
    expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
    context.close()


def test_it_works_in_notebook_7_too(browser, lab, notebook):
    arguments = ["notebook", "--ServerApp.allow_root=True"]
    with served(arguments, lab.home) as server:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(120_000)
        base, token = server.address.split("/tree")[0], server.address.split("token=")[1]
        page.goto(f"{base}/notebooks/{notebook}?token={token}")
        page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
        run_all(page)
        page.hand = "mouse"
        draw(page, Ink.example(3))
        expect(pad(page).locator(".digitlab-digit").first).to_have_text("3")
        wait_until(lambda: white_pixels(page) > 1000, page)
        press(page, "Undo")
        expect(words(page).first).to_have_text("Draw a digit, 0 to 9.")
        draw(page, Ink.example(7))
        expect(pad(page).locator(".digitlab-digit").first).to_have_text("7")
        pad(page).screenshot(path=picture_path("pad-notebook-7.png"))
        page.close()
