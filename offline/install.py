"""Install digitlab from the folder that contains this file, such as a USB stick: ``python install.py [FOLDER]``.

`fill_stick.py` puts it there, with the kit, its packages, and `contents.json`, which lists them. It needs only Python,
and no network. It can be read by older Pythons too, so that it can refuse them with a sentence. After any error it can
be run again: it continues where it stopped, and never overwrites what its user made.
"""

import argparse
import contextlib
import ctypes
import errno
import hashlib
import json
import locale
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

STICK = Path(__file__).resolve().parent
CONTENTS = "contents.json"
RECORD = ".from_stick.json"
"""In the installed kit: the files that came from a stick, each with the hashes that it had there."""

DONE = "from_stick.json"
"""In the installed environment: what was installed. It exists only if the installation was completed."""

SYSTEMS = ("windows", "macos", "linux", "linux-arm")
"""The systems that a stick can be filled for."""

ON_WINDOWS = sys.platform == "win32"
START_FILE, START_TEXT = {
    "win32": ("Start digitlab.bat", '@echo off\r\ncd /d "%~dp0"\r\n.venv\\Scripts\\digitlab.exe lab %*\r\npause\r\n'),
    "darwin": ("Start digitlab.command", '#!/bin/sh\ncd "$(dirname "$0")" && exec .venv/bin/digitlab lab "$@"\n'),
}.get(sys.platform, ("start_digitlab.sh", '#!/bin/sh\ncd "$(dirname "$0")" && exec .venv/bin/digitlab lab "$@"\n'))

_AGAIN = "run install.py again: it continues where it stopped"
_FILL_AGAIN = "fill the stick again with offline/fill_stick.py"


class InstallError(Exception):
    """One or two sentences for the person in front of the screen: what is wrong, and what to do."""


def main(argv=None):
    """Install the kit and return the exit status: 0 installed, 1 failed, 130 stopped."""
    parser = argparse.ArgumentParser(description="Install digitlab from this folder. No internet is needed.")
    parser.add_argument("folder", nargs="?", default="~/digitlab", help="where to (default: digitlab, in your home)")
    arguments = parser.parse_args(argv)
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")
    try:
        status = install(Path(os.path.abspath(os.path.expanduser(arguments.folder))))
    except InstallError as error:
        print(f"\n{error}")
        status = 1
    except OSError as error:
        print(f"\n{sentence(error)}")
        status = 1
    except KeyboardInterrupt:
        print("\nStopped. None of your files are lost; to continue, run install.py again.")
        status = 130
    if has_own_window():
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            input("\nPress Enter to close this window. ")
    return status


def install(target):
    """Copy the kit to a folder, install the packages into its own environment, and check it; return the status."""
    start = time.time()
    contents, plan = read_contents()
    known = check_target(target)
    check_room(target, plan)
    print(f"Installing digitlab in {target}", flush=True)
    own = {**contents["kit"], START_FILE: hashlib.sha256(START_TEXT.encode()).hexdigest()}
    set_aside = copy_kit(own, known, target)
    if set_aside:
        print(f"Files of the kit that you had changed are kept in {set_aside}.", flush=True)
    make_environment(target, plan)
    (target / START_FILE).chmod(0o755)
    print("Checking that everything works. This takes a moment ...\n", flush=True)
    command = environment_file(target, "digitlab")
    if subprocess.call([str(command), "check"], cwd=str(target), env=clean_environment()):
        # A damaged package may be the cause, so the next run installs all packages again.
        (target / ".venv" / DONE).unlink()
        raise InstallError(
            f"digitlab is in {target}, but the check above found a problem. Do what its first FAIL says. If that "
            f"needs the internet, run install.py again: it installs all files and packages again."
            + (" If it is tensorflow, Windows may lack vc_redist.x64.exe of Microsoft." if ON_WINDOWS else "")
        )
    double_click = f'\n\nor double-click "{START_FILE}" in that folder.' if sys.platform in ("win32", "darwin") else ""
    print(
        f"\ndigitlab is installed in {target} ({time.time() - start:.0f} s). You may take the stick out.\n"
        f"Start it, now and every other time, with this command:\n\n    {typed(command)} lab{double_click}"
    )
    return 0


def typed(path):
    """Return a path as it is typed in a terminal: in quotes if there is a space in it."""
    return f'"{path}"' if " " in str(path) else str(path)


