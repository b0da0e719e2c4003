"""The pen in a real browser: every kind of hand, a distant server, and a Python that is busy or away."""

import json
import os
import sys

import nbformat
import numpy as np
import pytest
from page import (
    draw,
    open_notebook,
    pad,
    pen,
    picture_path,
    run_all,
    run_cell,
    run_first_cell,
    wait_until,
    white_pixels,
    write_notebook,
)
from playwright.sync_api import expect
from relay import Relay

from digitlab.ink import Ink

CELLS = [
    "from digitlab import Ink\nfrom digitlab.pad import DrawingPad\n\npad = DrawingPad(trackpad=True)\npad",
    "import ctypes, json, time",
]
PRINT_INK = "print('ink', json.dumps([stroke.tolist() for stroke in pad.ink.strokes]))"


@pytest.fixture(scope="module")
def notebook(lab):
    write_notebook(lab, "distant.ipynb", CELLS)
    return write_notebook(lab, "pen.ipynb", CELLS)


@pytest.fixture(scope="module")
def page(browser, lab, notebook):
    context = browser.new_context(viewport={"width": 1366, "height": 900}, has_touch=True)
    page = open_notebook(context, lab, notebook)
    run_all(page)
    page.hand = "mouse"
    yield page
    context.close()


@pytest.fixture(scope="module")
def relay(lab):
    relay = Relay(int(lab.address.split(":")[2].split("/")[0]))
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def distant_page(browser, lab, notebook, relay):
    """The same notebook by way of the relay."""
    distant_lab = lab._replace(address=lab.address.replace(lab.address.split(":")[2].split("/")[0], str(relay.port)))
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page = open_notebook(context, distant_lab, "distant.ipynb")
    run_all(page)
    page.hand = "mouse"
    yield page
    context.close()


@pytest.fixture
def distance(relay):
    """Return the relay, whose delay a test may set; afterwards there is none."""
    yield relay
    relay.delay = 0


def clear(page):
    pad(page).get_by_role("button", name="Clear", exact=True).click()
    expect(pad(page).locator(".digitlab-words")).to_have_text("Draw a digit, 0 to 9.")
    wait_until(lambda: white_pixels(page) == 0, page)


@pytest.fixture
def clear_page(page):
    clear(page)
    return page


def python_strokes(page):
    """Return the strokes that Python has, as soon as the pen has sent all and Python has drawn them."""
    wait_until(lambda: white_pixels(page, layer="pen") == 0, page)
    run_cell(page, PRINT_INK)
    output = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output", has_text="ink [")
    output.wait_for()
    text = output.inner_text()
    run_cell(page, "print('done')")
    page.get_by_text("done", exact=True).wait_for()
    return [np.array(stroke) for stroke in json.loads(text.split("ink ")[1])]


def same(strokes, others):
    return len(strokes) == len(others) and all(
        one.shape == other.shape and np.abs(one - other).max() < 0.02
        for one, other in zip(strokes, others, strict=True)
    )


def pressed(page, x, y):
    """Return where a point of the canvas is on the page."""
    box = pen(page).bounding_box()
    return box["x"] + x, box["y"] + y


@pytest.mark.parametrize("hand", ["mouse", "touch", "pen"])
def test_python_gets_every_point_of_every_hand_in_order(clear_page, hand):
    page = clear_page
    page.hand = hand
    drawn = draw(page, Ink.example(4))
    page.hand = "mouse"
    expect(pad(page).locator(".digitlab-digit")).to_have_text("4")
    assert same(python_strokes(page), drawn.strokes)
    wait_until(lambda: white_pixels(page, layer="pen") == 0, page)
    assert white_pixels(page) > 1000


def test_arrows_and_space_draw_and_tab_goes_on(clear_page):
    page = clear_page
    page.locator("body").press("Escape")
    pad(page).get_by_role("button", name="Clear", exact=True).focus()
    page.keyboard.press("Shift+Tab")
    expect(pen(page)).to_be_focused()
    expect(pen(page)).to_have_css("outline-style", "solid")
    for _ in range(15):
        page.keyboard.press("ArrowUp")
    for _ in range(4):  # Held down it is pressed again and again.
        page.keyboard.down(" ")
    page.keyboard.up(" ")
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    expect(pad(page).locator(".digitlab-digit")).to_have_text("1")
    # What a screen reader says: the digit, not each change of how sure it is.
    expect(pad(page).get_by_role("status").filter(has_text="1")).to_have_text("1")
    pad(page).screenshot(path=picture_path("pad-keyboard.png"))
    page.keyboard.press("Tab")
    expect(pad(page).get_by_role("button", name="Clear", exact=True)).to_be_focused()
    (stroke,) = python_strokes(page)
    assert stroke.tolist() == [[140, 50 + 6 * number] for number in range(31)]
    pen(page).focus()
    page.keyboard.press("Backspace")
    expect(pad(page).locator(".digitlab-words")).to_have_text("Draw a digit, 0 to 9.")


@pytest.mark.parametrize("key", ["z", "Z", "я"], ids=["lower case", "Caps Lock", "another alphabet"])
def test_ctrl_z_takes_back_a_stroke_with_any_keyboard(clear_page, key):
    page = clear_page
    drawn = draw(page, Ink.example(4))
    assert len(drawn.strokes) == 2
    pen(page).evaluate(
        """(pen, key) => pen.dispatchEvent(
            new KeyboardEvent("keydown", { key, code: "KeyZ", ctrlKey: true, bubbles: true }))""",
        key,
    )
    assert same(python_strokes(page), drawn.strokes[:1])


@pytest.mark.parametrize("button", ["right", "middle"])
def test_other_buttons_of_the_mouse_draw_nothing(clear_page, button):
    page = clear_page
    page.mouse.move(*pressed(page, 50, 50))
    page.mouse.down(button=button)
    page.mouse.move(*pressed(page, 150, 150), steps=5)
    page.mouse.up(button=button)
    page.keyboard.press("Escape")
    assert white_pixels(page, layer="pen") == 0
    assert python_strokes(page) == []


def test_the_side_button_of_a_stylus_draws_nothing(clear_page):
    page = clear_page
    devtools = page.context.new_cdp_session(page)
    for kind, place, buttons in (
        ("mousePressed", (60, 60), 2),
        ("mouseMoved", (120, 160), 2),
        ("mouseReleased", (200, 200), 0),
    ):
        x, y = pressed(page, *place)
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "button": "right", "buttons": buttons}
        devtools.send("Input.dispatchMouseEvent", {**event, "clickCount": 1})
    devtools.detach()
    page.keyboard.press("Escape")
    assert white_pixels(page, layer="pen") == 0
    assert python_strokes(page) == []


