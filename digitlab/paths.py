"""Where the kit keeps things. It stands on nothing, so that everything else can ask it.

A network is named by the path of its two files without their suffix: ``model/my_network`` is
``model/my_network.keras`` (Keras: to go on training) and ``model/my_network.onnx`` (what reads drawings).
"""

import os
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
"""The folder of the kit: the one with README.md in it."""

HOME = Path(os.environ.get("DIGITLAB_HOME") or KIT).expanduser().absolute()
"""Where the reader's own notebooks, networks and drawings are kept: the kit's folder, or what DIGITLAB_HOME names."""

NOTEBOOKS = KIT / "notebooks"
MNIST = Path(__file__).resolve().parent / "mnist" / "mnist.npz"
SHIPPED_NETWORK = KIT / "model" / "digit_recognition_model"
MNIST_ONLY_NETWORK = KIT / "model" / "mnist_only"
"""A network that learnt from MNIST alone, as a class's own do: to study, and to compare with."""

MY_NETWORK = HOME / "model" / "my_network"
TAUGHT_NETWORK = HOME / "model" / "my_network_taught"
"""A copy of a network that learnt the reader's own drawings besides."""

MY_NOTEBOOKS = HOME / "my_notebooks"
"""The reader's own copy of the notebooks, to work in; `digitlab lab` makes it."""

DRAWINGS = HOME / "drawings"
MY_DRAWINGS = DRAWINGS / "my_drawings.jsonl"

SUBMISSIONS = Path(os.environ.get("DIGITLAB_CLASS") or HOME / "class").expanduser().absolute()
"""Where a class hands in its drawings: a folder that its seats share, which DIGITLAB_CLASS names."""

CLASS_NETWORK = HOME / "model" / "my_network_class"
"""A copy of a network that learnt the class's digits besides."""

SHARED_SERVER = os.environ.get("DIGITLAB_SHARED_SERVER") == "1"
"""Whether this is a seat of a hub, where a whole class computes on one machine."""

APT_LINE = "sudo apt-get install -y libgl1 libglib2.0-0 libsm6"
"""What brings the libraries that OpenCV needs to a bare Debian or Ubuntu."""


def network_files(path):
    """Return the ``.keras`` and the ``.onnx`` file of a network.

    Parameters
    ----------
    path : path-like
        The network, with or without one of the two suffixes.

    Returns
    -------
    (Path, Path)
        The Keras file and the ONNX file.
    """
    path = Path(path).expanduser()
    stem = path.with_suffix("") if path.suffix in {".keras", ".onnx"} else path
    return stem.with_name(stem.name + ".keras"), stem.with_name(stem.name + ".onnx")


def settings_of(path):
    """Return the ``.json`` file of a network, with what reading needs besides its weights; it may be missing."""
    return network_files(path)[1].with_suffix(".json")


def remedy(file):
    """Return what to do where a file of a network is missing or broken: make one, or bring the kit's own back."""
    if Path(file).absolute().with_suffix("") in {SHIPPED_NETWORK, MNIST_ONLY_NETWORK}:
        return f"bring it back with: git checkout -- model/{file.name}"
    return "make one with: digitlab train"


def check_writable(path):
    """Raise OSError where a network could not be saved: to be asked before training, not after it."""
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


def shown(path):
    """Return a path as a person types it: relative to the current folder where it lies inside."""
    path = Path(path).absolute()
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
