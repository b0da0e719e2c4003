"""Read a drawing with a network.

Networks are trained in Keras and read drawings in OpenCV: ``cv2.dnn`` starts thirty times as fast and takes a sixth of
the memory. That is why thirty students fit on one server.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.files.onnx import is_whole
from digitlab.files.settings import read_settings
from digitlab.ink import Ink
from digitlab.inside import Inside
from digitlab.paths import SHIPPED_NETWORK, network_files, remedy, settings_of, shown
from digitlab.prepare import SIDE, check_image, is_empty, network_input, prepare

MAX_FILE = 100_000_000
"""Maximum size of a network's file, in bytes."""

_BATCH = 256
_DOT = 0.03  # A drawing that is smaller than this part of its canvas is a dot.


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network reads in one drawing."""

    digit: int | None
    """The digit that is read, 0 to 9, or None if there is a `reason` not to read one."""

    reason: str | None
    """None if a digit is read; else "empty" (nothing is drawn), "not a digit" or "unsure"."""

    confidence: float
    """Probability, 0 to 1, that the drawing is a digit and that the most probable one is right; 0.0 if empty."""

    probabilities: np.ndarray
    """float32 (10,): probability of each digit, if the drawing is a digit; the sum is 1. All are 0.1 if empty."""

    image: np.ndarray
    """uint8 (28, 28): what the network sees."""

    def __str__(self):
        if self.reason == "empty":
            return "nothing drawn"
        if self.reason == "not a digit":
            return "that's no digit, is it?"
        if self.reason == "unsure":
            second, first = np.argsort(self.probabilities)[-2:]
            return f"not sure: {first} or {second}?"
        return f"{self.digit} ({percent(self.confidence)} sure)"


def percent(confidence: float) -> str:
    """Return a confidence, 0 to 1, as text. It is never shown as 100 %, because nothing is certain."""
    return "> 99 %" if confidence > 0.99 else f"{confidence:.0%}".replace("%", " %")


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Make probabilities more or less extreme without changing their order.

    Parameters
    ----------
    probabilities : float array (n, k)
    temperature : float
        The logits are divided by it: above 1 the probabilities get more equal, below 1 more extreme (C. Guo et al.,
        "On Calibration of Modern Neural Networks", 2017).

    Returns
    -------
    float array (n, k)
        Each row sums to 1.
    """
    # Divided by the largest first: else a low temperature could make all of them 0.
    probabilities = np.maximum(probabilities, 1e-12)
    powers = (probabilities / probabilities.max(axis=1, keepdims=True)) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


