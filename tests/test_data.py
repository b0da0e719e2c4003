"""MNIST, which comes with the kit."""

import hashlib

import numpy as np
import pytest

from digitlab.data import load_mnist
from digitlab.paths import MNIST


def test_mnist_has_seventy_thousand_digits(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert {array.dtype for part in mnist for array in part} == {np.dtype(np.uint8)}
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_digits_are_those_of_the_original_files(mnist):
    """With the headers of the IDX format added, the md5 sums are the published ones."""
    (x_train, y_train), (x_test, y_test) = mnist
    sums = []
    for array in (x_train, y_train, x_test, y_test):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
        sums.append(hashlib.md5(header + array.tobytes()).hexdigest())
    assert sums == [
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:999] + b"?" + data[1000:]]
)
def test_a_damaged_file_is_reported_with_a_remedy(tmp_path, damage):
    damaged = tmp_path / "mnist.npz"
    damaged.write_bytes(damage(MNIST.read_bytes()))
    with pytest.raises(ValueError, match=r"mnist\.npz are damaged.*git checkout"):
        load_mnist(damaged)


def test_a_missing_file_is_reported_with_a_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no .*mnist\.npz.*git checkout"):
        load_mnist(tmp_path / "mnist.npz")
