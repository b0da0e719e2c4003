"""The data: MNIST, 70,000 handwritten digits, which travels with the kit. It stands on NumPy alone.

Nothing is ever downloaded: thirty laptops that fetch the same file at once, through a school's proxy, are how
lessons fail.
"""

import hashlib
import io
from pathlib import Path

import numpy as np

from digitlab.paths import MNIST, shown

NOT_A_DIGIT = 10
"""The label of what is no digit, for networks that have an eleventh answer for it."""

MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


def load_mnist(path=MNIST):
    """Read the MNIST digits that travel with the kit.

    Parameters
    ----------
    path : path-like, optional
        Another copy of the file.

    Returns
    -------
    (train_images, train_labels), (test_images, test_labels)
        Images are ``uint8`` of shape (60000, 28, 28) and (10000, 28, 28), white ink (255) on black (0); labels
        are ``uint8`` of shape (60000,) and (10000,), 0 to 9.

    Raises
    ------
    FileNotFoundError
        Where the file is missing.
    ValueError
        Where it is not, byte for byte, the file that came with the kit.

    Notes
    -----
    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits" (1998), CC BY-SA 3.0.
    """
    path = Path(path)
    remedy = "Bring it back with: git checkout -- digitlab/mnist/mnist.npz (or take the kit's folder afresh)"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"The digits are missing: there is no {shown(path)}. {remedy}.") from None
    if hashlib.sha256(content).hexdigest() != MNIST_SHA256:
        raise ValueError(
            f"The digits in {shown(path)} are damaged: its {len(content):,} bytes are not those that came with the "
            f"kit. {remedy}."
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
