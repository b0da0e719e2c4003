"""digitlab: draw a digit, let a network read it, and find out how that works.

``from digitlab import Ink, Recognizer`` is all that reading a drawing needs. Importing the package imports neither
TensorFlow nor matplotlib nor widgets, so a process that only draws starts fast.
"""

import importlib
import importlib.abc
import os
import sys

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


OLD_NOTEBOOK = "This notebook is from an older kit. For fresh notebooks: digitlab lab --reset (yours are kept, too)."

_MOVED = {
    "digitlab.class_view": "digitlab_classroom.view",
    "digitlab.collection": "digitlab_classroom.submissions",
    "digitlab.places": "digitlab.paths",
    "digitlab.synthesis": "digitlab.training.synthesis",
}


class _Moved(importlib.abc.MetaPathFinder):
    """Say where the modules are that notebooks of version 0.1.0 import: a reader may have changed and kept them."""

    def find_spec(self, name, path=None, target=None):
        if name in _MOVED:
            raise ImportError(f"{name} is {_MOVED[name]} now. {OLD_NOTEBOOK}")


sys.meta_path.append(_Moved())


def __getattr__(name):
    # Imported on first use: `digitlab check` must start even if NumPy or OpenCV is broken.
    if name not in _MODULES:
        raise AttributeError(f"module 'digitlab' has no attribute {name!r}")
    return getattr(importlib.import_module(f"digitlab.{_MODULES[name]}"), name)


def __dir__():
    return __all__
