"""The class's digits: what the seats of a class hand in, in one folder that they share.

It stands on `evaluate`, and on `untrusted` for reading what others wrote.

    class/otter/drawings.jsonl    what otter handed in; this seat alone writes to it, so that no lock is needed
    class/otter/added.jsonl       what the teacher added to it from files that were handed over
    class/hidden.txt              the fingerprints of drawings that are not to be shown

Everyone is known by a pseudonym, which is given and never typed. Who may write to the class's folder itself may hide
and erase; Unix permissions see to that. What others wrote is data, and nobody here trusts it; everything has a bound.
"""

import contextlib
import gzip
import hashlib
import itertools
import os
import random
import re
import shutil
import stat
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from digitlab.ink import Drawing, append_drawing
from digitlab.metrics import DIGITS, evaluate, is_right
from digitlab.paths import CLASS_NETWORK, DRAWINGS, SUBMISSIONS, shown
from digitlab_classroom.safe_io import (
    MAX_LINE_BYTES,
    check,
    lines_of_file,
    open_without_links,
    plain,
    read_line,
    read_regular,
    write_whole,
)

MAX_DRAWINGS = 2_000
"""So many drawings of one writer are read and taken, and no more."""

MAX_WRITERS = 200
MAX_BYTES = 4_000_000
"""So much of one file is read; a class's files together, and one that is handed over, may be fifty times as large."""

_ANIMALS = """
albatross alpaca avocet badger bee bison bullfinch chamois condor crane cricket curlew deer dipper dolphin dormouse
dove dragonfly egret elk emu falcon finch firefly fox gannet gazelle gecko giraffe goldfinch hare hedgehog heron
hoopoe ibex ibis jay kestrel kingfisher kiwi koala ladybird lark lemur linnet llama lynx macaw magpie marten meerkat
merlin mole moose narwhal newt nuthatch okapi oriole osprey otter owl panda parrot pelican penguin petrel plover
puffin quokka raven redstart reindeer robin salmon sandpiper seahorse seal siskin skylark sparrow squirrel starling
stork swan swift tapir tern tortoise toucan trout turtle wagtail wolf wombat wren zebra
"""

PSEUDONYMS = tuple(_ANIMALS.split())

_PSEUDONYM = re.compile(r"[a-z]{2,20}(-[1-9][0-9]{0,3})?")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_HANDED_IN, _ADDED, _HIDDEN = "drawings.jsonl", "added.jsonl", "hidden.txt"


@dataclass(frozen=True, eq=False)
class Submission(Drawing):
    """A drawing of the class: an ink, its label and its writer's pseudonym, and what it is told from others by."""

    number: int = 0
    """The writer's first drawing is 1."""

    fingerprint: str = ""
    """Equal for equal strokes and labels, whoever handed them in."""


@dataclass(frozen=True)
class Added:
    """What came of a file that was handed over."""

    added: int
    """How many drawings are new."""

    known: int
    """How many were there already."""

    bad_lines: int
    """How many lines were no labelled drawing."""

    writers: tuple
    """The pseudonyms that its writers have here."""


class NotSubmittedError(OSError):
    """A drawing could not be handed in, but it is kept, and goes along with the next one."""


def new_writer(folder=SUBMISSIONS):
    """Take a pseudonym that is free, by making its folder.

    Parameters
    ----------
    folder : path-like, optional
        The class's; it is made where there is none.

    Returns
    -------
    str
        The name of an animal, with a number behind it once all are taken. Which one is chance: it says nothing about
        whose it is, nor who came first.

    Raises
    ------
    OSError
        Where the folder cannot be made.
    ValueError
        Where the class is full.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    taken = {path.name for path in itertools.islice(folder.iterdir(), 10 * MAX_WRITERS)}
    if len(taken) >= MAX_WRITERS:
        raise ValueError(f"{shown(folder)} has {MAX_WRITERS} writers already; begin a new folder for another class.")
    for number in itertools.count(1):
        names = [name if number == 1 else f"{name}-{number}" for name in PSEUDONYMS]
        for name in random.SystemRandom().sample(names, len(names)):
            if name in taken:
                continue
            with contextlib.suppress(FileExistsError):  # Somebody else has just taken it.
                (folder / name).mkdir()
                _let_others_read(folder / name)
                return name
    return None


def _let_others_read(folder):
    """Let all accounts read a folder just made, whatever this one's umask; on Windows they may already."""
    if os.name == "posix":
        # Through the opened folder: a hub does this as root, who must not follow a link that has been put in its place.
        opened = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW)
        os.fchmod(opened, 0o755)
        os.close(opened)