def test_the_points_between_two_frames_are_drawn_too(clear_page):
    """A browser tells of a fast hand once a frame, with all points since the last one."""
    page = clear_page
    pen(page).evaluate(
        """pen => {
        const {left, top} = pen.getBoundingClientRect();
        const event = (kind, x, y) => new PointerEvent(kind, {
            pointerId: 1, pointerType: "mouse", buttons: 1, clientX: left + x, clientY: top + y});
        pen.dispatchEvent(event("pointerdown", 40, 40));
        const move = event("pointermove", 200, 200);
        move.getCoalescedEvents = () => [80, 120, 160, 200].map(at => event("pointermove", at, at));
        pen.dispatchEvent(move);
        pen.dispatchEvent(event("pointerup", 200, 200));
    }"""
    )
    assert same(python_strokes(page), [np.array([(at, at) for at in (40, 80, 120, 160, 200)])])


def test_two_tabs_that_draw_at_once_make_two_strokes(clear_page, lab):
    page = clear_page
    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
    other = open_notebook(page.context, lab, "pen.ipynb")
    pen(other).wait_for()
    expect(pad(other).locator(".digitlab-words")).to_have_text("Draw a digit, 0 to 9.")
    lines = [[(40, 40), (40, 100), (40, 200)], [(240, 40), (240, 100), (240, 200)]]
    for one, line in zip((page, other), lines, strict=True):
        one.bring_to_front()
        one.mouse.move(*pressed(one, *line[0]))
        one.mouse.down()
        one.mouse.move(*pressed(one, *line[1]))
        wait_until(lambda one=one: white_pixels(one) > 0, one)
    for one, line in zip((page, other), lines, strict=True):
        one.bring_to_front()
        one.mouse.move(*pressed(one, *line[2]))
        one.mouse.up()
    other.close()
    page.bring_to_front()
    first, second = python_strokes(page)
    assert set(first[:, 0]) == {40}
    assert set(second[:, 0]) == {240}


def test_a_zero_that_overshoots_the_edge_is_one_stroke_and_a_zero(clear_page):
    page = clear_page
    angles = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([215 + 80 * np.sin(angles), 140 - 110 * np.cos(angles)], axis=1)
    draw(page, Ink([circle]))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("0")
    (stroke,) = python_strokes(page)
    assert stroke[:, 0].max() == 280


