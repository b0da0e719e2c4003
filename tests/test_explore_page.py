"""What one turns and looks into in the notebooks, in a real JupyterLab in a real browser."""

import re

import numpy as np
import pytest
from page import draw, open_notebook, pad, picture_path, press_letters, run_all, run_cell, wait_until, write_notebook
from playwright.sync_api import expect

from digitlab import Ink, Recognizer
from digitlab.prepare import prepare

CELLS = [
    """\
from digitlab.pad import DrawingPad
from digitlab.panels import InsidePanel
from digitlab.paths import MNIST_ONLY_NETWORK, SHIPPED_NETWORK

networks = {"plain": MNIST_ONLY_NETWORK, "ours": SHIPPED_NETWORK}
DrawingPad(networks=networks, panels=[InsidePanel()])""",
    """\
from digitlab import Ink, Recognizer
from digitlab.explore import Lens, Slope
from digitlab.prepare import prepare

mine = [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]
lens = Lens(prepare(Ink.example(4)), filters={"mine": mine}, network=Recognizer.load())
lens""",
    """\
rates = {"right": 0.25, "too large": 3}
slope = Slope(lambda weight: (weight - 1) ** 2, low=-2, high=4, start=3, rates=rates)
slope""",
    """\
from digitlab.explore import Knobs
from digitlab.paths import MNIST_ONLY_NETWORK

knobs = Knobs(Recognizer.load(MNIST_ONLY_NETWORK), Ink.example(7))
knobs""",
    """\
print("ready")""",
]

# The part of the notebook that can be seen.
VISIBLE = ".jp-NotebookPanel-notebook .jp-WindowedPanel-outer"


@pytest.fixture(scope="module")
def page(browser, lab):
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = open_notebook(context, lab, write_notebook(lab, "explore.ipynb", CELLS, heading="A section"))
    run_all(page)
    page.hand = "mouse"
    yield page
    context.close()


@pytest.fixture(autouse=True)
def usual_screen(page):
    """Give the window its usual size again after each test."""
    yield
    resize(page, 1366, 768)


@pytest.fixture
def clear_page(page):
    pad(page).get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="plain", exact=True).click()
    expect(figures(page)).to_have_count(6)  # pixels, two convolutions, one dense layer, the answer, the scale
    nothing = "convolution 1: nothing is drawn."
    expect(page.locator(".digitlab-inside-flow canvas").nth(1)).to_have_attribute("aria-label", nothing)
    return page


def figures(page):
    return page.locator(".digitlab-inside-flow figure")


def colours(page, number):
    """Count the clearly blue and the clearly orange pixels of a layer's picture."""
    return (
        page.locator(".digitlab-inside-flow canvas")
        .nth(number)
        .evaluate(
            """canvas => {
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            let blue = 0, orange = 0;
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 2] - data[i] > 60) blue++;
                if (data[i] - data[i + 2] > 60) orange++;
            }
            return [blue, orange];
        }"""
        )
    )


def check_it_fits(page, locator):
    """Check that something is no higher than what can be seen of the notebook, and that nothing crosses its edge."""

    def fits():
        visible, box = page.locator(VISIBLE).bounding_box(), locator.bounding_box()
        return (
            box["height"] <= visible["height"]
            and box["x"] + box["width"] <= visible["x"] + visible["width"]
            and locator.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
        )

    wait_until(fits, page, seconds=20)


def resize(page, width, height=1000):
    """Make the window narrow, as a tablet or half a screen is: JupyterLab's side bar is folded away then."""
    sidebar = page.get_by_role("tab", name="File Browser").first
    if (width < 1000) == (sidebar.get_attribute("aria-selected") == "true"):
        sidebar.click()
    page.set_viewport_size({"width": width, "height": height})


