"""What a teacher does with a class's drawings: hide them, show them again, and erase them.

Whoever may write to the class's folder itself may do this; the permissions of the operating system decide it.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from digitlab import paths
from digitlab.files import atomic_write, new_folder
from digitlab.paths import HOME, shown, typed
from digitlab_classroom.class_folder import (
    HIDDEN,
    MAX_FILE_BYTES,
    SEAT,
    WRITER_FILES,
    ClassFolder,
    Submission,
    is_fingerprint,
)
from digitlab_classroom.pseudonyms import is_pseudonym
from digitlab_classroom.safe_io import printable, read_regular


def command(folder: Path, words: str) -> str:
    """Return what to type to do something with the class of a folder, such as ``show``."""
    # Where DIGITLAB_CLASS names the folder, it may name another one for the next command.
    option = "" if folder.absolute() == HOME / "class" else f" --folder {typed(folder)}"
    return f"{paths.command('class')} {words}{option}"


def may_hide(folder: Path) -> bool:
    """Return whether this account may hide and erase drawings."""
    if os.name == "nt":  # There `os.access` says yes for every folder.
        with contextlib.suppress(OSError), new_folder(folder):
            return True
        return False
    return os.access(folder, os.W_OK)


def hide(classroom: ClassFolder, which: str | Submission, number: int | None = None) -> int:
    """Hide drawings; see `SubmissionStore.hide`."""
    hidden = classroom.read_hidden()
    new = set(_find(classroom, which, number)) - hidden
    if new:
        _write_hidden(classroom, hidden | new, "hidden")
    return len(new)


def show_again(classroom: ClassFolder, which: str | Submission, number: int | None = None) -> int:
    """Show drawings that were hidden; see `SubmissionStore.show_again`."""
    hidden = classroom.read_hidden()
    found = hidden & set(_find(classroom, which, number))
    _write_hidden(classroom, hidden - found, "shown again")
    return len(found)


def erase(classroom: ClassFolder, writer: str) -> int:
    """Erase the drawings of one writer; see `SubmissionStore.erase`."""
    check_known(classroom, writer)
    if not is_pseudonym(writer):
        raise ValueError(
            f"{writer} is not a pseudonym, so the kit did not make that folder: nothing was erased. Look at "
            f"{shown(classroom.path / writer)}, and remove it yourself if nobody needs it."
        )
    return _erase(classroom, [writer], keep=True)


def erase_all(classroom: ClassFolder) -> int:
    """Erase the drawings of all writers; see `SubmissionStore.erase_all`."""
    names = classroom.names()
    writers = [name for name in names if is_pseudonym(name)]
    if not writers and _visible(classroom.path):
        raise ValueError(
            f"{shown(classroom.path)} is not the folder of a class: no folder in it has a pseudonym such as otter. "
            f"Nothing was erased. Name the right folder with --folder or with the variable DIGITLAB_CLASS."
        )
    count = _erase(classroom, writers, keep=False)
    try:
        if not _has_foreign_list(classroom.path):
            (classroom.path / HIDDEN).unlink(missing_ok=True)
    except OSError as error:
        raise _refused(classroom.path, "erased", error) from None
    return count


def check_known(classroom: ClassFolder, writer: str) -> None:
    """Raise ValueError if the class has no such writer."""
    if writer not in map(printable, classroom.names()):
        raise ValueError(
            f"There is no writer {writer} in {shown(classroom.path)}. List them with: {command(classroom.path, 'show')}"
        )


def _find(classroom, which, number):
    """Return the fingerprints of the drawings that a teacher named."""
    if isinstance(which, (list, tuple)):
        return [mark for one in which for mark in _find(classroom, one, number)]
    if isinstance(which, Submission):
        return [which.fingerprint]
    everything = classroom.drawings(classroom.read_all())
    if number is None and is_fingerprint(which):
        found = [drawing for drawing in everything if drawing.fingerprint == which]
        if not found:
            raise ValueError(f"There is no drawing with the fingerprint {which} in {shown(classroom.path)}.")
    else:
        check_known(classroom, which)
        own = [drawing for drawing in everything if drawing.writer == which]
        found = [drawing for drawing in own if number in (None, drawing.number)]
        if not found and number is not None:
            last = f": the last one is {len(own)}." if own else ", nor any other."
            raise ValueError(f"{which} has no drawing with the number {number}{last}")
    return [drawing.fingerprint for drawing in found]


def _write_hidden(classroom, fingerprints, what):
    folder = classroom.path
    # The new file replaces the old one, because the old one may be another account's, such as root's, or even a link.
    beside = folder / f".hidden-{os.urandom(8).hex()}"
    try:
        atomic_write(beside, "".join(f"{mark}\n" for mark in sorted(fingerprints)).encode())
        os.replace(beside, folder / HIDDEN)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise _refused(folder, what, error) from None
    classroom.hidden()  # It is remembered, should it not be readable in a moment.


def _has_foreign_list(folder):
    """Return whether the file with the name of the list of hidden drawings is something that the kit did not write."""
    try:
        content = read_regular(folder, "", HIDDEN, None, MAX_FILE_BYTES)[1]
    except OSError:
        return False
    return not all(map(is_fingerprint, content.decode("ascii", "replace").split()))


def _visible(folder):
    with contextlib.suppress(FileNotFoundError):
        return [path for path in folder.iterdir() if not path.name.startswith(".") and path.name != HIDDEN]
    return []


def _erase(classroom: ClassFolder, names: Iterable[str], keep: bool) -> int:
    count, left = 0, []
    for name in names:
        classroom.read(name)
        drawings = len(classroom.drawings_of(name))
        try:
            left += _erase_folder(classroom.path / name, keep)
        except OSError as error:
            raise _refused(classroom.path, "erased", error) from None
        classroom.forget(name)
        count += drawings
    if left:
        raise OSError(
            f"The erased drawings are no longer shown. But some owners do not allow others to remove their files from "
            f"the disk. An administrator can remove these: {', '.join(map(shown, left))}"
        )
    return count


def _erase_folder(folder, keep):
    """Erase the kit's own files in a writer's folder; return where it is if only its owner may do that."""
    try:
        for file in (folder / name for name in (WRITER_FILES if keep else (*WRITER_FILES, SEAT))):
            if file.is_symlink() or file.is_file():
                file.unlink()
        if not keep and not os.listdir(folder):
            folder.rmdir()
    except OSError:
        # This account cannot remove the files, but it can rename the folder, so that nobody sees them.
        aside = folder.with_name(f".erased-{folder.name}-{os.urandom(4).hex()}")
        folder.rename(aside)
        return [aside]
    return []


def _refused(folder, what, error):
    return OSError(
        f"Nothing more was {what}: only an account that may write to {shown(folder)} itself, such as the teacher's, "
        f"may do this ({error.strerror or error})."
    )
