"""The digits that travel with the kit."""

import hashlib

import numpy as np
import pytest

from digitlab.data import load_mnist
from digitlab.paths import MNIST


def test_all_seventy_thousand_digits_are_there(mnist):
    (train_images, train_labels), (test_images, test_labels) = mnist
    assert train_images.shape == (60000, 28, 28)
    assert test_images.shape == (10000, 28, 28)
    assert {array.dtype for part in mnist for array in part} == {np.dtype(np.uint8)}
    assert np.bincount(train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_they_are_the_bytes_of_the_original_files(mnist):
    """With the headers of the IDX format put back, the md5 sums are the well-known ones."""
    (train_images, train_labels), (test_images, test_labels) = mnist
    sums = []
    for array in (train_images, train_labels, test_images, test_labels):
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
def test_a_damaged_file_is_told_with_its_remedy(tmp_path, damage):
    damaged = tmp_path / "mnist.npz"
    damaged.write_bytes(damage(MNIST.read_bytes()))
    with pytest.raises(ValueError, match=r"mnist\.npz are damaged.*git checkout"):
        load_mnist(damaged)


def test_a_missing_file_is_told_with_its_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no .*mnist\.npz.*git checkout"):
        load_mnist(tmp_path / "mnist.npz")
