"""Ink, the strokes of one drawing, and the files that drawings are kept in.

Strokes are the truth, pixels are a rendering. The canvas in the notebook and the window on the desktop only show what
is drawn. So undoing, saving and rendering at any size and pen width take one line each.

Coordinates are canvas pixels: x to the right, y down, (0, 0) at the upper left corner. The centre of the first pixel
is (0.5, 0.5).
"""

import codecs
import itertools
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from digitlab.files import append_line, read_limited, split_lines, write_numbered
from digitlab.files.unipen import UNIPEN_BOX, read_unipen
from digitlab.paths import DRAWINGS, expand, shown

CANVAS = 280
"""Width and height of the canvas in the notebook, in pixels."""

PEN = 18
"""Width of the pen on this canvas, in pixels: about that of MNIST's strokes if a digit fills the canvas."""

EXAMPLES = Path(__file__).resolve().parent / "examples.jsonl"

MAX_CANVAS = 10_000
"""Maximum width and height of the canvas of a drawing that is rendered, or kept in a file, in pixels."""

MAX_COORDINATE = 1_000_000
"""Maximum distance from x = 0 and from y = 0 of a point of a drawing that is kept in a file, in pixels."""

MAX_LINE = 200_000
"""Maximum length of one line of a file of drawings, in characters."""

MAX_FILE = 20_000_000
"""Maximum size of a file of drawings, unpacked, in bytes."""

MAX_LINES = 200_000
"""Maximum number of lines of a file of drawings in JSON lines."""

MAX_STROKES = 200_000
"""Maximum number of strokes of all drawings of a file; each costs time and memory, however short it is."""

_MAX_VALUE, MIN_SIZE = 1e9, 1e-6  # Beyond them, arithmetic with coordinates and sizes overflows sooner or later.
_SUBPIXEL_BITS = 4


