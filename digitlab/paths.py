"""The paths of the kit's files and folders.

A network is named by the path of its two files without their suffix: ``model/my_network`` is
``model/my_network.keras`` (for Keras, to continue training) and ``model/my_network.onnx`` (to read drawings).
"""

import os
import shutil
import sysconfig
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
"""The folder of the kit: the one with README.md in it."""


def expand(path: Path | str) -> Path:
    """Replace ~ by the home; ~name stays as it is if there is no such user, as in a shell."""
    return Path(os.path.expanduser(path))  # Path.expanduser would raise RuntimeError.


def _folder(variable: str, default: Path) -> Path:
    """Return the folder that an environment variable names, absolute; an empty variable counts as unset."""
    return Path(os.path.abspath(expand(os.environ.get(variable) or default)))


HOME = _folder("DIGITLAB_HOME", KIT)
"""The folder for the reader's own notebooks, networks and drawings: DIGITLAB_HOME, or else the kit's folder."""

NOTEBOOKS = KIT / "notebooks"
MNIST = Path(__file__).resolve().parent / "mnist" / "mnist.npz"
SHIPPED_NETWORK = KIT / "model" / "digit_recognition_model"
MNIST_ONLY_NETWORK = KIT / "model" / "mnist_only"
"""A network trained on MNIST alone, like the networks that a class trains: to study and to compare with."""

MY_NETWORK = HOME / "model" / "my_network"
TAUGHT_NETWORK = HOME / "model" / "my_network_taught"
"""A copy of a network that was also trained on the reader's own drawings."""

MY_NOTEBOOKS = HOME / "my_notebooks"
"""The reader's own copy of the notebooks, to work in; `digitlab lab` makes it."""

DRAWINGS = HOME / "drawings"
MY_DRAWINGS = DRAWINGS / "my_drawings.jsonl"
TEN_DIGITS = DRAWINGS / "ten_digits.jsonl"
"""The ten digits that the reader drew in notebook 3, to be read again in notebook 6."""

MY_ANSWERS = HOME / "my_answers.json"
"""What the reader guessed, answered and solved in the notebooks."""

MY_REPORT = HOME / "my_report.html"
"""The page to hand in that `exercises.report()` writes."""

SUBMISSIONS = _folder("DIGITLAB_CLASS", HOME / "class")
"""The folder to which a class submits its drawings: DIGITLAB_CLASS, which all seats share, or else ``class``."""

CLASS_NETWORK = HOME / "model" / "my_network_class"
"""A copy of a network that was also trained on the class's digits."""

SHARED_SERVER = os.environ.get("DIGITLAB_SHARED_SERVER") == "1"
"""Whether this is a seat of a classroom server, where a whole class shares one machine."""

APT_LINE = "sudo apt-get install -y libgl1 libglib2.0-0 libsm6"
"""The command that installs the libraries that OpenCV needs on a minimal Debian or Ubuntu."""


def network_files(path: Path | str) -> tuple[Path, Path]:
    """Return the ``.keras`` and the ``.onnx`` file of a network.

    Parameters
    ----------
    path : path-like
        The network, with or without one of the two suffixes.

    Returns
    -------
    (Path, Path)
        The Keras file and the ONNX file.

    Raises
    ------
    ValueError
        If the path has no name at its end, such as ``.`` or ``..``.
    """
    path = expand(path)
    if path.name in {"", ".."}:
        raise ValueError(f"{str(path)!r} is a folder, not a network: name one, such as model/my_network.")
    stem = path.with_suffix("") if path.suffix in {".keras", ".onnx"} else path
    return stem.with_name(stem.name + ".keras"), stem.with_name(stem.name + ".onnx")


def settings_of(path: Path | str) -> Path:
    """Return the ``.json`` file of a network, with its threshold and temperature; the file may be missing."""
    return network_files(path)[1].with_suffix(".json")


def is_same_network(one: Path | str, other: Path | str) -> bool:
    """Return whether two paths name the same network, however they are written."""
    one, other = (os.path.normcase(os.path.realpath(network_files(path)[0])) for path in (one, other))
    return one == other


def command(words: str) -> str:
    """Return a command of the kit, such as ``train``, as this reader types it: after ``uv run``, if uv runs this.

    A program that the terminal would not find, as in a kit from a USB stick, is named with its path.
    """
    if "UV" in os.environ:
        return f"{'uv' if shutil.which('uv') else typed(os.environ['UV'])} run digitlab {words}"
    program = shutil.which("digitlab", path=sysconfig.get_path("scripts"))
    return f"{typed(program) if program and not shutil.which('digitlab') else 'digitlab'} {words}"


def remedy(file: Path | str) -> str:
    """Return what to do if a file of a network is missing or broken: train one, or restore the kit's own."""
    name = Path(file).absolute().with_suffix("")

    def is_one_of(*networks):
        return any(is_same_network(name, network) for network in networks)

    if is_one_of(SHIPPED_NETWORK, MNIST_ONLY_NETWORK):
        return f"bring it back with: git checkout -- model/{Path(file).name}"
    if is_one_of(TAUGHT_NETWORK, CLASS_NETWORK):
        return "delete it, and learn anew from the drawings, which are kept"
    if is_one_of(MY_NETWORK):
        return f"make one with: {command('train')}"
    return f"name another one, or make it with: {command('train')} --output {typed(name)}"


def shown(path: Path | str) -> str:
    """Return a path as text: relative to the current folder if it is inside, else absolute."""
    path = Path(path).absolute()
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def typed(path: Path | str) -> str:
    """Return a path as it is typed in a command: as `shown`, in quotes if there is a space in it."""
    return f'"{shown(path)}"' if " " in shown(path) else shown(path)
