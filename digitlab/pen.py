"""The canvas of a drawing pad, and the pen on it.

The pen (pen.js) draws in the browser at once, and sends its points in batches. The strokes are kept here, as an `Ink`,
and Python draws them on the canvas below the pen. Nothing is ever read back from the browser's canvas.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import traitlets
from ipycanvas import Canvas, hold_canvas
from ipykernel.comm.comm import BaseComm

from digitlab.ink import CANVAS, PEN, Ink

LOCK = threading.RLock()
"""One lock for all canvases: ipycanvas sends their commands through one queue, and the messages of a page are handled
on another thread while a cell is running."""

_PAPER_COLOUR, _INK_COLOUR = "black", "white"
_SHARPNESS = 2
"""Pixels of the browser's canvas for each pixel of the ink, so that lines look sharp."""

_PYTHON = "Python"

# JupyterLab sends the messages of widgets to a thread of the kernel that is free while a cell runs. ipykernel 7.4 hands
# them to the thread that last wrote to the widget instead, which is often the busy one: no pad would answer.
BaseComm._reply_subshell_for = lambda comm, data, chosen_by_page: chosen_by_page


class Pen:
    """A canvas in the browser with a pen, and the drawing on it.

    Parameters
    ----------
    on_change : callable
        Called after new points. It must be quick: it is called while the browser's messages are handled.
    trackpad : bool
        Whether there is a switch for trackpads.

    Attributes
    ----------
    ink : Ink
        What is drawn.
    widget : ipywidgets.Widget
        The canvas in its frame, to be shown.
    switches : list of ipywidgets.ToggleButton
        The switch for trackpads, if there is one. While it is on, a click starts a stroke and the next click ends it.
    """

    def __init__(self, on_change: Callable[[], None], trackpad: bool = False):
        self.ink = Ink()
        self._on_change = on_change
        self._shortcuts = {}
        self._progress = {}  # What has arrived from each view of the pen, by the view's id.
        self._drawer = None  # The view that draws the last stroke, or _PYTHON; None while the pen is up.
        self._canvas = Canvas(
            width=CANVAS * _SHARPNESS,
            height=CANVAS * _SHARPNESS,
            layout={"width": f"{CANVAS}px", "height": f"{CANVAS}px"},
        )
        # The canvas of a page that was loaded again is blank.
        self._canvas.on_client_ready(self._redraw)
        by_clicks = ipywidgets.ToggleButton(
            value=os.environ.get("DIGITLAB_TRACKPAD") == "1",
            description="Click to start and to end a stroke",
            tooltip="For trackpads: you need not hold the button while you draw",
        )
        self.switches = [by_clicks] if trackpad or by_clicks.value else []
        self._layer = _PenLayer(by_clicks=by_clicks.value)
        self._layer.on_msg(self._receive)
        if self.switches:
            # Linked in the page: by way of Python the switch would be later than the next click.
            ipywidgets.jslink((by_clicks, "value"), (self._layer, "by_clicks"))
        # The frame is a box of its own, because a border of the canvas would shift what is drawn.
        self.widget = ipywidgets.Box([self._canvas, self._layer])
        self.widget.add_class("digitlab-frame")
        self._redraw()

    def copy(self) -> Ink:
        """Return a copy of the drawing."""
        with LOCK:
            return self.ink.copy()

    def on_key(self, key: str, callback: Callable[[], None]):
        """Have a function called when a key is pressed while the canvas has the focus.

        Parameters
        ----------
        key : str
            The browser's name for it, with "Ctrl+" before it where Ctrl or the Mac's command key is held.
        callback : callable
        """
        self._shortcuts[key] = callback
        self._layer.shortcuts = [*self._shortcuts]

    def down(self, x: float, y: float):
        """Put the pen down at (x, y) and start a stroke; one that a hand is drawing ends."""
        with LOCK:
            self._tell_page_to_end()
            self._start(_PYTHON, x, y)
            self._on_change()

    def move(self, x: float, y: float):
        """Move the pen to (x, y); if it was lifted meanwhile, do nothing."""
        with LOCK:
            if self._drawer == _PYTHON:
                self._extend([(x, y)])
                self._on_change()

    def up(self):
        """Lift the pen and end the stroke that `down` started; a hand that has begun another since then draws on."""
        with LOCK:
            if self._drawer == _PYTHON:
                self._end()

    def undo(self):
        """Remove the last stroke."""
        with LOCK:
            self._cut()
            self.ink.undo()
            self._redraw()

    def clear(self):
        """Remove all strokes."""
        with LOCK:
            self._cut()
            self.ink.clear()
            self._redraw()

    def _start(self, drawer, x, y):
        self._end()
        self.ink.start(x, y)
        self._drawer = drawer
        self._canvas.fill_circle(x, y, PEN / 2)

    def _extend(self, points):
        for x, y in points:
            self.ink.extend(x, y)
        # The line ends half way to the last point: its curve depends on the point after that.
        self._canvas.stroke_lines(smooth_curve(self.ink.strokes[-1][-len(points) - 2 :]))

    def _end(self):
        """End the stroke that is being drawn."""
        if self._drawer is not None and self.ink and len(self.ink.strokes[-1]) > 1:
            before, last = self.ink.strokes[-1][-2:]
            self._canvas.stroke_line(*(before + last) / 2, *last)
        self._drawer = None

    def _cut(self):
        """End the stroke that is being drawn, on the page too."""
        self._tell_page_to_end()
        self._drawer = None

    def _tell_page_to_end(self):
        if self._drawer in self._progress:
            stroke = self._progress[self._drawer].stroke
            self._layer.send({"type": "cut", "pen": self._drawer, "stroke": stroke})

    def _receive(self, layer, content, buffers):
        """Handle a message of pen.js."""
        if content["type"] == "key":
            if callback := self._shortcuts.get(content["key"]):
                callback()
            return
        pen = content["pen"]
        with LOCK:
            progress = self._progress.setdefault(pen, _Progress())
            with hold_canvas():
                for part in content["parts"]:
                    if part["stroke"] == progress.stroke and part["from"] <= progress.count:
                        self._receive_part(pen, progress, part)
            layer.send({"type": "answer", "pen": pen, "batch": content["batch"], **vars(progress)})
            self._on_change()

    def _receive_part(self, pen, progress, part):
        points = part["points"][progress.count - part["from"] :]
        if points and progress.count == 0:
            self._start(pen, *points[0])
            progress.count = 1
            points = points[1:]
        if self._drawer == pen:  # Otherwise this stroke was ended by Clear, Undo or another hand.
            if points:
                self._extend(points)
            if part["dropped"]:
                self.undo()
            elif part["ended"]:
                self._end()
        progress.count += len(points)
        if part["ended"]:
            progress.stroke, progress.count = progress.stroke + 1, 0

    def _redraw(self):
        canvas = self._canvas
        with LOCK, hold_canvas():
            # ipycanvas names the canvas in its messages only after another one was drawn on. A page that was loaded
            # again has not heard that name, and would draw nothing.
            canvas._canvas_manager._current_canvas = None
            canvas.set_transform(_SHARPNESS, 0, 0, _SHARPNESS, 0, 0)
            canvas.fill_style = _PAPER_COLOUR
            canvas.fill_rect(0, 0, CANVAS, CANVAS)
            canvas.fill_style = canvas.stroke_style = _INK_COLOUR
            canvas.line_width = PEN
            canvas.line_cap = canvas.line_join = "round"
            for stroke in self.ink.strokes:
                canvas.fill_circle(*stroke[0], PEN / 2)
                if len(stroke) > 1:
                    canvas.stroke_lines(np.concatenate([stroke[:1], smooth_curve(stroke), stroke[-1:]]))


