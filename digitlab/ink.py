"""Ink: the strokes of one drawing, and the file format that drawings are kept in. It stands on NumPy and OpenCV.

Strokes are the truth, pixels are a rendering. The canvas in the notebook and the window on the desktop only show;
what was drawn is here, so that undoing, saving, and rendering at any size and pen width are one line each.

Coordinates are those of the canvas: x to the right, y down, in pixels, (0, 0) at the upper left edge; the middle of
the first pixel is (0.5, 0.5).
"""

import errno
import gzip
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from digitlab.paths import DRAWINGS, shown

CANVAS = 280
"""Width and height of a canvas to draw on, in pixels."""

PEN = 18
"""Width of the pen on such a canvas, in pixels: about that of MNIST's strokes when a digit fills it."""

EXAMPLES = Path(__file__).resolve().parent / "examples.jsonl"

_MAX_LINE_CHARACTERS = 1_000_000
_SUBPIXEL_BITS = 4


@dataclass(eq=False)
class Ink:
    """The strokes of one drawing.

    Parameters
    ----------
    strokes : sequence of array-like (n, 2), optional
        One for each time the pen went down: its points, x and y in canvas pixels, at least one each. No strokes at
        all is an empty drawing, one point is a dot, and points may lie outside the canvas.
    size : (float, float), optional
        Width and height of the canvas, in pixels.

    Raises
    ------
    ValueError
        Where a stroke is not of shape (n, 2), holds NaN or an infinity, or the size is not two positive numbers.
    """

    strokes: list = field(default_factory=list)
    size: tuple = (CANVAS, CANVAS)

    def __post_init__(self):
        self.strokes = [_stroke(points, number) for number, points in enumerate(self.strokes, 1)]
        try:
            width, height = (float(side) for side in self.size)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(
                f"The size of an ink must be two numbers, its width and height, not {self.size!r}."
            ) from None
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise ValueError(f"The width and height of an ink must be positive numbers, not {width:g} and {height:g}.")
        self.size = (width, height)

    def __bool__(self):
        """Tell whether anything was drawn."""
        return bool(self.strokes)

    def start(self, x, y):
        """Put the pen down: begin a new stroke at (x, y)."""
        self.strokes.append(_stroke([(x, y)], len(self.strokes) + 1))

    def extend(self, x, y):
        """Move the pen to (x, y), going on with the last stroke."""
        if not self.strokes:
            raise ValueError("There is no stroke to go on with: call start(x, y) first.")
        point = _stroke([(x, y)], len(self.strokes))
        self.strokes[-1] = np.concatenate([self.strokes[-1], point])

    def undo(self):
        """Take the last stroke away; on an empty ink, do nothing."""
        del self.strokes[-1:]

    def clear(self):
        """Take all strokes away."""
        self.strokes.clear()

    def copy(self):
        """Return an ink with the same strokes that can be changed without changing this one."""
        return Ink([stroke.copy() for stroke in self.strokes], self.size)

    def render(self, pen=PEN):
        """Draw the ink as the canvas shows it.

        Parameters
        ----------
        pen : float, optional
            Width of the pen, in canvas pixels.

        Returns
        -------
        image : uint8 (height, width)
            White ink (255) on black (0).
        """
        width, height = self.size
        return draw_strokes(self.strokes, (math.ceil(width), math.ceil(height)), pen, detail=2)

    def to_json(self, label=None, writer=None):
        """Return the drawing as one line of a drawings file, without the newline.

        Parameters
        ----------
        label : str or int, optional
            What was meant: a digit or another character.
        writer : str, optional
            Who drew it: a pseudonym.
        """
        record = {} if label is None else {"label": str(label)}
        if writer is not None:
            record["writer"] = str(writer)
        record["size"] = [_short(side) for side in self.size]
        record["strokes"] = [[[_short(x), _short(y)] for x, y in stroke] for stroke in self.strokes]
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line):
        """Return the ink of one line of a drawings file; raises ValueError where it is none."""
        return Drawing.from_json(line).ink

    @classmethod
    def example(cls, digit):
        """Return the example of a digit that came with the kit: made by hand, point by point, not by anyone's pen.

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
    """One line of a drawings file: an ink, and where they are known its label (one character) and its writer."""

    ink: Ink
    label: str | None = None
    writer: str | None = None

    @classmethod
    def from_json(cls, line):
        """Return the drawing of one line; raises ValueError, saying why, where it is none."""
        if len(line) > _MAX_LINE_CHARACTERS:
            raise ValueError(f"it is {len(line):,} characters long; a drawing takes at most {_MAX_LINE_CHARACTERS:,}")
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise ValueError("it is not JSON, perhaps only part of a line") from None
        if not isinstance(record, dict) or "strokes" not in record:
            raise ValueError('it is not a drawing: {"label": "7", "size": [280, 280], "strokes": [[[x, y], ...], ...]}')
        label, writer = record.get("label"), record.get("writer")
        if label is not None and not (isinstance(label, str) and len(label) == 1):
            raise ValueError(f'its label must be a string of one character, such as "7", not {str(label)[:40]!r}')
        if writer is not None and not isinstance(writer, str):
            raise ValueError(f"its writer must be a string, not {str(writer)[:40]!r}")
        strokes = record["strokes"]
        if not isinstance(strokes, list):
            raise ValueError("its strokes must be a list of lists of points [x, y]")
        return cls(Ink(strokes, record.get("size", (CANVAS, CANVAS))), label, writer)


def read_drawings(path, on_bad_line=None):
    """Read a file of drawings.

    Parameters
    ----------
    path : path-like
        JSON lines, plain or gzipped: ``{"label": "7", "writer": "12", "size": [280, 280], "strokes": [[[x, y], ...],
        ...]}``, where label and writer may be missing. The UCI files ``pendigits-orig.tra`` and ``.tes`` are read as
        they are distributed (E. Alpaydin, F. Alimoglu, "Pen-Based Recognition of Handwritten Digits", UCI Machine
        Learning Repository, 1996).
    on_bad_line : callable, optional
        Called with the number of a line (from 1) and what is wrong with it; the other lines are read all the same.
        Without it, the first bad line raises ValueError.

    Returns
    -------
    list of Drawing

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no such file; where it, or a line of it, cannot be read.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {shown(path)}; is its name spelt right?") from None
    if content[:2] == b"\x1f\x9d":
        raise ValueError(f"{shown(path)} is packed in the old way (.Z); unpack it first: gzip -d {path.name}")
    if content[:2] == b"\x1f\x8b":
        content = _unzip(content, path)
    if content.lstrip()[:1] == b".":
        return _read_unipen(content, path)
    drawings = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            drawings.append(Drawing.from_json(_text(line)))
        except ValueError as error:
            if on_bad_line is None:
                raise ValueError(f"Line {number} of {shown(path)} cannot be read: {error}.") from None
            on_bad_line(number, str(error))
    return drawings


