"""Hostile input: about 20,000 drawings, images, photos, files, settings and networks that nobody means well with.

Each ends in a prediction or in one sentence, none takes five seconds of processor time, and all together take no
gigabyte of memory. What broke once stands in the lists; the rest is made at random.
"""

import contextlib
import gc
import gzip
import io
import json
import math
import re
import struct
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digitlab.commands.evaluate import bitmap, with_edge
from digitlab.commands.main import main
from digitlab.files.onnx import add_checksum
from digitlab.ink import EXAMPLES, Drawing, Ink, read_drawings
from digitlab.paper import example_photo, find_digits
from digitlab.paths import MNIST_ONLY_NETWORK, network_files
from digitlab.recognizer import Prediction, Recognizer

MAX_SECONDS = 10  # Of processor time; the longest takes 2 on a fast machine and 5 on a slow one.
MAX_BYTES = 1_000_000_000

RECOGNIZER = Recognizer.load()
NETWORK = network_files(MNIST_ONLY_NETWORK)[1].read_bytes()
MODEL = NETWORK[: -len(add_checksum(b""))]
LINES = EXAMPLES.read_bytes().splitlines()
GOOD_LINES = [one.ink.to_json(one.label).encode() for one in read_drawings(EXAMPLES)]
PHOTO = example_photo()[200:280, 200:320]
PHOTOS = {kind: cv2.imencode(kind, PHOTO)[1].tobytes() for kind in (".jpg", ".png", ".webp")}

NUMBERS = [0, -0.0, 1, -1, 0.5, 27.5, 280, 1e-6, 1e-7, 1e-300, 5e-324, 1e4, 1e6, -1e6, 1e9, -1e9, 1e10, 1e300, -1e308]
NUMBERS += [math.inf, -math.inf, math.nan, 2**31, -(2**63), 2**53 + 1, 10**30]
NO_NUMBERS = [10**400, True, None, "1", "", [], {}, 1j, "\ud800"]

numbers = st.sampled_from(NUMBERS) | st.floats(-300, 600)
anything = numbers | st.sampled_from(NO_NUMBERS)
strokes = st.lists(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5), max_size=3)
sizes = st.just((280, 280)) | st.tuples(numbers, numbers)


def many(count):
    """Return the settings of a test with a number of examples, which do not depend on one another's speed."""
    return settings(max_examples=count, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def outcome(function, *arguments):
    """Return what a function returns, or the sentence of its error; any other end fails the test."""
    begun = time.thread_time()
    try:
        result = function(*arguments)
    except (OSError, TypeError, ValueError) as error:
        result = str(error)
        assert 10 < len(result) < 500, result
        assert len(result.splitlines()) == 1, result
    assert time.thread_time() - begun < MAX_SECONDS
    return result


def read(drawing):
    """Read a drawing; check the prediction, or the sentence."""
    prediction = outcome(RECOGNIZER.predict, drawing)
    if isinstance(prediction, Prediction):
        assert (prediction.digit is None) == (prediction.reason is not None)
        assert 0 <= prediction.confidence <= 1
        assert np.isfinite(prediction.probabilities).all()
        assert (prediction.image.shape, prediction.image.dtype) == ((28, 28), np.uint8)
        assert str(prediction)
    return prediction


@pytest.fixture(scope="module", autouse=True)
def memory():
    """Measure the memory that all tests of this file take."""
    gc.collect()
    gc.freeze()  # What other tests have left behind must not cost these ones time.
    if sys.platform != "linux":
        yield
        return
    Path("/proc/self/clear_refs").write_text("5")  # The peak begins anew.
    before = _memory("VmRSS")
    yield
    assert _memory("VmHWM") - before < MAX_BYTES


def _memory(name):
    return 1024 * int(re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)[1])


# Drawings


@many(2500)
@given(strokes, sizes)
@example([[(-1e308, 0), (1e308, 0)]], (280, 280))
@example([[(1, 0), (1, 1)]], (1e-300, 1e-300))
@example([[(0, 0)]], (1e9, 1e-6))
@example([[(0, 0)]], (1e-6, 1e-6))
def test_any_ink_is_read_or_refused(strokes, size):
    ink = outcome(Ink, strokes, size)
    if isinstance(ink, str):
        return
    prediction = read(ink)
    assert isinstance(prediction, Prediction) or "every x and y must be from -1e9 to 1e9" in prediction
    line = outcome(ink.to_json, 1)
    if line.startswith("{"):
        again = Ink.from_json(line)
        assert [stroke.shape for stroke in again.strokes] == [stroke.shape for stroke in ink.strokes]
        assert isinstance(outcome(RECOGNIZER.predict, again), Prediction)


