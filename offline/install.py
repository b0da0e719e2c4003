"""Install digitlab from the folder that this file lies in, such as a USB stick: ``python install.py [FOLDER]``.

`fill_stick.py` puts it there, beside the kit, its packages and `contents.json`, which says what is there. It stands on
Python alone, is readable for older Pythons, which it must be able to refuse, and asks no network for anything. Whatever
goes wrong, it can be run again: it goes on where it was, and what its user made is never overwritten.
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
"""In the installed environment: what was installed. It is there only where the installation came to its end."""

ON_WINDOWS = sys.platform == "win32"
START_FILE, START_TEXT = {
    "win32": ("Start digitlab.bat", '@echo off\r\ncd /d "%~dp0"\r\n.venv\\Scripts\\digitlab.exe lab %*\r\npause\r\n'),
    "darwin": ("Start digitlab.command", '#!/bin/sh\ncd "$(dirname "$0")" && exec .venv/bin/digitlab lab "$@"\n'),
}.get(sys.platform, ("start_digitlab.sh", '#!/bin/sh\ncd "$(dirname "$0")" && exec .venv/bin/digitlab lab "$@"\n'))

_AGAIN = "run install.py again: it goes on where it stopped"


class InstallError(Exception):
    """One or two sentences for the person in front of the screen: what is wrong, and what to do."""


def main(argv=None):
    """Install the kit and return the exit status: 0 installed, 1 not, 130 stopped."""
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
        print("\nStopped. Nothing of yours is lost; to go on, run install.py again.")
        status = 130
    if has_window_of_its_own():
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            input("\nPress Enter to close this window. ")
    return status


def install(target):
    """Copy the kit to a folder, give it a Python of its own with the packages, and check it; return the status."""
    start = time.time()
    contents, plan = read_contents()
    own = contents["kit"]
    known = check_target(target)
    check_room(target, plan)
    print(f"Installing digitlab in {target}", flush=True)
    set_aside = copy_kit(own, known, target)
    if set_aside:
        print(f"Files of the kit that you had changed are kept in {set_aside}.", flush=True)
    make_environment(target, plan)
    start_file = target / START_FILE
    write(start_file, START_TEXT.encode())
    start_file.chmod(0o755)
    print("Checking that everything works, which takes a moment ...\n", flush=True)
    command = environment_file(target, "digitlab")
    if subprocess.call([str(command), "check"], cwd=str(target), env=clean_environment()):
        # A damaged package may be the cause, so the next run installs them afresh.
        (target / ".venv" / DONE).unlink()
        raise InstallError(
            f"digitlab is in {target}, but the check above found something wrong. Do what its first FAIL says, or if "
            f"that needs the internet, run install.py again: it puts the kit's files and packages there afresh."
            + (" If it is tensorflow, Windows may lack vc_redist.x64.exe of Microsoft's." if ON_WINDOWS else "")
        )
    shown = f'"{command}"' if " " in str(command) else command
    double_click = f'\n\nor double-click "{START_FILE}" in that folder.' if sys.platform in ("win32", "darwin") else ""
    print(
        f"\ndigitlab is installed in {target} ({time.time() - start:.0f} s). You may take the stick out.\n"
        f"Start it, now and every other time, with this command:\n\n    {shown} lab{double_click}"
    )
    return 0


def read_contents():
    """Return what is on the stick, and the part of it for this computer: its packages."""
    version = "{}.{}".format(*sys.version_info[:2])
    try:
        contents = json.loads((STICK / CONTENTS).read_text("utf-8"))
    except (OSError, ValueError):
        contents = {}
    if not contents.get("finished"):
        raise InstallError(
            f"This stick is not filled: {STICK / CONTENTS} is missing, damaged or says so. If this is a copy of the "
            f"stick, copy the whole folder; otherwise fill the stick again with classroom/fill_stick.py."
        )
    systems = contents["systems"]
    plan = systems.get(f"{this_system()} {version}")
    if plan and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return contents, plan
    pythons = [name.split()[1] for name in systems if name.split()[0] == this_system()]
    if pythons:
        python = f"py -{pythons[-1]}" if ON_WINDOWS else f"python{pythons[-1]}"
        raise InstallError(
            f"This is Python {platform.python_version()}, and the stick holds packages for Python "
            f"{' and '.join(pythons)}. With that Python installed (python.org has it), type: {python} "
            f'"{STICK / "install.py"}"'
        )
    raise InstallError(
        f"This computer is {this_system()} with Python {version}, and the stick was filled for "
        f"{', '.join(systems)}. Fill it again, on a machine with internet, with: fill_stick.py FOLDER --platform "
        f"{this_system()} --python {version if (3, 11) <= sys.version_info[:2] <= (3, 13) else '3.12'}"
    )


def this_system():
    """Return the name of this computer's system, as `fill_stick.py` calls it, or what the system calls itself."""
    name = sysconfig.get_platform()
    if sys.platform == "darwin":
        return "macos" if platform.machine() == "arm64" else f"macos-{platform.machine()}"
    return {"win-amd64": "windows", "linux-x86_64": "linux", "linux-aarch64": "linux-arm"}.get(name, name)


