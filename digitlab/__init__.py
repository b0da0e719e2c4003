"""digitlab: draw a digit, have it read, and find out how that is possible.

``from digitlab import Ink, Recognizer`` is all that reading a drawing takes. Importing the package imports
neither TensorFlow nor matplotlib nor the notebook's widgets: a seat that only draws never pays for training.
"""

import importlib
import os

__version__ = "0.2.0"

# TensorFlow reads this once, when it is first imported; its start-up messages only worry a class.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_HOMES = {
    "Drawing": "ink",
    "Ink": "ink",
    "Prediction": "recognizer",
    "Recognizer": "recognizer",
    "load_mnist": "data",
    "read_drawings": "ink",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name):
    # Found on first use: `digitlab check` must start where NumPy or OpenCV are broken.
    if name not in _HOMES:
        raise AttributeError(f"module 'digitlab' has no attribute {name!r}")
    return getattr(importlib.import_module(f"digitlab.{_HOMES[name]}"), name)
