"""A JupyterHub for one machine: thirty seats, each with JupyterLab and a copy of the notebooks. See README.md.

How the seats run depends on who starts the hub:

- root on a machine with systemd: each seat has its own account, and systemd limits its memory and CPU;
- root without systemd: each seat has its own account, without limits;
- with DIGITLAB_TRY=1, as `classroom/try` sets it: all seats run under the account that starts the hub. Use this only to
  try the hub on your own machine, because every seat can then read the others' files.

Environment variables: DIGITLAB_CLASSROOM, the folder for the hub's files (default: ``state`` beside this file);
DIGITLAB_SEATS, the number of seats (30); DIGITLAB_TEACHER, the teacher's name (teacher); DIGITLAB_PORT (8000);
DIGITLAB_TLS_KEY and DIGITLAB_TLS_CERTIFICATE, two files, for https.
"""

import compileall
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

c = get_config()  # noqa: F821


def number_from(variable, default):
    """Return the number that an environment variable holds."""
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal():
        sys.exit(f"{variable} must be a number, such as {default}, not {value!r}.")
    return int(value)


HERE = Path(__file__).resolve().parent
STATE = Path(os.environ.get("DIGITLAB_CLASSROOM") or HERE / "state").absolute()
SECRETS = STATE / "hub"  # Only the hub may read it.
HOMES = STATE / "homes"  # Only with DIGITLAB_TRY=1: accounts have their own homes.
CLASS = STATE / "class"  # The submissions: each seat writes to its own folder in it, and reads all.
PSEUDONYMS = SECRETS / "pseudonyms.json"

TEACHER = (os.environ.get("DIGITLAB_TEACHER") or "teacher").lower()  # As JupyterHub treats all names.
SEATS = [f"seat{number:02d}" for number in range(1, number_from("DIGITLAB_SEATS", 30) + 1)]
IS_TRIAL = os.environ.get("DIGITLAB_TRY") == "1"
HAS_SYSTEMD = Path("/run/systemd/system").exists()
SEAT_COMMENT = "seat of digitlab"  # Marks the accounts that this hub has made.

if not IS_TRIAL and os.geteuid() != 0:
    sys.exit("Only root can start a hub that separates its seats. To try the hub under your own account: classroom/try")
for path in () if IS_TRIAL else (HERE, Path(sys.prefix), Path(sys.base_prefix), STATE):
    closed = [folder for folder in path.parents if folder.exists() and not folder.stat().st_mode & 0o001]
    if closed:
        sys.exit(
            f"The accounts of the seats may not enter {closed[0]}. Install the kit and its Python where all accounts "
            f"may read them, such as /opt, and let DIGITLAB_CLASSROOM be such a folder too (see classroom/README.md)."
        )
if not IS_TRIAL:
    # The seats may not write here: each would compile the kit's code anew whenever it starts.
    for folder in (HERE.parent / "digitlab", HERE / "digitlab_classroom"):
        compileall.compile_dir(folder, quiet=2)
for folder, mode in (STATE, 0o755), (SECRETS, 0o700), (CLASS, 0o755):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)

# The hub and its proxy

proxies = [shutil.which("configurable-http-proxy"), HERE / "proxy/node_modules/.bin/configurable-http-proxy"]
proxy = next((str(path) for path in proxies if path and Path(path).exists()), None)
if proxy is None:
    sys.exit(
        "The hub's proxy is missing. Install Node.js, then: npm install --prefix classroom/proxy "
        "configurable-http-proxy@5.3.0"
    )
port = number_from("DIGITLAB_PORT", 8000)
c.JupyterHub.bind_url = f"http://{'127.0.0.1' if IS_TRIAL else ''}:{port}"
key, certificate = (os.environ.get(f"DIGITLAB_TLS_{name}", "") for name in ("KEY", "CERTIFICATE"))
if bool(key) != bool(certificate):
    sys.exit("For https, set both DIGITLAB_TLS_KEY and DIGITLAB_TLS_CERTIFICATE. For http, set neither.")
if key:
    c.JupyterHub.bind_url = c.JupyterHub.bind_url.replace("http:", "https:")
    c.JupyterHub.ssl_key, c.JupyterHub.ssl_cert = key, certificate
