"""A real hub with real seats: two people draw, and neither can reach the other's files."""

import ast
import asyncio
import contextlib
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import requests
from helpers import wait_until
from page import draw, pad, pen, picture_path, run_first_cell
from room import PASSWORD, Hub, Person, install_proxy, processes_of, run

from digitlab import Ink
from digitlab.commands.jupyter_settings import as_options, settings
from digitlab.paths import KIT
from digitlab_classroom.submissions import SubmissionStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="JupyterHub does not run on Windows")

LAST_CELL = "pad = DrawingPad(ours)"
SUBMIT = "from digitlab_classroom.submissions import SubmissionStore\nSubmissionStore().submit(Ink.example({0}), {0})"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classroom") / "hub"
    folder.mkdir()
    with Hub(folder, seats=3) as hub:
        yield hub


@pytest.fixture(scope="module")
def people(hub):
    """Two people at their seats."""
    return sit_down(hub, "seat01", "seat02")


def sit_down(hub, *names):
    """Let people log in one after the other, and start their seats all at once; return the people."""
    people = [Person(hub, name) for name in names]
    assert all(person.log_in() for person in people)
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(Person.start_seat, people))
    return people


def run_cells(person, *cells, notebook="06_draw.ipynb", upto=LAST_CELL):
    """Open a notebook, run it up to a cell, then run these cells, and close it; return what these cells printed."""

    async def open_and_run():
        kernel = await person.open(notebook).connect()
        if upto:
            await kernel.run_core(notebook, upto=upto)
        printed = [await kernel.run(cell) for cell in cells]
        await kernel.close()
        person.call("DELETE", f"sessions/{kernel.session}")
        return printed

    return run(open_and_run())


def test_two_people_log_in_and_see_their_own_answers(hub, browser):
    pages = []
    for name in ("seat01", "seat02"):
        page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.set_default_timeout(90_000)
        page.goto(hub.address)
        page.screenshot(path=picture_path("hub_login.png"))
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        # The seat opens on the first notebook, in the person's own copy.
        page.wait_for_url(f"{hub.address}/user/{name}/lab/tree/01_meet_the_digits.ipynb*")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.screenshot(path=picture_path("hub_first_notebook.png"))
        # Its first cell is a pad.
        run_first_cell(page)
        pen(page).wait_for()
        page.hand = "mouse"
        pages.append(page)
    for page, digit in zip(pages, (3, 7), strict=True):
        draw(page, Ink.example(digit))
    for page, digit in zip(pages, (3, 7), strict=True):
        pad(page).locator(".digitlab-digit", has_text=str(digit)).wait_for()
    pages[0].screenshot(path=picture_path("hub_pad.png"))
    for page in pages:
        page.context.close()


def test_a_seat_that_draws_loads_no_tensorflow_and_uses_one_thread(people):
    script = """\
import os, sys
import cv2
from pathlib import Path
print("tensorflow" in sys.modules, cv2.getNumThreads(), os.environ["OMP_NUM_THREADS"])"""
    assert run_cells(people[0], script) == ["False 1 1\n"]


