"""Ruled and checked lines on a photo of paper: where they run, and how dark they are beneath the ink.

`digitlab.paper.remove_lines` takes them away.
"""

import cv2
import numpy as np

from digitlab.photo.image import ink_limit, shrunk

_LONGER_SIDE = 800  # Lines are looked for in an image whose longer side is this long, in pixels.
_STRIPS = 10  # It is cut into so many strips; within one a line is straight.
_SLOPES = np.arange(-0.3, 0.301, 0.0125)
_MIN_SHARE = 0.6  # So much of a line is darker than what is beside it, 0 to 1.


def lines_alone(even: np.ndarray) -> np.ndarray:
    """Return what the lines of the paper look like without the ink on them.

    Walk along a line: most of it is bare, and little is crossed by ink. So its median is the line without the ink.

    Parameters
    ----------
    even : uint8 array (h, w)
        How much darker than paper it is.

    Returns
    -------
    uint8 array (h, w)
        How dark the lines are; 0 where there is none.
    """
    small = shrunk(even, _LONGER_SIDE)
    limit = np.maximum(cv2.resize(ink_limit(even), small.shape[::-1]).astype(np.float32) * 0.08, 1.2)
    dark = np.percentile(small, 99.5) / 2
    alone = np.zeros_like(even)
    for down in (False, True):
        image, part, part_limit = (np.ascontiguousarray(a.T) if down else a for a in (even, small, limit))
        lines = find_lines(part, part_limit)
        if len(lines):
            drawn = _draw_lines(image, lines * (image.shape[0] / part.shape[0]), dark)
            alone = cv2.max(alone, np.ascontiguousarray(drawn.T) if down else drawn)
    return alone


