"""The checks of the exercises in notebook 5, "Prepare a drawing"."""

import numpy as np

from digitlab.exercises.checking import NotYet, call, check, read_number, read_numbers
from digitlab.prepare import network_input


@check
def check_scale_factor(scale_factor):
    """Check a function of height and width that returns the factor that scales a drawing to just fit 20 x 20."""
    for height, width in [(75, 57), (40, 100), (10, 10)]:
        expected = 20 / max(height, width)
        answer = read_number(call(scale_factor, height, width), "what the sides are multiplied by")
        if abs(answer - expected) > 1e-3:
            raise NotYet(
                f"For a drawing {height} high and {width} wide expected {expected:.4g}; your answer is {answer:.4g}, "
                f"and makes it {height * answer:.0f} high and {width * answer:.0f} wide. The box is 20 x 20: which "
                "side is it that must become 20?"
            )
    return (
        "The longer side decides, and both sides are multiplied by the same number: that is what keeps the proportions."
    )


@check
def check_shift(shift):
    """Check a function of a centre of mass: by how many whole pixels to move, right and down, to bring it to 14.5."""
    for centre in [(9.9, 10.2), (17.1, 12.4)]:
        exact = 14.5 - np.array(centre)
        expected = exact.round().astype(int).tolist()
        answer = read_numbers(call(shift, np.array(centre)), (2,), "two numbers, to the right and down")
        if np.abs(answer - expected).max() > 1e-9:
            where = (centre + answer).round(2).tolist()
            wanted = (
                f"With its centre of mass at {list(centre)} expected {expected}; your answer is "
                f"{answer.round(2).tolist()}, which brings it to {where}."
            )
            if np.abs(answer - exact).max() < 1e-6:
                raise NotYet(f"{wanted} Just right, but pixels can only be moved whole: round it.")
            if np.abs(answer + expected).max() < 0.6:
                raise NotYet(f"{wanted} The wrong way: from where it should be, take where it is.")
            if np.abs(answer - (14 - np.array(centre))).max() < 1e-6:
                raise NotYet(
                    f"{wanted} Which number did MNIST take for the middle? And pixels can only be moved whole."
                )
            raise NotYet(f"{wanted} It should come as near to 14.5 as whole pixels allow, both ways.")
    return "Rounding leaves up to half a pixel: that is the 0.5 which step 3 found in MNIST itself."


@check
def check_gains(gains, recognizer, labels, ways):
    """Check ten differences: for each digit, the share read when fitted less the share read when stretched.

    `ways` holds the images of step 7 of notebook 5 by the way they were prepared. The second way stretches a drawing,
    the third fits it into a box.
    """
    gains = read_numbers(gains, (10,), "ten differences, one for each digit from 0 to 9")
    stretched, fitted = (_share_of_each(recognizer, labels, images) for images in list(ways.values())[1:3])
    expected = fitted - stretched
    if np.abs(gains - expected).max() < 0.002:
        most, next_ = (int(digit) for digit in expected.argsort()[:-3:-1])
        return (
            f"The {most} gains most: stretched, {stretched[most]:.0%} are read, and fitted {fitted[most]:.0%}. Then "
            f"comes the {next_}, from {stretched[next_]:.0%} to {fitted[next_]:.0%}. Stretching makes a digit as wide "
            "as it is high, and it fills the picture to all four edges: which of the two hurts which digit?"
        )
    wrong = int(np.argmax(np.abs(gains - expected) >= 0.002))
    wanted = f"Expected {expected[wrong]:.3f} for the digit {wrong}; your answer is {gains[wrong]:.3f}."
    if np.abs(gains - fitted).max() < 0.002:
        raise NotYet(f"{wanted} These are the shares with fitting; what had been read with stretching?")
    if np.abs(gains - stretched).max() < 0.002:
        raise NotYet(f"{wanted} These are the shares with stretching; how much more is read with fitting?")
    if np.abs(gains + expected).max() < 0.002:
        raise NotYet(f"{wanted} The other way round: from the share with fitting take that with stretching.")
    if np.abs(gains - 100 * expected).max() < 0.2:
        raise NotYet(f"{wanted} Leave out the 100: shares go from 0 to 1.")
    raise NotYet(f"{wanted} share_of_each gives the ten shares of one way; two of them are to be compared.")


def _share_of_each(recognizer, labels, images):
    y_pred = recognizer.probabilities(network_input(images)).argmax(axis=1)
    return np.array([(y_pred[labels == digit] == digit).mean() for digit in range(10)])
