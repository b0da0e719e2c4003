"""Recorded drawings drawn anew: what changes, and what must not."""

import numpy as np
import pytest

from digitlab.data import load_drawings
from digitlab.ink import Ink
from digitlab.prepare import prepare
from digitlab.training import redraw as redraw_module
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


# The single steps


def test_tails_go_up_from_the_end_of_the_last_stroke():
    two = Strokes.of([Ink([[(0, -0.3), (0.1, 0.1)], [(0, 0), (0, 0.3)]])] * 200, [1] * 200)
    tailed = redraw_module._add_tails(two, np.random.default_rng(0), 1.0)
    lengths = np.diff(tailed.stroke_starts).reshape(200, 2)
    assert set(lengths[:, 0]) == {2}
    assert set(lengths[:, 1]) == {2, 5}
    tips = tailed.points[tailed.stroke_starts[2::2][lengths[:, 1] == 5] - 1]
    assert (tips[:, 0] > 0).all()
    assert (tips[:, 1] < 0.3).all()


def test_only_long_strokes_are_thinned_and_they_keep_their_ends():
    inks = [Ink([np.arange(80).reshape(40, 2), np.arange(20).reshape(10, 2)])] * 100
    thin = redraw_module._resample(Strokes.of(inks, [1] * 100), np.random.default_rng(0), 1.0)
    lengths = np.diff(thin.stroke_starts).reshape(100, 2)
    assert set(lengths[:, 0]) == {40, 21, 14, 11}
    assert set(lengths[:, 1]) == {10}
    assert (thin.points[thin.stroke_starts[1::2] - 1] == (78, 79)).all()


def test_points_are_smoothed_between_the_ends_of_each_stroke():
    points = np.random.default_rng(0).normal(size=(12, 2))
    smooth = redraw_module._smooth(points, np.repeat([0, 1], 6))
    ends = [0, 5, 6, 11]
    assert np.array_equal(smooth[ends], points[ends])
    assert not np.isclose(smooth[1:5], points[1:5]).any()


def test_a_drawing_is_turned_and_not_only_sheared():
    corner = Strokes.of([Ink([[(0, 0), (100, 0)], [(100, 100), (100, 0)]])] * 400, [0] * 400)
    points = redraw_module._change_shape(corner, np.random.default_rng(0), 1.0).reshape(400, 4, 2)
    across, up = points[:, 1] - points[:, 0], points[:, 3] - points[:, 2]
    turns = np.arctan2(across[:, 1], across[:, 0]), np.arctan2(up[:, 0], -up[:, 1])
    assert np.corrcoef(turns)[0, 1] > 0.2


def test_pens_are_thick_and_thin():
    line = Strokes.of([Ink([[(0, 0), (0, 100)]])] * 50, [1] * 50)
    images = redraw(line, np.random.default_rng(0), strength=1e-9, from_pixels=0)
    widths = images[:, 14].sum(axis=1) / 255
    assert widths.max() > 1.5 * widths.min()
    hooked = Strokes.of([Ink([[(0, 0), (60, 100), (0, 100)]])] * 40, [1] * 40)
    images = redraw(hooked, np.random.default_rng(0), strength=0.0, from_pixels=1)
    assert len({image.tobytes() for image in images}) > 20
