"""Drawings made by code, and how training images are augmented."""

import cv2
import numpy as np
import pytest

from digitlab.ink import CANVAS, Ink
from digitlab.prepare import prepare
from digitlab.training import synthesis
from digitlab.training.augment import augment
from digitlab.training.synthesis import draw_digit, draw_other, read_families


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_fits_the_canvas_and_is_never_drawn_twice_alike(digit):
    rng = np.random.default_rng(digit)
    images = []
    for _ in range(50):
        ink = draw_digit(digit, rng)
        points = np.concatenate(ink.strokes)
        assert points.min() >= 0
        assert points.max() <= CANVAS
        assert np.ptp(points, axis=0).max() == pytest.approx(0.7 * CANVAS)
        images.append(prepare(ink).tobytes())
    assert len(set(images)) == 50


def test_the_same_seed_draws_the_same_digit():
    one, other = (draw_digit(7, np.random.default_rng(5)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.strokes, other.strokes, strict=True))


def test_most_drawn_digits_are_read_as_their_label(recognizer):
    rng = np.random.default_rng(12345)
    labels = np.arange(600) % 10
    predictions = recognizer.predict_many(draw_digit(label, rng) for label in labels)
    right = [p.probabilities.argmax() == label for p, label in zip(predictions, labels, strict=True)]
    assert np.mean(right) > 0.95


def test_most_other_drawings_are_not_read_as_digits(recognizer):
    rng = np.random.default_rng(12345)
    predictions = recognizer.predict_many(draw_other(rng) for _ in range(300))
    assert np.mean([prediction.digit is None for prediction in predictions]) > 0.95


def test_every_family_has_a_name_and_strokes_of_two_points_or_more():
    families = read_families()
    assert list(families) == [*"0123456789", "letters", "shapes"]
    for group, strokes_of in families.items():
        assert len(strokes_of) >= 7, group
        for name, strokes in strokes_of.items():
            assert name.strip()
            assert all(len(stroke) >= 2 for stroke in strokes), name


def test_each_family_of_a_group_is_different():
    for group in read_families().values():
        assert len({str(strokes) for strokes in group.values()}) == len(group)


def test_the_file_of_families_is_read_as_it_says(tmp_path):
    path = tmp_path / "families.txt"
    path.write_text("# A comment.\n\n[7]\ncrossed: 0,3 80,0! 30,100 | 22,50 80,48\n", "utf-8")
    (stem, bar) = read_families(path)["7"]["crossed"]
    assert stem.tolist() == [[0, 0.03], [0.8, 0], [0.8, 0], [0.3, 1]]
    assert bar.tolist() == [[0.22, 0.5], [0.8, 0.48]]


def test_the_same_seed_draws_the_same():
    drawn = [[draw_digit(8, rng).strokes, draw_other(rng).strokes] for rng in map(np.random.default_rng, (1, 1, 2))]
    first, again, other = ([np.concatenate(strokes) for strokes in inks] for inks in drawn)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_augmented_digits_are_the_same_digits_a_little_changed(mnist, recognizer):
    images, labels = (part[:500] for part in mnist[1])
    augmented = augment(images, np.random.default_rng(0))
    assert augmented.shape == images.shape
    assert augmented.dtype == np.uint8
    assert not any(np.array_equal(a, b) for a, b in zip(augmented, images, strict=True))
    x = augmented[..., np.newaxis].astype(np.float32) / 255
    assert np.mean(recognizer.probabilities(x).argmax(axis=1) == labels) > 0.95


def test_strength_zero_changes_nothing(mnist):
    images = mnist[1][0][:20]
    assert np.array_equal(augment(images, np.random.default_rng(0), strength=0.0), images)


def test_augmenting_changes_aspect_and_slant():
    blocks = np.zeros((400, 28, 28), np.uint8)
    blocks[:, 8:20, 8:20] = 255
    moments = [cv2.moments(image) for image in augment(blocks, np.random.default_rng(0))]
    wide, high, slanted = np.array([(one["mu20"], one["mu02"], one["mu11"]) for one in moments]).T
    # Of the 6 % and of the 0.15 that the docstring promises.
    assert 0.05 < np.std(np.log(wide / high) / 4) < 0.09
    assert np.std(slanted / high) > 0.14


def test_a_digit_of_several_strokes_keeps_them():
    rng = np.random.default_rng(0)
    assert {len(draw_digit(0, rng).strokes) for _ in range(100)} == {1, 2}
    assert isinstance(draw_other(rng), Ink)


def test_a_corner_stays_a_corner(monkeypatch):
    monkeypatch.setattr(synthesis, "_smooth", lambda points: points)
    corner = np.array([[0, 0], [1, 0], [1, 0], [1, 1]], float)
    (stroke,) = synthesis._deform([corner], np.random.default_rng(0))
    assert (stroke[1] == stroke[2]).all()
    assert (stroke[0] != stroke[1]).any()


def test_some_of_the_others_are_scribbles(monkeypatch):
    drawn = []
    scribble = synthesis._scribble
    monkeypatch.setattr(synthesis, "_scribble", lambda rng: drawn.append(1) or scribble(rng))
    rng = np.random.default_rng(0)
    for _ in range(200):
        draw_other(rng)
    assert 15 < len(drawn) < 50
