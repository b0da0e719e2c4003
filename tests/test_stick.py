"""Fill a stick and install from it without internet: here with a tiny kit and tiny packages.

The kit is the smallest that can be installed like the real one. Nothing is downloaded: the test makes the wheels, also
that of uv, from the uv of this computer.
"""

import errno
import functools
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import obey_permissions, require, wait_until

from digitlab.paths import KIT

OFFLINE = KIT / "offline"
STICK = "Physics, 8b #1"
PYTHON = "{}.{}".format(*sys.version_info[:2])

PYPROJECT = """\
[project]
name = "digitlab"
version = "1.0"

[build-system]
requires = ["tool"]
build-backend = "backend"
backend-path = ["tools"]
"""
BACKEND = """\
import os, time, zipfile, tool
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    if "BUILDING" in os.environ:
        Path(os.environ["BUILDING"]).touch()
        time.sleep(60)
    with zipfile.ZipFile(Path(folder, "digitlab-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("digitlab.pth", str(Path.cwd()))
        wheel.writestr("digitlab-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: digitlab\\nVersion: 1.0\\n")
        wheel.writestr("digitlab-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        scripts = "[console_scripts]\\ndigitlab = digitlab.cli:main\\n"
        wheel.writestr("digitlab-1.0.dist-info/entry_points.txt", scripts)
        wheel.writestr("digitlab-1.0.dist-info/RECORD", "")
    return "digitlab-1.0-py3-none-any.whl"

build_wheel = build_editable
"""
CLI = """\
import sys, tiny
from pathlib import Path

def main():
    kit = Path(__file__).parent.parent
    print("the kit in", kit, "was asked for", *sys.argv[1:])
    return int((kit / "broken").exists())
"""


@pytest.fixture(scope="module")
def fill_stick():
    return _module(OFFLINE / "fill_stick.py")


@pytest.fixture(scope="module")
def install():
    return _module(OFFLINE / "install.py")


def _module(path):
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def kit(tmp_path):
    """The sources of the tiny kit, with things in it that are its user's or a tool's."""
    folder = tmp_path / "kit"
    for path, text in {
        "pyproject.toml": PYPROJECT,
        "tools/backend.py": BACKEND,
        ".ci/run": "",
        "classroom/digitlab_classroom/style.css": "",
        "digitlab/__init__.py": "",
        "digitlab/cli.py": CLI,
        "model/mnist_only.onnx": "weights",
        "model/anna.onnx": "mine",
        "model/full.training/state.json": "mine",
        "my_answers.json": "mine",
        "my_answers_broken_1.json": "mine",
        "my_report.html": "mine",
        "notebooks/01_first.ipynb": "{}",
        "notebooks/02_second.ipynb": "{}",
        "my_notebooks/01_first.ipynb": "mine",
        "my_notebooks_2026/01_first.ipynb": "mine",
        "drawings/my_drawings.jsonl": "mine",
        "model/my_network.onnx": "mine",
        "class.jsonl": "of others",
        "page.jpg": "mine",
        "notebooks/Untitled.ipynb": "mine",
        "notebooks/class.csv": "of others",
        "class/digits.jsonl": "of others",
        "classroom/state/jupyterhub.sqlite": "of others",
        "uv.lock": "",
        ".venv/pyvenv.cfg": "",
        "digitlab/__pycache__/cli.pyc": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def make_wheel(folder, name, files=None, version="1.0"):
    """Write a wheel with an empty module, or with these files, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in {
            **(files or {f"{name}.py": ""}),
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(member), content)  # Without the time of day: the same each time.
    return path


@functools.cache
def uv_program():
    """Return the path of uv itself; on the PATH there may be a script that starts it."""
    if "UV" in os.environ:
        return Path(os.environ["UV"])
    ask = [require("uv"), "run", "--no-project", "python", "-c", "import os; print(os.environ['UV'])"]
    return Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture(scope="module")
def uv_wheel(tmp_path_factory):
    program = "uv.exe" if sys.platform == "win32" else "uv"
    files = {f"uv-1.0.data/scripts/{program}": uv_program().read_bytes()}
    return make_wheel(tmp_path_factory.mktemp("uv"), "uv", files)


@pytest.fixture
def fetch(uv_wheel):
    """Stand for the download: put wheels of tiny packages, and that of uv, into a folder."""

    def fetch(kit, system, python, folder):
        for name in ("tiny", "tool"):
            make_wheel(folder, name)
        shutil.copy(uv_wheel, folder)

    return fetch


@pytest.fixture
def fill(fill_stick, kit, tmp_path, fetch):
    """Fill the stick from the tiny kit, and return it."""

    def fill(fetch=fetch, system=None):
        systems = [(system or fill_stick.install.this_system(), PYTHON)]
        fill_stick.fill(tmp_path / STICK, kit, systems, fetch)
        return tmp_path / STICK

    return fill


@pytest.fixture
def stick(fill):
    return fill()


@pytest.fixture
def home(tmp_path):
    """The folder to install in. The odd letters belong to the test."""
    return tmp_path / "a pupil, 100% #1" / "digitlab"


@pytest.fixture
def run(tmp_path, home):
    """Run the stick's install.py with misleading settings of uv and Python; return its status and its output."""

    def run(folder=home, **options):
        done = subprocess.run(
            command(tmp_path, folder), env=misleading_environment(), capture_output=True, text=True, **options
        )
        assert not done.stderr
        return done.returncode, done.stdout

    return run


def command(tmp_path, folder):
    return [sys.executable, str(tmp_path / STICK / "install.py"), str(folder)]


def misleading_environment():
    return {**os.environ, "UV_TARGET": "/nowhere", "UV_INDEX_URL": "http://localhost:1", "PYTHONPATH": "/nowhere"}


def texts_of_files(folder):
    """Return the texts of the files in a folder, except those of its environment."""
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file() and not {".venv", "__pycache__"} & set(path.parts)
    }


