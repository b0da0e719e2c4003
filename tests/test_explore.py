"""What the notebooks let one turn and try by hand: the sliders of preparation, the lens, the slope."""

import math

import numpy as np
import pytest
from matplotlib import pyplot as plt

from digitlab import Ink, Recognizer, explore
from digitlab.explore import layers
from digitlab.paths import MNIST_ONLY_NETWORK, SHIPPED_NETWORK
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


@pytest.mark.parametrize("steps", [(), explore.STEPS])
def test_a_drawing_stays_on_its_canvas(steps):
    edge = explore.knob_image(SEVEN, 0.5, 1000, -1000, 18, steps)
    assert edge.any()
    assert np.array_equal(explore.knob_image(SEVEN, 0.5, 2000, -2000, 18, steps), edge)
    (right, down), size = np.concatenate(SEVEN.strokes).max(axis=0), SEVEN.size
    moved = explore.knob_image(SEVEN, 1, size[0] - right - 9, size[1] - down - 9, 18, steps)
    assert np.array_equal(explore.knob_image(SEVEN, 1, 110, 110, 18, steps), moved)


def test_a_drawing_stays_on_its_canvas_at_the_left_and_above_too():
    left, top = np.concatenate(SEVEN.strokes).min(axis=0)
    moved = explore.knob_image(SEVEN, 1, 9 - left, 9 - top, 18)
    assert np.array_equal(explore.knob_image(SEVEN, 1, -110, -110, 18), moved)


def test_without_the_step_fit_strokes_are_stretched():
    triangle = Ink([[(100, 20), (180, 20), (100, 260)]])
    rows, columns = np.nonzero(explore.knob_image(triangle, steps=("crop", "from strokes")) > 127)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (0, 27, 0, 27)


def test_each_slider_and_switch_changes_what_is_seen():
    knobs = explore.Knobs(Recognizer.load(MNIST_ONLY_NETWORK), SEVEN)
    assert len(knobs._sliders) == 4
    for slider in knobs._sliders.values():
        seen = knobs._canvas.value
        slider.value = slider.min if slider.value != slider.min else slider.max
        assert knobs._canvas.value != seen, slider.description
    assert len(knobs._switches) == len(explore.STEPS)
    for name, switch in knobs._switches.items():
        seen = knobs.image
        switch.value = True
        assert not np.array_equal(knobs.image, seen), name


def test_the_steps_together_change_the_answer():
    knobs = explore.Knobs(Recognizer.load(MNIST_ONLY_NETWORK), SEVEN)
    assert knobs.prediction.digit != 7
    for switch in knobs._switches.values():
        switch.value = True
    assert knobs.prediction.digit == 7
    assert repr(knobs).startswith("Knobs(7 ")
    assert plt.get_fignums() == []


# The lens and the slope

FILTER = [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]
IMAGE = prepare(SEVEN)


def loss(weight):
    return (weight - 1) ** 2


def texts(fig):
    return [text.get_text() for text in fig.findobj(plt.Text) if text.get_text()]


@pytest.mark.parametrize("side", [3, 5])
def test_the_feature_map_is_what_a_network_computes_before_relu(side):
    weights = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    sums = explore.feature_map(IMAGE, weights, bias=0.5)
    assert sums.shape == (29 - side, 29 - side)
    pixels = IMAGE[10 : 10 + side, 12 : 12 + side] / 255
    assert sums[10, 12] == pytest.approx((pixels * weights).sum() + 0.5, abs=1e-5)


def test_the_feature_map_of_a_networks_filter_is_its_first_layer():
    recognizer = Recognizer.load(MNIST_ONLY_NETWORK)
    weights, biases = recognizer.filters()
    maps = [explore.feature_map(IMAGE, weights[:, :, number], bias) for number, bias in enumerate(biases)]
    assert np.stack(maps, axis=-1) == pytest.approx(recognizer.layers(IMAGE)["convolution 1"], abs=1e-4)


def test_the_lens_offers_ones_own_filters_and_those_of_a_network():
    recognizer = Recognizer.load(MNIST_ONLY_NETWORK)
    lens = explore.Lens(IMAGE, {"mine": FILTER}, recognizer)
    assert [one["name"] for one in lens.filters][:3] == ["mine", "filter 1 of the network", "filter 2 of the network"]
    assert len(lens.filters) == 17
    assert lens.filters[0] == {"name": "mine", "weights": FILTER, "bias": 0.0}
    weights, biases = recognizer.filters()
    assert lens.filters[3]["weights"] == weights[:, :, 2].tolist()
    assert lens.filters[3]["bias"] == biases[2]


