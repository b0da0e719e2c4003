"""Read the folder that a class shares: one folder for each writer, whose files only that writer changes.

    class/otter/drawings.jsonl    what otter submitted; only otter's seat writes to it, so no lock is needed
    class/otter/added.jsonl       what the teacher added for otter from other files
    class/otter/.seat             a random number, which otter's seat remembers
    class/hidden.txt              the fingerprints of the drawings that are not shown

What others wrote is data that nobody trusts; `safe_io` reads it.
"""

import hashlib
import itertools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from digitlab.ink import Drawing
from digitlab.paths import shown
from digitlab_classroom.pseudonyms import MAX_WRITERS
from digitlab_classroom.safe_io import printable, read_line, read_regular

MAX_DRAWINGS = 2_000
"""Maximum number of drawings of one writer."""

MAX_STROKES = 10 * MAX_DRAWINGS
"""Maximum number of strokes that are read from one file of a writer; the lines after them count as no drawings."""

MAX_FILE_BYTES = 4_000_000
"""Maximum number of bytes that are read from one file of a writer."""

MAX_CLASS_BYTES = 50 * MAX_FILE_BYTES
"""Maximum number of bytes of drawings that are read from all writers together."""

SUBMITTED, ADDED, HIDDEN = "drawings.jsonl", "added.jsonl", "hidden.txt"
WRITER_FILES = (SUBMITTED, ADDED)

SEAT = ".seat"
"""The file in a writer's folder that says which seat reserved the pseudonym."""

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, eq=False)
class Submission(Drawing):
    """A drawing that was submitted: its ink, its label and its writer's pseudonym."""

    number: int = 0
    """The writer's first drawing is 1."""

    fingerprint: str = ""
    """Equal for equal strokes and labels, whoever submitted them."""


def fingerprint(drawing: Drawing) -> str:
    """Return 16 hexadecimal digits that identify a drawing's strokes and label, whoever made it."""
    return hashlib.sha256(drawing.ink.to_json(drawing.label).encode()).hexdigest()[:16]


def is_fingerprint(text: str) -> bool:
    """Return whether a text has the form of a fingerprint."""
    return _FINGERPRINT.fullmatch(text) is not None


@dataclass
class _File:
    """What was read from one file of a writer."""

    stamp: tuple | None = None
    drawings: tuple = ()
    parsed: dict | None = None  # Each line with its drawing, or with None if it is not a drawing.

    @property
    def size(self):
        return sum(map(len, self.parsed or ()))


