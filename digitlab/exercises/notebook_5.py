"""The checks of the exercises in notebook 5, "Prepare a drawing"."""

import math

import numpy as np

from digitlab.exercises.checking import NotYet, check, check_function, find_mistake, read_numbers
from digitlab.prepare import MIDDLE, network_input


@check
def check_scale_factor(scale_factor):
    """Check a function of height and width that returns the factor that scales a drawing to just fit 20 x 20."""
    try:
        check_function(
            scale_factor,
            [(75, 57), (40, 100), (10, 10)],
            right=lambda height, width: 20 / max(height, width),
            mistakes={
                "starter": lambda height, width: 20 / height,
                "whole": lambda height, width: 20 // max(height, width),
                "whole_height": lambda height, width: 20 // height,
                "inverse": lambda height, width: max(height, width) / 20,
                "inverse_height": lambda height, width: height / 20,
                "width": lambda height, width: 20 / width,
                "shorter": lambda height, width: 20 / min(height, width),
                "box_28": lambda height, width: 28 / max(height, width),
                "mean": lambda height, width: 40 / (height + width),
                "sum": lambda height, width: 20 / (height + width),
                "area": lambda height, width: 400 / (height * width),
                "longer": lambda height, width: max(height, width),
                "pixels": lambda height, width: 20,
            },
            expected="a function of height and width",
            what="the number that both sides are multiplied by",
            tolerance=0.0051,  # Two decimals are enough.
            show=lambda height, width: f"a drawing {height} high and {width} wide",
        )
    except NotYet as error:
        if error.mistake == "kind" and str(error.values["answer"]).startswith(("(", "[", "an array")):
            raise NotYet("two_numbers", **error.values) from None
        raise
    return (
        "The longer side decides, and both sides are multiplied by the same number: that is what keeps the proportions."
    )


@check
def check_shift(shift):
    """Check a function of a centre of mass: by how many whole pixels to move, right and down, to bring it to 14.5."""

    def of_both(move):
        return lambda centre: tuple(move(float(place)) for place in centre)

    check_function(
        shift,
        [(np.array([9.9, 10.2]),), (np.array([17.1, 12.4]),), (np.array([14.4, 3.7]),)],
        right=of_both(lambda place: round(MIDDLE - place)),
        mistakes={
            "starter": of_both(lambda place: 14 - place),
            "unrounded": of_both(lambda place: MIDDLE - place),
            "rounded_14": of_both(lambda place: round(14 - place)),
            "wrong_way": of_both(lambda place: round(place - MIDDLE)),
            "wrong_way_unrounded": of_both(lambda place: place - MIDDLE),
            "exchanged": lambda centre: (round(MIDDLE - centre[1]), round(MIDDLE - centre[0])),
            "exchanged_unrounded": lambda centre: (MIDDLE - centre[1], MIDDLE - centre[0]),
            "cut_off": of_both(lambda place: int(MIDDLE - place)),
            "ceil": of_both(lambda place: math.ceil(MIDDLE - place)),
            "only_right": lambda centre: (round(MIDDLE - centre[0]), 0),
            "same_twice": lambda centre: (round(MIDDLE - centre[0]), round(MIDDLE - centre[0])),
        },
        expected="a function of a centre of mass (x, y)",
        what="two numbers, to the right and down",
        tolerance=1e-6,
        show=lambda centre: f"a centre of mass at ({centre[0]:g}, {centre[1]:g})",
    )
    return "Rounding leaves up to half a pixel. So MNIST's crosses are only near 14.5."


@check
def check_gains(gains, recognizer, labels, ways):
    """Check ten differences: for each digit, the share read when fitted less the share read when stretched.

    `ways` holds the images by the way they were prepared. The second way stretches a drawing, the third fits it into a
    box.
    """
    try:
        gains = read_numbers(gains, (10,), "ten differences, one for each digit from 0 to 9")
    except NotYet as not_yet:
        if not_yet.mistake == "not_finite":
            raise NotYet("ratio_infinite") from None
        raise
    stretched, fitted = (_share_of_each(recognizer, labels, images) for images in list(ways.values())[1:3])
    expected = fitted - stretched
    if np.abs(gains - expected).max() < 0.006:
        most, next_ = (int(digit) for digit in expected.argsort()[:-3:-1])
        return (
            f"The {most} gains most: stretched, {stretched[most]:.0%} are read, and with its proportions kept "
            f"{fitted[most]:.0%}. Then comes the {next_}, from {stretched[next_]:.0%} to {fitted[next_]:.0%}. "
            "Stretching makes a digit as wide as it is high: which digits does that change most?"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        mistakes = {
            "starter": fitted,
            "stretched": stretched,
            "turned_round": -expected,
            "per_cent": 100 * expected,
            "ratio": fitted / stretched,
            "mistakes": 1 - fitted,
            "absolute": np.abs(expected),
            "on_the_whole": np.full(10, expected.mean()),
        }
    wrong = int(np.argmax(np.abs(gains - expected) >= 0.006))
    mistake = find_mistake(gains, mistakes, 0.002)
    raise NotYet(mistake, digit=wrong, answer=f"{gains[wrong]:.3f}")


def _share_of_each(recognizer, labels, images):
    y_pred = recognizer.probabilities(network_input(images)).argmax(axis=1)
    return np.array([(y_pred[labels == digit] == digit).mean() for digit in range(10)])
