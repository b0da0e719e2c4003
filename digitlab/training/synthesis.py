"""Drawings made by code: digits in the hands of many schools, and things that are no digits. It stands on `prepare`.

MNIST was written by Americans, and a network that learnt from it alone misreads a 1 with a flag or a crossed 7. Nobody
has to be asked to draw those: a digit is a few movements of a hand, and they can be written down.

Each digit has a list of families, one for each way of writing it. A family is one line of text: the points that the pen
passes, x and y in hundredths of a box, x to the right and y down, and a bar where the pen is lifted. A point with an
exclamation mark is a corner; all others are passed in a smooth curve. `draw_digit` takes a family and varies it as
hands do: no two drawings are alike.
"""

import multiprocessing

import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.ink import CANVAS, Ink
from digitlab.prepare import PEN, SIDE, centre, crop, fit, prepare, render

DIGITS = {
    0: [
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 48,0",
        "48,0 68,8 80,35 78,70 60,97 30,100 8,75 5,40 20,10 50,0",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 50,2 30,14",
        "42,2 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 55,0 42,6 50,16",
        "8,75 30,100 60,97 78,70 80,35 68,8 50,0 20,10 5,40 8,75",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 48,0  |  80,5 5,95",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 48,0  |  100,-8 -15,108",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 48,0  |  65,25 25,75",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 48,0  |  43,48 45,53",
        "50,0 20,10 5,40 8,75 30,100 60,97 78,70 80,35 68,8 55,5 25,25",
        "50,0 15,20 5,60 30,100 80,85 90,45 65,18 35,20",
        "55,0 28,12 8,45 12,85 45,100 85,75 80,35 52,18 30,24",
    ],
    1: [
        "50,0 50,100",
        "52,0 49,50 50,100",
        "48,100 50,0! 52,100",
        "32,20 50,0! 50,100",
        "20,30 50,0! 50,100",
        "5,42 50,0! 50,100",
        "-5,62 50,0! 50,100",
        "10,40 33,24 50,0! 52,100",
        "15,12 35,10 50,0! 50,100",
        "25,25 50,0! 50,100  |  22,100 80,100",
        "10,40 50,0! 50,100  |  15,100 85,100",
        "50,0 50,100  |  20,100 80,100",
        "25,25 50,0! 50,100! 20,100 80,99",
        "0,40 35,6 50,0 52,15 40,100",
        "35,45 48,5 52,0 48,100",
        "42,50 55,0! 45,100",
        "-15,35 50,0! 40,100",
        "8,62 0,52 25,28 55,0! 42,100",
        "10,55 0,47 28,20 52,0 55,12 38,100",
        "12,60 5,48 20,22 40,0! 48,100",
        "-2,45 10,50 40,15 58,0! 50,100",
        "-20,42 10,28 60,0! 50,100",
        "-5,25 2,35 30,25 60,0! 50,100",
        "-2,52 -8,42 25,18 60,0 70,8 40,100",
        "28,38 25,24 65,0! 40,95  |  0,82 90,80",
        "28,30 28,18 70,0! 45,100  |  0,85 100,84",
        "30,42 50,0! 45,96! 42,100  |  44,95 85,92",
    ],
    2: [
        "5,25 20,5 50,0 75,15 75,35 50,65 10,100! 85,100",
        "5,25 20,5 50,0 75,15 72,40 40,75 5,100! 35,95 85,100",
        "5,22 25,3 55,0 75,18 70,45 40,82 15,98 5,90 20,82 50,95 95,93",
        "10,20 30,2 60,2 75,20 65,50 35,85 8,100 2,88 20,78 55,90 90,102 105,90",
        "5,5 75,3! 5,100! 85,98",
        "12,30 8,15 35,0 68,8 70,35 45,70 2,100! 90,97",
        "2,12 35,0 70,10 60,50 20,95! 50,88 85,98",
    ],
    3: [
        "5,15 30,0 65,5 75,22 60,42 30,48! 65,53 82,74 65,95 30,100 0,88",
        "5,15 30,0 65,5 75,22 60,42 35,47 65,53 82,74 65,95 30,100 0,88",
        "5,2 75,2! 35,40! 65,53 82,74 65,95 30,100 0,88",
        "2,6 70,0! 40,38 65,53 82,74 65,95 30,100 0,88",
        "5,12 35,0 68,10 65,35 40,50 28,44 42,42 65,53 82,74 65,95 30,100 0,88",
        "10,20 10,8 40,0 70,12 55,40 20,46! 65,53 82,74 65,95 30,100 0,88 -2,78",
        "5,10 40,0 62,15 50,36 25,42! 60,50 80,75 50,100 5,100",
        "10,10 40,0 65,12 55,40 60,55 70,75 45,100 0,95",
        "25,20 12,12 35,0 62,12 50,38 30,42 60,48 75,72 50,100 0,90",
        "10,8 50,0 75,8 68,40 60,50 66,58 45,90 10,100",
        "10,12 45,0 65,12 55,44 60,55 40,90 0,100",
        "8,20 5,5 70,3 70,18 30,45 25,54 65,78 75,100",
        "12,25 40,0 60,25 50,48 62,56 40,98 0,95",
    ],
    4: [
        "25,0 5,60! 85,60  |  60,30 58,100",
        "15,0 10,50! 80,48  |  70,0 66,100",
        "10,0 6,35 20,52 75,48  |  75,2 70,100",
        "55,0 0,65! 90,65  |  55,0 55,100",
        "60,0 0,65! 90,63  |  62,38 55,100",
        "60,100 62,0! 0,65! 90,65",
        "0,62 88,62! 0,62 58,0! 56,100",
        "15,0 8,38 25,55 55,50 75,10! 65,100",
        "12,0 10,50! 70,45 72,0! 68,100",
        "35,0 8,45 12,60 45,58 85,50  |  62,20 45,100",
        "50,0 5,55! 50,62 95,50  |  62,32 42,100",
        "20,0 5,55 30,60 60,35 68,5 66,50 62,100",
        "62,5 30,30 2,60 20,64 60,56 95,55  |  62,5 60,100",
        "45,0 15,72! 80,68  |  55,45 50,100",
        "40,0 25,65! 62,62  |  50,40 48,100",
        "40,0 12,68 20,76 75,70  |  55,50 52,100",
        "55,2 20,35 10,50 40,52 65,10! 50,100",
        "35,0 15,88 20,95 60,88  |  62,60 55,100",
        "38,0 20,82 28,88 60,76  |  60,58 62,100",
        "42,0 28,85! 55,80 60,62  |  60,62 62,98",
        "30,0 15,75 20,88 45,82 55,65 52,100",
        "55,0 20,40 28,48 80,30  |  78,14 30,100",
    ],
    5: [
        "80,0 20,0! 15,42! 45,36 75,50 78,75 55,97 20,100 0,88",
        "78,2 22,3 15,42! 45,36 75,50 78,75 55,97 20,100 0,88",
        "20,2 15,42! 45,36 75,50 78,75 55,97 20,100 0,88  |  20,2 80,0",
        "18,5 15,42! 45,36 75,50 78,75 55,97 20,100 0,88  |  28,-3 90,-5",
        "22,2 12,48! 50,40 72,60 60,90 20,100  |  22,2 75,4",
        "78,5 40,2 18,20 30,42 65,55 72,80 45,100 5,92",
        "80,0 30,2 20,25 22,40 55,42 75,65 60,92 30,100 2,95",
        "30,0 15,45! 55,45 65,75 35,100 0,95  |  30,0 95,-5",
        "75,0 18,0! 12,50! 70,45 78,70 70,98 2,100",
        "35,0 25,35! 55,40 65,70 40,100 0,95  |  30,2 110,-3",
        "40,5 20,40 50,42 60,72 30,100 -5,95  |  35,3 100,0",
    ],
    6: [
        "65,0 30,20 8,55 12,88 40,100 70,88 72,65 50,50 22,58 8,75",
        "50,0 22,35 8,70 25,100 60,95 70,72 50,55 20,65 10,80",
        "75,8 50,0 20,20 5,60 20,95 55,98 72,75 50,50 15,60",
        "10,0 6,50 10,85 40,100 70,85 65,60 35,52 10,70",
        "45,0 10,60 15,95 50,100 62,80 40,68 15,80",
        "60,0 25,30 5,65 20,97 60,97 75,75 55,55 25,62 20,85 35,90",
        "55,0 20,35 8,70 22,98 55,95 60,72 40,62 18,72",
        "65,0 35,35 20,80 35,100 50,88 40,75 20,82",
        "70,0 30,60 25,90 42,100 50,85 30,82",
    ],
    7: [
        "0,3 80,0! 30,100",
        "0,3 80,0! 50,45 35,100",
        "2,20 3,2! 80,0! 30,100",
        "5,30 8,2! 80,0! 72,40 65,100",
        "0,12 20,2 50,8 80,0! 50,50 30,100",
        "10,0 75,0! 66,100",
        "0,5 40,0 78,6 65,45 40,100",
        "0,3 80,0! 30,100  |  22,50 80,48",
        "0,3 80,0! 50,45 35,100  |  15,50 85,45",
        "2,20 3,2! 80,0! 30,100  |  20,55 75,50",
        "0,12 20,2 50,8 80,0! 50,50 30,100  |  20,42 80,50",
        "10,0 75,0! 62,100  |  40,48 95,46",
        "5,15 30,0 70,5 65,40 35,100  |  10,62 90,58",
        "10,25 5,8 35,3 75,5 60,50 40,100  |  10,60 85,62",
        "5,20 10,5 40,5 72,0! 45,60 42,100  |  15,68 95,64",
        "5,40 10,10 50,2 70,20 60,60 45,100  |  5,85 10,70 90,60",
        "10,22 10,5 55,0 68,30 45,100  |  10,80 12,66 80,58",
        "15,12 45,0 60,20 50,60 40,100  |  8,80 15,64 72,60",
        "5,30 35,5 75,8 85,50 55,100  |  5,65 60,50 105,42",
        "12,18 40,0 62,15 55,60 30,100  |  2,62 100,45",
        "10,8 70,3! 60,40 45,100  |  20,78 22,64 75,60",
    ],
    8: [
        "70,12 45,0 15,10 15,32 45,48 75,68 72,92 40,100 8,90 10,68 40,50 70,32 72,12",
        "72,12 70,32 40,50 10,68 8,90 40,100 72,92 75,68 45,48 15,32 15,10 45,0 70,12",
        "85,0 45,0 15,10 15,32 45,48 75,68 72,92 40,100 8,90 10,68 40,50 70,32 80,16",
        "62,5 45,0 15,10 15,32 45,48 75,68 72,92 40,100 8,90 10,68 40,50 70,32 85,10",
        "45,48 75,68 72,92 40,100 8,90 10,68 40,50 70,32 72,12 45,0 15,10 15,32 45,50",
        "40,50 70,32 72,12 45,0 15,10 15,32 45,48 75,68 72,92 40,100 8,90 10,68 45,47",
        "40,0 15,12 18,38 42,48 68,36 68,10 40,0  |  42,48 10,62 10,90 42,100 76,88 74,60 42,48",
        "12,2 30,30 70,70 70,95 40,100 15,90 20,65 70,25 70,2 40,0 12,6",
        "15,20 40,0 70,10 60,38 20,65 12,90 40,100 70,90 62,65 30,40",
        "10,10 50,0 70,15 40,42 65,55 75,80 40,100 10,85 25,60 50,42",
        "85,5 50,0 15,12 30,42 65,65 60,95 30,100 12,85 35,55 65,30",
        "15,25 30,0 60,5 62,30 25,70 30,100 62,95 60,70 30,40 15,20",
        "62,12 40,0 28,22 48,50 55,85 45,100 40,80 58,40 64,14",
        "15,40 30,12 55,0 62,15 35,45 55,70 50,100 35,90 50,55 65,20",
        "20,45 10,55 40,50 65,20 50,0 30,10 40,45 60,75 45,100 28,88 55,50",
    ],
    9: [
        "70,12 40,0 8,15 10,42 40,50 66,32 72,8! 68,50 60,100",
        "70,12 40,0 8,15 10,42 40,50 66,32 72,8! 50,60 30,100",
        "70,12 40,0 8,15 10,42 40,50 66,32 72,8 72,40 68,100",
        "70,12 40,0 8,15 10,42 40,50 66,32 72,8 76,50 68,85 42,100 10,92",
        "70,12 40,0 8,15 10,42 40,50 66,32 72,8 74,8 78,60 60,95 30,100 8,85",
        "70,12 40,0 8,15 10,42 40,50 66,32 72,8 75,45 62,90 30,98 2,78",
        "72,20 50,0 15,5 2,30 25,50 60,40 75,15 80,55 65,95 25,100",
        "65,25 40,0 10,12 10,40 40,48 66,25  |  68,0 66,100",
        "65,25 40,0 10,12 10,40 40,48 66,25  |  68,10 74,70 50,100 10,92",
        "10,25 30,2 62,6 72,30 50,50 20,48 8,25 30,2 65,6 76,40 65,100",
        "60,10 40,0 25,12 35,27 58,18 62,8 72,50 65,85 35,100 0,95",
        "60,8 35,0 20,20 45,32 65,12 60,40 70,75 40,100 0,98",
        "80,8 40,0 10,15 20,28 60,15 85,2 55,50 10,100",
        "95,5 75,8 45,0 15,12 20,38 50,40 70,20 72,50 50,95 5,95",
        "25,0 8,20 20,42 50,42 68,10! 75,60 50,100 2,92",
        "85,38 15,38 20,15 45,0 60,40 58,100",
        "90,38 20,40 12,25 45,0 60,25 58,100",
        "60,15 40,0 25,12 40,28 60,15 45,5 35,18 55,30 75,60 60,90 0,100",
        "45,12 35,20 50,25 60,12 45,0 30,15 50,32 78,55 60,92 5,98",
    ],
}
"""The ways of writing each digit: plain, flagged and footed 1s, open and closed 4s, crossed 7s, hooked 9s, ..."""

