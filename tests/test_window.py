"""The window on the desktop: drawn in with a mouse on a virtual screen; and its parts without a screen."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import require
from hypothesis import given
from hypothesis import strategies as st

from digitlab.draw_predict import screen as screen_module
from digitlab.draw_predict.screen import no_screen
from digitlab.draw_predict.window import BUTTON, CANVAS, PEN, STRIP, TITLE, Reporter, Sheet
from digitlab.ink import Ink
from digitlab.paths import SHIPPED_NETWORK, network_files
from digitlab.prepare import prepare

SCRIPT = [sys.executable, "-m", "digitlab.draw_predict"]
COMMAND = [str(Path(sys.executable).with_name("digitlab")), "draw"]
CLEAR = ((BUTTON[0] + BUTTON[2]) // 2, (BUTTON[1] + BUTTON[3]) // 2)
HELD = cv2.EVENT_FLAG_LBUTTON
PATIENCE = 60  # Seconds after which a test fails instead of waiting.

on_x11 = pytest.mark.skipif(sys.platform != "linux", reason="a virtual screen is a thing of X11")


def mouse_strokes(digit):
    """Return the strokes of an example as a mouse draws them in the window: few points, in whole pixels."""
    ink = Ink.example(digit)
    strokes = [np.rint(stroke * CANVAS / ink.size[0]).astype(int) for stroke in ink.strokes]
    return [np.concatenate([stroke[:-1:5], stroke[-1:]]).tolist() for stroke in strokes]


def ink_of(strokes):
    return Ink([np.array(stroke) + 0.5 for stroke in strokes], (CANVAS, CANVAS))


# The real window


def until(condition, what):
    """Wait until a condition holds, and return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)
    return result


