"""From a drawing to the image that the network sees, step by step."""

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
    """Return the width and height of the ink's bounding box."""
    if isinstance(drawing, Ink):
        points = np.concatenate(drawing.strokes)
        return points.max(axis=0) - points.min(axis=0)
    rows, columns = np.nonzero(drawing)
    return np.array([np.ptp(columns) + 1, np.ptp(rows) + 1])


@pytest.mark.parametrize("kind", KINDS)
def test_crop_removes_everything_around_the_ink(kind):
    for ink in DRAWINGS:
        drawing = kind(ink)
        cropped = crop(drawing)
        assert np.allclose(box_of(cropped), box_of(drawing))
        size = cropped.size if isinstance(cropped, Ink) else cropped.shape[::-1]
        assert np.allclose(size, box_of(drawing))


def test_the_box_of_a_dot_that_shook_is_not_smaller_than_that_of_a_dot():
    assert crop(Ink([[(140, 140), (140.3, 140.2)]])).size == (1, 1)


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


def test_an_ink_has_the_centre_of_mass_of_its_image():
    for ink in DRAWINGS:
        fitted = fit(crop(ink))
        # What is drawn twice, as where a 0 closes, counts twice in an ink and once in its image.
        assert np.abs(centre_of_mass(fitted) - centre_of_mass(render(fitted))).max() < 0.5


def test_prepare_is_these_steps_in_a_row():
    for ink in DRAWINGS:
        assert np.array_equal(prepare(ink), render(centre(fit(crop(ink)))))


@pytest.mark.parametrize("kind", KINDS)
def test_prepare_fills_20_of_28_pixels_as_mnist_does(kind):
    for ink in DRAWINGS:
        image = prepare(kind(ink))
        assert image.shape == (28, 28)
        assert image.dtype == np.uint8
        assert image.max() > 200
        assert max(box_of(image)) <= 22


def test_digits_of_mnist_hardly_change(mnist):
    images = mnist[1][0][:1000]
    changed = [not np.array_equal(prepare(image), image) for image in images]
    assert np.mean(changed) < 0.1


@pytest.mark.parametrize("scale", [0.15, 0.5, 1.5])
@pytest.mark.parametrize("shift", [(0, 0), (-30, 55), (1000, -1000)])
def test_size_and_position_of_an_ink_do_not_matter(scale, shift):
    for ink in DRAWINGS:
        moved = Ink([stroke * scale + shift for stroke in ink.strokes], ink.size)
        difference = np.abs(prepare(moved).astype(int) - prepare(ink))
        assert difference.max() <= 8  # Rounding of points to sixteenths of a pixel.


def test_dots_and_straight_lines_can_be_prepared():
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
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 0, :4] = 0, 255, 51, 0
    x = network_input(images)
    assert x.dtype == np.float32
    assert x.shape == (1, 28, 28, 1)
    assert x.ravel()[:5].tolist() == pytest.approx([0, 1, 0.2, 0, 0])


@pytest.mark.parametrize("images", [np.zeros((3, 28, 28, 1), np.float32), np.zeros((28, 28), np.uint8)])
def test_network_input_is_made_of_several_images_of_28_x_28(images):
    with pytest.raises(ValueError, match=r"of shape \(n, 28, 28\), not .* give \[image\]"):
        network_input(images)


def test_network_input_is_not_divided_twice():
    images = np.zeros((1, 28, 28))
    images[0, 14, 14] = 255
    assert network_input(images).max() == 1
    with pytest.raises(ValueError, match="0 to 1 already"):
        network_input(images / 255)


@pytest.mark.parametrize("change", [lambda image: image > 127, lambda image: image * 4, lambda image: -image])
def test_network_input_is_made_of_0_to_255(change):
    with pytest.raises(ValueError, match=r"from 0 \(black\) to 255"):
        network_input([change(np.eye(28, dtype=int) * 200)])


IMAGE = Ink.example(5).render()


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (IMAGE / 255, ValueError, r"must be uint8, 0 to 255, not float64; convert it with \(image \* 255\)"),
        (IMAGE.astype(np.float32), ValueError, r"not float32; convert it with image\.round"),
        (IMAGE * np.float32(1.5), ValueError, r"not float32; convert it with \(image \* \(255 / image\.max"),
        (255 - IMAGE, ValueError, "invert it with 255 - image"),
        (IMAGE > 0, ValueError, r"not bool; convert it with \(image \* 255\)"),
        (np.full((28, 28), np.nan), ValueError, "NaN or infinite"),
        (IMAGE / 127.5 - 1, ValueError, "negative values"),
        (IMAGE.astype(complex), ValueError, "must hold numbers.*not complex128"),
        (np.array([["7"]]), ValueError, "must hold numbers.*not <U1"),
        (np.dstack([IMAGE] * 3), ValueError, r"colours \(shape \(280, 280, 3\)\).*cvtColor"),
        (np.dstack([IMAGE] * 4), ValueError, "colours"),
        (IMAGE[np.newaxis], ValueError, r"shape \(h, w\), not \(1, 280, 280\); for several use predict_many"),
        (IMAGE[0], ValueError, r"shape \(h, w\), not \(280,\)"),
        (np.zeros((0, 28), np.uint8), ValueError, r"not \(0, 28\)"),
        (IMAGE.tolist(), TypeError, "an Ink or a NumPy array.*not list"),
        (None, TypeError, "not NoneType"),
    ],
)
def test_invalid_drawings_are_refused_with_a_remedy(image, error, message):
    with pytest.raises(error, match=message):
        prepare(image)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pen", [1, 2, 6, 12, 24, 36])
