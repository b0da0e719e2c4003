"""Panels that keep drawings with their labels; one of them lets a network learn them."""

import collections
import contextlib
import math
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import ipywidgets

from digitlab.ink import Drawing, Ink, append_drawing, read_drawings
from digitlab.metrics import DIGITS
from digitlab.pad_html import counts_html, words_html
from digitlab.panels.panel import Panel
from digitlab.paths import MY_DRAWINGS, TAUGHT_NETWORK, TEN_DIGITS, shown
from digitlab.pen import LOCK
from digitlab.recognizer import Recognizer
from digitlab.training.finetune import FinetuneProcess, default_network
from digitlab.widgets import DigitButtons, button

_DOUBLE_CLICK_SECONDS = 1
_QUESTION = "Which digit did you mean?"


class LabelPanel(Panel):
    """A panel with a button for each digit, for the label of the drawing: the digit that the writer meant.

    Parameters
    ----------
    title : str
        What the panel is for.
    counted : str
        What stands beside the numbers of drawings of each digit, such as "added so far".
    name : str
        What the message is called on the page: the class is ``digitlab-{name}``.
    buttons : sequence of Button
        They stand beside the digits.
    rows : sequence of Widget, optional
        They stand below the digits, above the message.
    """

    def __init__(self, title, counted, name, buttons, rows=()):
        self._counted, self._name = counted, name
        self._kept_at = -math.inf
        self._label = DigitButtons(_QUESTION)
        self._counts, self._message = ipywidgets.HTML(), ipywidgets.HTML()
        heading = ipywidgets.HTML(f"<b>{title}.</b> {_QUESTION}")
        super().__init__([heading, ipywidgets.HBox([self._label, *buttons]), self._counts, *rows, self._message])

    @property
    def label(self) -> str | None:
        """The digit that is chosen, "0" to "9"; None where none is. It can be set."""
        return self._label.value

    @label.setter
    def label(self, label):
        self._label.value = None if label is None else str(label)

    def say(self, words: str):
        """Show a sentence below the digits."""
        self._message.value = words_html(words, self._name)

    def say_kept(self, words: str):
        """Say that the drawing was kept."""
        self._kept_at = time.monotonic()
        self.say(words)

    def refuse(self, error: ValueError):
        """Say why the drawing is not kept; nothing just after one was kept: that is a double click."""
        if time.monotonic() - self._kept_at > _DOUBLE_CLICK_SECONDS:
            self.say(str(error))

    def say_not_kept(self, error: OSError, path: Path | str):
        """Say that the drawing could not be written to a file."""
        self.say(f"The drawing could not be kept in {shown(path)}: {error.strerror}. It is still on the canvas.")

    def labelled_ink(self, label: int | str | None) -> Ink:
        """Return a copy of the drawing; raise ValueError where nothing is drawn or the label is no digit."""
        if label is None:
            raise ValueError("Choose the digit that you meant first.")
        if str(label) not in DIGITS:
            raise ValueError(f"Invalid label {label!r}: use a digit from 0 to 9.")
        return self.pad.copy_ink()

    def count(self, read: Callable[[], list[Drawing]]) -> list[Drawing]:
        """Show how many of the drawings that `read` returns there are of each digit, and return them.

        Say so where they cannot be read, and return none.
        """
        drawings = []
        try:
            drawings = read()
        except (OSError, ValueError) as error:
            self.say(f"Your drawings could not be read: {error}")
        labels = collections.Counter(drawing.label for drawing in drawings)
        self._counts.value = counts_html({digit: labels[str(digit)] for digit in range(10)}, self._counted)
        return drawings


def kept_drawings(path: Path | str = TEN_DIGITS) -> list[Drawing]:
    """Return the drawings that a panel kept, the first one first.

    Parameters
    ----------
    path : path-like, optional
        The file of drawings.

    Returns
    -------
    list of Drawing
        Empty if nothing was kept. A damaged line costs no other line.

    Raises
    ------
    OSError, ValueError
        If the file is there and cannot be read.
    """
    try:
        drawings = read_drawings(path, on_bad_line=lambda number, why: None)
    except FileNotFoundError:
        return []
    return [drawing for drawing in drawings if drawing.label in DIGITS]


_PANELS = weakref.WeakSet()  # All panels of this Python that teach: a cell that is run again makes another one.


