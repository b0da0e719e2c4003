"""What the networks answer, shown beside the canvas of a drawing pad and beside the sliders.

Only what changed goes to the page, in one message: digits, confidences, probabilities and the 28 x 28 pixels. The page
makes the picture of it (answer.js); the looks are in pad.css.
"""

import threading
import time
from pathlib import Path

import anywidget
import traitlets

from digitlab.recognizer import Prediction, percent
from digitlab.widgets import SHARED_JS

_DIFFERS_FROM = 0.05
"""How far the confidence and the longest bar must be apart for a sentence to explain this."""

_PAUSE_SECONDS = 0.01


class Answer(anywidget.AnyWidget):
    """The answers of one network or of several, side by side, and what the first one sees."""

    _esm = SHARED_JS + Path(__file__).with_name("answer.js").read_text("utf-8")
    _css = Path(__file__).with_name("pad.css").read_text("utf-8")
    networks = traitlets.List().tag(sync=True)
    """A dict for each network: its name, and a sentence if it is missing."""
    answers = traitlets.List().tag(sync=True)
    """A dict for each network that is there: what is shown of its prediction."""
    image = traitlets.Bytes().tag(sync=True)
    """The 28 x 28 pixels, row by row."""
    points = traitlets.Int().tag(sync=True)
    """How many points the drawing has; so tests and benchmarks know which drawing is answered."""
    differs = traitlets.Bool(False).tag(sync=True)
    """Whether a sentence explains why the confidence and the longest bar are not the same."""

    def show(self, predictions: dict[str, Prediction | str], points: int):
        """Show what the networks read.

        Parameters
        ----------
        predictions : dict of str to Prediction or str
            By the networks' names; a sentence instead where there is no network.
        points : int
            How many points the drawing has.
        """
        read = [prediction for prediction in predictions.values() if not isinstance(prediction, str)]
        with self.hold_sync():
            self.networks = [
                {"name": name, "missing": prediction if isinstance(prediction, str) else ""}
                for name, prediction in predictions.items()
            ]
            self.answers = [_shown(prediction) for prediction in read]
            self.image = read[0].image.tobytes() if read else b""
            self.points = points
            self.differs = any(
                prediction.reason != "empty"
                and abs(prediction.confidence - prediction.probabilities.max()) >= _DIFFERS_FROM
                for prediction in read
            )


def _shown(prediction):
    if prediction.reason == "empty":
        return {"digit": "", "words": "Draw a digit, 0 to 9.", "probabilities": [0.0] * 10}
    if prediction.reason:
        digit, words = "?", str(prediction)[0].upper() + str(prediction)[1:]
    else:
        digit, words = str(prediction.digit), f"{percent(prediction.confidence)} sure"
    return {"digit": digit, "words": words, "probabilities": prediction.probabilities.tolist()}


class ReadingThread:
    """Reads the drawings of all pads on one thread, which runs as long as there is a pad.

    A network takes longer to read than a point takes to arrive. So points that arrive during a reading are all read
    in the next one, not one by one.
    """

    def __init__(self):
        self._pads, self._waiting = set(), set()
        self._changed = threading.Condition()
        self._thread = None

    def add(self, pad):
        """Read this pad too; the first one starts the thread."""
        with self._changed:
            self._pads.add(pad)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="digitlab-reader")
                self._thread.start()

    def remove(self, pad):
        """Read this pad no more; the last one ends the thread."""
        with self._changed:
            self._pads.discard(pad)
            self._changed.notify()

    def read_soon(self, pad):
        """Have a pad read on the thread."""
        with self._changed:
            self._waiting.add(pad)
            self._changed.notify()

    def _run(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or not self._pads)
                if not self._pads:
                    self._thread = None
                    return
                pads, self._waiting = self._waiting & self._pads, set()
            for pad in pads:
                try:
                    pad.read()
                except Exception as error:  # Shown in that pad; the other pads are still read.
                    pad.trouble = True
                    pad.say(f"This drawing could not be read: {error}")
                else:
                    if pad.trouble:
                        pad.trouble = False
                        pad.say("")
            time.sleep(_PAUSE_SECONDS)  # Points that arrive meanwhile are read together.


READING_THREAD = ReadingThread()
