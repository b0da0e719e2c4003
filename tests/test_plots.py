"""The figures of the notebooks: what they show and say, not how their pixels look."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from digitlab import figure, plots

rng = np.random.default_rng(0)
images = rng.integers(0, 256, (4, 28, 28), dtype=np.uint8)
probabilities = rng.dirichlet(np.ones(10), 4)


def make_layer(name, *shape):
    """Return what a figure needs to know about a Keras layer: its class name and its output shape."""
    return type(name, (), {"output": SimpleNamespace(shape=(None, *shape))})()


NETWORK = SimpleNamespace(
    input_shape=(None, 28, 28, 1),
    layers=[make_layer("Conv2D", 26, 26, 16), make_layer("Dropout", 26, 26, 16), make_layer("Dense", 10)],
)

FIGURES = {
    "layers": lambda: plots.layers(NETWORK, "title"),
    "digits": lambda: plots.digits(images, "title"),
    "digits with captions": lambda: plots.digits(images, "title", ["a", "b\nc", "d", "e"], columns=3),
    "a blank digit": lambda: plots.digits([np.zeros((28, 28))], "title"),
    "wall": lambda: plots.wall(images, "title", columns=3),
    "signed": lambda: plots.signed([[[-1, 0], [0, 2]]] * 3, "title", ["a", "b", "c"], columns=2),
    "magnify": lambda: plots.magnify(images[0], (4, 13), (11, 23), "title"),
    "bars": lambda: plots.bars([1200, 0, 7], ["a", "b", "c"], "title", "x", "y"),
    "shares": lambda: plots.bars([0.5, 1.0], ["a", "b"], "title", "x", "y", share=True),
    "readings": lambda: plots.readings(images, probabilities, "title", ["a", "b", "c", "d"]),
    "one reading": lambda: plots.readings(images[:1], probabilities[:1], "title"),
    "confusion": lambda: plots.confusion(np.diag(range(10)) + np.eye(10, k=1, dtype=int), "title"),
    "confusion without a mistake": lambda: plots.confusion(np.eye(10, dtype=int), "title"),
    "steps": lambda: plots.steps({"canvas": np.zeros((280, 300), np.uint8), "28": images[0]}, "title"),
    "curves": lambda: plots.curves({"learnt": [0.5, 0.9], "held back": [0.4, 0.6]}, "title", "x", "y", share=True),
    "measured": lambda: plots.measured(images, np.full((4, 2), 14.5), "title"),
}


def texts_in(fig):
    return {text.get_text() for text in fig.findobj(plt.Text)}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_displayed_once_and_then_closed(name, shown):
    assert FIGURES[name]() is None
    assert len(shown) == 1
    assert shown[0].get_suptitle() == "title"
    shown[0].draw_without_rendering()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", FIGURES)
def test_the_alternative_text_of_a_figure_starts_with_its_title(name, shown):
    FIGURES[name]()
    assert shown[0].alt.startswith("title")


def test_the_alternative_text_says_what_the_figure_shows(shown):
    plots.digits(images[:2], "Two digits", ["a 3,\n40% sure", "a 4"])
    plots.readings(images[:1], [[0, 0, 0.2, 0.8, 0, 0, 0, 0, 0, 0]], "An answer", ["a 5"])
    plots.readings(images[:1], [[0, 0, 0.2, 0.8, 0, 0, 0, 0, 0, 0]], "An answer")
    plots.bars([0.5, 1.0], ["now", "then"], "Shares", "x", "y", share=True)
    plots.layers(NETWORK, "A way")
    counts = np.diag(range(10))
    counts[1, 4] = 2
    plots.confusion(counts, "Mixed")
    plots.curves({"learnt": [0.5, 0.7, 1.0], "held back": [0.4, 0.6, 0.6]}, "Rising", "x", "y", share=True)
    box = np.zeros((28, 28), np.uint8)
    box[4:24, 10:16] = 255
    plots.measured([box], [(13.0, 14.0)], "Where?")
    plots.steps({"canvas": box, "all ink": box[4:24, 10:16]}, "How?")
    assert [fig.alt for fig in shown] == [
        "Two digits. a 3, 40% sure; a 4",
        "An answer. a 5, read as 3, 80% sure, before 2 with 20%",
        "An answer. read as 3, 80% sure, before 2 with 20%",
        "Shares. now: 50%; then: 100%",
        "A way. 28 x 28 x 1; convolution 26 x 26 x 16; dense 10",
        "Mixed. a table of 10 rows and 10 columns: 45 of 47 on its diagonal; "
        "beside it, the largest first: 2 times a 1 read as a 4",
        "Rising. learnt: 50%, 70%, 100%; held back: 40%, 60%, 60%",
        "Where? a box of 6 x 20, the centre of mass at x 13.0, y 14.0",
        "How? canvas: 28 x 28 pixels, ink in rows 4 to 23 and columns 10 to 15; all ink: 6 x 20 pixels",
    ]


def test_digits_with_a_span_share_one_grey_scale(shown):
    faint = np.full((28, 28), 10)
    faint[0, 0] = 20
    plots.digits([faint], "title")
    plots.digits([faint], "title", span=(0, 255))
    assert [fig.axes[0].images[0].get_clim() for fig in shown] == [(10, 20), (0, 255)]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_does_not_change_the_readers_settings(name, shown):
    before = dict(plt.rcParams)
    FIGURES[name]()
    assert dict(plt.rcParams) == before


def test_no_text_is_smaller_than_12_points(shown):
    for draw in FIGURES.values():
        draw()
    for fig in shown:
        assert min(text.get_fontsize() for text in fig.findobj(plt.Text) if text.get_text()) >= 12


def contrast_on_white(colour):
    """Return the contrast ratio of a colour on white, 1 to 21, as WCAG 2 defines it."""
    channels = np.array(colors.to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


@pytest.mark.parametrize("name", FIGURES)
def test_the_contrast_of_text_on_white_is_at_least_4_5(name, shown):
    FIGURES[name]()
    used = {text.get_color() for text in shown[0].findobj(plt.Text) if text.get_text()} - {"white"}
    assert used
    assert {colour: contrast_on_white(colour) for colour in used if contrast_on_white(colour) < 4.5} == {}


@pytest.mark.parametrize("show", [plots.digits, plots.signed, plots.wall])
def test_no_images_are_refused_in_a_sentence(show):
    with pytest.raises(ValueError, match="There are no images to show"):
        show(np.zeros((0, 28, 28)), "title")


@pytest.mark.parametrize("show", [plots.digits, plots.signed])
def test_captions_may_be_an_array(show, shown):
    show(np.zeros((2, 28, 28)), "title", np.array([7, 3]))
    assert [ax.get_title() for ax in shown[0].axes][:2] == ["7", "3"]


def test_bars_of_the_same_name_stand_side_by_side(shown):
    plots.bars([1, 2], ["a", "a"], "title", "x", "y")
    assert len({bar.get_x() for bar in shown[0].axes[0].patches}) == 2


def test_a_figure_that_fails_is_closed_too(shown):
    with pytest.raises(ValueError, match="shorter"):
        plots.readings(images, probabilities[:2], "title")
    assert plt.get_fignums() == []
    assert shown == []


def test_a_wall_shows_the_images_row_by_row(shown):
    plots.wall(images, "title", columns=2)
    tiles = shown[0].axes[0].images[0].get_array()
    assert tiles.shape == (56, 56)
    assert (tiles[28:, :28] == images[2]).all()


def test_signed_images_share_one_scale_with_zero_in_its_middle(shown):
    plots.signed([np.array([[-3.0, 0]]), np.array([[1.0, 2]])], "title")
    pictures = [ax.images[0] for ax in shown[0].axes[:2]]
    assert [picture.get_clim() for picture in pictures] == [(-3, 3), (-3, 3)]
    assert colors.to_hex(pictures[0].to_rgba(0.0)) in ("#ffffff", "#fefefe", "#fefeff", "#fffefe")
    assert "the scale goes from -3 to 3" in shown[0].alt


def test_the_words_for_signed_images_say_where_they_are_above_and_below_0(shown):
    ring = np.zeros((9, 9))
    ring[:, :3] = 1
    ring[4, 0] = 2
    ring[4, 4] = -0.5
    plots.signed([ring, np.zeros((9, 9)), np.array([[-1, 0], [0, 2.5]])], "Signs", ["ring", "nothing", "small"])
    assert shown[0].alt.startswith(
        "Signs. ring: above 0 left, upper left, lower left, most at row 4, column 0 (2); "
        "below 0 middle, most at row 4, column 4 (-0.5); nothing: all 0; small: -1 0, 0 2.5;"
    )


def test_magnify_shows_the_value_of_each_pixel(shown):
    plots.magnify(images[0], (4, 6), (11, 14), "title")
    assert {str(value) for value in images[0][4:6, 11:14].flat} <= texts_in(shown[0])
    assert shown[0].axes[0].patches[0].get_bbox().bounds == (10.5, 3.5, 3, 2)
    image = np.zeros((28, 28), np.uint8)
    image[5, 13] = 255
    plots.magnify(image, (4, 6), (11, 14), "title")
    numbers = [(text.get_text(), text.get_position(), text.get_color()) for text in shown[1].axes[1].texts]
    assert ("255", (13, 5), "black") in numbers
    assert {colour for number, _, colour in numbers if number == "0"} == {"white"}


def test_confusion_writes_each_count_but_no_zeros(shown):
    matrix = np.diag(np.arange(100, 110))
    matrix[4, 9] = 37
    plots.confusion(matrix, "title")
    written = [text.get_text() for text in shown[0].axes[0].texts]
    assert sorted(written) == sorted([*(str(count) for count in range(100, 110)), "37"])


def test_confusion_has_a_row_for_each_digit_written(shown):
    matrix = np.diag(np.arange(100, 110))
    matrix[4, 9] = 37
    plots.confusion(matrix, "title")
    ax = shown[0].axes[0]
    assert [text.get_position() for text in ax.texts if text.get_text() == "37"] == [(9, 4)]
    assert ax.images[0].get_array()[4, 9] == 37
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("digit read", "digit written")
    assert shown[0].alt.endswith("beside it, the largest first: 37 times a 4 read as a 9")
    plots.confusion(np.eye(10, dtype=int), "title")
    assert shown[1].alt.endswith("10 of 10 on its diagonal; nothing beside it")


def test_readings_colour_the_digit_that_is_read_blue(shown):
    plots.readings(images[:1], [[0, 0, 0.2, 0.8, 0, 0, 0, 0, 0, 0]], "title")
    blue = [bar.get_facecolor() == colors.to_rgba(figure.BLUE) for bar in shown[0].axes[1].patches]
    assert blue == [digit == 3 for digit in range(10)]
    assert [bar.get_height() for bar in shown[0].axes[1].patches] == [0, 0, 0.2, 0.8, 0, 0, 0, 0, 0, 0]


def test_curves_begin_with_the_first_epoch(shown):
    plots.curves({"learnt": [0.5, 0.9]}, "title", "epoch", "y")
    assert list(shown[0].axes[0].lines[0].get_xdata()) == [1, 2]


def test_the_marked_bars_are_orange(shown):
    plots.bars([1, 2, 3], ["a", "b", "c"], "title", "x", "y", marked=[1])
    orange = [bar.get_facecolor() == colors.to_rgba(figure.ORANGE) for bar in shown[0].axes[0].patches]
    assert orange == [False, True, False]


def test_the_centre_of_mass_is_marked_where_it_is(shown):
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:16] = 255
    plots.measured([image], [(13.0, 14.0)], "title")
    assert shown[0].axes[0].lines[0].get_xydata().tolist() == [[13, 14]]


def test_a_step_keeps_the_shape_of_the_canvas(shown):
    plots.steps({"canvas": np.zeros((280, 300), np.uint8)}, "title")
    assert list(shown[0].axes[0].images[0].get_extent()) == [0, 300, 280, 0]


def test_figures_need_no_tensorflow():
    code = "import sys; import digitlab.plots; print({'keras', 'tensorflow'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"
