"""Fill a folder, such as a USB stick, with all that installs the kit on a computer without internet.

    uv run python classroom/fill_stick.py FOLDER [--platform windows] [--platform macos] [--python 3.12]

Run it where there is internet. uv says which packages the kit needs, in the versions that are tested here; pip fetches
them for the systems asked for; `install.py`, which lies beside this file, installs from there.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

from digitlab.paths import KIT

HERE = Path(__file__).resolve().parent
_SPECIFICATION = importlib.util.spec_from_file_location("install_from_stick", HERE / "install.py")
install = importlib.util.module_from_spec(_SPECIFICATION)
_SPECIFICATION.loader.exec_module(install)

PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = {
    "windows": (["win_amd64"], {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"}, "AMD64"),
    "macos": (["macosx_13_0_arm64"], {"sys_platform": "darwin", "platform_system": "Darwin"}, "arm64"),
    "linux": ([f"manylinux_2_{n}_x86_64" for n in range(28, 16, -1)] + ["manylinux2014_x86_64"], {}, "x86_64"),
    "linux-arm": ([f"manylinux_2_{n}_aarch64" for n in range(28, 16, -1)] + ["manylinux2014_aarch64"], {}, "aarch64"),
}
"""The systems: the tags of the packages that run there, what its Python says of itself, and its processor."""

_NOT_THE_KITS = re.compile(
    r"""(^|/) (?: \.(?!ci/|gitignore) | __pycache__/ | [^/]*\.egg-info/ | [^/]*\.pyc$ )
    | ^(?: (?:my_notebooks|set_aside)[^/]*/ | (?:drawings|class|classroom/state|classroom/proxy|dist|artefacts)/
         | model/my_network | uv\.lock$ | [^/]*\.jsonl(?:\.gz)?$ | Start[ ]digitlab\. | start_digitlab\. )""",
    re.VERBOSE,
)
"""Where git does not say what is the kit's: what its user made, and what tools left."""


def main(argv=None):
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description="Fill a folder with all that installs the kit where there is no internet.",
        epilog="Then, on each computer: python install.py. classroom/USB.md tells more.",
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
            raise ValueError(f"The kit has no packages for this system, {platforms[0]}. Name another one: --platform")
        print("Asking which packages the kit needs ...", flush=True)
        packages = packages_of(KIT)
        fill(Path(arguments.folder), KIT, packages, [(system, python) for system in platforms for python in pythons])
    except (OSError, ValueError) as error:
        print(f"fill_stick: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The folder is not filled; run it again.", file=sys.stderr)
        return 130
    return 0