def read_contents():
    """Return what is on the stick, and the part of it for this computer: its packages."""
    version = "{}.{}".format(*sys.version_info[:2])
    try:
        contents = json.loads((STICK / CONTENTS).read_text("utf-8"))
    except (OSError, ValueError):
        contents = {}
    if not contents.get("finished"):
        raise InstallError(
            f"This stick is not filled: {STICK / CONTENTS} is missing, damaged or incomplete. If this is a copy of a "
            f"stick, copy the whole folder; otherwise {_FILL_AGAIN}."
        )
    systems = contents["systems"]
    plan = systems.get(f"{this_system()} {version}")
    if plan and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return contents, plan
    pythons = [name.split()[1] for name in systems if name.split()[0] == this_system()]
    if pythons:
        python = f"py -{pythons[-1]}" if ON_WINDOWS else f"python{pythons[-1]}"
        raise InstallError(
            f"This is Python {platform.python_version()}, but the stick has packages for Python "
            f"{' and '.join(pythons)}. Install that Python (from python.org) and type: {python} "
            f'"{STICK / "install.py"}"'
        )
    if this_system() not in SYSTEMS:
        raise InstallError(
            f"The kit does not run on this computer ({this_system()}). It needs 64-bit Windows or Linux, or a Mac with "
            f"Apple silicon. If this is 64-bit Windows with a 32-bit Python, install a 64-bit Python from python.org."
        )
    raise InstallError(
        f"This computer is {this_system()} with Python {version}, but the stick was filled for "
        f"{', '.join(systems)}. Fill it again, on a computer with internet, with: fill_stick.py FOLDER --platform "
        f"{this_system()} --python {version if (3, 11) <= sys.version_info[:2] <= (3, 13) else '3.12'}"
    )


def this_system():
    """Return this computer's system: one of SYSTEMS, or else its own name."""
    name = sysconfig.get_platform()
    if sys.platform == "darwin":
        return "macos" if platform.machine() == "arm64" else f"macos-{platform.machine()}"
    return {"win-amd64": "windows", "linux-x86_64": "linux", "linux-aarch64": "linux-arm"}.get(name, name)


def check_target(target):
    """Refuse a folder that is not a kit; return the hashes that the kit's files may have there."""
    if target == STICK or STICK in target.parents:
        raise InstallError(f"{target} is on the stick itself. Choose a folder on this computer: install.py FOLDER")
    encoding = locale.getpreferredencoding(False)
    is_plain = str(target).encode("utf-8", "replace").decode(encoding, "replace") == str(target)
    if not is_plain and sys.version_info < (3, 13):
        # Up to Python 3.12, the file that names an installed folder is read in the system's own encoding.
        raise InstallError(
            f"Python {platform.python_version()} would not find the kit in {target}, because of the letters in that "
            f"name. Choose a folder of plain letters: install.py {'C:' if ON_WINDOWS else '/tmp'}{os.sep}digitlab"
        )
    if not target.exists() and not target.is_symlink():
        return {}
    another = f"stays as it is. Choose another folder: install.py {typed(f'{target}-2')}"
    if not target.is_dir():
        raise InstallError(f"{target} is a file, and {another}")
    if (target / ".git").exists():
        raise InstallError(f"{target} is a git clone of the kit, and {another}")
    names = sorted({path.name for path in target.iterdir()} - {".DS_Store", "desktop.ini"})
    if RECORD in names:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((target / RECORD).read_text("utf-8"))
        return {}
    if not names or _is_kit(target):
        return {}
    raise InstallError(f"{target} is not empty ({', '.join(names[:3])}{' ...' if names[3:] else ''}), and {another}")


def _is_kit(folder):
    try:
        project = (folder / "pyproject.toml").read_text("utf-8")
    except (OSError, ValueError):
        return False
    return bool(re.search(r'^name = "digitlab"$', project, re.MULTILINE)) and (folder / "digitlab").is_dir()


def check_room(target, plan):
    """Refuse, before anything is changed, if packages are missing, the disk is too full, or the name is too long."""
    wheels = STICK / "wheels"
    missing = [name for name in plan["wheels"] if not (wheels / name).is_file()]
    if missing:
        raise InstallError(
            f"{len(missing)} of {len(plan['wheels'])} packages are missing in {wheels}, the first is {missing[0]}. "
            f"Copy the whole stick, or {_FILL_AGAIN}."
        )
    if ON_WINDOWS and len(str(target)) + len("/.venv/.uv/") + 20 + plan["longest"] > 259 and not _has_long_paths():
        raise InstallError(f"{target} is too long for Windows. Choose a shorter name: install.py C:\\digitlab")
    present = sum(path.lstat().st_size for path in (target / ".venv").glob("**/*"))
    nearest = next((folder for folder in (target, *target.parents) if folder.exists()), None)
    if nearest is None:
        raise InstallError(f"There is no drive {target.anchor} on this computer. Choose another: install.py FOLDER")
    room = shutil.disk_usage(str(nearest)).free
    if room + present < plan["room"]:
        raise InstallError(
            f"The disk is too full: the kit takes {gigabytes(plan['room'])} in {target}, and {gigabytes(room)} are "
            f"free. Make room, or choose a folder on another disk: install.py FOLDER"
        )


