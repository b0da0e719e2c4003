"""Fill a folder, such as a USB stick, with everything that installs the kit on a computer without internet.

    uv run python offline/fill_stick.py FOLDER [--platform windows] [--platform macos] [--python 3.12]

Run it on a computer with internet. For each system and Python that you ask for, uv chooses the packages and pip
downloads them. `install.py`, the file beside this one, installs them from the folder.
"""

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from digitlab.paths import KIT, expand

HERE = Path(__file__).resolve().parent
_SPECIFICATION = importlib.util.spec_from_file_location("install_from_stick", HERE / "install.py")
install = importlib.util.module_from_spec(_SPECIFICATION)
_SPECIFICATION.loader.exec_module(install)

PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = {
    "windows": ("x86_64-pc-windows-msvc", ["win_amd64"]),
    "macos": ("aarch64-apple-darwin", ["macosx_13_0_arm64"]),
    "linux": (
        "x86_64-manylinux_2_28",
        [f"manylinux_2_{n}_x86_64" for n in range(28, 16, -1)] + ["manylinux2014_x86_64"],
    ),
    "linux-arm": (
        "aarch64-manylinux_2_28",
        [f"manylinux_2_{n}_aarch64" for n in range(28, 16, -1)] + ["manylinux2014_aarch64"],
    ),
}
"""The systems: each with uv's name for it, and the tags of the packages that pip may take for it."""

