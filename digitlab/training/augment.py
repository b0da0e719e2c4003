"""How training digits are varied, so that a network meets more hands than wrote MNIST. It stands on `prepare`.

Nobody writes a digit twice alike: it leans, turns and stretches a little, its lines bend, and the pen is thick or thin.
A network that has seen this does not mind it. What it must not see is a change that makes another digit of it.
"""

import cv2
import numpy as np

from digitlab.prepare import SIDE

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SQUARE = np.ones((2, 2), np.uint8)
_PIXELS = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32)


def augment(images, random, strength=1.0):
    """Vary pictures of digits.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
    random : numpy.random.Generator
        Where chance comes from.
    strength : float, optional
        0 (not at all) to 1: standard deviations of 7 degrees of turn, 0.15 of slant, 6 % of breadth and height,
        3 % of size, 0.4 pixels of place and 0.7 pixels of bending; and for a third of the pictures a thicker or a
        thinner pen. Size and place vary little, for preparing has put them right already.

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
    breadth, size = random.normal(0, (0.06, 0.03)) * strength
    stretch = np.exp([size + breadth, size - breadth])
    cos, sin = np.cos(turn), np.sin(turn)
    change = np.array([[cos, -sin], [sin, cos]]) @ np.array([[stretch[0], slant], [0, stretch[1]]])
    middle = np.full(2, SIDE / 2)
    place = middle - change @ middle + random.normal(0, 0.4, 2) * strength
    # Bent as if drawn on rubber: a few points of the picture are pulled somewhere, and all between them follow smoothly
    # (P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks", 2003).
    pulls = random.normal(0, 0.7, (6, 6, 2)).astype(np.float32) * np.float32(strength)
    bend = cv2.resize(pulls, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    where = _PIXELS @ change.T.astype(np.float32) + place.astype(np.float32) + bend
    return cv2.remap(image, where, None, cv2.INTER_LINEAR)
