"""Helpers for tests: programs outside Python, permissions, and waiting."""

import ctypes
import os
import shutil
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


def wait_until(condition, seconds=10):
    """Wait until a condition is true; fail if it does not become true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("The condition did not become true in time.")
        time.sleep(0.01)
