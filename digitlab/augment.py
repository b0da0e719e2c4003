"""How training digits are varied, so that a network meets more hands than wrote MNIST. It stands on `prepare`.

Nobody writes a digit twice alike: it leans, turns and stretches a little, and the pen is thick or thin. A network that
has seen this does not mind it. What it must not see is a change that makes another digit of it.
"""

import cv2
import numpy as np

from digitlab.prepare import SIDE

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SQUARE = np.ones((2, 2), np.uint8)


def vary(images, random, strength=1.0):
    """Vary pictures of digits.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
    random : numpy.random.Generator
        Where chance comes from.
    strength : float, optional
        0 (hardly) to 1: standard deviations of 7 degrees of turn, 0.15 of slant, 8 % of size and 0.7 pixels of place,
        and for a third of the pictures a thicker or a thinner pen.

    Returns
    -------
    uint8 array (n, 28, 28)
    """
    return np.stack([_vary_one(image, random, strength) for image in images])


def _vary_one(image, random, strength):
    if random.random() < 0.35 * strength:
        # Thicker or thinner by a part of a pixel.
        changed = cv2.dilate(image, _CROSS) if random.random() < 0.5 else cv2.erode(image, _SQUARE)
        share = random.random()
        image = cv2.addWeighted(image, 1 - share, changed, share, 0)
    turn, slant = random.normal(0, (0.12, 0.15)) * strength
    stretch = np.exp(random.normal(0, 0.08, 2) * strength)
    cos, sin = np.cos(turn), np.sin(turn)
    change = np.array([[cos, -sin], [sin, cos]]) @ np.array([[stretch[0], slant], [0, stretch[1]]])
    middle = np.full(2, SIDE / 2)
    place = middle - change @ middle + random.normal(0, 0.7, 2) * strength
    return cv2.warpAffine(image, np.column_stack([change, place]), (SIDE, SIDE), flags=cv2.INTER_LINEAR)