def test_the_layers_are_drawn_while_one_draws_and_of_the_chosen_network(clear_page):
    page = clear_page
    assert colours(page, 1) == [0, 0]
    draw(page, Ink.example(4))
    label = page.locator(".digitlab-inside-answer [role=img]")
    expect(label).to_have_attribute("aria-label", "answer: 4 (> 99 % sure).")
    assert min(colours(page, 1)) > 100
    assert min(colours(page, 2)) > 100
    names = page.locator(".digitlab-inside-flow figcaption")
    expect(names.nth(1)).to_contain_text("convolution 1")
    expect(names.nth(1)).to_contain_text("16 filters")
    page.get_by_role("button", name="ours", exact=True).click()
    expect(figures(page)).to_have_count(10)
    expect(names.nth(1)).to_contain_text("24 filters")
    pad(page).get_by_role("button", name="Clear").click()
    expect(page.locator(".digitlab-inside-flow canvas").nth(1)).to_have_attribute(
        "aria-label", "convolution 1: nothing is drawn."
    )
    assert colours(page, 1) == [0, 0]


def test_a_map_is_enlarged_under_the_mouse(clear_page):
    page = clear_page
    draw(page, Ink.example(5))
    lens = page.locator(".digitlab-inside-lens")
    expect(lens).to_be_hidden()
    page.locator(".digitlab-inside-flow canvas").nth(1).hover(position={"x": 3 * 54 + 9, "y": 54 + 9})
    expect(lens).to_contain_text("convolution 1, filter 12")  # the fourth of the second row of eight
    place = lens.bounding_box()
    shown = page.screenshot(clip=place)
    pen = page.locator(".digitlab-pen").first
    pen.hover()
    expect(lens).to_be_hidden()
    assert page.screenshot(clip=place) != shown  # Nothing had cut it off.


def test_a_map_that_was_tapped_stays_when_the_finger_leaves(clear_page):
    page = clear_page
    draw(page, Ink.example(5))
    lens, maps = page.locator(".digitlab-inside-lens"), page.locator(".digitlab-inside-flow canvas").nth(1)
    maps.dispatch_event("pointerdown", {"pointerType": "touch", "clientX": 0, "clientY": 0})
    maps.hover(position={"x": 9, "y": 9})
    expect(lens).to_contain_text("convolution 1, filter 1")
    maps.dispatch_event("pointerleave", {"pointerType": "touch"})
    page.wait_for_timeout(100)
    expect(lens).to_be_visible()
    for event in ({"type": "pointerleave", "pointerType": "mouse"}, {"type": "pointercancel", "pointerType": "touch"}):
        maps.hover(position={"x": 27, "y": 9})
        maps.hover(position={"x": 9, "y": 9})
        expect(lens).to_be_visible()
        maps.dispatch_event(event["type"], event)  # A finger that scrolls is cancelled.
        expect(lens).to_be_hidden()


def test_arrow_keys_enlarge_the_maps(clear_page):
    page = clear_page
    draw(page, Ink.example(5))
    lens, layers = page.locator(".digitlab-inside-lens"), page.locator(".digitlab-inside-flow")
    layers.focus()
    for key, shown in (
        ("ArrowRight", "convolution 1, filter 1"),
        ("ArrowRight", "convolution 1, filter 2"),
        ("ArrowUp", "convolution 1, filter 2"),
        ("ArrowDown", "convolution 2, filter 1"),
        ("ArrowLeft", "convolution 2, filter 1"),
        ("ArrowUp", "convolution 1, filter 1"),
    ):
        page.keyboard.press(key)
        expect(lens.get_by_role("status")).to_have_text(shown)
    page.screenshot(path=picture_path("inside-keys.png"))
    # Where the pad is scrolled so far that there is no room above, it stands below.
    page.set_viewport_size({"width": 1366, "height": 420})
    layers.evaluate("(element) => element.scrollIntoView({block: 'start'})")
    page.keyboard.press("ArrowRight")
    wait_until(lambda: lens.bounding_box()["y"] > page.locator(VISIBLE).bounding_box()["y"], page)
    page.keyboard.press("Tab")
    expect(lens).to_be_hidden()


@pytest.mark.parametrize("network", ["plain", "ours"])
def test_pad_and_layers_fit_on_the_screen(clear_page, network):
    page = clear_page
    page.get_by_role("button", name=network, exact=True).click()
    expect(figures(page)).to_have_count({"plain": 6, "ours": 10}[network])
    draw(page, Ink.example(9))
    page.screenshot(path=picture_path(f"inside-{network}.png"))
    check_it_fits(page, pad(page))
    for width in (820, 500):
        resize(page, width, 1800)
        page.wait_for_timeout(500)  # Until the page is laid out again.
        page.screenshot(path=picture_path(f"inside-{network}-{width}.png"))
        check_it_fits(page, pad(page))
        for figure in figures(page).all():
            check_it_fits(page, figure)


