"""The command ``digitlab check``: check that everything a lesson needs is here.

It is for days when something is broken, so this process needs Python alone. A damaged package may end the process that
imports it. So packages are imported in other processes, which print a line for each check.
"""

import argparse
import importlib
import os
import platform
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from digitlab import paths
from digitlab.paths import HOME, KIT, NOTEBOOKS, network_files

HELP = "check that everything a lesson needs is here"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
OK, WARN, FAIL = "OK", "WARN", "FAIL"
TIMEOUT = 300
"""Maximum time of one process, in seconds."""

_IMPORT_NAMES = {
    "ipython": "IPython",
    "opencv-python": "cv2",
    "pillow": "PIL",
    "pyzmq": "zmq",
    "tensorflow-cpu": "tensorflow",
}
# TensorFlow has two packages. pyproject.toml says which one a computer gets; either one will do.
_TENSORFLOW, _OTHER_TENSORFLOW = "tensorflow", "tensorflow-cpu"
if (sys.platform, platform.machine()) == ("linux", "x86_64"):
    _TENSORFLOW, _OTHER_TENSORFLOW = _OTHER_TENSORFLOW, _TENSORFLOW
_NETWORKS = (paths.SHIPPED_NETWORK, paths.MNIST_ONLY_NETWORK)
_OWN_NETWORKS = (paths.MY_NETWORK, paths.TAUGHT_NETWORK, paths.CLASS_NETWORK)
_DATA, _DRAWINGS = "The data", "The drawings by people"
_NETWORK, _PAIR = "The network", "The pair of a network's files"


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    subparsers.add_parser("check", help=HELP, description=f"{HELP.capitalize()}.").set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per check; return the exit status: 1 if a check failed."""
    count = Counter()
    for verdict, text in _checks():
        print(f"{verdict:<4}  {text}", flush=True)
        count[verdict] += 1
    if count[FAIL]:
        print(f"{count[FAIL]} of {sum(count.values())} checks failed. Begin with the first: it may cause the others.")
        return 1
    warnings = f" ({count[WARN]} warning{'s' if count[WARN] > 1 else ''})" if count[WARN] else ""
    print(f"Everything that a lesson needs is here{warnings}.")
    return 0


def pinned_versions() -> dict[str, str]:
    """Return the packages that the kit imports on this computer, with the versions that the tests passed with."""
    try:
        import tomllib

        requirements = tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
        constraints = (KIT / "constraints.txt").read_text("utf-8")
    except (ImportError, KeyError, OSError, ValueError):
        return {}
    versions = dict(re.findall(r"^([\w.-]+)==([\w.]+)", constraints, re.MULTILINE))
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in requirements} - {_OTHER_TENSORFLOW}
    return {name: versions[name] for name in names & versions.keys()}


def _checks() -> Iterator[tuple[str, str]]:
    """Yield the verdict and the text of each check."""
    python = _python()
    yield python
    versions = pinned_versions()
    if not versions and python[0] == OK:  # An older Python cannot read the file.
        files = "pyproject.toml or constraints.txt"
        yield FAIL, f"The kit does not say what it needs: in {paths.shown(KIT)} {files} is missing or damaged."
    # TensorFlow takes longest to import. All that needs it is checked in one process, beside the others.
    on_tensorflow = [name for name in (_TENSORFLOW, "keras", "tf2onnx") if name in versions]
    others = sorted(versions.keys() - set(on_tensorflow), key=lambda name: (name != "numpy", name))
    slow, quick = ([f"{name}=={versions[name]}" for name in names] for names in (on_tensorflow, others))
    # As in a notebook, modules in the notebooks' folder come first: a numpy.py there hides the real one. It would make
    # the checks below fail, so they are made without that folder.
    folders = [paths.MY_NOTEBOOKS, NOTEBOOKS]
    for path in _hiding(folders, versions):
        yield FAIL, f"{paths.shown(path)} hides the module {path.stem} of Python or of a package. Give it another name."
        folders.remove(path.parent)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(_elsewhere, [*slow, _PAIR], folders)
        quick = pool.submit(_elsewhere, [*quick, _DATA, _DRAWINGS, _NETWORK], folders)
        yield _kit()
        yield from quick.result()
        yield _home()
        yield _screen()
        yield from slow.result()


def _python():
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST_PYTHON, NEWEST_PYTHON))
    text = f"Python {platform.python_version()}"
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return OK, text
    return FAIL, f"{text}: the kit needs {oldest} to {newest}. Get it: uv sync --python {newest}"


def _hiding(folders, packages):
    """Return the first file or folder of each folder that notebooks would import in place of a package or a module."""
    names = {
        "digitlab",
        *sys.stdlib_module_names,
        *(_IMPORT_NAMES.get(name, name.replace("-", "_")) for name in packages),
    }
    hiding = []
    for folder in folders:
        modules = [*folder.glob("*.py"), *(path.parent for path in folder.glob("*/__init__.py"))]
        hiding += sorted(path for path in modules if path.stem in names)[:1]
    return hiding


def _kit():
    """Check that a notebook, which runs in another folder, imports this kit."""
    code = "from digitlab.paths import KIT; print(ascii(str(KIT)))"
    folder = NOTEBOOKS if NOTEBOOKS.is_dir() else NOTEBOOKS.anchor
    found = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    remedy = _remedy(uv="uv sync", pip=f'-e "{KIT}"')
    if found.returncode:
        return FAIL, f"digitlab is not installed, so the notebooks cannot import it. Install it: {remedy}"
    if found.stdout.strip() != ascii(str(KIT)):
        other = found.stdout.strip()
        return WARN, f"The notebooks import the kit in {other}, not this one. Make them import this one: {remedy}"
    return OK, f"digitlab in {KIT}"


def _home():
    for folder in (HOME / "model", HOME / "drawings", paths.MY_NOTEBOOKS):
        try:
            probe = next(parent for parent in (folder, *folder.parents) if parent.exists()) / f".check-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except (OSError, StopIteration) as error:
            reason = error.strerror if isinstance(error, OSError) else f"there is no drive {folder.anchor}"
            remedy = "Set the environment variable DIGITLAB_HOME to a folder that you may write to."
            return FAIL, f"Nothing can be saved in {folder} ({reason}). {remedy}"
    return OK, f"notebooks, networks and drawings can be saved in {HOME}"


def _screen():
    from digitlab.draw_predict import no_screen

    why_not = no_screen()
    return (WARN, why_not) if why_not else (OK, "a screen for the desktop window")


def _package(name, tested):
    version = _installed(name)
    if version is None and name == _TENSORFLOW and (other := _installed(_OTHER_TENSORFLOW)):
        name, version = _OTHER_TENSORFLOW, other
    try:
        importlib.import_module(_IMPORT_NAMES.get(name, name.replace("-", "_")))
    except (Exception, SystemExit) as error:
        if version is None:
            return FAIL, f"{name} is missing. Install it: {_install(name, tested)}"
        if library := re.search(r"(\S+): cannot open shared object file", str(error)):
            text = f"{name} {version} needs a system library that is missing: {library[1]}."
            return FAIL, f"{text} On Debian and Ubuntu: {paths.APT_LINE}"
        return FAIL, f"{name} {version} cannot be imported ({_cause(error)}). {_again(name, tested)}"
    if version != tested:
        text = f"{name} {version or 'of an unknown version'}: the kit is tested with {tested}."
        return WARN, f"{text} Get it with: {_install(name, tested)}"
    return OK, f"{name} {version}"


def _installed(name):
    try:
        return metadata.version(name)
    except (KeyError, metadata.PackageNotFoundError):
        return None


def _data():
    from digitlab.data import load_mnist

    (train_images, _), (test_images, _) = load_mnist(paths.MNIST)
    return OK, f"data: {len(train_images):,} digits to train with and {len(test_images):,} to test with, unchanged"


def _drawings():
    from digitlab.data import load_drawings

    return OK, f"data: {len(load_drawings()):,} drawings by people, unchanged"


def _network():
    from digitlab.ink import Ink
    from digitlab.recognizer import Recognizer

    remedy = "Bring its files back with: git checkout -- model"
    settings = paths.settings_of(paths.SHIPPED_NETWORK)
    if not settings.exists():
        return FAIL, f"{settings.name} is missing, so the network accepts every answer. {remedy}"
    for path in _NETWORKS:
        predictions = Recognizer.load(path).predict_many([Ink.example(digit) for digit in range(10)])
        misread = [str(digit) for digit, prediction in enumerate(predictions) if prediction.digit != digit]
        if misread:
            return FAIL, f"{path.name} misreads the kit's example of {', '.join(misread)}. {remedy}"
    return OK, "networks: they read an example of each digit"


def _pair():
    from digitlab import network

    own = [path for path in _OWN_NETWORKS if any(map(Path.exists, network_files(path)))]
    for path in (*_NETWORKS, *own):
        remedy = paths.remedy(network_files(path)[0]) if path in own else "bring both back with: git checkout -- model"
        try:
            difference = network.pair_difference(path)
            reason = f"their probabilities differ by up to {difference:.1g}; {remedy}"
        except (FileNotFoundError, ValueError) as error:  # A file is missing or damaged: the error says what to do.
            difference, reason = float("inf"), str(error)
        if not difference <= network.PAIR_TOLERANCE:
            return FAIL, f"The .keras and the .onnx file of {path.name} are not a pair: {reason}"
    return OK, "networks: their .keras and their .onnx files are pairs"


_FILES = {_DATA: _data, _DRAWINGS: _drawings, _NETWORK: _network, _PAIR: _pair}


def _elsewhere(subjects, folders):
    """Check packages ("numpy==2.4.6") and files in another process; return the verdict and the text for each."""
    folders = [str(folder) for folder in (KIT, *folders)]
    code = f"import sys; sys.path[:] = {folders!r} + [*filter(None, sys.path)]; from {__name__} import _print; _print()"
    answers = []
    while left := subjects[len(answers) :]:
        command = [sys.executable, "-c", code, *left]
        try:
            process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)
            output, end = process.stdout, f"ended Python ({_ending(process.returncode)})"
        except subprocess.TimeoutExpired as error:
            output, end = error.stdout or b"", f"took over {TIMEOUT} s"
        answers += re.findall(r"^(OK|WARN|FAIL)\t(.*)$", output.decode("utf-8", "surrogateescape"), re.MULTILINE)
        if len(answers) < len(subjects):  # This one ended the process; those behind it need a new one.
            name, _, version = subjects[len(answers)].partition("==")
            tried, remedy = ("imported", f" {_again(name, version)}") if version else ("checked", "")
            answers.append((FAIL, f"{name} cannot be {tried}: the attempt {end}.{remedy}"))
    return answers


def _print():
    """Check what the arguments name and print a line for each, in a process that `_elsewhere` started."""
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    for subject in sys.argv[1:]:
        name, _, version = subject.partition("==")
        try:
            verdict, text = _package(name, version) if version else _FILES[name]()
        except (OSError, ValueError) as error:
            verdict, text = FAIL, str(error)
        except Exception as error:
            why = "without a package that is broken " if isinstance(error, ImportError) else ""
            verdict, text = FAIL, f"{name} cannot be checked {why}({_cause(error)})."
        print(f"\n{verdict}\t{' '.join(text.splitlines())}", flush=True)  # A package may have printed half a line.
    os._exit(0)  # At once: a broken package may fail at the end of the process too.


def _ending(status):
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"status {status:#x}" if status > 255 else f"status {status}"


def _cause(error):
    """Return the first cause of an error, in one line."""
    while error.__cause__ or (error.__context__ and not error.__suppress_context__):
        error = error.__cause__ or error.__context__
    lines = str(error).split("\n")
    return f"{type(error).__name__}: {next(filter(str.strip, lines), 'no reason given').strip()[:200]}"


def _install(name, version):
    return _remedy(uv="uv sync", pip=f"{name}=={version}")


def _again(name, version):
    pip = f"--force-reinstall --no-deps {name}=={version}"
    return f"Install it again: {_remedy(uv=f'uv sync --reinstall-package {name}', pip=pip)}"


def _remedy(uv, pip):
    """Return how to install: from the USB stick if the kit came from one, else with uv or pip."""
    if (KIT / ".from_stick.json").exists():
        return "put the stick in and run its install.py again"
    if Path(sys.prefix).resolve() == (KIT / ".venv").resolve():
        return uv
    return f"{Path(sys.executable).name.removesuffix('.exe')} -m pip install {pip}"
