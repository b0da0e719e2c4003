"""Ink, and the files that drawings are kept in."""

import gzip
import json
import signal
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.ink import EXAMPLES, Drawing, Ink, append_drawing, read_drawings, save_image

POINTS = st.lists(st.tuples(*[st.floats(-1000, 1000)] * 2), min_size=1, max_size=20)


def same(ink, other, tolerance=0.0):
    return (
        ink.size == other.size
        and len(ink.strokes) == len(other.strokes)
        and all(
            a.shape == b.shape and np.allclose(a, b, 0, tolerance)
            for a, b in zip(ink.strokes, other.strokes, strict=True)
        )
    )


def test_a_pen_draws_strokes_that_can_be_undone_and_cleared():
    ink = Ink()
    assert not ink
    ink.start(10, 20)
    ink.extend(30, 40)
    ink.start(5, 5)
    assert [stroke.tolist() for stroke in ink.strokes] == [[[10, 20], [30, 40]], [[5, 5]]]
    ink.undo()
    assert [len(stroke) for stroke in ink.strokes] == [2]
    ink.clear()
    ink.undo()
    assert not ink


def test_a_copy_is_drawn_on_alone():
    ink = Ink.example(7)
    copy = ink.copy()
    copy.strokes[0][0] = 0
    copy.start(1, 1)
    assert same(ink, Ink.example(7))


def test_it_is_drawn_as_the_canvas_shows_it():
    ink = Ink([[(50, 20), (50, 60)]], (100, 80))
    image = ink.render(pen=10)
    assert image.shape == (80, 100)
    assert image.dtype == np.uint8
    rows, columns = np.nonzero(image > 127)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (45, 54, 15, 64)
    assert not Ink(size=(100, 80)).render().any()


def test_strokes_outside_the_canvas_are_legal_and_cut_off():
    assert not Ink([[(-500, -500), (-400, 1e9)]]).render().any()
    assert Ink([[(-500, 140), (1e7, 140)]]).render()[140].all()


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([[(0, float("nan"))]], "Stroke 1 holds nan"),
        ([[(1, 1)], [(float("inf"), 0)]], "Stroke 2 holds inf"),
        ([[1, 2, 3]], r"shape \(n, 2\).*not \(3,\)"),
        ([[(1, 2, 3)]], r"shape \(n, 2\).*not \(1, 3\)"),
        ([[]], r"shape \(n, 2\).*not \(0,\)"),
        ([["ab"]], "all of them numbers"),
        ([[(0, 1), (2,)]], "all of them numbers"),
    ],
)
def test_strokes_that_are_none_are_told(strokes, message):
    with pytest.raises(ValueError, match=message):
        Ink(strokes)


@pytest.mark.parametrize("size", [(0, 10), (10, float("inf")), (10,), "large", (10, float("nan"))])
def test_a_canvas_needs_a_width_and_a_height(size):
    with pytest.raises(ValueError, match="width and height"):
        Ink(size=size)


def test_a_bad_point_leaves_the_drawing_as_it_was():
    ink = Ink.example(3)
    with pytest.raises(ValueError, match="nan"):
        ink.extend(float("nan"), 1)
    with pytest.raises(ValueError, match="inf"):
        ink.start(1, float("inf"))
    assert same(ink, Ink.example(3))
    with pytest.raises(ValueError, match="call start"):
        Ink().extend(1, 1)


def test_there_is_an_example_of_each_digit_and_of_nothing_else():
    assert all(Ink.example(digit) for digit in range(10))
    with pytest.raises(ValueError, match="0 to 9, but none of 10"):
        Ink.example(10)


@given(st.lists(POINTS, max_size=5))
def test_a_drawing_survives_the_way_to_a_file_and_back(strokes):
    ink = Ink(strokes, (300, 200.5))
    assert same(Ink.from_json(ink.to_json()), ink, tolerance=0.005)


def test_label_and_writer_are_kept_with_the_drawing():
    drawing = Drawing.from_json(Ink.example(7).to_json(label=7, writer="blue fox"))
    assert (drawing.label, drawing.writer) == ("7", "blue fox")
    assert same(drawing.ink, Ink.example(7))
    bare = json.loads(Ink.example(7).to_json())
    assert set(bare) == {"size", "strokes"}


def test_a_file_is_read_plain_and_gzipped(tmp_path):
    packed = tmp_path / "drawings.jsonl.gz"
    packed.write_bytes(gzip.compress(EXAMPLES.read_bytes()))
    assert [drawing.label for drawing in read_drawings(packed)] == list("0123456789")
    assert [drawing.label for drawing in read_drawings(EXAMPLES)] == list("0123456789")