@many(700)
@given(
    st.lists(st.lists(st.lists(anything, max_size=3), max_size=3), max_size=3) | anything,
    st.lists(anything, max_size=3),
)
def test_no_ink_is_made_of_anything_else(strokes, size):
    ink = outcome(Ink, strokes, size)
    if isinstance(ink, Ink):
        values = [value for stroke in strokes for point in stroke for value in point] + list(size)
        assert all(isinstance(value, (int, float)) for value in values)


@many(60)
@given(strokes, st.tuples(*[st.sampled_from([1e-6, 0.01, 1, 28, 280, 3000, 10_000])] * 2))
def test_any_drawing_of_a_file_becomes_a_bitmap(strokes, size):
    line = json.dumps({"strokes": strokes, "size": size})
    drawing = outcome(Drawing.from_json, line)
    if isinstance(drawing, Drawing):
        assert isinstance(read(with_edge(bitmap(drawing.ink))), Prediction)


# Images


TYPES = [np.uint8] * 6 + [bool, np.int8, np.int64, np.uint16, np.float16, np.float32, np.float64, complex, "U1", object]


def an_image(height, width, seed, share, top, kind):
    """Return an image with a share of its pixels bright, up to a value, of some type."""
    rng = np.random.default_rng(seed)
    return ((rng.random((height, width)) < share) * rng.integers(0, top + 1, (height, width))).astype(kind)


@many(2000)
@given(
    st.integers(1, 60) | st.sampled_from([79, 80, 81, 129, 280]),
    st.integers(1, 60) | st.sampled_from([79, 80, 81, 129, 280]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 0.001, 0.01, 0.1, 0.4, 0.6, 1]),
    st.sampled_from([1, 2, 3, 127, 128, 255]),
    st.sampled_from(TYPES),
)
def test_any_image_is_read_or_refused(height, width, seed, share, top, kind):
    read(an_image(height, width, seed, share, top, kind))


@pytest.mark.parametrize("shape", [(1, 1), (1, 100_000), (100_000, 1), (2, 40_000), (40, 20_000), (2_000, 2_000)])
@pytest.mark.parametrize("share", [0, 0.0001, 0.4, 1])
def test_an_image_of_any_shape_is_read_or_refused(shape, share):
    for top in (1, 255):
        image = an_image(*shape, 0, share, top, np.uint8)
        read(image)
        image[0], image[-1], image[:, 0], image[:, -1] = 0, 0, 0, 0
        read(image)
        image[0, 0] = image[-1, -1] = top
        read(image)


@pytest.mark.parametrize(
    "shape", [(), (28,), (0, 5), (5, 0), (1, 28, 28), (28, 28, 1), (9, 9, 3), (9, 9, 4), (2, 2, 2, 2)]
)
@pytest.mark.parametrize("kind", [np.uint8, float, object, "U1", "datetime64[s]", "V2"])
def test_an_array_of_another_shape_is_refused(shape, kind):
    assert isinstance(read(np.zeros(shape, kind)), str)


@pytest.mark.parametrize("thing", [None, 3, "3", b"3", [[0, 255]], [], {}, object(), np.uint8(3), Ink])
def test_a_thing_that_is_no_drawing_is_refused(thing):
    assert "must be an Ink or a NumPy array" in read(thing)


@many(200)
@given(st.sampled_from(["uint8", "float64", "int32"]), st.integers(0, 40), st.integers(0, 40), st.integers(-5, 300))
def test_any_result_of_ones_own_prepare_is_read_or_refused(kind, height, width, value):
    result = np.full((height, width), value % 256 if kind == "uint8" else value, kind)
    prediction = outcome(RECOGNIZER.predict, Ink.example(3), lambda drawing: result)
    assert isinstance(prediction, Prediction) == (kind == "uint8" and (height, width) == (28, 28))


# Photos of paper


def found_on(photo):
    """Return what is found on a photo, checked, or the sentence."""
    found = outcome(find_digits, photo, RECOGNIZER)
    if not isinstance(found, str):
        for one in found:
            x, y, width, height = one.box
            assert min(x, y) >= 0
            assert min(width, height) > 0
            assert one.image.dtype == np.uint8
            assert isinstance(read(one.image), Prediction)
    return found


@many(60)
@given(
    st.tuples(*[st.integers(0, 60) | st.sampled_from([7, 8, 9, 300])] * 2),
    st.sampled_from([None, None, 3, 1, 4]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 0.001, 0.01, 0.1, 0.4, 1]),
    st.sampled_from([1, 20, 255]),
    st.sampled_from(TYPES),
    st.booleans(),
)
def test_any_array_is_searched_for_digits_or_refused(size, colours, seed, share, top, kind, is_dark):
    noise = an_image(*size, seed, share, top, np.uint8)
    photo = noise if is_dark else 255 - noise
    photo = (photo if colours is None else np.dstack([photo] * colours)).astype(kind)
    assert isinstance(found_on(photo), list) == (kind is np.uint8 and colours in (None, 3) and min(size) > 0)


