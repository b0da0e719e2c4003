"""Read the text of the UCI's pendigits-orig, a small part of the UNIPEN format."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from digitlab.paths import shown

UNIPEN_BOX = 500
"""Width and height of the tablet, in its units."""


def read_unipen(
    lines: Iterable[bytes], path: Path | str, max_coordinate: float
) -> Iterator[tuple[list[list[tuple[float, float]]], str | None, str | None]]:
    """Yield the strokes of each drawing with points, its label and its writer.

    ``.SEGMENT DIGIT 0-1 ? "4"`` gives the label, "4", and ``.COMMENT 4 12 224`` the writer, "12".

    Parameters
    ----------
    lines : iterable of bytes
    path : path-like
        The file, for the error.
    max_coordinate : float
        Maximum distance of a point from x = 0 and from y = 0.

    Yields
    ------
    strokes : list of list of (float, float)
        x to the right and y down, while y goes up in the file.
    label, writer : str or None

    Raises
    ------
    ValueError
        If a line of a stroke is no point, or a label no single character.
    """
    strokes = []
    label = writer = None
    # One more .SEGMENT ends the last drawing.
    for number, line in enumerate(itertools.chain(lines, [b".SEGMENT"]), 1):
        words = line.decode("latin-1").split()
        match words:
            case [".SEGMENT", *_]:
                if any(strokes):
                    yield [points for points in strokes if points], label, writer
                label, writer, strokes = words[-1].strip('"') if len(words) > 1 else None, None, []
                if label is not None and len(label) != 1:
                    raise ValueError(f"Line {number} of {shown(path)} has no label of one character: {label[:40]!r}.")
            case [".COMMENT", _, who, _] if label is not None:
                writer = who
            case [".PEN_DOWN"]:
                strokes.append([])
            case [word, *_] if (strokes or len(words) == 2) and not word.startswith("."):
                try:
                    x, y = words
                    point = float(x), UNIPEN_BOX - float(y)
                    if not all(abs(value) <= max_coordinate for value in point):  # False for NaN, too.
                        raise ValueError
                    strokes[-1].append(point)
                except (IndexError, ValueError):
                    raise ValueError(
                        f"Line {number} of {shown(path)} is no point of a stroke: {' '.join(words)[:40]!r}."
                    ) from None