LETTERS = [
    "0,100 40,0! 80,100  |  15,60 65,60",
    "40,0 0,100  |  40,0 80,100  |  15,65 65,62",
    "0,100 35,0! 70,100! 10,60 70,55",
    "5,0 5,100  |  5,0 60,0  |  5,50 50,50  |  5,100 60,100",
    "65,0 5,0! 5,100! 65,100  |  5,50 50,48",
    "60,5 20,5 10,30 40,45! 5,60 10,95 65,95",
    "5,0 5,100  |  5,0 60,0  |  5,50 50,50",
    "70,0 8,2! 5,100  |  5,48 55,45",
    "0,0 0,100  |  60,0 60,100  |  0,50 60,50",
    "0,0 0,100! 0,50! 60,45 60,0! 62,100",
    "0,0 0,100  |  60,0 0,55! 65,100",
    "5,0 2,100  |  60,5 8,50  |  15,45 65,100",
    "0,100 10,0! 45,70! 80,0! 90,100",
    "0,0 0,100  |  0,0 40,60! 80,0! 82,100",
    "0,100 2,0! 60,100! 62,0",
    "0,0 0,100  |  0,0 60,100  |  60,0 60,100",
    "0,0 0,100  |  0,0 50,5 55,35 0,50! 60,100",
    "0,100 2,5 40,0 60,25 5,50! 65,100",
    "0,0 20,100! 45,30! 70,100! 90,0",
    "0,0 10,85 30,95 45,30! 55,90 80,90 90,0",
    "0,0 70,100  |  70,0 0,100",
    "0,5 20,10 50,90 75,95  |  72,0 2,100",
    "35,0 35,100  |  0,0 75,0",
    "0,0 35,45  |  70,0 10,100",
    "0,0 35,100! 70,0",
    "0,0 0,100! 60,100",
    "0,100 0,0! 55,10 50,45 0,50",
    "70,15 35,0 2,40 20,95 60,80 72,10! 70,75 90,100",
    "65,10 20,5 2,55 25,100 60,60 66,5! 68,100",
    "10,20 45,0 65,30 65,100! 60,50 15,55 8,90 40,100 65,75",
    "5,50 65,42 50,2 15,15 2,60 25,100 75,85",
    "0,60 45,50 60,20 40,0 15,30 20,85 50,100 90,75",
    "70,10 50,0 35,20 32,100  |  5,45 65,42",
    "0,60 40,40 60,10 45,0 35,30 35,90 25,120 20,100 40,70 70,60",
    "0,0 0,100! 2,60 30,45 55,60 55,100",
    "5,50 30,20 25,0 8,20 5,100! 30,50 50,60 50,100 75,90",
    "0,0 0,100  |  50,40 2,70! 55,100",
    "0,10 2,100! 5,30 30,10 42,30 42,100! 48,30 75,10 85,35 85,100",
    "0,30 15,10 18,100! 30,20 50,20 50,100! 65,20 85,20 88,90 100,100",
    "0,5 2,100! 8,30 40,5 65,30 65,100",
    "0,40 15,10 20,100! 35,25 65,15 70,90 95,90",
    "0,5 2,100! 10,30 55,10",
    "0,70 20,10 25,25 55,20 50,80 60,100 90,80",
    "35,0 35,100  |  0,30 70,28",
    "0,10 10,80 30,95 42,20 45,80 70,95 85,10 100,15",
]
"""Letters that nobody takes for a digit, and so not all that there are: no l, no O, no S, no Z."""