def edit_contents(stick, change):
    contents = json.loads((stick / "contents.json").read_text("utf-8"))
    change(contents)
    (stick / "contents.json").write_text(json.dumps(contents), "utf-8")


# The stick


def test_a_stick_holds_the_kit_its_packages_and_the_installer(stick):
    assert sorted(path.name for path in stick.iterdir()) == [
        "READ ME FIRST.txt",
        "contents.json",
        "digitlab",
        "install.py",
        "wheels",
    ]
    assert sorted(path.name.split("-")[0] for path in (stick / "wheels").iterdir()) == ["tiny", "tool", "uv"]
    assert len((stick / "READ ME FIRST.txt").read_text("utf-8").splitlines()) == 10


def test_files_of_the_user_are_not_put_on_the_stick(stick):
    assert texts_of_files(stick / "digitlab").keys() == {
        ".ci/run",
        "classroom/digitlab_classroom/style.css",
        "tools/backend.py",
        "digitlab/__init__.py",
        "digitlab/cli.py",
        "model/mnist_only.onnx",
        "notebooks/01_first.ipynb",
        "notebooks/02_second.ipynb",
        "pyproject.toml",
    }


def test_without_git_no_file_of_the_kit_is_left_out(fill_stick, monkeypatch):
    listed = fill_stick.files_of(KIT)
    monkeypatch.setattr(fill_stick.shutil, "which", lambda program: None)
    assert set(listed) <= set(fill_stick.files_of(KIT))


def test_a_clone_gives_the_files_that_git_lists(fill_stick, kit):
    git = require("git")
    subprocess.run([git, "init", "-q", str(kit)], check=True)
    subprocess.run([git, "-C", str(kit), "add", "pyproject.toml", "digitlab/cli.py"], check=True)
    assert fill_stick.files_of(kit) == ["digitlab/cli.py", "pyproject.toml"]


def test_filling_reports_the_number_of_files_and_packages(fill, capsys):
    fill()
    output = capsys.readouterr().out
    assert "9 files" in output
    assert "3 packages" in output


def test_filling_again_replaces_the_old_contents(fill, kit):
    stick = fill()
    (kit / "model" / "mnist_only.onnx").unlink()
    (kit / "digitlab" / "new.txt").write_text("new", "utf-8")
    (stick / "holiday.txt").write_text("of whose stick it is", "utf-8")
    make_wheel(stick / "wheels", "old")
    fill()
    assert "digitlab/new.txt" in texts_of_files(stick / "digitlab")
    assert "model/mnist_only.onnx" not in texts_of_files(stick / "digitlab")
    assert not list((stick / "wheels").glob("old*"))
    assert (stick / "holiday.txt").exists()


