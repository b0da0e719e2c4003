"""The drawings that a class submits, in one folder that all seats share: submit, read, moderate and export them."""

import contextlib
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from digitlab.ink import Drawing, Ink, append_drawing
from digitlab.paths import CLASS_NETWORK, SUBMISSIONS, expand, shown
from digitlab.recognizer import Recognizer
from digitlab_classroom import exchange, moderation
from digitlab_classroom.class_folder import (
    ADDED,
    MAX_DRAWINGS,
    MAX_FILE_BYTES,
    MAX_STROKES,
    SUBMITTED,
    ClassFolder,
    Submission,
    fingerprint,
)
from digitlab_classroom.exchange import Added
from digitlab_classroom.pseudonyms import MAX_WRITERS, new_writer, room_for_writers
from digitlab_classroom.safe_io import MAX_LINE_BYTES, check_drawing, open_without_links, stored_size
from digitlab_classroom.scores import scores
from digitlab_classroom.seat_files import SeatFiles

__all__ = ["Added", "NotSubmittedError", "Submission", "SubmissionStore", "fingerprint", "new_writer", "scores"]


class NotSubmittedError(OSError):
    """A drawing could not be submitted now. It is kept, and submitted together with the next one."""


class SubmissionStore:
    """The submissions of a class. It may be used from several threads. Making one changes nothing on the disk.

    Parameters
    ----------
    folder : path-like, optional
        The folder that the class shares.

    Attributes
    ----------
    folder : Path
    """

    def __init__(self, folder: Path | str = SUBMISSIONS):
        self.folder = expand(folder).absolute()
        self._lock = threading.RLock()
        self._class = ClassFolder(self.folder)
        self._seat = SeatFiles(self.folder)
        self._last = None, ()

    def __repr__(self):
        return f"SubmissionStore({shown(self.folder)!r})"

    # Submit

    @property
    def writer(self) -> str | None:
        """The pseudonym of this seat, or None if it has none yet. It gets one with its first submission."""
        return self._seat.writer

    def submit(self, ink: Ink, label: str | int) -> int:
        """Submit a drawing, and the pending ones that could not be submitted before.

        Parameters
        ----------
        ink : Ink
        label : str or int
            The digit or the character that was drawn: one character.

        Returns
        -------
        int
            The number of drawings that this seat has submitted so far.

        Raises
        ------
        ValueError
            If nothing is drawn, the drawing is too large, or there are too many.
        NotSubmittedError
            If the class's folder cannot be written. The drawing is then kept in the reader's own folder.
        OSError
            If it cannot be kept there either.
        """
        drawing = Drawing(ink.copy(), str(label))
        if not ink:
            raise ValueError("Draw something first.")
        check_drawing(drawing)
        size = stored_size(drawing)
        if size > MAX_LINE_BYTES:
            raise ValueError(
                f"This drawing takes {-(-size // 1000):,} kB, but a class accepts {MAX_LINE_BYTES // 1000} kB at most: "
                f"press Clear, and draw it again with fewer strokes."
            )
        with self._lock:
            try:
                self._class.names()  # A share that is not connected must not be made anew on this machine.
                writer = self._seat.take_writer()
                self._append(writer, [drawing], SUBMITTED)
            except OSError as error:
                raise self._keep(drawing, error) from None
            with contextlib.suppress(OSError, ValueError):  # They stay pending until the next submission.
                self._submit_pending(writer)
            return len(self._read(writer))

    def own(self) -> list[Submission]:
        """Return what this seat has submitted, hidden or not."""
        with self._lock:
            writer = self.writer
            return [] if writer is None else self._read(writer)

    def pending(self) -> int:
        """Return the number of drawings of this seat that could not be submitted yet."""
        return len(self._seat.pending_files())

    # Read

    def drawings(self) -> tuple[Submission, ...]:
        """Return what the class has submitted, without the hidden drawings.

        Returns
        -------
        tuple of Submission
            Sorted by writer, then in the order of submission. As long as no file has changed, it is the same tuple.
        """
        with self._lock:
            names = self._class.read_all()
            hidden = self._class.hidden()
            state = self._class.state(), hidden
            if self._last[0] != state:
                drawings = self._class.drawings(names)
                self._last = state, tuple(drawing for drawing in drawings if drawing.fingerprint not in hidden)
            return self._last[1]

    @property
    def hidden_count(self) -> int:
        """Number of drawings that are hidden."""
        with self._lock:
            hidden = self._class.hidden()
            return sum(one.fingerprint in hidden for one in self._class.drawings(self._class.read_all()))

    @property
    def left_out(self) -> dict[str, int]:
        """For each writer, the number of lines that were not drawings when they were last read."""
        return self._class.left_out

    @property
    def unreadable(self) -> dict[str, str]:
        """The files that could not be opened when they were last read, each with its writer."""
        return self._class.unreadable

    def scores(self, recognizer: Recognizer) -> dict:
        """Measure how well a network reads the submissions; see `digitlab_classroom.scores.scores`."""
        drawings = self.drawings()
        return scores(drawings, recognizer.predict_many(drawing.ink for drawing in drawings))

    # Moderate

    @property
    def may_hide(self) -> bool:
        """Whether this account may hide and erase, because it may write to the class's folder itself."""
        return moderation.may_hide(self.folder)

    def hide(self, which: str | Submission, number: int | None = None) -> int:
        """Hide drawings at once. They are not shown, measured or exported, and can be shown again.

        Parameters
        ----------
        which : str or Submission, or a list of these
            A drawing, or its fingerprint, or a pseudonym: then all present drawings of that writer are hidden. Equal
            drawings of other writers are hidden with it.
        number : int, optional
            With a pseudonym: only the drawing with this number.

        Returns
        -------
        int
            The number of drawings that were not hidden before.

        Raises
        ------
        ValueError
            If there is no such drawing.
        OSError
            If this account may not hide.
        """
        with self._lock:
            return moderation.hide(self._class, which, number)

    def show_again(self, which: str | Submission, number: int | None = None) -> int:
        """Show drawings that were hidden; the parameters are those of `hide`."""
        with self._lock:
            return moderation.show_again(self._class, which, number)

    def erase(self, writer: str | None) -> int:
        """Erase one writer's drawings permanently. The pseudonym stays reserved for that writer.

        Parameters
        ----------
        writer : str or None
            A pseudonym. Every seat may erase its own drawings; its pending ones are erased with them. None, as a seat
            without a pseudonym is called, has pending ones only.

        Returns
        -------
        int
            The number of erased drawings, pending ones included.

        Raises
        ------
        ValueError
            If there is no such writer, or the folder of that name is not the kit's.
        OSError
            If this account may not erase them, or the class's folder is not there any more.
        """
        with self._lock:
            pending = 0
            if writer == self.writer:
                pending = self.pending()
                self._seat.erase_pending()
                if writer not in self._class.names():
                    return pending
            return pending + moderation.erase(self._class, writer)

    def erase_all(self) -> int:
        """Erase all drawings of the class permanently, with the pseudonyms and the list of hidden drawings.

        Only folders that have a pseudonym are touched, and in them only the files that the kit made.

        Returns
        -------
        int
            The number of erased drawings.

        Raises
        ------
        ValueError
            If the folder is not the folder of a class.
        OSError
            If this account may not erase them.
        """
        with self._lock:
            return moderation.erase_all(self._class)

    # Export, add, finetune

    def export(self, path: Path | str) -> int:
        """Write all drawings that are shown into one file, with the pseudonyms.

        Parameters
        ----------
        path : path-like
            JSON lines; gzipped if the name ends in ``.gz``. An existing file is replaced.

        Returns
        -------
        int
            The number of drawings in the file.

        Raises
        ------
        ValueError
            If there are none.
        """
        drawings = self.drawings()
        exchange.check_not_empty(drawings, self.folder)
        return exchange.export(drawings, expand(path))

    def add(self, path: Path | str) -> Added:
        """Add the drawings of a file, such as the export of another laptop.

        Adding a file twice changes nothing. A writer of the file who has many of these drawings in this class keeps
        that pseudonym; the others get new ones. Drawings without a writer are taken to be one writer's.

        Parameters
        ----------
        path : path-like
            JSON lines, plain or gzipped.

        Returns
        -------
        Added

        Raises
        ------
        OSError, ValueError
            If the file cannot be read or is too large, the class is full, or its folder cannot be written.
        """
        by_writer, bad_lines = exchange.read_by_writer(expand(path))
        with self._lock:
            present = {one.fingerprint: one.writer for one in self._class.drawings(self._class.read_all())}
            plan, known = exchange.plan_addition(by_writer, present)
            self._check_plan(plan)
            writers = []
            for owner, new in plan:
                if new:
                    owner = owner or new_writer(self.folder)
                    self._append(owner, new, ADDED)
                writers.append(owner)
            added = sum(len(new) for _, new in plan)
            return Added(added, known, bad_lines, tuple(dict.fromkeys(filter(None, writers))))

    def finetune(
        self,
        network: Path | str | None = None,
        output: Path | str = CLASS_NETWORK,
        report: Callable[[float], None] = lambda share: None,
    ) -> dict:
        """Finetune a copy of a network on the submissions, in a process of its own, and wait for it.

        Parameters
        ----------
        network, output : path-like, optional
            As for `digitlab.training.finetune.finetune`.
        report : callable, optional
            Called from time to time with the share that is done, 0 to 1.

        Returns
        -------
        dict
            As `digitlab.training.finetune.finetune` returns it.

        Raises
        ------
        ValueError
            If there are too few drawings, in the words of that process.
        """
        drawings = self.drawings()
        exchange.check_not_empty(drawings, self.folder)
        return exchange.finetune(drawings, network, output, report)

    # Helpers

    def _read(self, writer):
        self._class.read(writer)
        return self._class.drawings_of(writer)

    def _append(self, writer, drawings, file):
        folder = self.folder / writer
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise NotADirectoryError(20, "it is not a folder", str(folder))
        self._check_room(writer, drawings, file)
        for drawing in drawings:
            append_drawing(folder / file, drawing.ink, drawing.label, writer, opener=open_without_links)

    def _check_plan(self, plan):
        """Raise ValueError if not all drawings that are to be added have room; see `exchange.plan_addition`."""
        of_owner, of_others = {}, []
        for owner, new in plan:
            if owner:  # Several writers of the file may be one here.
                of_owner.setdefault(owner, []).extend(new)
            elif new:
                of_others.append((None, new))
        for owner, new in [*of_owner.items(), *of_others]:
            self._check_room(owner, new, ADDED)
        if (room := room_for_writers(self.folder)) < len(of_others):
            raise ValueError(
                f"A class accepts {MAX_WRITERS} writers: {shown(self.folder)} has room for {room} more, and the file "
                f"has {len(of_others):,} new ones. Nothing was added."
            )

    def _check_room(self, writer, drawings, file):
        """Raise ValueError if a file of a writer, or of one who is new, would hold more than is read from it."""
        present = self._read(writer) if writer else []
        path = self.folder / (writer or "") / file
        size = path.lstat().st_size if writer and path.exists() else 0
        size += sum(map(stored_size, drawings))
        strokes = sum(len(drawing.ink.strokes) for drawing in [*present, *drawings])
        if len(present) + len(drawings) > MAX_DRAWINGS or size > MAX_FILE_BYTES or strokes > MAX_STROKES:
            raise ValueError(
                f"A class accepts {MAX_DRAWINGS:,} drawings, {MAX_STROKES:,} strokes and {MAX_FILE_BYTES // 10**6} MB "
                f"of one writer: {writer or 'a writer of this file'} has no room for {len(drawings):,} more. "
                "Nothing was added."
            )

    def _submit_pending(self, writer):
        files = self._seat.pending_files()
        if not files:
            return
        submitted = {drawing.fingerprint for drawing in self._read(writer)}
        for file in files:
            drawing = None if file.stem in submitted else self._seat.read_pending(file)
            if drawing is not None:
                self._append(writer, [drawing], SUBMITTED)
            file.unlink(missing_ok=True)
        self._seat.remove_pending_folder()

    def _keep(self, drawing, error):
        """Keep a drawing that could not be submitted; return the exception that tells this."""
        problem = f"The drawing could not be handed in to {shown(self.folder)} ({error.strerror or error})"
        kept_in = shown(self._seat.pending_folder)
        try:
            self._seat.keep(drawing)
        except OSError as other:
            return OSError(f"{problem}, nor kept in {kept_in} ({other.strerror or other}).")
        return NotSubmittedError(f"{problem}. It is kept in {kept_in}, and goes along with the next one.")
