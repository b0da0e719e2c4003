"""Read what other people wrote, without trusting it.

It is data and never code. Links are not followed, no pipe is waited for, and every size has a limit. A line that is
not a drawing is left out; the other lines are read.
"""

import contextlib
import os
import stat
from pathlib import Path

import numpy as np

from digitlab.ink import Drawing

MAX_LINE_BYTES = 100_000
"""Maximum size of one drawing, in bytes."""

MAX_CANVAS = 4_096
"""Maximum width and height of a drawing's canvas, in pixels."""

_MAX_NAME = "a" * 25  # No pseudonym is longer.

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def printable(name: str) -> str:
    """Return the name of a folder as text that is safe to print. Nearly always it is a pseudonym."""
    return name if name.isprintable() and len(name) <= 40 else ascii(name)[1:41]


def check_drawing(drawing: Drawing) -> None:
    """Raise ValueError if a drawing cannot be shown to a class."""
    if drawing.label is None:
        raise ValueError("it has no label")
    if len(drawing.label) != 1 or not drawing.label.isprintable() or drawing.label.isspace():
        raise ValueError(f"A label is one visible character, such as 7, not {drawing.label[:40]!r}.")
    if not drawing.ink:
        raise ValueError("nothing is drawn")
    if max(drawing.ink.size) > MAX_CANVAS:
        raise ValueError(f"The canvas of a drawing may be at most {MAX_CANVAS:,} pixels wide and high.")
    if any(np.abs(stroke).max() > 4 * MAX_CANVAS for stroke in drawing.ink.strokes):
        raise ValueError(f"A point of a drawing may be at most {4 * MAX_CANVAS:,} pixels away.")


def read_line(line: bytes) -> Drawing:
    """Return the drawing of one line that another person wrote.

    Raises
    ------
    ValueError
        If it is not a drawing that a class can be shown.
    """
    if len(line) > MAX_LINE_BYTES:
        raise ValueError("it is too long")
    drawing = Drawing.from_json(line.decode("utf-8-sig"))  # Some editors put a byte order mark before the text.
    check_drawing(drawing)
    return drawing


def stored_size(drawing: Drawing) -> int:
    """Return how many bytes a drawing takes in a class's file at most, whoever its writer is."""
    return len(drawing.ink.to_json(drawing.label, _MAX_NAME).encode()) + 1


def open_without_links(path: Path | str, flags: int) -> int:
    """Open a file for writing if it is not a link; for use as the opener of Python's `open`.

    All accounts may read the file afterwards, whatever the umask is: a class that cannot read a submission would not
    even know of it.
    """
    descriptor = os.open(path, flags | _NO_LINKS, 0o644)
    if hasattr(os, "fchmod"):
        with contextlib.suppress(PermissionError):  # The file is another account's.
            os.fchmod(descriptor, 0o644)
    return descriptor


def read_regular(folder: Path, name: str, file: str, known: tuple | None, max_bytes: int) -> tuple[tuple, bytes | None]:
    """Read a regular file if it has changed.

    Parameters
    ----------
    folder : Path
        The class's folder.
    name : str
        A writer's folder in it, or an empty string for the class's folder itself.
    file : str
        The file's name.
    known : tuple or None
        What this function returned first when the file was read the last time.
    max_bytes : int
        Maximum number of bytes to read.

    Returns
    -------
    (tuple, bytes or None)
        A mark that changes when the file does, and the content; None if the mark is still ``known``.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read, or it is a link, a folder, a pipe or a device.
    """
    path = os.path.join(folder, name, file)
    if _stamp(os.stat(path, follow_symlinks=False)) == known:
        return known, None
    with contextlib.ExitStack() as stack:
        options = {}
        if os.open in os.supports_dir_fd:
            # The folder stays open, so that nobody can put a link in its place before the file is opened.
            flags = os.O_RDONLY | _NO_LINKS | getattr(os, "O_DIRECTORY", 0)
            # The class's own folder may be a link: whoever set up the class made it.
            directory = os.open(os.path.dirname(path), flags if name else flags & ~getattr(os, "O_NOFOLLOW", 0))
            stack.callback(os.close, directory)
            options, path = {"dir_fd": directory}, file
        look = os.stat(path, follow_symlinks=False, **options)
        if not stat.S_ISREG(look.st_mode):
            raise OSError(f"{file} is not a regular file")
        opened = stack.enter_context(os.fdopen(os.open(path, os.O_RDONLY | _NO_LINKS, **options), "rb"))
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(f"{file} is not a regular file")
        return _stamp(look), opened.read(max_bytes)


def _stamp(look):
    return look.st_ino, look.st_size, look.st_mtime_ns
