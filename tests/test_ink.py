"""Ink, and the files that drawings are kept in."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import digitlab.files
from digitlab.ink import EXAMPLES, Drawing, Ink, append_drawing, read_drawings, save_image

POINTS = st.lists(st.tuples(*[st.floats(-1000, 1000)] * 2), min_size=1, max_size=20)


def is_same(ink, other, tolerance=0.0):
    return (
        ink.size == other.size
        and len(ink.strokes) == len(other.strokes)
        and all(
            a.shape == b.shape and np.allclose(a, b, 0, tolerance)
            for a, b in zip(ink.strokes, other.strokes, strict=True)
        )
    )


def test_strokes_can_be_drawn_undone_and_cleared():
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


def test_changing_a_copy_leaves_the_ink_as_it_is():
    ink = Ink.example(7)
    copy = ink.copy()
    copy.strokes[0][0] = 0
    copy.start(1, 1)
    assert is_same(ink, Ink.example(7))


def test_an_ink_is_rendered_as_the_canvas_shows_it():
    ink = Ink([[(50, 20), (50, 60)]], (100, 80))
    image = ink.render(pen=10)
    assert image.shape == (80, 100)
    assert image.dtype == np.uint8
    rows, columns = np.nonzero(image > 127)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (45, 54, 15, 64)
    assert not Ink(size=(100, 80)).render().any()


def test_a_dot_is_as_wide_as_the_pen():
    rows, columns = np.nonzero(Ink([[(50, 40)]], (100, 80)).render(pen=10) > 127)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (45, 54, 35, 44)


def test_strokes_outside_the_canvas_are_legal_and_cut_off():
    assert not Ink([[(-500, -500), (-400, 1e9)]]).render().any()
    assert Ink([[(-500, 140), (1e7, 140)]]).render()[140].all()
    # A line to a point far away keeps its direction.
    rows = np.flatnonzero(Ink([[(0, 0), (10_000, 1_000)]]).render(pen=10)[:, 200])
    assert (rows.min() + rows.max()) / 2 == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([[(0, float("nan"))]], "Stroke 1 holds nan"),
        ([[(1, 1)], [(float("inf"), 0)]], "Stroke 2 holds inf"),
        ([[(-1e308, 0), (1e308, 0)]], r"Stroke 1 holds -1e\+308: every x and y must be from -1e9 to 1e9"),
        ([[1, 2, 3]], r"shape \(n, 2\).*not \(3,\)"),
        ([[(1, 2, 3)]], r"shape \(n, 2\).*not \(1, 3\)"),
        ([[]], r"shape \(n, 2\).*not \(0,\)"),
        ([["ab"]], "all of them numbers"),
        ([[("1", "2")]], "all of them numbers"),
        ([[(True, False)]], "all of them numbers"),
        ([[(0, 1), (2,)]], "all of them numbers"),
    ],
)
def test_invalid_strokes_are_refused(strokes, message):
    with pytest.raises(ValueError, match=message):
        Ink(strokes)


@pytest.mark.parametrize(
    "size", [(0, 10), (10, float("inf")), (10,), "large", "99", (10, float("nan")), (1e-300, 1), (1, 1e300)]
)
def test_a_canvas_needs_a_width_and_a_height(size):
    with pytest.raises(ValueError, match="width and height"):
        Ink(size=size)


def test_a_bad_point_does_not_change_the_drawing():
    ink = Ink.example(3)
    with pytest.raises(ValueError, match="nan"):
        ink.extend(float("nan"), 1)
    with pytest.raises(ValueError, match="inf"):
        ink.start(1, float("inf"))
    assert is_same(ink, Ink.example(3))
    with pytest.raises(ValueError, match="call start"):
        Ink().extend(1, 1)


def test_there_is_an_example_of_each_digit_only():
    assert all(Ink.example(digit) for digit in range(10))
    with pytest.raises(ValueError, match="0 to 9, but none of 10"):
        Ink.example(10)


@given(st.lists(POINTS, max_size=5))
def test_a_drawing_survives_writing_and_reading(strokes):
    ink = Ink(strokes, (300, 200.5))
    assert is_same(Ink.from_json(ink.to_json()), ink, tolerance=0.005)


def test_label_and_writer_are_kept_with_the_drawing():
    drawing = Drawing.from_json(Ink.example(7).to_json(label=7, writer="blue fox"))
    assert (drawing.label, drawing.writer) == ("7", "blue fox")
    assert is_same(drawing.ink, Ink.example(7))
    bare = json.loads(Ink.example(7).to_json())
    assert set(bare) == {"size", "strokes"}


def test_a_file_is_read_plain_and_gzipped(tmp_path):
    packed = tmp_path / "drawings.jsonl.gz"
    packed.write_bytes(gzip.compress(EXAMPLES.read_bytes()))
    assert [drawing.label for drawing in read_drawings(packed)] == list("0123456789")
    assert [drawing.label for drawing in read_drawings(EXAMPLES)] == list("0123456789")


def test_a_label_that_could_not_be_read_again_is_refused(tmp_path):
    for label in (10, "", "sieben"):
        with pytest.raises(ValueError, match="A label must be one character, such as 7"):
            append_drawing(tmp_path / "drawings.jsonl", Ink.example(7), label)
    assert list(tmp_path.iterdir()) == []


GOOD = Ink.example(1).to_json(label=1).encode()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (GOOD[:60], "not JSON, perhaps only part of a line"),
        (b"\xff\xfe" + GOOD, "not UTF-8"),
        (GOOD.replace(b'"1"', b'"eins"'), "one character.*'eins'"),
        (GOOD.replace(b'"1"', b"1"), 'such as "7", not 1'),
        (b'{"label":"1","writer":3,"strokes":[]}', "writer must be a string, not 3"),
        (b'{"label":"1"}', "not a drawing"),
        (b"[1, 2]", "not a drawing"),
        (b'{"strokes":"abc"}', "strokes must be a list"),
        (b'{"size":"99","strokes":[]}', "size must be two numbers"),
        (b'{"size":[true,9],"strokes":[]}', "size must be two numbers"),
        (b'{"strokes":[[["1","2"]]]}', "each point two numbers"),
        (b'{"strokes":[[[true,2]]]}', "each point two numbers"),
        (b'{"strokes":[[1,2]]}', "each point two numbers"),
        (b'{"size":[1000000,1],"strokes":[]}', "canvas is larger than 10,000 x 10,000"),
        (b'{"strokes":[[[-1e308,0],[1e308,0]]]}', "Stroke 1 holds -1e.308"),
        (b'{"strokes":[[[-1e8,0],[1e8,0]]]}', "more than 1,000,000 pixels away"),
        (b'{"strokes":[[[0,NaN]]]}', "Stroke 1 holds nan"),
        (b'{"strokes":[[[0,1' + b"0" * 400 + b"]]]}", "Stroke 1 must be an array of points"),
        (b'{"size":[1' + b"0" * 400 + b',1],"strokes":[]}', "must be two numbers"),
        (b'{"strokes":[[[0,1,2]]]}', r"shape \(n, 2\)"),
        (b'{"size":[0,0],"strokes":[]}', "positive numbers"),
        (b'{"strokes":[[' + b"[1,2]," * 200_000 + b"[1,2]]]}", "1,200,021 characters long"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_reported_and_the_others_are_read(tmp_path, bad, reason):
    file = tmp_path / "drawings.jsonl"
    file.write_bytes(GOOD + b"\n\n" + bad + b"\n" + GOOD)
    bad_lines = []
    drawings = read_drawings(file, on_bad_line=lambda number, why: bad_lines.append((number, why)))
    assert [drawing.label for drawing in drawings] == ["1", "1"]
    assert [number for number, _ in bad_lines] == [3]
    with pytest.raises(ValueError, match=rf"Line 3 of .*drawings\.jsonl cannot be read: .*{reason}") as error:
        read_drawings(file)
    assert not str(error.value).endswith("..")


@pytest.mark.parametrize("size", [0.1, 1, 28, 5000])
def test_a_drawing_on_a_canvas_of_any_size_keeps_its_shape(size):
    example = Ink.example(5)
    ink = Ink([stroke * size / 280 for stroke in example.strokes], (size, size))
    assert is_same(Ink.from_json(ink.to_json()), ink, tolerance=size / 5000)


def test_a_byte_order_mark_costs_no_drawing(tmp_path):
    file = tmp_path / "drawings.jsonl"
    file.write_text(EXAMPLES.read_text("utf-8"), "utf-8-sig")
    assert [drawing.label for drawing in read_drawings(file)] == list("0123456789")


def test_a_first_line_that_begins_with_a_point_is_reported(tmp_path):
    file = tmp_path / "drawings.jsonl"
    file.write_bytes(b".\n" + GOOD)
    bad_lines = []
    assert len(read_drawings(file, on_bad_line=lambda number, why: bad_lines.append(number))) == 1
    assert bad_lines == [1]


def test_a_gzip_file_with_a_changed_byte_is_reported(tmp_path):
    file = tmp_path / "drawings.jsonl.gz"
    packed = gzip.compress(EXAMPLES.read_bytes())
    for position in range(12, len(packed), 40):
        file.write_bytes(packed[:position] + bytes([packed[position] ^ 0x55]) + packed[position + 1 :])
        with pytest.raises(ValueError, match="damaged gzip"):
            read_drawings(file)


@pytest.mark.parametrize("line", [b"\n", b"x\n", b'{"strokes":[]}\n'])
def test_a_file_with_too_many_lines_is_refused(tmp_path, monkeypatch, line):
    monkeypatch.setattr("digitlab.ink.MAX_LINES", 1000)
    file = tmp_path / "drawings.jsonl.gz"
    file.write_bytes(gzip.compress(line * 1001))
    with pytest.raises(ValueError, match=r"drawings\.jsonl\.gz has too many lines: at most 1,000 can be read"):
        read_drawings(file, on_bad_line=lambda number, reason: None)
    file.write_bytes(gzip.compress(line * 1000))
    read_drawings(file, on_bad_line=lambda number, reason: None)


def test_a_file_with_too_many_strokes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("digitlab.ink.MAX_STROKES", 1000)
    file = tmp_path / "drawings.jsonl"
    for drawing in (b'{"strokes":[[[1,2]],[[3,4]]]}\n', b".SEGMENT\n.PEN_DOWN\n1 2\n.PEN_DOWN\n3 4\n"):
        file.write_bytes(drawing * 500)
        assert len(read_drawings(file)) == 500
        file.write_bytes(drawing * 502)
        with pytest.raises(ValueError, match=r"drawings\.jsonl has too many strokes: at most 1,000 can be read"):
            read_drawings(file, on_bad_line=lambda number, reason: None)


@pytest.mark.parametrize(
    ("ink", "reason"),
    [
        (Ink([[(1e7, 0)]]), "more than 1,000,000 pixels away"),
        (Ink(size=(20_000, 1)), "larger than 10,000 x 10,000"),
        (Ink([np.full((20_000, 2), 123.45)]), "takes 320,0.. characters, but a file accepts at most 200,000"),
    ],
)
def test_a_drawing_that_could_not_be_read_again_is_not_written(tmp_path, ink, reason):
    with pytest.raises(ValueError, match=reason):
        append_drawing(tmp_path / "drawings.jsonl", ink)
    assert not list(tmp_path.iterdir())


def test_a_canvas_too_large_for_memory_is_not_rendered():
    with pytest.raises(ValueError, match="larger than 10,000 x 10,000"):
        Ink(size=(1e9, 1e9)).render()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch, pack):
    monkeypatch.setattr("digitlab.ink.MAX_FILE", 1_000_000)
    file = tmp_path / "drawings.jsonl"
    for content in (b"\n" * 1_000_001, np.random.default_rng(0).bytes(1_100_000)):  # The second is no smaller packed.
        file.write_bytes(pack(content))
        with pytest.raises(ValueError, match=r"drawings\.jsonl is too large: at most 1 MB"):
            read_drawings(file)


def test_a_torn_last_line_is_reported(tmp_path):
    file = tmp_path / "drawings.jsonl"
    file.write_bytes(GOOD + b"\n" + GOOD[:-5])
    bad_lines = []
    assert len(read_drawings(file, on_bad_line=lambda *what: bad_lines.append(what))) == 1
    assert bad_lines == [(2, "it is not JSON, perhaps only part of a line")]


def test_a_cut_off_gzip_file_is_reported(tmp_path):
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
    assert is_same(four.ink, Ink([[(100, 100), (50, 200)], [(80, 150)]], (500, 500)))
    assert is_same(one.ink, Ink([[(5, 0), (5, 500)]], (500, 500)))


def test_an_uci_file_has_many_lines_for_each_drawing(tmp_path, monkeypatch):
    monkeypatch.setattr("digitlab.ink.MAX_LINES", 10)
    file = tmp_path / "pendigits-orig.tra"
    file.write_text(UNIPEN)
    assert len(read_drawings(file)) == 2


def test_packed_or_damaged_uci_files_are_reported(tmp_path):
    packed = tmp_path / "pendigits-orig.tra.Z"
    packed.write_bytes(b"\x1f\x9d\x90abc")
    with pytest.raises(ValueError, match=r"gzip -d pendigits-orig\.tra\.Z"):
        read_drawings(packed)
    damaged = tmp_path / "pendigits-orig.tra"
    damaged.write_text(UNIPEN.replace("50 300", "50 ???"))
    with pytest.raises(ValueError, match=r"Line 7 of .* no point of a stroke: '50 \?\?\?'"):
        read_drawings(damaged)
    damaged.write_text(UNIPEN.replace("50 300", "50 nan"))
    with pytest.raises(ValueError, match=r"Line 7 of .* no point of a stroke"):
        read_drawings(damaged)


@pytest.mark.parametrize("line", [" 150", "garbage", " 150 220 3"])
def test_a_torn_line_of_an_uci_file_is_reported(tmp_path, line):
    file = tmp_path / "pendigits-orig.tra"
    file.write_text(UNIPEN.replace(" 50 300", line))
    with pytest.raises(ValueError, match=r"Line 7 of .* no point of a stroke"):
        read_drawings(file)
    file.write_text(UNIPEN.replace('"4"', '"12"'))
    with pytest.raises(ValueError, match=r"Line 3 of .* no label of one character: '12'"):
        read_drawings(file)


def test_nothing_is_appended_to_a_gzip_file(tmp_path):
    file = tmp_path / "drawings.jsonl.gz"
    file.write_bytes(gzip.compress(GOOD))
    with pytest.raises(ValueError, match="gzip file, to which nothing can be added; unpack it first"):
        append_drawing(file, Ink.example(4), "4")
    assert len(read_drawings(file)) == 1


def test_each_drawing_is_appended_as_one_line(tmp_path):
    path = tmp_path / "new" / "drawings.jsonl"
    append_drawing(path, Ink.example(3), 3)
    append_drawing(path, Ink.example(4), "4", writer="12")
    one, other = read_drawings(path)
    assert (one.label, one.writer, other.label, other.writer) == ("3", None, "4", "12")
    assert is_same(other.ink, Ink.example(4))


def test_a_torn_line_does_not_harm_the_next_one(tmp_path):
    path = tmp_path / "drawings.jsonl"
    path.write_text('{"label": "3", "stro')
    append_drawing(path, Ink.example(4), 4)
    bad = []
    (drawing,) = read_drawings(path, on_bad_line=lambda number, why: bad.append(number))
    assert drawing.label == "4"
    assert bad == [1]


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="Windows has no limit for the size of files")
def test_a_full_disk_does_not_change_the_file(tmp_path):
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
    print("refused:", error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused: ")
    assert path.read_bytes() == before


def test_several_threads_may_append_at_once(tmp_path):
    path = tmp_path / "drawings.jsonl"

    def append_some(writer):
        for _ in range(25):
            append_drawing(path, Ink.example(writer), writer, str(writer))

    threads = [threading.Thread(target=append_some, args=[writer]) for writer in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_drawings(path)) == 250


def test_images_are_saved_under_new_names(tmp_path):
    first, second = save_image(Ink.example(5), tmp_path), save_image(Ink.example(6), tmp_path)
    assert (first.name, second.name) == ("drawing-001.png", "drawing-002.png")
    assert np.array_equal(cv2.imread(str(second), cv2.IMREAD_GRAYSCALE), Ink.example(6).render())
    with pytest.raises(ValueError, match="Draw something first"):
        save_image(Ink(), tmp_path)


def test_the_image_of_a_large_canvas_has_a_wide_pen(tmp_path):
    large = Ink([stroke * 2 for stroke in Ink.example(6).strokes], (560, 560))
    saved = cv2.imread(str(save_image(large, tmp_path)), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(saved, large.render(pen=36))


def test_an_interrupt_leaves_no_part_of_an_image(tmp_path, monkeypatch):
    actual = Path.open

    class Interrupted:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, content):
            self._file.write(content[:10])
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "open", lambda path, mode: Interrupted(actual(path, mode)))
    with pytest.raises(KeyboardInterrupt):
        save_image(Ink.example(5), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_keeps_the_size_of_the_canvas():
    assert Ink([[(1, 2)]], (100, 80)).copy().size == (100, 80)


@pytest.mark.skipif(os.name != "posix", reason="writes with the file's descriptor")
def test_a_full_disk_costs_nobody_elses_drawing(tmp_path, monkeypatch):
    path = tmp_path / "drawings.jsonl"
    append_drawing(path, Ink.example(3), 3)
    real_open = open

    def open_on_full_disk(*arguments, **options):
        file = real_open(*arguments, **options)

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, line):
                written = file.write(line[:10])
                with real_open(path, "ab") as other:  # Another notebook, for which there was room again.
                    other.write(b"\n" + Ink.example(4).to_json(4).encode() + b"\n")
                return written

            def __getattr__(self, name):
                return getattr(file, name)

        return Full()

    with monkeypatch.context() as patch:
        patch.setattr(digitlab.files, "open", open_on_full_disk, raising=False)
        with pytest.raises(OSError, match="No space left"):
            append_drawing(path, Ink.example(8), 8)
    assert [one.label for one in read_drawings(path, on_bad_line=lambda *_: None)] == ["3", "4"]
