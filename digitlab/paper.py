"""Find handwritten digits on a photo of paper, each ready to be read.

The steps can be called one by one, and what each makes can be looked at. Images of ink are uint8 arrays (h, w), white
ink (255) on black paper (0), as everywhere in the kit:

    even_light -> remove_lines -> ink_mask -> find_pieces -> group_pieces

`off_paper` and `stains` say where what is dark is no ink. The steps know nothing about digits before the last one:
there the network says which pieces of ink belong together.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitlab.photo.files import MAX_PIXELS, example_photo, load_photo, read_photo
from digitlab.photo.image import (
    COARSE,
    coarse_noise,
    darker_colour,
    ink_limit,
    is_blot,
    mean_of_dark,
    paper_light,
    percentiles,
    shrunk,
)
from digitlab.photo.lines import lines_alone
from digitlab.photo.pieces import Piece, group_pieces
from digitlab.recognizer import Recognizer

__all__ = [
    "MAX_PIXELS",
    "Found",
    "Piece",
    "even_light",
    "example_photo",
    "find_digits",
    "find_pieces",
    "group_pieces",
    "ink_mask",
    "lines_alone",
    "load_photo",
    "off_paper",
    "remove_lines",
    "stains",
]

_WORKING = 4_000_000  # Larger photos are made smaller: digits are large enough then, and noise is less.
_MIN_SIDE = 8  # A narrower photo has no room for a digit, in pixels.
_MAX_PIECES = 1_000  # Of a photo of sand or leaves only the largest pieces are looked at.


@dataclass(frozen=True, eq=False)
class Found:
    """A digit that was found on a photo, or something that looks like one."""

    box: tuple[int, int, int, int]
    """x and y of the upper left corner, width and height, in pixels of the photo."""

    image: np.ndarray
    """uint8 (h, w), white ink on black: for `Recognizer.predict`."""

    row: int
    """The row of digits that it stands in, from 0 at the top."""


def find_digits(photo: np.ndarray | Path | str, recognizer: Recognizer | None = None) -> list[Found]:
    """Find the digits on a photo of paper.

    Parameters
    ----------
    photo : uint8 array (h, w) or (h, w, 3), or path-like
        Dark ink on light paper, up to `MAX_PIXELS`; three colours are red, green and blue. A path is loaded with
        `load_photo`. Photos of more than 4 megapixels are made smaller first.
    recognizer : Recognizer, optional
        The network that says which pieces of ink belong together; by default the one that came with the kit. One
        that can say "not a digit" is much better at it.

    Returns
    -------
    list of Found
        In reading order: rows from the top, each from left to right. What the network is sure is no digit, such as
        most letters, is left out, unless it is rare among digits: then it is one that is badly written. Digits that
        touch and cannot be told apart are one. Of both `Recognizer.predict` says that they are no digit. An empty sheet
        has none.

    Raises
    ------
    ValueError
        If it is not a photo, or one that is too large, damaged or of a kind that cannot be read.
    TypeError
        If it is neither an array nor a path.
    FileNotFoundError
        If there is no such file.
    """
    photo = read_photo(photo)
    height, width = photo.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return []
    scale = min(1.0, (_WORKING / (height * width)) ** 0.5)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    clean = remove_lines(even_light(photo))
    pieces = find_pieces(clean, off_paper(photo), stains(photo))
    pieces = group_pieces(pieces, recognizer or Recognizer.load())
    return [
        Found(tuple(round(side / scale) for side in (p.x, p.y, p.width, p.height)), p.image(), p.row) for p in pieces
    ]


def even_light(photo: np.ndarray) -> np.ndarray:
    """Compare each pixel with the paper around it, so that lamps and shadows no longer matter.

    The paper's brightness is that of the photo with everything dark and narrow filled up (a morphological closing).

    Parameters
    ----------
    photo : uint8 array (h, w) or (h, w, 3)

    Returns
    -------
    uint8 array (h, w)
        How much darker than paper it is: 0 for paper, 255 for black.
    """
    grey = darker_colour(photo)
    paper = cv2.resize(paper_light(grey), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return 255 - cv2.divide(grey, cv2.max(paper, 1), scale=255)


def off_paper(photo: np.ndarray) -> np.ndarray:
    """Return where there is no paper: at its edge, on a table that is dark or has grain; uint8 (h, w), 255 there."""
    grey = darker_colour(photo)
    paper = paper_light(grey)
    near = np.ones((5, 5), np.uint8)
    off = cv2.compare(cv2.erode(paper, near), cv2.convertScaleAbs(cv2.dilate(paper, near), alpha=0.72), cv2.CMP_LT)
    off[paper < 0.35 * np.percentile(paper, 90)] = 255  # No shadow on paper is as dark.
    noise = coarse_noise(even_light(photo))
    # The quietest quarter of the photo is paper, however large the table is beside it.
    noise_of_paper = np.percentile(noise, 25)
    _, labels = cv2.connectedComponents((noise > max(16, 4 * noise_of_paper)).astype(np.uint8))
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    off[np.isin(labels, at_border[at_border > 0])] = 255
    off = cv2.dilate(off, np.ones((15, 15), np.uint8))  # The paper seems larger than it is: its light fills the table.
    _, labels, stats, _ = cv2.connectedComponentsWithStats((off == 0).astype(np.uint8))
    off[(stats[:, cv2.CC_STAT_AREA] < 0.02 * off.size)[labels]] = 255  # Islands of the table.
    return cv2.resize(off, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)


def stains(photo: np.ndarray) -> np.ndarray:
    """Return where the paper has a stain of coffee or tea: pale brown, as ink is not; uint8 (h, w), 255 there."""
    height, width = photo.shape[:2]
    if photo.ndim == 2:
        return np.zeros((height, width), np.uint8)
    small = cv2.GaussianBlur(shrunk(photo, COARSE), (0, 0), 1)
    # How many times the light is halved, in each colour, compared with the paper around.
    red, green, blue = (np.log2((paper_light(c) + 1.0) / (c + 1.0)) for c in cv2.split(small))
    brown = (blue - red > 0.07) & (blue - red < 0.43) & (green < 0.58)
    return cv2.resize(brown.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_NEAREST)


def remove_lines(even: np.ndarray) -> np.ndarray:
    """Take ruled and checked lines away, and keep the ink that crosses them.

    What the lines look like without the ink, `lines_alone` knows. A line is like a tinted glass: it lets a part of the
    light pass. Divide by that part, and the light is as if there was no line, on paper as on ink.

    Parameters
    ----------
    even : uint8 array (h, w)
        As `even_light` returns it.

    Returns
    -------
    uint8 array (h, w)
    """
    lines = cv2.convertScaleAbs(lines_alone(even), alpha=1.1)  # A little more: no line is equally dark all along.
    return 255 - cv2.divide(255 - even, 255 - lines, scale=255)


def ink_mask(clean: np.ndarray) -> np.ndarray:
    """Tell ink from paper: ink is darker than the paper's noise, and than almost half of the darkest ink it joins.

    Where the ink nearby is paler, as where a pencil touches a pen, paler ink is enough.

    Parameters
    ----------
    clean : uint8 array (h, w)
        As `remove_lines` returns it.

    Returns
    -------
    uint8 array (h, w)
        255 where there is ink, else 0.
    """
    rough = cv2.compare(clean, ink_limit(clean), cv2.CMP_GT)
    _, labels = cv2.connectedComponents(rough, connectivity=8)
    on = np.flatnonzero(rough)
    values = clean.ravel()[on]
    darkest = percentiles(values, labels.ravel()[on], 0.9)
    nearby = mean_of_dark(cv2.bitwise_and(clean, rough)).ravel()[on]
    mask = np.zeros_like(clean)
    mask.ravel()[on[values > np.maximum(0.25 * darkest, np.minimum(0.45 * darkest, 0.6 * nearby))]] = 255
    return mask


def find_pieces(clean: np.ndarray, off: np.ndarray | None = None, stained: np.ndarray | None = None) -> list[Piece]:
    """Find the connected pieces of ink that may be a digit or a part of one.

    Parameters
    ----------
    clean : uint8 array (h, w)
        As `remove_lines` returns it.
    off : uint8 array (h, w), optional
        Where there is no paper, as `off_paper` returns it.
    stained : uint8 array (h, w), optional
        Where there is a stain, as `stains` returns it.

    Returns
    -------
    list of Piece
        The `_MAX_PIECES` largest, without specks, blots, holes, stains, what is cut by the photo's edge, what is not on
        paper, and large nets of thin lines.
    """
    height, width = clean.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink_mask(clean), connectivity=8)
    pieces = []
    for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:_MAX_PIECES]:
        x, y, w, h, area = stats[number].tolist()
        if area < 8 or max(w, h) < 6 or x == 0 or y == 0 or x + w == width or y + h == height:
            continue
        box = slice(y, y + h), slice(x, x + w)
        own = labels[box] == number
        is_net = max(w, h) > 0.15 * max(width, height) and area < 0.06 * w * h
        # A margin's line ends where the paper ends.
        most_off = 60 if min(w, h) < 0.3 * max(w, h) else 200
        if is_net or is_blot(own) or (off is not None and off[box][own].mean() > most_off):
            continue
        if stained is not None and stained[box][own].mean() > 120:
            continue
        pieces.append(Piece(x, y, np.where(own, clean[box], 0)))
    return pieces