def test_a_folder_with_another_digitlab_is_refused(fill, tmp_path):
    (tmp_path / STICK / "digitlab").mkdir(parents=True)
    (tmp_path / STICK / "digitlab" / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(ValueError, match="digitlab already"):
        fill()
    assert texts_of_files(tmp_path / STICK) == {"digitlab/thesis.txt": "years of work"}


def test_a_folder_inside_the_kit_is_refused(fill_stick, kit, fetch, monkeypatch):
    with pytest.raises(ValueError, match="inside the kit"):
        fill_stick.fill(kit / "stick", kit, [("linux", PYTHON)], fetch)
    monkeypatch.chdir(kit)
    fill_stick.fill(Path("../beside"), kit, [("linux", PYTHON)], fetch)
    assert (kit.parent / "beside" / "install.py").exists()


def test_filling_again_removes_nothing_outside_the_stick(fill, kit, tmp_path):
    stick = fill()
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    (stick / "digitlab" / "old.txt").write_text("mine", "utf-8")
    names = ("../../thesis.txt", str(tmp_path / "thesis.txt"), "tests/../../../thesis.txt", "old.txt")
    edit_contents(stick, lambda contents: contents["kit"].update(dict.fromkeys(names, "")))
    fill()
    assert (tmp_path / "thesis.txt").exists()
    assert (stick / "digitlab" / "old.txt").exists()
    edit_contents(stick, lambda contents: contents.update(kit=["a"]))
    with pytest.raises(ValueError, match="which this program did not put there"):
        fill()


def test_a_half_filled_stick_installs_nothing(fill, tmp_path, run):
    def torn(*_):
        raise OSError("the internet is gone")

    with pytest.raises(OSError, match="gone"):
        fill(torn)
    shutil.copy(OFFLINE / "install.py", tmp_path / STICK)
    status, output = run()
    assert status == 1
    assert "This stick is not filled" in output
    assert json.loads((fill() / "contents.json").read_text("utf-8"))["finished"]


@pytest.fixture
def fake_uv(tmp_path, monkeypatch):
    """Let a shell script stand for uv; return a function that sets it and a file with the arguments of each call."""
    if sys.platform == "win32":
        pytest.skip("Windows runs no shell scripts.")
    log = tmp_path / "calls.txt"

    def fake_uv(script):
        program = tmp_path / "uv"
        program.write_text(f'#!/bin/sh\necho "$@" >>"{log}"\n{script}\n', "utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("UV", str(program))
        return log

    return fake_uv


def test_packages_are_chosen_for_the_system_and_its_python(fill_stick, kit, fake_uv, tmp_path):
    log = fake_uv(f'cat >>"{tmp_path}/input.txt"; touch "{tmp_path}/packages.txt"')
    fill_stick.fetch_packages(kit, "windows", "3.12", tmp_path)
    choose, download = log.read_text("utf-8").splitlines()
    assert "pip compile pyproject.toml - --python-platform x86_64-pc-windows-msvc --python-version 3.12" in choose
    assert "--generate-hashes" in choose
    assert (tmp_path / "input.txt").read_text("utf-8").split() == ["tool", "editables", "uv"]
    assert "--require-hashes" in download
    assert download.endswith("--python-version 3.12 --platform=win_amd64")


def test_a_failing_download_shows_what_pip_says(fill_stick, kit, fake_uv, tmp_path):
    fake_uv('[ "$1" = pip ] && exit 0; echo Collecting a; echo ERROR: no route to host; exit 1')
    with pytest.raises(ValueError, match=r"Check the internet.*\nERROR: no route to host"):
        fill_stick.fetch_packages(kit, "linux", "3.12", tmp_path)


# The computer


def test_the_kit_is_installed_and_checked(stick, home, run, install):
    status, output = run()
    assert status == 0, output
    assert f"the kit in {home} was asked for check" in output
    assert f'"{install.environment_file(home, "digitlab")}" lab' in output
    assert list((home / ".venv").glob("**/site-packages/tiny.py"))
    assert not (home / ".venv" / ".uv").exists()
    if sys.platform != "win32":
        done = subprocess.run([str(home / install.START_FILE), "--no-browser"], capture_output=True, text=True)
        assert done.stdout == f"the kit in {home} was asked for lab --no-browser\n"


def test_a_newer_stick_updates_the_kit_and_keeps_the_users_files(stick, home, run, kit, fill, install):
    run()
    mine = {
        "my_notebooks/01_first.ipynb": "mine",
        "drawings/my_drawings.jsonl": "mine",
        "model/my_network.onnx": "mine",
        "homework.txt": "mine",
    }
    for path, text in mine.items():
        (home / path).parent.mkdir(exist_ok=True)
        (home / path).write_text(text, "utf-8")
    (home / "digitlab" / "__init__.py").write_text("# changed by its user", "utf-8")
    start_file = home / install.START_FILE
    start_file.write_text("# a line of its user's\n" + start_file.read_text("utf-8"), "utf-8")
    (home / "notebooks" / "01_first.ipynb").write_text("changed by its user", "utf-8")

    (kit / "model" / "mnist_only.onnx").write_text("better weights", "utf-8")
    (kit / "notebooks" / "01_first.ipynb").unlink()
    (kit / "notebooks" / "02_second.ipynb").rename(kit / "notebooks" / "03_third.ipynb")
    (kit / "digitlab" / "__init__.py").write_text("# newer", "utf-8")
    fill()
    status, output = run()
    assert status == 0, output
    assert "packages are here already" in output
    present = texts_of_files(home)
    assert {path: present.get(path) for path in mine} == mine
    assert present["model/mnist_only.onnx"] == "better weights"
    assert present["digitlab/__init__.py"] == "# newer"
    assert present["notebooks/01_first.ipynb"] == "changed by its user", "the new kit lacks it, but it was changed"
    assert "notebooks/02_second.ipynb" not in present
    assert "notebooks/03_third.ipynb" in present
    aside = [path for path in present if path.startswith("set_aside")]
    assert {Path(path).name: present[path].splitlines()[0] for path in aside} == {
        "__init__.py": "# changed by its user",
        install.START_FILE: "# a line of its user's",
    }
    assert start_file.read_text("utf-8") == install.START_TEXT
    assert str(home / Path(aside[0]).parts[0]) in output


def test_a_kit_from_elsewhere_is_updated(stick, home, run):
    shutil.copytree(stick / "digitlab", home)
    (home / "pyproject.toml").write_text(PYPROJECT + "# older\n", "utf-8")
    (home / ".venv").mkdir()
    assert run()[0] == 0
    assert (home / "pyproject.toml").read_text("utf-8") == PYPROJECT
    assert [path.read_text("utf-8") for path in home.glob("set_aside*/*")] == [PYPROJECT + "# older\n"]


@pytest.mark.parametrize("name", ["thesis.txt", ".git/config"])
def test_a_folder_with_other_files_is_refused(stick, home, run, name):
    (home / name).parent.mkdir(parents=True)
    (home / name).write_text("years of work", "utf-8")
    status, output = run()
    assert status == 1
    assert "stays as it is. Choose another folder" in output
    assert texts_of_files(home) == {name: "years of work"}


def test_installing_on_the_stick_itself_is_refused(stick, run):
    assert "is on the stick itself" in run(stick / "here")[1]


def test_a_moved_kit_is_repaired(stick, home, run, tmp_path):
    run()
    moved = tmp_path / "moved"
    home.rename(moved)
    status, output = run(moved)
    assert status == 0, output
    assert f"the kit in {moved} was asked for check" in output


# What may go wrong


def test_another_python_is_refused_with_the_right_command(stick, run):
    def rename(contents):
        contents["systems"] = {name.replace(PYTHON, "3.99"): plan for name, plan in contents["systems"].items()}

    edit_contents(stick, rename)
    status, output = run()
    assert status == 1
    assert "the stick has packages for Python 3.99" in output
    assert "3.99 " in output.split("type:")[1]


def test_another_system_is_refused_with_the_command_to_fill(fill, run, fill_stick):
    system = fill_stick.install.this_system()
    other = "macos" if system != "macos" else "linux"
    fill(system=other)
    status, output = run()
    assert status == 1
    assert f"the stick was filled for {other} {PYTHON}" in output
    assert f"--platform {system} --python {PYTHON}" in output


def test_a_computer_that_the_kit_cannot_run_on_is_told_so(stick, install, fill_stick, monkeypatch):
    monkeypatch.setattr(install, "STICK", stick)
    monkeypatch.setattr(install, "this_system", lambda: "macos-x86_64")
    with pytest.raises(install.InstallError, match="does not run on this computer"):
        install.read_contents()
    assert tuple(fill_stick.SYSTEMS) == install.SYSTEMS


def test_a_missing_package_is_named_before_anything_changes(stick, home, run):
    next((stick / "wheels").glob("tiny*")).unlink()
    status, output = run()
    assert status == 1
    assert "1 of 3 packages are missing" in output
    assert "tiny" in output
    assert not home.exists()


@pytest.mark.parametrize("name", ["tiny", "uv"])
def test_a_damaged_package_is_named(stick, home, run, fill, name):
    wheel = next((stick / "wheels").glob(f"{name}-*"))
    wheel.write_bytes(wheel.read_bytes()[:-20])
    status, output = run()
    assert status == 1
    assert f"the first is {wheel.name}" in output
    fill()
    assert run()[0] == 0


def test_a_damaged_file_of_the_kit_is_named(stick, home, run):
    (stick / "digitlab" / "model" / "mnist_only.onnx").write_text("wei", "utf-8")
    status, output = run()
    assert status == 1
    assert "mnist_only.onnx is damaged" in output
    assert not (home / "model" / "mnist_only.onnx").exists()


def test_a_full_disk_is_reported_before_anything_changes(stick, home, run):
    edit_contents(stick, lambda contents: [plan.update(room=10**18) for plan in contents["systems"].values()])
    status, output = run()
    assert status == 1
    assert "The disk is too full" in output
    assert not home.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="lets permissions count for root too, as Linux can")
def test_a_folder_without_write_permission_is_reported(stick, home, run):
    home.mkdir(parents=True)
    home.chmod(0o555)
    status, output = run(preexec_fn=obey_permissions)
    assert status == 1
    assert "You may not write there" in output


@pytest.mark.skipif(sys.platform == "win32", reason="ends a process as POSIX does")
def test_an_interrupted_installation_continues_the_next_time(stick, home, run, tmp_path):
    building = tmp_path / "building"
    for end in (signal.SIGKILL, signal.SIGINT):
        building.unlink(missing_ok=True)
        process = subprocess.Popen(
            command(tmp_path, home),
            env={**misleading_environment(), "BUILDING": str(building)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_until(building.exists)
        os.killpg(process.pid, end)
        output = process.communicate()[0]
    assert process.returncode == 130
    assert "None of your files are lost" in output
    assert run()[0] == 0


def test_a_failed_check_makes_the_next_run_install_again(stick, home, run):
    shutil.copytree(stick / "digitlab", home)
    (home / "broken").touch()
    status, output = run()
    assert status == 1
    assert "Do what its first FAIL says" in output
    (home / "broken").unlink()
    next((home / ".venv").glob("**/tiny.py")).unlink()
    assert run()[0] == 0
    assert list((home / ".venv").glob("**/tiny.py"))


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("error: failed to write to file: No space left on device (os error 28)", "disk is full"),
        ("error: failed to rename file: Access is denied. (os error 5)", "Close JupyterLab"),
        ("Because tensorflow==2.21.0 has no wheels with a matching platform tag", "tensorflow does not run on this"),
        ("something new", "something new"),
    ],
)
def test_an_error_of_uv_becomes_advice(install, output, advice, tmp_path):
    assert advice in str(install.explain(output, {"wheels": {}}, tmp_path))


def test_an_environment_of_another_python_is_made_anew(install, monkeypatch):
    assert install._runs(sys.executable)
    monkeypatch.setattr(sys, "version_info", (3, 99))
    assert not install._runs(sys.executable)


def test_a_drive_that_is_not_there_is_named(install, monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with pytest.raises(install.InstallError, match="There is no drive"):
        install.check_room(tmp_path / "digitlab", {"wheels": {}, "room": 0, "longest": 0})


def test_a_folder_whose_name_begins_as_the_sticks_is_not_the_stick(install):
    beside = OSError(errno.EACCES, "", f"{install.STICK}-2/file")
    assert install.sentence(beside).startswith("You may not write there")
    assert install.sentence(OSError(errno.EACCES, "", str(install.STICK / "file"))).startswith(
        "The stick cannot be read"
    )


def test_what_a_mac_puts_beside_the_packages_is_left_out(fill, fetch):
    def fetch_on_a_mac(kit, system, python, folder):
        fetch(kit, system, python, folder)
        (folder / "._tiny-1.0-py3-none-any.whl").write_bytes(b"no package")

    assert "._tiny" not in (fill(fetch_on_a_mac) / "contents.json").read_text("utf-8")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="this Python reads the name of the kit's folder as UTF-8")
def test_a_folder_name_that_python_misreads_is_refused(install, monkeypatch, tmp_path):
    monkeypatch.setattr(install.locale, "getpreferredencoding", lambda _: "cp1252")
    with pytest.raises(install.InstallError, match="Choose a folder of plain letters"):
        install.check_target(tmp_path / "Jürgen")
    assert install.check_target(tmp_path / "Jurgen") == {}


def test_a_window_of_its_own_waits_for_enter(install, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(install, "has_own_window", lambda: True)
    monkeypatch.setattr("builtins.input", asked.append)
    assert install.main([]) == 1  # Beside this file there is no stick.
    assert asked == ["\nPress Enter to close this window. "]


@pytest.mark.parametrize(("processes", "own"), [(1, True), (2, True), (3, False)])
def test_only_a_window_of_its_own_waits_for_enter(install, monkeypatch, processes, own):
    kernel = SimpleNamespace(GetConsoleProcessList=lambda numbers, size: processes)
    monkeypatch.setattr(install, "ON_WINDOWS", True)
    monkeypatch.setattr(install.ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(install.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.delenv("PROMPT", raising=False)
    assert install.has_own_window() is own
    monkeypatch.setenv("PROMPT", "$P$G")  # As cmd.exe sets it.
    assert not install.has_own_window()