def test_the_lens_takes_the_filters_of_a_keras_model():
    from digitlab import network

    model = network.load(MNIST_ONLY_NETWORK)
    assert (
        explore.Lens(IMAGE, network=model).filters
        == explore.Lens(IMAGE, network=Recognizer.load(MNIST_ONLY_NETWORK)).filters
    )


def test_the_lens_takes_a_drawing_of_the_pad_and_shows_another():
    lens = explore.Lens(Ink(), {"mine": FILTER})
    assert lens.image == bytes(28 * 28)
    lens.show(SEVEN)
    assert lens.image == IMAGE.tobytes()


@pytest.mark.parametrize("weights", [[1, 2, 3], np.zeros((2, 3)), np.zeros((9, 9)), [[1]]])
def test_a_filter_that_is_no_small_square_is_refused(weights):
    with pytest.raises(ValueError, match="square of 2 to 7 numbers"):
        explore.Lens(IMAGE, {"mine": weights})


def test_a_lens_without_a_filter_says_what_to_do():
    with pytest.raises(ValueError, match=r'filters=\{"mine": my_filter\}'):
        explore.Lens(IMAGE)


@pytest.mark.parametrize("side", [3, 5])
def test_the_picture_of_the_lens_shows_each_number(shown, side):
    weights = np.random.default_rng(1).normal(size=(side, side))
    explore.lens_picture(IMAGE, weights, row=9, column=11, title="One place", bias=-0.25)
    pixels = IMAGE[9 : 9 + side, 11 : 11 + side] / 255
    total = (pixels * weights).sum() - 0.25
    numbers = [f"{value + 0.0:.2f}".replace("-", "−") for value in (pixels * weights).round(2).ravel()]
    assert set(numbers) <= set(texts(shown[0]))
    assert f"sum + bias −0.25: {total:.2f}; after ReLU {max(total, 0):.2f}".replace(": -", ": −") in shown[0].alt
    assert "it lands at row 9, column 11" in shown[0].alt
    for ax, size in ((shown[0].axes[0], side), (shown[0].axes[2], 1)):
        assert ax.patches[0].get_bbox().bounds == (10.5, 8.5, size, size)


def test_the_slope_offers_learning_rates_and_starts_where_it_is_told():
    slope = explore.Slope(loss, low=-2, high=4, start=3, rates={"small": 0.1, "large": 1})
    assert (slope.weight, slope.history, slope.rate) == (3, [3.0], 0.1)
    slope.chosen = 1
    assert slope.rate == 1
    # The curve is known as far again to both sides: a step may leave the picture.
    assert slope.losses[0] == loss(-8)
    assert slope.losses[-1] == loss(10)
    assert len(slope.losses) % 3 == 1


def test_who_sets_the_weight_begins_anew_from_there():
    slope = explore.Slope(loss, low=-2, high=4, start=3, rates={"small": 0.1})
    slope.set_state({"history": [3.0, 2.6], "weight": 2.6})
    assert slope.history == [3.0, 2.6]
    slope.weight = -1
    assert slope.history == [-1]


@pytest.mark.parametrize("start", [-3, 5, float("nan")])
def test_a_slope_does_not_start_outside_its_picture(start):
    with pytest.raises(ValueError, match="must be from -2 to 4"):
        explore.Slope(loss, low=-2, high=4, start=start, rates={"small": 0.1})
    with pytest.raises(ValueError, match="must be from -2 to 4"):
        explore.slope_picture(loss, low=-2, high=4, start=start, rates={"small": 0.1}, title="Steps")


def test_pixels_from_0_to_1_are_refused_with_a_remedy():
    with pytest.raises(ValueError, match="convert it with"):
        explore.feature_map(IMAGE / 255, np.ones((3, 3)))
    with pytest.raises(ValueError, match="convert it with"):
        explore.Lens(IMAGE / 255, {"mine": np.ones((3, 3))})


