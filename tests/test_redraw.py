"""Recorded drawings drawn anew: what changes, and what must not."""

import numpy as np
import pytest

from digitlab.data import load_drawings
from digitlab.ink import Ink
from digitlab.prepare import prepare
from digitlab.training.redraw import Strokes, redraw


@pytest.fixture(scope="module")
def inks():
    return [drawing.ink for drawing in load_drawings("learn")[::300]]


@pytest.fixture(scope="module")
def strokes(inks):
    return Strokes.of(inks, np.arange(len(inks)) % 10)


def test_without_strength_a_drawing_is_prepared_as_it_is(inks, strokes):
    images = redraw(strokes, np.random.default_rng(0), strength=0.0, from_pixels=0)
    expected = np.stack([prepare(ink) for ink in inks])
    # Points are kept in single precision: an edge may differ by a grey or two.
    assert np.abs(images.astype(int) - expected).max() <= 8


def test_more_drawings_than_are_changed_at_once_keep_their_order(strokes, monkeypatch):
    whole = redraw(strokes, np.random.default_rng(0), strength=0.0, from_pixels=0)
    monkeypatch.setattr("digitlab.training.redraw._CHUNK", 7)
    assert len(strokes) > 2 * 7
    assert np.array_equal(redraw(strokes, np.random.default_rng(0), strength=0.0, from_pixels=0), whole)


def test_a_share_is_prepared_from_pixels(strokes):
    def drawn(share):
        return redraw(strokes, np.random.default_rng(0), strength=0.0, from_pixels=share)

    from_strokes, from_pixels, some = drawn(0), drawn(1), drawn(0.5)
    are_pixels = (some == from_pixels).all(axis=(1, 2)) & (some != from_strokes).any(axis=(1, 2))
    assert (from_strokes != from_pixels).any(axis=(1, 2)).mean() > 0.9
    assert 0.3 < are_pixels.mean() < 0.7


def test_no_drawing_is_drawn_alike_twice_but_the_same_seed_draws_the_same(strokes):
    images = redraw(strokes, np.random.default_rng(1))
    again = redraw(strokes, np.random.default_rng(1))
    other = redraw(strokes, np.random.default_rng(2))
    assert np.array_equal(images, again)
    assert (images != other).any(axis=(1, 2)).all()
    # It stays the drawing that it was.
    plain = redraw(strokes, np.random.default_rng(0), strength=0.0, from_pixels=0)
    overlap = np.minimum(images, plain).sum(axis=(1, 2)) / plain.sum(axis=(1, 2))
    assert np.median(overlap) > 0.6


def test_chosen_drawings_are_taken_whole_and_may_repeat(inks, strokes):
    some = strokes.take([3, 0, 3])
    assert len(some) == 3
    assert some.labels.tolist() == [3, 0, 3]
    for number, ink in enumerate([inks[3], inks[0], inks[3]]):
        first, last = some.drawing_starts[number : number + 2]
        points = some.points[some.stroke_starts[first] : some.stroke_starts[last]]
        assert last - first == len(ink.strokes)
        assert points == pytest.approx(np.concatenate(ink.strokes))


def test_dots_and_straight_lines_are_drawn(strokes):
    inks = [Ink([[(5, 5)]]), Ink([[(0, 9), (90, 9)]]), Ink([[(3, 3), (3, 3)], [(4, 90)]])]
    for strength in (0.0, 1.0):
        images = redraw(Strokes.of(inks, [10, 1, 10]), np.random.default_rng(0), strength)
        assert images.any(axis=(1, 2)).all()
