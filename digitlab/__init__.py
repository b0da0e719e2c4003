"""digitlab: draw a digit, let a network read it, and find out how that works.

``from digitlab import Ink, Recognizer`` is all that reading a drawing needs. Importing the package imports neither
TensorFlow nor matplotlib nor widgets, so a process that only draws starts fast.
"""

import importlib
import os

__version__ = "0.2.0"

# TensorFlow reads this when it is imported. Its start-up messages are not for beginners.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_MODULES = {
    "Drawing": "ink",
    "Ink": "ink",
    "Prediction": "recognizer",
    "Recognizer": "recognizer",
    "load_drawings": "data",
    "load_mnist": "data",
    "read_drawings": "ink",
}
__all__ = [*_MODULES, "__version__"]


def __getattr__(name):
    # Imported on first use: `digitlab check` must start even if NumPy or OpenCV is broken.
    if name not in _MODULES:
        raise AttributeError(f"module 'digitlab' has no attribute {name!r}")
    return getattr(importlib.import_module(f"digitlab.{_MODULES[name]}"), name)


def __dir__():
    return __all__
