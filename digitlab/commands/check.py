"""Check that everything a lesson needs is here: ``python -m digitlab.commands.check``, or ``digitlab check``.

It is for the days when something is broken, so it stands on Python alone. What it checks is tried in processes of its
own, because a damaged package may do worse than raise an error: it may end the process that imports it.
"""

import contextlib
import importlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from importlib import metadata
from pathlib import Path

from digitlab.paths import (
    APT_LINE,
    HOME,
    KIT,
    MNIST,
    MNIST_ONLY_NETWORK,
    MY_NOTEBOOKS,
    NOTEBOOKS,
    SHIPPED_NETWORK,
    shown,
)

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)

OK, WARN, FAIL = "OK", "WARN", "FAIL"

_IMPORT_NAMES = {"opencv-python": "cv2"}
_BUILT_ON_TENSORFLOW = ("tensorflow", "keras", "tf2onnx")
_PATIENCE = 180
_NETWORKS = (SHIPPED_NETWORK, MNIST_ONLY_NETWORK)
_STICK = "put the stick in and run its install.py again"
_RESTORE_NETWORK = "Bring its files back with: git checkout -- model"


def add_arguments(parser):
    """Describe the command's arguments to an ArgumentParser: it takes none."""


def run(arguments):
    """Print a line for each check; return the exit status, 1 where one failed."""
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")
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


def _checks():
    """Yield the verdict and the text of each check, as they come."""
    python = _python()
    yield python
    pins = _pins()
    if not pins and python[0] == OK:  # An older Python cannot read the file.
        yield FAIL, f"The kit does not say what it needs: {shown(KIT / 'pyproject.toml')} is missing or damaged."
    # TensorFlow takes longest: what needs it shares one process, which runs beside the others.
    slow = _try_elsewhere(
        [("package", name, pins[name]) for name in _BUILT_ON_TENSORFLOW if name in pins] + [("pair",)]
    )
    others = sorted(pins.keys() - set(_BUILT_ON_TENSORFLOW), key=lambda name: (name != "numpy", name))
    quick = _try_elsewhere([("package", name, pins[name]) for name in others] + [("data",), ("network",)])
    yield _kit()
    yield from quick
    yield _home()
    yield _screen()
    yield from slow


def _python():
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST_PYTHON, NEWEST_PYTHON))
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return OK, f"Python {platform.python_version()}"
    return FAIL, (
        f"Python {platform.python_version()}: the kit needs {oldest} to {newest}. Get it: uv sync --python {newest}"
    )


def _pins():
    """Return the version of each package that the kit names: in its folder, or else where it was installed from."""
    try:
        import tomllib

        project = tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))["project"]
        requirements = project["dependencies"]
    except (ImportError, KeyError, OSError, ValueError):
        try:
            requirements = metadata.requires("digitlab") or []
        except metadata.PackageNotFoundError:
            requirements = []
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)$", "\n".join(requirements), re.MULTILINE))


def _kit():
    """Tell whether a notebook, which runs in another folder, finds this kit."""
    code = "import json; from digitlab.paths import KIT; print(json.dumps(str(KIT)))"
    folder = NOTEBOOKS if NOTEBOOKS.is_dir() else NOTEBOOKS.anchor
    found = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    remedy = _STICK if _is_from_stick() else "uv sync" if _is_uvs() else f'{_python_name()} -m pip install -e "{KIT}"'
    if found.returncode:
        return FAIL, f"digitlab is not installed, so the notebooks cannot import it. Install it: {remedy}"
    other = json.loads(found.stdout)
    if other != str(KIT):
        return WARN, f"The notebooks import the kit in {other}, not this one. Make them import this one: {remedy}"
    return OK, f"digitlab in {KIT}"


def _home():
    for folder in (HOME / "model", HOME / "drawings", MY_NOTEBOOKS):
        try:
            nearest = next(place for place in (folder, *folder.parents) if place.exists())
            attempt = nearest / f".check-{os.getpid()}"
            attempt.touch()
            attempt.unlink()
        except OSError as error:
            return FAIL, (
                f"Nothing can be saved in {folder} ({error.strerror}). Set the environment variable DIGITLAB_HOME to "
                f"a folder that you may write to."
            )
    return OK, f"notebooks, networks and drawings can be saved in {HOME}"


def _screen():
    from digitlab.draw_predict import no_screen

    why_not = no_screen()
    return (WARN, why_not) if why_not else (OK, "a screen for the desktop window")


def _package(name, pin):
    try:
        version = metadata.version(name)
    except (KeyError, metadata.PackageNotFoundError):
        version = None
    try:
        importlib.import_module(_IMPORT_NAMES.get(name, name))
    except (Exception, SystemExit) as error:
        if version is None:
            return FAIL, f"{name} is missing. Install it: {_install(name, pin)}"
        library = re.search(r"(\S+): cannot open shared object file", str(error))
        if library:
            return FAIL, (
                f"{name} {version} needs a library of the system that is missing: {library[1]}. On Debian and Ubuntu: "
                f"{APT_LINE}"
            )
        return FAIL, f"{name} {version} cannot be imported ({_root(error)}). Install it again: {_reinstall(name, pin)}"
    if version != pin:
        what = f"{name} {version}" if version else f"{name}, which does not tell its version"
        return WARN, f"{what}: the kit is tested with {pin}. Get it with: {_install(name, pin)}"
    return OK, f"{name} {version}"


