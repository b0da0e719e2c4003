"""What several test files need: the shipped network, MNIST, and the `digitlab` command."""

import os
import subprocess
import sys

import pytest

from digitlab import Recognizer, load_mnist


@pytest.fixture(scope="session")
def recognizer():
    return Recognizer.load()


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture
def digitlab(tmp_path):
    """Run the `digitlab` command as a user does, with a home of its own, and return the finished process."""

    def run(*arguments, home=tmp_path, timeout=300, **options):
        return subprocess.run(
            [sys.executable, "-m", "digitlab.cli", *map(str, arguments)],
            env={**os.environ, "DIGITLAB_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=timeout,
            **options,
        )

    return run
