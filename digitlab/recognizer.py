"""Reading a drawing: the only module that runs a network on one. It stands on `prepare`.

Trained in Keras, served by OpenCV: the exported network runs in ``cv2.dnn``, which starts in a tenth of a second and
takes a tenth of TensorFlow's memory. That is why thirty students fit on one server.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitlab.places import SHIPPED_NETWORK, network_files, remedy, shown
from digitlab.prepare import SIDE, is_empty, network_input, prepare

_BATCH = 256


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network makes of one drawing."""

    digit: int | None
    """The digit read, 0 to 9; None where `reason` says why there is none."""

    reason: str | None
    """None where a digit was read; "empty" where nothing was drawn."""

    confidence: float
    """The chance, 0 to 1, that the digit is right; 0.0 when nothing was drawn."""

    probabilities: np.ndarray
    """float32 (10,): the probability of each digit; they sum to 1, and are all 0.1 when nothing was drawn."""

    image: np.ndarray
    """uint8 (28, 28): what the network saw."""

    def __str__(self):
        if self.digit is None:
            return "nothing drawn"
        return f"{self.digit} ({percent(self.confidence)} sure)"


def percent(confidence):
    """Return a confidence, 0 to 1, as people read it; nothing is ever quite certain."""
    return "> 99 %" if confidence > 0.99 else f"{confidence:.0%}".replace("%", " %")


class Recognizer:
    """A network that reads drawings. It may be called from several threads.

    `Recognizer.load` makes one.
    """

    def __init__(self, net, path):
        self._net = net
        self._lock = threading.Lock()
        self.path = path

    @classmethod
    def load(cls, path=SHIPPED_NETWORK):
        """Load a network.

        Parameters
        ----------
        path : path-like, optional
            The ``.onnx`` file, or the network's name without the suffix; by default the network that came with the kit.

        Returns
        -------
        Recognizer

        Raises
        ------
        FileNotFoundError
            Where there is no such file.
        ValueError
            Where the file is damaged, or is not a network from 28 x 28 pixels to ten probabilities.
        """
        file = network_files(path)[1]
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no network {shown(file)}; {remedy(file)}") from None
        except IsADirectoryError:
            raise ValueError(f"{shown(file)} is a folder, not a network; {remedy(file)}") from None
        try:
            net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
        except cv2.error:
            raise ValueError(
                f"{shown(file)} is damaged or no ONNX network ({len(content):,} bytes); {remedy(file)}"
            ) from None
        recognizer = cls(net, Path(file))
        try:
            answer = recognizer._run(np.zeros((2, SIDE, SIDE, 1), np.float32))
            shape = answer.shape
        except cv2.error:
            shape = "an error"
        if shape != (2, 10):
            raise ValueError(
                f"{shown(file)} is a network, but not from (n, 28, 28, 1) pixels to (n, 10) probabilities: for n = 2 "
                f"it gives {shape}; {remedy(file)}"
            )
        return recognizer

    def predict(self, drawing):
        """Read one drawing.

        Parameters
        ----------
        drawing : Ink or uint8 array (h, w)
            As for `digitlab.prepare.prepare`.

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError, TypeError
            Where the drawing is none; see `digitlab.prepare.prepare`.
        """
        return self.predict_many([drawing])[0]

    def predict_many(self, drawings):
        """Read many drawings.

        Parameters
        ----------
        drawings : iterable of Ink or uint8 array (h, w)

        Returns
        -------
        list of Prediction
            In the order of the drawings.
        """
        predictions = []
        batch = []
        for drawing in drawings:
            batch.append((prepare(drawing), is_empty(drawing)))
            if len(batch) == _BATCH:
                predictions += self._predict_batch(batch)
                batch = []
        return predictions + self._predict_batch(batch)

    def probabilities(self, x):
        """Run the network alone, on what is prepared already.

        Parameters
        ----------
        x : float32 array (n, 28, 28, 1)
            Network input, 0..1, as `digitlab.prepare.network_input` makes it.

        Returns
        -------
        probabilities : float32 array (n, 10)
        """
        return np.concatenate([self._run(x[start : start + _BATCH]) for start in range(0, len(x), _BATCH)])

    def _predict_batch(self, batch):
        if not batch:
            return []
        rows = self._run(network_input([image for image, _ in batch]))
        return [
            Prediction(None, "empty", 0.0, np.full(10, 0.1, np.float32), image)
            if empty
            else Prediction(int(row.argmax()), None, float(row.max()), row, image)
            for (image, empty), row in zip(batch, rows, strict=True)
        ]

    def _run(self, x):
        # A cv2.dnn.Net is not thread-safe: two calls at once raise, or give each other's answers.
        with self._lock:
            self._net.setInput(x)
            return self._net.forward().copy()