@dataclass(eq=False)
class Ink:
    """The strokes of one drawing.

    Parameters
    ----------
    strokes : sequence of array-like (n, 2), optional
        One for each time that the pen is down: its points, x and y in canvas pixels, at least one. No strokes are an
        empty drawing, a stroke of one point is a dot, and points may lie outside the canvas.
    size : (float, float), optional
        Width and height of the canvas, in pixels.

    Raises
    ------
    ValueError
        If a stroke is not an array of shape (n, 2) of numbers from -1e9 to 1e9, or the size is not two numbers from
        1e-6 to 1e9.
    """

    strokes: list = field(default_factory=list)
    size: tuple = (CANVAS, CANVAS)

    def __post_init__(self):
        self.strokes = [_stroke(points, number) for number, points in enumerate(self.strokes, 1)]
        size = np.asarray(self.size)
        if size.shape != (2,) or size.dtype.kind not in "iuf":
            raise ValueError(
                f"The size of an ink must be two numbers, its width and height, not {repr(self.size)[:60]}."
            )
        width, height = size.tolist()
        if not all(MIN_SIZE <= side <= _MAX_VALUE for side in (width, height)):
            raise ValueError(
                f"The width and height of an ink must be positive numbers, {MIN_SIZE:g} to {_MAX_VALUE:g}, "
                f"not {width:g} and {height:g}."
            )
        self.size = (float(width), float(height))

    def __bool__(self) -> bool:
        """Return whether anything is drawn."""
        return bool(self.strokes)

    def start(self, x: float, y: float) -> None:
        """Put the pen down: begin a new stroke at (x, y)."""
        self.strokes.append(_stroke([(x, y)], len(self.strokes) + 1))

    def extend(self, x: float, y: float) -> None:
        """Move the pen to (x, y): add a point to the last stroke."""
        if not self.strokes:
            raise ValueError("There is no stroke to extend: call start(x, y) first.")
        point = _stroke([(x, y)], len(self.strokes))
        self.strokes[-1] = np.concatenate([self.strokes[-1], point])

    def undo(self) -> None:
        """Remove the last stroke, if there is one."""
        del self.strokes[-1:]

    def clear(self) -> None:
        """Remove all strokes."""
        self.strokes.clear()

    def copy(self) -> "Ink":
        """Return a copy that can be changed without changing this ink."""
        return Ink([stroke.copy() for stroke in self.strokes], self.size)

    def render(self, pen: float = PEN) -> np.ndarray:
        """Draw the ink as the canvas shows it.

        Parameters
        ----------
        pen : float, optional
            Width of the pen, in canvas pixels.

        Returns
        -------
        image : uint8 (height, width)
            White ink (255) on black (0).

        Raises
        ------
        ValueError
            If the canvas is larger than `MAX_CANVAS`.
        """
        self._check_canvas()
        width, height = self.size
        return draw_strokes(self.strokes, (math.ceil(width), math.ceil(height)), pen, detail=2)

    def to_json(self, label: str | int | None = None, writer: str | None = None) -> str:
        """Return the drawing as one line of a drawings file, without the newline.

        Parameters
        ----------
        label : str or int, optional
            The true class: a digit or another character.
        writer : str, optional
            Who drew it: a pseudonym.

        Raises
        ------
        ValueError
            If the label is not one character, or the drawing is larger than `MAX_CANVAS`, `MAX_COORDINATE`, `MAX_LINE`.
        """
        self._check_canvas()
        if label is not None and len(str(label)) != 1:
            raise ValueError(f"A label must be one character, such as 7, not {str(label)[:40]!r}.")
        if any(np.abs(stroke).max() > MAX_COORDINATE for stroke in self.strokes):
            raise ValueError(f"A point of this drawing is more than {MAX_COORDINATE:,} pixels away.")
        record = {} if label is None else {"label": str(label)}
        if writer is not None:
            record["writer"] = str(writer)
        record["size"] = [_short(float(f"{side:.6g}")) for side in self.size]
        # A hundredth of a pixel on a canvas of 100 to 1,000 pixels, and as fine a part of any other.
        decimals = max(2, 4 - math.floor(math.log10(max(self.size))))
        record["strokes"] = [
            [[_short(round(x, decimals)), _short(round(y, decimals))] for x, y in stroke.tolist()]
            for stroke in self.strokes
        ]
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        if len(line) > MAX_LINE:
            raise ValueError(
                f"This drawing takes {len(line):,} characters, but a file accepts at most {MAX_LINE:,}: draw it again "
                f"with fewer strokes."
            )
        return line

    def _check_canvas(self):
        if max(self.size) > MAX_CANVAS:
            raise ValueError(f"The canvas of this drawing is larger than {MAX_CANVAS:,} x {MAX_CANVAS:,} pixels.")

    @classmethod
    def from_json(cls, line: str) -> "Ink":
        """Return the ink of one line of a drawings file; raise ValueError if it is not one."""
        return Drawing.from_json(line).ink

    @classmethod
    def example(cls, digit: int) -> "Ink":
        """Return the example of a digit that came with the kit. Its points were typed in, not drawn by anyone.

        Parameters
        ----------
        digit : int
            0 to 9.
        """
        examples = {drawing.label: drawing.ink for drawing in read_drawings(EXAMPLES)}
        if str(digit) not in examples:
            raise ValueError(f"There are examples of the digits 0 to 9, but none of {digit!r}.")
        return examples[str(digit)]