class Recognizer:
    """A network that reads drawings. It may be called from several threads.

    `Recognizer.load` makes one.

    Parameters
    ----------
    net : cv2.dnn.Net
    path : Path
        The file that it was loaded from.
    temperature : float, optional
        See `apply_temperature`.
    threshold : float, optional
        Minimum confidence for reading a digit; with 1 none is read.
    """

    def __init__(self, net: cv2.dnn.Net, path: Path, temperature: float = 1.0, threshold: float = 0.0):
        self._net = net
        self._lock = threading.Lock()
        self._inside = None
        self.path = path
        self.temperature = temperature
        self.threshold = threshold

    @classmethod
    def load(cls, path: Path | str = SHIPPED_NETWORK) -> "Recognizer":
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
            If there is no such file.
        ValueError
            If the file or its settings are damaged, or if it is not a network from 28 x 28 pixels to ten probabilities.
        """
        file, settings_file = network_files(path)[1], settings_of(path)
        if not file.exists():
            raise FileNotFoundError(f"There is no network {shown(file)}; {remedy(file)}")
        if not file.is_file():
            raise ValueError(f"{shown(file)} is a folder or a device, not a network; {remedy(file)}")
        with open(file, "rb") as opened:
            content = opened.read(MAX_FILE + 1)
        try:
            if len(content) > MAX_FILE or not is_whole(content):
                raise cv2.error
            net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
        except cv2.error:
            raise ValueError(
                f"{shown(file)} is damaged or not an ONNX network ({len(content):,} bytes); {remedy(file)}"
            ) from None
        recognizer = cls(net, Path(file), **read_settings(settings_file))
        recognizer._inside = Inside(content)
        try:
            output = recognizer.run(np.zeros((2, SIDE, SIDE, 1), np.float32))
        except (AttributeError, cv2.error):  # OpenCV gave no array, or an error.
            output = np.empty(0)
        if output.shape not in {(2, 10), (2, NOT_A_DIGIT + 1)} or not np.allclose(output.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"{shown(file)} is a network, but not from (n, 28, 28, 1) pixels to (n, 10) probabilities that sum to "
                f"1 (is softmax its last layer?); {remedy(file)}"
            )
        return recognizer

    def predict(
        self, drawing: Ink | np.ndarray, prepare: Callable[[Ink | np.ndarray], np.ndarray] = prepare
    ) -> Prediction:
        """Read one drawing.

        Parameters
        ----------
        drawing : Ink or uint8 array (h, w)
            As for `digitlab.prepare.prepare`.
        prepare : callable, optional
            Turns the drawing into a uint8 array (28, 28); by default `digitlab.prepare.prepare`.

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError, TypeError
            If the drawing is not one, see `digitlab.prepare.prepare`, or if `prepare` does not return such an array.
        """
        return self.predict_many([drawing], prepare)[0]

    def predict_many(
        self, drawings: Iterable[Ink | np.ndarray], prepare: Callable[[Ink | np.ndarray], np.ndarray] = prepare
    ) -> list[Prediction]:
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

        Raises
        ------
        ValueError, TypeError
            As `predict`.
        """
        if isinstance(drawings, Ink) or (isinstance(drawings, np.ndarray) and drawings.ndim == 2):
            raise TypeError("predict_many reads several drawings; for one use predict.")
        predictions = []
        batch = []
        for drawing in drawings:
            batch.append((drawing, _check_prepared(prepare(drawing))))
            if len(batch) == _BATCH:
                predictions += self._predict_batch(batch)
                batch = []
        return predictions + self._predict_batch(batch)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities of the ten digits for network input.

        Parameters
        ----------
        x : float32 array (n, 28, 28, 1)
            Network input, 0..1, as `digitlab.prepare.network_input` makes it.

        Returns
        -------
        probabilities : float32 array (n, 10)
        """
        return apply_temperature(self.run(x)[:, :NOT_A_DIGIT], self.temperature)

    def run(self, x: np.ndarray) -> np.ndarray:
        """Return the output of the network, without temperature.

        Parameters
        ----------
        x : float32 array (n, 28, 28, 1)
            Network input, 0..1.

        Returns
        -------
        float32 array (n, 10) or (n, 11)
            An eleventh column is for `NOT_A_DIGIT`.

        Raises
        ------
        ValueError
            If it is no network input.
        """
        if not _is_network_input(x):
            raise ValueError("This is no network input. Make it of prepared images: network_input(images).")
        if not len(x):
            return self._forward(np.zeros((1, SIDE, SIDE, 1), np.float32))[:0]
        return np.concatenate([self._forward(x[start : start + _BATCH]) for start in range(0, len(x), _BATCH)])

    def layers(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Return what each layer makes of an image: from its pixels to the answer.

        Parameters
        ----------
        image : uint8 array (28, 28)
            A prepared drawing, such as `Prediction.image`.

        Returns
        -------
        dict of str to float32 array
            "pixels" (28, 28), 0..1; "convolution 1" (h, w, filters), "convolution 2", ...; "dense 1" (neurons,), ...;
            "answer" (10,) or (11,), the probabilities without temperature. Convolutions and dense layers are as they
            are before ReLU: a number below 0 says that the opposite of the filter's pattern is there.
        """
        return self._inside.layers(network_input([_check_prepared(image)]))

    def filters(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the filters of the first convolution.

        Returns
        -------
        weights : float32 array (side, side, n)
        biases : float32 array (n,)
            What is added to each sum; 0 for a network that adds nothing there.
        """
        return self._inside.filters()

    def _predict_batch(self, batch):
        if not batch:
            return []
        outputs = self.run(network_input([image for _, image in batch]))
        digits = apply_temperature(outputs[:, :NOT_A_DIGIT], self.temperature)
        outputs = apply_temperature(outputs, self.temperature)
        return [
            self._prediction(drawing, image, output, probabilities)
            for (drawing, image), output, probabilities in zip(batch, outputs, digits, strict=True)
        ]

    def _prediction(self, drawing, image, output, probabilities):
        if is_empty(drawing) or is_empty(image):
            return Prediction(None, "empty", 0.0, np.full(10, 0.1, np.float32), image)
        digit, confidence = int(probabilities.argmax()), float(output[:NOT_A_DIGIT].max())
        reason = None
        if len(output) > NOT_A_DIGIT and _is_dot(drawing):
            reason, confidence = "not a digit", 0.0
        elif output.argmax() == NOT_A_DIGIT:
            reason = "not a digit"
        elif confidence < self.threshold or self.threshold >= 1:  # A confidence can be rounded to 1.
            reason = "unsure"
        return Prediction(digit if reason is None else None, reason, confidence, probabilities, image)

    def _forward(self, x):
        # A cv2.dnn.Net is not thread-safe: two calls at once raise, or give each other's results.
        with self._lock:
            self._net.setInput(x)
            return self._net.forward().copy()


def _is_network_input(x):
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or x.shape[1:] != (SIDE, SIDE, 1):
        return False
    return not x.size or (x.min() > -0.01 and x.max() < 1.01)  # Rounding may lead outside.


def _check_prepared(image):
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"prepare must return a uint8 array of shape ({SIDE}, {SIDE}), not {type(image).__name__}. "
            "Does its last line begin with return?"
        )
    check_image(image)
    if image.shape != (SIDE, SIDE):
        raise ValueError(f"The prepared image must be of shape ({SIDE}, {SIDE}), not {image.shape}.")
    return image


def _is_dot(drawing):
    """Return whether the pen hardly moved: scaled up, a tap could look like any digit."""
    if not isinstance(drawing, Ink):
        return False
    points = np.concatenate(drawing.strokes)
    return (points.max(axis=0) - points.min(axis=0)).max() < _DOT * max(drawing.size)
