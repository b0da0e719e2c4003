"""How files are written: whole, or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


def atomic_write(path, content, mode=0o644):
    """Write a file beside its place and rename it, so that it is there as a whole or as it was.

    Parameters
    ----------
    path : path-like
        The file; its folder is made where there is none. Of a link, what it points to is written. A device, such as
        ``/dev/stdout``, is written to as it is and stays one.
    content : bytes
    mode : int, optional
        The permissions of the file, whatever the umask is.

    Raises
    ------
    OSError
        Where it cannot be written. The file is then as it was.
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