def test_a_palm_beside_the_stylus_draws_nothing(clear_page):
    page = clear_page
    devtools = page.context.new_cdp_session(page)

    def finger(kind, *points):
        places = [dict(zip("xy", pressed(page, x, y), strict=True)) for x, y in points]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    finger("touchStart", (200, 260))  # The palm is there first.
    finger("touchMove", (205, 262))
    stroke = [(140, 40), (140, 100), (140, 160), (140, 240)]
    for number, point in enumerate(stroke):
        x, y = pressed(page, *point)
        event = {"x": x, "y": y, "pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1}
        devtools.send("Input.dispatchMouseEvent", {"type": "mouseMoved" if number else "mousePressed", **event})
        finger("touchMove", (210 + number, 260))
    devtools.send("Input.dispatchMouseEvent", {**event, "type": "mouseReleased", "buttons": 0})
    finger("touchEnd")
    finger("touchStart", (20, 20))
    finger("touchEnd")
    devtools.detach()
    assert same(python_strokes(page), [np.array(stroke)])


def test_a_stylus_ends_a_stroke_of_the_mouse_and_keeps_it(clear_page):
    page = clear_page
    switch = pad(page).get_by_role("button", name="Click to start and to end a stroke", exact=True)
    switch.click()
    page.mouse.click(*pressed(page, 40, 40))
    page.mouse.move(*pressed(page, 40, 200))
    x, y = pressed(page, 140, 40)
    event = {"x": x, "y": y, "pointerType": "pen", "button": "left", "clickCount": 1}
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.dispatchMouseEvent", {**event, "type": "mousePressed", "buttons": 1})
    devtools.send("Input.dispatchMouseEvent", {**event, "type": "mouseReleased", "buttons": 0})
    devtools.detach()
    switch.click()
    mouse, stylus = python_strokes(page)
    assert mouse.tolist() == [[40, 40], [40, 200]]
    assert stylus.tolist() == [[140, 40]]


def test_a_second_finger_draws_nothing(clear_page):
    page = clear_page
    devtools = page.context.new_cdp_session(page)

    def fingers(kind, *points):
        places = [
            {"id": number, **dict(zip("xy", pressed(page, x, y), strict=True))} for number, (x, y) in enumerate(points)
        ]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    fingers("touchStart", (100, 40))
    fingers("touchStart", (100, 40), (200, 40))
    for y in (100, 160, 220):
        fingers("touchMove", (100, y), (200, y))
    fingers("touchEnd")
    devtools.detach()
    assert same(python_strokes(page), [np.array([(100, 40), (100, 100), (100, 160), (100, 220)])])


def draw_a_one_by_clicks(page):
    """Switch to clicks, draw a 1 and return its stroke."""
    switch = pad(page).get_by_role("button", name="Click to start and to end a stroke", exact=True)
    switch.click()
    page.mouse.click(*pressed(page, 140, 40))
    page.mouse.move(*pressed(page, 140, 130))
    page.mouse.move(*pressed(page, 140, 230))
    page.mouse.click(*pressed(page, 140, 240))
    page.mouse.move(*pressed(page, 20, 20))
    switch.click()
    return np.array([(140, 40), (140, 130), (140, 230), (140, 240)])


def test_with_the_trackpad_switch_clicks_start_and_end_a_stroke(clear_page):
    page = clear_page
    stroke = draw_a_one_by_clicks(page)
    expect(pad(page).locator(".digitlab-digit")).to_have_text("1")
    assert same(python_strokes(page), [stroke])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_while_python_computes_the_line_stays_and_arrives_afterwards(clear_page, tmp_path):
    page = clear_page
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    # A call into C that keeps Python's lock: no other thread runs until somebody opens the other end of the pipe.
    path = os.fsencode(gate)
    run_cell(page, f"print('computing'); time.sleep(0.5); ctypes.PyDLL(None).open({path!r}, 0); print('computed')")
    try:
        page.get_by_text("computing", exact=True).wait_for()
        page.wait_for_timeout(1500)
        drawn = draw(page, Ink.example(4))
        assert white_pixels(page, layer="pen") > 1000
        expect(pen(page).locator(".digitlab-away")).to_contain_text("Python does not answer")
        pad(page).screenshot(path=picture_path("pad-away.png"))
    finally:
        os.close(os.open(gate, os.O_RDWR))
    expect(page.locator(".jp-CodeCell").last.locator(".jp-OutputArea")).to_contain_text("computed")
    expect(pad(page).locator(".digitlab-digit")).to_have_text("4")
    expect(pen(page).locator(".digitlab-away")).to_be_hidden()
    assert same(python_strokes(page), drawn.strokes)
    wait_until(lambda: white_pixels(page, layer="pen") == 0, page)


@pytest.mark.parametrize("delay", [0.1, 0.3])
def test_a_distant_server_gets_every_point(distant_page, distance, delay):
    page = distant_page
    clear(page)
    distance.delay = delay / 2
    drawn = draw(page, Ink.example(8))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("8")
    distance.delay = 0
    assert same(python_strokes(page), drawn.strokes)


def test_the_line_does_not_wait_for_a_server_that_is_very_far_away(distant_page, distance):
    page = distant_page
    clear(page)
    distance.delay = 5
    drawn = draw(page, Ink.example(3))
    assert white_pixels(page, layer="pen") > 1000
    assert white_pixels(page) == 0
    distance.delay = 0
    expect(pad(page).locator(".digitlab-digit")).to_have_text("3")
    assert same(python_strokes(page), drawn.strokes)


def test_with_a_distant_server_the_trackpad_switch_counts_at_once(distant_page, distance):
    page = distant_page
    clear(page)
    distance.delay = 0.5
    stroke = draw_a_one_by_clicks(page)
    distance.delay = 0
    expect(pad(page).locator(".digitlab-digit")).to_have_text("1")
    assert same(python_strokes(page), [stroke])


DRAW_IN_THE_PAGE = """(pen, points) => {
    const {left, top} = pen.getBoundingClientRect();
    points.forEach(([x, y], number) => pen.dispatchEvent(new PointerEvent(number ? "pointermove" : "pointerdown", {
        pointerId: 1, pointerType: "mouse", buttons: 1, clientX: left + x, clientY: top + y})));
    pen.dispatchEvent(new PointerEvent("pointerup", {
        pointerId: 1, pointerType: "mouse", clientX: left + points.at(-1)[0], clientY: top + points.at(-1)[1]}));
}"""


def test_a_connection_cut_in_mid_stroke_loses_and_doubles_nothing(distant_page, relay):
    page = distant_page
    clear(page)
    first, second = (np.rint(stroke) for stroke in Ink.example(4).strokes)
    page.mouse.move(*pressed(page, *first[0]))
    page.mouse.down()
    for number, point in enumerate(first[1:]):
        page.mouse.move(*pressed(page, *point))
        if number == len(first) // 2:
            relay.cut()
    page.mouse.up()
    # Soon JupyterLab shows a dialog, which would take the mouse.
    pen(page).evaluate(DRAW_IN_THE_PAGE, second.tolist())
    expect(pen(page).locator(".digitlab-away")).to_contain_text("Python does not answer")
    assert white_pixels(page, layer="pen") > 1000
    page.wait_for_timeout(10_000)
    relay.mend()
    page.add_locator_handler(
        page.get_by_role("dialog", name="Server Connection Error"),
        lambda dialog: dialog.get_by_role("button").last.click(),
    )
    expect(pen(page).locator(".digitlab-away")).to_be_hidden(timeout=60_000)
    wait_until(lambda: white_pixels(page, layer="pen") == 0, page, seconds=30)
    assert same(python_strokes(page), [first, second])


def test_what_is_drawn_while_python_restarts_goes_to_the_new_pad(clear_page):
    page = clear_page
    draw(page, Ink.example(7))
    expect(pad(page).locator(".digitlab-digit")).to_have_text("7")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    expect(pen(page).locator(".digitlab-away")).to_contain_text("After a restart, run this cell again.")
    drawn = draw(page, Ink.example(4))
    assert white_pixels(page, layer="pen") > 1000
    run_all(page)
    run_cell(page, CELLS[1])
    expect(pad(page).locator(".digitlab-digit")).to_have_text("4")
    assert same(python_strokes(page), drawn.strokes)


# The screens


KINDS = {
    "plain": "DrawingPad()",
    "networks": "DrawingPad(networks=networks)",
    "steps": "DrawingPad(panels=[StepsPanel()])",
    "teach": "DrawingPad(networks=networks, panels=[TeachPanel(), SavePanel()])",
    "submit": "DrawingPad(panels=[SubmitPanel()])",
}
IMPORTS = """\
from digitlab import Recognizer
from digitlab.pad import DrawingPad
from digitlab.panels import SavePanel, StepsPanel, TeachPanel
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab_classroom.submit_panel import SubmitPanel

networks = {"ours": Recognizer.load(), "a stand-in": Recognizer.load(MNIST_ONLY_NETWORK)}"""


def write_screens(folder, name):
    """Write a notebook with a pad of each kind, and words before each."""
    words = nbformat.v4.new_markdown_cell("\n\n".join(["These words are read before the next pad."] * 8))
    cells = [nbformat.v4.new_code_cell(IMPORTS)]
    for source in KINDS.values():
        cells += [words, nbformat.v4.new_code_cell(source)]
    cells.append(words)
    for cell in cells:
        cell.pop("id", None)
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}, nbformat_minor=4)
    nbformat.write(notebook, folder / name)


