"""Make drawings and images smaller and move them, at random: as people draw on a canvas, anywhere and at any size."""

import cv2
import numpy as np

from digitlab.ink import CANVAS, PEN, Ink
from digitlab.prepare import BOX, SIDE, crop

MIN_SHARE = 0.35
"""How small a digit gets, as a share of the box that MNIST's digits fill. The largest fills it."""


def scatter(ink: Ink, rng: np.random.Generator) -> Ink:
    """Draw an ink anew at a random size, somewhere on the canvas.

    Parameters
    ----------
    ink : Ink
        Not empty.
    rng : numpy.random.Generator

    Returns
    -------
    Ink
        On a canvas of 280 x 280. The longer side of the digit is 70 to 200 pixels.
    """
    cropped = crop(ink)
    scale = rng.uniform(MIN_SHARE, 1) * CANVAS * BOX / SIDE / max(cropped.size)
    room = CANVAS - PEN - np.array(cropped.size) * scale
    corner = rng.uniform(0, room) + PEN / 2
    return Ink([stroke * scale + corner for stroke in cropped.strokes])


def scatter_images(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shrink each digit to a random size and put it somewhere in its image.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
        MNIST's digits. None is black all over.
    rng : numpy.random.Generator

    Returns
    -------
    uint8 array (n, 28, 28)
        The digits have 35 to 100 % of their size.
    """
    scattered = np.zeros_like(images)
    for image, target in zip(images, scattered, strict=True):
        digit = crop(image)
        scale = rng.uniform(MIN_SHARE, 1)
        height, width = (max(1, round(side * scale)) for side in digit.shape)
        top, left = rng.integers(0, SIDE + 1 - height), rng.integers(0, SIDE + 1 - width)
        target[top : top + height, left : left + width] = cv2.resize(
            digit, (width, height), interpolation=cv2.INTER_AREA
        )
    return scattered