def _has_long_paths():
    import winreg

    with contextlib.suppress(OSError):
        key = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem")
        return winreg.QueryValueEx(key, "LongPathsEnabled")[0] == 1
    return False


def copy_kit(own, known, target):
    """Update the kit's files.

    Parameters
    ----------
    own : dict
        The kit's files on the stick, and the file that starts it: their paths, each with its hash.
    known : dict
        The files that came from a stick before: their paths, each with the hashes that it had.
    target : Path
        The installed kit.

    Returns
    -------
    Path or None
        The folder that now contains the files that the user had changed, if there were any.
    """
    target.mkdir(parents=True, exist_ok=True)
    either = {path: sorted({*known.get(path, []), digest}) for path, digest in own.items()}
    write(target / RECORD, json.dumps({**known, **either}, indent=0).encode())
    aside = target / time.strftime("set_aside_%Y-%m-%d_%H%M%S")
    for path, digest in own.items():
        here = target / path
        present = hash_of(here) if here.is_file() else None
        if present == digest:
            continue
        content = START_TEXT.encode() if path == START_FILE else (STICK / "digitlab" / path).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise InstallError(f"{STICK / 'digitlab' / path} is damaged. Copy the stick again, or {_FILL_AGAIN}.")
        if present not in (None, *known.get(path, [])):
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(str(here), str(aside / path))
        write(here, content)
    for path in known.keys() - own.keys():
        here = target / path
        if here.is_file() and hash_of(here) in known[path]:
            here.unlink()
    write(target / RECORD, json.dumps({path: [digest] for path, digest in own.items()}, indent=0).encode())
    return aside if aside.exists() else None


def make_environment(target, plan):
    """Make the kit's own environment in `.venv`, and install the packages of the stick into it."""
    folder = target / ".venv"
    done = folder / DONE
    wanted = {"folder": str(folder), "wheels": plan["wheels"]}
    present = {}
    with contextlib.suppress(OSError, ValueError):
        present = json.loads(done.read_text("utf-8"))
    if present.get("folder") != str(folder) or not _runs(environment_file(target, "python")):
        shutil.rmtree(str(folder), ignore_errors=True)
        if folder.exists():
            raise InstallError(
                f"{folder} cannot be replaced. Close JupyterLab and all windows of the kit, then {_AGAIN}."
            )
        folder.mkdir()
        _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], target, plan)
    elif present == wanted:
        print("Its packages are here already.", flush=True)
        return
    if done.exists():
        done.unlink()
    listed = folder / "packages.txt"
    lines = [
        "{}=={} --hash=sha256:{}".format(*name.split("-")[:2], digest)
        for name, digest in plan["wheels"].items()
        if not name.startswith("uv-")
    ]
    listed.write_text("\n".join(lines), "utf-8")
    print(f"Installing {len(lines)} packages from the stick. This takes a few minutes ...", flush=True)
    command = [_unpack_uv(folder, plan), "pip", "install", "--python", str(environment_file(target, "python"))]
    command += ["--offline", "--no-config", "--no-index", "--no-deps"]
    # uv would split other names of folders at commas and spaces, or take # for the beginning of a comment.
    packages = ["--find-links", ".", "--compile-bytecode", "--require-hashes", "--requirements", str(listed)]
    _run([*command, *packages], target, plan, cwd=STICK / "wheels")
    _run([*command, "--no-build-isolation", "--editable", "."], target, plan)
    shutil.rmtree(str(folder / ".uv"), ignore_errors=True)
    write(done, json.dumps(wanted, indent=0).encode())


def _unpack_uv(folder, plan):
    """Unpack the program uv from its wheel, and return its path. It installs the packages."""
    name = next(name for name in plan["wheels"] if name.startswith("uv-"))
    program = "uv.exe" if ON_WINDOWS else "uv"
    path = STICK / "wheels" / name
    if hash_of(path) != plan["wheels"][name]:
        raise explain("", plan, folder.parent)
    with zipfile.ZipFile(str(path)) as wheel:
        member = next(member for member in wheel.namelist() if member.endswith(f".data/scripts/{program}"))
        write(folder / ".uv" / program, wheel.read(member))
    (folder / ".uv" / program).chmod(0o755)
    return str(folder / ".uv" / program)