class ClassFolder:
    """The drawings in a class's folder. Only files that have changed are read again.

    Parameters
    ----------
    path : Path
        The folder; it need not exist.

    Attributes
    ----------
    path : Path
    left_out : dict of str to int
        For each writer, the number of lines that were not drawings when they were last read.
    unreadable : dict of str to str
        The files that could not be opened when they were last read, each with its writer.
    """

    def __init__(self, path: Path):
        self.path = path
        self.left_out: dict[str, int] = {}
        self.unreadable: dict[str, str] = {}
        self._files: dict[tuple[str, str], _File] = {}
        self._hidden: frozenset[str] | None = None  # Not read so far.

    def names(self) -> list[str]:
        """Return the names of the writers' folders, sorted.

        Raises
        ------
        OSError
            If the folder cannot be read, or is not there any more after something was read from it.
        """
        try:
            with os.scandir(self.path) as entries:
                names = [
                    entry.name
                    for entry in itertools.islice(entries, 50 * MAX_WRITERS)
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
                ]
        except (FileNotFoundError, NotADirectoryError):
            if self._files:
                raise FileNotFoundError(
                    f"The class's folder {shown(self.path)} is not there any more. If it is on a share or a drive, "
                    "connect that."
                ) from None
            return []
        return sorted(names)[:MAX_WRITERS]

    def read_all(self) -> list[str]:
        """Read all files that have changed; return the names of the writers' folders."""
        names = self.names()
        for gone in {name for name, _ in self._files} - set(names):
            self.forget(gone)
        for name in names:
            self.read(name)
        return names

    def read(self, name: str) -> None:
        """Read the files of one writer that have changed."""
        for file in WRITER_FILES:
            before = self._files.get((name, file), _File())
            shown_name = f"{printable(name)}/{file}"
            self.unreadable.pop(shown_name, None)
            try:
                stamp, content = read_regular(self.path, name, file, before.stamp, MAX_FILE_BYTES)
            except OSError as error:
                self._files.pop((name, file), None)
                if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                    self.unreadable[shown_name] = printable(name)
                continue
            if content is None:
                continue
            # The last line may still be being written: it is read when its end is there.
            lines = [line for line in content[: content.rfind(b"\n") + 1].split(b"\n") if line.strip()]
            others = sum(read.size for key, read in self._files.items() if key != (name, file))
            if others + sum(map(len, lines)) > MAX_CLASS_BYTES:
                lines = []
            known = before.parsed or {}
            parsed, strokes = {}, 0
            for line in dict.fromkeys(lines):
                drawing = known[line] if line in known else _parse(line) if strokes <= MAX_STROKES else None
                strokes += len(drawing.ink.strokes) if drawing else 0
                parsed[line] = drawing
            # A drawing that was written twice counts once.
            drawings = {drawing.fingerprint: drawing for drawing in parsed.values() if drawing is not None}
            self._files[name, file] = _File(stamp, tuple(drawings.values()), parsed)

    def forget(self, name: str) -> None:
        """Forget what was read from a writer's files."""
        for file in WRITER_FILES:
            self._files.pop((name, file), None)
            self.unreadable.pop(f"{printable(name)}/{file}", None)
        self.left_out.pop(printable(name), None)

    def drawings_of(self, name: str) -> list[Submission]:
        """Return the drawings that were last read from one writer's files, hidden or not."""
        drawings, bad_lines = {}, 0
        for file in WRITER_FILES:
            read = self._files.get((name, file), _File())
            bad_lines += sum(drawing is None for drawing in (read.parsed or {}).values())
            for drawing in read.drawings:
                drawings.setdefault(drawing.fingerprint, drawing)
        self.left_out[printable(name)] = bad_lines
        return [
            Submission(one.ink, one.label, printable(name), number=number, fingerprint=one.fingerprint)
            for number, one in enumerate(itertools.islice(drawings.values(), MAX_DRAWINGS), 1)
        ]

    def drawings(self, names: Iterable[str]) -> list[Submission]:
        """Return the drawings that were last read from several writers' files, hidden or not."""
        return [drawing for name in names for drawing in self.drawings_of(name)]

    def hidden(self) -> frozenset[str]:
        """Return the fingerprints of the drawings that are hidden; if they cannot be read now, those read before.

        Raises
        ------
        OSError
            If they could not be read before either.
        """
        try:
            return self.read_hidden()
        except OSError:
            if self._hidden is None:
                raise
            return self._hidden

    def read_hidden(self) -> frozenset[str]:
        """Read the fingerprints of the drawings that are hidden.

        Raises
        ------
        OSError
            If they cannot be read now.
        """
        content, file = b"", self.path / HIDDEN
        try:
            content = read_regular(self.path, "", HIDDEN, None, MAX_FILE_BYTES)[1]
        except OSError as error:
            if file.is_file() and not file.is_symlink():  # What the kit did not write hides nothing.
                raise OSError(
                    f"The list of the hidden drawings, {shown(file)}, cannot be read ({error.strerror or error}). "
                    "Until it can, nothing is shown."
                ) from None
        self._hidden = frozenset(filter(is_fingerprint, content.decode("ascii", "replace").split()))
        return self._hidden

    def state(self) -> frozenset:
        """Return what is different as soon as a file that was read is different."""
        return frozenset((key, read.stamp) for key, read in self._files.items())


def _parse(line):
    try:
        drawing = read_line(line)
    except ValueError:
        return None
    return Submission(drawing.ink, drawing.label, fingerprint=fingerprint(drawing))