SHAPES = [
    "0,50 100,50",
    "0,30 100,30  |  0,70 100,70",
    "0,0 100,0! 100,100! 0,100! 0,0",
    "50,0 100,100! 0,100! 50,0",
    "0,60 35,100! 100,0",
    "0,50 100,50  |  70,20 100,50! 70,80",
    "0,50 20,20 40,80 60,20 80,80 100,50",
    "0,20 20,80! 40,20! 60,80! 80,20! 100,80",
    "50,50 60,40 70,55 50,75 25,55 40,20 80,25 95,65 50,100 5,70",
    "50,30 20,0 0,30 50,100! 100,30 80,0 50,30",
    "50,0 50,100  |  0,50 100,50  |  15,15 85,85  |  85,15 15,85",
    "50,0 10,20 0,60 40,100 90,80 100,30 50,0  |  30,35 32,40  |  70,35 70,40  |  25,65 50,80 75,65",
]
"""Other things that people draw: dashes, boxes, ticks, arrows, waves, hearts, faces."""

CHUNK = 3_000
"""How many drawings `synthesise` makes at a time."""

INKED = 0.7
"""The part of the canvas that a drawing takes."""

FROM_PIXELS = 0.3
"""The part of the drawings that are prepared from their pixels, drawn with pens of 3 to 25 % of their size."""

