"""Files: written and appended to completely or not at all, renamed, read up to a limit, compared with a checksum."""

import codecs
import contextlib
import errno
import gzip
import hashlib
import io
import itertools
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from digitlab.files.settings import check_settings_file
from digitlab.paths import expand, network_files, shown

GZIP = b"\x1f\x8b"
"""So begins a gzip file."""

ROOM_TO_SAVE = 20_000_000
"""What must be free on a disk to save a network, in bytes: old and new files, and what is written meanwhile."""

_NEW = ".new-"  # So begin the names of files and folders that are being written.


def atomic_write(path: Path | str, content: bytes, mode: int = 0o644) -> None:
    """Write a temporary file and rename it, so that a file is complete or unchanged.

    Parameters
    ----------
    path : path-like
        The file. Its folder is made if it is missing. For a link, the file that it points to is written. A device,
        such as ``/dev/stdout``, is written to directly.
    content : bytes
        The content of the file.
    mode : int, optional
        Permissions of the file; the umask does not count.

    Raises
    ------
    OSError
        If the file cannot be written. An old file is then unchanged.
    """
    given = path = expand(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder, and a file was to be written", str(path.resolve()))
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = Path(os.path.realpath(path))  # Only now: behind /dev/stdout there may be a pipe, which has no path.
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _new_name(path.parent)
    try:
        with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, mode)
        os.replace(beside, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        if isinstance(error, OSError):  # The other name means nothing to anyone.
            error.filename, error.filename2 = str(given), None
        raise


def write_numbered(pattern: Path | str, content: bytes) -> Path:
    """Write a file under the first number that no file has yet.

    Parameters
    ----------
    pattern : path-like
        The path, with a place for the number in its name: ``drawing-{:03d}.png``. Its folder is made if it is missing.
    content : bytes
        The content of the file.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If the file cannot be written; no part of it is left then.
    """
    pattern = expand(pattern)
    pattern.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = pattern.with_name(pattern.name.format(number))
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(content)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    return None


def append_line(path: Path | str, line: bytes, opener: Callable[[str, int], int] | None = None) -> None:
    """Append a line of JSON to a file, as a whole or not at all.

    Parameters
    ----------
    path : path-like
        It and its folder are made if they do not exist.
    line : bytes
        The line, without its end.
    opener : callable, optional
        Opens the file, as for Python's `open`.

    Raises
    ------
    OSError, ValueError
        If the line cannot be written, or if the file is of another kind, such as a gzip file or a photo. The file is
        not changed then.
    """
    path = expand(path)
    line += b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+", buffering=0, opener=opener) as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(0)
            head = file.read(100)
            if head.startswith(GZIP):
                raise ValueError(f"{shown(path)} is a gzip file, to which nothing can be added; unpack it first.")
            # With a line of JSON in it, a file of UNIPEN's could not be read any more; to a photo nothing belongs. A
            # first line that is damaged, or zeros after a power cut, do no harm.
            begins = head.removeprefix(codecs.BOM_UTF8).lstrip(b" \r\n\t\0")
            is_photo = head[8:12] == b"WEBP" or head[4:8] == b"ftyp"  # Others begin with a byte above ~.
            if begins[:1] == b"." or begins[:1] > b"~" or is_photo:
                raise ValueError(f"Nothing was added to {shown(path)}, which is no file of JSON lines: name another.")
            file.seek(end - 1)
            if file.read(1) != b"\n":  # The last line is torn: begin a new one.
                line = b"\n" + line
        written = file.write(line)
        if written != len(line):
            # The disk is full. Lines that others have added meanwhile stay; a torn line does not harm them.
            if file.seek(0, os.SEEK_END) == end + written:
                file.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(file.fileno())


@contextlib.contextmanager
def new_folder(folder: Path | str) -> Iterator[Path]:
    """Make a folder, in a folder that exists, for what is being written; it is removed at the end of the block."""
    path = _new_name(folder)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _new_name(folder):
    # Not those of `tempfile`: on Windows it tries for hours where this account may not write, and what it makes there
    # stays private to this account.
    return Path(folder, f"{_NEW}{os.urandom(8).hex()}")


def remove_leftovers(folder: Path | str) -> None:
    """Remove what programs that were killed while they wrote have left in a folder, once it is a day old."""
    for path in Path(folder).glob(f"{_NEW}{'[0-9a-f]' * 16}"):
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime < time.time() - 86_400:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def rename_with_date(path: Path, mark: str = "") -> Path:
    """Rename a file or folder; return its new path, ``notes_2026-11-22_193000.txt``, which nothing else had.

    Parameters
    ----------
    path : Path
    mark : str, optional
        What stands between its name and the date.

    Raises
    ------
    OSError
        If it cannot be renamed; the error names both paths.
    """
    stem = f"{path.stem}{mark}_{datetime.now():%Y-%m-%d_%H%M%S}"
    stems = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
    names = (path.with_name(f"{stem}{path.suffix}") for stem in stems)
    return path.rename(next(name for name in names if not os.path.lexists(name)))


def read_limited(path: Path | str, max_bytes: int) -> bytes:
    """Read a file, plain or gzipped, that may come from somebody else.

    Parameters
    ----------
    path : path-like
    max_bytes : int
        Maximum size of its content, unpacked, in bytes.

    Returns
    -------
    bytes
        The content, unpacked.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is a damaged gzip file, or too large.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {shown(path)}; is its name spelt right?") from None
    if content[:2] == GZIP and len(content) <= max_bytes:
        try:
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(max_bytes + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{shown(path)} is a damaged gzip file ({error}).") from None
    if len(content) > max_bytes:
        raise ValueError(f"{shown(path)} is too large: at most {max_bytes / 1e6:,.0f} MB of drawings can be read.")
    return content


def split_lines(content: bytes, path: Path | str, max_lines: int) -> Iterator[bytes]:
    """Yield the lines of a file that may come from somebody else, without holding all of them in memory.

    Parameters
    ----------
    content : bytes
        The file's content, as `read_limited` returns it.
    path : path-like
        The file, for the error.
    max_lines : int
        Maximum number of lines, empty ones included.

    Raises
    ------
    ValueError
        When there are more lines.
    """
    for number, line in enumerate(io.BytesIO(content), 1):
        if number > max_lines:
            raise ValueError(f"{shown(path)} has too many lines: at most {max_lines:,} can be read.")
        yield line.rstrip(b"\r\n")


def read_checked(path: Path | str, sha256: str, what: str, name: str) -> bytes:
    """Return the bytes of a file that came with the kit.

    Parameters
    ----------
    path : path-like
    sha256 : str
        The SHA-256 that the file must have.
    what : str
        What it holds, in the plural, for the messages.
    name : str
        Where it is in the kit, for the remedy.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing; if its bytes are not those that came with the kit. Both say what to do.
    """
    path = expand(path)
    remedy = f"Restore it with: git checkout -- {name} (or download the kit again)"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"The {what} are missing: there is no {shown(path)}. {remedy}.") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"The {what} in {shown(path)} are damaged: the file's {len(content):,} bytes are not those that came with "
            f"the kit. {remedy}."
        )
    return content


def check_writable(path: Path | str) -> None:
    """Raise OSError or ValueError if a network cannot be saved to a path; call it before the training."""
    folder = network_files(path)[0].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(
            f"No network can be saved in {shown(folder)} ({error.strerror}); choose a folder that you may write to."
        ) from None
    if shutil.disk_usage(folder).free < ROOM_TO_SAVE:
        raise OSError(
            f"No network can be saved in {shown(folder)}: the disk has less than {ROOM_TO_SAVE // 1_000_000} MB free. "
            f"Make room, or choose another folder."
        )
    check_settings_file(path)