class Screen:
    """A virtual screen with a mouse: an X server that keeps its pixels in a file."""

    size = 800

    def __init__(self, folder):
        screen = f"{self.size}x{self.size}x24"
        self.server = subprocess.Popen(
            [require("Xvfb"), "-displayfd", "1", "-noreset", "-nocursor", "-screen", "0", screen, "-fbdir", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.environment = {**os.environ, "DISPLAY": f":{self.server.stdout.readline().strip()}"}
        content = np.memmap(folder / "Xvfb_screen0", np.uint8, "r")
        # An XWD file: a header of whole numbers, a table of colours, and the pixels.
        header = content[:100].view(">u4")
        start, line = header[0] + 12 * header[19], header[12]
        pixels = content[start : start + self.size * line].reshape(self.size, line // 4, 4)
        self.pixels = pixels[:, : self.size, :3]  # blue, green, red, as they are now

    def xdotool(self, *words):
        command = [require("xdotool"), *map(str, words)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE).stdout

    def stop(self):
        self.server.terminate()
        self.server.wait(PATIENCE)


class Window:
    """A running `digitlab draw`: its window, and a file instead of its terminal."""

    def __init__(self, screen, folder, command, **environment):
        self.screen = screen
        self._output, self._errors = folder / "output", folder / "errors"
        with self._output.open("w") as output, self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                command, env={**screen.environment, **environment}, stdout=output, stderr=errors
            )
        until(lambda: len(self.lines) == 2 or self.process.poll(), "it says how to use it")
        assert self.process.poll() is None, self.errors
        self.find()

    def find(self, other_than=None):
        """Find the window on the screen, and wait until it is painted."""
        search = ("search", "--onlyvisible", "--name", f"^{TITLE}$")
        self.number = until(lambda: self.screen.xdotool(*search).strip().replace(other_than or "-", ""), "it is open")
        place = self.screen.xdotool("getwindowgeometry", "--shell", self.number)
        self.x, self.y = (int(re.search(rf"^{axis}=(\d+)$", place, re.MULTILINE)[1]) for axis in "XY")
        until(lambda: np.array_equal(self.pixels[:CANVAS], Sheet().image()[:CANVAS]), "it is painted")

    @property
    def lines(self):
        return self._output.read_text().splitlines()

    @property
    def errors(self):
        return self._errors.read_text()

    @property
    def pixels(self):
        return self.screen.pixels[self.y : self.y + CANVAS + STRIP, self.x : self.x + CANVAS]

    def mouse(self, x, y, *then):
        self.screen.xdotool("mousemove", self.x + x, self.y + y, *then)

    def draw(self, digit):
        """Draw an example. Each point waits until the window shows the one before."""
        strokes = mouse_strokes(digit)
        for stroke in strokes:
            for number, (x, y) in enumerate(stroke):
                self.mouse(x, y, *(() if number else ("mousedown", 1)))
                until(lambda: self.pixels[y, x].min() == 255, "there is ink where the mouse is")  # noqa: B023
            self.screen.xdotool("mouseup", 1)
        return ink_of(strokes)

    def read(self, ink, recognizer):
        """Wait until the last line of the terminal is the prediction for an ink."""
        line = str(recognizer.predict(ink))
        until(lambda: self.lines[-1] == line, f"it says {line!r}")

    def clear(self):
        self.mouse(*CLEAR, "click", 1)
        until(lambda: self.lines[-1] == "cleared", "it says that it is cleared")

    def press_escape(self):
        # Not `key --window`: if the window closes before the key is released, the key stays pressed.
        self.mouse(10, 10, "key", "Escape")

    def close(self):
        """Send what the window's close button sends; this screen has no such button, and xdotool cannot."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(self.screen.environment["DISPLAY"].encode()))
        message = ClientMessage(type=33, window=int(self.number), format=32)
        message.message_type = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
        message.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
        x11.XSendEvent(display, ctypes.c_ulong(message.window), 0, ctypes.c_long(0), ctypes.byref(message))
        x11.XCloseDisplay(display)

    def status(self):
        return self.process.wait(PATIENCE)


class ClientMessage(ctypes.Structure):
    """Xlib's XClientMessageEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),
    )


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    require("xdotool")
    screen = Screen(tmp_path_factory.mktemp("screen"))
    yield screen
    screen.stop()


@pytest.fixture
def open_window(screen, tmp_path):
    windows = []

    def open_window(command=SCRIPT, **environment):
        windows.append(Window(screen, tmp_path, command, **environment))
        return windows[-1]

    yield open_window
    screen.xdotool("mouseup", 1)
    for window in windows:
        window.process.kill()
        window.process.wait()


@on_x11
def test_digits_drawn_with_the_mouse_are_read_in_the_terminal(open_window, recognizer):
    window = open_window([sys.executable, "-X", "importtime", "-m", "digitlab.draw_predict"])
    for digit in (3, 7, 1):
        ink = window.draw(digit)
        window.read(ink, recognizer)
        assert window.lines[-1].startswith(f"{digit} (")
        assert np.mean(window.pixels[:CANVAS] == 255) == pytest.approx(np.mean(ink.render(PEN) == 255), abs=0.01)
        window.clear()
        until(lambda: np.array_equal(window.pixels[:CANVAS], Sheet().image()[:CANVAS]), "the canvas is empty")
    window.press_escape()
    assert window.status() == 0
    assert all(line != following for line, following in pairwise(window.lines))
    assert re.search(r"\bcv2\b", window.errors)
    assert not re.search(r"\| +(tensorflow|keras|onnx|matplotlib|ipywidgets|IPython)\b", window.errors)


@on_x11
def test_the_command_opens_the_same_window_with_any_network(open_window, recognizer):
    window = open_window([*COMMAND, "--model", network_files(SHIPPED_NETWORK)[1]])
    window.read(window.draw(7), recognizer)
    window.press_escape()
    assert window.status() == 0
    assert window.errors == ""


@on_x11
def test_keys_undo_save_and_clear(open_window, recognizer, tmp_path):
    window = open_window(DIGITLAB_HOME=str(tmp_path))
    ink = window.draw(4)
    window.mouse(10, 10, "key", "u")
    ink.undo()
    window.read(ink, recognizer)
    until(lambda: np.mean(window.pixels[:CANVAS] == 255) < np.mean(ink.render(PEN) > 0) + 0.01, "the stroke is gone")
    window.mouse(10, 10, "key", "s")
    saved = tmp_path / "drawings" / "drawing-001.png"
    until(lambda: window.lines[-1] == f"Saved as {saved}.", "it says where the picture is")
    picture = cv2.imread(str(saved), cv2.IMREAD_GRAYSCALE)
    assert np.abs(picture.astype(int) - ink.render(PEN)).mean() < 1
    window.mouse(10, 10, "key", "c")
    until(lambda: window.lines[-1] == "cleared", "it says that it is cleared")
    window.mouse(10, 10, "key", "s")
    until(lambda: window.lines[-1] == "Draw something first.", "it says that there is nothing to save")
    window.press_escape()
    assert window.status() == 0
    assert window.errors == ""


@on_x11
def test_a_failed_save_is_reported_and_keeps_the_drawing(open_window, recognizer, tmp_path):
    (tmp_path / "drawings").write_text("This is a file, where a folder should be.")
    window = open_window(DIGITLAB_HOME=str(tmp_path))
    ink = window.draw(7)
    window.read(ink, recognizer)
    window.mouse(10, 10, "key", "s")
    until(lambda: "could not be saved" in window.lines[-1], "it says so")
    assert np.mean(window.pixels[:CANVAS] == 255) == pytest.approx(np.mean(ink.render(PEN) == 255), abs=0.01)


@on_x11
def test_the_close_button_works_on_a_wayland_desktop_too(open_window):
    window = open_window(QT_QPA_PLATFORM="wayland", XDG_SESSION_TYPE="wayland", WAYLAND_DISPLAY="wayland-0")
    window.close()
    assert window.status() == 0
    assert window.errors == ""


@on_x11
def test_ctrl_c_closes_the_window_during_a_stroke(open_window):
    window = open_window()
    window.mouse(100, 100, "mousedown", 1)
    until(lambda: len(window.lines) > 2, "it reads something")
    window.process.send_signal(signal.SIGINT)
    assert window.status() == 130
    assert window.errors.strip() == ""


@on_x11
def test_the_button_may_be_released_outside_the_window(open_window):
    window = open_window()
    window.mouse(100, 100, "mousedown", 1)
    window.mouse(200, 700, "mouseup", 1)
    window.mouse(300, 300)
    window.mouse(400, 400, "click", 1)
    until(lambda: window.pixels[400, 400].min() == 255, "there is a dot")
    assert window.pixels[300, 300].max() == 0
    window.clear()


@on_x11
@pytest.mark.parametrize("button", [4, 6], ids=["up", "sideways"])
def test_the_mouse_wheel_leaves_the_window_unzoomed(open_window, recognizer, button):
    window = open_window()
    before = window.number
    window.mouse(100, 100, "click", button)
    window.find(other_than=before)
    window.read(window.draw(3), recognizer)


@on_x11
@pytest.mark.parametrize("content", [None, b"", b"hello\n", network_files(SHIPPED_NETWORK)[1].read_bytes()[:100_000]])
def test_a_missing_or_broken_network_gives_one_clear_line(screen, tmp_path, content):
    file = tmp_path / "mine.onnx"
    if content is not None:
        file.write_bytes(content)
    done = subprocess.run(
        [*COMMAND, "--model", file.with_suffix("")],
        env=screen.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"digitlab draw: .*mine\.onnx.*digitlab train --output .*mine\n", done.stderr)


# Without a screen


@on_x11
@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "DISPLAY is not set"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "Xwayland"),
        ({"DISPLAY": ":9999"}, "DISPLAY is :9999, and nothing answers"),
        ({"DISPLAY": "localhost:9999.0"}, "DISPLAY is localhost:9999.0, and nothing answers"),
        ({"DISPLAY": "nonsense"}, "DISPLAY is nonsense, and nothing answers"),
    ],
)
def test_without_a_screen_it_says_so_in_one_line(environment, reason):
    others = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    done = subprocess.run(SCRIPT, env=others | environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"digitlab draw: .*digitlab lab\n", done.stderr)
    assert reason in done.stderr