_SAMPLES = 8
_TIMES = np.linspace(0, 1, _SAMPLES, endpoint=False)
# The matrix of E. Catmull, R. Rom, "A class of local interpolating splines" (1974).
_SPLINE = (
    np.stack([np.ones_like(_TIMES), _TIMES, _TIMES**2, _TIMES**3], axis=1)
    @ np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
    / 2
)


def _points(family):
    """Return the strokes of a family, float arrays (n, 2) in parts of the box, with corners standing twice."""
    strokes = []
    for stroke in family.split("|"):
        points = []
        for word in stroke.split():
            x, y = word.rstrip("!").split(",")
            points += [(int(x) / 100, int(y) / 100)] * (2 if word.endswith("!") else 1)
        strokes.append(np.array(points))
    return strokes


_DIGITS = {digit: [_points(family) for family in families] for digit, families in DIGITS.items()}
_LETTERS, _SHAPES = ([_points(family) for family in families] for families in (LETTERS, SHAPES))


def draw_digit(digit, random):
    """Draw a digit as somebody might.

    Parameters
    ----------
    digit : int
        0 to 9.
    random : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    Ink
    """
    families = _DIGITS[digit]
    return _ink(_vary(families[random.integers(len(families))], random))


def draw_other(random):
    """Draw something that is no digit: a letter, a shape, a scribble, or two digits at once.

    Parameters
    ----------
    random : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    Ink
    """
    kind = random.random()
    if kind < 0.6:
        strokes = _vary(_LETTERS[random.integers(len(_LETTERS))], random)
    elif kind < 0.75:
        strokes = _vary(_SHAPES[random.integers(len(_SHAPES))], random)
    elif kind < 0.9:
        strokes = _vary(_scribble(random), random)
    else:
        left, right = (_DIGITS[digit][random.integers(len(_DIGITS[digit]))] for digit in random.integers(10, size=2))
        gap = random.uniform(0.85, 1.3)
        strokes = _vary(left, random) + [stroke + np.array([gap, 0]) for stroke in _vary(right, random)]
    return _ink(strokes)