@many(8)
@given(st.integers(0, 2**32 - 1), st.integers(0, 150), st.integers(1, 12), st.integers(0, 40))
def test_any_scribble_on_paper_is_searched_for_digits(seed, count, pen, noise):
    rng = np.random.default_rng(seed)
    photo = np.clip(rng.normal(220, noise, (200, 300)), 0, 255).astype(np.uint8)
    for stroke in np.cumsum(rng.normal(0, 25, (count, 6, 2)), axis=1) + rng.uniform(0, (300, 200), (count, 1, 2)):
        cv2.polylines(photo, [stroke.astype(np.int32)], False, int(rng.integers(0, 200)), pen)
    assert isinstance(found_on(photo), list)


@many(50)
@given(st.sampled_from([".jpg", ".png", ".webp"]), st.integers(0, 3000), st.binary(max_size=6), st.booleans())
def test_any_change_to_the_file_of_a_photo_ends_in_a_sentence_or_a_photo(kind, position, change, cut):
    content = PHOTOS[kind]
    position %= len(content)
    found_on(content[:position] + change + (b"" if cut else content[position + len(change) :]))


@pytest.mark.parametrize("width", [0, 1, 7_000, 60_000, 2**31 - 1])
@pytest.mark.parametrize("height", [0, 1, 7_000, 60_000, 2**31 - 1])
def test_a_photo_that_promises_any_size_is_refused_soon(width, height):
    content = PHOTOS[".png"]
    header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    found = found_on(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:])
    assert isinstance(found, str) or width * height <= 7_000


@many(15)
@given(st.binary(max_size=40) | st.integers(0, 400).map(lambda end: PHOTOS[".jpg"][:end]))
def test_the_command_refuses_any_damaged_photo_in_a_sentence(tmp_path_factory, content):
    photo = tmp_path_factory.getbasetemp() / "hostile.jpg"
    photo.write_bytes(content)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        assert main(["read", str(photo)]) == 1
    assert re.fullmatch(r"digitlab read: [^\n]{10,500}\n", said.getvalue())


# Files of drawings

values = st.recursive(
    anything.filter(lambda value: type(value) is not complex),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["label", "strokes", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)
records = st.fixed_dictionaries(
    {}, optional={"strokes": values | strokes, "size": values | sizes, "label": values, "writer": values}
).map(json.dumps)
lines = (
    st.sampled_from([b"", b".", b"\x00", b"\xff", b"[" * 500, b"{" * 500, b'{"strokes":' * 500, b"NaN", b"1" * 5000])
    | st.binary(max_size=40)
    | records.map(str.encode)
)


@st.composite
def changed_lines(draw):
    """Return a line of a good file with one part of it replaced."""
    line = draw(st.sampled_from(LINES))
    start, length = draw(st.integers(0, len(line))), draw(st.integers(0, 30))
    return line[:start] + draw(st.binary(max_size=4)) + line[start + length :]


@many(300)
@given(st.lists(lines | changed_lines(), min_size=20, max_size=60))
def test_every_line_of_a_file_is_read_or_left_out(tmp_path_factory, bad):
    file = tmp_path_factory.getbasetemp() / "hostile.jsonl"
    content = LINES[0] + b"\n" + b"\n".join(line.replace(b"\n", b"") for line in bad)
    file.write_bytes(content)
    left_out = []
    drawings = outcome(read_drawings, file, lambda *reason: left_out.append(reason))
    assert len(drawings) + len(left_out) == sum(1 for line in content.split(b"\n") if line.strip())
    assert all(len(reason.splitlines()) == 1 for _, reason in left_out)
    for drawing in drawings[1:4]:
        assert isinstance(read(drawing.ink), Prediction)


@many(1000)
@given(records)
def test_any_record_is_a_drawing_or_refused(line):
    drawing = outcome(Drawing.from_json, line)
    if isinstance(drawing, Drawing):
        assert isinstance(read(drawing.ink), Prediction)


@many(500)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3), st.booleans())
@example(0, b"\t", True)  # An empty file has no drawing, and no bad line.
def test_any_change_to_a_packed_file_is_noticed_or_harmless(tmp_path_factory, position, change, cut):
    packed = gzip.compress(b"\n".join(LINES), mtime=0)
    position %= len(packed)
    content = packed[:position] + change + (b"" if cut else packed[position + len(change) :])
    file = tmp_path_factory.getbasetemp() / "hostile.jsonl.gz"
    file.write_bytes(content)
    left_out = []
    drawings = outcome(read_drawings, file, lambda *reason: left_out.append(reason))
    if not isinstance(drawings, str):
        assert (
            [one.ink.to_json(one.label).encode() for one in drawings] == GOOD_LINES or left_out or not content.strip()
        )