@dataclass(frozen=True)
class Drawing:
    """One line of a drawings file: an ink and, if known, label (one character, or 0 to 9), writer and source."""

    ink: Ink
    label: str | None = None
    writer: str | None = None
    source: str | None = None

    def __post_init__(self):
        if isinstance(self.label, (int, np.integer)):  # As in MNIST's labels.
            object.__setattr__(self, "label", str(self.label))

    @classmethod
    def from_json(cls, line: str) -> "Drawing":
        """Return the drawing of one line; raise ValueError, which says why, if it is not one."""
        if len(line) > MAX_LINE:
            raise ValueError(f"it is {len(line):,} characters long; a drawing has at most {MAX_LINE:,}")
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError("it is not JSON, perhaps only part of a line") from None
        if not isinstance(record, dict) or "strokes" not in record:
            raise ValueError('it is not a drawing: {"label": "7", "size": [280, 280], "strokes": [[[x, y], ...], ...]}')
        label, writer = record.get("label"), record.get("writer")
        if label is not None and not (isinstance(label, str) and len(label) == 1):
            raise ValueError(f'its label must be a string of one character, such as "7", not {repr(label)[:40]}')
        if writer is not None and not isinstance(writer, str):
            raise ValueError(f"its writer must be a string, not {repr(writer)[:40]}")
        strokes = record["strokes"]
        if not isinstance(strokes, list):
            raise ValueError("its strokes must be a list of lists of points [x, y]")
        size = record.get("size", [CANVAS, CANVAS])
        if not (_is_numbers(size) and all(map(_is_points, strokes))):
            raise ValueError("its size must be two numbers [width, height], and each point two numbers [x, y]")
        ink = Ink(strokes, size)
        if max(ink.size) > MAX_CANVAS:
            raise ValueError(f"its canvas is larger than {MAX_CANVAS:,} x {MAX_CANVAS:,} pixels")
        if strokes and np.abs(np.concatenate(ink.strokes)).max() > MAX_COORDINATE:
            raise ValueError(f"a point of it is more than {MAX_COORDINATE:,} pixels away")
        return cls(ink, label, writer)


def read_drawings(path: Path | str, on_bad_line: Callable[[int, str], object] | None = None) -> list[Drawing]:
    """Read a file of drawings.

    Parameters
    ----------
    path : path-like
        JSON lines, plain or gzipped: ``{"label": "7", "writer": "12", "size": [280, 280], "strokes": [[[x, y], ...],
        ...]}``, where label and writer may be missing. The UCI files ``pendigits-orig.tra`` and ``.tes`` are read as
        they are distributed (E. Alpaydin, F. Alimoglu, "Pen-Based Recognition of Handwritten Digits", UCI Machine
        Learning Repository, 1996).
    on_bad_line : callable, optional
        For JSON lines: called with the number of a bad line (from 1) and with what is wrong with it; the other lines
        are read. Without it, the first bad line raises ValueError.

    Returns
    -------
    list of Drawing

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, has more than `MAX_FILE` bytes, `MAX_LINES` lines or `MAX_STROKES` strokes, or a line of
        it cannot be read.
    """
    path = expand(path)
    content = read_limited(path, MAX_FILE).removeprefix(codecs.BOM_UTF8)
    if content[:2] == b"\x1f\x9d":
        raise ValueError(f"{shown(path)} is packed in an old format (.Z); unpack it first: gzip -d {path.name}")
    too_many_strokes = ValueError(f"{shown(path)} has too many strokes: at most {MAX_STROKES:,} can be read.")
    if re.match(rb"\s*\.[A-Z]", content):
        if content.count(b".PEN_DOWN") > MAX_STROKES:
            raise too_many_strokes
        lines = split_lines(content, path, 5 * MAX_LINES)
        segments = read_unipen(lines, path, MAX_COORDINATE)
        return [Drawing(Ink(strokes, (UNIPEN_BOX, UNIPEN_BOX)), label, writer) for strokes, label, writer in segments]
    drawings, strokes = [], 0
    for number, line in enumerate(split_lines(content, path, MAX_LINES), 1):
        if not line.strip():
            continue
        try:
            drawings.append(Drawing.from_json(_text(line)))
            strokes += len(drawings[-1].ink.strokes)
        except ValueError as error:
            reason = str(error).rstrip(".")
            if on_bad_line is None:
                raise ValueError(f"Line {number} of {shown(path)} cannot be read: {reason}.") from None
            on_bad_line(number, reason)
        if strokes > MAX_STROKES:
            raise too_many_strokes
    return drawings


