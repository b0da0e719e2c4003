"""Fixtures for several test files: the shipped network, MNIST, the `digitlab` command, a browser, a JupyterLab."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import hypothesis
import pytest
from helpers import require
from playwright.sync_api import expect, sync_playwright

from digitlab import Recognizer, load_mnist
from digitlab.paths import NOTEBOOKS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Tests start hundreds of processes. They share what Python has compiled, or each would compile TensorFlow for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A test run that a shell has started in the background ignores Ctrl-C. The programs that tests start must not.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test measures time: a slow machine fails none.
hypothesis.settings.register_profile("digitlab", deadline=None)
hypothesis.settings.load_profile("digitlab")
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def recognizer():
    return Recognizer.load()


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture
def shown(monkeypatch):
    """Collect the figures that are displayed, each with its alternative text as `fig.alt`."""
    from matplotlib import pyplot as plt

    from digitlab import figure

    plt.switch_backend("Agg")
    figures = []

    def display(fig, metadata):
        fig.alt = metadata["image/png"]["alt"]
        figures.append(fig)

    monkeypatch.setattr(figure, "display", display)
    return figures


@pytest.fixture
def digitlab(tmp_path):
    """Run the `digitlab` command in a new process with its own DIGITLAB_HOME, and return the finished process."""

    def run(*arguments, home=tmp_path, timeout=300, **options):
        return subprocess.run(
            [sys.executable, "-m", "digitlab.commands.main", *map(str, arguments)],
            env={**os.environ, "DIGITLAB_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=timeout,
            **options,
        )

    return run


@pytest.fixture(scope="module")
def browser():
    program = require(*BROWSERS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Lab(NamedTuple):
    """A JupyterLab: its address with the token, and its DIGITLAB_HOME, which contains the folder of notebooks."""

    address: str
    home: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start `digitlab lab` on a copy of the notebooks."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    with served(["digitlab.commands.main", "lab"], home) as lab:
        yield lab


@contextlib.contextmanager
def served(module, home):
    """Start a notebook server and wait until it prints its address. Its JupyterLab saves no notebook by itself."""
    # Saving every two minutes would show an error, above everything, where a test has cut the connection.
    settings = home / "config/lab/user-settings/@jupyterlab/docmanager-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"autosave": false}')
    process = subprocess.Popen(
        # Port 0 is any free port: servers of several tests that start at the same time would take the same one.
        [
            sys.executable,
            "-m",
            *module,
            "--no-browser",
            "--ServerApp.port=0",
            f"--ServerApp.root_dir={home / 'notebooks'}",
        ],
        env={**os.environ, "DIGITLAB_HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(180, process.kill)  # Else a server that prints nothing would block the test.
    watchdog.start()
    printed = []
    for line in process.stdout:
        printed.append(line)
        if found := re.search(r"http://\S+token=\w+", line):
            break
    else:
        pytest.fail("".join(printed))
    # The address is printed before the server listens there.
    place = urlsplit(found.group())
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((place.hostname, place.port)):
            break
        time.sleep(0.05)
    watchdog.cancel()
    # Read later output too, or the server would block when the pipe is full.
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield Lab(found.group(), home)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
