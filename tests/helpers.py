"""What tests need of the machine: programs that no Python package brings, and permissions that count."""

import ctypes
import os
import shutil
import time

import pytest


def require(*names):
    """Return the path of a program that is known by these names.

    Where there is none, the test is skipped; where the environment variable CI is set, it fails, for there a missing
    screen or browser would go unnoticed.
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
    """Let permissions count for root too, for use as preexec_fn on Linux: give up CAP_DAC_OVERRIDE."""
    pr_capbset_drop, cap_dac_override = 24, 1
    ctypes.CDLL(None).prctl(pr_capbset_drop, cap_dac_override, 0, 0, 0)


def wait_until(condition, seconds=10):
    """Wait until a condition holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("what was waited for did not come true")
        time.sleep(0.01)