def synthesise(count, seed):
    """Make drawings by code: five in six are digits, the rest are none.

    Parameters
    ----------
    count : int
        How many; a multiple of 3,000.
    seed : int
        Where chance begins.

    Returns
    -------
    images : uint8 array (count, 28, 28)
        Prepared as a user's ink is, with pens of different widths; three in ten as a scan is, from pixels alone.
    labels : uint8 array (count,)
        0 to 9, or `NOT_A_DIGIT`.
    """
    seeds = np.random.SeedSequence(seed).spawn(count // CHUNK)
    # Not as copies of this process, in which TensorFlow may have started threads.
    with multiprocessing.get_context("spawn").Pool() as processes:
        parts = processes.map(_synthesise_chunk, seeds)
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _synthesise_chunk(seed):
    random = np.random.default_rng(seed)
    images, labels = np.empty((CHUNK, SIDE, SIDE), np.uint8), np.minimum(np.arange(CHUNK) % 12, NOT_A_DIGIT)
    for number, label in enumerate(labels):
        ink = draw_other(random) if label == NOT_A_DIGIT else draw_digit(label, random)
        if random.random() < FROM_PIXELS:
            images[number] = prepare(ink.render(random.uniform(0.03, 0.25) * CANVAS * INKED))
        else:
            images[number] = render(centre(fit(crop(ink))), random.uniform(0.7, 1.4) * PEN)
    return images, labels.astype(np.uint8)


def _scribble(random):
    strokes = []
    for _ in range(random.integers(1, 4)):
        steps = random.normal(0, 0.4, (random.integers(3, 12), 2))
        strokes.append(np.clip(np.cumsum(steps, axis=0), -1, 1) / 2 + 0.5)
    return strokes


def _vary(family, random):
    """Return the strokes of a family as a hand might draw them: float arrays (n, 2)."""
    wobble = random.uniform(0.01, 0.05)
    strokes = []
    for number, points in enumerate(family):
        moves = random.normal(0, wobble, points.shape)
        corners = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
        moves[corners + 1] = moves[corners]
        points = points + moves
        if number:
            # The pen was lifted: the next stroke does not begin just where it was meant to.
            points = (points - points[0]) * random.uniform(0.8, 1.25) + points[0] + random.normal(0, 0.035, 2)
        strokes.append(_smooth(points))
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    points = np.concatenate(strokes)
    # The upper part higher and wider than the lower one, or the other way round.
    x, y = points.T
    waist = np.clip(random.normal(0.5, 0.09), 0.25, 0.75)
    y = np.where(y < 0.5, 2 * y * waist, 1 - 2 * (1 - y) * (1 - waist))
    middle = (x.min() + x.max()) / 2
    x = middle + (x - middle) * np.exp(random.normal(0, 0.35) * (y - 0.5))
    points = np.stack([x, y], axis=1) - 0.5
    # Bent a little as a whole.
    for _ in range(2):
        direction = random.normal(0, 1, 2)
        wave = np.sin(points @ direction * random.uniform(1, 5) + random.uniform(0, 2 * np.pi))
        points = points + wave[:, np.newaxis] * random.normal(0, 0.025, 2)
    slant, turn, stretch = random.normal(0.1, 0.25), random.normal(0, 0.12), np.exp(random.normal(-0.05, 0.25))
    turning = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = points @ np.array([[stretch, 0], [-slant, 1]]) @ turning
    return np.split(points, ends)


def _smooth(points):
    """Draw a smooth curve through points; one that stands twice stays a corner."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    windows = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)
    return np.concatenate([(_SPLINE @ windows).reshape(-1, 2), points[-1:]])


def _ink(strokes):
    points = np.concatenate(strokes)
    corner, size = points.min(axis=0), np.ptp(points, axis=0).max()
    scale, margin = INKED * CANVAS / size, (1 - INKED) / 2 * CANVAS
    return Ink([(stroke - corner) * scale + margin for stroke in strokes])