def is_in_view(page, widget):
    """Return whether a widget is whole within the part of the notebook that is seen."""
    panel, box = page.locator(".jp-WindowedPanel-outer").bounding_box(), widget.bounding_box()
    return (
        box is not None
        and box["y"] >= panel["y"] - 1
        and box["y"] + box["height"] <= panel["y"] + panel["height"] + 1
        and box["x"] + box["width"] <= panel["x"] + panel["width"] + 1
    )


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1366, 625), (1440, 780), (1920, 950)])
def test_after_shift_enter_the_whole_pad_is_in_view(browser, lab, width, height):
    context = browser.new_context(viewport={"width": width, "height": height})
    name = f"screens-{width}x{height}.ipynb"
    write_screens(lab.home / "notebooks", name)
    page = open_notebook(context, lab, name)
    run_first_cell(page)
    page.get_by_text("[1]:").first.wait_for()
    for kind in KINDS:
        for _ in range(2):
            page.keyboard.press("Shift+Enter")
        widget = page.locator(".jp-Cell:has(+ .jp-mod-active) .digitlab-pad")
        widget.wait_for()
        wait_until(lambda widget=widget: is_in_view(page, widget), page)
        page.wait_for_timeout(500)  # It must still be in view after JupyterLab has laid out the cells.
        page.screenshot(path=picture_path(f"screen-{kind}-{width}x{height}.png"))
        assert is_in_view(page, widget), kind
    context.close()