@on_x11
def test_a_screen_that_never_answers_does_not_block(monkeypatch):
    """As the screen of an ssh connection that has died: it accepts, and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if (number := server.getsockname()[1] - 6000) < 0:
            pytest.skip("the port is too low for a screen's number")
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{number}")
        monkeypatch.setattr(screen_module, "SECONDS", 0.5)
        assert f"DISPLAY is 127.0.0.1:{number}, and nothing answers there" in no_screen()


@on_x11
def test_a_screen_is_found(screen, monkeypatch):
    monkeypatch.setenv("DISPLAY", screen.environment["DISPLAY"])
    assert no_screen() is None


@on_x11
def test_a_missing_library_of_the_window_is_named(screen, monkeypatch):
    load = screen_module.ctypes.CDLL

    def without_libsm(name):
        if "libSM" in name:
            raise OSError(f"{name}: cannot open shared object file")
        return load(name)

    monkeypatch.setenv("DISPLAY", screen.environment["DISPLAY"])
    monkeypatch.setattr(screen_module.ctypes, "CDLL", without_libsm)
    assert re.search(r"missing \(libSM\.so\.6.*sudo apt-get install -y .*libsm6", no_screen())


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macs_have_a_screen(monkeypatch, platform):
    monkeypatch.setattr(screen_module.sys, "platform", platform)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert no_screen() is None


def test_looking_for_a_screen_imports_neither_opencv_nor_numpy():
    code = "import sys, digitlab.draw_predict; sys.exit(bool({'cv2', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The sheet: what the mouse does


@pytest.fixture
def sheet():
    return Sheet()


def draw(sheet, strokes):
    for (x0, y0), *others in strokes:
        sheet.mouse(cv2.EVENT_LBUTTONDOWN, x0, y0, HELD)
        for x, y in others:
            sheet.mouse(cv2.EVENT_MOUSEMOVE, x, y, HELD)
        sheet.mouse(cv2.EVENT_LBUTTONUP, *(others or [(x0, y0)])[-1], HELD)


def test_what_was_cleared_before_it_was_shown_stays_away(sheet):
    draw(sheet, [*mouse_strokes(8), [CLEAR], [(100, 100)]])
    other = Sheet()
    draw(other, [[(100, 100)]])
    assert np.array_equal(sheet.image()[:CANVAS], other.image()[:CANVAS])


def test_a_hand_that_leaves_the_canvas_and_returns_elsewhere_leaves_no_line_between(sheet):
    draw(sheet, [[(240, 240), (600, 240), (240, 60)]])
    there, back = sheet.ink.strokes
    assert there.tolist() == [[240.5, 240.5], [479.5, 240.5]]
    assert back[-1].tolist() == [240.5, 60.5]
    assert back[0][0] == 479.5


def has_ink(sheet):
    return bool(sheet.image()[:CANVAS].max() == 255)


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_is_prepared_as_on_any_other_canvas(sheet, digit):
    strokes = mouse_strokes(digit)
    draw(sheet, strokes)
    elsewhere = Ink([stroke / 2 for stroke in ink_of(strokes).strokes], (CANVAS / 2, CANVAS / 2))
    assert np.array_equal(prepare(sheet.ink), prepare(elsewhere))


def test_the_image_shows_the_ink_until_clear(sheet):
    empty = sheet.image()
    assert empty.shape == (CANVAS + STRIP, CANVAS, 3)
    left, upper, right, lower = BUTTON
    assert (empty[upper:lower, left:right].min(axis=2) > 250).sum() > 200  # The white word on the button.
    assert not has_ink(sheet)
    strokes = mouse_strokes(8)
    for number in range(len(strokes)):
        draw(sheet, strokes[number : number + 1])
        sheet.image()
    canvas = sheet.image()[:CANVAS]
    assert np.abs(canvas - sheet.ink.render(PEN)[..., np.newaxis].astype(int)).mean() < 1
    draw(sheet, [[CLEAR]])
    assert not sheet.ink
    assert np.array_equal(sheet.image()[:CANVAS], empty[:CANVAS])


def test_undo_removes_the_last_stroke_even_while_it_is_drawn(sheet):
    draw(sheet, mouse_strokes(4)[:1])
    before = sheet.image()
    sheet.mouse(cv2.EVENT_LBUTTONDOWN, 50, 50, HELD)
    sheet.mouse(cv2.EVENT_MOUSEMOVE, 90, 300, HELD)
    assert not np.array_equal(sheet.image(), before)
    sheet.undo()
    assert np.abs(sheet.image().astype(int) - before).mean() < 0.1
    sheet.mouse(cv2.EVENT_MOUSEMOVE, 200, 300, HELD)
    assert len(sheet.ink.strokes) == 1
    sheet.undo()
    sheet.undo()
    assert np.array_equal(sheet.image(), Sheet().image())


def test_clear_needs_press_and_release_on_the_button(sheet):
    draw(sheet, [[(100, 100)]])
    still = sheet.image()[CANVAS:]
    sheet.mouse(cv2.EVENT_MOUSEMOVE, *CLEAR)
    hover = sheet.image()[CANVAS:]
    sheet.mouse(cv2.EVENT_LBUTTONDOWN, *CLEAR, HELD)
    pressed = sheet.image()[CANVAS:]
    assert still.mean() != hover.mean() != pressed.mean() != still.mean()
    sheet.mouse(cv2.EVENT_MOUSEMOVE, 200, 200, HELD)
    sheet.mouse(cv2.EVENT_LBUTTONUP, 200, 200, HELD)
    assert len(sheet.ink.strokes) == 1  # Released elsewhere: this neither clears nor draws.
    draw(sheet, [[(200, 200), CLEAR]])
    assert len(sheet.ink.strokes) == 2  # A stroke that ends on the button is a stroke.
    draw(sheet, [[CLEAR]])
    assert not sheet.ink


def test_only_ink_on_the_canvas_is_read(sheet):
    draw(sheet, [[(240, 400), (240, 560), (300, 560), (300, 400), (300, 1000)]])
    down, up = sheet.ink.strokes
    assert down.tolist() == [[240.5, 400.5], [240.5, CANVAS - 0.5]]
    assert up.tolist() == [[300.5, CANVAS - 0.5], [300.5, 400.5], [300.5, CANVAS - 0.5]]


def test_a_fast_hand_across_the_canvas_leaves_a_line(sheet):
    draw(sheet, [[(240, 485), (530, 195)], [(-50, 240), (530, 240)]])
    assert [stroke.tolist() for stroke in sheet.ink.strokes] == [
        [[246.5, 479.5], [479.5, 246.5]],
        [[0.5, 240.5], [479.5, 240.5]],
    ]


def test_a_release_outside_the_window_ends_the_stroke(sheet):
    sheet.mouse(cv2.EVENT_LBUTTONDOWN, 100, 100, HELD)
    sheet.mouse(cv2.EVENT_MOUSEMOVE, 100, 900, HELD)
    assert sheet.mouse(cv2.EVENT_MOUSEMOVE, 200, 200, 0)  # A stroke has ended: the terminal must say what is read.
    sheet.mouse(cv2.EVENT_MOUSEMOVE, 300, 300, 0)
    assert not sheet.drawing
    assert [len(stroke) for stroke in sheet.ink.strokes] == [2]


@pytest.mark.parametrize("with_a_press", [False, True])
def test_a_double_click_starts_a_second_stroke(sheet, with_a_press):
    draw(sheet, [[(100, 100), (120, 100)]])
    sheet.mouse(cv2.EVENT_LBUTTONDBLCLK, 100, 110, HELD)
    if with_a_press:
        sheet.mouse(cv2.EVENT_LBUTTONDOWN, 100, 110, HELD)
    sheet.mouse(cv2.EVENT_MOUSEMOVE, 120, 110, HELD)
    sheet.mouse(cv2.EVENT_LBUTTONUP, 120, 110, HELD)
    assert [len(stroke) for stroke in sheet.ink.strokes] == [2, 2]


coordinates = st.integers(-2000, 2000) | st.integers(0, CANVAS + STRIP)


def test_a_key_during_a_stroke_ends_the_stroke(sheet):
    for key in (Sheet.clear, Sheet.undo):
        sheet.mouse(cv2.EVENT_LBUTTONDOWN, 100, 110, HELD)
        sheet.mouse(cv2.EVENT_MOUSEMOVE, 120, 110, HELD)
        key(sheet)
        sheet.mouse(cv2.EVENT_MOUSEMOVE, 140, 110, HELD)
        sheet.mouse(cv2.EVENT_LBUTTONUP, 140, 110, HELD)
        assert not sheet.ink


mouse_events = st.tuples(st.integers(0, 11), coordinates, coordinates, st.integers(0, 63))


@given(st.lists(mouse_events | st.sampled_from([Sheet.clear, Sheet.undo])))
def test_any_series_of_mouse_events_and_keys_leaves_a_valid_sheet(events):
    sheet = Sheet()
    for event in events:
        event(sheet) if callable(event) else sheet.mouse(*event)
        assert sheet.image().shape == (CANVAS + STRIP, CANVAS, 3)
    assert has_ink(sheet) == bool(sheet.ink)
    for stroke in sheet.ink.strokes:
        assert stroke.min() >= 0
        assert stroke.max() <= CANVAS


# What the terminal says


def test_a_line_is_printed_when_the_answer_changes(sheet, recognizer, capsys):
    reporter = Reporter(recognizer)
    (stroke,) = mouse_strokes(3)
    ink = ink_of([stroke])
    for length in range(1, len(stroke) + 1):
        reporter.report(Ink([ink.strokes[0][:length]], ink.size), drawing=True)
    digits = [line.split(" ")[0] for line in capsys.readouterr().out.splitlines()]
    assert 1 < len(digits) < len(stroke)
    assert digits[-1] == "3"
    assert all(digit != following for digit, following in pairwise(digits))
    for _ in range(2):
        reporter.report(ink, drawing=False)
    assert capsys.readouterr().out.splitlines() in ([], [str(recognizer.predict(ink))])
    for _ in range(2):
        reporter.report(Ink(), drawing=False)
    assert capsys.readouterr().out == "cleared\n"


def test_clearing_an_empty_sheet_prints_nothing(sheet, recognizer, capsys):
    Reporter(recognizer).report(Ink(), drawing=False)
    assert capsys.readouterr().out == ""