_THE_KITS = re.compile(
    r"""\.ci/run | \.gitignore | [A-Z]+\.md | CITATION\.cff | LICENSE(-CC-BY)? | pyproject\.toml | environment\.yml
    | (apt|constraints)\.txt | (benchmarks|digitlab|offline|tests|tools)/.+
    | classroom/(README\.md | try | [^/]+\.(py|yaml) | digitlab_classroom/.+)
    | model/(README\.md | misread\.png | (digit_recognition_model|mnist_only)\.(keras|onnx|json))
    | notebooks/(0[0-9]_[^/]+\.ipynb | (GLOSSARY|TEACHING)\.md | SHEET\.html | pictures/[^/]+\.png)""",
    re.VERBOSE,
)
"""The paths that belong to the kit, if git cannot list them. All others are its user's files, or files of tools."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description="Fill a folder with everything that installs the kit without internet.",
        epilog="Then, on each computer: python install.py. offline/USB.md explains more.",
    )
    parser.add_argument("folder", help="the stick, or an empty folder")
    parser.add_argument(
        "--platform", action="append", choices=SYSTEMS, help="a system to fill it for; may be repeated (default: this)"
    )
    parser.add_argument(
        "--python", action="append", choices=PYTHONS, help="a Python to fill it for; may be repeated (default: this)"
    )
    arguments = parser.parse_args(argv)
    platforms = list(dict.fromkeys(arguments.platform or [install.this_system()]))
    pythons = list(dict.fromkeys(arguments.python or ["{}.{}".format(*sys.version_info[:2])]))
    try:
        if platforms[0] not in SYSTEMS:
            raise ValueError(f"The kit has no packages for this system, {platforms[0]}: name another with --platform.")
        fill(Path(arguments.folder), KIT, [(system, python) for system in platforms for python in pythons])
    except (OSError, ValueError) as error:
        print(f"fill_stick: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The folder is not filled; run it again.", file=sys.stderr)
        return 130
    return 0


def fill(folder: Path, kit: Path, systems: Sequence[tuple[str, str]], fetch: Callable | None = None) -> None:
    """Fill a folder with the kit, the packages for each system, and the program that installs them.

    Parameters
    ----------
    folder : Path
        A folder that is empty, was filled before, or has no files with the names that are written.
    kit : Path
        The kit.
    systems : sequence of (str, str)
        The systems, each with a Python version.
    fetch : callable, optional
        Called with the kit, a system, a Python version and a folder; puts the packages' wheels into the folder. The
        default is `fetch_packages`.
    """
    fetch = fetch or fetch_packages
    files = files_of(kit)
    folder = Path(os.path.abspath(expand(folder)))
    if folder == kit or kit in folder.parents:
        raise ValueError(f"{folder} is inside the kit: choose a folder elsewhere, such as the stick.")
    before = _kit_files_before(folder)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"finished": False, "kit": before, "systems": {}}
    _write_contents(folder, contents)  # From now on the folder counts as this program's, and as unfinished.
    _write_wheels(folder, kit, systems, fetch, contents)

    print("Copying the kit ...", flush=True)
    contents["kit"] = {}
    for path in files:
        install.write(folder / "digitlab" / path, (kit / path).read_bytes())
        contents["kit"][path] = install.hash_of(folder / "digitlab" / path)
    for path in before.keys() - contents["kit"].keys():
        (folder / "digitlab" / path).unlink(missing_ok=True)
    install.write(folder / "install.py", (HERE / "install.py").read_bytes())
    room = max(plan["room"] for plan in contents["systems"].values())
    text = _read_me(" or ".join(dict.fromkeys(python for _, python in systems)), room)
    install.write(folder / "READ ME FIRST.txt", text.replace("\n", "\r\n").encode())
    contents["finished"] = True
    _write_contents(folder, contents)
    _report(folder, contents)


def _write_wheels(folder, kit, systems, fetch, contents):
    wheels, new = folder / "wheels", folder / "wheels.new"
    wheels.mkdir(exist_ok=True)
    shutil.rmtree(new, ignore_errors=True)
    kept = set()
    try:
        for system, python in systems:
            print(f"Fetching packages for {system}, Python {python} ...", flush=True)
            new.mkdir()
            fetch(kit, system, python, new)
            found = sorted(new.glob("[!.]*.whl"))  # macOS puts files named ._ beside them.
            kept |= {path.name for path in found}
            contents["systems"][f"{system} {python}"] = {
                "wheels": {path.name: install.hash_of(path) for path in found},
                **_measure(found),
            }
            for path in found:
                os.replace(path, wheels / path.name)
            shutil.rmtree(new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for path in wheels.glob("[!.]*.whl"):
        if path.name not in kept:
            path.unlink()


def _kit_files_before(folder):
    """Return the kit's files that this program put into a folder before; refuse a folder with other such names."""
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file: choose a folder.")
    try:
        # A stick goes through many hands: what its list names outside the folder is not the kit's.
        listed = dict(json.loads((folder / install.CONTENTS).read_text("utf-8"))["kit"])
        return {path: digest for path, digest in listed.items() if _THE_KITS.fullmatch(path) and ".." not in path}
    except (OSError, ValueError, KeyError, TypeError):
        names = ("digitlab", "wheels", "wheels.new", "install.py", "READ ME FIRST.txt", install.CONTENTS)
        present = [name for name in names if (folder / name).exists()]
    if present:
        raise ValueError(
            f"{folder} contains {' and '.join(present)} already, which this program did not put there: choose an "
            f"empty folder, or remove them."
        )
    return {}


def _write_contents(folder, contents):
    install.write(folder / install.CONTENTS, json.dumps(contents, indent=1).encode())


def files_of(kit: Path) -> list[str]:
    """Return the paths of the kit's files, with forward slashes: those that git lists, or else those that a kit has."""
    if (kit / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "-C", str(kit), "ls-files", "-z"], capture_output=True, text=True)
        if listed.returncode == 0 and listed.stdout:
            paths = listed.stdout.rstrip("\0").split("\0")
            missing = [path for path in paths if not (kit / path).is_file()]
            if missing:
                raise ValueError(f"{missing[0]} is missing in the kit. Restore it: git checkout -- {missing[0]}")
            return paths
    paths = []
    for root, folders, names in os.walk(kit):
        place = PurePosixPath(Path(root).relative_to(kit).as_posix())
        folders[:] = [name for name in folders if not re.match(r"\.(?!ci$)|__pycache__$|.*\.egg-info$", name)]
        paths += [path for name in names if _THE_KITS.fullmatch(path := str(place / name))]
    return sorted(paths)


