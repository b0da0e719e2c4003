"""Drawings by people, which come with the kit: digits and letters as strokes of a pen. See README.md beside this."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.files import read_checked

if TYPE_CHECKING:
    from digitlab.ink import Drawing

PEOPLE = Path(__file__).parent
DRAWINGS = PEOPLE / "drawings.npz"
DRAWINGS_SHA256 = "93666611341412134961fd0a2b7a108c38d4377b97d3a181b959f6df427f1444"
PARTS = ("all", "learn", "held-out")


def load_drawings(part: str = "all", path: Path | str = DRAWINGS) -> "list[Drawing]":
    """Read the drawings by people that come with the kit: digits and letters, as strokes of a pen.

    What is plainly no digit, or has a wrong label, is left out: ``digitlab/people/left_out.tsv`` lists it, and says why
    for each drawing.

    Parameters
    ----------
    part : {"all", "learn", "held-out"}, optional
        The drawings of all writers; of those that the kit's network learned from; or of the others, one writer in five
        of each collection, named in ``digitlab/people/held_out_writers.tsv``. A network that learns from the third
        part can no longer be measured on strangers.
    path : path-like, optional
        Another copy of the file.

    Returns
    -------
    list of Drawing
        Each with its ``label`` (a digit, or a letter that nobody reads as a digit), ``writer`` and ``source``:
        "pendigits", "unipen" (digits) or "unipen-letters". A writer has the same name in both parts of UNIPEN.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If its bytes are not those of the file that came with the kit, or the part is none of the three.

    Notes
    -----
    E. Alpaydin, F. Alimoglu, "Pen-Based Recognition of Handwritten Digits" (1996), and I. Guyon, L. Schomaker and
    others, "UNIPEN" (1994), both CC BY 4.0; ``digitlab/people/README.md`` says more.
    """
    if part not in PARTS:
        raise ValueError(f"There is no part {part!r} of the drawings: ask for {', '.join(map(repr, PARTS))}.")
    left_out = {(source, int(line)) for source, line, *_ in _read_table("left_out.tsv")}
    held_out = set(_read_table("held_out_writers.tsv"))

    def belongs(source, line, writer):
        in_part = part == "all" or ((source, writer) in held_out) == (part == "held-out")
        return in_part and (source, line) not in left_out

    return [drawing for _, drawing in every_drawing(path, belongs)]


def every_drawing(path: Path | str = DRAWINGS, belongs: Callable | None = None) -> "Iterator[tuple[int, Drawing]]":
    """Yield every drawing that comes with the kit, also those that `load_drawings` leaves out.

    Parameters
    ----------
    path : path-like, optional
        Another copy of the file.
    belongs : callable, optional
        Called with the source, line and writer of each drawing; only where it returns true, the drawing is made.

    Yields
    ------
    line : int
        The line that the drawing has in its collection, from 1, as the list of what is left out names it.
    drawing : Drawing

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_drawings` does.
    """
    from digitlab.ink import Drawing, Ink  # Here: MNIST can be read, and checked, even where OpenCV is broken.

    content = read_checked(path, DRAWINGS_SHA256, "drawings", "digitlab/people/drawings.npz")
    with np.load(io.BytesIO(content), allow_pickle=False) as npz:
        arrays = dict(npz)
    # Coordinates are kept in tenths of a pixel.
    strokes = np.split(arrays["points"] / 10, np.cumsum(arrays["stroke_lengths"])[:-1])
    ends = np.cumsum(arrays["stroke_counts"]).tolist()
    columns = (arrays[name].tolist() for name in ("sources", "writers", "labels", "sides"))
    start = line = 0
    previous = None
    for end, source, writer, label, side in zip(ends, *columns, strict=True):
        line = line + 1 if source == previous else 1
        if belongs is None or belongs(source, line, writer):
            yield line, Drawing(Ink(strokes[start:end], (side, side)), label, writer, source)
        start, previous = end, source


def _read_table(name):
    """Return the rows of a table beside the drawings, tuples of words, without its heading."""
    path = PEOPLE / name
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"A list of drawings is missing. Restore it with: git checkout -- digitlab/people/{name} "
            "(or download the kit again)."
        ) from None
    return [tuple(line.split("\t")) for line in lines[1:] if line]
