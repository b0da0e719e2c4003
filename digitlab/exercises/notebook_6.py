"""The checks of the exercises in notebook 6, "Draw"."""

import numpy as np

from digitlab.exercises.checking import NotYet, check, describe
from digitlab.ink import Ink
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.prepare import prepare
from digitlab.recognizer import Recognizer


@check
def check_four(drawing):
    """Check an ink that the kit's best network reads as a 4, and its MNIST-only network does not."""
    ours, other = _read_by_both(drawing)
    if ours.digit != 4:
        raise NotYet(
            f"Expected that ours reads a 4; it says: {ours}. Begin with Ink.example(4), or look at how others write it."
        )
    if other.digit == 4:
        raise NotYet(
            f"Expected that only ours reads a 4; the other one says {other}. Leave the 4 open at the top, lead the "
            "first stroke far down before it turns right, and make the second one short."
        )
    return f"Ours says {ours}, the other one {other}. The strokes are the same; only one network was shown such 4s."


@check
def check_no_digit(drawing):
    """Check an ink that is no digit for the kit's best network, while the MNIST-only one is over 90 % sure of one."""
    ours, other = _read_by_both(drawing)
    if np.array_equal(prepare(drawing), prepare(_LETTER_A)):
        raise NotYet("That is the A of step 1, and it does not count: find something of your own.")
    if ours.reason != "not a digit":
        raise NotYet(
            f'Expected that ours says "that\'s no digit, is it?"; it says: {ours}. Try a letter, or a pattern.'
        )
    if other.confidence <= 0.9:
        raise NotYet(
            f"Ours says that it is no digit. Expected that the other one is more than 90 % sure of one; it says: "
            f"{other}. Bring your drawing a little nearer to the {other.digit}, but not so near that it is one."
        )
    return (
        f"Ours says that it is no digit, the other one {other}. Its ten probabilities add up to 1 whatever it is "
        "shown, so being sure means only: of the ten, this one."
    )


_LETTER_A = Ink([[(80, 230), (140, 50), (200, 230)], [(105, 165), (175, 165)]])


def _read_by_both(drawing):
    if not isinstance(drawing, Ink):
        raise NotYet(f"Expected an Ink, a list of strokes; your answer is {describe(drawing)}.")
    if not drawing:
        raise NotYet("Expected a drawing; your answer is an Ink without a stroke.")
    return Recognizer.load().predict(drawing), Recognizer.load(MNIST_ONLY_NETWORK).predict(drawing)
