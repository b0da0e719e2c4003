"""From the pixels of a digit to strokes, so that a digit on paper can be kept like one that was drawn."""

import cv2
import numpy as np

from digitlab.ink import CANVAS, Ink
from digitlab.prepare import crop, fit

_SIDE = 64  # A digit is thinned at this size, in pixels: fine enough for its shape, too coarse for the pen's edge.
_MIN_STROKE = 5
_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # Clockwise, (row, column).


def trace(image: np.ndarray) -> Ink:
    """Follow the middle of the lines of a digit.

    The order and the direction in which the strokes were written cannot be seen any more.

    Parameters
    ----------
    image : uint8 array (h, w)
        White ink on black, such as `digitlab.paper.Found.image`.

    Returns
    -------
    Ink
        On a canvas of 280 x 280. Empty if the image is.
    """
    if not image.any():
        return Ink()
    ink = fit(crop(cv2.threshold(image, int(image.max()) // 2, 255, cv2.THRESH_BINARY)[1]), _SIDE)
    size = np.array(ink.shape[::-1])
    ink = np.pad(ink > int(ink.max()) // 2, 1)
    thin = _thin(ink)
    strokes = _follow(thin) if thin.any() else [[(ink.shape[0] / 2, ink.shape[1] / 2)]]
    scale = 0.75 * CANVAS / _SIDE
    shift = (CANVAS - size * scale) / 2
    return Ink([(np.array(stroke)[:, ::-1] - 0.5) * scale + shift for stroke in strokes])


def _thin(ink):
    """Peel the ink until its lines are one pixel wide (T. Y. Zhang, C. Y. Suen, "A fast parallel algorithm", 1984)."""
    ink = ink.copy()
    while True:
        before = ink.sum()
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            near = np.array([np.roll(ink, (-row, -column), (0, 1)) for row, column in _NEIGHBOURS])
            count, turns = near.sum(axis=0), (~near & np.roll(near, -1, axis=0)).sum(axis=0)
            peel = (count >= 2) & (count <= 6) & (turns == 1)
            ink &= ~(peel & ~near[list(first)].all(axis=0) & ~near[list(second)].all(axis=0))
        if ink.sum() == before:
            return ink


def _follow(lines):
    """Return strokes, lists of (row, column), that cover lines one pixel wide, going straight on where they cross."""
    left = {tuple(point) for point in np.argwhere(lines).tolist()}
    done, strokes = set(), []

    def beside(point, points):
        return [n for row, column in _NEIGHBOURS if (n := (point[0] + row, point[1] + column)) in points]

    while left:
        ends = [point for point in left if len(beside(point, left | done)) == 1]
        branches = [point for point in left if beside(point, done)]
        point = min(ends or branches or left)
        stroke = beside(point, done)[:1] if not ends else []
        while point:
            stroke.append(point)
            left.discard(point)
            done.add(point)
            back = stroke[max(0, len(stroke) - 5)]
            way = np.subtract(point, back)
            # Straight on; to a neighbour at the side before one at a corner.
            point = max(
                beside(stroke[-1], left),
                key=lambda n: (
                    np.dot(np.subtract(n, back), way),
                    -abs(n[0] - stroke[-1][0]) - abs(n[1] - stroke[-1][1]),
                ),
                default=None,
            )
        closing = [n for n in beside(stroke[-1], done) if n not in stroke[-3:]]
        strokes.append(stroke + closing[:1])
    return [stroke for stroke in strokes if len(stroke) >= _MIN_STROKE] or strokes
