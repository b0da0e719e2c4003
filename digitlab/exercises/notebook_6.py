"""The checks of the exercises in notebook 6, "Draw"."""

import math

import numpy as np

from digitlab.exercises.checking import OTHERWISE, NotYet, check, describe, floor_percent
from digitlab.ink import Ink
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.prepare import prepare
from digitlab.recognizer import Recognizer

_STARTING_FOUR = [[(100, 60), (60, 170), (200, 170)], [(160, 100), (150, 230)]]
_STARTING_TICK = [[(60, 150), (110, 210), (230, 60)]]
_FACE = [
    [(140, 40), (220, 90), (220, 190), (140, 240), (60, 190), (60, 90), (140, 40)],
    [(110, 110), (112, 112)],
    [(170, 110), (172, 112)],
    [(100, 180), (140, 200), (180, 180)],
]
_LETTER_A = Ink([[(80, 230), (140, 50), (200, 230)], [(105, 165), (175, 165)]])

_SAME_LETTER = 0.85
"""How much a drawing may look like the letter A, as the correlation of the two images, 0 to 1."""


@check
def check_four(drawing):
    """Check an ink that the kit's best network reads as a 4, and its MNIST-only network does not."""
    ours, other = _read_by_both(drawing)
    if _is_same(drawing, _STARTING_FOUR):
        raise NotYet("starter")
    values = {"ours": _said(ours), "other": _said(other), "sure": floor_percent(other.confidence)}
    if ours.digit != 4:
        mistake = "no_digit_for_ours" if ours.reason == "not a digit" else "not_for_ours"
        raise NotYet("neither" if other.digit != 4 and ours.digit is not None else mistake, **values)
    if other.digit == 4:
        raise NotYet("nearly" if other.confidence < 0.99 else OTHERWISE, **values)
    return (
        f"Ours says {_said(ours)}, the MNIST-only one {_said(other)}. The strokes are the same; ours was shown "
        "many such 4s."
    )


@check
def check_no_digit(drawing):
    """Check an ink that is no digit for the kit's best network, while the MNIST-only one is over 90 % sure of one."""
    ours, other = _read_by_both(drawing)
    if _is_same(drawing, _STARTING_TICK):
        raise NotYet("starter")
    if _is_letter_a(drawing):
        raise NotYet("letter_a")
    if _is_same(drawing, _FACE):
        raise NotYet("face")
    values = {
        "ours": ours,
        "digit": other.probabilities.argmax(),
        "sure": floor_percent(other.confidence),
    }
    if ours.reason == "unsure":
        raise NotYet("unsure", **values)
    if ours.reason != "not a digit":
        raise NotYet(OTHERWISE, **values)
    if other.confidence <= 0.9:
        raise NotYet("nearly" if other.confidence > 0.7 else "not_sure_enough", **values)
    return (
        f"Ours says that it is no digit, the MNIST-only one {_said(other)}. Its ten probabilities add up to 1 whatever "
        "it is shown, so being sure means only: of the ten, this one."
    )


def _read_by_both(drawing):
    if not isinstance(drawing, Ink):
        lists = isinstance(drawing, list | tuple | np.ndarray)
        raise NotYet("list" if lists else "no_ink", answer=describe(drawing))
    if not drawing:
        raise NotYet("empty")
    return Recognizer.load().predict(drawing), Recognizer.load(MNIST_ONLY_NETWORK).predict(drawing)


def _said(prediction):
    """Write what a network says so that it can stand within a sentence."""
    if prediction.reason == "not a digit":
        return "that it is no digit"
    return str(prediction).removesuffix("?")


def _is_same(drawing, strokes):
    return len(drawing.strokes) == len(strokes) and all(
        np.array_equal(one, other) for one, other in zip(drawing.strokes, strokes, strict=True)
    )


def _is_letter_a(drawing):
    """Return whether a drawing is the A of step 1, at any size and place, upright or leaning."""
    image = prepare(drawing).astype(float).ravel()
    image -= image.mean()
    for angle in range(-30, 31, 6):
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        letter = prepare(Ink([(stroke - 140) @ [[c, s], [-s, c]] + 140 for stroke in _LETTER_A.strokes]))
        letter = letter.astype(float).ravel() - letter.mean()
        if letter @ image > _SAME_LETTER * math.sqrt((letter @ letter) * (image @ image) + 1e-9):
            return True
    return False