@pytest.fixture(scope="module")
def kinds_page(browser, lab):
    """Open a notebook with a pad of each kind, run it and draw on each pad."""
    write_screens(lab.home / "notebooks", "kinds.ipynb")
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = open_notebook(context, lab, "kinds.ipynb")
    page.hand = "mouse"
    run_all(page)
    for number in range(len(KINDS)):
        widget = page.locator(".digitlab-pad").nth(number)
        draw(page, Ink.example(number), widget)
        expect(widget.locator(".digitlab-digit").first).to_have_text(str(number))
    page.locator(".digitlab-pad").nth(2).get_by_role("button", name="Show how it sees").click()
    yield page
    context.close()


CUT_OFF = """pad => {
    const outer = pad.getBoundingClientRect();
    const view = pad.closest(".jp-WindowedPanel-outer").getBoundingClientRect();
    const right = Math.min(outer.right, view.right) + 1;
    const isCut = one => {
        const box = one.getBoundingClientRect();
        return box.width && (box.left < outer.left - 1 || box.right > right);
    };
    const words = [...pad.querySelectorAll("button")].filter(one => one.scrollWidth > one.clientWidth + 1);
    return [...[...pad.querySelectorAll("*")].filter(isCut), ...words].map(one => one.className || one.tagName);
}"""

ANSWER_IS_NEAR = """(pad, isBeside) => {
    const [canvas, digit, button] = [".digitlab-pen", ".digitlab-digit", "button"].map(part =>
        pad.querySelector(part).getBoundingClientRect());
    if (digit.top >= button.top) return false;
    return !isBeside || (canvas.top - 4 < digit.top && digit.top < canvas.bottom);
}"""


@pytest.mark.parametrize(
    ("name", "width", "height", "side_bar"),
    [("tablet", 820, 1180, True), ("narrow", 500, 800, False), ("zoomed to 150 %", 911, 512, True)],
)
def test_on_a_small_page_nothing_is_cut_off_and_the_answer_is_before_the_buttons(
    kinds_page, name, width, height, side_bar
):
    page = kinds_page
    page.set_viewport_size({"width": width, "height": height})
    files = page.locator("#jp-left-stack")
    if not side_bar:
        page.locator(".jp-SideBar .lm-TabBar-tab[data-id='filebrowser']").click()
        files.wait_for(state="hidden")
    for number, kind in enumerate(KINDS):
        widget = page.locator(".digitlab-pad").nth(number)
        # JupyterLab takes a moment to arrange the page in its new size.
        wait_until(lambda widget=widget: widget.evaluate(CUT_OFF) == [], page)
        wait_until(lambda widget=widget: widget.evaluate(ANSWER_IS_NEAR, width == 911), page)
        widget.evaluate("pad => pad.scrollIntoView()")
        page.screenshot(path=picture_path(f"small-{width}-{kind}.png"))
    if not side_bar:
        page.locator(".jp-SideBar .lm-TabBar-tab[data-id='filebrowser']").click()
        files.wait_for()