def test_a_seat_has_the_settings_of_the_kit(tmp_path):
    code = (
        "import shutil, jupyterhub.singleuser as hub\n"
        "hub.main = lambda options: print([shutil.which('digitlab'), *options])\n"
        "from digitlab_classroom.seat import main\n"
        "main([])"
    )
    environment = {**os.environ, "DIGITLAB_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}  # As sudo gives it.
    printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout
    found, *options = ast.literal_eval(printed)
    assert found == str(Path(sys.executable).parent / "digitlab")
    shared = {name: value for name, value in settings().items() if "encryption" not in name}
    assert set(as_options(shared)) < set(options)
    assert "--LabApp.extension_manager=readonly" in options
    assert any("shell_command" in option for option in options)


def test_a_kernel_of_a_seat_uses_no_ports_but_files_that_only_the_seat_may_open(people):
    script = """\
import json
from pathlib import Path
from ipykernel import get_connection_file
connection = json.loads(Path(get_connection_file()).read_text())
folder = Path(connection["ip"]).parent
print(connection["transport"], oct(folder.stat().st_mode & 0o777), len(list(folder.glob("*-ipc-*"))) >= 5)"""
    assert run_cells(people[0], script) == ["ipc 0o700 True\n"]


def test_a_seat_imports_no_database_and_starts_no_node():
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen = None\n"
        "from digitlab.commands import jupyter_settings\n"
        "from digitlab_classroom import seat\n"
        "jupyter_settings.start_sooner()\n"
        "seat._import_no_database()\n"
        "import jupyterhub.singleuser, jupyterlab.labapp\n"
        "print({'sqlalchemy.engine', 'alembic'} & sys.modules.keys(), jupyterlab.labapp.app_version)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert finished.stdout.split() == ["set()", metadata.version("jupyterlab")], finished.stderr


def test_each_seat_has_its_own_copy_of_the_notebooks(hub, people):
    names = {item["name"] for item in people[0].call("GET", "contents")["content"]}
    assert {f"{number:02d}" for number in range(1, 6)} <= {name[:2] for name in names}
    mine = hub.folder / "homes/seat01/digitlab/my_notebooks/01_meet_the_digits.ipynb"
    assert mine.exists()
    assert not mine.is_relative_to(KIT)


def test_submissions_of_all_seats_are_in_one_folder(hub, people):
    run_cells(people[0], SUBMIT.format(3))
    run_cells(people[1], SUBMIT.format(7))
    drawings = SubmissionStore(hub.folder / "class").drawings()
    assert {"3", "7"} <= {drawing.label for drawing in drawings}
    writers = {drawing.writer for drawing in drawings}
    assert len(writers) == 2
    assert not writers & {"seat01", "seat02"}
    (count,) = run_cells(people[0], "print(len(SubmissionStore().drawings()))".join([SUBMIT.format(4) + "\n", ""]))
    assert int(count) == len(drawings) + 1


def test_wrong_passwords_and_unknown_names_are_refused(hub, people):
    assert not Person(hub, "seat01").log_in("a guess")
    assert not Person(hub, "root").log_in()
    assert not Person(hub, "seat99").log_in()
    assert not Person(hub, "seat03").log_in("short")


def test_no_server_answers_without_its_token(hub, people):
    through_the_hub = requests.get(f"{people[0].url}/api/contents", timeout=30)
    assert through_the_hub.status_code == 403
    servers = [one for one in processes_of(hub.folder) if "digitlab_classroom.seat" in one.command]
    assert len(servers) >= 2
    for server in servers:
        past_the_hub = server.environment["JUPYTERHUB_SERVICE_URL"].rstrip("/")
        assert requests.get(f"{past_the_hub}/api/contents", timeout=30).status_code == 403
        as_other = requests.get(f"{past_the_hub}/api/contents", headers={"Authorization": "token nonsense"}, timeout=30)
        assert as_other.status_code == 403


def test_no_seat_opens_for_another(hub, people):
    for page in ("lab", "api/contents"):
        assert people[0].session.get(f"{people[0].url}/{page}", timeout=60).status_code == 200
        assert people[1].session.get(f"{people[0].url}/{page}", timeout=60).status_code == 403


def test_a_killed_hub_loses_no_kernel_and_no_drawing(hub, people):
    before = SubmissionStore(hub.folder / "class").drawings()

    async def restart_hub():
        kernel = await people[0].open("06_draw.ipynb").connect()
        await kernel.run_core("06_draw.ipynb", upto=LAST_CELL)
        hub.stop(kill=True)
        hub.start()
        await kernel.close()
        # After a reload, the page finds the same kernel, with the pad in it.
        await asyncio.to_thread(people[0].start_seat)
        await kernel.connect()
        pads = await kernel.run("pad.replay(Ink.example(6), seconds=0)\nprint(pad.prediction.digit)")
        await kernel.run(SUBMIT.format(5))
        await kernel.close()
        return pads

    assert run(restart_hub()) == "6\n"
    assert len(SubmissionStore(hub.folder / "class").drawings()) == len(before) + 1


def test_a_killed_seat_starts_again_with_its_drawings(hub, people):
    run_cells(people[1], SUBMIT.format(8))
    before = SubmissionStore(hub.folder / "class").drawings()
    assert _is_running(hub, "seat02")
    for process in processes_of(hub.folder):
        if process.environment.get("JUPYTERHUB_USER") == "seat02":
            with contextlib.suppress(ProcessLookupError):  # A kernel ends with its server.
                os.kill(process.number, 9)
    wait_until(lambda: not _is_running(hub, "seat02"), 60)
    people[1] = Person(hub, "seat02")  # Also for the tests that follow.
    assert people[1].log_in()
    people[1].start_seat()
    run_cells(people[1], SUBMIT.format(9))
    after = SubmissionStore(hub.folder / "class").drawings()
    assert len(after) == len(before) + 1
    assert {drawing.writer for drawing in after} == {drawing.writer for drawing in before}


def _is_running(hub, name):
    return any(
        "digitlab_classroom.seat" in process.command and process.environment.get("JUPYTERHUB_USER") == name
        for process in processes_of(hub.folder)
    )


def test_no_two_seats_get_one_pseudonym_also_after_the_class_was_erased(tmp_path, monkeypatch):
    install_proxy()
    monkeypatch.setenv("DIGITLAB_CLASSROOM", str(tmp_path))
    monkeypatch.setenv("DIGITLAB_TRY", "1")
    pseudonym = runpy.run_path(KIT / "classroom/jupyterhub_config.py", {"get_config": MagicMock()})["pseudonym"]
    before, after = {}, {}
    for given in (before, after):
        SubmissionStore(tmp_path / "class").erase_all()
        for number in range(30):
            given[number] = pseudonym(f"seat{number}")
        assert len(set(given.values())) == 30
    assert before != after
    assert [pseudonym(f"seat{number}") for number in range(30)] == list(after.values())
    # An account that was made anew is not the owner of its old folder.
    assert pseudonym("seat1", owner=os.getuid()) == after[1]
    assert pseudonym("seat1", owner=os.getuid() + 1) not in after.values()


# Seats with accounts of their own


@pytest.fixture(scope="module")
def hub_with_accounts():
    """Start a hub as root does it: each seat has its own account."""
    if os.geteuid() != 0:
        pytest.skip("Only root can start a hub that separates its seats.")
    folder = Path(tempfile.mkdtemp(prefix="digitlab-hub-"))
    folder.chmod(0o755)
    for name in ("hub", "homes"):
        (folder / name).mkdir()
    within = _command_with_accounts(folder, readable=(KIT, sys.base_prefix))
    try:
        with Hub(folder / "hub", seats=2, trial=False, within=within) as hub:
            yield hub
    finally:
        shutil.rmtree(folder)


def _command_with_accounts(folder, readable):
    """Return a command that runs another command, which may make accounts, where these can read some folders.

    For these processes alone, /etc is a copy in `folder`, without the seats that the machine may have, and the homes of
    new accounts are in `folder`: the machine's own accounts stay as they are. Tests may also run from root's own home,
    which other accounts may not enter. Such a folder is replaced by one that contains only what is needed.
    """
    closed = {}
    for path in map(Path, readable):
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & 0o001:
                closed.setdefault(parent, []).append(path)
                break
    lines = [
        "set -e",
        f"cp -a /etc {folder}/etc",
        f"mount --bind {folder}/etc /etc",
        "for name in seat01 seat02 teacher; do userdel --force $name 2>/dev/null || true; done",
        f"printf 'HOME={folder}/homes\\nCREATE_MAIL_SPOOL=no\\n' > /etc/default/useradd",
    ]
    for number, (parent, paths) in enumerate(closed.items()):
        beside = f"{folder}/view-{number}"
        for at, path in enumerate(paths):
            lines += [f"mkdir -p {beside}/{at}", f"mount --bind {path} {beside}/{at}"]
        lines += [f"mount -t tmpfs tmpfs {parent}", f"chmod 755 {parent}"]
        for at, path in enumerate(paths):
            lines += [f"mkdir -p {path}", f"mount --bind {beside}/{at} {path}", f"umount {beside}/{at}"]
    return ("unshare", "--mount", "sh", "-c", "\n".join([*lines, 'exec "$@"']), "sh")


def test_a_seat_cannot_reach_the_files_of_others(hub_with_accounts):
    hub = hub_with_accounts
    people = sit_down(hub, "teacher", "seat01", "seat02")
    run_cells(people[0], SUBMIT.format(1))
    run_cells(people[1], SUBMIT.format(3))
    store = SubmissionStore(hub.folder / "class")
    (other,) = {drawing.writer for drawing in store.drawings() if drawing.label == "3"}
    script = f"""\
import os, pwd
from pathlib import Path
def attempt(what):
    try:
        what()
    except PermissionError:
        return "refused"
    return "done"
of_seat01 = pwd.getpwnam("seat01").pw_uid
processes = [path for path in Path("/proc").glob("[0-9]*") if path.stat().st_uid == of_seat01]
theirs, hub, folder = Path(pwd.getpwnam("seat01").pw_dir), Path("{hub.folder}/hub"), Path("{hub.folder}/class")
print(os.geteuid() != 0 and len(processes) > 0,
    attempt(lambda: list(theirs.iterdir())),
    attempt(lambda: (theirs / "digitlab").stat()),
    attempt(lambda: list(hub.iterdir())),
    attempt(lambda: (hub / "jupyterhub.sqlite").read_bytes()),
    attempt(lambda: [(process / "environ").read_bytes() for process in processes]),
    attempt(lambda: (folder / "{other}/drawings.jsonl").open("a")),
    attempt(lambda: (folder / "{other}/drawings.jsonl").unlink()),
    attempt(lambda: (folder / "mine").mkdir()),
    attempt(lambda: (folder / "hidden.txt").write_text("x")),
    attempt(lambda: (folder / "{other}/drawings.jsonl").read_bytes()))"""
    (printed,) = run_cells(people[2], script)
    assert printed == f"True {'refused ' * 9}done\n"
    # Root does not follow a link in place of a seat's folder: that seat is not started.
    mine = next(path for path in store.folder.iterdir() if path.is_dir() and not list(path.iterdir()))
    (hub.folder / "elsewhere").mkdir()
    owner = mine.stat().st_uid
    mine.rmdir()
    mine.symlink_to(hub.folder / "elsewhere")
    os.lchown(mine, owner, -1)
    assert people[2].call("GET", "status")  # It is still running.
    people[2].session.delete(
        f"{hub.address}/hub/api/users/seat02/server",
        headers={
            "X-XSRFToken": next(c.value for c in people[2].session.cookies if c.name == "_xsrf" and c.path == "/hub/")
        },
        timeout=60,
    )
    wait_until(lambda: not _is_running(hub, "seat02"), 60)
    with pytest.raises(RuntimeError, match="does not start"):
        people[2].start_seat(seconds=5)  # It is refused at once, and again at each attempt.
    wait_until(lambda: "Error starting server seat02: [Errno 20] Not a directory" in hub.log(), 60)
    assert (hub.folder / "elsewhere").stat().st_uid == 0
    mine.unlink()
    people[2].start_seat()
    # The teacher hides a drawing at once, and erases a writer's; the drawings of the others stay.
    hide = f"from digitlab_classroom.submissions import SubmissionStore\nSubmissionStore().hide('{other}', 1)"
    run_cells(people[0], hide)
    assert [drawing.label for drawing in store.drawings()] == ["1"]
    (count,) = run_cells(
        people[2],
        "from digitlab_classroom.submissions import SubmissionStore\nprint(len(SubmissionStore().drawings()))",
    )
    assert count == "1\n"
    run_cells(
        people[0], f"from digitlab_classroom.submissions import SubmissionStore\nSubmissionStore().erase('{other}')"
    )
    assert not (hub.folder / "class" / other / "drawings.jsonl").exists()
