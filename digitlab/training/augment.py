"""Change training images a little at random, so that a network sees more ways of writing than MNIST has.

Nobody writes a digit twice in the same way: it leans, turns and stretches a little, its lines bend, and the pen is
thick or thin. The changes are small, so that a digit never turns into another one.
"""

import cv2
import numpy as np

from digitlab.prepare import SIDE

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SQUARE = np.ones((2, 2), np.uint8)
_PIXELS = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32)


def augment(images: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Change each image at random.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
    rng : numpy.random.Generator
    strength : float, optional
        0 (no change) to 1: standard deviations of 7 degrees of rotation, 0.15 of slant, 6 % of aspect, 3 % of size,
        0.4 pixels of position and 0.7 pixels of bending; a third of the images get a thicker or a thinner pen. Size
        and position change little, because preparing has made them alike.

    Returns
    -------
    uint8 array (n, 28, 28)
    """
    return np.stack([_augment_one(image, rng, strength) for image in images])


def _augment_one(image, rng, strength):
    if rng.random() < 0.35 * strength:
        # A pen that is thicker or thinner by part of a pixel.
        changed = cv2.dilate(image, _CROSS) if rng.random() < 0.5 else cv2.erode(image, _SQUARE)
        share = rng.random()
        image = cv2.addWeighted(image, 1 - share, changed, share, 0)
    angle, slant = rng.normal(0, (0.12, 0.15)) * strength
    aspect, size = rng.normal(0, (0.06, 0.03)) * strength
    stretch = np.exp([size + aspect, size - aspect])
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[stretch[0], slant], [0, stretch[1]]])
    middle = np.full(2, SIDE / 2)
    offset = middle - matrix @ middle + rng.normal(0, 0.4, 2) * strength
    # Elastic: a coarse grid of points is moved at random, and all pixels between them follow smoothly (P. Simard,
    # D. Steinkraus, J. Platt, "Best practices for convolutional neural networks", 2003).
    grid = rng.normal(0, 0.7, (6, 6, 2)).astype(np.float32) * np.float32(strength)
    bend = cv2.resize(grid, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    source = _PIXELS @ matrix.T.astype(np.float32) + offset.astype(np.float32) + bend
    return cv2.remap(image, source, None, cv2.INTER_LINEAR)
