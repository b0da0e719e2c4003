"""Reading what people wrote whom one need not trust, and writing beside them. It stands on `ink`.

What they wrote is data and never code: links are not followed, nothing is waited for, everything has a bound, and a
line that is no drawing costs itself alone.
"""

import contextlib
import gzip
import io
import os
import stat
import tempfile
import zlib
from pathlib import Path

import numpy as np

from digitlab.ink import Drawing
from digitlab.paths import shown

MAX_LINE_BYTES = 100_000
"""A drawing takes at most so many bytes."""

_LARGEST = 4_096
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def plain(name):
    """Return the name of a folder as text that can be printed; nearly always it is a pseudonym."""
    return name if name.isprintable() and len(name) <= 40 else ascii(name)[1:41]


def check(drawing):
    """Raise ValueError where a drawing is none that a class can be shown."""
    if drawing.label is None:
        raise ValueError("it has no label")
    if len(drawing.label) != 1 or not drawing.label.isprintable() or drawing.label.isspace():
        raise ValueError(f"A label is one character that can be seen, such as 7, not {drawing.label[:40]!r}.")
    if not drawing.ink:
        raise ValueError("nothing is drawn")
    if max(drawing.ink.size) > _LARGEST or any(np.abs(stroke).max() > 4 * _LARGEST for stroke in drawing.ink.strokes):
        raise ValueError(f"The canvas of a drawing may be {_LARGEST:,} pixels wide and high at most.")


def read_line(line):
    """Return the drawing of one line that somebody else wrote; raises ValueError where it is none."""
    if len(line) > MAX_LINE_BYTES:
        raise ValueError("it is too long")
    drawing = Drawing.from_json(line.decode())
    check(drawing)
    return drawing


def open_without_links(path, flags):
    """Open a file that is no link, as `open` asks its opener to."""
    return os.open(path, flags | _NO_LINKS, 0o644)


def read_regular(folder, name, file, known, most):
    """Read a regular file, and no link to one, as far as it goes.

    Returns
    -------
    (tuple, bytes or None)
        What tells whether it has changed, and its content: None where that is what is known already.
    """
    path = os.path.join(folder, name, file)
    if _stamp(os.stat(path, follow_symlinks=False)) == known:
        return known, None
    with contextlib.ExitStack() as stack:
        options = {}
        if os.open in os.supports_dir_fd:
            # Between looking and opening nobody can put a link in the folder's place.
            flags = os.O_RDONLY | _NO_LINKS | getattr(os, "O_DIRECTORY", 0)
            # The class's own folder may be a link: who sets up the class has made it.
            directory = os.open(os.path.dirname(path), flags if name else flags & ~getattr(os, "O_NOFOLLOW", 0))
            stack.callback(os.close, directory)
            options, path = {"dir_fd": directory}, file
        look = os.stat(path, follow_symlinks=False, **options)
        if not stat.S_ISREG(look.st_mode):
            raise OSError(f"{file} is no regular file")
        opened = stack.enter_context(os.fdopen(os.open(path, os.O_RDONLY | _NO_LINKS, **options), "rb"))
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(f"{file} is no regular file")
        return _stamp(look), opened.read(max(most, 0))


def _stamp(look):
    return look.st_ino, look.st_size, look.st_mtime_ns


def lines_of_file(path, most):
    """Return the lines of a file, plain or gzipped, that are not blank: a list of bytes.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no such file; where it is damaged, or larger than so many bytes, unpacked.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {shown(path)}; is its name spelt right?") from None
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(most + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{shown(path)} is a damaged gzip file ({error}).") from None
    if len(content) > most:
        raise ValueError(f"{shown(path)} is larger than {most // 1_000_000} MB: a class's drawings take less.")
    return [line for line in content.splitlines() if line.strip()]


def write_whole(path, content):
    """Write a file beside and rename it, so that it is there as a whole or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