class TeachPanel(LabelPanel):
    """Buttons to collect drawings with their labels, and to let a copy of a network learn them.

    Parameters
    ----------
    network : path-like, optional
        The network to copy; by default the reader's own, or else the kit's that knows MNIST only.
    drawings : path-like, optional
        The file of drawings; by default ``drawings/my_drawings.jsonl``.
    """

    def __init__(self, network: Path | str | None = None, drawings: Path | str = MY_DRAWINGS):
        self._network, self._drawings = network, drawings
        self._copied = None
        self._process = None
        self._learn_button = button("Learn", "Let a copy of the network learn your drawings", self.learn)
        self._progress = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "200px"})
        cancel = button("Cancel", "Stop learning; nothing changes", self.cancel)
        # Not in the place of Learn: a double click there would start and cancel at once.
        self._learning = ipywidgets.HBox([self._progress, cancel], layout={"display": "none"})
        add = button("Add", "Keep this drawing, as the digit that you meant", self._add_pressed)
        super().__init__(
            "Teach it your hand", "added so far", "lesson", [add, self._learn_button], rows=[self._learning]
        )
        self.say("Nothing is learnt before you press Learn: the networks stay as they are.")
        self._count_drawings()
        with LOCK:
            _PANELS.add(self)

    def add(self, label: int | str):
        """Keep the drawing in the file of drawings, to be learnt; then clear the canvas.

        Parameters
        ----------
        label : int or str
            The digit that was meant, 0 to 9.

        Raises
        ------
        ValueError
            Where nothing is drawn, the label is no digit, or the file is of another kind.
        OSError
            Where the file cannot be written; the drawing stays on the canvas.
        """
        append_drawing(self._drawings, self.labelled_ink(label), label)
        self.pad.clear()

    def learn(self):
        """Start to learn, in a process of its own, and stop another pad's; if it is learning already, do nothing."""
        if self._process:
            return
        for other in self._others():  # Its Cancel button may be gone, and two at once take the memory of two.
            other.cancel()
        self._learn_button.disabled, self._progress.value, self._learning.layout.display = True, 0, "flex"
        self.say("A copy of the network is learning. You can go on drawing.")
        self._copied = self._network or default_network()
        try:
            self._process = FinetuneProcess(
                self._show_progress, self._ended, drawings=self._drawings, network=self._copied
            )
        except OSError as error:
            self._ended(f"no process could be started ({error.strerror}).")

    def cancel(self):
        """Stop learning; nothing changes."""
        if self._process:
            self._process.cancel()

    def _add_pressed(self):
        try:
            self.add(self.label)
        except ValueError as error:
            self.refuse(error)
        except OSError as error:
            self.say_not_kept(error, self._drawings)
        else:
            for panel in self._others():
                if panel._drawings == self._drawings:
                    panel._count_drawings()
            if self._count_drawings():  # Otherwise it has said that they cannot be read.
                self.say_kept(f"Kept as a {self.label}. Draw the next one; a few of each kind help most.")

    def _others(self):
        with LOCK:
            return [panel for panel in _PANELS if panel is not self]

    def _count_drawings(self):
        return self.count(lambda: kept_drawings(self._drawings))

    def _show_progress(self, share):
        self._progress.value = share

    def _ended(self, result):
        """Show how learning ended: with counts, with a sentence about an error, or with None if it was cancelled."""
        if result is None:
            words = "Cancelled. Nothing was learnt; the networks are as they were."
        elif isinstance(result, str):
            words = f"Nothing was learnt: {result}"
        else:
            held_out, mnist = result["held_out"], result["mnist"]
            words = (
                f"It learnt {result['learnt']} of your drawings. Of the {held_out['count']} others, which it has not "
                f"learnt, it read {held_out['before']} before, and {held_out['after']} now. Of MNIST's "
                f"{mnist['count']:,} test digits it read {mnist['before']:,} before, and {mnist['after']:,} now."
            )
            try:
                taught = Recognizer.load(TAUGHT_NETWORK)
            except (OSError, ValueError) as error:
                words = f"The taught network could not be loaded: {error} Press Learn to try again."
            else:
                networks = self.pad.networks
                if "" in networks:  # The pad's only one, which need not be the one that was copied.
                    networks = {"not taught": networks[""]}
                    with contextlib.suppress(OSError, ValueError):
                        networks["not taught"] = Recognizer.load(self._copied)
                self.pad.networks = {**networks, "taught": taught}
        self._process = None
        self._learn_button.disabled, self._learning.layout.display = False, "none"
        self.say(words)
