"""Write a file completely or not at all."""

import contextlib
import gzip
import io
import os
import tempfile
import zlib
from pathlib import Path

from digitlab.paths import shown


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
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, mode)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


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
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(max_bytes + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{shown(path)} is a damaged gzip file ({error}).") from None
    if len(content) > max_bytes:
        raise ValueError(f"{shown(path)} is too large: at most {max_bytes / 1e6:,.0f} MB of drawings can be read.")
    return content
