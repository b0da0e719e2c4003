"""Move a class's drawings between files and the class's folder, and finetune a network on them."""

import contextlib
import gzip
import queue
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitlab.files import atomic_write, read_limited, split_lines
from digitlab.ink import MAX_FILE, MAX_LINES, MAX_STROKES, Drawing
from digitlab.paths import shown
from digitlab_classroom.class_folder import Submission, fingerprint
from digitlab_classroom.pseudonyms import is_pseudonym
from digitlab_classroom.safe_io import MAX_LINE_BYTES, read_line, stored_size


@dataclass(frozen=True)
class Added:
    """The result of adding a file."""

    added: int
    """Number of drawings that are new."""

    known: int
    """Number of drawings that were there before."""

    bad_lines: int
    """Number of lines that are not labelled drawings."""

    writers: tuple[str, ...]
    """The pseudonyms that the file's writers have in this class."""


def export(drawings: Sequence[Submission], path: Path) -> int:
    """Write drawings to one file; return how many. See `SubmissionStore.export`."""
    content = "".join(f"{drawing.ink.to_json(drawing.label, drawing.writer)}\n" for drawing in drawings).encode()
    atomic_write(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return len(drawings)


def read_by_writer(path: Path) -> tuple[dict[str | None, dict[str, Drawing]], int]:
    """Read a file of drawings.

    Returns
    -------
    (dict, int)
        For each writer that the file names, the drawings by their fingerprints; and the number of lines that are not
        labelled drawings.
    """
    by_writer, bad_lines, strokes = {}, 0, 0
    lines = split_lines(read_limited(path, MAX_FILE), path, MAX_LINES)
    for line in filter(bytes.strip, lines):
        if strokes > MAX_STROKES:
            raise ValueError(f"{shown(path)} has too many strokes: at most {MAX_STROKES:,} can be added.")
        try:
            drawing = read_line(line)
            if stored_size(drawing) > MAX_LINE_BYTES:  # With a pseudonym in it, the line would not be read again.
                raise ValueError("it is too long")
        except ValueError:
            bad_lines += 1
        else:
            by_writer.setdefault(drawing.writer, {})[fingerprint(drawing)] = drawing
            strokes += len(drawing.ink.strokes)
    return by_writer, bad_lines


def plan_addition(
    by_writer: dict[str | None, dict[str, Drawing]], present: dict[str, str]
) -> tuple[list[tuple[str | None, list[Drawing]]], int]:
    """Find out which drawings of a file are new, and whose they are.

    Parameters
    ----------
    by_writer : dict
        As `read_by_writer` returns it.
    present : dict of str to str
        The fingerprints of the class's drawings, each with its writer.

    Returns
    -------
    (list, int)
        For each writer of the file: the pseudonym in the class that has many of these drawings, or None, and the new
        drawings. Many are half of the writer's in the class, or half of those in the file. And the number of drawings
        that are not new.
    """
    seen, plan, known = set(present), [], 0
    of_writer = Counter(present.values())
    for drawings in by_writer.values():
        new = [drawing for mark, drawing in drawings.items() if mark not in seen]
        matches = Counter(present[mark] for mark in drawings if mark in present)
        # One and the same drawing may be two people's: an example of the kit, for one.
        owner, count = max(matches.items(), key=lambda match: match[1], default=(None, 0))
        if owner and (2 * count < min(of_writer[owner], len(drawings)) or not is_pseudonym(owner)):
            owner = None
        seen |= drawings.keys()
        known += len(drawings) - len(new)
        plan.append((owner, new))
    return plan, known


def finetune(
    drawings: Sequence[Submission],
    network: Path | str | None,
    output: Path | str,
    report: Callable[[float], None],
) -> dict:
    """Finetune a copy of a network in a process of its own, and wait for it. See `SubmissionStore.finetune`."""
    from digitlab.training.finetune import FinetuneProcess

    messages = queue.SimpleQueue()  # The share that is done, again and again; at the end the result, in a list.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "class.jsonl")
        export(drawings, file)
        process = FinetuneProcess(messages.put, lambda result: messages.put([result]), file, network, output)
        try:
            while not isinstance(message := _next(messages), list):
                report(message)
        except BaseException:
            process.cancel()
            raise
    [result] = message
    if not isinstance(result, dict):
        raise ValueError(f"The network was not changed: {result}")
    return result


def _next(messages):
    while True:
        with contextlib.suppress(queue.Empty):
            return messages.get(timeout=0.5)  # Windows lets Ctrl-C through only between two waits.


def check_not_empty(drawings: Sequence[Submission], folder: Path) -> None:
    """Raise ValueError if no drawing was submitted."""
    if not drawings:
        raise ValueError(f"No drawing is shown in {shown(folder)}: none was handed in, or all are hidden.")
