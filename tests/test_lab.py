"""`digitlab lab` opens the notebooks in JupyterLab: the real one, started as a user starts it."""

import contextlib
import ipaddress
import json
import os
import pty
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

from digitlab.places import KIT, NOTEBOOKS


class Lab:
    """A running `digitlab lab`, what it has printed so far, and a way to ask its server."""

    def __init__(self, home, *arguments, stdin=subprocess.DEVNULL):
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digitlab.cli", "lab", "--no-browser", *arguments],
            env=environment(home),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        # Reading waits for as long as it takes; a server that does not start, or stop, is ended after two minutes.
        self.watchdog = threading.Timer(120, self.process.kill)
        self.watchdog.start()
        for line in self.process.stdout:
            self.output += line
            if "Ctrl-C" in line:
                break
        self.address = urllib.parse.urlsplit(re.search(r"http://\S+", self.output)[0])
        self.token = urllib.parse.parse_qs(self.address.query)["token"][0]

    def get(self, path, token=None, data=None):
        base = self.address.path.partition("/lab")[0]
        headers = {"Authorization": f"token {token}"} if token else {}
        request = urllib.request.Request(f"http://{self.address.netloc}{base}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read().decode()

    def ask(self, path, data=None):
        return json.loads(self.get(path, self.token, data))

    def stop(self, by=signal.SIGINT):
        """Stop it, and return its exit status."""
        self.process.send_signal(by)
        self.output += self.process.stdout.read()
        self.watchdog.cancel()
        return self.process.wait()


def environment(home):
    """Return the environment of someone who has never used Jupyter before."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG"))}
    return {**bare, "HOME": str(home)}


@contextlib.contextmanager
def a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def a_free_port():
    with a_taken_port() as port:
        return port


@pytest.fixture(scope="module")
def port():
    return a_free_port()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, port):
    lab = Lab(tmp_path_factory.mktemp("home"), "--port", str(port))
    yield lab
    lab.stop(signal.SIGKILL)


def test_it_prints_an_address_on_this_machine_with_the_port_and_a_token(lab, port):
    assert lab.address.netloc == f"127.0.0.1:{port}"
    assert len(lab.token) >= 32


def test_the_address_opens_the_first_notebook(lab):
    assert lab.address.path == "/lab/tree/01_meet_the_digits.ipynb"
    assert "JupyterLab" in lab.get("/lab/tree/01_meet_the_digits.ipynb", lab.token)


def test_it_says_how_to_stop_it_and_little_else(lab):
    assert "Ctrl-C" in lab.output
    assert len(lab.output.splitlines()) < 8
    assert "ServerApp" not in lab.output


def test_nobody_without_the_token_sees_the_notebooks(lab):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("/api/contents")
    assert refusal.value.code == 403
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("/api/contents", token="guessed")
    assert refusal.value.code == 403


def test_with_the_token_the_notebooks_are_there(lab):
    shown = {entry["name"] for entry in lab.ask("/api/contents")["content"]}
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} <= shown
    assert "01_meet_the_digits.ipynb" in shown


def test_only_this_machine_can_reach_it(lab):
    connections = psutil.Process(lab.process.pid).net_connections("tcp")
    listening = [connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert listening
    assert all(ipaddress.ip_address(address).is_loopback for address in listening)


def test_it_neither_asks_about_news_nor_looks_for_updates(lab):
    settings = lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")["schema"]["properties"]
    assert settings["fetchNews"]["default"] == "false"
    assert settings["checkForUpdates"]["default"] is False


def test_the_readers_own_settings_are_left_alone(lab):
    assert lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")["settings"] == {}
    assert not (lab.home / ".jupyter").exists()


def test_the_drawing_pads_extensions_are_loaded(lab):
    page = lab.get("/lab", lab.token)
    configuration = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    extensions = {extension["name"] for extension in configuration["federated_extensions"]}
    assert {"ipycanvas", "@jupyter-widgets/jupyterlab-manager"} <= extensions
    assert configuration["disabledExtensions"] == []


def test_ctrl_c_in_a_terminal_stops_it_and_its_notebooks_without_a_question(tmp_path):
    terminal, its_end = pty.openpty()
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


def test_further_arguments_go_on_to_jupyterlab(tmp_path):
    lab = Lab(tmp_path, "--ServerApp.base_url=/class/", str(NOTEBOOKS / "05_draw.ipynb"))
    try:
        assert lab.address.path == "/class/lab/tree/05_draw.ipynb"
        assert lab.ask("/api/status")
    finally:
        lab.stop(signal.SIGKILL)


def test_a_port_that_is_taken_is_one_sentence(tmp_path):
    with a_taken_port() as port:
        status, output = failing_lab(tmp_path, "--port", port)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert f"Port {port} is in use" in output
    assert "leave --port away" in output


@pytest.mark.parametrize("port", ["0", "65536", "-1", "draw"])
def test_what_is_no_port_is_said_to_be_none(tmp_path, port):
    status, output = failing_lab(tmp_path, f"--port={port}")
    assert status == 2
    assert f"{port} is no port" in output


def test_missing_notebooks_are_one_sentence(tmp_path):
    shutil.copytree(KIT / "digitlab", tmp_path / "digitlab")
    status, output = failing_lab(tmp_path, cwd=tmp_path)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert str(Path("notebooks", "01_meet_the_digits.ipynb")) in output
    assert "git checkout -- notebooks" in output


def test_a_missing_jupyterlab_is_one_sentence(tmp_path, monkeypatch):
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


def failing_lab(home, *arguments, cwd=None):
    """Run a `digitlab lab` that cannot start; return its exit status and what it printed."""
    finished = subprocess.run(
        [sys.executable, "-m", "digitlab.cli", "lab", "--no-browser", *map(str, arguments)],
        cwd=cwd,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return finished.returncode, finished.stdout
