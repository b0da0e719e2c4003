"""The canvas of a drawing pad: what the mouse, a finger or the keyboard does on it becomes strokes.

The strokes are kept here, as an `Ink`. The browser's canvas only shows them; nothing is ever read back from it.
"""

import os
import threading
from collections.abc import Callable

import ipywidgets
import numpy as np
from ipycanvas import Canvas, hold_canvas

from digitlab.ink import CANVAS, PEN, Ink

LOCK = threading.RLock()
"""One lock for all canvases: ipycanvas sends their commands through one queue, and the messages of a page are handled
on another thread while a cell is running."""

_PAPER_COLOUR, _INK_COLOUR = "black", "white"
_SHARPNESS = 2
"""Pixels of the browser's canvas for each pixel of the ink, so that lines look sharp."""


class Pen:
    """A canvas in the browser, and the drawing on it.

    Parameters
    ----------
    on_change : callable
        Called after each new point. It must be quick: it is called while the browser's messages are handled.
    trackpad : bool
        Whether there is a switch for trackpads.

    Attributes
    ----------
    ink : Ink
        What is drawn.
    widget : ipywidgets.Widget
        The canvas in its frame, to be shown.
    shortcuts : dict of str to callable
        What each key does while the canvas has the focus: by the browser's name for the key, with "Ctrl+" before it
        where Ctrl or the Mac's command key is held.
    switches : list of ipywidgets.ToggleButton
        The switch for trackpads, if there is one. While it is on, a click starts a stroke and the next click ends it.
    """

    def __init__(self, on_change: Callable[[], None], trackpad: bool = False):
        self.ink = Ink()
        self.shortcuts = {}
        self._on_change = on_change
        self._is_down = False
        self._canvas = Canvas(
            width=CANVAS * _SHARPNESS,
            height=CANVAS * _SHARPNESS,
            layout={"width": f"{CANVAS}px", "height": f"{CANVAS}px"},
        )
        # The frame is a box of its own, because a border of the canvas would shift what is drawn.
        self.widget = ipywidgets.Box([self._canvas])
        self.widget.add_class("digitlab-frame")
        self._by_clicks = ipywidgets.ToggleButton(
            value=os.environ.get("DIGITLAB_TRACKPAD") == "1",
            description="Click to start and to end a stroke",
            tooltip="For trackpads: you need not hold the button while you draw",
        )
        self._by_clicks.observe(lambda change: self.up(), "value")
        self.switches = [self._by_clicks] if trackpad or self._by_clicks.value else []
        self._listen()
        self._redraw()

    def copy(self) -> Ink:
        """Return a copy of the drawing."""
        with LOCK:
            return self.ink.copy()

    def down(self, x: float, y: float):
        """Put the pen down at (x, y) and start a stroke; if it is down already, do nothing."""
        with LOCK:
            if self._is_down:
                return
            self._is_down = True
            self.ink.start(x, y)
            self._canvas.fill_circle(x, y, PEN / 2)
            self._on_change()

    def move(self, x: float, y: float):
        """Move the pen to (x, y); if it is up, do nothing."""
        with LOCK:
            if not self._is_down or self.ink.strokes[-1][-1].tolist() == [x, y]:
                return
            self.ink.extend(x, y)
            # The line ends half way to the new point: its curve depends on the point after that.
            self._canvas.stroke_lines(smooth_curve(self.ink.strokes[-1][-3:]))
            self._on_change()

    def up(self):
        """Lift the pen and end the stroke."""
        with LOCK:
            if self._is_down and len(self.ink.strokes[-1]) > 1:
                before, last = self.ink.strokes[-1][-2:]
                self._canvas.stroke_line(*(before + last) / 2, *last)
            self._is_down = False

    def undo(self):
        """Remove the last stroke."""
        with LOCK:
            self._is_down = False
            self.ink.undo()
            self._redraw()

    def clear(self):
        """Remove all strokes."""
        with LOCK:
            self._is_down = False
            self.ink.clear()
            self._redraw()

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

    def _listen(self):
        canvas = self._canvas

        def scaled(handle):
            return lambda x, y: handle(x / _SHARPNESS, y / _SHARPNESS)

        def scaled_touches(handle):
            return lambda touches: handle([(x / _SHARPNESS, y / _SHARPNESS) for x, y in touches])

        canvas.on_mouse_down(scaled(self._mouse_down))
        canvas.on_mouse_move(scaled(self.move))
        canvas.on_mouse_up(scaled(self._mouse_up))
        canvas.on_mouse_out(scaled(self._leave))
        canvas.on_touch_start(scaled_touches(self._touch_start))
        canvas.on_touch_move(scaled_touches(self._touch_move))
        canvas.on_touch_end(scaled_touches(self._touch_end))
        canvas.on_touch_cancel(lambda touches: self.up())
        canvas.on_key_down(self._key_down)
        # The canvas of a page that was loaded again is blank.
        canvas.on_client_ready(self._redraw)

    def _mouse_down(self, x, y):
        if self._is_down and self._by_clicks.value:
            self.up()
        else:
            self.down(x, y)

    def _mouse_up(self, x, y):
        if not self._by_clicks.value:
            self.move(x, y)
            self.up()

    def _leave(self, x, y):
        # The stroke goes on to the edge and ends there.
        self.move(*np.clip((x, y), 0, CANVAS).tolist())
        self.up()

    def _touch_start(self, touches):
        if len(touches) == 1:
            self.down(*touches[0])

    def _touch_move(self, touches):
        x, y = touches[0]
        if 0 <= x <= CANVAS and 0 <= y <= CANVAS:
            self.move(x, y)
        else:
            self._leave(x, y)

    def _touch_end(self, touches):
        with LOCK:
            # The event lists the fingers that are still down. If the one that draws is among them, the stroke goes on.
            if self._is_down and touches:
                last = self.ink.strokes[-1][-1]
                if np.hypot(*(last - touches[0])) < PEN:
                    return
            self.up()

    def _key_down(self, key, shift, ctrl, meta):
        name = f"Ctrl+{key}" if ctrl or meta else f"Shift+{key}" if shift and key == "Tab" else key
        if name == "Shift+Tab":
            self._canvas.blur()
        elif name in self.shortcuts:
            self.shortcuts[name]()


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