def packages_of(kit):
    """Return what the kit needs: lines of pip's requirements, pinned and with hashes; and names of tools.

    Parameters
    ----------
    kit : Path
        The kit, with a `pyproject.toml`.

    Returns
    -------
    (list of str, set of str)
        The packages, for all systems, each with its marker; and the names of those that need not be installed.
    """
    lesson = _uv(["export", "--no-default-groups", "--no-emit-project", "--no-header", "--no-annotate"], kit)
    # The kit is installed in place, from source: pip builds it, with these.
    build = tomllib.loads((kit / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    to_build = ["pip", "compile", "-", "--universal", "--python-version", PYTHONS[0], "--generate-hashes"]
    tools = _uv([*to_build, "--no-header", "--no-annotate"], kit, "\n".join([*build, "editables", "pip"]))
    first, second = _entries(lesson), _entries(tools)
    names = {_name(entry) for entry in first} | {"pip"}
    return list(dict.fromkeys(first + second)), {_name(entry) for entry in second} - names


def _entries(text):
    """Return the entries of a file of requirements, each on one line."""
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [line.strip() for line in lines if re.match(r"[A-Za-z]", line)]


def _name(entry):
    return re.match(r"[\w.-]+", entry)[0].lower()


def for_system(entries, system, python):
    """Return those entries that are needed on a system with a Python, without their markers."""
    _, environment, machine = SYSTEMS[system]
    environment = {
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        **environment,
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    needed = []
    for entry in entries:
        requirement, *hashes = re.split(r" (?=--hash)", entry)
        requirement = Requirement(requirement.strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            requirement.marker = None
            needed.append(" ".join([str(requirement), *hashes]))
    return needed


def fill(folder, kit, packages, systems, fetch=None):
    """Fill a folder with the kit, the packages for each system and what installs them.

    Parameters
    ----------
    folder : Path
        A folder that is empty, was filled before, or holds nothing by these names.
    kit : Path
        The kit.
    packages : (list of str, set of str)
        As from `packages_of`.
    systems : list of (str, str)
        The systems and the Pythons.
    fetch : callable, optional
        Takes entries, a system, a Python and a folder, and puts the wheels there; `fetch_with_pip` is the default.
    """
    fetch = fetch or fetch_with_pip
    entries, only_to_build = packages
    files = files_of(kit)
    folder = folder.expanduser().absolute()
    if folder == kit or kit in folder.parents:
        raise ValueError(f"{folder} is inside the kit. Choose a folder elsewhere, such as the stick.")
    before = _contents_before(folder)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"finished": False, "kit": before, "systems": {}}
    _write_contents(folder, contents)  # From here on the folder is known as ours, and as unfinished.

    wheels, new = folder / "wheels", folder / "wheels.new"
    wheels.mkdir(exist_ok=True)
    shutil.rmtree(new, ignore_errors=True)
    kept = set()
    try:
        for system, python in systems:
            print(f"Fetching packages for {system}, Python {python} ...", flush=True)
            fetch(for_system(entries, system, python), system, python, new)
            found = sorted(new.glob("*.whl"))
            kept |= {path.name for path in found}
            installed = [path for path in found if _name_of_wheel(path) not in only_to_build]
            contents["systems"][f"{system} {python}"] = {
                "wheels": {path.name: install.hash_of(path) for path in installed},
                **_measured(installed),
            }
            for path in found:
                os.replace(path, wheels / path.name)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for path in wheels.glob("*.whl"):
        if path.name not in kept:
            path.unlink()

    print("Copying the kit ...", flush=True)
    contents["kit"] = {}
    for path in files:
        content = (kit / path).read_bytes()
        install.write(folder / "digitlab" / path, content)
        contents["kit"][path] = install.hash_of(folder / "digitlab" / path)
    for path in before.keys() - contents["kit"].keys():
        (folder / "digitlab" / path).unlink(missing_ok=True)
    install.write(folder / "install.py", (HERE / "install.py").read_bytes())
    text = _read_me([python for _, python in systems], max(plan["room"] for plan in contents["systems"].values()))
    install.write(folder / "READ ME FIRST.txt", text.replace("\n", "\r\n").encode())
    contents["finished"] = True
    _write_contents(folder, contents)
    _report(folder, contents, len(kept))


def _contents_before(folder):
    """Return the files of the kit that this program put into a folder before; refuse one that is another's."""
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file. Choose a folder.")
    try:
        return json.loads((folder / install.CONTENTS).read_text("utf-8"))["kit"]
    except (OSError, ValueError, KeyError, TypeError):
        names = ("digitlab", "wheels", "wheels.new", "install.py", "READ ME FIRST.txt", install.CONTENTS)
        there = [name for name in names if (folder / name).exists()]
    if there:
        raise ValueError(
            f"In {folder} there is {' and '.join(there)} already, which this program did not put there. Choose an "
            f"empty folder, or remove them."
        )
    return {}


def _write_contents(folder, contents):
    install.write(folder / install.CONTENTS, json.dumps(contents, indent=1).encode())


def files_of(kit):
    """Return the paths of the kit's files, with forward slashes: those that git lists, or else all but its user's."""
    if (kit / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "-C", str(kit), "ls-files", "-z"], capture_output=True, text=True)
        if listed.returncode == 0 and listed.stdout:
            paths = listed.stdout.rstrip("\0").split("\0")
            missing = [path for path in paths if not (kit / path).is_file()]
            if missing:
                raise ValueError(f"The kit lacks {missing[0]}. Bring it back with: git checkout -- {missing[0]}")
            return paths
    paths = []
    for root, folders, names in os.walk(kit):
        place = PurePosixPath(Path(root).relative_to(kit).as_posix())
        folders[:] = [name for name in folders if not _NOT_THE_KITS.search(f"{place / name}/")]
        paths += [str(place / name) for name in names if not _NOT_THE_KITS.search(str(place / name))]
    return sorted(paths)


def fetch_with_pip(entries, system, python, folder):
    """Download packages into a folder."""
    tags, *_ = SYSTEMS[system]
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "packages.txt"
    listed.write_text("\n".join(entries), "utf-8")
    command = [_uv_program(), "tool", "run", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["-r", str(listed), "--dest", str(folder), "--implementation", "cp", "--python-version", python]
    command += [f"--platform={tag}" for tag in tags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    said, count = [], 0
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith("Collecting ") and sys.stdout.isatty():
                count += 1
                print(f"\r  {count} of {len(entries)} ", end="", flush=True)
    finally:
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
    if sys.stdout.isatty():
        print("\r", end="")
    listed.unlink()
    if process.wait():
        errors = [line for line in said if line.startswith("ERROR")] or said[-3:]
        raise ValueError(
            f"The packages for {system} and Python {python} could not be fetched. Is there internet, and room in "
            f"{folder.parent}? Run it again: what was fetched is not fetched again. pip says:\n{''.join(errors)}"
        )


def _uv_program():
    program = os.environ.get("UV") or shutil.which("uv")
    if not program:
        raise ValueError("This needs uv. Start it with: uv run python classroom/fill_stick.py")
    return program


def _uv(arguments, kit, given=""):
    done = subprocess.run(
        [_uv_program(), *arguments, "--quiet"], cwd=kit, input=given, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise ValueError(f"uv could not tell which packages the kit needs: {done.stderr.strip()}")
    return done.stdout


def _name_of_wheel(path):
    return path.name.split("-")[0].lower().replace("_", "-")


def _measured(wheels):
    """Return what packages take once installed: the room in bytes, and their longest path within `.venv`."""
    room = longest = 0
    for wheel in wheels:
        for file in zipfile.ZipFile(wheel).infolist():
            path = file.filename.partition(".data/data/")[2] or f"Lib/site-packages/{file.filename}"
            room += file.file_size
            if path.endswith(".py"):
                # Python's own, faster form of it stands beside it.
                room += file.file_size
                path = f"{os.path.dirname(path)}/__pycache__/{os.path.basename(path)[:-3]}.cpython-313.pyc"
            longest = max(longest, len(path))
    return {"room": room + 100_000_000, "longest": longest}


def _read_me(pythons, room):
    pythons = " or ".join(dict.fromkeys(pythons))
    return f"""\
With this stick you install digitlab on your computer: draw digits, and train a network that reads them.
It takes no internet, a few minutes, {install.gigabytes(room)} of disk, and Python {pythons} (64 bit) on your computer.
WINDOWS: open the stick in the Explorer and double-click install.py.
MAC and LINUX: open a terminal, type python3 and a space, drag install.py from the stick into it, and press Enter.
It makes the folder digitlab in your own folder. Leave the stick in until it says that digitlab is installed.
Then it says how to start: on Windows and Mac with a double click on "Start digitlab" in that folder.
Something went wrong? It says what to do. Then run install.py again: it goes on where it stopped.
A newer stick is used in the same way: your own notebooks, networks and drawings stay as they are.
To install elsewhere, type the folder behind it: python install.py FOLDER
To be rid of it, delete the folder digitlab. Nothing else was changed.
"""


def _report(folder, contents, count):
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    wheels = sum(size for path, size in sizes.items() if path.suffix == ".whl")
    kit = sum((folder / "digitlab" / path).stat().st_size for path in contents["kit"])
    print(f"\n{folder} is filled:")
    print(f"  digitlab/   the kit: {len(contents['kit'])} files, {install.gigabytes(kit)}")
    print(f"  wheels/     {count} packages, {install.gigabytes(wheels)}, for {', '.join(contents['systems'])}")
    print("  install.py  installs it: python install.py")
    print("  READ ME FIRST.txt")
    rooms = "; ".join(f"{name} {install.gigabytes(plan['room'])}" for name, plan in contents["systems"].items())
    print(f"Installed it takes at most: {rooms}")


if __name__ == "__main__":
    sys.exit(main())
