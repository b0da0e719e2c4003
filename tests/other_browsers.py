"""WebKit, the engine of Safari, and Firefox: just enough of both to use a pad on a page.

Both are driven by the actions of the W3C's WebDriver: WebKit by Selenium and Debian's webkit2gtk-driver, Firefox by its
own WebDriver BiDi over a WebSocket.
"""

import contextlib
import itertools
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import websocket
from helpers import require
from selenium import webdriver
from selenium.webdriver.webkitgtk.service import Service

WIDTH, HEIGHT = 1280, 900
SECONDS = 120
"""How long to wait for something on the page."""

KEYS = {
    "ArrowDown": "\ue015",
    "ArrowUp": "\ue013",
    "Escape": "\ue00c",
    "Space": " ",
    "Tab": "\ue004",
}


class Page:
    """A page in a browser."""

    def call(self, function, *arguments):
        """Call a JavaScript function on the page and return its result."""
        raise NotImplementedError

    def perform(self, actions):
        """Perform the actions of one input device, as WebDriver names them."""
        raise NotImplementedError

    def wait_for(self, function, *arguments):
        """Wait until a JavaScript function returns something true, and return it."""
        end = time.monotonic() + SECONDS
        while not (result := self.call(function, *arguments)):
            if time.monotonic() > end:
                pytest.fail(f"Not true after {SECONDS} s: {function} {arguments}")
            time.sleep(0.1)
        return result

    def draw(self, strokes):
        """Draw strokes, float arrays (n, 2) of whole pixels of the page, with the mouse."""
        actions = []
        for stroke in strokes:
            places = [{"type": "pointerMove", "x": int(x), "y": int(y), "duration": 0} for x, y in stroke]
            down, up = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
            actions += [places[0], down, *places[1:], up]
        self.perform({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions})

    def press(self, *keys):
        """Press keys, one after the other."""
        actions = [{"type": kind, "value": KEYS[key]} for key in keys for kind in ("keyDown", "keyUp")]
        self.perform({"type": "key", "id": "keys", "actions": actions})

    def click(self, selector, text):
        """Click the first element that this selector finds and that has this text in it."""
        find = """(selector, text) => {
            const found = [...document.querySelectorAll(selector)].find(one => one.textContent.includes(text));
            const box = found?.getBoundingClientRect();
            return box?.width ? [box.left + box.width / 2, box.top + box.height / 2] : null;
        }"""
        self.draw([[self.wait_for(find, selector, text)]])

    def run_first_cell(self):
        """Run the first cell by the button above; as long as the page does not hear the kernel, it runs nothing."""
        self.wait_for("() => document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]') !== null")
        prompt = "() => /[*\\d]/.test(document.querySelector('.jp-CodeCell .jp-InputPrompt').textContent)"
        for _ in range(12):
            self.click(".jp-CodeCell .jp-InputPrompt", "")
            self.click(".jp-NotebookPanel-toolbar [data-jp-item-name=run]", "")
            end = time.monotonic() + 10
            while time.monotonic() < end:
                if self.call(prompt):
                    return
                time.sleep(0.1)
        pytest.fail("The page runs no cell.")


class WebKitPage(Page):
    """A page in WebKit."""

    def __init__(self, driver):
        self._driver = driver

    def open(self, address):
        self._driver.get(address)

    def call(self, function, *arguments):
        return self._driver.execute_script(f"return ({function})(...arguments)", *arguments)

    def perform(self, actions):
        self._driver.execute("actions", {"actions": [actions]})


class FirefoxPage(Page):
    """A page in Firefox."""

    def __init__(self, address):
        self._socket = websocket.create_connection(f"{address}/session", timeout=SECONDS, suppress_origin=True)
        self._numbers = itertools.count()
        self._send("session.new", capabilities={})
        self._context = self._send("browsingContext.getTree")["contexts"][0]["context"]
        size = {"width": WIDTH, "height": HEIGHT}
        self._send("browsingContext.setViewport", context=self._context, viewport=size)
        self._send("browsingContext.activate", context=self._context)

    def open(self, address):
        self._send("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def call(self, function, *arguments):
        answer = self._send(
            "script.callFunction",
            functionDeclaration=f"all => JSON.stringify(({function})(...JSON.parse(all)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._context},
            awaitPromise=False,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def perform(self, actions):
        self._send("input.performActions", context=self._context, actions=[actions])

    def _send(self, method, **parameters):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]


@contextlib.contextmanager
def webkit():
    """Start WebKit on a virtual screen; yield a page."""
    program, driver, screen = require("WebKitWebDriver"), None, require("Xvfb")
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    read, write = os.pipe()
    command = [screen, "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"]
    xvfb = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    try:
        display = os.read(read, 16).decode().strip()
        # As root WebKit's own sandbox does not start.
        sandbox = {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"} if os.getuid() == 0 else {}
        environment = {**os.environ, **sandbox, "DISPLAY": f":{display}"}
        options = webdriver.WebKitGTKOptions()
        options.binary_location = str(browsers[0])
        options.add_argument("--automation")
        driver = webdriver.WebKitGTK(options=options, service=Service(program, env=environment))
        driver.set_window_rect(0, 0, WIDTH, HEIGHT)
        yield WebKitPage(driver)
    finally:
        if driver:
            driver.quit()
        xvfb.terminate()
        xvfb.wait()
        os.close(read)
        os.close(write)


@contextlib.contextmanager
def firefox():
    """Start Firefox without a window; yield a page."""
    program = require("firefox-esr", "firefox")
    with tempfile.TemporaryDirectory() as profile:
        # A window that nobody sees has no focus either, and takes no keys.
        Path(profile, "user.js").write_text('user_pref("focusmanager.testmode", true);\n')
        process = subprocess.Popen(
            [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0", "about:blank"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            lines = iter(process.stderr.readline, "")
            address = next(found[1] for line in lines if (found := re.search(r"BiDi listening on (ws://\S+)", line)))
            yield FirefoxPage(address)
        finally:
            process.terminate()
            process.wait(timeout=30)
            process.stderr.close()