class _PenLayer(anywidget.AnyWidget):
    """The transparent layer above the canvas: it takes the events of the mouse, the finger, the stylus and the keys."""

    _esm = Path(__file__).with_name("pen.js").read_text("utf-8")
    size = traitlets.Int(CANVAS).tag(sync=True)
    width = traitlets.Int(PEN).tag(sync=True)
    color = traitlets.Unicode(_INK_COLOUR).tag(sync=True)
    by_clicks = traitlets.Bool(False).tag(sync=True)
    shortcuts = traitlets.List().tag(sync=True)
    shown = traitlets.Bool(False).tag(sync=True)


@dataclass
class _Progress:
    """What has arrived from one view of the pen: whole strokes, and points of the stroke after them."""

    stroke: int = 0
    count: int = 0


def smooth_curve(points: np.ndarray) -> np.ndarray:
    """Return a smooth curve along points; a mouse reports few points, and straight lines between them would show.

    Parameters
    ----------
    points : float array (n, 2)
        At least two. Between the midpoints of two neighbouring segments the curve is a parabola, and the segments are
        its tangents. For two points it is the first half of the line between them.

    Returns
    -------
    float array (m, 2)
    """
    midpoints = (points[:-1] + points[1:]) / 2
    if len(points) == 2:
        return np.stack([points[0], midpoints[0]])
    t = np.linspace(0, 1, 5)[:, np.newaxis]
    parts = zip(midpoints[:-1], points[1:-1], midpoints[1:], strict=True)
    return np.concatenate([(1 - t) ** 2 * start + 2 * t * (1 - t) * point + t**2 * end for start, point, end in parts])