def fingerprint(drawing):
    """Return what tells a drawing from others, whoever made it: 16 hexadecimal digits of its strokes and its label."""
    return hashlib.sha256(drawing.ink.to_json(drawing.label).encode()).hexdigest()[:16]


def scores(drawings, predictions):
    """Measure how well a network reads the class's digits.

    Parameters
    ----------
    drawings : sequence of Drawing
        Each with its label and its writer.
    predictions : sequence of Prediction
        What a network made of each.

    Returns
    -------
    dict
        As `digitlab.metrics.evaluate` returns it, and besides how many are read ``right``, and ``per_writer``: for
        each pseudonym ``drawings``, ``right`` and ``accuracy``. Where no drawing is labelled with a digit, there are
        0 ``drawings`` and no accuracy.
    """
    right_of = {}
    for drawing, prediction in zip(drawings, predictions, strict=True):
        if drawing.label in DIGITS:
            right_of.setdefault(drawing.writer, []).append(is_right(drawing, prediction))
    if not right_of:
        return {"drawings": 0, "right": 0, "accuracy": None, "per_digit": {}, "per_writer": {}}
    per_writer = {
        writer: {"drawings": len(right), "right": sum(right), "accuracy": sum(right) / len(right)}
        for writer, right in right_of.items()
    }
    right = sum(row["right"] for row in per_writer.values())
    return {**evaluate(drawings, predictions), "right": right, "per_writer": per_writer}