def _data():
    from digitlab.data import load_mnist

    (train_images, _), (test_images, _) = load_mnist(MNIST)
    return OK, f"data: {len(train_images):,} digits to train with and {len(test_images):,} to test with, unchanged"


def _network():
    from digitlab.ink import Ink
    from digitlab.recognizer import Recognizer

    for path in _NETWORKS:
        predictions = Recognizer.load(path).predict_many([Ink.example(digit) for digit in range(10)])
        misread = [str(digit) for digit, prediction in enumerate(predictions) if prediction.digit != digit]
        if misread:
            return FAIL, f"{path.name} misreads the kit's example of {', '.join(misread)}. {_RESTORE_NETWORK}"
    return OK, "networks: they read an example of each digit"


def _pair():
    from digitlab import network

    for path in _NETWORKS:
        difference = network.pair_difference(path)
        if not difference <= network.PAIR_TOLERANCE:
            return FAIL, (
                f"The .keras and the .onnx file of {path.name} are no pair: their probabilities are {difference:.1g} "
                f"apart. {_RESTORE_NETWORK}"
            )
    return OK, "networks: their .keras and their .onnx files are pairs"


_STEPS = {"package": _package, "data": _data, "network": _network, "pair": _pair}
_SUBJECTS = {"data": "The data", "network": "The network", "pair": "The pair of a network's files"}


def _try_elsewhere(steps):
    """Start a process that takes the steps one after the other; return an iterator of what came out."""
    return _outcomes(steps, _start(steps))


def _start(steps):
    # The modules of a notebook's own folder come first, as in a notebook: a numpy.py there hides the real one.
    path = [str(KIT), str(MY_NOTEBOOKS), str(NOTEBOOKS)]
    imports = "from digitlab.commands.check import _answer; _answer()"
    code = f"import sys; sys.path[:] = {path!r} + [*filter(None, sys.path)]; {imports}"
    return subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(steps)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _answer():
    """Take the steps, in the process that `_start` started."""
    # Packages may print what they like: it goes elsewhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for step, *details in json.loads(sys.argv[1]):
        try:
            outcome = _STEPS[step](*details)
        except ImportError as error:
            outcome = FAIL, f"{_SUBJECTS[step]} cannot be checked without a package that is broken ({_root(error)})."
        except (OSError, ValueError) as error:
            outcome = FAIL, str(error)
        except Exception as error:
            outcome = FAIL, f"{_SUBJECTS[step]} cannot be checked ({_root(error)})."
        print(json.dumps(outcome), file=answers, flush=True)
    os._exit(0)  # All is said; nothing that was imported has a say in how this ends.


def _outcomes(steps, process):
    while steps:
        timer = threading.Timer(_PATIENCE, process.kill)
        timer.daemon = True
        timer.start()
        for line in process.stdout:
            yield json.loads(line)
            steps = steps[1:]
        in_time = timer.is_alive()
        timer.cancel()
        status = process.wait()
        if steps:
            yield FAIL, _died(steps[0], f"ended Python ({_ending(status)})" if in_time else f"took over {_PATIENCE} s")
            steps = steps[1:]
            process = _start(steps) if steps else None


def _died(step, how):
    if step[0] == "package":
        _, name, pin = step
        return f"{name} cannot be imported: the attempt {how}. Install it again: {_reinstall(name, pin)}"
    return f"{_SUBJECTS[step[0]]} cannot be checked: the attempt {how}."


def _ending(status):
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"status {status:#x}" if status > 255 else f"status {status}"


def _root(error):
    """Return what is at the root of an error, in one line."""
    while error.__cause__ or (error.__context__ and not error.__suppress_context__):
        error = error.__cause__ or error.__context__
    lines = str(error).split("\n")
    return f"{type(error).__name__}: {next(filter(str.strip, lines), 'it does not say why').strip()[:200]}"


def _install(name, pin):
    if _is_from_stick():
        return _STICK
    return "uv sync" if _is_uvs() else f"{_python_name()} -m pip install {name}=={pin}"


def _reinstall(name, pin):
    if _is_from_stick():
        return _STICK
    if _is_uvs():
        return f"uv sync --reinstall-package {name}"
    return f"{_python_name()} -m pip install --force-reinstall --no-deps {name}=={pin}"


def _is_from_stick():
    """Tell whether the kit was installed from a USB stick: there may be no internet then."""
    return (KIT / ".from_stick.json").exists()


def _is_uvs():
    return Path(sys.prefix).resolve() == (KIT / ".venv").resolve()


def _python_name():
    return Path(sys.executable).stem


def main(argv=None):
    """Run the command as a script."""
    from digitlab.commands.main import main_of

    return main_of("check", argv)


if __name__ == "__main__":
    sys.exit(main())