# The lens and the slope


def lens(page):
    return page.locator(".digitlab-lens")


@pytest.fixture
def lens_of_3(page):
    """The page, with a filter of 3 x 3 chosen, which follows the mouse."""
    digit, words = lens(page).locator("canvas").first, lens(page).locator(".digitlab-lens-words")
    digit.scroll_into_view_if_needed()
    lens(page).locator("select").select_option(label="mine")
    if "Held" in words.inner_text():
        digit.click()
    expect(words).to_contain_text("A click holds it.")
    return page


def told(image, weights, row, column):
    """Return the start of what the lens says of a place, computed here."""
    side = len(weights)
    total = float((image[row : row + side, column : column + side] / 255 * weights).sum())
    numbers = [f"{value:.2f}".replace("-", "−") for value in (total, max(total, 0))]
    return (
        f"Row {row}, column {column}: the {side**2} products add up to {numbers[0]}. ReLU makes it {numbers[1]}: "
        f"this lands at row {row}, column {column} of the result."
    )


def test_the_lens_follows_mouse_keys_and_sliders_and_computes_what_numpy_does(lens_of_3):
    page = lens_of_3
    image, weights = prepare(Ink.example(4)), np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]])
    words, digit = lens(page).locator(".digitlab-lens-words"), lens(page).locator("canvas").first
    # The margin is 20 pixels, and each pixel of the digit is 7 wide. The middle of the filter is under the mouse.
    digit.hover(position={"x": 20 + 7 * 15 + 3, "y": 20 + 7 * 17 + 3})
    expect(words).to_contain_text(told(image, weights, 16, 14))
    digit.focus()
    for key in ("ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(words).to_contain_text(told(image, weights, 17, 12))
    lens(page).locator("input[type=range]").first.fill("5")
    expect(words).to_contain_text(told(image, weights, 5, 12))
    products = lens(page).locator(".digitlab-lens-table").nth(2).locator("span").all_inner_texts()
    expected = (image[5:8, 12:15] / 255 * weights).ravel() + 0.0
    assert products == [f"{value:.2f}".replace("-", "−").replace("−0.00", "0.00") for value in expected]
    # At the edge the filter stops.
    lens(page).locator("input[type=range]").nth(1).fill("25")
    digit.focus()
    page.keyboard.press("ArrowRight")
    expect(words).to_contain_text(told(image, weights, 5, 25))
    run_cell(page, "print(lens)")
    expect(page.get_by_text("Lens(mine, row 5, column 25)", exact=True)).to_be_visible()


def test_a_click_holds_the_filter_and_another_lets_it_go(lens_of_3):
    page = lens_of_3
    words, digit = lens(page).locator(".digitlab-lens-words"), lens(page).locator("canvas").first
    digit.click(position={"x": 20 + 7 * 10 + 3, "y": 20 + 7 * 10 + 3})
    expect(words).to_contain_text("Row 9, column 9")
    digit.hover(position={"x": 20 + 7 * 20 + 3, "y": 20 + 7 * 20 + 3})
    expect(words).to_contain_text("Held")
    expect(words).to_contain_text("Row 9, column 9")
    digit.click(position={"x": 20 + 7 * 5 + 3, "y": 20 + 7 * 6 + 3})
    expect(words).to_contain_text("Row 5, column 4")
    digit.hover(position={"x": 20 + 7 * 20 + 3, "y": 20 + 7 * 20 + 3})
    expect(words).to_contain_text("Row 19, column 19")


def test_a_stylus_holds_the_filter_too(lens_of_3):
    page = lens_of_3
    words, digit = lens(page).locator(".digitlab-lens-words"), lens(page).locator("canvas").first
    box, session = digit.bounding_box(), page.context.new_cdp_session(page)

    def stylus(kind, x, y, **more):
        place = {"x": box["x"] + 20 + 7 * x + 3, "y": box["y"] + 20 + 7 * y + 3}
        session.send("Input.dispatchMouseEvent", {"type": kind, **place, "pointerType": "pen", **more})

    stylus("mousePressed", 8, 8, button="left", buttons=1, clickCount=1)
    stylus("mouseReleased", 8, 8, button="left", clickCount=1)
    stylus("mouseMoved", 20, 20)
    expect(words).to_contain_text("Held")
    expect(words).to_contain_text("Row 7, column 7")


@pytest.mark.parametrize(
    "place",
    [
        ".digitlab-lens input[type=checkbox]",
        ".digitlab-lens input[type=range]",
        ".digitlab-lens select",
        ".digitlab-lens canvas",
        ".digitlab-slope input",
        ".digitlab-slope select",
        ".digitlab-slope button",
        ".digitlab-knobs [role=slider]",
        ".digitlab-knobs input[type=checkbox]",
        ".digitlab-inside-flow",
    ],
)
def test_keys_in_a_widget_do_nothing_to_the_notebook(page, place):
    assert press_letters(page, page.locator(place).first) == []


def test_the_sliders_of_the_knobs_have_names_and_switches_say_whether_they_are_on(page):
    sliders = page.locator(".digitlab-knobs [role=slider]")
    assert [one.get_attribute("aria-label") for one in sliders.all()] == ["size", "right", "down", "pen width"]
    choice = page.locator(".digitlab-inside-choice button")
    choice.nth(1).click()
    for number, pressed in enumerate(("false", "true")):
        expect(choice.nth(number)).to_have_attribute("aria-pressed", pressed)
    choice.nth(0).click()
    expect(choice.nth(0)).to_have_attribute("aria-pressed", "true")


def test_a_right_click_does_not_hold_the_filter(lens_of_3):
    lens(lens_of_3).locator("canvas").first.click(button="right", position={"x": 100, "y": 100})
    expect(lens(lens_of_3).locator(".digitlab-lens-words")).to_contain_text("A click holds it.")
    lens_of_3.keyboard.press("Escape")


@pytest.mark.parametrize(
    "place",
    [
        ".digitlab-slope input",
        ".digitlab-slope select",
        ".digitlab-lens input[type=range]",
        ".digitlab-lens select",
        ".digitlab-lens canvas",
    ],
)
def test_ctrl_s_saves_the_notebook_from_there(page, place):
    run_cell(page, "print('changed')")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for()
    page.locator(place).first.focus()
    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")


def test_the_lens_shows_a_networks_filters_of_5_x_5_and_another_digit(page):
    recognizer = Recognizer.load()
    weights, _ = recognizer.filters()
    words = lens(page).locator(".digitlab-lens-words")
    lens(page).locator("select").select_option(label="filter 3 of the network")
    lens(page).locator("input[type=range]").first.fill("10")
    lens(page).locator("input[type=range]").nth(1).fill("8")
    expect(words).to_contain_text(told(prepare(Ink.example(4)), weights[:, :, 2], 10, 8))
    run_cell(page, "lens.show(Ink.example(2))")
    expect(words).to_contain_text(told(prepare(Ink.example(2)), weights[:, :, 2], 10, 8))
    run_cell(page, "lens.show(Ink.example(4))")
    expect(words).to_contain_text(told(prepare(Ink.example(4)), weights[:, :, 2], 10, 8))


def slope(page):
    return page.locator(".digitlab-slope")


def row(page, name):
    return slope(page).locator(".digitlab-slope-words > div", has_text=name).last.locator("span")


def test_steps_go_down_the_slope_and_one_that_leaves_says_where_to(page):
    slope(page).scroll_into_view_if_needed()
    press = slope(page).get_by_role("button", name="Back to the start").click
    press()
    slope(page).locator("select").select_option(label="right: 0.25")
    # The loss is (weight - 1) squared, so its slope is 2 (weight - 1): 4 at the start.
    expect(row(page, "slope")).to_have_text("4.000: down is to the left")
    expect(row(page, "step")).to_have_text("−0.25 × 4.000 = −1.00")
    slope(page).get_by_role("button", name="Step", exact=True).click()
    expect(row(page, "loss")).to_have_text("1.00")
    slope(page).get_by_role("button", name="Ten steps").click()
    expect(row(page, "slope")).to_contain_text("flat")
    expect(slope(page)).to_contain_text("11 steps so far.")
    run_cell(page, "print([round(weight, 2) for weight in slope.history[:4]])")
    expect(page.get_by_text("[3.0, 2.0, 1.5, 1.25]", exact=True)).to_be_visible()
    press()
    slope(page).locator("select").select_option(label="too large: 3")
    slope(page).get_by_role("button", name="Step", exact=True).click()
    expect(slope(page).locator("text.digitlab-slope-beyond")).to_have_text("to −9.00")
    press()
    slope(page).locator("input[type=range]").fill("0")
    expect(row(page, "slope")).to_have_text("−2.000: down is to the right")


def knobs(page):
    return page.locator(".digitlab-knobs")


def press_arrows(page, slider):
    """Press the left arrow twice and the right arrow once, and check that no section of the notebook is folded."""
    slider.scroll_into_view_if_needed()
    slider.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    expect(slider).to_be_focused()
    expect(slider).to_be_visible()
    expect(page.locator(".jp-Notebook .jp-mod-rendered .jp-collapseHeadingButton.jp-mod-collapsed")).to_have_count(0)
    expect(page.get_by_text(re.compile(r"\d+ cells? hidden"))).to_have_count(0)


def test_arrow_keys_move_the_slider_of_the_slope(page):
    slope(page).get_by_role("button", name="Back to the start").click()
    slider = slope(page).locator("input[type=range]")
    press_arrows(page, slider)
    expect(slider).to_have_value("2.99")


@pytest.mark.parametrize("number", [0, 1], ids=["row", "column"])
def test_arrow_keys_move_the_sliders_of_the_lens(lens_of_3, number):
    page = lens_of_3
    for other in (0, 1):
        lens(page).locator("input[type=range]").nth(other).fill("12")
    press_arrows(page, lens(page).locator("input[type=range]").nth(number))
    place = {0: "Row 11, column 12", 1: "Row 12, column 11"}[number]
    expect(lens(page).locator(".digitlab-lens-words")).to_contain_text(place)


@pytest.mark.parametrize(("number", "text"), [(0, "30%"), (1, "65"), (3, "17")], ids=["size", "right", "pen width"])
def test_arrow_keys_move_the_sliders_of_the_knobs(page, number, text):
    press_arrows(page, knobs(page).locator(".noUi-handle").nth(number))
    expect(knobs(page).locator(".widget-readout").nth(number)).to_have_text(text)


def test_what_one_turns_and_what_it_reads_are_on_the_screen_together(page):
    widget = knobs(page)
    widget.scroll_into_view_if_needed()
    page.screenshot(path=picture_path("knobs.png"))
    check_it_fits(page, widget)
    controls, answer = widget.locator(".widget-slider").first, widget.locator(".digitlab-answer")
    left, right = controls.bounding_box(), answer.bounding_box()
    assert left["x"] + left["width"] <= right["x"]
    assert right["y"] <= left["y"] <= right["y"] + right["height"]


@pytest.mark.parametrize("kind", ["lens", "slope"])
def test_lens_and_slope_fit_on_the_screen(page, kind):
    widget = {"lens": lens, "slope": slope}[kind](page)
    widget.scroll_into_view_if_needed()
    page.screenshot(path=picture_path(f"{kind}.png"))
    check_it_fits(page, widget)
    for width in (820, 500):
        resize(page, width, 1400)
        page.wait_for_timeout(500)  # Until the page is laid out again.
        widget.scroll_into_view_if_needed()
        page.screenshot(path=picture_path(f"{kind}-{width}.png"))
        check_it_fits(page, widget)


def test_a_curve_below_0_is_inside_its_picture(page):
    run_cell(page, "Slope(lambda weight: (weight - 1) ** 2 - 5, low=-2, high=4, start=3, rates=rates)")
    expect(slope(page)).to_have_count(2)
    axes, curve = (
        slope(page).last.locator(name).bounding_box() for name in (".digitlab-slope-axes path", ".digitlab-slope-curve")
    )
    assert axes["y"] < curve["y"]
    assert curve["y"] + curve["height"] < axes["y"] + axes["height"]
    run_cell(page, "print('ready')")
    expect(slope(page)).to_have_count(1)