class SubmissionStore:
    """The digits of a class. To make one changes nothing on the disk; it may be used from several threads.

    Parameters
    ----------
    folder : path-like, optional
        The folder that the class shares.

    Attributes
    ----------
    folder : Path
    left_out : dict of str to int
        For each writer how many lines were no drawings when they were last read.
    """

    def __init__(self, folder=SUBMISSIONS):
        self.folder = Path(folder).expanduser().absolute()
        self.left_out = {}
        self._lock = threading.RLock()
        self._files = {}
        self._shown = None, ()

    def __repr__(self):
        drawings = self.drawings()
        return f"SubmissionStore({len(drawings)} drawings by {len({drawing.writer for drawing in drawings})} writers)"

    # Handing in

    @property
    def writer(self):
        """The pseudonym of this seat; None where it has none yet: it gets one when it first hands something in.

        A hub gives it in the environment variable DIGITLAB_WRITER; otherwise the seat remembers its own.
        """
        if given := os.environ.get("DIGITLAB_WRITER"):
            if not _PSEUDONYM.fullmatch(given):
                raise ValueError(f"DIGITLAB_WRITER must be a pseudonym such as otter or heron-2, not {given[:40]!r}.")
            return given
        try:
            name = self._memory.read_text("utf-8").strip()
        except (OSError, ValueError):
            return None
        # Were it erased, somebody else might have it by now.
        return name if _PSEUDONYM.fullmatch(name) and (self.folder / name).is_dir() else None

    def hand_in(self, ink, label):
        """Hand in a drawing, and those that could not be handed in before.

        Parameters
        ----------
        ink : Ink
        label : str or int
            What was meant: one character.

        Returns
        -------
        int
            How many this seat has handed in by now.

        Raises
        ------
        ValueError
            Where nothing is drawn, the drawing is too large, or there are too many.
        NotSubmittedError
            Where the class's folder cannot be written: the drawing is kept in the reader's own folder then.
        OSError
            Where it could be kept nowhere.
        """
        drawing = Drawing(ink.copy(), str(label))
        if not ink:
            raise ValueError("Draw something first.")
        check(drawing)
        size = len(ink.to_json(label, "a" * 25).encode())
        if size > MAX_LINE_BYTES:
            raise ValueError(
                f"This drawing takes {size // 1000:,} kB, and the class's digits take {MAX_LINE_BYTES // 1000} kB at "
                f"most: press Clear, and draw it again with fewer strokes."
            )
        with self._lock:
            try:
                writer = self._own_writer()
                self._append(writer, [drawing])
            except OSError as error:
                try:
                    self._keep_waiting(drawing)
                except OSError as other:
                    raise OSError(
                        f"The drawing could not be handed in to {shown(self.folder)} ({_why(error)}), nor "
                        f"kept in {shown(self._waiting)} ({_why(other)})."
                    ) from None
                raise NotSubmittedError(
                    f"The drawing could not be handed in to {shown(self.folder)} ({_why(error)}). It is kept "
                    f"in {shown(self._waiting)}, and goes along with the next one."
                ) from None
            with contextlib.suppress(OSError, ValueError):  # They wait for the next one.
                self._hand_in_waiting(writer)
            self._read(writer)
            return len(self._drawings_of(writer))

    def own(self):
        """Return what this seat has handed in, hidden or not: a list of Submission."""
        with self._lock:
            writer = self.writer
            if writer is None:
                return []
            self._read(writer)
            return self._drawings_of(writer)

    def waiting(self):
        """Return how many drawings of this seat could not be handed in yet."""
        return len(self._waiting_files())

    # Reading

    def drawings(self):
        """Return what the class has handed in, without what is hidden.

        Returns
        -------
        tuple of Submission
            Writer by writer, each in the order in which they were handed in. Only what has changed is read again; as
            long as nothing has, it is the same tuple.
        """
        with self._lock:
            names = self._names()
            for gone in {name for name, _ in self._files} - set(names):
                self._forget(gone)
            for name in names:
                self._read(name)
            hidden = self._hidden()
            state = frozenset((key, stamp) for key, (stamp, *_) in self._files.items()), frozenset(hidden)
            if self._shown[0] != state:
                drawings = (drawing for name in names for drawing in self._drawings_of(name))
                self._shown = state, tuple(drawing for drawing in drawings if drawing.fingerprint not in hidden)
            return self._shown[1]

    def scores(self, recognizer):
        """Measure how well a network reads the class's digits; see `digitlab_classroom.submissions.scores`."""
        drawings = self.drawings()
        return scores(drawings, recognizer.predict_many(drawing.ink for drawing in drawings))

    # What the teacher does

    @property
    def may_hide(self):
        """Whether this account may hide and erase: whether it may write to the class's folder itself."""
        hidden = self.folder / _HIDDEN
        return os.access(hidden if os.path.exists(hidden) else self.folder, os.W_OK)

    def hide(self, which, number=None):
        """Hide drawings at once: they are shown, measured and exported no more, and can be shown again.

        Parameters
        ----------
        which : str or Submission
            A drawing or its fingerprint; or a pseudonym, whose drawings are hidden that are there by now.
        number : int, optional
            With a pseudonym: only the drawing of this number.

        Returns
        -------
        int
            How many are hidden now that were not before.

        Raises
        ------
        ValueError
            Where there is no such drawing.
        OSError
            Where this account may not hide.
        """
        with self._lock:
            hidden = self._hidden()
            new = [mark for mark in self._marks(which, number) if mark not in hidden]
            if new:
                try:
                    with open(self.folder / _HIDDEN, "ab", buffering=0, opener=open_without_links) as file:
                        file.write("".join(f"{mark}\n" for mark in new).encode())
                        os.fsync(file.fileno())
                except OSError as error:
                    raise self._refused("hidden", error) from None
            return len(new)

    def show_again(self, which, number=None):
        """Show drawings that were hidden; see `hide`."""
        with self._lock:
            hidden, marks = self._hidden(), set(self._marks(which, number))
            try:
                write_whole(self.folder / _HIDDEN, "".join(f"{mark}\n" for mark in sorted(hidden - marks)).encode())
            except OSError as error:
                raise self._refused("shown again", error) from None
            return len(hidden & marks)

    def erase(self, writer):
        """Erase one writer's drawings, for good. The pseudonym stays its owner's.

        Parameters
        ----------
        writer : str
            A pseudonym. Everyone may erase what is their own; what of it could not be handed in yet goes with it.

        Returns
        -------
        int
            How many drawings were erased.

        Raises
        ------
        ValueError
            Where there is no such writer.
        OSError
            Where this account may not erase them.
        """
        with self._lock:
            self._check_known(writer)
            if writer == self.writer:
                shutil.rmtree(self._waiting, ignore_errors=True)
            return self._erase([name for name in self._names() if plain(name) == writer], keep=True)

    def erase_all(self):
        """Erase all drawings of the class, for good, and forget the pseudonyms and what was hidden.

        Returns
        -------
        int
            How many drawings were erased.

        Raises
        ------
        OSError
            Where this account may not erase them.
        """
        with self._lock:
            count = self._erase(self._names(), keep=False)
            try:
                (self.folder / _HIDDEN).unlink(missing_ok=True)
            except OSError as error:
                raise self._refused("erased", error) from None
            return count

    def _erase(self, names, keep):
        count, left = 0, []
        for name in names:
            self._read(name)
            drawings = len(self._drawings_of(name))
            try:
                left += self._erase_folder(name, keep)
            except OSError as error:
                raise self._refused("erased", error) from None
            count += drawings
        if left:
            raise OSError(
                f"What was erased is no longer among the class's digits. But some of its owners forbid that it is "
                f"removed from the disk; an administrator can remove it: {', '.join(map(shown, left))}"
            )
        return count

    def _erase_folder(self, name, keep):
        """Erase what is in a writer's folder; return where it is where only its owner could do that."""
        folder = self.folder / name
        self._forget(name)
        try:
            for file in (folder / _HANDED_IN, folder / _ADDED):
                shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink(missing_ok=True)
            for file in folder.iterdir():
                shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
            if not keep:
                folder.rmdir()
        except OSError:
            # A folder can be put out of sight also where what is in it cannot be touched.
            aside = folder.with_name(f".erased-{name}-{os.urandom(4).hex()}")
            folder.rename(aside)
            return [aside]
        return []

    def export(self, path):
        """Write all drawings that are shown into one file, with their pseudonyms.

        Parameters
        ----------
        path : path-like
            JSON lines; gzipped where its name ends in ``.gz``. What is there by this name is replaced, at the end.

        Returns
        -------
        int
            How many drawings it holds.

        Raises
        ------
        ValueError
            Where there are none.
        """
        drawings = self.drawings()
        if not drawings:
            raise ValueError(f"There is nothing to export: no drawing was handed in to {shown(self.folder)}.")
        content = "".join(f"{drawing.ink.to_json(drawing.label, drawing.writer)}\n" for drawing in drawings).encode()
        path = Path(path).expanduser()
        write_whole(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        return len(drawings)

    def add(self, path):
        """Add the drawings of a file that was handed over, such as ``drawings/my_drawings.jsonl`` of a laptop.

        To add a file twice adds nothing. A writer of the file of whom a drawing is here already keeps that pseudonym;
        others get a new one. Drawings that name no writer are taken to be of one.

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
            Where the file cannot be read or is too large, or the class is full; the class's folder cannot be written.
        """
        by_writer, bad_lines = {}, 0
        for line in lines_of_file(Path(path).expanduser(), 50 * MAX_BYTES):
            try:
                drawing = read_line(line)
            except ValueError:
                bad_lines += 1
            else:
                by_writer.setdefault(drawing.writer, {})[fingerprint(drawing)] = drawing
        with self._lock:
            self.drawings()
            owners = {one.fingerprint: one.writer for name in self._names() for one in self._drawings_of(name)}
            before = owners.copy()
            added = known = 0
            writers = []
            for drawings in by_writer.values():
                new = [drawing for mark, drawing in drawings.items() if mark not in owners]
                known += len(drawings) - len(new)
                owner = next((before[mark] for mark in drawings if mark in before), None)
                if new:
                    owner = owner if owner and _PSEUDONYM.fullmatch(owner) else new_writer(self.folder)
                    self._append(owner, new, _ADDED)
                    added += len(new)
                    owners |= {fingerprint(drawing): owner for drawing in new}
                writers.append(owner)
            return Added(added, known, bad_lines, tuple(dict.fromkeys(writers)))

    def learn(self, network=None, output=CLASS_NETWORK, report=lambda share: None):
        """Let a copy of a network learn the class's digits, in a process of its own, and wait for it.

        Parameters
        ----------
        network, output : path-like, optional
            As for `digitlab.training.finetune.learn`, which does the work.
        report : callable, optional
            Called with the share done, 0 to 1, now and then.

        Returns
        -------
        dict
            As `digitlab.training.finetune.learn` returns it.

        Raises
        ------
        ValueError
            Where there is too little to learn from; in the words of the process that learns.
        """
        from digitlab.training.finetune import FinetuneProcess

        ended, results = threading.Event(), []

        def end(result):
            results.append(result)
            ended.set()

        with tempfile.TemporaryDirectory() as folder:
            self.export(Path(folder, "class.jsonl"))
            learning = FinetuneProcess(report, end, Path(folder, "class.jsonl"), network, output)
            try:
                ended.wait()
            except KeyboardInterrupt:
                learning.cancel()
                raise
        if not isinstance(results[0], dict):
            raise ValueError(f"Nothing was learnt: {results[0]}")
        return results[0]

    # The seat's own

    @property
    def _key(self):
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]

    @property
    def _memory(self):
        return DRAWINGS / f".writer-{self._key}"

    @property
    def _waiting(self):
        # Of each class its own: what was meant for one goes into no other.
        return DRAWINGS / f"not_handed_in-{self._key}"

    def _own_writer(self):
        if "DIGITLAB_WRITER" in os.environ and self.writer:
            (self.folder / self.writer).mkdir(parents=True, exist_ok=True)
            return self.writer
        if self.writer is None:
            name = new_writer(self.folder)
            try:
                write_whole(self._memory, f"{name}\n".encode())
            except OSError:
                (self.folder / name).rmdir()
                raise
        # Two of this seat's notebooks may have begun at once: both take what was remembered last.
        return self.writer

    def _keep_waiting(self, drawing):
        line = drawing.ink.to_json(drawing.label).encode() + b"\n"
        write_whole(self._waiting / f"{fingerprint(drawing)}.jsonl", line)

    def _waiting_files(self):
        return sorted(self._waiting.glob("*.jsonl"), key=lambda file: file.stat().st_mtime_ns)

    def _hand_in_waiting(self, writer):
        files = self._waiting_files()
        if not files:
            return
        self._read(writer)
        there = {drawing.fingerprint for drawing in self._drawings_of(writer)}
        for file in files:
            if file.stem not in there:
                self._append(writer, [read_line(file.read_bytes().strip())])
            file.unlink()
        with contextlib.suppress(OSError):
            self._waiting.rmdir()

    def _append(self, writer, drawings, file=_HANDED_IN):
        folder = self.folder / writer
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise NotADirectoryError(20, "it is no folder", str(folder))
        self._read(writer)
        path = folder / file
        size = path.lstat().st_size if path.exists() else 0
        if len(self._drawings_of(writer)) + len(drawings) > MAX_DRAWINGS or size > MAX_BYTES - MAX_LINE_BYTES:
            raise ValueError(f"Of one writer the class's digits take {MAX_DRAWINGS:,} drawings; {writer} has no room.")
        for drawing in drawings:
            append_drawing(path, drawing.ink, drawing.label, writer, opener=open_without_links)

    # Reading what others wrote

    def _names(self):
        """Return the names of the writers' folders, in order."""
        try:
            with os.scandir(self.folder) as entries:
                names = [
                    entry.name
                    for entry in itertools.islice(entries, 50 * MAX_WRITERS)
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(names)[:MAX_WRITERS]

    def _forget(self, name):
        for file in (_HANDED_IN, _ADDED):
            self._files.pop((name, file), None)

    def _read(self, name):
        """Read a writer's files where they have changed."""
        for file in (_HANDED_IN, _ADDED):
            stamp, _, parsed = self._files.get((name, file), (None, [], {}))
            try:
                new_stamp, content = read_regular(self.folder, name, file, stamp, MAX_BYTES)
            except OSError:
                self._files.pop((name, file), None)
                continue
            if content is None:
                continue
            if sum(stamp[1] for key, (stamp, *_) in self._files.items() if key != (name, file)) > 50 * MAX_BYTES:
                content = b""
            lines = content[: content.rfind(b"\n") + 1].split(b"\n")  # What comes after is still being written.
            parsed = {line: parsed[line] if line in parsed else _parsed(line) for line in lines if line.strip()}
            # What has been written twice counts once.
            drawings = {one.fingerprint: one for one in parsed.values() if one is not None}
            self._files[name, file] = new_stamp, list(drawings.values()), parsed

    def _drawings_of(self, name):
        drawings, bad = {}, 0
        for file in (_HANDED_IN, _ADDED):
            _, own, parsed = self._files.get((name, file), (None, [], {}))
            bad += sum(one is None for one in parsed.values())
            drawings |= {one.fingerprint: one for one in own if one.fingerprint not in drawings}
        self.left_out[plain(name)] = bad
        return [
            Submission(one.ink, one.label, plain(name), number, one.fingerprint)
            for number, one in enumerate(itertools.islice(drawings.values(), MAX_DRAWINGS), 1)
        ]

    def _hidden(self):
        try:
            content = read_regular(self.folder, "", _HIDDEN, None, MAX_BYTES)[1]
        except OSError:
            return set()
        lines = content.decode("ascii", "replace").split()
        return {line for line in lines if _FINGERPRINT.fullmatch(line)}

    def _check_known(self, writer):
        if writer not in map(plain, self._names()):
            raise ValueError(f"There is no writer {writer} in {shown(self.folder)}; who is there: digitlab class show")

    def _marks(self, which, number):
        """Return the fingerprints of the drawings that are meant."""
        self.drawings()
        if isinstance(which, Submission):
            return [which.fingerprint]
        everything = [drawing for name in self._names() for drawing in self._drawings_of(name)]
        if number is None and _FINGERPRINT.fullmatch(which):
            found = [drawing for drawing in everything if drawing.fingerprint == which]
            if not found:
                raise ValueError(f"There is no drawing with the fingerprint {which} in {shown(self.folder)}.")
        else:
            self._check_known(which)
            own = [drawing for drawing in everything if drawing.writer == which]
            found = [drawing for drawing in own if number in (None, drawing.number)]
            if not found:
                raise ValueError(f"{which} has no drawing of the number {number}: the last one is {len(own)}.")
        return [drawing.fingerprint for drawing in found]

    def _refused(self, what, error):
        return OSError(
            f"Nothing more was {what}: for that one must be allowed to write to {shown(self.folder)} itself, as a "
            f"teacher is ({_why(error)})."
        )


def _why(error):
    return error.strerror or error


def _parsed(line):
    try:
        drawing = read_line(line)
    except ValueError:
        return None
    return Submission(drawing.ink, drawing.label, fingerprint=fingerprint(drawing))
