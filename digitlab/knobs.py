"""A drawing that sliders make smaller and move, and switches for the steps of preparing it."""

import base64

import cv2
import ipywidgets
import numpy as np

from digitlab import prepare
from digitlab.ink import PEN, Ink
from digitlab.pad_html import answers_html

STEPS = ("crop", "fit", "centre", "from strokes")
"""The steps of preparing that `knob_image` can leave out."""


def knob_image(ink, size=1.0, right=0, down=0, pen=PEN, steps=()):
    """Return what a network would see of a drawing that is made smaller, moved, and prepared by some of the steps.

    Parameters
    ----------
    ink : Ink
    size : float, optional
        How large it is drawn, 1 as it came; it shrinks towards the middle of its canvas.
    right, down : float, optional
        How far it is moved then, in pixels of the canvas.
    pen : float, optional
        Width of the pen, in pixels of the canvas.
    steps : collection of str, optional
        Which of `STEPS` are taken. Without "fit", all that there is is stretched to 28 x 28; without "centre", its box
        is laid in the middle.

    Returns
    -------
    image : uint8 (28, 28)
    """
    moved = _moved(ink, size, right, down)
    canvas = moved.render(pen)
    if not canvas.any():
        return np.zeros((prepare.SIDE, prepare.SIDE), np.uint8)
    drawing = moved if "from strokes" in steps else canvas
    if "crop" in steps:
        drawing = prepare.crop(drawing)
    if "fit" not in steps:
        fitted = _stretched(drawing)
    elif "centre" in steps:
        fitted = prepare.fit(drawing)
    else:
        fitted = _boxed(drawing)
    return prepare.render(prepare.centre(fitted) if "centre" in steps else fitted)


class Knobs(ipywidgets.VBox):
    """A drawing that sliders make smaller and move, switches for the steps of preparing, and what a network reads.

    Parameters
    ----------
    recognizer : Recognizer
    ink : Ink
        The drawing.
    steps : collection of str, optional
        Which of `STEPS` are switched on at first.

    Attributes
    ----------
    image : uint8 array (28, 28)
        What the network sees.
    prediction : Prediction
        What it makes of it.
    """

    def __init__(self, recognizer, ink, steps=()):
        self._recognizer, self._ink = recognizer, ink
        wide = {"layout": {"width": "320px"}}
        self._sliders = {
            "size": ipywidgets.FloatSlider(0.35, min=0.2, max=1, step=0.05, description="size", **wide),
            "right": ipywidgets.IntSlider(70, min=-110, max=110, step=5, description="right", **wide),
            "down": ipywidgets.IntSlider(60, min=-110, max=110, step=5, description="down", **wide),
            "pen": ipywidgets.IntSlider(PEN, min=4, max=40, description="pen width", **wide),
        }
        self._sliders["size"].readout_format = ".0%"
        self._switches = {
            step: ipywidgets.Checkbox(step in steps, description=step, indent=False, layout={"width": "130px"})
            for step in STEPS
        }
        self._canvas, self._answer = ipywidgets.HTML(), ipywidgets.HTML()
        for knob in (*self._sliders.values(), *self._switches.values()):
            knob.observe(self._turned, "value")
        switches = ipywidgets.HBox(list(self._switches.values()), layout={"flex_flow": "row wrap"})
        hand = ipywidgets.HBox(
            [self._canvas, ipywidgets.VBox(list(self._sliders.values()))], layout={"align_items": "center"}
        )
        self._turned()
        super().__init__([hand, switches, self._answer], layout={"margin": "8px 0"})
        self.add_class("digitlab-knobs")

    def __repr__(self):
        return f"Knobs({self.prediction})"

    def _turned(self, change=None):
        at = {name: slider.value for name, slider in self._sliders.items()}
        steps = [step for step, switch in self._switches.items() if switch.value]
        self.image = knob_image(self._ink, **at, steps=steps)
        self.prediction = self._recognizer.predict(self._ink, lambda ink: self.image)
        pen = at.pop("pen")
        # Pictures as HTML, not by pyplot: where a cell is running, this runs on another thread.
        png = cv2.imencode(".png", _moved(self._ink, **at).render(pen))[1]
        self._canvas.value = (
            '<img alt="the drawing on its canvas" width="180" height="180" style="margin-right: 16px" '
            f'src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        )
        self._answer.value = answers_html({"": self.prediction}, sum(len(stroke) for stroke in self._ink.strokes))


def _moved(ink, size, right, down):
    middle = np.array(ink.size) / 2
    return Ink([(stroke - middle) * size + middle + (right, down) for stroke in ink.strokes], ink.size)


def _stretched(drawing):
    if not isinstance(drawing, Ink):
        return prepare.shrink(drawing)
    scale = (prepare.SIDE - prepare.PEN) / np.array(drawing.size)
    return Ink([stroke * scale + prepare.PEN / 2 for stroke in drawing.strokes], (prepare.SIDE, prepare.SIDE))


def _boxed(drawing):
    """Fit a drawing, and lay the middle of its box in the middle of 28 x 28 pixels."""
    fitted = prepare.fit(drawing)
    if isinstance(drawing, Ink):
        line = prepare.BOX - prepare.PEN
        shift = (prepare.SIDE - prepare.PEN - np.array(drawing.size) * line / max(drawing.size)) / 2
        return Ink([stroke + shift for stroke in fitted.strokes], (prepare.SIDE, prepare.SIDE))
    height, width = fitted.shape
    top, left = (prepare.SIDE - height) // 2, (prepare.SIDE - width) // 2
    image = np.zeros((prepare.SIDE, prepare.SIDE), np.uint8)
    image[top : top + height, left : left + width] = fitted
    return image