def test_a_curve_that_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="smaller than the largest"):
        explore.Slope(loss, low=1, high=1, start=1, rates={"one": 1})
    with pytest.raises(ValueError, match="learning rate"):
        explore.Slope(loss, low=0, high=1, start=1, rates={})
    with pytest.raises(ValueError, match="must be a number at each weight"):
        explore.Slope(lambda weight: float("nan"), low=0, high=1, start=1, rates={"one": 1})
    with pytest.raises(ValueError, match="Give at least one learning rate"):
        explore.slope_picture(loss, low=0, high=1, start=1, rates={}, title="None")


@pytest.mark.parametrize("log", [np.log, math.log])
def test_a_loss_need_not_be_known_outside_the_picture(log, recwarn):
    slope = explore.Slope(lambda share: -log(share), low=0.05, high=1, start=0.5, rates={"small": 0.1})
    inside = np.array(slope.losses)[400:801]
    assert np.allclose(inside, -np.log(np.linspace(0.05, 1, 401)))
    assert np.isfinite(slope.losses).all()
    assert slope.losses[0] == pytest.approx(max(slope.losses))
    assert slope.losses[-1] == pytest.approx(-np.log(1.95))
    assert not recwarn.list


def test_a_step_that_does_not_exist_is_told():
    for make in (explore.knob_image, lambda ink, steps: explore.Knobs(Recognizer.load(), ink, steps)):
        with pytest.raises(ValueError, match="There is no step 'center': the steps are 'crop'"):
            make(Ink.example(3), steps=["crop", "center"])


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (0, -1), (26, 0), (0, 26)])
def test_the_picture_of_the_lens_is_of_a_place_within_the_digit(row, column):
    with pytest.raises(ValueError, match="row and column are 0 to 25"):
        explore.lens_picture(IMAGE, np.ones((3, 3)), row, column, "Outside")


def test_a_filter_that_is_no_numbers_is_refused():
    filters = np.ones((3, 3)) * np.inf
    for make in (lambda: explore.Lens(IMAGE, {"mine": filters}), lambda: explore.feature_map(IMAGE, filters)):
        with pytest.raises(ValueError, match="has weights that are no numbers"):
            make()


def test_the_picture_of_the_slope_shows_the_steps_and_one_that_leaves(shown):
    explore.slope_picture(loss, low=-2, high=4, start=3, rates={"a": 0.25, "b": 2}, title="Steps", steps=3)
    # Each step goes to the weight minus learning rate times slope, which is 2 (weight - 1).
    assert "a, learning rate 0.25: from 3.00 through 2.00, 1.50, 1.25" in shown[0].alt
    assert "b, learning rate 2: from 3.00 through −5.00, out of the picture" in shown[0].alt.replace("-", "−")
    assert "to −5.0" in texts(shown[0])
    (arrow,) = (text for text in shown[0].axes[1].texts if text.get_text() == "to −5.0")
    assert arrow.get_position()[0] == -2


def test_a_loss_below_0_is_inside_its_picture(shown):
    explore.slope_picture(lambda weight: loss(weight) - 5, -2, 4, 3, {"a": 0.25}, title="Steps")
    low, high = shown[0].axes[0].get_ylim()
    assert low < -5
    assert high > loss(-2) - 5


@pytest.mark.parametrize("path", [MNIST_ONLY_NETWORK, SHIPPED_NETWORK], ids=["MNIST only", "shipped"])
def test_the_picture_of_the_inside_names_each_layer(shown, path):
    recognizer = Recognizer.load(path)
    explore.inside_picture(recognizer, IMAGE, "Inside")
    for name, value in recognizer.layers(IMAGE).items():
        assert any(text.startswith(name) for text in texts(shown[0])), name
        assert name == "pixels" or name in shown[0].alt
        assert value.ndim in (1, 2, 3)
    assert "answer: 7" in shown[0].alt


def test_the_picture_of_the_inside_begins_with_0_and_shows_each_map_beside_the_last(shown):
    explore.inside_picture(Recognizer.load(MNIST_ONLY_NETWORK), IMAGE, "Inside")
    (answer,) = (ax for ax in shown[0].axes if ax.get_title() == "answer")
    assert answer.yaxis_inverted()
    maps = np.arange(4.0) * np.ones((2, 2, 1))
    assert layers._side_by_side(maps)[0, ::3].tolist()[:3] == [0, 1, 2]
