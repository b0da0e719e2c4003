"""The data that comes with the kit: MNIST's 70,000 handwritten digits, and 22,000 drawings by people (`people`).

Nothing is downloaded: when thirty laptops fetch the same file through a school's network at once, the lesson fails.
"""

import io
from pathlib import Path

import numpy as np

from digitlab.files import read_checked
from digitlab.paths import MNIST
from digitlab.people import load_drawings

__all__ = ["MNIST_SHA256", "NOT_A_DIGIT", "load_drawings", "load_mnist"]

NOT_A_DIGIT = 10
"""The label of what is no digit, for networks with an eleventh output."""

MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


Split = tuple[np.ndarray, np.ndarray]


def load_mnist(path: Path | str = MNIST) -> tuple[Split, Split]:
    """Read the MNIST digits that come with the kit.

    Parameters
    ----------
    path : path-like, optional
        Another copy of the file.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images are ``uint8`` of shape (60000, 28, 28) and (10000, 28, 28), white ink (255) on black (0). Labels are
        ``uint8`` of shape (60000,) and (10000,), 0 to 9.

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If its bytes are not those of the file that came with the kit.

    Notes
    -----
    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits" (1998), CC BY-SA 3.0.
    """
    content = read_checked(path, MNIST_SHA256, "digits", "digitlab/mnist/mnist.npz")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
