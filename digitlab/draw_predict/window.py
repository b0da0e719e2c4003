"""The window on the desktop: a canvas and a Clear button, shown by OpenCV.

`Sheet` turns mouse events into a drawing and an image of it. `Reporter` prints in the terminal what is read. Neither
needs a screen. `show` opens the window with both.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time

import cv2
import numpy as np

from digitlab.draw_predict.screen import KEYS
from digitlab.ink import CANVAS as NOTEBOOK_CANVAS
from digitlab.ink import PEN as NOTEBOOK_PEN
from digitlab.ink import Ink, draw_strokes, save_image
from digitlab.paths import shown
from digitlab.recognizer import Recognizer

TITLE = "digitlab: draw a digit"

CANVAS = 480
"""Width and height of the canvas in the window, in pixels."""

STRIP = 88
"""Height of the strip below it, where the Clear button is, in pixels."""

PEN = NOTEBOOK_PEN * CANVAS / NOTEBOOK_CANVAS
"""Width of the pen, in pixels: the same share of the canvas as in the notebook."""

BUTTON = (12, CANVAS + 12, CANVAS - 12, CANVAS + STRIP - 12)
"""The Clear button: its left, upper, right and lower edges, in pixels of the window."""

# Blue, green, red: OpenCV's order.
_STRIP_COLOUR = (225, 225, 225)
_BUTTON_COLOURS = {"still": (160, 80, 0), "hover": (200, 110, 20), "pressed": (100, 45, 0)}
_WHITE = (255, 255, 255)
_HINT_COLOUR = (140, 140, 140)

_ESCAPE = 27
_WAIT_MILLISECONDS = 15
_UNZOOM_AFTER_SECONDS = 0.3


class Sheet:
    """A canvas and a Clear button: what the mouse does to them, and how they look."""

    def __init__(self):
        self.ink = Ink(size=(CANVAS, CANVAS))
        self.drawing = False
        """Whether the pen is down: the mouse button was pressed on the canvas and is held."""
        self._pressing = False  # Whether the mouse button was pressed on Clear and is held.
        self._hovering = False
        self._last = None  # The last position of the mouse.
        self._on_canvas = False  # Whether the last stroke goes on from there.
        self._unpainted = []
        self._canvas = np.zeros((CANVAS, CANVAS), np.uint8)
        self._empty_canvas = _empty_canvas()
        self._strips = {state: _strip(colour) for state, colour in _BUTTON_COLOURS.items()}

    def mouse(self, event, x, y, flags=0):
        """Handle a mouse event.

        Parameters
        ----------
        event, x, y, flags : int
            The arguments of OpenCV's mouse callback; x and y may lie outside the window.

        Returns
        -------
        bool
            Whether there is something to read: the ink changed, or a stroke ended.
        """
        here = (x, y)
        changed = False
        # Windows reports a second click soon after the first only as a double click; other systems report both.
        if event in (cv2.EVENT_LBUTTONDOWN, cv2.EVENT_LBUTTONDBLCLK):
            if not (self.drawing or self._pressing):
                self._pressing = _on_button(here)
                self.drawing = not self._pressing
                self._on_canvas = False
                changed = self.drawing and self._draw(here, here)
        elif event == cv2.EVENT_LBUTTONUP:
            if self.drawing:
                self._draw(self._last, here)
                changed = True
            elif self._pressing and _on_button(here):
                self.clear()
                changed = True
            self.drawing = self._pressing = False
        elif event != cv2.EVENT_MOUSEMOVE:
            return False
        elif self.drawing and flags & cv2.EVENT_FLAG_LBUTTON:
            changed = self._draw(self._last, here)
        elif not flags & cv2.EVENT_FLAG_LBUTTON:
            # Some systems do not report that the button was released outside the window.
            changed = self.drawing
            self.drawing = self._pressing = False
        self._last = here
        self._hovering = _on_button(here) and not self.drawing
        return changed

    def clear(self):
        """Remove all strokes."""
        self.drawing = False
        self.ink.clear()
        self._canvas[:] = 0
        self._unpainted.clear()

    def undo(self):
        """Remove the last stroke."""
        self.drawing = False
        self.ink.undo()
        self._canvas[:] = 0
        self._unpainted[:] = self.ink.strokes

    def image(self) -> np.ndarray:
        """Return what the window shows: uint8 (CANVAS + STRIP, CANVAS, 3), blue, green, red."""
        if self._unpainted:
            # Only the new lines are drawn, so that a long drawing is as fast as a short one.
            new = draw_strokes(self._unpainted, (CANVAS, CANVAS), PEN, detail=2)
            np.maximum(self._canvas, new, out=self._canvas)
            self._unpainted.clear()
        canvas = cv2.cvtColor(self._canvas, cv2.COLOR_GRAY2BGR) if self.ink else self._empty_canvas
        state = "still" if not self._hovering else "pressed" if self._pressing else "hover"
        return np.concatenate([canvas, self._strips[state]])

    def _draw(self, start, end):
        """Draw the part of a straight line that lies on the canvas, so that only visible ink is read."""
        crosses, first, last = cv2.clipLine((0, 0, CANVAS, CANVAS), start, end)
        if not crosses:
            self._on_canvas = False
            return False
        # Pixel p has its middle at p + 0.5.
        line = np.array([first, last]) + 0.5
        if not self._on_canvas:
            self.ink.start(*line[0])
        if first != last:
            self.ink.extend(*line[1])
        self._on_canvas = last == end
        self._unpainted.append(line)
        return True


class Reporter:
    """Prints in the terminal what is read, one line each time this changes.

    Parameters
    ----------
    recognizer : Recognizer
    """

    def __init__(self, recognizer: Recognizer):
        self._recognizer = recognizer
        self._reading = (None, "empty")
        self._line = "cleared"

    def report(self, ink: Ink, drawing: bool):
        """Read an ink, and print a line if the answer has changed.

        Parameters
        ----------
        ink : Ink
        drawing : bool
            Whether a stroke is still being drawn: then a new confidence alone does not count as a change.
        """
        prediction = self._recognizer.predict(ink)
        reading = (prediction.digit, prediction.reason)
        line = str(prediction) if ink else "cleared"
        if reading != self._reading or (line != self._line and not drawing):
            self._reading, self._line = reading, line
            print(line, flush=True)


def show(recognizer: Recognizer):
    """Open the window and wait until ESC is pressed or it is closed.

    Parameters
    ----------
    recognizer : Recognizer

    Raises
    ------
    KeyboardInterrupt
        Where Ctrl-C was pressed in the terminal. The window is closed first.
    """
    _make_qt_work()
    interrupted = []
    # Not as an exception: it could be raised within the mouse callback, where OpenCV swallows it.
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
    try:
        _loop(Sheet(), Reporter(recognizer), interrupted)
    finally:
        cv2.destroyAllWindows()
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt


def _make_qt_work():
    """Work around two faults of the Qt that OpenCV brings on Linux; call this before the first window is opened."""
    if not sys.platform.startswith("linux"):
        return
    # This Qt can only use X11. Some desktops set another platform, with which it ends the process.
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    # Its libX11-xcb was made for an older libX11 than most systems have, and overwrites a wrong field of it. Events
    # are lost then, and about one window in ten stays blank. The system's own libX11-xcb fits. Because it is loaded
    # first and globally, Qt uses it.
    with contextlib.suppress(OSError):
        ctypes.CDLL("libX11-xcb.so.1", ctypes.RTLD_GLOBAL)


def _loop(sheet, reporter, interrupted):
    events = []
    _open(events)
    cv2.imshow(TITLE, sheet.image())
    print("Draw a digit in the window with the left mouse button; what is read appears here.")
    print(f"{KEYS} The Clear button clears too.", flush=True)
    wheel_turned = None
    while not interrupted:
        # This comes first: imshow would open a closed window again.
        key = cv2.waitKey(_WAIT_MILLISECONDS)
        if key == _ESCAPE or not _is_open():
            return
        if key in _KEYS:
            _KEYS[key](sheet)
            cv2.imshow(TITLE, sheet.image())
            reporter.report(sheet.ink, drawing=False)
        if any(event in (cv2.EVENT_MOUSEWHEEL, cv2.EVENT_MOUSEHWHEEL) for event, *_ in events):
            wheel_turned = time.monotonic()
        elif wheel_turned and time.monotonic() > wheel_turned + _UNZOOM_AFTER_SECONDS and not sheet.drawing:
            _reopen(events)
            cv2.imshow(TITLE, sheet.image())
            wheel_turned = None
        if events:
            # All events since the last time are read together: a fast hand makes many.
            changes = [sheet.mouse(*event) for event in events]
            events.clear()
            cv2.imshow(TITLE, sheet.image())
            if any(changes):
                reporter.report(sheet.ink, sheet.drawing)


def _save(sheet):
    try:
        print(f"Saved as {shown(save_image(sheet.ink))}.", flush=True)
    except ValueError as error:
        print(error, flush=True)
    except OSError as error:
        print(f"The picture could not be saved ({error}); the drawing is still in the window.", flush=True)


_KEYS = {ord("c"): Sheet.clear, ord("u"): Sheet.undo, ord("s"): _save}


def _open(events):
    cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
    # OpenCV swallows exceptions in a callback, so this one only stores the event.
    cv2.setMouseCallback(TITLE, lambda event, x, y, flags, _: events.append((event, x, y, flags)))


def _reopen(events):
    """Close the window and open it again: in Qt the mouse wheel zooms it, and nothing else undoes that."""
    if cv2.currentUIFramework() == "QT":
        x, y, _, _ = cv2.getWindowImageRect(TITLE)
        cv2.destroyWindow(TITLE)
        _open(events)
        cv2.moveWindow(TITLE, x, y)


def _is_open():
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        return False


def _on_button(point):
    left, upper, right, lower = BUTTON
    return left <= point[0] < right and upper <= point[1] < lower


def _empty_canvas():
    canvas = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    _write(canvas, "Draw a digit here", (CANVAS / 2, CANVAS / 2), 30, _HINT_COLOUR, weight=400)
    return canvas


def _strip(colour):
    """Return the strip with the Clear button in one colour."""
    left, upper, right, lower = BUTTON
    height = lower - upper
    middle = (upper + lower) / 2 - CANVAS
    # A line with a thick round pen is a button with round ends.
    line = np.array([(left + height / 2, middle), (right - height / 2, middle)])
    share = draw_strokes([line], (CANVAS, STRIP), height, detail=2)[..., np.newaxis] / 255
    strip = np.rint(share * colour + (1 - share) * _STRIP_COLOUR).astype(np.uint8)
    _write(strip, "Clear", (CANVAS / 2, middle), 32, _WHITE, weight=600)
    return strip


def _write(image, text, middle, size, colour, weight):
    """Write a line of text with the middle of its capital letters, as wide as the line, at a point."""
    font = cv2.FontFace("sans")
    left, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), font, size, weight)
    capitals = 0.7 * size
    corner = round(middle[0] - left - width / 2), round(middle[1] + capitals / 2)
    cv2.putText(image, text, corner, colour, font, size, weight)
