"""Recorded drawings drawn anew: each time a network meets one, another hand, pen and device seem to have made it.

A drawing is changed as strokes, before it is prepared: so its lines keep their sharpness and the pen its width, which
no change of pixels can do. All drawings are changed together, with NumPy, in flat arrays; only the rendering goes
drawing by drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitlab.ink import CANVAS, Ink, draw_strokes
from digitlab.prepare import PEN, SIDE, centre, crop, fit, prepare, render
from digitlab.training.synthesis import INKED

FROM_PIXELS = 0.3
"""Share of the drawings that are prepared from their pixels, drawn with pens of 3 to 20 % of the drawing's size."""

_CHUNK = 2_000
_MIN_THINNED = 20


@dataclass(frozen=True)
class Strokes:
    """The strokes of many drawings, one after the other in flat arrays."""

    points: np.ndarray
    """float32 (p, 2): x and y of all points."""

    stroke_starts: np.ndarray
    """int (s + 1,): where each stroke begins in `points`, and where the last one ends."""

    drawing_starts: np.ndarray
    """int (n + 1,): where each drawing begins among the strokes, and where the last one ends."""

    labels: np.ndarray
    """uint8 (n,): 0 to 9, or `NOT_A_DIGIT`."""

    @classmethod
    def of(cls, inks: Sequence[Ink], labels: Sequence[int]) -> "Strokes":
        """Return the strokes of inks, each with a label; no ink is empty, but there may be no inks."""
        strokes = [stroke for ink in inks for stroke in ink.strokes]
        return cls(
            np.concatenate([np.empty((0, 2)), *strokes]).astype(np.float32),
            _starts([len(stroke) for stroke in strokes]),
            _starts([len(ink.strokes) for ink in inks]),
            np.array(labels, np.uint8),
        )

    def __len__(self):
        """Return how many drawings there are."""
        return len(self.labels)

    def take(self, chosen: Sequence[int]) -> "Strokes":
        """Return the drawings with these numbers; one may be chosen several times."""
        strokes, drawing_starts = _gather(self.drawing_starts, np.asarray(chosen))
        points, stroke_starts = _gather(self.stroke_starts, strokes)
        return Strokes(self.points[points], stroke_starts, drawing_starts, self.labels[chosen])


def redraw(
    strokes: Strokes, rng: np.random.Generator, strength: float = 1.0, from_pixels: float = FROM_PIXELS
) -> np.ndarray:
    """Draw drawings as another hand, pen and device might have drawn them, and prepare them.

    Parameters
    ----------
    strokes : Strokes
    rng : numpy.random.Generator
    strength : float, optional
        0 (as they were) to 1: standard deviations of 6 degrees of turn, 0.18 of slant, 15 % of stretch, 3.5 % of the
        height for the waist, 25 % by which one half is wider, 2 % by which later strokes are moved, and two waves of 2
        % that bend the whole drawing. Some drawings are smoothed, shaky, given by few points, or end with a tail, as of
        a fast hand; and the pen is 0.7 to 1.4 times as wide.
    from_pixels : float, optional
        The part of the drawings that are drawn as an image and prepared from that.

    Returns
    -------
    uint8 array (n, 28, 28)
    """
    images = np.empty((len(strokes), SIDE, SIDE), np.uint8)
    for start in range(0, len(strokes), _CHUNK):
        part = strokes.take(np.arange(start, min(start + _CHUNK, len(strokes))))
        changed = replace(part, points=_change_shape(part, rng, strength))
        changed = _add_tails(_resample(changed, rng, strength), rng, strength)
        images[start : start + len(part)] = _render_all(changed, rng, strength, from_pixels)
    return images


def _change_shape(strokes, rng, strength):
    """Return the points, about 1 large around (0, 0), changed in shape: float array (p, 2)."""
    count = len(strokes)
    drawing_of, stroke_of = _owners(strokes)
    first_points = strokes.stroke_starts[strokes.drawing_starts[:-1]]
    low = np.minimum.reduceat(strokes.points, first_points)
    high = np.maximum.reduceat(strokes.points, first_points)
    size = np.maximum((high - low).max(axis=1), 1e-3)
    points = (strokes.points - ((low + high) / 2)[drawing_of]) / size[drawing_of, np.newaxis]

    smoothed = _smooth(points, stroke_of)
    points = np.where((rng.random(count) < 0.4 * strength)[drawing_of, np.newaxis], smoothed, points)
    # The pen was lifted: the next stroke does not begin just where it was meant to.
    moves = rng.normal(0, 0.02 * strength, (len(strokes.stroke_starts) - 1, 2))
    moves[strokes.drawing_starts[:-1]] = 0
    points = points + moves[stroke_of]
    # The upper part higher and wider than the lower one, or the other way round.
    x, y = points.T
    half = np.maximum((high - low)[:, 1] / size / 2, 1e-3)[drawing_of]
    waist, widening = rng.normal(0, ((0.07,), (0.25,)), (2, count)) * strength
    y = y + waist[drawing_of] * half * np.maximum(0, 1 - (y / half) ** 2)
    x = x * np.exp(widening[drawing_of] * y)
    points = np.stack([x, y], axis=1)
    # Bent a little as a whole.
    for _ in range(2):
        direction = rng.normal(0, 1, (count, 2)) * rng.uniform(1, 5, (count, 1))
        phase, height = rng.uniform(0, 2 * np.pi, count), rng.normal(0, 0.02 * strength, (count, 2))
        wave = np.sin((points * direction[drawing_of]).sum(axis=1) + phase[drawing_of])
        points = points + wave[:, np.newaxis] * height[drawing_of]
    slant, turn, stretch = rng.normal(0, ((0.18,), (0.1,), (0.15,)), (3, count)) * strength
    cos, sin, stretch = np.cos(turn), np.sin(turn), np.exp(stretch)
    matrices = np.array([[cos * stretch, -cos * slant - sin], [sin * stretch, cos - sin * slant]]).transpose(2, 0, 1)
    points = np.einsum("pij,pj->pi", matrices[drawing_of], points)
    shaking = (rng.random(count) < 0.15 * strength) * rng.uniform(0, 0.012, count)
    return points + rng.normal(0, 1, points.shape) * shaking[drawing_of, np.newaxis]