def fetch_packages(kit: Path, system: str, python: str, folder: Path) -> None:
    """Download the packages that the kit needs on a system with a Python, as wheels.

    Parameters
    ----------
    kit : Path
        The kit, with its ``pyproject.toml``.
    system : str
        One of ``SYSTEMS``.
    python : str
        One of ``PYTHONS``.
    folder : Path
        Where to put the wheels.
    """
    platform, tags = SYSTEMS[system]
    # The kit itself is installed from source, and its build backend needs these; uv installs everything.
    build = tomllib.loads((kit / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    listed = folder / "packages.txt"
    choose = ["pip", "compile", "pyproject.toml", "-", "--python-platform", platform, "--python-version", python]
    choose += ["--generate-hashes", "--only-binary", ":all:", "--quiet", "--output-file", str(listed)]
    problem = f"uv cannot choose the packages for {system} and Python {python}"
    _run_uv(choose, kit, "\n".join([*build, "editables", "uv"]), problem)
    download = ["tool", "run", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]
    download += ["-r", str(listed), "--dest", str(folder), "--implementation", "cp", "--python-version", python]
    download += [f"--platform={tag}" for tag in tags]
    problem = (
        f"The packages for {system} and Python {python} cannot be fetched. Check the internet, and the space in "
        f"{folder.parent}. Run it again: what was fetched is not fetched again. pip says"
    )
    _run_uv(download, kit, "", problem)
    listed.unlink()


def _run_uv(arguments, folder, text, problem):
    program = os.environ.get("UV") or shutil.which("uv")
    if not program:
        raise ValueError("This program needs uv. Start it with: uv run python offline/fill_stick.py")
    command = [program, *arguments]
    done = subprocess.run(command, cwd=folder, input=text, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise ValueError(f"{problem}:\n" + "\n".join([line for line in lines if "ERROR" in line] or lines[-5:]))


def _measure(wheels):
    """Return the size of installed packages, in bytes, and the length of their longest path within ``.venv``."""
    room = longest = 0
    for wheel in wheels:
        for file in zipfile.ZipFile(wheel).infolist():
            path = file.filename.partition(".data/data/")[2] or f"Lib/site-packages/{file.filename}"
            room += file.file_size
            if path.endswith(".py"):
                # Python keeps a compiled copy of it.
                room += file.file_size
                path = f"{os.path.dirname(path)}/__pycache__/{os.path.basename(path)[:-3]}.cpython-313.pyc"
            longest = max(longest, len(path))
    return {"room": room + 100_000_000, "longest": longest}


def _read_me(pythons, room):
    return f"""\
With this stick you install digitlab on your computer: draw digits, and train a network that reads them.
It takes no internet, a few minutes, {install.gigabytes(room)} of disk, and Python {pythons} (64 bit) on your computer.
WINDOWS: open the stick in the Explorer and double-click install.py.
MAC and LINUX: open a terminal, type python3 and a space, drag install.py from the stick into it, and press Enter.
It makes the folder digitlab in your own folder. Leave the stick in until it says that digitlab is installed.
Then it says how to start: on Windows and Mac with a double click on "Start digitlab" in that folder.
Something went wrong? It says what to do. Then run install.py again: it continues where it stopped.
A newer stick is used in the same way: your own notebooks, networks and drawings stay as they are.
To install in another folder, type it after the name: python install.py FOLDER
To remove it, delete the folder digitlab. Nothing else was changed.
"""


def _report(folder, contents):
    names = {name for plan in contents["systems"].values() for name in plan["wheels"]}
    wheels = sum((folder / "wheels" / name).stat().st_size for name in names)
    kit = sum((folder / "digitlab" / path).stat().st_size for path in contents["kit"])
    print(f"\n{folder} is filled:")
    print(f"  digitlab/   the kit: {len(contents['kit'])} files, {install.gigabytes(kit)}")
    print(f"  wheels/     {len(names)} packages, {install.gigabytes(wheels)}, for {', '.join(contents['systems'])}")
    print("  install.py  installs it: python install.py")
    print("  READ ME FIRST.txt")
    rooms = "; ".join(f"{name} {install.gigabytes(plan['room'])}" for name, plan in contents["systems"].items())
    print(f"Installed it takes at most: {rooms}")


if __name__ == "__main__":
    sys.exit(main())