def find_lines(small: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Find long lines that run about from left to right.

    Parameters
    ----------
    small : uint8 array (h, w)
        How dark an image is.
    limit : float32 array (h, w)
        How much darker than what is above and below it a line is at least.

    Returns
    -------
    float array (n, strips)
        For each line its y in the middle of each of the strips into which the image is cut.
    """
    height, width = small.shape
    reach = max(4, round(0.007 * max(height, width)))
    smooth = cv2.blur(small.astype(np.float32), (5, 1))
    padded = cv2.copyMakeBorder(smooth, reach, reach, 0, 0, cv2.BORDER_REPLICATE)
    beside = cv2.max(padded[: -2 * reach], padded[2 * reach :])
    ridge = cv2.compare(smooth - beside, limit, cv2.CMP_GT)
    share = np.zeros((height, _STRIPS))
    slopes, ties = np.zeros_like(share), np.ones_like(share)
    middles = (np.arange(_STRIPS) + 0.5) * width / _STRIPS
    for slope in _SLOPES:  # Shear the image: a line of this slope is horizontal then.
        room = int(abs(slope) * width) + 1
        top = room if slope > 0 else 0
        shear = np.array([[1, 0, 0], [slope, 1, -top]])
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        sheared = cv2.warpAffine(ridge, shear, (width, height + room), flags=flags)
        sheared = cv2.resize(sheared, (_STRIPS, height + room), interpolation=cv2.INTER_AREA) / 255
        for strip, middle in enumerate(middles):
            start = round(top - slope * middle)
            column = sheared[start : start + height, strip]
            better, same = column > share[:, strip], column == share[:, strip]
            share[better, strip] = column[better]
            slopes[:, strip] = np.where(better, slope, slopes[:, strip] + slope * same)
            ties[:, strip] = np.where(better, 1, ties[:, strip] + same)
    slopes /= ties
    segments = []
    for strip in range(_STRIPS):
        _, runs = cv2.connectedComponents((share[:, strip] > _MIN_SHARE).astype(np.uint8))
        weight = share[:, strip] ** 4
        sums = [np.bincount(runs.ravel(), weight * of) for of in (1, np.arange(height), slopes[:, strip])]
        weight, y, slope = (of[1:] for of in sums)
        segments.append([*zip(y / weight, slope / weight, strict=True)])
    return _linked(segments, width / _STRIPS)


def _linked(segments, step):
    """Follow lines from strip to strip, also through some in which ink hides them: float (n, strips)."""
    chains = []
    for strip, starts in enumerate(segments):
        for y, slope in starts:
            near = []
            for chain in chains:
                last, last_y, last_slope = chain[-1]
                if 0 < strip - last <= 4:
                    if len(chain) > 1:
                        before, before_y, _ = chain[-min(4, len(chain))]
                        last_slope = (last_y - before_y) / ((last - before) * step)
                    error = abs(last_y + last_slope * (strip - last) * step - y)
                    if error < 3 and abs(last_slope - slope) < 0.05:
                        near.append((error, chain))
            if near:
                min(near, key=lambda one: one[0])[1].append((strip, y, slope))
            else:
                chains.append([(strip, y, slope)])
    lines = np.empty((0, _STRIPS))
    for chain in sorted(chains, key=len, reverse=True):
        strips, ys, _ = np.array(chain).T
        if len(chain) < 0.35 * _STRIPS or len(chain) < 0.5 * np.ptp(strips):
            continue
        # Lines go from edge to edge: where there is none, none will be drawn.
        line = np.polyval(np.polyfit(strips, ys, 2 if len(chain) > 6 else 1), np.arange(_STRIPS))
        seen = strips.astype(int)
        if (np.abs(lines[:, seen] - line[seen]).mean(axis=1) > 4).all():
            lines = np.vstack([lines, line])
    return lines


def _draw_lines(even, lines, dark):
    """Draw each line as dark as it is where no ink is on it: uint8 (h, w)."""
    height, width = even.shape
    half = max(8, round(0.006 * max(height, width)))
    strips = np.arange(_STRIPS)
    drawn = np.zeros_like(even)
    at = (np.arange(width, dtype=np.float32) + 0.5) * _STRIPS / width - 0.5
    offsets = np.arange(-half, half + 1)
    columns = np.broadcast_to(np.arange(width), (len(offsets), width))
    middles = [np.polyfit(strips, line, 2) for line in lines]
    profiles = _profiles(even, np.array([np.polyval(middle, at) for middle in middles]), offsets)
    for number, profile in enumerate(profiles):  # Where is the middle, exactly?
        peak = profile.max(axis=0)
        weights = np.clip(profile - 0.4 * peak, 0, None)
        shift = (weights * offsets[:, None]).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-6)
        trust = np.minimum(peak, np.percentile(peak, 60))
        middles[number] = np.polyadd(middles[number], np.polyfit(strips, shift, 2, w=trust + 1e-3))
    ys = np.array([np.polyval(middle, at) for middle in middles], np.float32)
    profiles = _profiles(even, ys, offsets)
    for y, profile in zip(ys, profiles, strict=True):
        usual = np.percentile(profile, 70, axis=1, keepdims=True)
        if usual.max() > dark and (profile.max(axis=0) > 0.5 * usual.max()).mean() < 0.7:  # Written with the pen?
            continue
        profile = np.minimum(profile, 1.4 * usual + 2)
        rows = np.rint(y).astype(int) + offsets[:, None]
        darkness = cv2.remap(
            profile.astype(np.float32),
            np.broadcast_to(at, rows.shape).astype(np.float32),
            (rows - y + half).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        inside = (rows >= 0) & (rows < height)
        place = rows[inside], columns[inside]
        drawn[place] = np.maximum(drawn[place], darkness[inside])
    return drawn


def _profiles(even, ys, offsets, samples=64):
    """Return how dark each line is across, in each strip: float32 (n, offsets, strips)."""
    count, width = ys.shape
    picked = ((np.arange(_STRIPS * samples) + 0.5) * width / (_STRIPS * samples)).astype(int)
    map_y = (ys[:, None, picked] + offsets[:, None]).reshape(-1, len(picked)).astype(np.float32)
    map_x = np.broadcast_to(picked.astype(np.float32), map_y.shape)
    along = cv2.remap(even, np.ascontiguousarray(map_x), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profiles = np.median(along.reshape(count, len(offsets), _STRIPS, samples), axis=3)
    return np.clip(profiles - np.percentile(profiles, 15, axis=1, keepdims=True), 0, None)
