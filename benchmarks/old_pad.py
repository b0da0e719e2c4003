"""The pad as it was before the pen drew in the browser, for benchmarks/latency.py to compare with.

Each event of the mouse is a message of its own, Python draws the line, and each answer is a page of HTML.
"""

import base64
import threading
import time

import cv2
import ipywidgets
from ipycanvas import Canvas

from digitlab import Ink, Recognizer
from digitlab.ink import CANVAS, PEN


class OldPad(ipywidgets.VBox):
    """A canvas, a button, and the answer."""

    def __init__(self):
        self._recognizer = Recognizer.load()
        self._ink, self._is_down = Ink(), False
        self._lock, self._changed = threading.RLock(), threading.Event()
        self._canvas = Canvas(width=CANVAS, height=CANVAS, layout={"width": f"{CANVAS}px", "height": f"{CANVAS}px"})
        self._canvas.line_width, self._canvas.line_cap = PEN, "round"
        self._canvas.on_mouse_down(self._down)
        self._canvas.on_mouse_move(self._move)
        self._canvas.on_mouse_up(self._up)
        clear = ipywidgets.Button(description="Clear")
        clear.on_click(lambda _: self._clear())
        self._answer = ipywidgets.HTML()
        super().__init__([self._canvas, clear, self._answer])
        self.add_class("digitlab-old")
        self._clear()
        threading.Thread(target=self._read_on, daemon=True).start()

    def _clear(self):
        with self._lock:
            self._ink.clear()
            self._canvas.fill_style = "black"
            self._canvas.fill_rect(0, 0, CANVAS, CANVAS)
            self._canvas.fill_style = self._canvas.stroke_style = "white"
        self._changed.set()

    def _down(self, x, y):
        with self._lock:
            self._is_down = True
            self._ink.start(x, y)
            self._canvas.fill_circle(x, y, PEN / 2)
        self._changed.set()

    def _move(self, x, y):
        if not self._is_down:
            return
        with self._lock:
            before = self._ink.strokes[-1][-1]
            self._ink.extend(x, y)
            self._canvas.stroke_line(*before, x, y)
        self._changed.set()

    def _up(self, x, y):
        self._is_down = False

    def _read_on(self):
        while True:
            self._changed.wait()
            self._changed.clear()
            with self._lock:
                ink = self._ink.copy()
            self._answer.value = self._html(ink)
            time.sleep(0.01)

    def _html(self, ink):
        prediction = self._recognizer.predict(ink)
        picture = base64.b64encode(cv2.imencode(".png", prediction.image)[1]).decode()
        bars = "".join(
            f'<div><span>{digit}</span><span class="digitlab-bar"><span style="width: {share:.1%}"></span></span></div>'
            for digit, share in enumerate(prediction.probabilities)
        )
        return (
            f'<div class="digitlab-answer" data-points="{sum(map(len, ink.strokes))}"><div>{prediction}</div>'
            f'<img src="data:image/png;base64,{picture}">{bars}</div>'
        )
