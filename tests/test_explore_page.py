"""What one turns and looks into in the notebooks, in a real JupyterLab in a real browser."""

import nbformat
import pytest
from page import draw, open_notebook, pad, picture_path, run_all
from playwright.sync_api import expect

from digitlab.ink import Ink

CELLS = [
    """\
from digitlab.pad import DrawingPad
from digitlab.panels import InsidePanel
from digitlab.paths import MNIST_ONLY_NETWORK, SHIPPED_NETWORK

networks = {"plain": MNIST_ONLY_NETWORK, "ours": SHIPPED_NETWORK}
DrawingPad(networks=networks, panels=[InsidePanel()])""",
]

# The part of the notebook that can be seen.
VISIBLE = ".jp-NotebookPanel-notebook .jp-WindowedPanel-outer"


@pytest.fixture(scope="module")
def page(browser, lab):
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.home / "notebooks" / "explore.ipynb")
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = open_notebook(context, lab, "explore.ipynb")
    run_all(page)
    page.hand = "mouse"
    yield page
    context.close()


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
    visible, box = page.locator(VISIBLE).bounding_box(), locator.bounding_box()
    assert box["height"] <= visible["height"]
    assert box["x"] + box["width"] <= visible["x"] + visible["width"]
    assert locator.evaluate("element => element.scrollWidth <= element.clientWidth + 1")


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
    pen = page.locator(".digitlab-pen").first
    pen.hover()
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
    resize(page, 1366, 768)
