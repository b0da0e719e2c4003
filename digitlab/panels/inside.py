"""A panel that shows what each layer of a network finds in the drawing, while it is drawn."""

import threading
import time
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import traitlets

from digitlab.inside import layer_limits, layer_words
from digitlab.panels.panel import Panel
from digitlab.recognizer import Prediction, Recognizer

_PAUSE_SECONDS = 0.1
_LEVELS = 127  # The largest number that one byte with a sign holds.


class InsidePanel(Panel):
    """What each layer finds in the drawing, from the pixels to the ten answers, live.

    The maps of a layer stand side by side: blue where a filter finds its pattern, orange where it finds the opposite,
    white for 0. A pad with several networks gets a choice of the one that is looked into.
    """

    def __init__(self):
        self._choice = ipywidgets.ToggleButtons(options=[])
        self._choice.add_class("digitlab-inside-choice")
        self._choice.observe(lambda change: self._show_soon(None, self._last), "value")
        self._view = _InsideView()
        self._lock = threading.Lock()
        self._last = {}
        self._waiting = None  # The predictions that are to be shown next.
        self._working = False
        super().__init__([ipywidgets.HBox([self._choice, self._view])])
        self.add_class("digitlab-inside-panel")

    def attach(self, pad):  # noqa: D102
        super().attach(pad)
        pad.on_read(self._show_soon)

    def _show_soon(self, ink, predictions):
        """Show what is read, on a thread that lives until nothing newer waits: the pad's next answer comes first."""
        with self._lock:
            self._last = self._waiting = predictions
            start = not self._working
            self._working = True
        if start:
            threading.Thread(target=self._work, daemon=True, name="digitlab-inside").start()

    def _work(self):
        while True:
            with self._lock:
                predictions, self._waiting = self._waiting, None
                if predictions is None:
                    self._working = False
                    return
            try:
                self._show(predictions)
            except Exception as error:  # Shown in the panel; the pad goes on.
                self._view.show_message(f"It cannot be looked inside: {error}")
            time.sleep(_PAUSE_SECONDS)  # Drawings that come meanwhile are skipped, but for the last.

    def _show(self, predictions):
        names = tuple(predictions)
        if self._choice.options != names:
            before = self._choice.value
            self._choice.options = names
            self._choice.value = before if before in names else names[0] if names else None
            self._choice.layout.display = "none" if len(names) < 2 else None
        if not names:
            self._view.show_message("There is no network to look into.")
            return
        name = self._choice.value if self._choice.value in names else names[0]
        self._view.show(self.pad.networks[name], predictions[name])


class _InsideView(anywidget.AnyWidget):
    """The pictures of the layers: they are sent as one byte for each number, and drawn by inside.js."""

    _esm = Path(__file__).with_name("inside.js").read_text("utf-8")
    _css = Path(__file__).with_name("inside.css").read_text("utf-8")
    layers = traitlets.List().tag(sync=True)
    """Of each layer: name and shape."""
    words = traitlets.List().tag(sync=True)
    """Of each layer: what it finds, for people who do not see it."""
    values = traitlets.Bytes().tag(sync=True)
    """Of each layer one after the other: its numbers, int8; see `quantized`."""
    message = traitlets.Unicode().tag(sync=True)

    def show(self, recognizer: Recognizer, prediction: Prediction):
        """Show what a network finds in a drawing."""
        values = recognizer.layers(prediction.image)
        values["answer"] = prediction.probabilities
        limits = layer_limits(recognizer)
        layers = [{"name": name, "shape": list(value.shape)} for name, value in values.items()]
        words = [layer_words(name, value) for name, value in values.items() if name not in ("pixels", "answer")]
        words = ["pixels: what the network sees.", *words, f"answer: {prediction}."]
        if prediction.reason == "empty":
            # What a network makes of nothing would only be the biases of its filters.
            values = {name: np.zeros_like(value) for name, value in values.items()}
            words = [f"{layer['name']}: nothing is drawn." for layer in layers]
        content = b"".join(quantized(value, limits[name]) for name, value in values.items())
        with self.hold_sync():
            self.layers, self.words, self.values, self.message = layers, words, content, ""

    def show_message(self, message: str):
        """Show a sentence instead."""
        with self.hold_sync():
            self.layers, self.words, self.values, self.message = [], [], b"", message


def quantized(values: np.ndarray, limit: float) -> bytes:
    """Return numbers as one signed byte each, map by map: 127 is the limit and all above it, -127 its negative."""
    maps = np.moveaxis(values, -1, 0) if values.ndim == 3 else values
    return np.rint(maps / limit * _LEVELS).clip(-_LEVELS, _LEVELS).astype(np.int8).tobytes()