UNIPEN = b'.SEGMENT DIGIT 0-1 ? "4"\n.COMMENT 4 12 224\n.PEN_DOWN\n 100 400\n 50 300\n.PEN_UP\n.DT 10\n'


@many(500)
@given(
    st.integers(0, len(UNIPEN)),
    st.sampled_from([b"", b"\n", b"nan", b"1e999", b"\xff", b".SEGMENT\n", b"9" * 400, b" 1"]),
)
def test_any_change_to_a_file_of_the_uci_is_noticed_or_harmless(tmp_path_factory, position, change):
    file = tmp_path_factory.getbasetemp() / "hostile.tra"
    file.write_bytes(UNIPEN * 2 + UNIPEN[:position] + change + UNIPEN[position:])
    drawings = outcome(read_drawings, file)
    if not isinstance(drawings, str):
        for drawing in drawings:
            assert isinstance(read(drawing.ink), Prediction)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: b"\n" * 60_000_000, id="60 MB of empty lines"),
        pytest.param(lambda: b"\0" * 60_000_000, id="60 MB of zeros"),
        pytest.param(lambda: b"x\n" * 20_000_000, id="20 million bad lines"),
        pytest.param(lambda: b"." * 40_000_000, id="one line of 40 MB"),
        pytest.param(lambda: b'{"strokes":[[' + b"[1,2]," * 150_000 + b"[1,2]]]}\n", id="a line of 1 MB"),
        pytest.param(lambda: (b'{"strokes":[[' + b"[1,2]," * 33_000 + b"[1,2]]]}\n") * 100, id="3 million points"),
        pytest.param(lambda: (b'{"strokes":[' + b"[[1,2]]," * 24_000 + b"[[1,2]]]}\n") * 100, id="2 million dots"),
        pytest.param(lambda: b'{"strokes":[]}\n' * 1_000_000, id="1 million empty drawings"),
        pytest.param(lambda: b".SEGMENT\n.PEN_DOWN\n" + b"1 2\n" * 4_000_000, id="4 million points of the UCI"),
        pytest.param(lambda: b".SEGMENT\n.PEN_DOWN\n1 2\n" * 800_000, id="800,000 drawings of the UCI"),
    ],
)
def test_a_small_packed_file_of_very_much_ends_soon(tmp_path, content):
    file = tmp_path / "bomb.jsonl.gz"
    file.write_bytes(gzip.compress(content(), 1))
    outcome(read_drawings, file, lambda *reason: None)


def test_a_drawing_of_very_many_strokes_is_read_soon():
    line = '{"strokes":[' + "[[1,2]]," * 24_000 + "[[1,2]]]}"
    assert isinstance(read(outcome(Ink.from_json, line)), Prediction)


# Networks and their settings


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Return the .onnx file of a good network, to be changed."""
    return tmp_path_factory.mktemp("network") / "hostile.onnx"


setting = values | st.sampled_from([0.5, 1, 0.01, 100, -1, 1e-9, 5])


@many(250)
@given(
    st.fixed_dictionaries({}, optional={"temperature": setting, "threshold": setting}).map(
        lambda v: json.dumps(v).encode()
    )
    | st.binary(max_size=60)
    | st.sampled_from(
        [b"[" * 9_000, b"1" * 9_000, b'{"temperature":' * 600, b'{"temperature": 1, "threshold": ' + b"9" * 400 + b"}"]
    )
)
def test_any_settings_are_taken_or_refused(network, content):
    network.write_bytes(NETWORK)
    network.with_suffix(".json").write_bytes(content)
    recognizer = outcome(Recognizer.load, network)
    network.with_suffix(".json").unlink()
    if isinstance(recognizer, Recognizer):
        prediction = recognizer.predict(Ink.example(3))
        assert 0 <= prediction.confidence <= 1
        assert np.isfinite(prediction.probabilities).all()


@many(250)
@given(st.integers(0, 3000) | st.integers(0, len(MODEL) - 4), st.binary(min_size=1, max_size=3))
@example(181, b"\x17")
@example(2142, b"\xc7")
def test_any_change_to_a_network_is_noticed(network, position, change):
    content = NETWORK[:position] + change + NETWORK[position + len(change) :]
    network.write_bytes(content)
    loaded = outcome(Recognizer.load, network)
    assert isinstance(loaded, str) == (content != NETWORK)


@many(6)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=2))
@example(181, b"\x17")
@example(2142, b"\xc7")
def test_no_network_of_another_program_ends_python(network, position, change):
    network.write_bytes(MODEL[:position] + change + MODEL[position + len(change) :])
    loaded = outcome(Recognizer.load, network)
    if isinstance(loaded, Recognizer):
        assert isinstance(outcome(loaded.predict, Ink.example(3)), Prediction)
