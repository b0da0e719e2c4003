"""What the notebooks let one turn by hand: the sliders of preparation."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from digitlab import Ink, Recognizer, explore
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.prepare import MIDDLE, centre_of_mass, prepare, shrink

SEVEN = Ink.example(7)
POSITIONS = [(1, 0, 0, 18), (0.35, 70, 60, 18), (0.35, -80, -60, 18), (0.7, 0, 40, 6), (0.5, -50, 50, 32)]


@pytest.mark.parametrize("position", POSITIONS)
def test_no_steps_shrink_the_canvas_and_all_steps_prepare_the_drawing(position):
    size, right, down, pen = position
    moved = Ink([(stroke - 140) * size + 140 + (right, down) for stroke in SEVEN.strokes])
    assert np.array_equal(explore.knob_image(SEVEN, *position), shrink(moved.render(pen)))
    assert np.array_equal(explore.knob_image(SEVEN, *position, explore.STEPS), prepare(moved))


@pytest.mark.parametrize("strokes", [(), ("from strokes",)])
def test_the_step_centre_moves_the_mass_and_not_the_box_to_the_middle(strokes):
    boxed = explore.knob_image(SEVEN, 0.5, 60, 60, 18, ("crop", "fit", *strokes))
    rows, columns = (np.flatnonzero(boxed.any(axis=axis)) for axis in (1, 0))
    assert [rows.mean(), columns.mean()] == pytest.approx([13.5, 13.5], abs=1)
    centred = explore.knob_image(SEVEN, 0.5, 60, 60, 18, ("crop", "fit", "centre", *strokes))
    assert centre_of_mass(centred) == pytest.approx([MIDDLE, MIDDLE], abs=0.8)


def test_a_drawing_moved_off_its_canvas_gives_a_black_image():
    assert not explore.knob_image(SEVEN, 1, 1000, 0, 18, explore.STEPS).any()


def test_each_slider_and_switch_changes_the_answer():
    knobs = explore.Knobs(Recognizer.load(MNIST_ONLY_NETWORK), SEVEN)
    assert knobs.prediction.digit != 7
    for switch in knobs._switches.values():
        switch.value = True
    assert knobs.prediction.digit == 7
    assert repr(knobs).startswith("Knobs(7 ")
    before = knobs._canvas.value
    knobs._sliders["down"].value = 0
    assert knobs._canvas.value != before
    assert plt.get_fignums() == []
