"""`digitlab check` says what is wrong and continues when a package is broken. Each test breaks something for real."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import onnx
import pytest
from helpers import OBEYING

from digitlab.commands.check import _again, _home, pinned_versions
from digitlab.files.onnx import add_checksum
from digitlab.paths import APT_LINE, KIT, MNIST, MNIST_ONLY_NETWORK, SHIPPED_NETWORK, network_files, settings_of

DEPENDENCIES = pinned_versions()
TENSORFLOW = next(name for name in DEPENDENCIES if name.startswith("tensorflow"))


class Checked:
    """A finished `digitlab check`: its exit status and its lines."""

    def __init__(self, kit=KIT, python=sys.executable, **environment):
        bare = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
        finished = subprocess.run(
            [python, "-m", "digitlab.commands.main", "check"],
            cwd=kit,
            env={**bare, **{name: str(value) for name, value in environment.items()}},
            capture_output=True,
            text=True,
            timeout=300,
            **OBEYING,
        )
        self.status = finished.returncode
        self.errors = finished.stderr
        *self.lines, self.summary = finished.stdout.splitlines()

    def line(self, about):
        """Return the verdict and the text of the first line about something."""
        line = next(line for line in self.lines if re.search(about, line))
        verdict, text = line.split(maxsplit=1)
        return verdict, text

    def verdicts(self):
        return {line.split()[0] for line in self.lines}


def copy_of_the_kit(folder, python_only=False):
    """Copy the files that `digitlab check` reads, so that a test can damage them."""
    ignored = shutil.ignore_patterns("__pycache__", *["mnist"] * python_only)
    shutil.copytree(KIT / "digitlab", folder / "digitlab", ignore=ignored)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(KIT / name, folder)
    if not python_only:
        shutil.copytree(KIT / "model", folder / "model")
    return folder


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return Checked(DIGITLAB_HOME=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def with_broken_packages(tmp_path_factory):
    """OpenCV without its system library, and a TensorFlow that ends the process that imports it."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "cv2.py").write_text(
        'raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")'
    )
    (folder / "tensorflow.py").write_text(
        "import os, resource\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        'os.write(1, b"not an answer\\n")\n'
        'os.write(2, b"terminate called\\n")\n'
        "os.abort()\n"
    )
    return Checked(DIGITLAB_HOME=folder, PYTHONPATH=folder)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """A kit with half of MNIST, no drawings, another network's .onnx file, other pins, and a home to read only."""
    kit = copy_of_the_kit(tmp_path_factory.mktemp("damaged"))
    with open(kit / MNIST.relative_to(KIT), "rb+") as data:
        data.truncate(MNIST.stat().st_size // 2)
    (kit / "digitlab" / "people" / "drawings.npz").unlink()
    file = kit / network_files(SHIPPED_NETWORK)[1].relative_to(KIT)
    network = onnx.load(file)
    weights = max(network.graph.initializer, key=lambda initializer: len(initializer.raw_data))
    weights.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) * 1.01, weights.name))
    del network.metadata_props[:]  # The checksum.
    file.write_bytes(add_checksum(network.SerializeToString()))
    (kit / "pyproject.toml").write_text('[project]\ndependencies = ["onnx>=1", "no-such-package>=2"]', "utf-8")
    (kit / "constraints.txt").write_text("onnx==1.0.0\nno-such-package==2.0; sys_platform == 'linux'\n", "utf-8")
    home = kit / "home"
    home.mkdir(mode=0o555)
    return Checked(kit, DIGITLAB_HOME=home)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """A Python without any package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin" / "python"


def test_a_healthy_kit_passes(healthy):
    assert healthy.status == 0
    assert "FAIL" not in healthy.verdicts()
    assert healthy.summary.startswith("Everything that a lesson needs is here")
    assert healthy.errors == ""


@pytest.mark.parametrize("name", sorted(DEPENDENCIES))
def test_every_dependency_has_the_tested_version(healthy, name):
    assert healthy.line(f" {name} ") == ("OK", f"{name} {DEPENDENCIES[name]}")


@pytest.mark.parametrize(
    "about", ["Python 3", "digitlab in", "60,000", "by people", "example of each digit", "are pairs", "saved"]
)
def test_the_other_checks_pass_too(healthy, about):
    assert healthy.line(about)[0] == "OK"


def test_no_screen_is_only_a_warning(healthy):
    verdict, text = healthy.line("no screen")
    assert verdict == "WARN"
    assert "digitlab lab" in text
    assert healthy.summary.endswith("(1 warning).")


def test_a_broken_package_hides_no_other_check(healthy, with_broken_packages):
    assert with_broken_packages.status == 1
    assert len(with_broken_packages.lines) == len(healthy.lines)
    assert with_broken_packages.verdicts() == {"OK", "WARN", "FAIL"}
    assert with_broken_packages.errors == ""
    for about in [" numpy ", " jupyterlab ", " matplotlib ", " onnx ", "60,000"]:
        assert with_broken_packages.line(about)[0] == "OK"


def test_a_missing_system_library_says_what_to_install(with_broken_packages):
    verdict, text = with_broken_packages.line("opencv-python")
    assert verdict == "FAIL"
    assert "libGL.so.1" in text
    assert text.endswith(APT_LINE)


def test_the_network_cannot_be_checked_without_opencv(with_broken_packages):
    verdict, text = with_broken_packages.line("The network cannot be checked")
    assert verdict == "FAIL"
    assert "libGL.so.1" in text


def test_a_package_that_crashes_says_how_to_install_it_again(with_broken_packages):
    verdict, text = with_broken_packages.line(f" {TENSORFLOW} ")
    assert verdict == "FAIL"
    assert "SIGABRT" in text
    assert text.endswith(_again(TENSORFLOW, DEPENDENCIES[TENSORFLOW]))


def test_the_pair_cannot_be_checked_without_tensorflow(with_broken_packages):
    assert with_broken_packages.line("pair")[0] == "FAIL"


def test_a_command_for_pip_names_the_python_that_runs(monkeypatch):
    monkeypatch.setattr(sys, "prefix", "/usr")
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3.11")
    assert "python3.11 -m pip install --force-reinstall --no-deps numpy==1.0" in _again("numpy", "1.0")


def test_a_file_of_the_reader_that_hides_a_module_is_named(tmp_path):
    (tmp_path / "my_notebooks").mkdir()
    (tmp_path / "my_notebooks" / "random.py").write_text("x = 1", "utf-8")
    checked = Checked(DIGITLAB_HOME=tmp_path)
    verdict, text = checked.line("random")
    assert (verdict, "Give it another name" in text, "random.py" in text) == ("FAIL", True, True)
    assert checked.summary.startswith("1 of ")


def test_a_drive_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    verdict, text = _home()
    assert (verdict, "there is no drive" in text) == ("FAIL", True)


def test_the_last_line_counts_what_failed(with_broken_packages):
    failed = sum(line.startswith("FAIL") for line in with_broken_packages.lines)
    assert with_broken_packages.summary.startswith(f"{failed} of {len(with_broken_packages.lines)} checks failed")


def test_damaged_data_says_how_to_bring_it_back(damaged):
    verdict, text = damaged.line("digits in .*mnist.npz are damaged")
    assert verdict == "FAIL"
    assert "git checkout" in text


def test_missing_drawings_say_how_to_bring_them_back(damaged):
    verdict, text = damaged.line("there is no .*drawings.npz")
    assert verdict == "FAIL"
    assert "git checkout" in text


def test_files_of_two_networks_are_not_a_pair(damaged):
    verdict, text = damaged.line("not a pair")
    assert verdict == "FAIL"
    assert "git checkout -- model" in text
    assert damaged.line("example of each digit")[0] == "OK"


def test_a_read_only_home_says_what_to_set(damaged):
    verdict, text = damaged.line("Nothing can be saved")
    assert verdict == "FAIL"
    assert "Permission denied" in text
    assert "DIGITLAB_HOME" in text


def test_another_version_is_a_warning(damaged):
    verdict, text = damaged.line(" onnx ")
    assert verdict == "WARN"
    assert DEPENDENCIES["onnx"] in text
    assert "onnx==1.0.0" in text


def test_a_missing_package_fails_and_says_how_to_install_it(damaged):
    verdict, text = damaged.line("no-such-package")
    assert verdict == "FAIL"
    assert text.endswith("pip install no-such-package==2.0")
    assert damaged.status == 1


def test_notebooks_that_import_another_kit_are_a_warning(damaged):
    verdict, text = damaged.line("The notebooks import the kit in")
    assert verdict == "WARN"
    assert str(KIT) in text


@pytest.fixture(scope="module")
def with_bad_networks(tmp_path_factory):
    """A kit without the settings of its network, and an own network made of the files of two networks."""
    kit = copy_of_the_kit(tmp_path_factory.mktemp("networks"))
    settings_of(kit / "model" / SHIPPED_NETWORK.name).unlink()
    keras_file, onnx_file = network_files(kit / "model" / "my_network")
    shutil.copy(network_files(SHIPPED_NETWORK)[0], keras_file)
    shutil.copy(network_files(MNIST_ONLY_NETWORK)[1], onnx_file)
    return Checked(kit, DIGITLAB_HOME=kit)


def test_missing_settings_of_the_network_fail(with_bad_networks):
    verdict, text = with_bad_networks.line("digit_recognition_model.json is missing")
    assert verdict == "FAIL"
    assert "git checkout -- model" in text


def test_half_an_own_network_fails(tmp_path):
    kit = copy_of_the_kit(tmp_path)
    onnx_file = network_files(kit / "model" / "my_network_taught")[1]
    onnx_file.write_bytes(network_files(MNIST_ONLY_NETWORK)[1].read_bytes()[:100_000])
    verdict, text = Checked(kit, DIGITLAB_HOME=kit).line("my_network_taught are not a pair")
    assert verdict == "FAIL"
    assert text.endswith("delete it, and learn anew from the drawings, which are kept")


def test_a_broken_pair_of_ones_own_network_fails(with_bad_networks):
    verdict, text = with_bad_networks.line("my_network are not a pair")
    assert verdict == "FAIL"
    assert "digitlab train" in text


def test_a_python_without_packages_lists_all_of_them(tmp_path, bare_python):
    checked = Checked(copy_of_the_kit(tmp_path, python_only=True), bare_python, DIGITLAB_HOME=tmp_path)
    assert checked.status == 1
    assert checked.errors == ""
    for name in DEPENDENCIES:
        assert checked.line(f" {name} ")[1].startswith(f"{name} is missing")
    assert checked.line("digitlab is not installed")[0] == "FAIL"
    assert checked.line("Python 3")[0] == "OK"


def test_a_kit_from_a_stick_names_the_stick_as_remedy(tmp_path, bare_python):
    kit = copy_of_the_kit(tmp_path, python_only=True)
    (kit / ".from_stick.json").write_text("{}", "utf-8")
    checked = Checked(kit, bare_python, DIGITLAB_HOME=tmp_path)
    for about in (" numpy ", "digitlab is not installed"):
        assert checked.line(about)[1].endswith("put the stick in and run its install.py again")


def test_a_damaged_list_of_packages_fails(tmp_path, bare_python):
    kit = copy_of_the_kit(tmp_path, python_only=True)
    (kit / "pyproject.toml").write_text("[project", "utf-8")
    checked = Checked(kit, bare_python, DIGITLAB_HOME=tmp_path)
    assert checked.status == 1
    assert checked.line("pyproject.toml")[0] == "FAIL"
    assert checked.errors == ""


def test_it_takes_no_arguments(digitlab):
    finished = digitlab("check", "--all")
    assert finished.returncode == 2
    assert "--all" in finished.stderr
