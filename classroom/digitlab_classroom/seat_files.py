"""What a seat keeps on its own disk: its pseudonym, and the drawings that it could not submit yet."""

import contextlib
import hashlib
import os
import shutil
import time
import warnings
from pathlib import Path

from digitlab.files import atomic_write
from digitlab.ink import Drawing
from digitlab.paths import DRAWINGS, HOME, shown
from digitlab_classroom.class_folder import SEAT, fingerprint
from digitlab_classroom.pseudonyms import is_pseudonym, make_writer_folder, new_writer
from digitlab_classroom.safe_io import read_line, read_regular

LOCK_SECONDS = 10
"""After this time, in seconds, a notebook that was reserving a pseudonym is taken to have crashed."""


class SeatFiles:
    """The seat's pseudonym in one class, and its pending drawings. Each class has its own.

    Parameters
    ----------
    folder : Path
        The class's folder.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        absolute = Path(os.path.abspath(folder))
        # A class in the reader's own folder is still the same one when that folder was moved. Before version 0.2 it was
        # known by its absolute path.
        inside = absolute.relative_to(HOME) if absolute.is_relative_to(HOME) else absolute
        key = _key(absolute) if (DRAWINGS / f".writer-{_key(absolute)}").exists() else _key(inside)
        self._memory = DRAWINGS / f".writer-{key}"
        self.pending_folder = DRAWINGS / f"not_handed_in-{key}"

    # The pseudonym

    @property
    def writer(self) -> str | None:
        """The pseudonym of this seat, or None if it has none yet.

        A hub sets the environment variable DIGITLAB_WRITER; otherwise the seat remembers its own pseudonym.
        """
        if given := os.environ.get("DIGITLAB_WRITER"):
            if not is_pseudonym(given):
                raise ValueError(f"DIGITLAB_WRITER must be a pseudonym such as otter or heron-2, not {given[:40]!r}.")
            return given
        try:
            name, *number = self._memory.read_text("utf-8").split()
            # If its folder was erased, another seat may have the pseudonym by now.
            if not is_pseudonym(name) or not (self._folder / name).is_dir():
                return None
            # Classes of release 0.1.0 have no such numbers.
            if number and read_regular(self._folder, name, SEAT, None, 100)[1].decode().split() != number:
                return None
        except (OSError, ValueError):
            return None
        return name

    def take_writer(self) -> str:
        """Return the seat's pseudonym; reserve one first if the seat has none.

        Raises
        ------
        OSError
            If it cannot be reserved or remembered.
        ValueError
            If the class is full.
        """
        if os.environ.get("DIGITLAB_WRITER"):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                make_writer_folder(self._folder / self.writer)
            except FileExistsError:
                pass
            except PermissionError as error:
                # The hub makes it when it starts a seat.
                words = "its folder is gone: have this seat's server stopped and started again"
                raise PermissionError(error.errno, words) from None
            return self.writer
        if self.writer is None:
            with self._lock():
                # Another notebook of this seat may have reserved one while this one waited.
                if self.writer is None:
                    self._reserve()
        return self.writer

    def _reserve(self):
        name, number = new_writer(self._folder), os.urandom(8).hex()
        mark = self._folder / name / SEAT
        try:
            atomic_write(mark, f"{number}\n".encode())
            atomic_write(self._memory, f"{name} {number}\n".encode())
        except OSError:
            mark.unlink(missing_ok=True)
            mark.parent.rmdir()
            raise

    @contextlib.contextmanager
    def _lock(self):
        """Let only one notebook of this seat reserve a pseudonym at a time."""
        lock = self._memory.with_name(f"{self._memory.name}.lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                break
            except FileExistsError:
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - lock.stat().st_mtime > LOCK_SECONDS:  # The notebook that made it has crashed.
                        lock.unlink()
                time.sleep(0.02)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)

    # Pending drawings

    def keep(self, drawing: Drawing) -> None:
        """Keep a drawing that could not be submitted, in a file of its own."""
        line = drawing.ink.to_json(drawing.label).encode() + b"\n"
        atomic_write(self.pending_folder / f"{fingerprint(drawing)}.jsonl", line)

    def pending_files(self) -> list[Path]:
        """Return the files of the pending drawings, the oldest first."""
        found = []
        for file in self.pending_folder.glob("*.jsonl"):
            with contextlib.suppress(FileNotFoundError):  # Another notebook has just submitted it.
                found.append((file.stat().st_mtime_ns, file))
        return [file for _, file in sorted(found)]

    def read_pending(self, file: Path) -> Drawing | None:
        """Return a pending drawing; a file that is not a drawing is renamed, and None is returned."""
        try:
            return read_line(file.read_bytes().strip())
        except ValueError:
            damaged = file.with_suffix(".damaged")
            file.replace(damaged)
            warnings.warn(f"A pending drawing is damaged: it is kept as {shown(damaged)}.", stacklevel=2)
            return None

    def erase_pending(self) -> None:
        """Erase the pending drawings."""
        shutil.rmtree(self.pending_folder, ignore_errors=True)

    def remove_pending_folder(self) -> None:
        """Remove the folder of the pending drawings if it is empty."""
        with contextlib.suppress(OSError):
            self.pending_folder.rmdir()


def _key(folder):
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
