"""The digits and the drawings that come with the kit."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from digitlab.data import load_drawings, load_mnist
from digitlab.metrics import DIGITS
from digitlab.paths import MNIST
from digitlab.people import PARTS, PEOPLE


def table(name):
    """Return the rows of a table beside the drawings, without its heading."""
    return [tuple(line.split("\t")) for line in (PEOPLE / name).read_text("utf-8").splitlines()[1:]]


@pytest.fixture(scope="module")
def parts():
    return {part: load_drawings(part) for part in PARTS}


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


def test_all_drawings_by_people_are_there_but_those_left_out(parts):
    left_out = Counter(row[0] for row in table("left_out.tsv"))
    sources = Counter(drawing.source for drawing in parts["all"])
    assert sources + left_out == {"pendigits": 7494, "unipen": 8820, "unipen-letters": 6000}
    for source in ("pendigits", "unipen"):
        assert {drawing.label for drawing in parts["all"] if drawing.source == source} == set(DIGITS)
    assert {drawing.label for drawing in parts["all"] if drawing.source == "unipen-letters"} == set(
        "AEFHKMNRWXaefhkmnrwx"
    )


def test_a_writer_is_learned_from_or_held_out_never_both(parts):
    assert len(parts["learn"]) + len(parts["held-out"]) == len(parts["all"])
    writers = {part: {(d.source, d.writer) for d in drawings} for part, drawings in parts.items()}
    assert not writers["learn"] & writers["held-out"]
    assert writers["held-out"] <= set(table("held_out_writers.tsv"))
    # A writer of digits and letters is held out with both.
    names = {part: {writer for source, writer in pairs if source != "pendigits"} for part, pairs in writers.items()}
    assert not names["learn"] & names["held-out"]
    for source in {drawing.source for drawing in parts["all"]}:
        share = sum(pair[0] == source for pair in writers["held-out"]) / sum(
            pair[0] == source for pair in writers["all"]
        )
        assert share == pytest.approx(0.2, abs=0.01)


def test_no_drawing_is_both_learned_from_and_held_out(parts):
    learn, held_out = (
        {b"".join(stroke.tobytes() for stroke in drawing.ink.strokes) for drawing in parts[part]}
        for part in ("learn", "held-out")
    )
    assert learn.isdisjoint(held_out)
    assert len(parts["all"]) - len(learn) - len(held_out) == 285  # Copies, as the README of the drawings says.


def test_each_drawing_left_out_is_named_with_its_label_and_a_reason(parts):
    first = parts["all"][0]
    assert (first.label, first.ink.size, first.ink.strokes[0][0].tolist()) == ("8", (500, 500), [267, 167])
    for source, line, writer, label, why in table("left_out.tsv"):
        assert source in {"pendigits", "unipen", "unipen-letters"}
        assert int(line) >= 1
        assert writer
        assert len(label) == 1
        assert why


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match=r"no part 'test'.*'all', 'learn', 'held-out'"):
        load_drawings("test")


def test_damaged_or_missing_drawings_are_reported_with_a_remedy(tmp_path):
    damaged = tmp_path / "drawings.npz"
    with pytest.raises(FileNotFoundError, match=r"there is no .*drawings\.npz.*git checkout"):
        load_drawings(path=damaged)
    damaged.write_bytes((PEOPLE / "drawings.npz").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"drawings\.npz are damaged.*git checkout"):
        load_drawings(path=damaged)
