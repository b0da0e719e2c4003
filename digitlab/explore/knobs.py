"""Sliders that change how a drawing is prepared, and what a network reads then."""

from collections.abc import Collection

import ipywidgets
import numpy as np

from digitlab import prepare
from digitlab.answer import Answer
from digitlab.ink import PEN, Ink
from digitlab.pad_html import png_url
from digitlab.recognizer import Recognizer
from digitlab.widgets import SharedPage

STEPS = ("crop", "fit", "centre", "from strokes")
"""The steps of preparation that `knob_image` can leave out."""


def knob_image(
    ink: Ink, size: float = 1.0, right: float = 0, down: float = 0, pen: float = PEN, steps: Collection[str] = ()
) -> np.ndarray:
    """Return what a network sees of a drawing that is made smaller, moved, and prepared with some of the steps.

    Parameters
    ----------
    ink : Ink
    size : float, optional
        How large it is drawn; 1 leaves it as it is. It shrinks towards the middle of its canvas.
    right, down : float, optional
        How far it is moved after that, in pixels of the canvas. The drawing stays on its canvas.
    pen : float, optional
        Width of the pen, in pixels of the canvas.
    steps : collection of str, optional
        Which of `STEPS` to take. Without "fit", everything is stretched to 28 x 28; without "centre", the box around
        the drawing is put in the middle.

    Returns
    -------
    image : uint8 (28, 28)

    Raises
    ------
    ValueError
        If there is no such step.
    """
    _check_steps(steps)
    moved = _moved(ink, size, right, down, pen)
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


def _check_steps(steps):
    for step in steps:
        if step not in STEPS:
            raise ValueError(f"There is no step {step!r}: the steps are {', '.join(map(repr, STEPS))}.")


class Knobs(ipywidgets.VBox):
    """Sliders that make a drawing smaller and move it, switches for the steps of preparation, and a network's answer.

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
        What it reads.
    """

    def __init__(self, recognizer: Recognizer, ink: Ink, steps: Collection[str] = ()):
        _check_steps(steps)
        self._recognizer, self._ink = recognizer, ink
        wide = {"layout": {"width": "310px"}}
        narrow = {"indent": False, "layout": {"width": "auto", "margin": "2px 8px 2px 0"}}
        self._sliders = {
            "size": ipywidgets.FloatSlider(
                0.35, min=0.2, max=1, step=0.05, description="size", readout_format=".0%", **wide
            ),
            "right": ipywidgets.IntSlider(70, min=-110, max=110, step=5, description="right", **wide),
            "down": ipywidgets.IntSlider(60, min=-110, max=110, step=5, description="down", **wide),
            "pen": ipywidgets.IntSlider(PEN, min=4, max=40, description="pen width", **wide),
        }
        self._switches = {step: ipywidgets.Checkbox(step in steps, description=step, **narrow) for step in STEPS}
        self._canvas, self._answer = ipywidgets.HTML(), Answer()
        self._answer.layout.flex = "1 1 400px"
        self._canvas.add_class("digitlab-canvas")
        for control in (*self._sliders.values(), *self._switches.values()):
            control.observe(lambda change: self._read(), "value")
        sliders = ipywidgets.VBox(list(self._sliders.values()))
        switches = ipywidgets.HBox(list(self._switches.values()), layout={"flex_flow": "row wrap"})
        # Beside each other where there is room: what one turns and what the network answers are then in view together.
        controls = ipywidgets.VBox([self._canvas, sliders, switches], layout={"width": "330px", "flex": "0 0 auto"})
        self._read()
        super().__init__(
            [
                ipywidgets.HBox(
                    [controls, self._answer], layout={"flex_flow": "row wrap", "align_items": "flex-start"}
                ),
                SharedPage(),
            ]
        )
        self.add_class("digitlab-knobs").add_class("digitlab-widget")

    def __repr__(self):
        return f"Knobs({self.prediction})"

    def _read(self):
        values = {name: slider.value for name, slider in self._sliders.items()}
        steps = [step for step, switch in self._switches.items() if switch.value]
        self.image = knob_image(self._ink, **values, steps=steps)
        self.prediction = self._recognizer.predict(self._ink, lambda ink: self.image)
        # HTML and not pyplot, which must not be used on another thread; while a cell is running, this is one.
        self._canvas.value = (
            f'<img alt="the drawing on its canvas" src="{png_url(_moved(self._ink, **values).render(values["pen"]))}">'
        )
        self._answer.show({"": self.prediction}, sum(len(stroke) for stroke in self._ink.strokes))


def _moved(ink, size, right, down, pen):
    middle = np.array(ink.size) / 2
    strokes = [(stroke - middle) * size + middle for stroke in ink.strokes]
    if not strokes:
        return ink
    points = np.concatenate(strokes)
    # What lies beyond the edge of the canvas is not seen, but would be read.
    low = np.minimum(pen / 2 - points.min(axis=0), 0)
    high = np.maximum(ink.size - points.max(axis=0) - pen / 2, 0)
    return Ink([stroke + np.clip((right, down), low, high) for stroke in strokes], ink.size)


def _stretched(drawing):
    if not isinstance(drawing, Ink):
        return prepare.shrink(drawing)
    scale = (prepare.SIDE - prepare.PEN) / np.array(drawing.size)
    return Ink([stroke * scale + prepare.PEN / 2 for stroke in drawing.strokes], (prepare.SIDE, prepare.SIDE))


def _boxed(drawing):
    """Fit a drawing, and put the middle of the box around it in the middle of 28 x 28 pixels."""
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