def check_target(target):
    """Refuse a folder that is something else than a kit; return the hashes that the kit's files may have there."""
    if target == STICK or STICK in target.parents:
        raise InstallError(f"{target} is on the stick itself. Give a folder of this computer: install.py FOLDER")
    is_plain = str(target).encode("utf-8", "replace").decode(locale.getpreferredencoding(False), "replace") == str(
        target
    )
    if not is_plain and sys.version_info < (3, 13):
        # Python reads the file that names an installed folder in the system's own encoding, up to here.
        raise InstallError(
            f"Python {platform.python_version()} would not find the kit in {target}, because of the letters in that "
            f"name. Give a folder of plain letters: install.py {'C:' if ON_WINDOWS else '/tmp'}{os.sep}digitlab"
        )
    if not target.exists() and not target.is_symlink():
        return {}
    another = f"Give another folder: install.py {target}-2"
    if not target.is_dir():
        raise InstallError(f"{target} is a file, and stays as it is. {another}")
    if (target / ".git").exists():
        raise InstallError(f"{target} is a clone of the kit that git looks after, and stays as it is. {another}")
    names = sorted({path.name for path in target.iterdir()} - {".DS_Store", "desktop.ini"})
    if RECORD in names:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((target / RECORD).read_text("utf-8"))
        return {}
    if not names or _is_kit(target):
        return {}
    raise InstallError(
        f"{target} holds something else than the kit ({', '.join(names[:3])}{' ...' if names[3:] else ''}), and stays "
        f"as it is. {another}"
    )


def _is_kit(folder):
    try:
        project = (folder / "pyproject.toml").read_text("utf-8")
    except (OSError, ValueError):
        return False
    return bool(re.search(r'^name = "digitlab"$', project, re.MULTILINE)) and (folder / "digitlab").is_dir()


def check_room(target, plan):
    """Refuse, before anything is done, where the disk is too full or the folder's name too long."""
    wheels = STICK / "wheels"
    missing = [name for name in plan["wheels"] if not (wheels / name).is_file()]
    if missing:
        raise InstallError(
            f"{len(missing)} of {len(plan['wheels'])} packages are missing in {wheels}, the first is {missing[0]}. "
            f"Copy the whole stick, or fill it again with classroom/fill_stick.py."
        )
    if ON_WINDOWS and len(str(target)) + len("/.venv/") + plan["longest"] > 259 and not _has_long_paths():
        raise InstallError(f"{target} is too long a name for Windows. Give a shorter folder: install.py C:\\digitlab")
    present = sum(path.lstat().st_size for path in (target / ".venv").glob("**/*"))
    nearest = next(folder for folder in (target, *target.parents) if folder.exists())
    room = shutil.disk_usage(str(nearest)).free
    if room + present < plan["room"]:
        raise InstallError(
            f"The disk is too full: the kit takes {gigabytes(plan['room'])} in {target}, and {gigabytes(room)} are "
            f"free. Make room, or give a folder on another disk: install.py FOLDER"
        )


def _has_long_paths():
    import winreg

    with contextlib.suppress(OSError):
        place = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem")
        return winreg.QueryValueEx(place, "LongPathsEnabled")[0] == 1
    return False


