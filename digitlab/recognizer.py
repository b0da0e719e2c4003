"""Reading a drawing: the only module that runs a network on one. It stands on `prepare`.

Trained in Keras, served by OpenCV: the exported network runs in ``cv2.dnn``, which starts in a tenth of a second and
takes an eighth of the memory. That is why thirty students fit on one server.
"""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.ink import Ink
from digitlab.paths import SHIPPED_NETWORK, network_files, remedy, settings_of, shown
from digitlab.prepare import SIDE, is_empty, network_input, prepare

_BATCH = 256
_DOT = 0.03


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network makes of one drawing."""

    digit: int | None
    """The digit read, 0 to 9; None where `reason` says why there is none."""

    reason: str | None
    """None where a digit was read; "empty" where nothing was drawn; "not a digit"; or "unsure"."""

    confidence: float
    """The chance, 0 to 1, that it is a digit and that the most probable one is right; 0.0 when nothing was drawn."""

    probabilities: np.ndarray
    """float32 (10,): of each digit, if it is one; they sum to 1, and are all 0.1 when nothing was drawn."""

    image: np.ndarray
    """uint8 (28, 28): what the network saw."""

    def __str__(self):
        if self.reason == "empty":
            return "nothing drawn"
        if self.reason == "not a digit":
            return "that's no digit, is it?"
        if self.reason == "unsure":
            second, first = np.argsort(self.probabilities)[-2:]
            return f"not sure: {first} or {second}?"
        return f"{self.digit} ({percent(self.confidence)} sure)"


def percent(confidence):
    """Return a confidence, 0 to 1, as people read it; nothing is ever quite certain."""
    return "> 99 %" if confidence > 0.99 else f"{confidence:.0%}".replace("%", " %")


def apply_temperature(probabilities, temperature):
    """Make probabilities less sure, or surer, without changing their order.

    Parameters
    ----------
    probabilities : float array (n, k)
    temperature : float
        What the logits are divided by: above 1 less sure, below 1 surer (C. Guo et al., "On Calibration of Modern
        Neural Networks", 2017).

    Returns
    -------
    float array (n, k)
        Each row sums to 1.
    """
    powers = np.maximum(probabilities, 1e-12) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


class Recognizer:
    """A network that reads drawings. It may be called from several threads.

    `Recognizer.load` makes one.
    """

    def __init__(self, net, path, temperature=1.0, threshold=0.0):
        self._net = net
        self._lock = threading.Lock()
        self.path = path
        self.temperature = temperature
        self.threshold = threshold

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
        file, settings_file = network_files(path)[1], settings_of(path)
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
        recognizer = cls(net, Path(file), **_settings(settings_file))
        try:
            answer = recognizer.run(np.zeros((2, SIDE, SIDE, 1), np.float32))
        except cv2.error:
            answer = np.empty(0)
        if answer.shape not in {(2, 10), (2, NOT_A_DIGIT + 1)} or not np.allclose(answer.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"{shown(file)} is a network, but not from (n, 28, 28, 1) pixels to (n, 10) probabilities that sum to "
                f"1 (is softmax its last layer?); {remedy(file)}"
            )
        return recognizer

    def predict(self, drawing, prepare=prepare):
        """Read one drawing.

        Parameters
        ----------
        drawing : Ink or uint8 array (h, w)
            As for `digitlab.prepare.prepare`.
        prepare : callable, optional
            What makes a uint8 array (28, 28) of it, in place of `digitlab.prepare.prepare`.

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError, TypeError
            Where the drawing is none; see `digitlab.prepare.prepare`.
        """
        return self.predict_many([drawing], prepare)[0]

    def predict_many(self, drawings, prepare=prepare):
        """Read many drawings.

        Parameters
        ----------
        drawings : iterable of Ink or uint8 array (h, w)
        prepare : callable, optional
            As for `predict`.

        Returns
        -------
        list of Prediction
            In the order of the drawings.
        """
        predictions = []
        batch = []
        for drawing in drawings:
            batch.append((drawing, prepare(drawing)))
            if len(batch) == _BATCH:
                predictions += self._predict_batch(batch)
                batch = []
        return predictions + self._predict_batch(batch)

    def probabilities(self, x):
        """Return the probabilities of the ten digits for what is prepared already.

        Parameters
        ----------
        x : float32 array (n, 28, 28, 1)
            Network input, 0..1, as `digitlab.prepare.network_input` makes it.

        Returns
        -------
        probabilities : float32 array (n, 10)
        """
        return _of_digits(apply_temperature(self.run(x), self.temperature))

    def run(self, x):
        """Run the network alone.

        Parameters
        ----------
        x : float32 array (n, 28, 28, 1)
            Network input, 0..1.

        Returns
        -------
        float32 array (n, 10) or (n, 11)
            What the network says, just as it says it; an eleventh column is for `NOT_A_DIGIT`.
        """
        return np.concatenate([self._forward(x[start : start + _BATCH]) for start in range(0, len(x), _BATCH)])

    def _predict_batch(self, batch):
        if not batch:
            return []
        answers = apply_temperature(self.run(network_input([image for _, image in batch])), self.temperature)
        return [
            self._prediction(drawing, image, answer, digits)
            for (drawing, image), answer, digits in zip(batch, answers, _of_digits(answers), strict=True)
        ]

    def _prediction(self, drawing, image, answer, probabilities):
        if is_empty(drawing):
            return Prediction(None, "empty", 0.0, np.full(10, 0.1, np.float32), image)
        digit, confidence = int(probabilities.argmax()), float(answer[:NOT_A_DIGIT].max())
        reason = None
        if len(answer) > NOT_A_DIGIT and (answer.argmax() == NOT_A_DIGIT or _is_dot(drawing)):
            reason = "not a digit"
        elif confidence < self.threshold:
            reason = "unsure"
        return Prediction(digit if reason is None else None, reason, confidence, probabilities, image)

    def _forward(self, x):
        # A cv2.dnn.Net is not thread-safe: two calls at once raise, or give each other's answers.
        with self._lock:
            self._net.setInput(x)
            return self._net.forward().copy()


def _of_digits(answers):
    digits = answers[:, :NOT_A_DIGIT]
    return digits / digits.sum(axis=1, keepdims=True)


def _is_dot(drawing):
    """Tell whether the pen hardly moved: scaled up, a tap would look like anything."""
    if not isinstance(drawing, Ink):
        return False
    points = np.concatenate(drawing.strokes)
    return (points.max(axis=0) - points.min(axis=0)).max() < _DOT * max(drawing.size)


def _settings(file):
    """Return what the .json file beside a network says; nothing where there is none."""
    try:
        settings = json.loads(file.read_text("utf-8"))
        settings = {name: float(settings[name]) for name in ("temperature", "threshold")}
        if not 0 < settings["temperature"] < np.inf:
            raise ValueError
        return settings
    except FileNotFoundError:
        return {}
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{shown(file)} is damaged: it must hold a temperature and a threshold; {remedy(file)}"
        ) from None
