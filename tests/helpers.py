"""Helpers for tests: programs outside Python, permissions, waiting, and the exercises in a notebook."""

import ctypes
import os
import random
import re
import shutil
import socket
import sys
import time

import pytest


def require(*names):
    """Return the path of the first of these programs that is installed.

    If none is, the test is skipped. If the environment variable CI is set, the test fails: a gate must not skip it.
    """
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    missing = f"This test needs {' or '.join(names)}, which is not installed."
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def obey_permissions():
    """Make file permissions count for root too, by giving up CAP_DAC_OVERRIDE; use it as preexec_fn on Linux."""
    pr_capbset_drop, cap_dac_override = 24, 1
    ctypes.CDLL(None).prctl(pr_capbset_drop, cap_dac_override, 0, 0, 0)


OBEYING = {"preexec_fn": obey_permissions} if sys.platform == "linux" else {}
"""Arguments for `subprocess.run`: file permissions count for root too, on the only system that can do that."""


def wait_until(condition, seconds=60):
    """Wait until a condition is true; fail if it does not become true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("The condition did not become true in time.")
        time.sleep(0.01)


def free_ports(count=1):
    """Return the first of several consecutive free ports.

    They lie below those that systems hand out to whoever asks for any: no other program takes one meanwhile.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        try:
            for number in range(port, port + count):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return port


def find_starters(notebook):
    """Return the indices of the cells that a reader has to change."""
    return [number for number, cell in enumerate(notebook.cells) if "exercise" in cell.metadata.get("tags", [])]


def read_solution(notebook, starter):
    """Return the code of the folded solution below a starter cell."""
    below = notebook.cells[starter + 1]
    assert below.cell_type == "markdown", starter
    match = re.fullmatch(
        r"<details><summary>Solution</summary>\n\n```python\n(.+?)\n```\n\n(?:[^`]*\n\n)?</details>\s*",
        below.source,
        re.DOTALL,
    )
    assert match, below.source
    return match[1]
