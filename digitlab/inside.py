"""Look inside a network: what each of its layers makes of an image, computed by OpenCV."""

import threading
from functools import lru_cache

import cv2
import numpy as np

from digitlab.ink import Ink
from digitlab.prepare import prepare

_WEIGHTED = {"Conv": "convolution", "Gemm": "dense", "MatMul": "dense"}
"""ONNX's operations with weights, and what we call these layers."""

_BEFORE_ACTIVATION = {"Add", "AveragePool", "BatchNormalization", "MaxPool", "Mul"}
"""Operations that may stand between the weights and the activation, such as ReLU."""


NO_FILTERS = "This network has no convolution, so it has no filters that could be shown."


class Inside:
    """The layers of a network whose layers follow one another. It may be used from several threads.

    OpenCV overwrites what is between two layers, unless it is an output of the network. So this is a second network,
    beside the one that reads, with more outputs. It is made when it is first used.

    Parameters
    ----------
    content : bytes
        The ``.onnx`` file.
    """

    def __init__(self, content: bytes):
        self._content = content
        self._lock = threading.Lock()
        self._net = None
        self._outputs = {}  # ONNX's names of what is shown, by our names.
        self._filters = None

    def layers(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the values of each layer before its activation, see `digitlab.recognizer.Recognizer.layers`.

        Parameters
        ----------
        x : float32 array (1, 28, 28, 1)
        """
        with self._lock:
            self._load()
            self._net.setInput(x)
            values = [np.array(value) for value in self._net.forward(list(self._outputs.values()))]
        layers = {"pixels": x[0, :, :, 0]}
        for name, value in zip(self._outputs, values, strict=True):
            # ONNX puts the channels first, Keras puts them last.
            layers[name] = value[0].transpose(1, 2, 0) if value.ndim == 4 else value[0].ravel()
        return layers

    def filters(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weights (side, side, n) and biases (n,) of the first convolution."""
        with self._lock:
            self._load()
        if self._filters is None:
            raise ValueError(NO_FILTERS)
        return self._filters

    def _load(self):
        if self._net is not None:
            return
        import onnx  # Only here: it takes 0.2 s and 14 MB, and only who looks inside needs it.

        model = onnx.load_from_string(self._content)
        graph = model.graph
        arrays = {array.name: array for array in graph.initializer}
        counts = dict.fromkeys(_WEIGHTED.values(), 0)
        name = None  # The layer whose activation has not come yet.
        for node in graph.node:
            if node.op_type in _WEIGHTED:
                kind = _WEIGHTED[node.op_type]
                counts[kind] += 1
                name = f"{kind} {counts[kind]}"
                if name == "convolution 1" and all(array in arrays for array in node.input[1:]):
                    weights, *biases = (onnx.numpy_helper.to_array(arrays[array]) for array in node.input[1:])
                    self._filters = (
                        weights[:, 0].transpose(1, 2, 0),
                        biases[0] if biases else np.zeros(len(weights), np.float32),
                    )
            elif node.op_type not in _BEFORE_ACTIVATION:
                name = None
            if name:
                self._outputs[name] = node.output[0]
        if self._outputs:
            self._outputs.popitem()  # The last layer's numbers become the answer.
        for output in self._outputs.values():
            graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, ["any"]))
        self._outputs["answer"] = graph.output[0].name
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))


_WHERE = [["upper left", "top", "upper right"], ["left", "middle", "right"], ["lower left", "bottom", "lower right"]]


def place_words(row: int, column: int, shape: tuple[int, int]) -> str:
    """Return in which ninth of an image a place lies, such as "upper left" or "middle"."""
    return _WHERE[row * 3 // shape[0]][column * 3 // shape[1]]


def layer_words(name: str, values: np.ndarray) -> str:
    """Return what a layer finds in a drawing as a sentence, for people who do not see its picture.

    Parameters
    ----------
    name : str
        As `Recognizer.layers` names it.
    values : float array (h, w, n) or (n,)
        The layer's values before its activation.
    """
    maps = values.reshape(-1, values.shape[-1])
    first, *others = np.argsort(maps.max(axis=0))[:-4:-1]
    kind = "filters" if values.ndim == 3 else "neurons"
    place = ""
    if values.ndim == 3:
        row, column = divmod(int(maps[:, first].argmax()), values.shape[1])
        place = f" ({place_words(row, column, values.shape[:2])})"
    numbers = ", ".join([f"{first + 1}{place}", *(str(other + 1) for other in others)])
    return f"{name}, {maps.shape[1]} {kind}; most is found by number {numbers}."


@lru_cache(maxsize=8)
def layer_limits(recognizer) -> dict[str, float]:
    """Return how large the numbers of each layer get, which is where its colours end.

    The colours must not change their meaning while one draws. So this is measured once, with the ten example digits.

    Parameters
    ----------
    recognizer : Recognizer
    """
    examples = [recognizer.layers(prepare(Ink.example(digit))) for digit in range(10)]
    limits = {
        name: float(np.percentile(np.abs([layers[name] for layers in examples]), 99.5)) or 1.0 for name in examples[0]
    }
    return {**limits, "pixels": 1.0, "answer": 1.0}
