"""Write a file completely or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


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
