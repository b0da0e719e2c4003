"""Make sure that an .onnx file is whole before OpenCV reads it.

OpenCV's reader of ONNX ends the whole Python process at some damaged files: one changed byte is enough. So the kit
ends each file that it writes with a checksum, and tries a file without one in another process first.
"""

import functools
import hashlib
import os
import subprocess
import sys

SECONDS = 60
"""Maximum time of the other process, in seconds."""

# One entry of `metadata_props` in the ONNX format: field 14 of the model, with a key (field 1) and a value (field 2).
# Programs that do not know the key ignore it.
_KEY = b"digitlab_sha256"
_HEAD = b"\x72" + bytes([2 + len(_KEY) + 2 + 64]) + b"\x0a" + bytes([len(_KEY)]) + _KEY + b"\x12\x40"

_PROGRAM = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
except (ImportError, OSError, ValueError):
    pass
import cv2, numpy
net = cv2.dnn.readNetFromONNX(numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8))
try:
    net.setInput(numpy.zeros((2, 28, 28, 1), numpy.float32))
    net.forward()
except Exception:
    pass
"""


def add_checksum(content: bytes) -> bytes:
    """Return an ONNX model that ends with the checksum of what is before it.

    Parameters
    ----------
    content : bytes
        An ONNX model, with or without a checksum.

    Returns
    -------
    bytes
        The same model for every program that reads ONNX.
    """
    model, _ = _split(content)
    return model + checksum_of(model)


def checksum_of(model: bytes) -> bytes:
    """Return the entry with the checksum that stands behind an ONNX model."""
    return _HEAD + hashlib.sha256(model).hexdigest().encode()


def is_whole(content: bytes) -> bool:
    """Return whether OpenCV can read an ONNX model without ending this process.

    Parameters
    ----------
    content : bytes
        The content of an ``.onnx`` file. Without a checksum it is read in another process first, which takes about half
        a second.
    """
    model, checksum = _split(content)
    return checksum == checksum_of(model) if checksum else _can_be_read(content)


def _split(content):
    """Return the model without its checksum, and the checksum or nothing."""
    start = max(0, len(content) - len(_HEAD) - 64)
    return (content[:start], content[start:]) if content.startswith(_HEAD, start) else (content, b"")


@functools.lru_cache(maxsize=4)
def _can_be_read(content):
    # -P: a module in the current folder, such as a reader's numpy.py, must not be imported.
    try:
        finished = subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM],
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"},
        )
    except subprocess.TimeoutExpired:
        return False
    return finished.returncode == 0