def append_drawing(path, ink, label=None, writer=None, opener=None):
    """Add a drawing to a file of drawings, in one piece or not at all.

    Parameters
    ----------
    path : path-like
        A plain file of JSON lines; it is made where there is none, and its folder.
    ink : Ink
    label, writer : str, optional
        As for `Ink.to_json`.
    opener : callable, optional
        Opens the file, as for Python's `open`.

    Raises
    ------
    OSError
        Where it cannot be written. The file is then as it was.
    """
    path = Path(path)
    line = ink.to_json(label, writer).encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+", buffering=0, opener=opener) as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":  # A line was torn off there: it shall not take this one along.
                line = b"\n" + line
        written = file.write(line)
        if written != len(line):
            # The disk is full. What others have added meanwhile stays; a torn line costs them nothing.
            if file.seek(0, os.SEEK_END) == end + written:
                file.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(file.fileno())


def save_image(ink, folder=DRAWINGS):
    """Save an ink as it looks on its canvas: a PNG file, white on black, with a name that is not taken yet.

    Parameters
    ----------
    ink : Ink
    folder : path-like, optional
        Where; it is made where there is none.

    Returns
    -------
    Path
        ``drawing-001.png``, or the next number.

    Raises
    ------
    ValueError
        Where nothing is drawn.
    OSError
        Where the file cannot be written; no part of it is left then.
    """
    if not ink:
        raise ValueError("Draw something first.")
    picture = cv2.imencode(".png", ink.render(PEN * max(ink.size) / CANVAS))[1].tobytes()
    Path(folder).mkdir(parents=True, exist_ok=True)
    number = 1
    while (path := Path(folder, f"drawing-{number:03d}.png")).exists():
        number += 1
    try:
        path.write_bytes(picture)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


