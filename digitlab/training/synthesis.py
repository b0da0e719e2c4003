"""Drawings made by code: letters, shapes and scribbles, which are no digits, and digits in many ways of writing.

A letter or a digit is a few movements of the pen, and they can be written down. The file families.txt does so, and says
how to read it. One way of writing is picked and changed at random: no two drawings are alike. The full recipe
uses only the drawings that are no digits (`draw_other`): beside digits by people, those drawn by code do not help.
"""

import functools
from pathlib import Path

import numpy as np

from digitlab.ink import CANVAS, Ink

FAMILIES = Path(__file__).with_name("families.txt")

INKED = 0.7
"""Share of the canvas's width or height that a drawing takes."""

_SAMPLES = 8
_TIMES = np.linspace(0, 1, _SAMPLES, endpoint=False)
# The matrix of E. Catmull, R. Rom, "A class of local interpolating splines" (1974).
_SPLINE = (
    np.stack([np.ones_like(_TIMES), _TIMES, _TIMES**2, _TIMES**3], axis=1)
    @ np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
    / 2
)


@functools.cache
def read_families(path: Path = FAMILIES) -> dict[str, dict[str, list[np.ndarray]]]:
    """Read the ways of writing from a file in the format of families.txt.

    Parameters
    ----------
    path : Path, optional

    Returns
    -------
    dict
        For each heading, "0" to "9", "letters" and "shapes": the strokes of each family by its name. A stroke is a
        float array (n, 2) of x and y, 0..1 within the box; a sharp corner is a point that occurs twice in a row.
    """
    families = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            group = families[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            name, points = line.split(": ")
            group[name] = [_parse_stroke(stroke) for stroke in points.split("|")]
    return families


def draw_digit(digit: int, rng: np.random.Generator) -> Ink:
    """Draw a digit as a person might.

    Parameters
    ----------
    digit : int
        0 to 9.
    rng : numpy.random.Generator

    Returns
    -------
    Ink
    """
    return _to_ink(_deform(_choose(str(digit), rng), rng))


def draw_other(rng: np.random.Generator) -> Ink:
    """Draw something that is no digit: a letter, a shape, a scribble, or two digits side by side.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    Ink
    """
    kind = rng.random()
    if kind < 0.6:
        strokes = _deform(_choose("letters", rng), rng)
    elif kind < 0.75:
        strokes = _deform(_choose("shapes", rng), rng)
    elif kind < 0.9:
        strokes = _deform(_scribble(rng), rng)
    else:
        left, right = (_choose(str(digit), rng) for digit in rng.integers(10, size=2))
        gap = rng.uniform(0.85, 1.3)
        strokes = _deform(left, rng) + [stroke + np.array([gap, 0]) for stroke in _deform(right, rng)]
    return _to_ink(strokes)


def _parse_stroke(text):
    points = []
    for word in text.split():
        x, y = word.rstrip("!").split(",")
        points += [(int(x) / 100, int(y) / 100)] * (2 if word.endswith("!") else 1)
    return np.array(points)


def _choose(group, rng):
    families = list(read_families()[group].values())
    return families[rng.integers(len(families))]


def _scribble(rng):
    strokes = []
    for _ in range(rng.integers(1, 4)):
        steps = rng.normal(0, 0.4, (rng.integers(3, 12), 2))
        strokes.append(np.clip(np.cumsum(steps, axis=0), -1, 1) / 2 + 0.5)
    return strokes


def _deform(family, rng):
    """Return the strokes of a family, float arrays (n, 2), changed as by a person's writing."""
    wobble = rng.uniform(0.01, 0.05)
    strokes = []
    for number, points in enumerate(family):
        moves = rng.normal(0, wobble, points.shape)
        corners = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
        moves[corners + 1] = moves[corners]
        points = points + moves
        if number:
            # After the pen was lifted, the next stroke does not begin exactly where it should.
            points = (points - points[0]) * rng.uniform(0.8, 1.25) + points[0] + rng.normal(0, 0.035, 2)
        strokes.append(_smooth(points))
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    points = np.concatenate(strokes)
    # The upper part is higher and wider than the lower one, or the other way round.
    x, y = points.T
    waist = np.clip(rng.normal(0.5, 0.09), 0.25, 0.75)
    y = np.where(y < 0.5, 2 * y * waist, 1 - 2 * (1 - y) * (1 - waist))
    middle = (x.min() + x.max()) / 2
    x = middle + (x - middle) * np.exp(rng.normal(0, 0.35) * (y - 0.5))
    points = np.stack([x, y], axis=1) - 0.5
    # The whole drawing is bent a little, by two waves.
    for _ in range(2):
        direction = rng.normal(0, 1, 2)
        wave = np.sin(points @ direction * rng.uniform(1, 5) + rng.uniform(0, 2 * np.pi))
        points = points + wave[:, np.newaxis] * rng.normal(0, 0.025, 2)
    slant, angle, stretch = rng.normal(0.1, 0.25), rng.normal(0, 0.12), np.exp(rng.normal(-0.05, 0.25))
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ np.array([[stretch, 0], [-slant, 1]]) @ rotation
    return np.split(points, ends)


def _smooth(points):
    """Return a smooth curve through points; a point that occurs twice stays a sharp corner."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    windows = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)
    return np.concatenate([(_SPLINE @ windows).reshape(-1, 2), points[-1:]])


def _to_ink(strokes):
    points = np.concatenate(strokes)
    corner, size = points.min(axis=0), np.ptp(points, axis=0).max()
    scale, margin = INKED * CANVAS / size, (1 - INKED) / 2 * CANVAS
    return Ink([(stroke - corner) * scale + margin for stroke in strokes])
