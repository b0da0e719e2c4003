"""What the reader guessed, answered and solved: one JSON file for all notebooks together.

Each change reads the file, changes one entry and writes the file anew, because several notebooks may be open at once.
Nothing here raises. If the file cannot be written, the answers are kept until the notebook's kernel stops.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable

from digitlab import files, paths

SECTIONS = ("guesses", "exercises", "quiz", "tests")
"""The parts of the file. Each has an entry, a dict, for each guess, exercise, question or test."""

MAX_BYTES = 5_000_000
"""Maximum size of the file, in bytes."""

_LOCK_SECONDS = 5.0
"""How long to wait for other notebooks that write the file. A lock that is older was left by a kernel that died."""

_thread_lock = threading.RLock()
_unsaved = None  # All answers, while the file cannot be written.
_message = ""


def read() -> dict[str, dict[str, dict]]:
    """Return all answers: for each of `SECTIONS` the entries by their names. It is a copy: change it as you like."""
    global _unsaved
    with _thread_lock:
        if _unsaved is None:
            try:
                return _load()
            except OSError as error:
                _unsaved = _nothing()
                _explain("read", error)
        return _copy(_unsaved)


def change(section: str, name: str, edit: Callable[[dict], object]) -> dict:
    """Change one entry, and keep it.

    Parameters
    ----------
    section : str
        One of `SECTIONS`.
    name : str
    edit : callable
        It is given the entry, empty at first, and changes it. Its values must be what JSON can hold.

    Returns
    -------
    dict
        The entry after the change.
    """
    global _unsaved, _message
    with _thread_lock, _file_lock():
        known = read()
        answers = _copy(known)
        entry = answers[section].setdefault(str(name), {})
        edit(entry)
        if answers == known and _unsaved is None:
            return entry
        try:
            if _unsaved is not None:
                answers = {**(on_disk := _load()), **{part: on_disk[part] | answers[part] for part in SECTIONS}}
            files.atomic_write(paths.MY_ANSWERS, json.dumps(answers, indent=1).encode() + b"\n")
            if _unsaved is not None:
                _unsaved, _message = None, ""
        except OSError as error:
            _unsaved = answers
            _explain("kept", error)
        return entry


def trouble() -> str:
    """Return what the reader must know about the file, in one or two sentences; usually nothing."""
    global _message
    message = _message
    if _unsaved is None:
        _message = ""  # That a file was damaged is said once.
    return message


def _nothing():
    return {section: {} for section in SECTIONS}


def _copy(answers):
    return json.loads(json.dumps(answers))


def _explain(what, error):
    global _message
    _message = (
        f"Your answers cannot be {what} in {paths.shown(paths.MY_ANSWERS)} ({error.strerror}). They stay here until "
        "this notebook's kernel stops."
    )


def _load():
    """Read the file. If it is damaged, rename it, and begin with what of it is whole."""
    try:
        answers, whole = _understood(json.loads(files.read_limited(paths.MY_ANSWERS, MAX_BYTES)))
    except FileNotFoundError:
        return _nothing()
    except (ValueError, RecursionError):
        answers, whole = _nothing(), False
    if not whole:
        _set_aside()
    return answers


def _understood(content):
    """Return the entries that are as they should be, and whether all of them are."""
    if not isinstance(content, dict):
        return _nothing(), False
    whole, answers = True, dict(content)
    for section in SECTIONS:
        entries = content.get(section, {})
        good = {name: entry for name, entry in entries.items() if _is_good(entry)} if isinstance(entries, dict) else {}
        whole = whole and good == entries
        answers[section] = good
    return answers, whole


def _is_good(entry):
    kinds = {"attempts": int, "solved": bool, "late": bool, "done": bool, "answers": dict, "tried": list}
    texts = ("question", "guess", "truth", "first", "clicked")
    return (
        isinstance(entry, dict)
        and all(isinstance(value, kinds.get(key, str if key in texts else object)) for key, value in entry.items())
        and all(isinstance(letter, str) for letter in entry.get("answers", {}).values())
    )


def _set_aside():
    global _message
    with contextlib.suppress(OSError):
        aside = files.rename_with_date(paths.MY_ANSWERS, "_damaged")
        _message = f"The file of your answers was damaged. It is kept as {aside.name}."


@contextlib.contextmanager
def _file_lock():
    """Let one notebook at a time change the file; go on without the lock where none can be made."""
    lock = paths.MY_ANSWERS.with_name(f".{paths.MY_ANSWERS.name}.lock")
    end, made = time.monotonic() + 2 * _LOCK_SECONDS, False
    while not made and time.monotonic() < end:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            made = True
        except FileExistsError:
            with contextlib.suppress(OSError):
                if time.time() - lock.stat().st_mtime > _LOCK_SECONDS:
                    lock.unlink()
            time.sleep(0.01)
        except OSError:
            break
    try:
        yield
    finally:
        if made:
            with contextlib.suppress(OSError):
                lock.unlink()
