"""What the steps of `digitlab.paper` are made of: the paper's light and noise, straight lines, percentiles.

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


def straight_lines(small: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find long straight lines that run about from left to right.

    Parameters
    ----------
    small : uint8 array (h, w)
        How dark an image is.
    limit : float32 array (h, w)
        How much darker than what is above and below it a line is at least.

    Returns
    -------
    labels : int32 array (h, w)
        Each line has a number, from 1; 0 where there is none.
    core : uint8 array (h, w)
        Not 0 along the middle of the lines.
    """
    height, width = small.shape
    ridge = cv2.blur(small, (1, 3)).astype(np.float32) - cv2.blur(small, (1, max(5, round(0.016 * max(height, width)))))
    mask = (ridge > limit).astype(np.uint8) * 255
    window = max(20, round(0.12 * max(height, width)))
    lines, core = np.zeros_like(small), np.zeros_like(small)
    for slope in np.arange(-0.3, 0.301, 0.02):
        room = int(abs(slope) * width) + 1
        matrix = np.array([[1, 0, 0], [slope, 1, room if slope < 0 else 0]], np.float64)
        sheared = cv2.warpAffine(mask, matrix, (width, height + room), flags=cv2.INTER_NEAREST)
        dark = cv2.blur(sheared, (window, 1), borderType=cv2.BORDER_CONSTANT)
        run = cv2.compare(dark, 0.72 * 255, cv2.CMP_GT)
        if cv2.hasNonZero(run):
            core |= cv2.warpAffine(run, matrix, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
            # At the end of a line only half of the window is dark: follow it to its end.
            longer = cv2.dilate(run, np.ones((1, 3 * window // 4), np.uint8))
            run = longer & cv2.dilate(sheared, np.ones((3, 5), np.uint8))
            lines |= cv2.warpAffine(run, matrix, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    core &= mask
    lines = cv2.dilate(lines, np.ones((3, 1), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8, ltype=cv2.CV_32S)
    # The feet of digits in a row are in line, too. But what is as dark as ink is only a line if it crosses the sheet.
    dark = np.zeros(len(stats), np.float32)
    its_line = labels[core > 0]
    dark[its_line] = percentiles(small[core > 0], its_line, 0.5)
    ink = np.percentile(small[small > limit], 98) if (small > limit).any() else 0
    length = stats[:, cv2.CC_STAT_WIDTH]
    is_line = (length > 0.35 * width) & ((dark < 0.5 * ink) | (length > 0.6 * width))
    labels[~is_line[labels]] = 0
    core[labels == 0] = 0
    return labels, core


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
    if min(own.shape) <= 6:
        return False
    padded = cv2.copyMakeBorder(own.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return 2 * cv2.distanceTransform(padded, cv2.DIST_L2, 3).max() > 0.65 * max(own.shape)


def darkest_colour(photo: np.ndarray) -> np.ndarray:
    """Return the darkest of the three colours, a little blurred: ink of any colour is dark in one; uint8 (h, w)."""
    grey = photo if photo.ndim == 2 else cv2.min(cv2.min(photo[..., 0], photo[..., 1]), photo[..., 2])
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


def shrunk(image: np.ndarray, longer_side: int) -> np.ndarray:
    """Return an image made smaller, so that its longer side is at most this long."""
    scale = min(1, longer_side / max(image.shape))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