def _resample(strokes, rng, strength):
    """Leave out points, as of a fast pen: of some drawings' longer strokes only every second to fourth is kept."""
    count = len(strokes)
    drawing_of, stroke_of = _owners(strokes)
    every = np.where(rng.random(count) < 0.3 * strength, rng.integers(2, 5, count), 1)
    number = np.arange(len(strokes.points)) - strokes.stroke_starts[stroke_of]
    keep = number % every[drawing_of] == 0
    keep |= (np.diff(strokes.stroke_starts) < _MIN_THINNED)[stroke_of]
    keep[strokes.stroke_starts[1:] - 1] = True
    stroke_starts = np.searchsorted(stroke_of[keep], np.arange(len(strokes.stroke_starts)))
    return replace(strokes, points=strokes.points[keep], stroke_starts=stroke_starts)


def _add_tails(strokes, rng, strength):
    """Let the pen go on upwards to the right, as a fast hand does, in some drawings that end low, not to the left."""
    last_strokes = strokes.drawing_starts[1:] - 1
    end_points = strokes.stroke_starts[last_strokes + 1] - 1
    ends = strokes.points[end_points]
    x, y = (ends - strokes.points[np.maximum(end_points - 5, strokes.stroke_starts[last_strokes])]).T
    chosen = np.flatnonzero(
        (rng.random(len(strokes)) < 0.12 * strength) & (ends[:, 1] > 0) & (x > -0.9 * np.maximum(y, 0))
    )
    angle, length = rng.uniform(0.2, 1.4, len(chosen)), 0.08 + 0.4 * rng.random(len(chosen)) ** 2
    tip = np.stack([np.cos(angle), -np.sin(angle)], axis=1) * length[:, np.newaxis]
    # Not a sharp corner: the pen turns round below its end.
    turn = ends[chosen] + np.array([0.02, 0.01])
    tails = np.stack([turn, ends[chosen] + tip / 2, ends[chosen] + tip], axis=1)
    where = strokes.stroke_starts[last_strokes[chosen] + 1]
    points = np.insert(strokes.points, np.repeat(where, 3), tails.reshape(-1, 2), axis=0)
    longer = np.zeros(len(strokes.stroke_starts), int)
    longer[last_strokes[chosen] + 1] = 3
    return replace(strokes, points=points, stroke_starts=strokes.stroke_starts + np.cumsum(longer))


def _render_all(strokes, rng, strength, from_pixels):
    """Prepare every drawing: uint8 array (n, 28, 28)."""
    pens = PEN * (rng.uniform(0.7, 1.4, len(strokes)) if strength else np.ones(len(strokes)))
    widths = rng.uniform(0.03, 0.2, len(strokes)) * INKED * CANVAS
    as_image = rng.random(len(strokes)) < from_pixels
    margin = (1 - INKED) / 2 * CANVAS
    parts = np.split(strokes.points, strokes.stroke_starts[1:-1])
    images = np.empty((len(strokes), SIDE, SIDE), np.uint8)
    for number in range(len(strokes)):
        its_parts = parts[strokes.drawing_starts[number] : strokes.drawing_starts[number + 1]]
        ink = crop(Ink([part * CANVAS for part in its_parts]))
        if as_image[number]:
            scale = INKED * CANVAS / max(ink.size)
            canvas = [stroke * scale + margin for stroke in ink.strokes]
            images[number] = prepare(draw_strokes(canvas, (CANVAS, CANVAS), widths[number]))
        else:
            images[number] = render(centre(fit(ink)), pens[number])
    return images


def _smooth(points, stroke_of):
    """Return points that are each the mean of themselves and their neighbours, twice over; ends stay where they are."""
    inner = np.zeros(len(points), bool)
    inner[1:-1] = (stroke_of[1:-1] == stroke_of[:-2]) & (stroke_of[1:-1] == stroke_of[2:])
    for _ in range(2):
        means = points.copy()
        means[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
        points = np.where(inner[:, np.newaxis], means, points)
    return points


def _owners(strokes):
    """Return, for each point, the number of its drawing and of its stroke."""
    stroke_of = np.repeat(np.arange(len(strokes.stroke_starts) - 1), np.diff(strokes.stroke_starts))
    drawing_of = np.repeat(np.arange(len(strokes)), np.diff(strokes.drawing_starts))
    return drawing_of[stroke_of], stroke_of


def _starts(lengths):
    return np.concatenate([[0], np.cumsum(lengths, dtype=int)])


def _gather(starts, chosen):
    """Return the numbers of all members of the chosen groups, and where each group begins among them."""
    lengths = starts[chosen + 1] - starts[chosen]
    new_starts = _starts(lengths)
    return np.repeat(starts[chosen] - new_starts[:-1], lengths) + np.arange(new_starts[-1]), new_starts
