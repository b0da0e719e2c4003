"""`digitlab lab` opens a copy of the notebooks in JupyterLab: the real one, started as a user starts it."""

import contextlib
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psutil
import pytest
import websocket
from helpers import OBEYING, free_ports
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from jupyterlab.labapp import LabApp

from digitlab.commands import lab as lab_module
from digitlab.commands import working_copy
from digitlab.commands.connection import PromptConnection
from digitlab.commands.jupyter_settings import FIRST_NOTEBOOK, settings
from digitlab.paths import HOME, KIT, MY_NOTEBOOKS, NOTEBOOKS, command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends servers as POSIX does")


class Lab:
    """A running `digitlab lab`, what it has printed so far, and a way to ask its server."""

    def __init__(self, home, *arguments, stdin=subprocess.DEVNULL, cwd=None, digitlab_home=None):
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digitlab.commands.main", "lab", "--no-browser", *arguments],
            cwd=cwd,
            env=environment(home, digitlab_home),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        with self.patience():
            for line in self.process.stdout:
                self.output += line
                if "Ctrl-C" in line:
                    break
        found = re.search(r"http://\S+", self.output)
        assert found, f"The lab printed no address, but this:\n{self.output}"
        self.address = urllib.parse.urlsplit(found[0])
        self.token = urllib.parse.parse_qs(self.address.query)["token"][0]

    def get(self, path, token=None, data=None, method=None):
        base = self.address.path.partition("/lab")[0]
        headers = {"Authorization": f"token {token}"} if token else {}
        request = urllib.request.Request(f"http://{self.address.netloc}{base}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read().decode()

    def ask(self, path, data=None, method=None):
        return json.loads(self.get(path, self.token, data, method))

    def stop(self, by=signal.SIGINT):
        """Stop it, and return its exit status."""
        self.process.send_signal(by)
        with self.patience():
            self.output += self.process.stdout.read()
        return self.process.wait()

    @contextlib.contextmanager
    def patience(self):
        """End a server for whose output one waits longer than three minutes."""
        watchdog = threading.Timer(180, self.process.kill)
        watchdog.start()
        yield
        watchdog.cancel()


def environment(home, digitlab_home=None):
    """Return the environment of someone who has never used Jupyter before, and who keeps notebooks in a home too."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG"))}
    return {**bare, "HOME": str(home), "DIGITLAB_HOME": str(digitlab_home or home)}


@contextlib.contextmanager
def a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def port():
    return free_ports()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, port):
    lab = Lab(tmp_path_factory.mktemp("home"), "--port", str(port))
    yield lab
    lab.stop(signal.SIGKILL)


def test_lab_prints_a_local_address_with_port_and_token(lab, port):
    assert lab.address.netloc == f"127.0.0.1:{port}"
    assert len(lab.token) >= 32


def test_the_address_opens_the_first_notebook(lab):
    assert lab.address.path == "/lab/tree/01_meet_the_digits.ipynb"
    assert "JupyterLab" in lab.get("/lab/tree/01_meet_the_digits.ipynb", lab.token)


def test_lab_says_how_to_stop_it_and_little_else(lab):
    assert "Ctrl-C" in lab.output
    assert len(lab.output.splitlines()) < 8
    assert "ServerApp" not in lab.output


def test_notebooks_are_hidden_without_the_token(lab):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("/api/contents")
    assert refusal.value.code == 403
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("/api/contents", token="guessed")
    assert refusal.value.code == 403


def test_notebooks_are_served_with_the_token(lab):
    shown = {entry["name"] for entry in lab.ask("/api/contents")["content"]}
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} <= shown
    assert "01_meet_the_digits.ipynb" in shown


def test_lab_shows_the_readers_copy_without_outputs(lab):
    assert f"your own copy, in {lab.home / 'my_notebooks'}" in lab.output
    notebook = lab.ask("/api/contents/01_meet_the_digits.ipynb")["content"]
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_saving_changes_the_copy_and_not_the_kit(lab):
    before = (NOTEBOOKS / "03_train_it.ipynb").read_bytes()
    notebook = lab.ask("/api/contents/03_train_it.ipynb")["content"]
    notebook["cells"][0]["source"] = "# Mine"
    model = json.dumps({"type": "notebook", "content": notebook}).encode()
    lab.ask("/api/contents/03_train_it.ipynb", model, method="PUT")
    assert first_text(lab.home / "my_notebooks/03_train_it.ipynb") == "# Mine"
    assert (NOTEBOOKS / "03_train_it.ipynb").read_bytes() == before


def test_only_this_machine_can_reach_the_server(lab):
    connections = psutil.Process(lab.process.pid).net_connections("tcp")
    listening = [connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert listening
    assert all(ipaddress.ip_address(address).is_loopback for address in listening)


def test_lab_asks_no_question_about_news_or_updates(lab):
    settings = lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")["schema"]["properties"]
    assert settings["fetchNews"]["default"] == "false"
    assert settings["checkForUpdates"]["default"] is False


def test_the_readers_own_settings_stay(lab):
    assert lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")["settings"] == {}
    assert not (lab.home / ".jupyter").exists()


def test_the_drawing_pads_extensions_are_loaded(lab):
    page = lab.get("/lab", lab.token)
    configuration = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    extensions = {extension["name"] for extension in configuration["federated_extensions"]}
    assert {"ipycanvas", "@jupyter-widgets/jupyterlab-manager"} <= extensions
    assert configuration["disabledExtensions"] == []


def test_ctrl_c_stops_the_server_and_its_notebooks(tmp_path):
    terminal, its_end = os.openpty()
    lab = Lab(tmp_path, stdin=its_end)
    try:
        assert run_in_a_notebook(lab, "import digitlab") == "ok"
        kernels = psutil.Process(lab.process.pid).children(recursive=True)
        assert kernels
        assert lab.stop() == 0
        assert not psutil.wait_procs(kernels, timeout=30)[1]
    finally:
        lab.stop(signal.SIGKILL)
        os.close(terminal)
        os.close(its_end)
    assert "Ctrl-C stops them.\n\nStopping ...\n" in lab.output
    assert "Shut down" not in lab.output  # JupyterLab's own question
    assert "encryption" not in lab.output  # a kernel's warning that others can listen in


def test_other_arguments_are_passed_to_jupyterlab(tmp_path):
    lab = Lab(tmp_path, "--ServerApp.base_url=/class/", str(NOTEBOOKS / "06_draw.ipynb"))
    try:
        assert lab.address.path == "/class/lab/tree/06_draw.ipynb"
        assert lab.ask("/api/status")
    finally:
        lab.stop(signal.SIGKILL)
    assert not (tmp_path / "my_notebooks").exists()


def test_a_named_folder_is_shown_without_making_a_copy(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course/mine.txt").write_text("mine")
    lab = Lab(tmp_path, "--notebook-dir=course", cwd=tmp_path)
    try:
        assert {entry["name"] for entry in lab.ask("/api/contents")["content"]} == {"mine.txt"}
        assert "copy" not in lab.output
    finally:
        lab.stop(signal.SIGKILL)
    assert not (tmp_path / "my_notebooks").exists()


def test_a_folder_in_the_configuration_of_another_course_does_not_matter(tmp_path):
    (tmp_path / ".jupyter").mkdir()
    (tmp_path / ".jupyter/jupyter_server_config.py").write_text('c.ServerApp.root_dir = "/gone"\n')
    lab = Lab(tmp_path)
    try:
        names = {entry["name"] for entry in lab.ask("/api/contents")["content"]}
        assert FIRST_NOTEBOOK in names
    finally:
        lab.stop(signal.SIGKILL)


def test_the_long_help_is_jupyterlabs(tmp_path):
    status, printed = failing_lab(tmp_path, "--help-all")
    assert status == 0, printed[-2000:]
    assert "--ServerApp.ip" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        [f"--ServerApp.root_dir={NOTEBOOKS}"],
        ["--ServerApp.root_dir", str(NOTEBOOKS)],
        [f"--ServerApp.notebook_dir={NOTEBOOKS}"],
        ["--notebook-dir", str(NOTEBOOKS)],
        ["--debug", str(NOTEBOOKS)],
        [str(NOTEBOOKS / "06_draw.ipynb")],
        [f"--ServerApp.file_to_run={NOTEBOOKS / '06_draw.ipynb'}"],
    ],
)
def test_a_named_folder_or_notebook_is_opened(arguments):
    assert not lab_module._shows_copy(arguments)


@pytest.mark.parametrize("arguments", [[], ["--ip", "localhost"], ["--debug"], ["--ServerApp.token=known"]])
def test_the_copy_is_opened_by_default(arguments):
    assert lab_module._shows_copy(arguments)


def test_a_notebook_of_the_copy_is_opened_in_the_copy(tmp_path, monkeypatch):
    working_copy.refresh(tmp_path / "my_notebooks")
    monkeypatch.setattr(lab_module, "MY_NOTEBOOKS", tmp_path / "my_notebooks")
    monkeypatch.chdir(tmp_path)
    assert lab_module._shows_copy(["my_notebooks/06_draw.ipynb"])
    assert not lab_module._shows_copy([str(NOTEBOOKS / "06_draw.ipynb")])


def test_a_newer_kit_updates_only_what_the_reader_did_not_change(tmp_path):
    older_kit = shutil.copytree(NOTEBOOKS, tmp_path / "older")
    for path in older_kit.glob("0[45]*.ipynb"):
        write_first_text(path, "# Older")
    mine = tmp_path / "my_notebooks"
    working_copy.refresh(mine, older_kit)
    write_first_text(mine / "04_study_its_mistakes.ipynb", "# Mine")
    write_first_text(mine / "06_draw.ipynb", "# Mine")
    lab = Lab(tmp_path)
    lab.stop(signal.SIGKILL)
    assert lab.output.startswith(
        "Updated, because you had not changed it: 05_prepare_a_drawing.ipynb.\n"
        "Not updated, because you changed it: 04_study_its_mistakes.ipynb. "
        f"For a fresh copy: {command('lab')} --reset (your files are kept, too).\n"
    )
    assert "06_draw" not in lab.output  # The kit's is no newer.
    assert first_text(mine / "04_study_its_mistakes.ipynb") == first_text(mine / "06_draw.ipynb") == "# Mine"
    assert first_text(mine / "05_prepare_a_drawing.ipynb") == first_text(NOTEBOOKS / "05_prepare_a_drawing.ipynb")


def test_reset_makes_a_fresh_copy_and_keeps_the_old_one(tmp_path):
    working_copy.refresh(tmp_path / "my_notebooks")
    write_first_text(tmp_path / "my_notebooks/01_meet_the_digits.ipynb", "# Mine")
    lab = Lab(tmp_path, "--reset", cwd=tmp_path)
    try:
        served = lab.ask("/api/contents/01_meet_the_digits.ipynb")["content"]["cells"][0]["source"]
    finally:
        lab.stop(signal.SIGKILL)
    old = re.match(r"Your old notebooks are in (my_notebooks_\d{4}-\d\d-\d\d_\d{6})\.\n", lab.output)[1]
    assert first_text(tmp_path / old / "01_meet_the_digits.ipynb") == "# Mine"
    assert served == first_text(NOTEBOOKS / "01_meet_the_digits.ipynb")


def test_notebooks_know_folders_given_by_relative_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITLAB_CLASS", "room")
    lab = Lab(tmp_path, cwd=tmp_path, digitlab_home="shelf")
    try:
        folders = str(tmp_path / "shelf"), str(tmp_path / "room")
        code = f"from digitlab.paths import HOME, SUBMISSIONS; assert (str(HOME), str(SUBMISSIONS)) == {folders}"
        assert run_in_a_notebook(lab, code) == "ok"
    finally:
        lab.stop()
    assert (tmp_path / "shelf/my_notebooks/01_meet_the_digits.ipynb").exists()


def test_the_copy_is_in_the_readers_home():
    assert MY_NOTEBOOKS.parent == HOME


@pytest.mark.parametrize("arguments", [[], ["--reset"]])
def test_a_home_without_write_access_gives_one_sentence(tmp_path, arguments):
    shelf = tmp_path / "shelf"
    working_copy.refresh(shelf / "my_notebooks")
    before = sorted(shelf.rglob("*"))
    (shelf / "my_notebooks").chmod(0o555)
    shelf.chmod(0o555)
    status, output = failing_lab(tmp_path, *arguments, digitlab_home=shelf)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert str(shelf / "my_notebooks") in output
    assert "Permission denied" in output
    assert "DIGITLAB_HOME to a folder that you may write to" in output
    assert sorted(shelf.rglob("*")) == before


def test_a_taken_port_is_noticed_before_a_reset(tmp_path):
    working_copy.refresh(tmp_path / "my_notebooks")
    with a_taken_port() as port:
        assert failing_lab(tmp_path, "--reset", "--port", port)[0] == 1
    assert [path.name for path in tmp_path.glob("my_notebooks*")] == ["my_notebooks"]


def test_a_taken_port_gives_one_sentence(tmp_path):
    with a_taken_port() as port:
        status, output = failing_lab(tmp_path, "--port", port)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert f"Port {port} is in use" in output
    assert "leave out --port" in output


@pytest.mark.parametrize("port", ["0", "65536", "-1", "draw"])
def test_an_invalid_port_gives_one_sentence(tmp_path, port):
    status, output = failing_lab(tmp_path, f"--port={port}")
    assert status == 2
    assert f"Invalid port {port}: use 1 to 65535." in output


def test_missing_notebooks_give_one_sentence(tmp_path):
    shutil.copytree(KIT / "digitlab", tmp_path / "digitlab")
    status, output = failing_lab(tmp_path, cwd=tmp_path)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert str(Path("notebooks", "01_meet_the_digits.ipynb")) in output
    assert "git checkout -- notebooks" in output


def test_a_command_of_jupyterlabs_own_gives_one_sentence(tmp_path):
    status, output = failing_lab(tmp_path, "stop", "8888")
    assert status == 1
    assert output == "digitlab lab: stop is a command of JupyterLab's own: jupyter lab stop 8888\n"


def test_a_missing_jupyterlab_gives_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "jupyterlab.py").write_text("raise ModuleNotFoundError(\"No module named 'jupyterlab'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    status, output = failing_lab(tmp_path)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert "jupyterlab" in output
    assert "digitlab check" in output


def run_in_a_notebook(lab, code):
    """Start a kernel and run code in it, over the way that the browser takes; return how that ended."""
    kernel = lab.ask("/api/kernels", data=b"{}")["id"]
    header = {
        "msg_id": "1",
        "msg_type": "execute_request",
        "session": "1",
        "username": "",
        "version": "5.4",
        "date": "",
    }
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": {"code": code}, "channel": "shell"}
    address = f"ws://{lab.address.netloc}/api/kernels/{kernel}/channels?token={lab.token}"
    with contextlib.closing(websocket.create_connection(address, timeout=60)) as connection:
        connection.send(json.dumps(request))
        while (reply := json.loads(connection.recv()))["msg_type"] != "execute_reply":
            pass
    return reply["content"]["status"]


def first_text(path):
    return "".join(json.loads(path.read_bytes())["cells"][0]["source"])


def write_first_text(path, text):
    notebook = json.loads(path.read_bytes())
    notebook["cells"][0]["source"] = text
    path.write_text(json.dumps(notebook), "utf-8")


def failing_lab(home, *arguments, cwd=None, digitlab_home=None):
    """Run a `digitlab lab` that cannot start; return its exit status and what it printed."""
    finished = subprocess.run(
        [sys.executable, "-m", "digitlab.commands.main", "lab", "--no-browser", *map(str, arguments)],
        cwd=cwd,
        env=environment(home, digitlab_home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        **OBEYING,
    )
    return finished.returncode, finished.stdout


def test_a_kernel_may_take_five_minutes_to_start():
    """Else the server closes the connection of a page whose kernel gets no processor for two minutes."""
    assert settings()["MappingKernelManager.kernel_info_timeout"] == 300


def test_jupyter_knows_every_setting_by_its_name():
    """Jupyter passes over a name that it does not know."""
    classes = {one.__name__: one for one in (LabApp, ServerApp, *ServerApp.classes)}
    for name in settings():
        section, option = name.split(".")
        assert option in classes[section].class_trait_names(config=True)


def test_messages_to_a_page_are_sent_at_once(monkeypatch):
    done = []
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda connection: done.append("connect"))
    monkeypatch.setattr(KernelWebsocketHandler, "set_nodelay", lambda handler, on: done.append(("nodelay", on)))
    PromptConnection(websocket_handler=KernelWebsocketHandler.__new__(KernelWebsocketHandler)).connect()
    assert done == [("nodelay", True), "connect"]
