"""The library stays small, imports point one way, and importing it stays cheap."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import digitlab
from digitlab.paths import KIT

FIRST_LEVEL = sorted(path for path in (KIT / "digitlab").iterdir() if path.suffix == ".py" or path.is_dir())
FIRST_LEVEL = [path for path in FIRST_LEVEL if path.name not in {"__init__.py", "__pycache__", "mnist"}]
PRODUCT = [path for folder in ("digitlab", "classroom", "offline") for path in (KIT / folder).rglob("*.py")]
MODULES = sorted(
    path.relative_to(root).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for root in (KIT, KIT / "classroom")
    for package in ("digitlab", "digitlab_classroom")
    for path in (root / package).rglob("*.py")
    if path.name != "__main__.py"
)
USE_TENSORFLOW = {"digitlab.live_loss", "digitlab.network"}


def count_lines(path):
    return len(path.read_text("utf-8").splitlines())


def run(*command):
    return subprocess.run(command, cwd=KIT, capture_output=True, text=True, timeout=300)


def test_imports_point_one_way():
    finished = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert finished.returncode == 0, finished.stdout


def test_the_first_level_has_at_most_16_modules():
    modules = [path for path in FIRST_LEVEL if path.is_file()]
    assert len(modules) <= 16, [path.name for path in modules]


def test_the_modules_of_the_first_level_are_short():
    assert sum(count_lines(path) for path in FIRST_LEVEL if path.is_file()) <= 3500


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(KIT).as_posix())
def test_no_file_has_more_than_450_lines(path):
    assert count_lines(path) <= 450


def test_only_network_and_live_loss_import_tensorflow():
    first_level = [f"digitlab.{path.stem}" for path in FIRST_LEVEL]
    names = [name for name in first_level if name not in USE_TENSORFLOW]
    code = f"import sys, importlib; [importlib.import_module(name) for name in {names}]; print('keras' in sys.modules)"
    finished = run(sys.executable, "-c", code)
    assert finished.stdout.strip() == "False", finished.stderr


def test_importing_a_module_starts_no_thread():
    # TensorFlow starts threads of its own when it is imported; only threads of Python count.
    code = (
        "import importlib, os, sys, threading\n"
        f"for name in {MODULES}:\n"
        "    importlib.import_module(name)\n"
        "    assert threading.active_count() == 1, (name, threading.enumerate())\n"
    )
    finished = run(sys.executable, "-c", code)
    assert finished.returncode == 0, finished.stderr


def test_the_commands_start_without_any_package():
    code = (
        "import digitlab.commands.main as m; m._parse(['check']); import sys; print({'numpy', 'cv2'} & {*sys.modules})"
    )
    assert run(sys.executable, "-c", code).stdout.strip() == "set()"


def test_dir_lists_the_public_names():
    assert {"Ink", "Recognizer", "Prediction", "load_mnist"} <= set(dir(digitlab))
    for name in dir(digitlab):
        assert getattr(digitlab, name) is not None


def test_the_paths_that_architecture_names_exist():
    text = (KIT / "ARCHITECTURE.md").read_text("utf-8")
    named = re.findall(r"`((?:digitlab|classroom|offline|tools|notebooks|model|tests)/[\w./-]+)`", text)
    assert len(named) > 40
    missing = [path for path in named if "_N." not in path and not (KIT / path).exists()]
    assert not missing