def draw_strokes(strokes, size, pen, detail=1):
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
        The strokes are drawn this many times as large and averaged down, for a pen that is no whole number of pixels
        wide and for soft edges.

    Returns
    -------
    image : uint8 (height, width)
        White ink (255) on black (0).
    """
    width, height = size
    image = np.zeros((height * detail, width * detail), np.uint8)
    thickness = max(1, round(pen * detail))
    # OpenCV counts from the middle of the first pixel, an ink from its edge.
    reach = 4 * max(image.shape)
    for stroke in strokes:
        points = (stroke * detail - 0.5).clip(-reach, reach)
        points = np.rint(points * 2**_SUBPIXEL_BITS).astype(np.int32)
        # A line without length has no width for OpenCV: the dot where the pen went down is drawn by itself.
        radius = max(1, thickness * 2**_SUBPIXEL_BITS // 2)
        cv2.circle(image, points[0].tolist(), radius, 255, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.polylines(image, [points], False, 255, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    return image if detail == 1 else cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _stroke(points, number):
    try:
        stroke = np.array(points, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"Stroke {number} must be an array of points (x, y), all of them numbers.") from None
    if stroke.ndim != 2 or stroke.shape[1] != 2 or len(stroke) == 0:
        raise ValueError(f"Stroke {number} must be of shape (n, 2), n points of x and y, not {stroke.shape}.")
    if not np.isfinite(stroke).all():
        bad = stroke[~np.isfinite(stroke)][0]
        raise ValueError(f"Stroke {number} holds {bad}: every x and y must be a finite number.")
    return stroke


def _short(number):
    return int(number) if number == int(number) else round(float(number), 2)


def _text(line):
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None


def _unzip(content, path):
    try:
        return gzip.decompress(content)
    except (EOFError, OSError) as error:
        raise ValueError(f"{shown(path)} is a damaged gzip file ({error}).") from None


def _read_unipen(content, path):
    """Read UNIPEN text: .SEGMENT names the digit, .COMMENT its writer; y runs upwards in a box of 500 x 500."""
    box = 500
    drawings, strokes = [], []
    label = writer = None
    # One more .SEGMENT closes the last drawing.
    for number, line in enumerate([*content.decode("latin-1").splitlines(), ".SEGMENT"], 1):
        words = line.split()
        match words:
            case [".SEGMENT", *_]:
                if any(strokes):
                    drawings.append(Drawing(Ink([points for points in strokes if points], (box, box)), label, writer))
                label, writer, strokes = words[-1].strip('"'), None, []
            case [".COMMENT", _, who, _] if label is not None:
                writer = who
            case [".PEN_DOWN"]:
                strokes.append([])
            case [x, y] if not x.startswith("."):
                try:
                    strokes[-1].append((float(x), box - float(y)))
                except (IndexError, ValueError):
                    raise ValueError(
                        f"Line {number} of {shown(path)} is no point of a stroke: {line[:40]!r}."
                    ) from None
    return drawings
