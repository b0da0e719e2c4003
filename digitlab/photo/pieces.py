"""Pieces of ink on a photo, and the digits that they make."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.photo.image import thickness
from digitlab.prepare import network_input, prepare
from digitlab.recognizer import NOT_A_DIGIT, Recognizer, apply_temperature

_MAX_CUT = 60  # So many pieces are tried to be cut, the widest first.
_MAX_UNCUT = 8  # Only joined letters give so many wide pieces that cannot be cut: then no more are tried.
_LETTER = 0.97  # A piece is most likely a letter if the network takes it for "not a digit" as much as this.


@dataclass(eq=False)
class Piece:
    """A piece of ink, or several that belong together."""

    x: int
    y: int
    ink: np.ndarray
    """uint8 (h, w): its ink; 0 where there is none, and where there is another piece's."""

    score: float = 0.0
    """How much the network takes it for a digit, 0 to 1."""

    other: float = 0.0
    """How much the network takes it for something else, 0 to 1."""

    row: int = 0
    """The row that it stands in, from 0 at the top."""

    def __post_init__(self):
        self.height, self.width = self.ink.shape
        self.size = max(self.ink.shape)
        self.right, self.bottom = self.x + self.width, self.y + self.height
        on = self.ink[self.ink > 0]
        self.darkness = float(np.percentile(on, 90)) if len(on) else 0.0
        self.stroke = len(on) / self.size

    def image(self) -> np.ndarray:
        """Return it cut out, with black around it: uint8 (h, w), its darkest ink white."""
        ink = cv2.copyMakeBorder(self.ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        ink = cv2.convertScaleAbs(ink, alpha=255 / max(self.darkness, 1))
        factor = 96 / self.size
        if factor > 1:  # `prepare` measures the width of strokes, which takes large digits.
            ink = cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        room = max(4, max(ink.shape) // 6)
        return cv2.copyMakeBorder(ink, room, room, room, room, cv2.BORDER_CONSTANT)


def group_pieces(pieces: Sequence[Piece], recognizer: Recognizer) -> list[Piece]:
    """Make digits of pieces: join those of one digit, cut those of several, leave out what is no digit.

    Each is tried, and what the network takes for digits most is kept.

    Parameters
    ----------
    pieces : sequence of Piece
        As `find_pieces` returns them.
    recognizer : Recognizer

    Returns
    -------
    list of Piece
        In reading order.
    """
    pieces = [piece for piece in pieces if piece.darkness]
    if not pieces:
        return []
    pieces, size, darkness = _leave_out_stains(pieces, recognizer)
    _read(pieces, recognizer)
    pieces = _join_near(pieces, size, recognizer)
    height = _usual([p.height for p in pieces], pieces)
    parts = _cut_rows(pieces, height, recognizer)
    narrow = [p for p in pieces if p not in parts and not _is_wide(p, height)]
    narrow = [p for p in narrow if _may_be_digit(p, size, height, darkness, 1.0)]
    # One among many digits is a digit that is badly written; where there are more, they are letters.
    doubtful = sum(p.other >= _LETTER for p in narrow)
    has_letters = doubtful >= max(2, 0.06 * len(narrow))
    if has_letters:
        parts = {piece: its for piece, its in parts.items() if _is_wide(piece, height)}
    pieces = [part for piece in pieces for part in parts.get(piece, [piece])]
    limit = _LETTER if has_letters or len(narrow) < 8 else 1.0
    return _reading_order([p for p in pieces if _may_be_digit(p, size, height, darkness, limit)])


def _leave_out_stains(pieces, recognizer):
    """Return the pieces that the pen may have made, and their usual size and darkness."""
    darkness = _usual([p.darkness for p in pieces], pieces)
    pieces = [p for p in pieces if p.darkness > 0.35 * darkness]
    size = _usual([p.size for p in pieces], pieces)
    pieces = [p for p in pieces if p.height < 3.5 * size and (p.size < 3 * size or p.size < 8 * p.height)]
    stroke = _usual([p.stroke for p in pieces], pieces)
    # What is left of a line is straight, thinner than the pen, and pale.
    pieces = [
        p
        for p in pieces
        if p.darkness > 0.6 * darkness or p.stroke > 0.45 * stroke or min(p.width, p.height) > 2.5 * p.stroke
    ]
    # What is paler than the pen, and thicker, is a stain or a table; or a digit in pencil beside digits in ink.
    thick = [thickness(p.ink > 0, hole=5) for p in pieces]
    limit = 1.6 * _usual(thick, pieces)
    stains = {p for p, its in zip(pieces, thick, strict=True) if p.darkness <= 0.75 * darkness and its >= limit}
    in_pencil = [p for p in stains if 0.5 * size < p.size < 2 * size and p.darkness > 0.5 * darkness]
    _read(in_pencil, recognizer)
    stains -= {p for p in in_pencil if p.score > 0.9}
    return [p for p in pieces if p not in stains], size, darkness


def _may_be_digit(piece, size, height, darkness, limit):
    if piece.size < 0.33 * size or piece.height < 0.4 * piece.width or piece.height > 12 * piece.width:
        return False
    usual = 0.5 * size < piece.size < 2 * size and piece.darkness > 0.6 * darkness
    if piece.size > 2 * size and piece.darkness < 0.5 * darkness:  # A stain.
        return False
    touching = usual and piece.width > 1.2 * max(piece.height, height) and piece.height > 0.8 * height
    return touching or piece.other < (limit if usual else 0.5)


def _join_near(pieces, size, recognizer):
    """Join pieces that together are more like a digit than the lesser of them is alone."""
    tried = {}
    while True:
        low = np.array([(p.x, p.y) for p in pieces])
        high = np.array([(p.right, p.bottom) for p in pieces])
        sizes, heights, darkness = np.array([(p.size, p.height, p.darkness) for p in pieces]).T
        gap = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).max(axis=2)
        joint = np.maximum(high[:, None], high[None]) - np.minimum(low[:, None], low[None])
        larger = np.maximum(sizes[:, None], sizes[None])
        higher = np.maximum(heights[:, None], heights[None])
        near = gap < 0.3 * np.minimum(larger, 1.5 * size)
        near &= joint[..., 0] < 1.4 * np.maximum(larger, 0.75 * size)
        highest = np.where(gap < 0.06 * size, 1.5, 1.05) * size  # The loops of an 8 that almost touch, or a 5's bar.
        near &= joint[..., 1] < np.maximum(1.4 * higher, highest)
        near &= np.minimum(darkness[:, None], darkness[None]) > 0.5 * np.maximum(darkness[:, None], darkness[None])
        pairs = [(pieces[i], pieces[j]) for i, j in np.argwhere(near).tolist() if i < j]
        new = [pair for pair in pairs if pair not in tried]
        tried.update(zip(new, (joint := [_join(*pair) for pair in new]), strict=True))
        _read(joint, recognizer)
        gains = {pair: _gain(*pair, tried[pair], size) for pair in pairs}
        taken, joined = set(), []
        for pair in sorted(pairs, key=gains.get, reverse=True):
            if gains[pair] >= 0.1 and taken.isdisjoint(pair):
                taken |= {*pair}
                joined.append(tried[pair])
        if not joined:
            return pieces
        pieces = [p for p in pieces if p not in taken] + joined


def _gain(first, second, joint, size):
    apart = joint.width > first.width + second.width or joint.height > first.height + second.height
    stacked = max(joint.height - first.height - second.height, 1.5 * max(first.height, second.height) - joint.height)

    def alone(piece):  # A dash or a dot is no digit, whatever the network says; half an 8 is one less than the 8.
        is_dash = piece.size < 0.4 * size or piece.width > 1.8 * piece.height
        whole = piece.height / size if stacked < 0.06 * size else 1.0 if apart else piece.size / (0.7 * size)
        return 0.0 if is_dash else piece.score * min(1.0, whole)

    lesser, better = sorted((alone(first), alone(second)))
    if joint.score < 0.4 or (lesser == 0 and joint.score < better - 0.3):
        return -1.0
    return joint.score - lesser


def _join(first, second):
    x, y = min(first.x, second.x), min(first.y, second.y)
    ink = np.zeros((max(first.bottom, second.bottom) - y, max(first.right, second.right) - x), np.uint8)
    for piece in (first, second):
        part = ink[piece.y - y : piece.bottom - y, piece.x - x : piece.right - x]
        np.maximum(part, piece.ink, out=part)
    return Piece(x, y, ink)


def _cut_rows(pieces, height, recognizer):
    """Cut what is a row of touching digits: {piece: its parts}."""
    parts, uncut, tried = {}, [], 0
    for piece in sorted(pieces, key=lambda p: p.width / p.height, reverse=True):
        # A letter's parts may look like digits, too: an a's like 01. But it is lower than two digits, or less wide.
        wide = _is_wide(piece, height)
        is_row = piece.width > 0.9 * piece.height and piece.width > 0.8 * height and piece.width < 6 * piece.height
        is_row &= 0.85 < piece.height / height < 2.5 and (wide or piece.score < 0.7)
        if is_row and tried < _MAX_CUT and len(uncut) < _MAX_UNCUT:
            tried += 1
            if best := _best_parts(piece, 8, 0.8 if wide else 0.99, recognizer):
                parts[piece] = best
            elif wide:
                uncut.append(piece)
    if len(uncut) < _MAX_UNCUT:
        for piece in uncut:
            if piece.width < 2.5 * piece.height and (best := _best_parts(piece, 16, 0.8, recognizer)):
                parts[piece] = best
    return parts


def _is_wide(piece, height):
    return piece.width > 1.15 * height


def _best_parts(piece, fineness, least, recognizer):
    """Cut a row of touching digits where the worst of its parts is best; None if that is not above the least."""
    step = max(1, piece.height // fineness)
    cuts = [*range(0, piece.width - step, step), piece.width]
    last = len(cuts) - 1
    best_score, best = max(least, piece.score), None
    most = max(2, int(2 * piece.width / piece.height))  # An m would be a row of ones.
    for lean in (0.0, -0.2, 0.2, -0.4, 0.4):
        if best_score > 0.99 and best:
            break
        outer = [(0, j) for j in range(1, last)] + [(i, last) for i in range(1, last)]
        parts = _good_parts(piece, cuts, lean, outer, best_score, recognizer)
        has_end = any(i for i, _ in parts)
        ways = {0: (1.0, [])}  # To each cut: the score of the worst part, and the parts.
        for j in range(1, len(cuts)):
            to_j = [(min(ways[i][0], parts[i, j].score), [*ways[i][1], parts[i, j]]) for i in ways if (i, j) in parts]
            if to_j:
                ways[j] = max(to_j, key=lambda way: way[0] - 0.02 * len(way[1]))
                if most > 2 and has_end and j < last:  # Inner parts, only from where good parts lead to.
                    inner = [(j, k) for k in range(j + 1, last)]
                    parts |= _good_parts(piece, cuts, lean, inner, best_score, recognizer)
        score, way = ways.get(last, (0.0, None))
        if score > best_score and len(way) <= most:
            best_score, best = score, way
    return best


def _good_parts(piece, cuts, lean, pairs, least, recognizer):
    """Return the parts between pairs of cuts that are digits more than the least: {(i, j): Piece}."""
    parts = {}
    for i, j in pairs:
        if 0.15 * piece.height <= cuts[j] - cuts[i] <= 1.4 * piece.height:
            ends = cuts[i] if i else -np.inf, cuts[j] if j < len(cuts) - 1 else np.inf
            if (part := _cut(piece, *ends, lean)) is not None:
                parts[i, j] = part
    _read([*parts.values()], recognizer)
    return {pair: part for pair, part in parts.items() if part.score > least}


def _cut(piece, start, end, lean):
    """Return the part between two lines that lean by pixels across for each pixel down; None if it is not high."""
    columns = np.arange(piece.width) - lean * (np.arange(piece.height)[:, None] - piece.height / 2)
    ink = np.where((columns >= start) & (columns < end), piece.ink, 0)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows) or rows[-1] - rows[0] < 0.6 * piece.height:
        return None
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Piece(int(piece.x + columns[0]), int(piece.y + rows[0]), ink)


def _read(pieces, recognizer):
    if not pieces:
        return
    outputs = recognizer.run(network_input(np.stack([prepare(piece.image()) for piece in pieces])))
    for piece, output in zip(pieces, apply_temperature(outputs, recognizer.temperature), strict=True):
        piece.score = float(output[:NOT_A_DIGIT].max())
        piece.other = float(output[NOT_A_DIGIT:].sum())


def _reading_order(pieces):
    """Sort by rows, which may run up or down a little on a slanted sheet."""
    if not pieces:
        return []
    middles = np.array([(p.x + p.width / 2, p.y + p.height / 2) for p in pieces])
    size = float(np.median([p.height for p in pieces]))
    x, y = (middles[None] - middles[:, None]).transpose(2, 0, 1)
    in_row = (x > 0) & (x < 5 * size) & (np.abs(y) < 0.5 * x) & (np.abs(y) < 0.7 * size)
    slope = float(np.median(y[in_row] / x[in_row])) if in_row.any() else 0.0
    rest = sorted(pieces, key=lambda p: p.y + p.height / 2 - slope * (p.x + p.width / 2))
    ordered = []
    while rest:
        row, bottom = [], None
        for piece in rest:
            middle = piece.y + piece.height / 2 - slope * (piece.x + piece.width / 2)
            if bottom is not None and middle > bottom:
                break
            row.append(piece)
            bottom = middle + 0.5 * size if bottom is None else max(bottom, middle + 0.25 * size)
        rest = rest[len(row) :]
        for piece in row:
            piece.row = ordered[-1].row + 1 if ordered else 0
        ordered += sorted(row, key=lambda p: p.x)
    return ordered


def _usual(values, pieces):
    """Return the median of the pieces' values, each weighted by its ink."""
    weights = [float(piece.ink.sum()) for piece in pieces]
    weights = np.minimum(weights, np.sum(weights) / 6)  # One large circle is not to outweigh a row of digits.
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(np.array(values)[order][np.searchsorted(sums, sums[-1] / 2)])