# Neighbouring ports, so that two hubs can run on one machine.
c.JupyterHub.hub_port = port + 1
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}"
c.ConfigurableHTTPProxy.command = [proxy]
c.ConfigurableHTTPProxy.pid_file = str(SECRETS / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{SECRETS / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(SECRETS / "cookie_secret")
# When the hub is stopped or restarted during a lesson, the seats continue to run.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.template_vars = {
    "announcement_login": "The username is the name of your seat. The first password that you type, of six characters "
    "or more, becomes your password."
}

# Only the seats and the teacher may log in. The first login sets the password.

c.JupyterHub.authenticator_class = "firstuseauthenticator.FirstUseAuthenticator"
c.FirstUseAuthenticator.dbm_path = str(SECRETS / "passwords")
c.FirstUseAuthenticator.min_password_length = 6
c.Authenticator.allowed_users = {*SEATS, TEACHER}
c.Authenticator.admin_users = {TEACHER}

# The seats

c.Spawner.cmd = [sys.executable, "-m", "digitlab_classroom.seat"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # When thirty start at once, the last one waits.
c.Spawner.poll_interval = 10  # In seconds. A seat that has crashed can then be started again.
c.Spawner.mem_limit = "2G"  # Training takes about 1 GB.
c.Spawner.cpu_limit = 1
if IS_TRIAL:
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = f"{HOMES}/{{username}}"
    if os.geteuid() == 0:
        c.Spawner.args = ["--allow-root"]
elif HAS_SYSTEMD:
    c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.default_shell = "/bin/bash"
else:
    c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"


def account(name):
    """Return the account of a seat; make it if there is none. Refuse an account that is not a seat's."""
    import pwd

    try:
        found = pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--create-home", "--comment", SEAT_COMMENT, name], check=True)
        found = pwd.getpwnam(name)
        os.chmod(found.pw_dir, 0o700)
    if found.pw_gecos != SEAT_COMMENT:
        raise PermissionError(
            f"The account {name} of this machine is not a seat of digitlab. Choose another name for the teacher with "
            f"DIGITLAB_TEACHER, or remove that account."
        )
    return found


def pseudonym(name, owner=None):
    """Return the pseudonym of a seat in the class; the first time, it is chosen at random.

    `owner` is the number of the seat's account, if it has its own: only a folder of this account is the seat's.
    """
    from digitlab.files import atomic_write
    from digitlab_classroom.pseudonyms import new_writer

    given = json.loads(PSEUDONYMS.read_text()) if PSEUDONYMS.exists() else {}
    # When the class was erased, the seats get new pseudonyms: another seat may get an old one at any time.
    given = {seat: writer for seat, writer in given.items() if os.path.lexists(CLASS / writer)}
    if name not in given or owner not in (None, os.lstat(CLASS / given[name]).st_uid):
        given[name] = new_writer(CLASS)
        atomic_write(PSEUDONYMS, json.dumps(given, indent=1).encode(), mode=0o600)
    return given[name]


def prepare_seat(spawner):
    """Prepare a seat before it starts: its account, its pseudonym, and its folder for submissions."""
    name = spawner.user.name
    if IS_TRIAL:
        home, writer = HOMES / name, pseudonym(name)
    else:
        mine, teacher = account(name), account(TEACHER)
        home, writer = Path(mine.pw_dir), pseudonym(name, mine.pw_uid)
        # The teacher may hide and erase, each seat may write to its own folder, and all may read.
        os.chown(CLASS, teacher.pw_uid, teacher.pw_gid)
        # Owner and permissions are set on the opened folder: root must not follow a link that somebody has put in its
        # place.
        folder = os.open(CLASS / writer, os.O_DIRECTORY | os.O_NOFOLLOW)
        os.fchown(folder, mine.pw_uid, teacher.pw_gid)
        os.fchmod(folder, 0o2775)
        os.close(folder)
    spawner.environment = {
        "DIGITLAB_HOME": str(home / "digitlab"),
        "DIGITLAB_CLASS": str(CLASS),
        "DIGITLAB_WRITER": writer,
    }


c.Spawner.pre_spawn_hook = prepare_seat

# Seats that nobody has used for an hour are stopped. Saved files stay.

c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
        "environment": {"DIGITLAB_CLASSROOM": str(STATE)},  # As the hub's other processes have it: whose it is.
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