def append_drawing(
    path: Path | str,
    ink: Ink,
    label: str | int | None = None,
    writer: str | None = None,
    opener: Callable[[str, int], int] | None = None,
) -> None:
    """Append a drawing to a file of drawings, as a whole or not at all.

    Parameters
    ----------
    path : path-like
        A plain file of JSON lines; it and its folder are made if they do not exist.
    ink : Ink
    label, writer : str, optional
        As for `Ink.to_json`.
    opener : callable, optional
        Opens the file, as for Python's `open`.

    Raises
    ------
    OSError, ValueError
        If the drawing cannot be written, or is too large for a file. The file is not changed then.
    """
    append_line(path, ink.to_json(label, writer).encode(), opener)


def save_image(ink: Ink, folder: Path | str = DRAWINGS) -> Path:
    """Save an ink as it looks on its canvas: as a PNG file, white on black, under a new name.

    Parameters
    ----------
    ink : Ink
    folder : path-like, optional
        It is made if it does not exist.

    Returns
    -------
    Path
        ``drawing-001.png``, or the next number.

    Raises
    ------
    ValueError
        If nothing is drawn.
    OSError
        If the file cannot be written; no part of it is left then.
    """
    if not ink:
        raise ValueError("Draw something first.")
    png = cv2.imencode(".png", ink.render(PEN * max(ink.size) / CANVAS))[1].tobytes()
    return write_numbered(Path(folder, "drawing-{:03d}.png"), png)


def draw_strokes(strokes: Sequence[np.ndarray], size: tuple[int, int], pen: float, detail: int = 1) -> np.ndarray:
    """Draw strokes with a round pen.

    Parameters
    ----------
    strokes : sequence of float arrays (n, 2)
        Points in pixels of the image.
    size : (int, int)
        Width and height of the image.
    pen : float
        Width of the pen, in pixels of the image.
    detail : int, optional
        The strokes are drawn this many times as large and then scaled down. This allows fractions of a pixel for the
        width of the pen, and gives soft edges.

    Returns
    -------
    image : uint8 (height, width)
        White ink (255) on black (0).
    """
    width, height = size
    image = np.zeros((height * detail, width * detail), np.uint8)
    thickness = max(1, round(pen * detail))
    reach = 64 * max(image.shape)  # Points farther away come nearer: OpenCV's coordinates have a limit.
    for stroke in strokes:
        # For OpenCV (0, 0) is the centre of the first pixel, for an ink its corner.
        points = (stroke * detail - 0.5).clip(-reach, reach)
        points = np.rint(points * 2**_SUBPIXEL_BITS).astype(np.int32)
        # OpenCV draws nothing for a line of length 0, so the dot where the pen went down is drawn separately.
        radius = max(1, thickness * 2**_SUBPIXEL_BITS // 2)
        cv2.circle(image, points[0].tolist(), radius, 255, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.polylines(image, [points], False, 255, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    return image if detail == 1 else cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _stroke(points, number):
    try:
        stroke = np.array(points)
    except ValueError:  # Not all points have the same length.
        stroke = np.array("")
    if stroke.dtype.kind not in "iuf":
        raise ValueError(f"Stroke {number} must be an array of points (x, y), all of them numbers.")
    stroke = stroke.astype(np.float64)
    if stroke.ndim != 2 or stroke.shape[1] != 2 or len(stroke) == 0:
        raise ValueError(f"Stroke {number} must be of shape (n, 2), n points of x and y, not {stroke.shape}.")
    good = np.abs(stroke) <= _MAX_VALUE  # False for NaN, too.
    if not good.all():
        raise ValueError(f"Stroke {number} holds {stroke[~good][0]:g}: every x and y must be from -1e9 to 1e9.")
    return stroke


def _is_numbers(values):
    # By type, because True is an int for Python, and "1" becomes a number in NumPy.
    return isinstance(values, list) and {*map(type, values)} <= {int, float}


def _is_points(stroke):
    return isinstance(stroke, list) and {*map(type, stroke)} <= {list} and _is_numbers([*itertools.chain(*stroke)])


def _short(number):
    return int(number) if number == int(number) else number


def _text(line):
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
