"""The figures of notebook 4, and digits at random sizes and places."""

import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from digitlab import Ink, figure
from digitlab.explore import scatter, scatter_images, study
from digitlab.ink import Drawing
from digitlab.metrics import wilson_interval
from digitlab.prepare import BOX, SIDE, crop

DRAWINGS = [Drawing(Ink.example(3), "3", writer, "pens") for writer in "aaaabbbbc"]
RIGHT = np.array([True, False, True, True, True, True, True, True, True])
SURE = np.repeat([0.6, 0.97], 5)
IS_RIGHT = np.array([True, True, False, False, False, True, True, True, True, True])

FIGURES = {
    "writers": lambda: study.writers(DRAWINGS, RIGHT, "title"),
    "calibration": lambda: study.calibration({"one": (SURE, IS_RIGHT), "two": (SURE, IS_RIGHT)}, [0, 0.9, 1], "title"),
    "occlusion": lambda: study.occlusion(np.eye(28, dtype=np.uint8) * 255, np.eye(23), "title"),
}


def texts_in(fig):
    return {text.get_text() for text in fig.findobj(plt.Text)}


@pytest.mark.parametrize("name", FIGURES)
def test_a_study_figure_is_displayed_once_with_words(name, shown):
    FIGURES[name]()
    assert len(shown) == 1
    shown[0].draw_without_rendering()
    assert shown[0].alt.startswith("title. ")
    assert min(text.get_fontsize() for text in shown[0].findobj(plt.Text) if text.get_text()) >= 12
    assert plt.get_fignums() == []


def test_writers_are_sorted_and_the_worse_ones_orange(shown):
    study.writers(DRAWINGS, RIGHT, "title")
    dots = shown[0].axes[0].collections[0]
    assert dots.get_offsets()[:, 1].tolist() == [0.75, 1, 1]
    orange = [tuple(colour) == colors.to_rgba(figure.ORANGE) for colour in dots.get_facecolors()]
    assert orange == [True, False, False]
    assert "2 are read without a mistake" in shown[0].alt


def test_writers_of_two_collections_are_two_people(shown):
    drawings = [Drawing(Ink.example(3), "3", "a", source) for source in ("pens", "tablets")]
    study.writers(drawings, [True, False], "title")
    assert "2 writers" in shown[0].alt


def test_calibration_shows_wrong_answers_beside_the_promise(shown):
    study.calibration({"one": (SURE, IS_RIGHT)}, [0, 0.5, 0.9, 1], "title")
    ax = shown[0].axes[0]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.6, 0])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["below 50 %", "50 to 90 %", "90 to 100 %"]
    assert {"60.0% of 5", "0.0% of 5"} <= texts_in(shown[0])
    assert "50 to 90 % sure: 60.0% of 5 wrong, 40.0% promised" in shown[0].alt


def test_calibration_of_few_answers_shows_what_the_colours_mean(shown):
    study.calibration({"one": (SURE[:2], IS_RIGHT[:2])}, [0, 0.5, 0.9, 1], "title")
    assert not shown[0].axes[0].patches
    assert [text.get_text() for text in shown[0].legends[0].get_texts()] == ["counted", "promised"]


def test_an_answer_that_is_quite_sure_is_in_the_last_group(shown):
    study.calibration({"one": (np.ones(5), np.array([True] * 4 + [False]))}, [0, 0.9, 1], "title")
    assert "20.0% of 5 wrong, 0.0% promised" in shown[0].alt


def test_the_line_of_the_promise_stands_where_it_was_made(shown):
    study.calibration({"one": (np.full(5, 0.6), np.array([True] * 5))}, [0, 0.9, 1], "title")
    (line,) = shown[0].axes[0].collections
    assert line.get_segments()[0][:, 0] == pytest.approx(0.4)


def test_the_interval_of_a_writer_is_that_of_the_right_drawings(shown):
    study.writers([Drawing(Ink.example(7), "7", "a")] * 10, np.array([True] * 9 + [False]), "title")
    assert shown[0].axes[0].lines[0].get_ydata() == pytest.approx(wilson_interval(9, 10))


def test_the_outline_on_the_occlusion_map_stands_at_the_squares_corners(shown):
    image = np.zeros((28, 28), np.uint8)
    image[10:18, 10:18] = 255
    study.occlusion(image, np.zeros((23, 23)), "title")
    (outline,) = (paths[0] for one in shown[0].axes[1].collections if (paths := one.get_paths()))
    assert outline.vertices.mean(axis=0) == pytest.approx([13.5 - 2.5] * 2, abs=0.6)


def test_the_occlusion_map_is_numbered_as_the_losses_are(shown):
    losses = np.zeros((23, 23))
    losses[4, 12] = 1
    study.occlusion(np.zeros((28, 28), np.uint8), losses, "title")
    ax_map = shown[0].axes[1]
    assert list(ax_map.images[0].get_extent()) == [-0.5, 22.5, 22.5, -0.5]
    assert [ax.get_xlabel() for ax in shown[0].axes[:2]] == ["column", "column of the square's corner"]
    assert "row 4: 0 0 0 100 0 0" in shown[0].alt


def test_a_scattered_ink_stays_on_the_canvas_at_many_sizes():
    rng = np.random.default_rng(0)
    boxes = [crop(scatter(Ink.example(digit), rng).render()).shape for digit in range(10) for _ in range(10)]
    longer = [max(box) for box in boxes]
    assert min(longer) < 110
    assert max(longer) > 190
    for digit in range(10):
        points = np.concatenate(scatter(Ink.example(digit), rng).strokes)
        assert points.min() >= 9
        assert points.max() <= 271


def test_scattered_images_keep_their_digit_smaller_and_moved():
    images = np.zeros((200, SIDE, SIDE), np.uint8)
    images[:, 4 : 4 + BOX, 9:19] = 255
    scattered = scatter_images(images, np.random.default_rng(0))
    sizes = np.array([crop(image).shape for image in scattered])
    assert sizes[:, 0].min() == pytest.approx(0.35 * BOX, abs=1)
    assert sizes[:, 0].max() == BOX
    assert np.abs(sizes[:, 0] / sizes[:, 1] - 2).max() <= 0.4
    first_rows = [np.flatnonzero(image.any(axis=1))[0] for image in scattered]
    assert min(first_rows) == 0
    first_columns = [np.flatnonzero(image.any(axis=0))[0] for image in scattered]
    assert min(first_columns) == 0
    assert max(first_columns) > SIDE - 9
    assert max(first_rows) > 14