def _runs(python):
    """Return whether a Python runs, and is one for which the packages were chosen."""
    code = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    with contextlib.suppress(OSError):
        return subprocess.call([str(python), "-c", code], env=clean_environment()) == 0
    return False


def _run(command, target, plan, cwd=None):
    """Run a program that works in the environment; raise an InstallError that explains why it failed."""
    folder = target / ".venv"
    log = folder / "install.log"
    # The cache is beside the packages, on the same disk, so that uv can move files and need not copy them.
    environment = {**clean_environment(), "UV_CACHE_DIR": str(folder / ".uv")}
    with log.open("wb") as output:
        status = subprocess.call(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=str(cwd or target),
        )
    if status:
        raise explain(log.read_text("utf-8", "replace"), plan, target)


def explain(output, plan, target):
    """Return an InstallError that explains why uv or venv failed, from what it printed."""
    damaged = []
    for name, digest in plan["wheels"].items():
        try:
            is_whole = hash_of(STICK / "wheels" / name) == digest
        except OSError:
            is_whole = False
        if not is_whole:
            damaged.append(name)
    if damaged:
        return InstallError(
            f"On the stick {len(damaged)} of {len(plan['wheels'])} packages are damaged, the first is {damaged[0]}. "
            f"Put the stick in again or use another one, then {_AGAIN}."
        )
    if re.search(r"No space left|os error (28|112)\b|Errno 28\b|not enough space", output):
        return InstallError(sentence(OSError(errno.ENOSPC, "", str(target))))
    if re.search(r"os error (5|13|32)\b|WinError (5|32)\b|Permission denied|Access is denied", output):
        return InstallError(
            f"Something in {target} cannot be changed. Close JupyterLab and all windows of the kit, then {_AGAIN}. "
            f"If that does not help, choose another folder: install.py FOLDER"
        )
    unfit = re.search(r"(\S+?)==\S+ has no wheels with a matching", output)
    if unfit:
        return InstallError(
            f"{unfit[1]} does not run on this computer: its system ({platform.platform()}) is older than that package "
            f"needs. Update the system, or use another computer."
        )
    last = "\n    ".join(output.strip().splitlines()[-5:])
    return InstallError(
        f"The packages could not be installed. Run install.py again; if it fails again, show your teacher the last "
        f"messages:\n\n    {last}"
    )


def environment_file(target, name):
    """Return the path of a program in the kit's environment."""
    return target / ".venv" / ("Scripts" if ON_WINDOWS else "bin") / (f"{name}.exe" if ON_WINDOWS else name)


def clean_environment():
    """Return this process's environment without settings of pip, uv and Python, which could lead elsewhere."""
    settings = "PIP_|UV_|PYTHON|VIRTUAL_ENV"
    return {name: value for name, value in os.environ.items() if not re.match(settings, name.upper())}


def hash_of(path):
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()


def write(path, content):
    """Write a file completely, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".new-{path.name}")
    try:
        beside.write_bytes(content)
        os.replace(str(beside), str(path))
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def sentence(error):
    """Return an OSError as a sentence: what is wrong, and what to do."""
    place = error.filename or "the kit's folder"
    if STICK in (Path(place), *Path(place).parents) or error.errno == errno.EIO:
        return f"The stick cannot be read ({place}: {error.strerror}). Put it in again, then {_AGAIN}."
    if error.errno == errno.ENOSPC:
        return f"The disk is full ({place}). Make room, then {_AGAIN}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"You may not write there ({place}). Choose a folder of your own: install.py FOLDER"
    return f"{place}: {error.strerror or error}. Choose another folder: install.py FOLDER"


def gigabytes(size):
    """Return a number of bytes as a person reads it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def has_own_window():
    """Return whether this runs in a window that closes when it ends, as after a double click on Windows."""
    if not ON_WINDOWS or "PROMPT" in os.environ or not sys.stdin or not sys.stdin.isatty():
        return False
    # In a window of its own there are only Python and, if that started it, the Python launcher.
    return ctypes.windll.kernel32.GetConsoleProcessList((ctypes.c_uint * 8)(), 8) <= 2


if __name__ == "__main__":
    sys.exit(main())
