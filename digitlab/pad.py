"""The drawing pad of the notebooks: draw a digit, and a network reads it while you draw."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets

from digitlab import OLD_NOTEBOOK
from digitlab.answer import READING_THREAD, Answer
from digitlab.ink import CANVAS, Ink
from digitlab.pad_html import words_html
from digitlab.pen import Pen
from digitlab.prepare import prepare
from digitlab.recognizer import Prediction, Recognizer
from digitlab.widgets import SharedPage, button

_NO_NETWORK = "There is none yet. Train it in notebook 3; then run this cell again."


class DrawingPad(ipywidgets.VBox):
    """A canvas to draw a digit on, with the network's answer beside it while you draw.

    Draw with a mouse, a finger or a stylus. While the canvas has the focus (after a click or Tab), the arrow keys move
    a cross, and the space key puts the pen down and lifts it; Backspace removes the last stroke, and Escape clears the
    canvas.

    Parameters
    ----------
    recognizer : Recognizer, optional
        The network that reads; by default the network that came with the kit.
    networks : dict of str to Recognizer or path-like, optional
        Several networks instead, which answer side by side, by their names. A path without a network is no error: the
        pad says so in the place of its answer.
    panels : sequence of Panel, optional
        What the pad can do besides, such as `digitlab.panels.StepsPanel`. They are shown in this order.
    trackpad : bool, optional
        Whether there is a switch for trackpads: a click starts a stroke and another click ends it. The environment
        variable DIGITLAB_TRACKPAD=1 adds this switch to all pads, switched on.

    Attributes
    ----------
    prepare : callable
        Makes the uint8 image (28, 28) that the networks see of an `Ink`; by default `digitlab.prepare.prepare`. It can
        be set.
    trouble : bool
        Whether the last reading failed, and a sentence below the canvas says so.

    Raises
    ------
    ValueError
        Where both a recognizer and networks are given, or a network's file is damaged.
    TypeError
        Where a switch of an older kit is given: panels replace them.
    """

    def __init__(
        self,
        recognizer: Recognizer | None = None,
        *,
        networks: dict[str, Recognizer | str | Path] | None = None,
        panels: Sequence[ipywidgets.Widget] = (),
        trackpad: bool = False,
        **old_arguments: object,
    ):
        if old_arguments:
            raise TypeError(f"Invalid argument {next(iter(old_arguments))}: hand panels to the pad. {OLD_NOTEBOOK}")
        if recognizer is not None and networks is not None:
            raise ValueError("Give a pad either a recognizer or networks, not both.")
        self._prepare = prepare
        self._networks = _load({"": recognizer or Recognizer.load()} if networks is None else networks)
        self._predictions = {}
        self._read_lock = threading.RLock()
        self._is_read = True
        self.trouble = False
        self._callbacks = []
        self._pen = Pen(self._changed, trackpad)
        self._answer = Answer()
        self._message = ipywidgets.HTML()
        for key, callback in {
            "Escape": self.clear,
            "Backspace": self.undo,
            "Ctrl+z": self.undo,
        }.items():
            self._pen.on_key(key, callback)
        buttons = ipywidgets.HBox(
            [
                button("Clear", "Wipe the canvas and start again (Escape)", self.clear),
                button("Undo", "Remove the last stroke (Backspace)", self.undo),
            ]
        )
        buttons.add_class("digitlab-main-buttons")
        # In this order where there is only one column, such as on a narrow page: one sees the answer while one draws.
        parts = {
            "drawing": self._pen.widget,
            "reads": self._answer,
            "controls": ipywidgets.VBox([buttons, *self._pen.switches, self._message]),
            "panels": ipywidgets.VBox(list(panels)),
        }
        for name, part in parts.items():
            part.add_class(f"digitlab-{name}")
        grid = ipywidgets.Box(list(parts.values()))
        grid.add_class("digitlab-parts")
        for panel in panels:
            panel.attach(self)
        self.read()
        super().__init__([grid, SharedPage()])
        self.add_class("digitlab-pad").add_class("digitlab-widget")
        READING_THREAD.add(self)

    def __repr__(self):
        try:
            return f"DrawingPad({self.prediction})"
        except Exception:  # Of a function that prepares. The pad can be shown all the same, and says so.
            return "DrawingPad(not read)"

    @property
    def ink(self) -> Ink:
        """What is drawn."""
        return self._pen.ink

    @property
    def prepare(self):  # noqa: D102
        return self._prepare

    @prepare.setter
    def prepare(self, function):
        self._prepare = function
        self._changed()

    @property
    def networks(self) -> dict[str, Recognizer | str]:
        """The networks that read, by name; a sentence in the place of one that is missing. It can be set."""
        return dict(self._networks)

    @networks.setter
    def networks(self, networks):
        with self._read_lock:
            self._networks = _load(networks)
        self.read()

    @property
    def prediction(self) -> Prediction | None:
        """What the first network reads; None where there is no network."""
        return next(iter(self.predictions.values()), None)

    @property
    def predictions(self) -> dict[str, Prediction]:
        """What each network reads, by name."""
        with self._read_lock:
            if not self._is_read:
                self.read()
            return self._predictions

    def clear(self):
        """Wipe the canvas."""
        self._pen.clear()
        self._message.value = ""
        self.read()

    def undo(self):
        """Remove the last stroke."""
        self._pen.undo()
        self.read()

    def copy_ink(self) -> Ink:
        """Return a copy of the drawing; raise ValueError where nothing is drawn."""
        ink = self._pen.copy()
        if not ink:
            raise ValueError("Draw something first.")
        return ink

    def replay(self, ink: Ink, seconds: float = 1.5):
        """Draw an ink stroke by stroke, as a hand would, in place of what is drawn.

        Parameters
        ----------
        ink : Ink
            It is scaled to the canvas if it was drawn on one of another size.
        seconds : float, optional
            How long this takes.
        """
        strokes = [(stroke * CANVAS / max(ink.size)).tolist() for stroke in ink.strokes]
        pause = seconds / max(sum(len(stroke) for stroke in strokes), 1)
        self.clear()
        try:
            for stroke in strokes:
                self._pen.down(*stroke[0])
                time.sleep(pause)
                for x, y in stroke[1:]:
                    self._pen.move(x, y)
                    time.sleep(pause)
                self._pen.up()
        finally:
            self._pen.up()
            self.read()

    def on_read(self, callback: Callable[[Ink, dict[str, Prediction]], None]):
        """Have a function called after each reading, with a copy of the drawing and the predictions by name.

        It is called from another thread than the notebook's.
        """
        self._callbacks.append(callback)

    def on_key(self, key: str, callback: Callable[[], None]):
        """Have a function called when a key, such as "s", is pressed while the canvas has the focus."""
        self._pen.on_key(key, callback)

    def read(self):
        """Read the drawing and show the answer."""
        with self._read_lock:
            self._is_read = True  # Before the copy is made: a point that comes later is read again.
            ink = self._pen.copy()
            networks = self._networks
            try:
                self._predictions = {
                    name: network.predict(ink, self.prepare)
                    for name, network in networks.items()
                    if isinstance(network, Recognizer)
                }
            except Exception:  # Of a function that prepares: the answer to an earlier drawing is none to this one.
                self._is_read, self._predictions = False, {}
                words = "This drawing could not be read."
                self._answer.show({name: one if isinstance(one, str) else words for name, one in networks.items()}, 0)
                raise
            points = sum(len(stroke) for stroke in ink.strokes)
            self._answer.show({**networks, **self._predictions}, points)
            for callback in self._callbacks:
                callback(ink, self._predictions)

    def say(self, words: str):
        """Show a sentence below the canvas, or none."""
        self._message.value = words and words_html(words, "message")

    def close(self):
        """Close the pad: it disappears from the page."""
        READING_THREAD.remove(self)
        super().close()

    def _changed(self):
        self._is_read = False
        READING_THREAD.read_soon(self)


def _load(networks):
    if not networks:
        raise ValueError('Give a pad at least one network: networks={"ours": Recognizer.load()}.')
    loaded = {}
    for name, network in networks.items():
        try:
            loaded[name] = network if isinstance(network, Recognizer) else Recognizer.load(network)
        except FileNotFoundError:
            loaded[name] = _NO_NETWORK
    return loaded
