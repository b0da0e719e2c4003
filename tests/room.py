"""Start a real hub and use its seats over HTTP and WebSockets, without a browser; for tests and benchmarks."""

import asyncio
import contextlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import requests
from helpers import free_ports, require
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from digitlab.paths import KIT, NOTEBOOKS

CLASSROOM = KIT / "classroom"
PASSWORD = "not a secret"


class Hub:
    """A hub with its own folder for all its files; use it as a context."""

    def __init__(self, folder, seats=30, trial=True, within=()):
        self.folder = Path(folder)
        self._within = within  # A command that runs the hub's command, such as unshare.
        self.port = free_ports(3)
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            "DIGITLAB_CLASSROOM": str(self.folder),
            "DIGITLAB_SEATS": str(seats),
            "DIGITLAB_PORT": str(self.port),
            "DIGITLAB_TRY": str(int(trial)),
        }

    def __enter__(self):
        install_proxy()
        self.start()
        return self

    def __exit__(self, *_):
        self.stop(kill=True)  # With thirty seats, ending by itself takes it longer than anybody waits.
        stop_all(self.folder)

    def start(self):
        """Start the hub, and wait until it answers."""
        with open(self.folder.with_suffix(".log"), "a") as log:
            self.process = subprocess.Popen(
                [*self._within, sys.executable, "-m", "jupyterhub", "--config", CLASSROOM / "jupyterhub_config.py"],
                cwd=self.folder.parent,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + 180
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The hub does not start:\n{self.log()}")
            time.sleep(0.1)

    def stop(self, kill=False):
        """Stop the hub; the seats continue to run."""
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait(timeout=30)

    def log(self):
        """Return the hub's log."""
        return self.folder.with_suffix(".log").read_text()

    def _is_ready(self):
        try:
            return requests.get(f"{self.address}/hub/login", timeout=5).ok
        except requests.RequestException:
            return False


def run(coroutine):
    """Run a coroutine to its end, on a new thread: a browser's event loop may be running on this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def install_proxy():
    """Install the hub's proxy with npm if there is none."""
    script = (CLASSROOM / "try").read_text()
    version = re.search(r"configurable-http-proxy@([\d.]+)", script)[1]
    own = CLASSROOM / "proxy/node_modules/.bin/configurable-http-proxy"
    if not shutil.which("configurable-http-proxy") and not own.exists():
        subprocess.run(
            [
                require("npm"),
                "install",
                "--silent",
                "--prefix",
                CLASSROOM / "proxy",
                f"configurable-http-proxy@{version}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )


class Process(NamedTuple):
    """A process: its number, its command, and its environment."""

    number: int
    command: str
    environment: dict


def processes_of(folder):
    """Return a hub's processes: the hub, its proxy and its service, the seats and their kernels."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command, lines = ((path / name).read_text(errors="replace").split("\0") for name in ("cmdline", "environ"))
        except OSError:
            continue
        environment = dict(line.split("=", 1) for line in lines if "=" in line)
        if str(folder) == environment.get("DIGITLAB_CLASSROOM", os.path.dirname(environment.get("DIGITLAB_CLASS", ""))):
            found.append(Process(int(path.name), " ".join(command), environment))
    return found


def stop_all(folder):
    """Kill all processes of a hub that are left."""
    for process in processes_of(folder):
        try:
            os.kill(process.number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def memory(number):
    """Return the memory of a process in MB; memory that several processes use is divided among them (PSS)."""
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{number}/smaps_rollup").read_text(), re.M)[1]) / 1024


class Person:
    """A person at a seat, who logs in, starts the seat, opens a notebook and draws."""

    def __init__(self, hub, name):
        self.hub, self.name = hub, name
        self.url = f"{hub.address}/user/{name}"
        self.session = requests.Session()

    def log_in(self, password=PASSWORD):
        """Log in on the hub's page; return whether it was accepted."""
        page = self.session.get(f"{self.hub.address}/hub/login", timeout=60)
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        form = {"username": self.name, "password": password, "_xsrf": token}
        answer = self.session.post(f"{self.hub.address}/hub/login", data=form, allow_redirects=False, timeout=60)
        return answer.status_code == 302

    def start_seat(self, seconds=180):
        """Start the seat, and wait until its server answers."""
        end = time.monotonic() + seconds
        while True:
            answer = self.session.get(f"{self.url}/api/status", timeout=60)
            if answer.ok and "json" in answer.headers["Content-Type"]:
                return
            if time.monotonic() > end:
                raise RuntimeError(f"The seat {self.name} does not start: {answer.status_code} {answer.text[:500]}")
            # A seat that is not running must be started. A running one learns from the hub who the person is.
            wanted = "hub/spawn" if answer.status_code in {404, 424, 503} else f"user/{self.name}/lab"
            page = self.session.get(f"{self.hub.address}/{wanted}", timeout=seconds)
            if found := re.search(r'EventSource\("([^"]+)"\)', page.text):
                self._wait_for_progress(html.unescape(found[1]), seconds)
            else:
                time.sleep(0.25)

    def _wait_for_progress(self, path, seconds):
        """Wait as the hub's page does: the hub tells it how far the start of the seat is."""
        with self.session.get(f"{self.hub.address}{path}", stream=True, timeout=seconds) as events:
            for line in events.iter_lines():
                event = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
                if event.get("ready") or event.get("failed"):
                    return

    def call(self, method, path, body=None):
        """Call the seat's REST API, as its page does."""
        token = next(c.value for c in self.session.cookies if c.name == "_xsrf" and c.path == f"/user/{self.name}/")
        answer = self.session.request(
            method,
            f"{self.url}/api/{path}",
            json=body,
            headers={"X-XSRFToken": token},
            timeout=120,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def open(self, notebook):
        """Open a notebook, which starts its kernel; return the kernel, not yet connected."""
        asked = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        opened = self.call("POST", "sessions", asked)
        return Kernel(self, opened["kernel"]["id"], opened["id"])


class Kernel:
    """The kernel of a notebook, used as a page does it: over one WebSocket, with JupyterLab's message format."""

    def __init__(self, person, number, session):
        self.person, self.number, self.session = person, number, session
        self._replies = {}
        self.widgets = {}
        self.outputs = {}
        self.answers = []  # What each network of the pad read last.
        self._pens = {}
        self.points = 0  # The number of points of the drawing that was answered last.
        self.on_answer = None

    async def connect(self):
        """Open the WebSocket, and wait until the kernel answers; as a page does, open it anew if it is closed."""
        for _ in range(3):
            with contextlib.suppress(WebSocketClosedError):
                await self._open()
                await self.run("")
                return self
        raise RuntimeError(f"The connection of {self.person.name} was closed three times.")

    async def _open(self):
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.person.session.cookies)
        url = f"{self.person.url.replace('http', 'ws', 1)}/api/kernels/{self.number}/channels"
        headers = {"Cookie": cookies, "Origin": self.person.hub.address}
        request = HTTPRequest(url, headers=headers, connect_timeout=180, request_timeout=180)
        self._socket = await websocket_connect(request, subprotocols=["v1.kernel.websocket.jupyter.org"])
        self._listener = asyncio.create_task(self._listen())

    async def close(self):
        """Close the WebSocket; the kernel continues to run."""
        self._socket.close()
        await self._listener

    async def run(self, code, seconds=180):
        """Run a cell; return what it printed. Raise RuntimeError if the cell raised an exception."""
        number = await self._send("shell", "execute_request", code=code, silent=False, store_history=True)
        self.outputs[number] = []
        # The reply may come before the output. The output is complete when the kernel is idle.
        self._replies[number] = [asyncio.get_running_loop().create_future() for _ in range(2)]
        content, _ = await asyncio.wait_for(asyncio.gather(*self._replies[number]), seconds)
        del self._replies[number]
        if content["status"] != "ok":
            raise RuntimeError("\n".join(content.get("traceback", [content["status"]])))
        return "".join(self.outputs.pop(number))

    async def run_core(self, notebook, upto=""):
        """Run a notebook's core sections without the exercises, up to the first cell that contains the text `upto`."""
        in_core = True
        for cell in json.loads((NOTEBOOKS / notebook).read_text())["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                if text.startswith("## "):
                    in_core = "· core" in text
            elif in_core and "exercise" not in cell["metadata"].get("tags", []):
                await self.run(text)
                if upto and upto in text:
                    return

    def pads(self):
        """Return the ids of the pads' pens, in the order in which they were made."""
        return [number for number, state in self.widgets.items() if "by_clicks" in state]

    async def draw(self, pen, event, x=0.0, y=0.0):
        """Draw with a pen: mouse_down, mouse_move or mouse_up. The points are sent in batches, as a page sends them."""
        if pen not in self._pens:
            self._pens[pen] = PagePen(lambda content: self._send_custom(pen, content))
        await self._pens[pen].draw(event, x, y)

    async def press(self, words):
        """Press the last button with this text."""
        button = [number for number, state in self.widgets.items() if state.get("description") == words][-1]
        await self._send_custom(button, {"event": "click"})

    async def _send_custom(self, widget, content):
        await self._send("shell", "comm_msg", comm_id=widget, data={"method": "custom", "content": content})

    async def _send(self, channel, kind, **content):
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "username": "", "session": "room", "date": "", "version": "5.3"}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        await self._socket.write_message(serialize_msg_to_ws_v1(parts, channel), binary=True)
        return number

    async def _listen(self):
        while (raw := await self._socket.read_message()) is not None:
            _, parts = deserialize_msg_from_ws_v1(raw)
            kind = json.loads(parts[0])["msg_type"]
            if kind not in {"comm_msg", "comm_open", "stream", "execute_reply", "status"}:
                continue
            if kind == "comm_msg" and b'"answer"' in parts[3] and b'"batch"' in parts[3]:
                content = json.loads(parts[3])
                if content["comm_id"] in self._pens:
                    await self._pens[content["comm_id"]].hear(content["data"]["content"]["batch"])
                continue
            if kind == "comm_msg" and b'"answers"' not in parts[3] and b'"points"' not in parts[3]:
                continue  # Most of these messages only draw.
            content, parent = json.loads(parts[3]), json.loads(parts[1]).get("msg_id")
            if kind == "comm_open":
                self.widgets[content["comm_id"]] = content["data"].get("state", {})
            elif kind == "stream" and parent in self.outputs:
                self.outputs[parent].append(content["text"])
            elif kind == "execute_reply" and parent in self._replies:
                self._replies[parent][0].set_result(content)
            elif kind == "status" and content["execution_state"] == "idle" and parent in self._replies:
                self._replies[parent][1].set_result(None)
            elif kind == "comm_msg":
                state = content["data"].get("state", {})
                self.answers = state.get("answers", self.answers)
                self.points = state.get("points", self.points)
                if self.on_answer:
                    self.on_answer(self.points)


class PagePen:
    """The pen of a page without a browser: it sends points as pen.js does.

    It sends a batch every 50 ms, less often when answers are late. While Python has not answered the last one it waits;
    if even the quickest answer takes longer than 50 ms, several batches are on the way.
    """

    EVERY, HALF_FRAME, LATE = 0.05, 0.008, 0.1

    def __init__(self, send):
        self._send = send
        self._name = uuid.uuid4().hex
        self._stroke, self._points, self._sent = 0, [], 0
        self._batch, self._answered, self._last_sent, self._distance = 0, 0, 0.0, 0.0
        self._times, self._delay = {}, 0.0
        self._later = None

    async def draw(self, event, x, y):
        """Add an event to the drawing, and send what may be sent."""
        if event == "mouse_down":
            self._last_sent = _now()
        if event == "mouse_up":
            await self._send_points(True)
            self._stroke, self._points, self._sent = self._stroke + 1, [], 0
        else:
            self._points.append([round(x, 2), round(y, 2)])
            await self._send_points(False)

    async def hear(self, batch):
        """Take note of Python's answer to a batch."""
        took = _now() - self._times[batch]
        self._distance = took if len(self._times) == 1 else min(self._distance, took)
        self._delay += (min(took - self._distance, self.LATE) - self._delay) / 10
        self._answered = max(self._answered, batch)
        await self._send_points(False)

    async def _send_points(self, ended):
        if not ended and (
            len(self._points) == self._sent or self._batch - self._answered >= 1 + self._distance // self.EVERY
        ):
            return
        wait = self._last_sent + max(self.EVERY, 3 * self._delay) - _now()
        if not ended and wait > self.HALF_FRAME:
            if self._later is None or self._later.done():
                self._later = asyncio.create_task(self._send_later(wait + self.HALF_FRAME))
            return
        start, self._sent = self._sent, len(self._points)
        part = {"stroke": self._stroke, "from": start, "points": self._points[start:], "ended": ended}
        self._batch, self._last_sent = self._batch + 1, _now()
        self._times[self._batch] = self._last_sent
        parts = [{**part, "dropped": False}]
        await self._send({"type": "points", "pen": self._name, "batch": self._batch, "parts": parts})

    async def _send_later(self, seconds):
        await asyncio.sleep(seconds)
        self._later = None
        await self._send_points(False)


def _now():
    return asyncio.get_running_loop().time()


def points_of(ink, per_stroke=30):
    """Return the pen events that draw an ink, as (event, x, y), with points at equal distances along each stroke."""
    events = []
    for stroke in ink.strokes:
        length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
        positions = np.linspace(0, length[-1], per_stroke)
        x, y = (np.interp(positions, length, stroke[:, axis]) for axis in (0, 1))
        kinds = ["mouse_down"] + ["mouse_move"] * (per_stroke - 1)
        events += [(kind, float(a), float(b)) for kind, a, b in zip(kinds, x, y, strict=True)]
        events.append(("mouse_up", float(x[-1]), float(y[-1])))
    return events
