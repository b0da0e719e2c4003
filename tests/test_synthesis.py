"""Drawings made by code, and how digits are varied."""

import numpy as np
import pytest

from digitlab.ink import CANVAS, Ink
from digitlab.prepare import prepare
from digitlab.training.augment import augment
from digitlab.training.synthesis import DIGITS, LETTERS, SHAPES, draw_digit, draw_other


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_drawn_on_the_canvas_and_never_twice_alike(digit):
    random = np.random.default_rng(digit)
    pictures = []
    for _ in range(50):
        ink = draw_digit(digit, random)
        points = np.concatenate(ink.strokes)
        assert points.min() >= 0
        assert points.max() <= CANVAS
        assert np.ptp(points, axis=0).max() == pytest.approx(0.7 * CANVAS)
        pictures.append(prepare(ink).tobytes())
    assert len(set(pictures)) == 50


def test_the_same_seed_draws_the_same():
    one, other = (draw_digit(7, np.random.default_rng(5)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.strokes, other.strokes, strict=True))


def test_most_synthesised_digits_are_read_as_what_they_are_meant_to_be(recognizer):
    random = np.random.default_rng(12345)
    labels = np.arange(600) % 10
    predictions = recognizer.predict_many(draw_digit(label, random) for label in labels)
    right = [p.probabilities.argmax() == label for p, label in zip(predictions, labels, strict=True)]
    assert np.mean(right) > 0.95


def test_most_of_what_is_no_digit_is_told_from_digits(recognizer):
    random = np.random.default_rng(12345)
    predictions = recognizer.predict_many(draw_other(random) for _ in range(300))
    assert np.mean([prediction.digit is None for prediction in predictions]) > 0.95


def test_every_family_can_be_drawn():
    families = [family for digit in DIGITS.values() for family in digit] + LETTERS + SHAPES
    for family in families:
        for stroke in family.split("|"):
            assert len(stroke.split()) >= 2, family
    assert sorted(DIGITS) == list(range(10))
    assert all(len(set(families)) == len(families) >= 7 for families in DIGITS.values())


def test_varied_digits_are_the_same_digits_a_little_changed(mnist, recognizer):
    images, labels = (part[:500] for part in mnist[1])
    varied = augment(images, np.random.default_rng(0))
    assert varied.shape == images.shape
    assert varied.dtype == np.uint8
    assert not any(np.array_equal(a, b) for a, b in zip(varied, images, strict=True))
    x = varied[..., np.newaxis].astype(np.float32) / 255
    assert np.mean(recognizer.probabilities(x).argmax(axis=1) == labels) > 0.95


def test_without_strength_hardly_anything_is_varied(mnist):
    images = mnist[1][0][:20]
    assert np.array_equal(augment(images, np.random.default_rng(0), strength=0.0), images)


def test_an_ink_of_several_strokes_keeps_them():
    random = np.random.default_rng(0)
    assert {len(draw_digit(0, random).strokes) for _ in range(100)} == {1, 2}
    assert isinstance(draw_other(random), Ink)
