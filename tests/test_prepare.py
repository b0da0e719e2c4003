"""From a drawing to what the network sees, step by step."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.ink import Ink
from digitlab.prepare import (
    BOX,
    MIDDLE,
    PEN,
    centre,
    centre_of_mass,
    crop,
    fit,
    network_input,
    normalize_stroke_width,
    prepare,
    render,
    shrink,
)

DRAWINGS = [Ink.example(digit) for digit in range(10)]
KINDS = [pytest.param(lambda ink: ink, id="ink"), pytest.param(Ink.render, id="image")]


def box_of(drawing):
    """Width and height of the ink."""
    if isinstance(drawing, Ink):
        points = np.concatenate(drawing.strokes)
        return points.max(axis=0) - points.min(axis=0)
    rows, columns = np.nonzero(drawing)
    return np.array([np.ptp(columns) + 1, np.ptp(rows) + 1])


@pytest.mark.parametrize("kind", KINDS)
def test_crop_leaves_the_ink_and_nothing_around_it(kind):
    for ink in DRAWINGS:
        drawing = kind(ink)
        cropped = crop(drawing)
        assert np.allclose(box_of(cropped), box_of(drawing))
        size = cropped.size if isinstance(cropped, Ink) else cropped.shape[::-1]
        assert np.allclose(size, box_of(drawing))


@pytest.mark.parametrize("kind", KINDS)
def test_fit_fills_the_box_and_keeps_the_aspect(kind):
    for ink in DRAWINGS:
        cropped = crop(kind(ink))
        width, height = box_of(fit(cropped)) + (PEN if isinstance(cropped, Ink) else 0)
        assert max(width, height) == pytest.approx(BOX)
        if isinstance(cropped, Ink):
            assert (width - PEN) / (height - PEN) == pytest.approx(cropped.size[0] / cropped.size[1])
        else:
            assert abs(width / height - cropped.shape[1] / cropped.shape[0]) < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_centre_puts_the_centre_of_mass_in_the_middle(kind):
    for ink in DRAWINGS:
        centred = centre(fit(crop(kind(ink))))
        tolerance = 1e-9 if isinstance(centred, Ink) else 0.51  # Images move by whole pixels.
        assert np.abs(centre_of_mass(centred) - MIDDLE).max() <= tolerance


def test_the_centre_of_mass_of_an_ink_is_that_of_its_picture():
    for ink in DRAWINGS:
        fitted = fit(crop(ink))
        # What is drawn twice, as where a 0 closes, weighs twice in an ink and once in its picture.
        assert np.abs(centre_of_mass(fitted) - centre_of_mass(render(fitted))).max() < 0.5


def test_prepare_is_these_steps_in_a_row():
    for ink in DRAWINGS:
        assert np.array_equal(prepare(ink), render(centre(fit(crop(ink)))))


@pytest.mark.parametrize("kind", KINDS)
def test_prepare_gives_28_by_28_pixels_of_which_mnist_fills_20(kind):
    for ink in DRAWINGS:
        image = prepare(kind(ink))
        assert image.shape == (28, 28)
        assert image.dtype == np.uint8
        assert image.max() > 200
        assert max(box_of(image)) <= 22


def test_a_digit_of_mnist_hardly_changes_for_it_was_made_this_way(mnist):
    images = mnist[1][0][:1000]
    changed = [not np.array_equal(prepare(image), image) for image in images]
    assert np.mean(changed) < 0.1


@pytest.mark.parametrize("scale", [0.15, 0.5, 1.5])
@pytest.mark.parametrize("shift", [(0, 0), (-30, 55), (1000, -1000)])
def test_size_and_place_of_an_ink_make_no_difference(scale, shift):
    for ink in DRAWINGS:
        moved = Ink([stroke * scale + shift for stroke in ink.strokes], ink.size)
        difference = np.abs(prepare(moved).astype(int) - prepare(ink))
        assert difference.max() <= 8  # Rounding of points to sixteenths of a pixel.


def test_a_dot_and_straight_lines_are_drawings_too():
    for strokes in ([[(140, 140)]], [[(10, 140), (200, 140)]], [[(140, 10), (140, 200)]], [[(3, 3), (3, 3)]]):
        image = prepare(Ink(strokes))
        assert image.max() > 200
        assert np.abs(centre_of_mass(image) - MIDDLE).max() < 0.2
    one_pixel = np.zeros((50, 50), np.uint8)
    one_pixel[4, 7] = 255
    assert prepare(one_pixel).any()


def test_an_empty_drawing_is_black():
    assert not prepare(Ink()).any()
    assert not prepare(np.zeros((280, 280), np.uint8)).any()


def test_network_input_is_scaled_to_one_and_has_one_channel():
    x = network_input(np.array([[[0, 255], [51, 0]]], np.uint8))
    assert x.dtype == np.float32
    assert x.shape == (1, 2, 2, 1)
    assert x.ravel().tolist() == pytest.approx([0, 1, 0.2, 0])


IMAGE = Ink.example(5).render()


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (IMAGE / 255, ValueError, r"must be uint8, 0 to 255, not float64; turn it with \(image \* 255\)"),
        (IMAGE.astype(np.float32), ValueError, r"not float32; turn it with image\.round"),
        (IMAGE > 0, ValueError, r"not bool; turn it with \(image \* 255\)"),
        (np.full((28, 28), np.nan), ValueError, "NaN or infinite"),
        (np.dstack([IMAGE] * 3), ValueError, r"colours \(shape \(280, 280, 3\)\).*cvtColor"),
        (np.dstack([IMAGE] * 4), ValueError, "colours"),
        (IMAGE[np.newaxis], ValueError, r"shape \(h, w\), not \(1, 280, 280\); for several use predict_many"),
        (IMAGE[0], ValueError, r"shape \(h, w\), not \(280,\)"),
        (np.zeros((0, 28), np.uint8), ValueError, r"not \(0, 28\)"),
        (IMAGE.tolist(), TypeError, "an Ink or a NumPy array.*not list"),
        (None, TypeError, "not NoneType"),
    ],
)
def test_what_is_no_drawing_is_told_with_its_remedy(image, error, message):
    with pytest.raises(error, match=message):
        prepare(image)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pen", [1, 2, 6, 12, 24, 36])
def test_a_bitmap_looks_like_its_strokes_whatever_pen_drew_it(digit, pen):
    ink = Ink.example(digit)
    from_pixels, from_strokes = prepare(ink.render(pen)).astype(int), prepare(ink).astype(int)
    assert abs(from_pixels.sum() / from_strokes.sum() - 1) < 0.25
    # Which pixels are ink at all: nearly the same, or beside each other.
    near = cv2.dilate(prepare(ink), np.ones((3, 3), np.uint8))
    assert (near[from_pixels > 127] > 127).mean() > 0.95


def test_an_even_pen_opens_a_loop_that_a_thick_pen_had_all_but_closed():
    ink = Ink([[(140 + 34 * np.cos(t), 140 + 34 * np.sin(t)) for t in np.linspace(0, 7, 40)]])
    thick = ink.render(60)
    assert fit(crop(thick))[8:12, 8:12].min() > 30
    assert fit(crop(normalize_stroke_width(thick)))[8:12, 8:12].max() == 0


def test_paper_that_is_not_quite_black_is_no_ink(recognizer):
    random = np.random.default_rng(0)
    for digit in range(10):
        paper = random.integers(0, 60, (280, 280))
        photo = np.clip(Ink.example(digit).render() * 0.7 + paper, 0, 255).astype(np.uint8)
        assert recognizer.predict(photo).probabilities.argmax() == digit


def test_what_cannot_be_measured_stays_as_it_is():
    small = cv2.resize(Ink.example(3).render(), (45, 45), interpolation=cv2.INTER_AREA)
    assert normalize_stroke_width(small) is small
    blot = np.zeros((280, 280), np.uint8)
    cv2.circle(blot, (140, 140), 60, 255, cv2.FILLED)
    assert normalize_stroke_width(blot) is blot


@given(
    st.integers(1, 60).flatmap(lambda h: st.integers(1, 60).map(lambda w: (h, w))),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1),
)
def test_any_image_at_all_becomes_a_picture(shape, seed, share):
    random = np.random.default_rng(seed)
    image = (random.integers(0, 256, shape) * (random.random(shape) < share)).astype(np.uint8)
    picture = prepare(np.kron(image, np.ones((3, 3), np.uint8)))
    assert picture.shape == (28, 28)
    assert picture.dtype == np.uint8


@given(st.integers(0, 9), st.integers(1, 40), st.integers(0, 120), st.integers(0, 120))
def test_a_bitmap_may_stand_anywhere(digit, pen, right, down):
    image = Ink.example(digit).render(pen)
    moved = np.zeros((420, 420), np.uint8)
    moved[down : down + 280, right : right + 280] = image
    assert np.array_equal(prepare(moved), prepare(image))


def test_shrinking_keeps_place_and_size():
    ink = Ink.example(7)
    assert np.array_equal(shrink(ink), cv2.resize(ink.render(), (28, 28), interpolation=cv2.INTER_AREA))
    assert np.array_equal(shrink(ink.render()), shrink(ink))
