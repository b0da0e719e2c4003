"""The drawing pad of the notebook: draw a digit, see it read while you draw. It stands on `recognizer`.

The browser's canvas only shows. The strokes are kept here, as an `Ink`, and nothing is ever read back from the browser.
"""

import base64
import threading

import cv2
import ipywidgets
from ipycanvas import Canvas, hold_canvas

from digitlab.ink import CANVAS, PEN, Ink
from digitlab.recognizer import Recognizer, percent

# ipycanvas sends the commands of all canvases through one queue, and the messages of a page are handled on another
# thread while a cell is running. So one lock for all pads.
_LOCK = threading.RLock()

_PAPER, _INK = "black", "white"


class DrawingPad(ipywidgets.HBox):
    """A canvas to draw a digit on, with the network's answer beside it while one draws.

    Parameters
    ----------
    recognizer : Recognizer, optional
        The network that reads; by default the one that came with the kit.

    Attributes
    ----------
    ink : Ink
        What is drawn.
    prediction : Prediction
        What the network makes of it.
    """

    def __init__(self, recognizer=None):
        self.recognizer = recognizer or Recognizer.load()
        self.ink = Ink()
        self._pen_is_down = False

        self._canvas = Canvas(width=CANVAS, height=CANVAS, layout={"width": f"{CANVAS}px", "height": f"{CANVAS}px"})
        self._clear_button = ipywidgets.Button(
            description="Clear",
            tooltip="Wipe the canvas and start again",
            layout={"width": f"{CANVAS}px", "height": "44px", "margin": "8px 0 0 0"},
        )
        self._answer = ipywidgets.HTML()

        self._canvas.on_mouse_down(self._pen_down)
        self._canvas.on_mouse_move(self._pen_move)
        self._canvas.on_mouse_up(self._pen_up)
        self._canvas.on_mouse_out(self._pen_up)
        self._canvas.on_touch_start(lambda touches: self._pen_down(*touches[0]))
        self._canvas.on_touch_move(lambda touches: self._pen_move(*touches[0]))
        self._canvas.on_touch_end(lambda touches: self._pen_up())
        self._canvas.on_touch_cancel(lambda touches: self._pen_up())
        # The canvas of a page that was loaded anew is blank: show what is drawn.
        self._canvas.on_client_ready(self._redraw)
        self._clear_button.on_click(lambda button: self.clear())

        self._redraw()
        self._read()
        left = ipywidgets.VBox([self._canvas, self._clear_button])
        super().__init__([left, self._answer], layout={"margin": "8px 0", "flex_flow": "row wrap"})
        self.add_class("digitlab-pad")

    def __repr__(self):
        return f"DrawingPad({self.prediction})"

    def clear(self):
        """Wipe the canvas; what was read and shown goes with it."""
        with _LOCK:
            self._pen_is_down = False
            self.ink.clear()
            self._redraw()
            self._read()

    def _pen_down(self, x, y):
        with _LOCK:
            if self._pen_is_down:
                return
            self._pen_is_down = True
            self.ink.start(x, y)
            self._canvas.fill_circle(x, y, PEN / 2)
            self._read()

    def _pen_move(self, x, y):
        with _LOCK:
            if not self._pen_is_down:
                return
            before = self.ink.strokes[-1][-1]
            self.ink.extend(x, y)
            self._canvas.stroke_line(*before, x, y)
            self._read()

    def _pen_up(self, *_):
        with _LOCK:
            self._pen_is_down = False

    def _redraw(self):
        canvas = self._canvas
        with _LOCK, hold_canvas():
            # ipycanvas names the canvas only when another one was drawn on before. A page that was loaded anew has
            # not heard which one it was, and would draw nothing.
            canvas._canvas_manager._current_canvas = None
            canvas.fill_style = _PAPER
            canvas.fill_rect(0, 0, CANVAS, CANVAS)
            canvas.fill_style = canvas.stroke_style = _INK
            canvas.line_width = PEN
            canvas.line_cap = canvas.line_join = "round"
            for stroke in self.ink.strokes:
                canvas.fill_circle(*stroke[0], PEN / 2)
                if len(stroke) > 1:
                    canvas.stroke_lines(stroke)

    def _read(self):
        self.prediction = self.recognizer.predict(self.ink)
        self._answer.value = _answer_html(self.prediction)


def _answer_html(prediction):
    """Return the answer as one piece of HTML, so that its parts always belong to the same drawing."""
    if prediction.reason == "empty":
        digit, words = "&nbsp;", "Draw a digit, 0 to 9."
    elif prediction.reason:
        digit, words = "?", str(prediction).capitalize()
    else:
        digit, words = prediction.digit, f"{percent(prediction.confidence)} sure"
    shares = [0] * 10 if prediction.reason == "empty" else prediction.probabilities
    bars = "".join(_bar_html(number, share, number == prediction.digit) for number, share in enumerate(shares))
    picture = base64.b64encode(cv2.imencode(".png", prediction.image)[1]).decode()
    return f"""\
<div class="digitlab-answer" style="display: flex; flex-wrap: wrap; gap: 0 24px; margin-left: 28px;
    color: var(--jp-content-font-color1, #222); font: 15px/1.3 var(--jp-content-font-family, sans-serif)">
  <div style="width: 190px">
    <div class="digitlab-digit" style="font-size: 96px; line-height: 1; font-weight: 600">{digit}</div>
    <div class="digitlab-words" style="min-height: 40px; font-size: 17px">{words}</div>
    <img class="digitlab-sees" alt="What the network sees: the drawing as 28 by 28 pixels" width="112" height="112"
        src="data:image/png;base64,{picture}" style="image-rendering: pixelated; display: block; margin-top: 12px">
    <div style="margin-top: 4px; color: var(--jp-content-font-color2, #555)">what the network sees</div>
  </div>
  <div class="digitlab-bars" style="width: 300px">{bars}</div>
</div>"""


def _bar_html(digit, share, is_answer):
    colour = "var(--jp-brand-color1, #1976d2)" if is_answer else "var(--jp-border-color1, #bdbdbd)"
    weight = 700 if is_answer else 400
    words = percent(share) if share >= 0.005 else ""
    return f"""\
<div style="display: flex; align-items: center; height: 33px; font-weight: {weight}">
  <span style="width: 22px">{digit}</span>
  <span style="flex: 1; height: 20px; background: var(--jp-layout-color2, #eee); border-radius: 3px; overflow: hidden">
    <span style="display: block; height: 100%; width: {share:.1%}; background: {colour}"></span></span>
  <span style="width: 64px; text-align: right">{words}</span>
</div>"""