GOOD = Ink.example(1).to_json(label=1).encode()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (GOOD[:60], "not JSON, perhaps only part of a line"),
        (b"\xff\xfe" + GOOD, "not UTF-8"),
        (GOOD.replace(b'"1"', b'"eins"'), "one character.*'eins'"),
        (GOOD.replace(b'"1"', b"1"), "one character.*'1'"),
        (b'{"label":"1","writer":3,"strokes":[]}', "writer must be a string.*'3'"),
        (b'{"label":"1"}', "not a drawing"),
        (b"[1, 2]", "not a drawing"),
        (b'{"strokes":"abc"}', "strokes must be a list"),
        (b'{"strokes":[[[0,NaN]]]}', "Stroke 1 holds nan"),
        (b'{"strokes":[[[0,1' + b"0" * 400 + b"]]]}", "Stroke 1 must be an array of points"),
        (b'{"size":[1' + b"0" * 400 + b',1],"strokes":[]}', "must be two numbers"),
        (b'{"strokes":[[[0,1,2]]]}', r"shape \(n, 2\)"),
        (b'{"size":[0,0],"strokes":[]}', "positive numbers"),
        (b'{"strokes":[[' + b"[1,2]," * 200_000 + b"[1,2]]]}", "1,200,021 characters long"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_costs_no_other(tmp_path, bad, reason):
    file = tmp_path / "drawings.jsonl"
    file.write_bytes(GOOD + b"\n\n" + bad + b"\n" + GOOD)
    told = []
    drawings = read_drawings(file, on_bad_line=lambda number, why: told.append((number, why)))
    assert [drawing.label for drawing in drawings] == ["1", "1"]
    assert [number for number, _ in told] == [3]
    with pytest.raises(ValueError, match=rf"Line 3 of .*drawings\.jsonl cannot be read: .*{reason}"):
        read_drawings(file)


def test_a_torn_last_line_is_told_too(tmp_path):
    file = tmp_path / "drawings.jsonl"
    file.write_bytes(GOOD + b"\n" + GOOD[:-5])
    told = []
    assert len(read_drawings(file, on_bad_line=lambda *what: told.append(what))) == 1
    assert told == [(2, "it is not JSON, perhaps only part of a line")]


def test_a_damaged_gzip_file_is_told(tmp_path):
    file = tmp_path / "drawings.jsonl.gz"
    file.write_bytes(gzip.compress(GOOD)[:-20])
    with pytest.raises(ValueError, match="damaged gzip"):
        read_drawings(file)


UNIPEN = """\
.INCLUDE dene.doc

.SEGMENT DIGIT 0-1 ? "4"
.COMMENT 4 12 224
.PEN_DOWN
 100 400
 50 300
.PEN_UP
.DT 100
.PEN_DOWN
 80 350
.PEN_UP
.DT 100
.SEGMENT DIGIT 2 ? "1"
.COMMENT 1 7 225
.PEN_DOWN
 5 500
 5 0
.PEN_UP
"""


def test_the_uci_files_are_read_as_they_are_distributed(tmp_path):
    file = tmp_path / "pendigits-orig.tra"
    file.write_text(UNIPEN)
    four, one = read_drawings(file)
    assert (four.label, four.writer, one.label, one.writer) == ("4", "12", "1", "7")
    assert same(four.ink, Ink([[(100, 100), (50, 200)], [(80, 150)]], (500, 500)))
    assert same(one.ink, Ink([[(5, 0), (5, 500)]], (500, 500)))


def test_uci_files_that_are_packed_or_damaged_are_told(tmp_path):
    packed = tmp_path / "pendigits-orig.tra.Z"
    packed.write_bytes(b"\x1f\x9d\x90abc")
    with pytest.raises(ValueError, match=r"gzip -d pendigits-orig\.tra\.Z"):
        read_drawings(packed)
    damaged = tmp_path / "pendigits-orig.tra"
    damaged.write_text(UNIPEN.replace("50 300", "50 ???"))
    with pytest.raises(ValueError, match=r"Line 7 of .* no point of a stroke: ' 50 \?\?\?'"):
        read_drawings(damaged)


def test_drawings_are_added_to_a_file_one_line_each(tmp_path):
    path = tmp_path / "new" / "drawings.jsonl"
    append_drawing(path, Ink.example(3), 3)
    append_drawing(path, Ink.example(4), "4", writer="12")
    one, other = read_drawings(path)
    assert (one.label, one.writer, other.label, other.writer) == ("3", None, "4", "12")
    assert same(other.ink, Ink.example(4))


def test_a_line_that_was_torn_costs_the_next_one_nothing(tmp_path):
    path = tmp_path / "drawings.jsonl"
    path.write_text('{"label": "3", "stro')
    append_drawing(path, Ink.example(4), 4)
    bad = []
    (drawing,) = read_drawings(path, on_bad_line=lambda number, why: bad.append(number))
    assert drawing.label == "4"
    assert bad == [1]


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="Windows has no limit for the size of files")
def test_a_disk_that_is_full_leaves_the_file_as_it_was(tmp_path):
    """A limit for the size of files stands in for a full disk: writing stops in the middle of a line."""
    path = tmp_path / "drawings.jsonl"
    append_drawing(path, Ink.example(3), 3)
    before = path.read_bytes()
    script = f"""
import resource, signal
from digitlab.ink import Ink, append_drawing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 100}, {len(before) + 100}))
try:
    append_drawing({str(path)!r}, Ink.example(8), 8)
except OSError as error:
    print("told:", error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("told: ")
    assert path.read_bytes() == before


def test_many_may_add_at_once(tmp_path):
    path = tmp_path / "drawings.jsonl"

    def add_some(writer):
        for _ in range(25):
            append_drawing(path, Ink.example(writer), writer, str(writer))

    threads = [threading.Thread(target=add_some, args=[writer]) for writer in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_drawings(path)) == 250


def test_pictures_are_saved_under_names_that_are_free(tmp_path):
    first, second = save_image(Ink.example(5), tmp_path), save_image(Ink.example(6), tmp_path)
    assert (first.name, second.name) == ("drawing-001.png", "drawing-002.png")
    assert np.array_equal(cv2.imread(str(second), cv2.IMREAD_GRAYSCALE), Ink.example(6).render())
    with pytest.raises(ValueError, match="Draw something first"):
        save_image(Ink(), tmp_path)
