"""A stick is filled with a kit, and computers without internet install from it: here a tiny kit with tiny packages.

The kit is the smallest that can be installed as the real one is. Nothing is downloaded: what stands for uv and pip's
download puts wheels on the stick that are made here, beside the pip that Python brings.
"""

import ensurepip
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers import obey_permissions, require, wait_until

from digitlab.paths import KIT

CLASSROOM = KIT / "classroom"
PYTHON = "{}.{}".format(*sys.version_info[:2])

PYPROJECT = """\
[project]
name = "digitlab"
version = "1.0"

[build-system]
requires = ["tool"]
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """\
import zipfile, tool
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(Path(folder, "digitlab-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("digitlab.pth", str(Path.cwd()))
        wheel.writestr("digitlab-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: digitlab\\nVersion: 1.0\\n")
        wheel.writestr("digitlab-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        scripts = "[console_scripts]\\ndigitlab = digitlab.commands.main:main\\n"
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
REQUIREMENTS = ["tiny==1.0", "tool==1.0 ; python_version >= '3'", "pip==0", "other==1.0 ; sys_platform == 'beos'"]


@pytest.fixture(scope="module")
def fill_stick():
    return _module(CLASSROOM / "fill_stick.py")


@pytest.fixture(scope="module")
def install():
    return _module(CLASSROOM / "install.py")


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
        "backend.py": BACKEND,
        ".ci/run": "",
        "digitlab/__init__.py": "",
        "digitlab/cli.py": CLI,
        "model/digits.onnx": "weights",
        "notebooks/first.ipynb": "{}",
        "notebooks/second.ipynb": "{}",
        "my_notebooks/first.ipynb": "mine",
        "my_notebooks_2026/first.ipynb": "mine",
        "drawings/my_drawings.jsonl": "mine",
        "model/my_network.onnx": "mine",
        "class.jsonl": "of others",
        "class/digits.jsonl": "of others",
        "classroom/state/jupyterhub.sqlite": "of others",
        "uv.lock": "",
        ".venv/pyvenv.cfg": "",
        "digitlab/__pycache__/cli.pyc": "",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def a_wheel(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {
            f"{name}.py": "",
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{about}/RECORD": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(path), text)  # Without the time of day: the same each time.


def fetch(entries, system, python, folder):
    """Put wheels of those names into a folder, as pip's download does."""
    for entry in entries:
        name = entry.split("==")[0]
        if name != "pip":
            a_wheel(folder, name)
            continue
        bundled = list(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
        if not bundled:
            pytest.skip("This Python brings no pip of its own.")
        shutil.copy(bundled[0], folder)


@pytest.fixture
def fill(fill_stick, kit, tmp_path):
    """Fill the stick from the tiny kit, and return it."""

    def fill(fetch=fetch, system=None):
        systems = [(system or fill_stick.install.this_system(), PYTHON)]
        fill_stick.fill(tmp_path / "stick", kit, (REQUIREMENTS, {"tool"}), systems, fetch)
        return tmp_path / "stick"

    return fill


@pytest.fixture
def stick(fill):
    return fill()


@pytest.fixture
def home(tmp_path):
    """The folder to install in. The spaces belong to the test."""
    return tmp_path / "a pupil" / "digitlab"


@pytest.fixture
def run(tmp_path, home):
    """Run the stick's install.py in an environment that misleads pip and Python; return its status and its output."""

    def run(folder=home, **options):
        done = subprocess.run(command(tmp_path, folder), env=misleading(), capture_output=True, text=True, **options)
        assert not done.stderr
        return done.returncode, done.stdout

    return run


def command(tmp_path, folder):
    return [sys.executable, str(tmp_path / "stick" / "install.py"), str(folder)]


def misleading():
    return {**os.environ, "PIP_TARGET": "/nowhere", "PIP_INDEX_URL": "http://localhost:1", "PYTHONPATH": "/nowhere"}


def written(folder):
    """What is in a folder, beside its packages."""
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


def test_a_stick_holds_the_kit_its_packages_and_what_installs_them(stick):
    assert sorted(path.name for path in stick.iterdir()) == [
        "READ ME FIRST.txt",
        "contents.json",
        "digitlab",
        "install.py",
        "wheels",
    ]
    assert sorted(path.name.split("-")[0] for path in (stick / "wheels").iterdir()) == ["pip", "tiny", "tool"]
    assert len((stick / "READ ME FIRST.txt").read_text("utf-8").splitlines()) == 10


def test_what_its_user_made_is_not_put_on_the_stick(stick):
    assert written(stick / "digitlab").keys() == {
        ".ci/run",
        "backend.py",
        "digitlab/__init__.py",
        "digitlab/cli.py",
        "model/digits.onnx",
        "notebooks/first.ipynb",
        "notebooks/second.ipynb",
        "pyproject.toml",
    }


def test_from_a_clone_it_is_what_git_lists(fill_stick, kit):
    git = require("git")
    subprocess.run([git, "init", "-q", str(kit)], check=True)
    subprocess.run([git, "-C", str(kit), "add", "pyproject.toml", "digitlab/cli.py"], check=True)
    assert fill_stick.files_of(kit) == ["digitlab/cli.py", "pyproject.toml"]


def test_what_was_put_there_is_said(fill, capsys):
    fill()
    said = capsys.readouterr().out
    assert "8 files" in said
    assert "3 packages" in said


def test_a_system_gets_the_packages_that_its_markers_ask_for(fill_stick):
    entries = ["a==1 --hash=sha256:0", "b==1 ; sys_platform == 'win32'", "c==1 ; os_name != 'nt'"]
    entries += ["d==1 ; python_full_version < '3.12'", "e==1 ; platform_machine == 'arm64'"]
    assert fill_stick.for_system(entries, "windows", "3.11") == ["a==1 --hash=sha256:0", "b==1", "d==1"]
    assert fill_stick.for_system(entries, "macos", "3.12") == ["a==1 --hash=sha256:0", "c==1", "e==1"]


def test_filled_again_it_holds_the_new_and_nothing_old(fill, kit):
    stick = fill()
    (kit / "model" / "digits.onnx").unlink()
    (kit / "new.txt").write_text("new", "utf-8")
    (stick / "holiday.txt").write_text("of whose stick it is", "utf-8")
    a_wheel(stick / "wheels", "old")
    fill()
    assert "new.txt" in written(stick / "digitlab")
    assert "model/digits.onnx" not in written(stick / "digitlab")
    assert not list((stick / "wheels").glob("old*"))
    assert (stick / "holiday.txt").exists()


def test_a_folder_with_another_digitlab_in_it_is_refused(fill, tmp_path):
    (tmp_path / "stick" / "digitlab").mkdir(parents=True)
    (tmp_path / "stick" / "digitlab" / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(ValueError, match="digitlab already"):
        fill()
    assert written(tmp_path / "stick") == {"digitlab/thesis.txt": "years of work"}


def test_a_folder_inside_the_kit_is_refused(fill_stick, kit):
    with pytest.raises(ValueError, match="inside the kit"):
        fill_stick.fill(kit / "stick", kit, (REQUIREMENTS, set()), [("linux", PYTHON)], fetch)


def test_a_stick_half_filled_installs_nothing_and_can_be_filled_again(fill, tmp_path, run):
    def torn(*_):
        raise OSError("the internet is gone")

    with pytest.raises(OSError, match="gone"):
        fill(torn)
    shutil.copy(CLASSROOM / "install.py", tmp_path / "stick")
    status, said = run()
    assert status == 1
    assert "This stick is not filled" in said
    assert json.loads((fill() / "contents.json").read_text("utf-8"))["finished"]


@pytest.mark.skipif(sys.platform == "win32", reason="stands in for uv with a shell script")
def test_a_failing_download_says_what_pip_says(fill_stick, tmp_path, monkeypatch):
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho Collecting a\necho ERROR: no route to host\nexit 1\n", "utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    with pytest.raises(ValueError, match=r"Is there internet.*\nERROR: no route to host"):
        fill_stick.fetch_with_pip(["a==1"], "linux", "3.12", tmp_path / "wheels")


# The computer


def test_the_kit_is_installed_checked_and_says_how_to_start(stick, home, run, install):
    status, said = run()
    assert status == 0, said
    assert f"the kit in {home} was asked for check" in said
    assert f'"{install.environment_file(home, "digitlab")}" lab' in said
    packages = [path.name for path in (home / ".venv").glob("**/site-packages/t*.py")]
    assert packages == ["tiny.py"], "what only the build needs is not installed"
    if sys.platform != "win32":
        done = subprocess.run([str(home / install.START_FILE), "--no-browser"], capture_output=True, text=True)
        assert done.stdout == f"the kit in {home} was asked for lab --no-browser\n"


def test_a_newer_stick_brings_the_kit_up_to_date_and_leaves_what_the_user_made(stick, home, run, kit, fill):
    run()
    mine = {
        "my_notebooks/first.ipynb": "mine",
        "drawings/my_drawings.jsonl": "mine",
        "model/my_network.onnx": "mine",
        "homework.txt": "mine",
    }
    for path, text in mine.items():
        (home / path).parent.mkdir(exist_ok=True)
        (home / path).write_text(text, "utf-8")
    (home / "digitlab" / "__init__.py").write_text("# changed by its user", "utf-8")
    (home / "notebooks" / "first.ipynb").write_text("changed by its user", "utf-8")

    (kit / "model" / "digits.onnx").write_text("better weights", "utf-8")
    (kit / "notebooks" / "first.ipynb").unlink()
    (kit / "notebooks" / "second.ipynb").rename(kit / "notebooks" / "third.ipynb")
    (kit / "digitlab" / "__init__.py").write_text("# newer", "utf-8")
    fill()
    status, said = run()
    assert status == 0, said
    assert "packages are here already" in said
    present = written(home)
    assert {path: present.get(path) for path in mine} == mine
    assert present["model/digits.onnx"] == "better weights"
    assert present["digitlab/__init__.py"] == "# newer"
    assert present["notebooks/first.ipynb"] == "changed by its user", "the new kit lacks it, but it was changed"
    assert "notebooks/second.ipynb" not in present
    assert "notebooks/third.ipynb" in present
    aside = [path for path in present if path.startswith("set_aside")]
    assert [present[path] for path in aside] == ["# changed by its user"]
    assert str(home / Path(aside[0]).parts[0]) in said


def test_a_kit_that_came_in_another_way_is_taken_over(stick, home, run):
    shutil.copytree(stick / "digitlab", home)
    (home / "pyproject.toml").write_text(PYPROJECT + "# older\n", "utf-8")
    (home / ".venv").mkdir()
    assert run()[0] == 0
    assert (home / "pyproject.toml").read_text("utf-8") == PYPROJECT
    assert [path.read_text("utf-8") for path in home.glob("set_aside*/*")] == [PYPROJECT + "# older\n"]


@pytest.mark.parametrize("name", ["thesis.txt", ".git/config"])
def test_a_folder_that_is_something_else_stays_as_it_is(stick, home, run, name):
    (home / name).parent.mkdir(parents=True)
    (home / name).write_text("years of work", "utf-8")
    status, said = run()
    assert status == 1
    assert "stays as it is. Give another folder" in said
    assert written(home) == {name: "years of work"}


def test_the_stick_itself_is_no_place_to_install_in(stick, run):
    assert "is on the stick itself" in run(stick / "here")[1]


def test_a_folder_moved_elsewhere_is_mended(stick, home, run, tmp_path):
    run()
    moved = tmp_path / "moved"
    home.rename(moved)
    status, said = run(moved)
    assert status == 0, said
    assert f"the kit in {moved} was asked for check" in said


# What may go wrong


def test_another_python_is_told_which_to_take(stick, run):
    def rename(contents):
        contents["systems"] = {name.replace(PYTHON, "3.99"): plan for name, plan in contents["systems"].items()}

    edit_contents(stick, rename)
    status, said = run()
    assert status == 1
    assert "the stick holds packages for Python 3.99" in said
    assert "3.99 " in said.split("type:")[1]


def test_another_system_is_told_how_to_fill_the_stick(fill, run, fill_stick):
    system = fill_stick.install.this_system()
    other = "macos" if system != "macos" else "linux"
    fill(system=other)
    status, said = run()
    assert status == 1
    assert f"the stick was filled for {other} {PYTHON}" in said
    assert f"--platform {system} --python {PYTHON}" in said


def test_a_missing_package_is_named_before_anything_is_done(stick, home, run):
    next((stick / "wheels").glob("tiny*")).unlink()
    status, said = run()
    assert status == 1
    assert "1 of 2 packages are missing" in said
    assert "tiny" in said
    assert not home.exists()


def test_a_damaged_package_is_named_and_a_whole_one_mends_it(stick, home, run, fill):
    wheel = next((stick / "wheels").glob("tiny*"))
    wheel.write_bytes(wheel.read_bytes()[:-20])
    status, said = run()
    assert status == 1
    assert f"the first is {wheel.name}" in said
    fill()
    assert run()[0] == 0


def test_a_damaged_file_of_the_kit_is_named(stick, home, run):
    (stick / "digitlab" / "model" / "digits.onnx").write_text("wei", "utf-8")
    status, said = run()
    assert status == 1
    assert "digits.onnx is damaged" in said
    assert not (home / "model" / "digits.onnx").exists()


def test_too_little_room_is_said_before_anything_is_done(stick, home, run):
    edit_contents(stick, lambda contents: [plan.update(room=10**18) for plan in contents["systems"].values()])
    status, said = run()
    assert status == 1
    assert "The disk is too full" in said
    assert not home.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="lets permissions count for root too, as Linux can")
def test_a_folder_that_may_not_be_written_to_is_said(stick, home, run):
    home.mkdir(parents=True)
    home.chmod(0o555)
    status, said = run(preexec_fn=obey_permissions)
    assert status == 1
    assert "You may not write there" in said


@pytest.mark.skipif(sys.platform == "win32", reason="ends a process as POSIX does")
def test_interrupted_half_way_it_goes_on_the_next_time(stick, home, run, tmp_path):
    log = home / ".venv" / "install.log"
    for end in (signal.SIGKILL, signal.SIGINT):
        log.unlink(missing_ok=True)
        process = subprocess.Popen(
            command(tmp_path, home), env=misleading(), stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        wait_until(log.exists)
        os.killpg(process.pid, end)
        said = process.communicate()[0]
    assert process.returncode == 130
    assert "Nothing of yours is lost" in said
    assert run()[0] == 0


def test_where_the_check_fails_the_next_run_installs_the_packages_afresh(stick, home, run):
    shutil.copytree(stick / "digitlab", home)
    (home / "broken").touch()
    status, said = run()
    assert status == 1
    assert "Do what its first FAIL says" in said
    (home / "broken").unlink()
    next((home / ".venv").glob("**/tiny.py")).unlink()
    assert run()[0] == 0
    assert list((home / ".venv").glob("**/tiny.py"))


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: ... [WinError 32] The process cannot access the file", "Close JupyterLab"),
        ("ERROR: No matching distribution found for tensorflow==2.21.0", "tensorflow does not run on this computer"),
        ("something new", "something new"),
    ],
)
def test_what_pip_says_becomes_what_to_do(install, output, advice, tmp_path):
    assert advice in str(install._explained(output, {"wheels": {}}, tmp_path))


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="this Python reads the name of the kit's folder as UTF-8")
def test_letters_that_python_would_misread_are_refused_in_the_folders_name(install, monkeypatch, tmp_path):
    monkeypatch.setattr(install.locale, "getpreferredencoding", lambda _: "cp1252")
    with pytest.raises(install.InstallError, match="Give a folder of plain letters"):
        install.check_target(tmp_path / "Jürgen")
    assert install.check_target(tmp_path / "Jurgen") == {}


def test_a_window_of_its_own_waits_to_be_read(install, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(install, "has_window_of_its_own", lambda: True)
    monkeypatch.setattr("builtins.input", asked.append)
    assert install.main([]) == 1  # Beside this file there is no stick.
    assert asked == ["\nPress Enter to close this window. "]


def test_no_prompt_waits_in_a_terminal(install):
    assert not install.has_window_of_its_own()
