"""What the steps of `digitlab.paper` are made of: the paper's light and noise, percentiles.

The steps themselves are in `digitlab.paper`.
"""

import cv2
import numpy as np

COARSE = 480
"""Light and noise are looked at in an image whose longer side is this long, in pixels."""

MIN_INK = 14
"""Minimum darkness of ink, 0 to 255, however little noise there is."""

MAX_NOISE = 60
"""What is darker than this is ink, however much noise there is: thick strokes side by side look like noise."""


def percentiles(values: np.ndarray, groups: np.ndarray, share: float) -> np.ndarray:
    """Return for each value a percentile, 0 to 1, of all values of its group: float32 (n,)."""
    order = np.lexsort((values, groups))
    ends = np.flatnonzero(np.diff(groups[order], append=-1))
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(int)
    result = np.empty(len(values), np.float32)
    result[order] = np.repeat(values[order][starts + ((ends - starts) * share).astype(int)], ends - starts + 1)
    return result


def is_blot(own: np.ndarray) -> bool:
    """Return whether a piece of ink, bool (h, w), is hardly longer than it is thick."""
    return min(own.shape) > 6 and thickness(own) > 0.65 * max(own.shape)


def thickness(own: np.ndarray, hole: int = 1) -> float:
    """Return how thick a piece of ink, bool (h, w), is where it is thickest; holes less wide than `hole` are filled."""
    room = hole // 2 + 1
    ink = cv2.copyMakeBorder(own.astype(np.uint8), room, room, room, room, cv2.BORDER_CONSTANT)
    filled = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((hole, hole), np.uint8))
    return 2 * float(cv2.distanceTransform(filled, cv2.DIST_L2, 3).max())


def darker_colour(photo: np.ndarray) -> np.ndarray:
    """Return the darker of red and green, a little blurred; uint8 (h, w).

    Ink of any colour but yellow is dark in one of them. Blue is left out: there coffee is darkest, and a photo has most
    noise.
    """
    grey = photo if photo.ndim == 2 else cv2.min(photo[..., 0], photo[..., 1])
    return cv2.GaussianBlur(grey, (0, 0), 0.8)


def paper_light(grey: np.ndarray) -> np.ndarray:
    """Return how bright the paper is, with its ink filled up: uint8, its longer side at most `COARSE`."""
    small = shrunk(grey, COARSE)
    side = max(3, round(0.07 * max(small.shape)) | 1)
    filled = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return cv2.medianBlur(filled, 5)


def coarse_noise(even: np.ndarray) -> np.ndarray:
    """Return how dark the paper itself looks here and there: uint8, its longer side at most `COARSE`."""
    small = shrunk(even, COARSE)
    # The lightest of nine neighbours: the median of many of them is the paper's, also where it is densely written on.
    return cv2.medianBlur(cv2.erode(small, np.ones((3, 3), np.uint8)), 25)


def ink_limit(even: np.ndarray) -> np.ndarray:
    """Return how dark ink must be at least, which depends on the paper's noise: uint8 (h, w)."""
    noise = cv2.resize(coarse_noise(even), even.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.min(cv2.max(cv2.convertScaleAbs(noise, alpha=8), MIN_INK), MAX_NOISE)


def mean_of_dark(clean: np.ndarray) -> np.ndarray:
    """Return how dark the ink is near each pixel, the darker the more it counts: float32 (h, w)."""
    dark = clean.astype(np.float32)
    side = max(5, round(0.01 * max(clean.shape)) | 1)
    total = cv2.boxFilter(dark, -1, (side, side))
    return cv2.boxFilter(dark * dark, -1, (side, side)) / np.maximum(total, 1e-3)


def shrunk(image: np.ndarray, longer_side: int) -> np.ndarray:
    """Return an image made smaller, so that its longer side is at most this long."""
    scale = min(1, longer_side / max(image.shape))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