def test_an_image_is_prepared_like_its_strokes_for_any_pen(digit, pen):
    ink = Ink.example(digit)
    from_pixels, from_strokes = prepare(ink.render(pen)).astype(int), prepare(ink).astype(int)
    assert abs(from_pixels.sum() / from_strokes.sum() - 1) < 0.25
    # Nearly the same pixels are ink, or their neighbours.
    near = cv2.dilate(prepare(ink), np.ones((3, 3), np.uint8))
    assert (near[from_pixels > 127] > 127).mean() > 0.95


def test_normalizing_opens_a_loop_that_a_thick_pen_nearly_closed():
    ink = Ink([[(140 + 34 * np.cos(t), 140 + 34 * np.sin(t)) for t in np.linspace(0, 7, 40)]])
    thick = ink.render(60)
    assert fit(crop(thick))[8:12, 8:12].min() > 30
    assert fit(crop(normalize_stroke_width(thick)))[8:12, 8:12].max() == 0


def test_paper_that_is_not_quite_black_is_not_ink(recognizer):
    rng = np.random.default_rng(0)
    for digit in range(10):
        paper = rng.integers(0, 60, (280, 280))
        photo = np.clip(Ink.example(digit).render() * 0.7 + paper, 0, 255).astype(np.uint8)
        assert recognizer.predict(photo).probabilities.argmax() == digit


def test_images_that_cannot_be_measured_are_not_changed():
    small = cv2.resize(Ink.example(3).render(), (45, 45), interpolation=cv2.INTER_AREA)
    assert normalize_stroke_width(small) is small
    blot = np.zeros((280, 280), np.uint8)
    cv2.circle(blot, (140, 140), 60, 255, cv2.FILLED)
    assert normalize_stroke_width(blot) is blot


@pytest.mark.parametrize("pen", [1, 2, 24])
def test_normalized_strokes_have_a_black_margin(pen):
    for digit in range(10):
        image = normalize_stroke_width(Ink.example(digit).render(pen))
        assert not image[[0, -1]].any()
        assert not image[:, [0, -1]].any()


@given(
    st.integers(1, 60).flatmap(lambda h: st.integers(1, 60).map(lambda w: (h, w))),
    st.integers(0, 2**32 - 1),
    st.floats(0, 0.7),
    st.sampled_from([2, 4, 256]),
)
def test_any_image_with_a_dark_edge_can_be_prepared(shape, seed, share, values):
    rng = np.random.default_rng(seed)
    image = (rng.integers(0, values, shape) * (rng.random(shape) < share)).astype(np.uint8)
    image = np.pad(np.kron(image, np.ones((3, 3), np.uint8)), 1)
    prepared = prepare(image)
    assert prepared.shape == (28, 28)
    assert prepared.dtype == np.uint8


def test_faint_ink_is_prepared_like_bright_ink():
    image = (Ink.example(4).render() > 127).astype(np.uint8)
    assert np.array_equal(prepare(image), prepare(image * 255))
    small = cv2.resize(image, (30, 30), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(prepare(small * 3), prepare(small * 255))


@pytest.mark.parametrize("shape", [(30, 30), (2, 40_000), (40_000, 2)])
@pytest.mark.parametrize("value", [1, 255])
def test_two_pixels_far_apart_can_be_prepared(shape, value):
    image = np.zeros(shape, np.uint8)
    image[0, 0] = image[-1, -1] = value
    assert prepare(image).shape == (28, 28)


@pytest.mark.parametrize("size", [0.5, 1, 28, 10_000])
def test_the_size_of_the_canvas_does_not_matter(size):
    for ink in DRAWINGS:
        scaled = Ink([stroke * size / 280 for stroke in ink.strokes], (size, size))
        assert np.abs(prepare(scaled).astype(int) - prepare(ink)).max() <= 8


@given(st.integers(0, 9), st.integers(1, 40), st.integers(0, 120), st.integers(0, 120))
def test_the_position_of_a_digit_in_an_image_does_not_matter(digit, pen, right, down):
    image = Ink.example(digit).render(pen)
    moved = np.zeros((420, 420), np.uint8)
    moved[down : down + 280, right : right + 280] = image
    assert np.array_equal(prepare(moved), prepare(image))


def test_shrinking_keeps_position_and_size():
    ink = Ink.example(7)
    assert np.array_equal(shrink(ink), cv2.resize(ink.render(), (28, 28), interpolation=cv2.INTER_AREA))
    assert np.array_equal(shrink(ink.render()), shrink(ink))


def test_an_image_with_one_dark_side_is_still_black_on_white():
    image = 255 - Ink.example(5).render()
    image[:, :40] = 0  # As where a shadow falls on the paper.
    with pytest.raises(ValueError, match="invert it with 255 - image"):
        prepare(image)


def test_bright_sides_are_seen():
    image = 255 - Ink([[(20, 60), (20, 240)]], (40, 300)).render()
    image[[0, -1]] = 0
    with pytest.raises(ValueError, match="invert it with 255 - image"):
        prepare(image)


@pytest.mark.parametrize("paper", [100, 127, 128])
def test_dim_paper_is_black_on_white_too(paper):
    with pytest.raises(ValueError, match="invert it with 255 - image"):
        prepare(paper - (Ink.example(5).render() * (paper / 300)).astype(np.uint8))