def copy_kit(own, known, target):
    """Bring the kit's files up to date.

    Parameters
    ----------
    own : dict
        The kit's files on the stick: their paths, each with its hash.
    known : dict
        The files that came from a stick before: their paths, each with the hashes that it had.
    target : Path
        The installed kit.

    Returns
    -------
    Path or None
        The folder that now holds those files that the user had changed, if there were any.
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
        content = (STICK / "digitlab" / path).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise InstallError(
                f"{STICK / 'digitlab' / path} is damaged. Copy the stick again, or fill it again with "
                f"classroom/fill_stick.py."
            )
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
    """Give the kit a Python of its own in `.venv`, with the packages of the stick."""
    folder = target / ".venv"
    python = environment_file(target, "python")
    done = folder / DONE
    wanted = {"folder": str(folder), "wheels": plan["wheels"]}
    present = {}
    with contextlib.suppress(OSError, ValueError):
        present = json.loads(done.read_text("utf-8"))
    if present.get("folder") != str(folder) or not _runs(python):
        shutil.rmtree(str(folder), ignore_errors=True)
        if folder.exists():
            raise InstallError(
                f"{folder} cannot be replaced. Close JupyterLab and every window of the kit, then {_AGAIN}."
            )
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(folder)],
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if made.returncode:
            raise _explained(made.stdout, plan, target)
        present = {}
    elif present == wanted:
        print("Its packages are here already.", flush=True)
        return
    if done.exists():
        done.unlink()
    wheels = STICK / "wheels"
    listed = folder / "packages.txt"
    pip, others = [], []
    for name in plan["wheels"]:
        (pip if name.startswith("pip-") else others).append(name)
    if not present:
        # A wheel is installed by unpacking it: so pip comes here also where Python lacks its own, as on Debian.
        with zipfile.ZipFile(str(wheels / pip[0])) as wheel:
            wheel.extractall(str(_site_packages(folder)))
    lines = ["{}=={} --hash=sha256:{}".format(*name.split("-")[:2], plan["wheels"][name]) for name in others]
    listed.write_text("\n".join(lines), "utf-8")
    print(f"Installing {len(lines)} packages from the stick, which takes a few minutes ...", flush=True)
    offline = ["install", "--no-index", "--find-links", str(wheels), "--no-deps"]
    _pip([*offline, "--require-hashes", "-r", str(listed)], target, plan)
    _pip([*offline, "-e", str(target)], target, plan)
    write(done, json.dumps(wanted, indent=0).encode())


def _site_packages(folder):
    return next(folder.glob("Lib/site-packages" if ON_WINDOWS else "lib/python*/site-packages"))


def _runs(python):
    with contextlib.suppress(OSError):
        return subprocess.call([str(python), "-c", ""], env=clean_environment()) == 0
    return False


def _pip(arguments, target, plan):
    folder = target / ".venv"
    log = folder / "install.log"
    python = environment_file(target, "python")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), "-I", "-m", "pip", *arguments],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=str(target),
        )
        try:
            while process.poll() is None:
                time.sleep(0.3)
                if sys.stdout.isatty():
                    count = sum(1 for _ in _site_packages(folder).glob("*.dist-info"))
                    print(f"\r  {count} of {len(plan['wheels']) + 1} ", end="", flush=True)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if sys.stdout.isatty():
        print("\r", end="")
    if process.returncode:
        raise _explained(log.read_text("utf-8", "replace"), plan, target)


def _explained(output, plan, target):
    """Return a InstallError that says why pip or venv failed, from what it wrote."""
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
            f"On the stick {len(damaged)} of {len(plan['wheels'])} packages cannot be read as they were written, the "
            f"first is {damaged[0]}. Put the stick in again or take another one, then {_AGAIN}."
        )
    if re.search(r"No space left|Errno 28\b|not enough space|WinError 112\b", output):
        return InstallError(sentence(OSError(errno.ENOSPC, "", str(target))))
    if re.search(r"WinError (5|32)\b|Permission denied|Access is denied", output):
        return InstallError(
            f"Something in {target} may not be changed. Close JupyterLab and every window of the kit, then {_AGAIN}; "
            f"if that does not help, give another folder: install.py FOLDER"
        )
    unfit = re.search(r"No matching distribution found for (\S+?)==|(\S+\.whl) is not a supported wheel", output)
    if unfit:
        return InstallError(
            f"{unfit[1] or unfit[2]} does not run on this computer: its system ({platform.platform()}) is older than "
            f"that package needs. Bring the system up to date, or take another computer."
        )
    last = "\n    ".join(output.strip().splitlines()[-5:])
    return InstallError(
        f"The packages could not be installed. Run install.py again; if it says this again, show your teacher what "
        f"was said last:\n\n    {last}"
    )


def environment_file(target, name):
    """Return the path of a program of the kit's own Python."""
    return target / ".venv" / ("Scripts" if ON_WINDOWS else "bin") / (f"{name}.exe" if ON_WINDOWS else name)


def clean_environment():
    """Return this process's environment without settings of pip's and Python's: they could lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not re.match("PIP_|PYTHON|VIRTUAL_ENV", name.upper())}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}


def hash_of(path):
    """Return the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()


def write(path, content):
    """Write a file, all of it or nothing."""
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
    place = error.filename or "where the kit is to go"
    if str(error.filename or "").startswith(str(STICK)) or error.errno == errno.EIO:
        return f"The stick cannot be read ({place}: {error.strerror}). Put it in again, then {_AGAIN}."
    if error.errno == errno.ENOSPC:
        return f"The disk is full ({place}). Make room, then {_AGAIN}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"You may not write there ({place}). Give a folder of your own: install.py FOLDER"
    return f"{place}: {error.strerror or error}. Give another folder: install.py FOLDER"


def gigabytes(size):
    """Return a number of bytes as a person reads it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"


def has_window_of_its_own():
    """Tell whether this runs in a window that closes when it ends, as after a double click on Windows."""
    if not ON_WINDOWS or "PROMPT" in os.environ or not sys.stdin or not sys.stdin.isatty():
        return False
    # In a window of its own there are Python and, where that started it, the Python launcher.
    return ctypes.windll.kernel32.GetConsoleProcessList((ctypes.c_uint * 8)(), 8) <= 2


if __name__ == "__main__":
    sys.exit(main())
