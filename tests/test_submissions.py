"""Submissions of a class: many submit at once, nobody is trusted, and nothing is lost."""

import ctypes
import gzip
import json
import os
import re
import signal
import stat
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from helpers import obey_permissions
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digitlab.ink import Drawing, Ink, append_drawing, read_drawings
from digitlab.paths import HOME, command
from digitlab_classroom import class_folder, exchange, moderation, pseudonyms, seat_files, submissions
from digitlab_classroom.class_folder import fingerprint
from digitlab_classroom.pseudonyms import MAX_WRITERS, PSEUDONYMS, new_writer
from digitlab_classroom.safe_io import MAX_LINE_BYTES, read_regular
from digitlab_classroom.submissions import NotSubmittedError, SubmissionStore

links = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes, links and permissions")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")
GOOD = Ink.example(7).to_json(7)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give the seat a home of its own, and no hub that gives pseudonyms."""
    monkeypatch.delenv("DIGITLAB_WRITER", raising=False)
    monkeypatch.setattr(seat_files, "DRAWINGS", tmp_path / "home" / "drawings")
    return tmp_path / "home" / "drawings"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "class"


@pytest.fixture
def store_of(monkeypatch, folder):
    """Return the store of a seat to which a hub has given a pseudonym."""

    def store_of(writer):
        monkeypatch.setenv("DIGITLAB_WRITER", writer)
        return SubmissionStore(folder)

    return store_of


def variant(digit, number):
    """Return an example of a digit, moved so that it differs from all others."""
    return Ink([stroke + number / 4 for stroke in Ink.example(digit).strokes])


def writers_and_labels(drawings):
    return [(drawing.writer, drawing.label) for drawing in drawings]


def write_lines(folder, writer, *lines):
    (folder / writer).mkdir(parents=True, exist_ok=True)
    (folder / writer / "drawings.jsonl").write_bytes(b"".join(lines))


# Pseudonyms


def test_there_are_more_pseudonyms_than_seats_and_all_are_easy_to_type():
    assert len(PSEUDONYMS) == len(set(PSEUDONYMS)) >= 60
    assert all(re.fullmatch("[a-z]{3,12}", name) for name in PSEUDONYMS)


def test_every_writer_gets_a_different_pseudonym(folder):
    names = [new_writer(folder) for _ in range(len(PSEUDONYMS) + 5)]
    assert sorted(names[: len(PSEUDONYMS)]) == sorted(PSEUDONYMS)
    assert all(name.endswith("-2") for name in names[len(PSEUDONYMS) :])
    assert len(set(names)) == len(names) == len(list(folder.iterdir()))


def test_sixty_requests_at_once_get_sixty_pseudonyms(folder):
    names = []
    threads = [threading.Thread(target=lambda: names.append(new_writer(folder))) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 60


@links
def test_a_link_in_place_of_a_new_folder_is_not_followed(folder, tmp_path, monkeypatch):
    folder.mkdir(exist_ok=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)

    def mkdir_and_be_forestalled(path, *arguments, **options):
        if path != folder:
            path.symlink_to(elsewhere)

    monkeypatch.setattr(Path, "mkdir", mkdir_and_be_forestalled)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        new_writer(folder)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700


@links
def test_others_can_read_a_new_writers_folder_whatever_the_umask(folder):
    before = os.umask(0o077)
    try:
        name = new_writer(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o755


def test_two_notebooks_of_a_seat_share_one_pseudonym(folder, monkeypatch):
    calls, both = [], threading.Event()

    def reserve_slowly(folder):
        calls.append(folder)
        if len(calls) == 2:
            both.set()
        both.wait(0.3)
        return new_writer(folder)

    monkeypatch.setattr(seat_files, "new_writer", reserve_slowly)
    inks = [variant(3, 0), variant(3, 1)]
    threads = [threading.Thread(target=SubmissionStore(folder).submit, args=(ink, 3)) for ink in inks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(folder.iterdir())) == 1
    assert len(SubmissionStore(folder).own()) == 2


def test_a_lock_left_by_a_crash_does_not_stop_a_seat(folder, home):
    store = SubmissionStore(folder)
    lock = Path(f"{store._seat._memory}.lock")
    lock.parent.mkdir(parents=True)
    lock.touch()
    os.utime(lock, (0, 0))
    assert store.submit(Ink.example(3), 3) == 1
    assert not lock.exists()


def test_a_full_class_refuses_another_writer(folder, monkeypatch):
    monkeypatch.setattr(pseudonyms, "MAX_WRITERS", 3)
    for _ in range(3):
        new_writer(folder)
    with pytest.raises(ValueError, match="has 3 writers already"):
        new_writer(folder)
    assert MAX_WRITERS >= 100


def test_a_seat_gets_its_pseudonym_with_the_first_drawing(folder):
    store = SubmissionStore(folder)
    assert store.writer is None
    assert store.drawings() == ()
    assert not folder.exists()
    assert store.submit(Ink.example(3), 3) == 1
    assert store.writer in PSEUDONYMS
    again = SubmissionStore(folder)
    assert again.writer == store.writer
    assert again.submit(Ink.example(4), 4) == 2
    assert writers_and_labels(again.drawings()) == [(store.writer, "3"), (store.writer, "4")]
    assert [one.number for one in again.own()] == [1, 2]


def test_a_seat_has_another_pseudonym_in_another_class(tmp_path, folder):
    SubmissionStore(folder).submit(Ink.example(3), 3)
    other = SubmissionStore(tmp_path / "other")
    assert other.writer is None
    other.submit(Ink.example(3), 3)
    assert len(list(other.folder.iterdir())) == 1


def test_a_hub_gives_the_pseudonym(store_of, folder, home):
    store_of("otter").submit(Ink.example(3), 3)
    assert store_of("otter").writer == "otter"
    assert [path.name for path in folder.iterdir()] == ["otter"]
    assert not home.exists()


@pytest.mark.parametrize("name", ["../otter", "/etc", ".", "Otter", "<script>", "otter/..", "otter-0", "o" * 40])
def test_an_invalid_pseudonym_is_refused(store_of, name):
    with pytest.raises(ValueError, match="DIGITLAB_WRITER must be a pseudonym"):
        store_of(name).submit(Ink.example(3), 3)


# Submitting


def test_submissions_are_read_as_they_were_drawn(store_of):
    otter, heron = store_of("otter"), None
    otter.submit(Ink.example(3), 3)
    heron = store_of("heron")
    heron.submit(Ink.example(8), "8")
    one, other = SubmissionStore(heron.folder).drawings()
    assert (one.writer, one.label, other.writer, other.label) == ("heron", "8", "otter", "3")
    assert [s.tolist() for s in other.ink.strokes] == [s.tolist() for s in Ink.example(3).strokes]
    assert other.fingerprint == fingerprint(Drawing(Ink.example(3), "3"))


def test_only_changed_files_are_read_again(store_of, monkeypatch):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    before = store.drawings()
    assert store.drawings() is before
    store_of("heron").submit(Ink.example(4), 4)
    parsed = []
    monkeypatch.setattr(class_folder, "_parse", lambda line: parsed.append(line))
    assert store.drawings() is not before
    assert len(parsed) == 1


@pytest.mark.parametrize(
    ("ink", "label", "words"),
    [
        (Ink(), 3, "Draw something first"),
        (Ink([np.random.default_rng(0).random((10_000, 2)) * 280]), 3, "100 kB at most"),
        (Ink.example(3), "33", "one visible character"),
        (Ink.example(3), "\n", "one visible character"),
        (Ink.example(3), "\ud800", "one visible character"),
        (Ink.example(3), "\u202e", "one visible character"),
        (Ink(Ink.example(3).strokes, (1e6, 1e6)), 3, "pixels wide"),
        (Ink([[(0, 0), (20_000, 0)]]), 3, "at most 16,384 pixels away"),
    ],
)
def test_an_unusable_drawing_is_refused_with_a_reason(store_of, ink, label, words):
    store = store_of("otter")
    with pytest.raises(ValueError, match=words):
        store.submit(ink, label)
    assert store.drawings() == ()
    assert store.pending() == 0


@pytest.mark.parametrize("limit", ["MAX_DRAWINGS", "MAX_STROKES"])
def test_one_writer_cannot_fill_the_disk(store_of, monkeypatch, limit):
    monkeypatch.setattr(submissions, limit, 2)
    store = store_of("otter")
    for number in range(2):
        store.submit(variant(3, number), 3)
    with pytest.raises(ValueError, match="otter has no room for 1 more"):
        store.submit(variant(3, 9), 3)


def test_of_one_writer_no_more_drawings_are_read_than_are_accepted(store_of, monkeypatch):
    monkeypatch.setattr(class_folder, "MAX_DRAWINGS", 2)
    store = store_of("otter")
    for number in range(3):
        store.submit(variant(3, number), 3)
    assert len(store.drawings()) == 2


def test_a_drawing_stays_pending_while_the_folder_is_not_writable(store_of, folder, home):
    folder.write_text("This is a file, where a folder should be.")
    store = store_of("otter")
    for number in range(3):
        with pytest.raises(NotSubmittedError, match=r"could not be handed in .* It is kept in .*not_handed_in"):
            store.submit(variant(5, number), 5)
    assert store.pending() == 3
    folder.unlink()
    assert SubmissionStore(folder).submit(variant(5, 3), 5) == 4
    assert store.pending() == 0
    assert len({one.fingerprint for one in store.drawings()}) == len(store.drawings()) == 4
    assert [path.name for path in home.iterdir()] == []


def test_a_drawing_submitted_before_a_crash_counts_once(store_of, home):
    store = store_of("otter")
    store._seat.keep(Drawing(Ink.example(5), "5"))
    append_drawing(store.folder / "otter" / "drawings.jsonl", Ink.example(5), 5)
    assert store.submit(Ink.example(6), 6) == 2
    assert store.pending() == 0
    append_drawing(store.folder / "otter" / "drawings.jsonl", Ink.example(6), 6)
    assert writers_and_labels(store.drawings()) == [("otter", "5"), ("otter", "6")]


@pytest.mark.parametrize("content", [b"", b'{"label": "5", "strokes": [[[1', b"[]\n"])
def test_a_damaged_pending_file_does_not_block_the_others(store_of, home, content):
    store = store_of("otter")
    store._seat.keep(Drawing(Ink.example(5), "5"))
    (damaged,) = home.glob("*/*.jsonl")
    damaged.write_bytes(content)
    os.utime(damaged, (0, 0))  # It is the oldest, so it is read first.
    store._seat.keep(Drawing(Ink.example(6), "6"))
    with pytest.warns(UserWarning, match="A pending drawing is damaged: it is kept as"):
        assert store.submit(Ink.example(7), 7) == 2
    assert writers_and_labels(store.own()) == [("otter", "7"), ("otter", "6")]
    assert store.pending() == 0
    assert [path.read_bytes() for path in home.glob("*/*.damaged")] == [content]


@links
@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_others_can_read_a_submission_whatever_the_umask(folder, umask):
    before = os.umask(umask)
    try:
        SubmissionStore(folder).submit(Ink.example(3), 3)
    finally:
        os.umask(before)
    (file,) = folder.glob("*/drawings.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755


def test_a_drawing_that_cannot_be_kept_raises_an_error(store_of, folder, home):
    folder.write_text("a file")
    home.parent.mkdir()
    home.write_text("a file")
    with pytest.raises(OSError, match=r"could not be handed in to .*, nor kept in"):
        store_of("otter").submit(Ink.example(5), 5)


MANY = """
import os, sys
from pathlib import Path
from digitlab_classroom.pseudonyms import new_writer
from digitlab_classroom.submissions import SubmissionStore
from digitlab.ink import Ink, append_drawing
folder, one_file, each = Path(sys.argv[1]), sys.argv[2] == "one", int(sys.argv[3])
start, go = os.pipe()
children = []
for number in range(60):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(go)
    os.read(start, 1)  # All begin at once, when the last writing end is closed.
    status = 1
    try:
        os.environ["DIGITLAB_WRITER"] = "otter" if one_file else new_writer(folder)
        store = SubmissionStore(folder)
        for turn in range(each):
            ink = Ink([stroke + (number / 4, turn / 4) for stroke in Ink.example(turn % 10).strokes])
            store.submit(ink, turn % 10)
        status = 0
    finally:
        os._exit(status)
os.close(go)
statuses = [os.waitpid(child, 0)[1] for child in children]
sys.exit(any(statuses))
"""


@forks
@pytest.mark.parametrize(("files", "each"), [("one", 3), ("sixty", 5)])
def test_sixty_processes_lose_no_drawing_and_show_no_torn_line(folder, home, files, each):
    environment = {**os.environ, "DIGITLAB_HOME": str(home)}
    writers = subprocess.Popen([sys.executable, "-c", MANY, str(folder), files, str(each)], env=environment)
    store = SubmissionStore(folder)
    counts = []
    while writers.poll() is None:
        counts.append(len(store.drawings()))
        assert not any(store.left_out.values())
    assert writers.returncode == 0
    drawings = store.drawings()
    assert len(drawings) == len({drawing.fingerprint for drawing in drawings}) == 60 * each
    assert len({drawing.writer for drawing in drawings}) == (1 if files == "one" else 60)
    assert not any(store.left_out.values())
    assert counts == sorted(counts)


# Reading what nobody trusts


@pytest.mark.parametrize(
    "bad",
    [
        b"not JSON at all",
        b"\xff\xfe\x00",
        b"[" * 50_000,
        b'{"label": "7", "strokes": [[[1e999, 0]]]}',
        b'{"label": "7", "strokes": [[[1' + b"0" * 400 + b", 0]]]}",
        b'{"label": "7", "strokes": [[[NaN, 0]]]}',
        b'{"label": "7", "size": [1e9, 1e9], "strokes": [[[1, 0]]]}',
        b'{"label": "7", "size": [1' + b"0" * 400 + b', 1], "strokes": [[[1, 0]]]}',
        b'{"label": "7", "strokes": [[[1e300, 0], [-1e300, 0]]]}',
        b'{"label": "7", "strokes": []}',
        b'{"strokes": [[[1, 0]]]}',
        b'{"label": "\\ud800", "strokes": [[[1, 0]]]}',
        b'{"label": "<script>", "strokes": [[[1, 0]]]}',
        b'{"label": "7", "strokes": [[[1, 0]]], "x": "' + b"x" * MAX_LINE_BYTES + b'"}',
        b'{"label": "7", "strokes": {"__class__": "os.system"}}',
    ],
)
def test_a_bad_line_does_not_affect_the_others(folder, recognizer, bad):
    write_lines(folder, "otter", GOOD.encode(), b"\n", bad, b"\n", variant(8, 1).to_json(8).encode(), b"\n")
    store = SubmissionStore(folder)
    assert writers_and_labels(store.drawings()) == [("otter", "7"), ("otter", "8")]
    assert store.left_out == {"otter": 1}
    assert store.scores(recognizer)["drawings"] == 2


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["label", "strokes", "size"]), inner)
            ),
        ).map(lambda value: json.dumps(value).encode()),
        st.lists(st.lists(st.lists(st.floats() | st.integers(), min_size=2, max_size=2), max_size=4), max_size=3).map(
            lambda strokes: json.dumps({"label": "3", "strokes": strokes}).encode()
        ),
    )
)
@example(b"{}")
def test_any_line_is_either_a_readable_drawing_or_left_out(recognizer, line):
    for part in line.split(b"\n"):
        drawing = class_folder._parse(part)
        if drawing is not None:
            assert len(drawing.label) == 1
            assert np.isfinite(recognizer.predict(drawing.ink).probabilities).all()


DOTS = b'{"label": "7", "strokes": [' + b"[[1, 2]], " * 10 + b"[[1, 2]]]}\n"


def test_very_many_dots_of_one_writer_cost_the_class_little(folder, monkeypatch):
    monkeypatch.setattr(class_folder, "MAX_STROKES", 100)
    write_lines(folder, "otter", *[DOTS.replace(b"2", b"%d" % number, 1) for number in range(50)])
    store = SubmissionStore(folder)
    assert len(store.drawings()) == 10
    assert store.left_out == {"otter": 40}


def test_the_folder_decides_who_the_writer_is(folder):
    write_lines(folder, "otter", Ink.example(7).to_json(7, "heron").encode() + b"\n")
    assert writers_and_labels(SubmissionStore(folder).drawings()) == [("otter", "7")]


def test_an_unfinished_last_line_is_not_read_yet(folder):
    write_lines(folder, "otter", GOOD.encode() + b"\n" + variant(7, 1).to_json(7).encode())
    store = SubmissionStore(folder)
    assert len(store.drawings()) == 1
    assert store.left_out == {"otter": 0}
    with (folder / "otter" / "drawings.jsonl").open("ab") as file:
        file.write(b"\n")
    assert len(store.drawings()) == 2


@links
def test_links_and_pipes_are_not_read(folder, tmp_path):
    write_lines(tmp_path / "elsewhere", "secret", GOOD.encode() + b"\n")
    secret = tmp_path / "elsewhere" / "secret"
    for name in ("fox", "owl", "jay", "hare"):
        (folder / name).mkdir(parents=True)
    (folder / "fox" / "drawings.jsonl").symlink_to(secret / "drawings.jsonl")
    os.mkfifo(folder / "owl" / "drawings.jsonl")
    (folder / "jay" / "drawings.jsonl").mkdir()
    (folder / "hare" / "drawings.jsonl").symlink_to("/dev/zero")
    (folder / "wolf").symlink_to(secret)
    (folder / "hidden.txt").symlink_to("/dev/zero")
    assert SubmissionStore(folder).drawings() == ()


@links
def test_submitting_does_not_write_through_a_link(store_of, folder, tmp_path):
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary,")
    (folder / "otter").mkdir(parents=True)
    (folder / "otter" / "drawings.jsonl").symlink_to(diary)
    with pytest.raises(NotSubmittedError):
        store_of("otter").submit(Ink.example(3), 3)
    (tmp_path / "away").mkdir()
    (folder / "heron").symlink_to(tmp_path / "away")
    with pytest.raises(NotSubmittedError):
        store_of("heron").submit(Ink.example(3), 3)
    assert diary.read_text() == "Dear diary,"
    assert list((tmp_path / "away").iterdir()) == []


def test_huge_files_and_many_folders_are_read_up_to_a_limit(folder, monkeypatch):
    monkeypatch.setattr(class_folder, "MAX_FILE_BYTES", 20_000)
    monkeypatch.setattr(class_folder, "MAX_WRITERS", 5)
    lines = b"".join(variant(7, number).to_json(7).encode() + b"\n" for number in range(100))
    assert len(lines) > 40_000
    for number in range(8):
        write_lines(folder, f"otter-{number + 1}", lines)
    drawings = SubmissionStore(folder).drawings()
    assert len({drawing.writer for drawing in drawings}) == 5
    assert 5 < len(drawings) < 5 * 60


def test_a_sparse_file_does_not_hide_other_writers(folder):
    for writer in ("fox", "heron", "otter"):
        write_lines(folder, writer, GOOD.encode() + b"\n")
    os.truncate(folder / "fox" / "drawings.jsonl", 300_000_000)
    store = SubmissionStore(folder)
    assert writers_and_labels(store.drawings()) == [("fox", "7"), ("heron", "7"), ("otter", "7")]


def test_drawings_of_all_writers_together_are_read_up_to_a_limit(folder, monkeypatch):
    for number in range(4):
        write_lines(folder, f"otter-{number + 1}", variant(7, number).to_json(7).encode() + b"\n")
    monkeypatch.setattr(class_folder, "MAX_CLASS_BYTES", 3 * len(GOOD))
    assert 1 <= len(SubmissionStore(folder).drawings()) < 4


def test_the_repr_of_a_store_reads_no_file(folder, monkeypatch):
    write_lines(folder, "otter", GOOD.encode() + b"\n")
    monkeypatch.setattr(class_folder, "read_regular", lambda *_: pytest.fail("a file was read"))
    assert repr(SubmissionStore(folder)) == f"SubmissionStore({str(folder)!r})"


def obey_read_permissions():
    """Let read permissions count for root too: give up CAP_DAC_READ_SEARCH as well."""
    obey_permissions()
    pr_capbset_drop, cap_dac_read_search = 24, 2
    ctypes.CDLL(None).prctl(pr_capbset_drop, cap_dac_read_search, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's capabilities")
def test_unreadable_files_are_named(folder, digitlab):
    write_lines(folder, "fox", GOOD.encode() + b"\n")
    write_lines(folder, "otter", GOOD.encode() + b"\n")
    (folder / "otter" / "drawings.jsonl").chmod(0)
    output = digitlab("class", "--folder", folder, "show", preexec_fn=obey_read_permissions).stdout
    assert "1 drawing by 1 writer" in output
    assert re.search(r"The drawings of otter are missing here: .* cannot open .*otter/drawings.jsonl", output)


@links
def test_strange_folder_names_become_printable_text(folder):
    strange = ["<img src=x onerror=alert(1)>", "two\nlines", "\u202egnp.exe", "x" * 200]
    for name in strange:
        write_lines(folder, name, GOOD.encode() + b"\n")
    (folder / os.fsdecode(b"\xff")).mkdir()
    write_lines(folder, os.fsdecode(b"\xff"), GOOD.encode() + b"\n")
    writers = {drawing.writer for drawing in SubmissionStore(folder).drawings()}
    assert "<img src=x onerror=alert(1)>" in writers
    assert len(writers) == 5
    assert all(writer.isprintable() and len(writer) <= 40 and writer.encode() for writer in writers)


# Moderating


def test_hidden_drawings_disappear_for_everyone_and_can_return(store_of):
    store = store_of("otter")
    for number in range(3):
        store.submit(variant(3, number), 3)
    store_of("heron").submit(Ink.example(4), 4)
    seat = SubmissionStore(store.folder)
    assert len(seat.drawings()) == 4
    assert store.hide("otter", 2) == 1
    assert [(one.writer, one.number) for one in seat.drawings()] == [("heron", 1), ("otter", 1), ("otter", 3)]
    assert store.hide("otter", 2) == 0
    assert store.hide(seat.drawings()[0]) == 1
    assert store.hide("otter") == 2
    assert seat.drawings() == ()
    assert store_of("otter").submit(variant(3, 9), 3) == 4
    assert [one.number for one in seat.drawings()] == [4]
    assert store.show_again("otter", 2) == 1
    assert [one.number for one in seat.drawings()] == [2, 4]
    print_of_it = seat.drawings()[0].fingerprint
    assert store.hide(print_of_it) == 1
    assert [one.number for one in seat.drawings()] == [4]
    assert store.show_again(print_of_it) == 1
    assert [one.number for one in seat.drawings()] == [2, 4]
    with pytest.raises(ValueError, match="There is no writer fox"):
        store.hide("fox")
    with pytest.raises(ValueError, match="no drawing with the number 9"):
        store.hide("otter", 9)
    with pytest.raises(ValueError, match="no drawing with the fingerprint"):
        store.hide("0123456789abcdef")


def test_erased_drawings_are_not_counted_as_hidden(store_of):
    for writer in ("otter", "heron"):
        store = store_of(writer)
        store.submit(Ink.example(3 if writer == "otter" else 4), 3)
        store.hide(writer)
    assert store.hidden_count == 2
    store.erase("otter")
    assert store.hidden_count == 1


def test_pending_drawings_without_room_do_not_stop_a_submission(store_of, monkeypatch):
    monkeypatch.setattr(submissions, "MAX_DRAWINGS", 2)
    store = store_of("otter")
    for number in range(2):
        store._seat.keep(Drawing(variant(5, number), "5"))
    assert store.submit(Ink.example(3), 3) == 2
    assert store.pending() == 1


def test_a_drawing_that_was_added_and_submitted_counts_once(store_of, tmp_path):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    for digit in (3, 4):
        append_drawing(tmp_path / "file.jsonl", Ink.example(digit), digit, "otter")
    store.add(tmp_path / "file.jsonl")
    assert store.submit(Ink.example(4), 4) == 2
    assert writers_and_labels(store.drawings()) == [("otter", "3"), ("otter", "4")]


def test_a_file_that_has_grown_is_still_the_same_writers(folder, tmp_path):
    store, file = SubmissionStore(folder), tmp_path / "my_drawings.jsonl"
    append_drawing(file, variant(5, 0), 5)
    (name,) = store.add(file).writers
    for number in range(1, 5):
        append_drawing(file, variant(5, number), 5)
    assert store.add(file).writers == (name,)


def test_erasing_a_writer_keeps_the_pseudonym_reserved(store_of, folder):
    otter, heron = store_of("otter"), None
    otter.submit(Ink.example(3), 3)
    heron = store_of("heron")
    heron.submit(Ink.example(4), 4)
    assert heron.erase("otter") == 1
    assert writers_and_labels(heron.drawings()) == [("heron", "4")]
    assert list((folder / "otter").iterdir()) == []
    assert "otter" not in {new_writer(folder) for _ in range(len(PSEUDONYMS) - 2)}
    heron.hide("heron", 1)
    assert heron.erase_all() == 1
    assert list(folder.iterdir()) == []
    with pytest.raises(ValueError, match="There is no writer otter"):
        heron.erase("otter")


def test_a_seat_without_a_pseudonym_can_erase_what_is_pending(folder):
    folder.write_text("a file, where the class's folder shall be")
    store = SubmissionStore(folder)
    with pytest.raises(NotSubmittedError):
        store.submit(Ink.example(3), 3)
    assert (store.pending(), store.writer) == (1, None)
    assert store.erase(store.writer) == 1
    assert (store.pending(), store.erase(store.writer)) == (0, 0)


def test_a_list_of_hidden_drawings_that_cannot_be_read_now_still_counts(store_of, folder, monkeypatch):
    store = store_of("otter")
    for number in (1, 2):
        store.submit(variant(3, number), 3)
    store.hide("otter", 1)
    with monkeypatch.context() as patch:

        def read(path, name, file, *rest):
            if file == "hidden.txt":
                raise PermissionError(13, "Permission denied")
            return read_regular(path, name, file, *rest)

        patch.setattr("digitlab_classroom.class_folder.read_regular", read)
        assert [one.number for one in store.drawings()] == [2]
        with pytest.raises(OSError, match=r"hidden\.txt, cannot be read \(Permission denied\)"):
            store.hide("otter", 2)
        with pytest.raises(OSError, match="Until it can, nothing is shown"):
            SubmissionStore(folder).drawings()
    assert [one.number for one in SubmissionStore(folder).drawings()] == [2]


def test_erasing_a_writer_drops_pending_drawings(store_of):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    store._seat.keep(Drawing(Ink.example(5), "5"))
    assert store.erase(store.writer) == 2
    assert store.pending() == 0
    assert store.submit(Ink.example(4), 4) == 1
    assert writers_and_labels(store.drawings()) == [("otter", "4")]


def test_a_named_seat_can_erase_what_is_pending_after_its_folder_is_gone(folder, monkeypatch):
    monkeypatch.setenv("DIGITLAB_WRITER", "otter")
    store = SubmissionStore(folder)
    folder.write_bytes(b"")  # The class's folder cannot be reached.
    with pytest.raises(NotSubmittedError):
        store.submit(Ink.example(3), 3)
    folder.unlink()
    assert (store.erase("otter"), store.pending()) == (1, 0)


def test_a_class_that_is_away_is_not_taken_for_an_empty_one(folder, home):
    store = SubmissionStore(folder)
    store.submit(Ink.example(3), 3)
    name = store.writer
    folder.rename(folder.with_name("share"))
    words = "is not there any more. If it is on a share or a drive, connect that"
    with pytest.raises(FileNotFoundError, match=words):
        store.drawings()
    with pytest.raises(NotSubmittedError, match=f"{words}.* It is kept"):
        store.submit(Ink.example(4), 4)
    with pytest.raises(FileNotFoundError, match=words):  # What is pending is erased all the same.
        store.erase(store.writer)
    assert store.pending() == 0
    with pytest.raises(NotSubmittedError):
        store.submit(Ink.example(5), 5)
    assert not folder.exists()
    folder.with_name("share").rename(folder)
    assert store.submit(Ink.example(6), 6) == 3
    assert {(one.writer, one.label) for one in store.drawings()} == {(name, label) for label in "356"}


def test_a_seat_stays_the_same_writer_when_its_folder_is_moved(tmp_path, monkeypatch):
    def store_in(home):
        monkeypatch.setattr(seat_files, "HOME", home)
        monkeypatch.setattr(seat_files, "DRAWINGS", home / "drawings")
        return SubmissionStore(home / "class")

    first = store_in(tmp_path / "before")
    first.submit(Ink.example(3), 3)
    name = first.writer
    first._seat.keep(Drawing(Ink.example(5), "5"))
    (tmp_path / "before").rename(tmp_path / "after")
    moved = store_in(tmp_path / "after")
    assert (moved.writer, moved.pending()) == (name, 1)
    assert moved.submit(Ink.example(4), 4) == 3
    assert {one.writer for one in moved.drawings()} == {name}


def test_a_seat_keeps_its_pseudonym_when_its_drawings_are_erased(folder):
    store = SubmissionStore(folder)
    store.submit(Ink.example(3), 3)
    name = store.writer
    assert store.erase(name) == 1
    assert store.writer == name
    store.submit(Ink.example(4), 4)
    assert writers_and_labels(store.drawings()) == [(name, "4")]


def test_a_seat_leaves_its_pseudonym_to_who_got_it_after_all_was_erased(folder, tmp_path, monkeypatch):
    def store_of_seat(seat):
        monkeypatch.setattr(seat_files, "DRAWINGS", tmp_path / seat)
        return SubmissionStore(folder)

    first, second = store_of_seat("first"), store_of_seat("second")
    first.submit(Ink.example(3), 3)
    name = first.writer
    first.erase_all()

    def same_again(folder):
        pseudonyms.make_writer_folder(folder / name)
        return name

    with monkeypatch.context() as patch:
        patch.setattr(seat_files, "new_writer", same_again)
        second.submit(Ink.example(4), 4)
    assert second.writer == name
    assert first.writer is None
    first.submit(Ink.example(5), 5)
    assert first.writer != name
    assert [drawing.label for drawing in second.own()] == ["4"]


def test_an_erased_seat_gets_a_new_pseudonym(folder):
    store = SubmissionStore(folder)
    store.submit(Ink.example(3), 3)
    store.erase_all()
    assert store.writer is None
    assert store.submit(Ink.example(4), 4) == 1


@links
def test_erasing_does_not_follow_links(folder, tmp_path):
    write_lines(folder, "otter", GOOD.encode() + b"\n")
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "diary.txt").write_text("Dear diary,")
    (tmp_path / "away" / "drawings.jsonl").write_text(GOOD)
    (folder / "otter" / "link").symlink_to(tmp_path / "away")
    (folder / "otter" / "added.jsonl").symlink_to(tmp_path / "away" / "diary.txt")
    (folder / "wolf").symlink_to(tmp_path / "away")
    SubmissionStore(folder).erase_all()
    assert {file.name for file in (tmp_path / "away").iterdir()} == {"diary.txt", "drawings.jsonl"}
    assert not (folder / "otter" / "drawings.jsonl").exists()


def make_foreign_files(folder):
    files = [folder / path for path in ("hub/passwords", "homes/drawings.jsonl", "Documents/thesis.txt", "notes.txt")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("years of work")
    (folder / "empty").mkdir()
    return [*files, folder / "empty"]


def test_erasing_all_refuses_a_folder_that_is_not_a_class(folder):
    foreign = make_foreign_files(folder)
    with pytest.raises(ValueError, match="is not the folder of a class"):
        SubmissionStore(folder).erase_all()
    assert all(path.exists() for path in foreign)


def test_erasing_all_removes_only_the_kits_files(store_of, folder):
    foreign = make_foreign_files(folder)
    store_of("otter").submit(Ink.example(3), 3)
    (folder / "otter" / "diary.txt").write_text("Dear diary,")
    (folder / "fox").mkdir()
    (folder / "fox" / "photo.jpg").write_text("a real fox")
    assert SubmissionStore(folder).erase_all() == 1
    assert all(path.exists() for path in [*foreign, folder / "otter" / "diary.txt", folder / "fox" / "photo.jpg"])
    assert not (folder / "otter" / "drawings.jsonl").exists()


def test_erasing_a_folder_without_a_pseudonym_is_refused(folder):
    foreign = make_foreign_files(folder)
    for name in ("Documents", "hub", "homes"):
        with pytest.raises(ValueError, match=f"{name} is not a pseudonym"):
            SubmissionStore(folder).erase(name)
    assert all(path.exists() for path in foreign)


@pytest.mark.parametrize("variable", ["DIGITLAB_CLASS", "DIGITLAB_HOME"])
def test_an_empty_variable_counts_as_unset(tmp_path, variable):
    script = "from digitlab.paths import HOME, SUBMISSIONS; print(HOME); print(SUBMISSIONS)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGITLAB")}
    paths = [
        subprocess.run(
            [sys.executable, "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for env in (environment, {**environment, variable: ""})
    ]
    assert paths[0] == paths[1]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's capabilities")
def test_a_teacher_can_hide_although_another_account_made_the_list(store_of, folder):
    for number in (1, 2):
        store_of("otter").submit(variant(3, number), 3)
    SubmissionStore(folder).hide("otter", 1)
    (folder / "hidden.txt").chmod(0o444)  # As if root had made it: this account may not change it.
    script = """
import sys
from digitlab_classroom.submissions import SubmissionStore
store = SubmissionStore(sys.argv[1])
print(store.may_hide, store.hide("otter", 2), len(store.drawings()), store.show_again("otter", 1))"""
    done = subprocess.run(
        [sys.executable, "-c", script, folder], preexec_fn=obey_permissions, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("True 1 0 1\n", "")
    assert [one.number for one in SubmissionStore(folder).drawings()] == [1]


@links
def test_hiding_does_not_write_through_a_link(store_of, folder, tmp_path):
    store_of("otter").submit(Ink.example(3), 3)
    (tmp_path / "diary.txt").write_text("Dear diary,")
    (folder / "hidden.txt").symlink_to(tmp_path / "diary.txt")
    assert SubmissionStore(folder).hide("otter") == 1
    assert (tmp_path / "diary.txt").read_text() == "Dear diary,"
    assert SubmissionStore(folder).drawings() == ()


RIGHTS = """
import sys
from digitlab_classroom.submissions import SubmissionStore
from digitlab.ink import Ink
store = SubmissionStore(sys.argv[1])
print(store.may_hide, store.submit(Ink.example(3), 3), len(store.drawings()))
for action in (lambda: store.hide("heron", 1), lambda: store.show_again("heron", 1), lambda: store.erase("heron")):
    try:
        print("done", action())
    except OSError as error:
        print("refused:", error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's capabilities")
def test_a_seat_can_submit_but_not_hide_or_erase(store_of, folder, home):
    store_of("heron").submit(Ink.example(4), 4)
    (folder / "otter").mkdir()
    (folder / "heron").chmod(0o555)
    folder.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", RIGHTS, str(folder)],
        env={**os.environ, "DIGITLAB_WRITER": "otter", "DIGITLAB_HOME": str(home)},
        preexec_fn=obey_permissions,
        capture_output=True,
        text=True,
    )
    folder.chmod(0o755)
    (folder / "heron").chmod(0o755)
    assert done.stderr == ""
    first, *others = done.stdout.splitlines()
    assert first.endswith("1 2")
    assert [line.split(":")[0] for line in others] == ["refused"] * 3
    assert "such as the teacher's" in others[0]
    assert len(SubmissionStore(folder).drawings()) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's capabilities")
def test_a_seat_whose_folder_is_gone_hears_what_helps(folder, home):
    folder.mkdir()
    folder.chmod(0o555)
    script = f"""
from digitlab import Ink
from digitlab_classroom.submissions import SubmissionStore
try:
    SubmissionStore({str(folder)!r}).submit(Ink.example(4), 4)
except OSError as error:
    print(error)"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "DIGITLAB_WRITER": "otter", "DIGITLAB_HOME": str(home)},
        preexec_fn=obey_permissions,
        capture_output=True,
        text=True,
    )
    folder.chmod(0o755)
    assert "its folder is gone: have this seat's server stopped and started again" in done.stdout
    assert "It is kept" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's capabilities")
def test_a_folder_that_cannot_be_erased_is_moved_out_of_sight(store_of, folder, tmp_path):
    for writer in ("fox", "heron", "otter"):
        store_of(writer).submit(Ink.example(4), 4)
    (folder / "heron").chmod(0o555)
    script = f"from digitlab_classroom.submissions import SubmissionStore; SubmissionStore({str(folder)!r}).erase_all()"
    done = subprocess.run([sys.executable, "-c", script], preexec_fn=obey_permissions, capture_output=True, text=True)
    assert "The erased drawings are no longer shown" in done.stderr
    assert "An administrator can remove these:" in done.stderr
    (aside,) = folder.iterdir()
    assert aside.name.startswith(".erased-heron-")
    assert SubmissionStore(folder).drawings() == ()


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_an_export_can_be_read_as_a_file_of_drawings(store_of, tmp_path, digitlab, name):
    store = store_of("otter")
    for number in range(10):
        store.submit(Ink.example(number), number)
    store_of("heron").submit(Ink.example(4), 4)
    store.hide("otter", 1)
    assert store.export(tmp_path / name) == 10
    assert writers_and_labels(read_drawings(tmp_path / name)) == writers_and_labels(store.drawings())
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b'{"')
    assert re.search(r"^accuracy +100.00%", digitlab("evaluate", tmp_path / name).stdout, re.MULTILINE)
    with pytest.raises(ValueError, match="none was handed in, or all are hidden"):
        SubmissionStore(tmp_path / "none").export(tmp_path / "none.jsonl")
    assert not (tmp_path / "none.jsonl").exists()


def test_adding_a_file_twice_adds_nothing(store_of, folder, tmp_path):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    handed_over = tmp_path / "my_drawings.jsonl"
    for number in range(3):
        append_drawing(handed_over, variant(5, number), 5)
    append_drawing(handed_over, Ink.example(5))  # without a label
    first = store.add(handed_over)
    (name,) = first.writers
    assert (first.added, first.known, first.bad_lines) == (3, 0, 1)
    assert name not in {"otter", "None"}
    again = store.add(handed_over)
    assert (again.added, again.known, again.writers) == (0, 3, (name,))
    append_drawing(handed_over, variant(5, 3), 5)
    more = store.add(handed_over)
    assert (more.added, more.known, more.writers) == (1, 3, (name,))
    assert sorted(writers_and_labels(store.drawings())) == sorted([(name, "5")] * 4 + [("otter", "3")])
    # Another machine's export: whoever is known here keeps the pseudonym, the others get new ones.
    store.export(tmp_path / "export.jsonl.gz")
    other = SubmissionStore(tmp_path / "other")
    result = other.add(tmp_path / "export.jsonl.gz")
    assert (result.added, len(result.writers)) == (5, 2)
    assert other.add(tmp_path / "export.jsonl.gz").added == 0


def test_one_drawing_that_two_people_have_does_not_make_them_one(folder, tmp_path):
    store, names = SubmissionStore(folder), []
    for file in ("a.jsonl", "b.jsonl"):
        append_drawing(tmp_path / file, Ink.example(4), 4)
        for number in range(4):
            append_drawing(tmp_path / file, variant(5, number + 10 * len(file) + 100 * len(names)), 5)
        names += store.add(tmp_path / file).writers
    assert len(set(names)) == 2


@pytest.mark.parametrize(("limit", "value"), [("MAX_DRAWINGS", 3), ("MAX_STROKES", 3), ("MAX_FILE_BYTES", 900)])
def test_a_file_that_is_too_much_for_a_class_adds_nothing(folder, tmp_path, monkeypatch, limit, value):
    for number in range(4):
        append_drawing(tmp_path / "file.jsonl", variant(5, number), 5)
    append_drawing(tmp_path / "file.jsonl", variant(6, 0), 6, "otter")
    monkeypatch.setattr(submissions, limit, value)
    with pytest.raises(ValueError, match=r"no room for 4 more\. Nothing was added"):
        SubmissionStore(folder).add(tmp_path / "file.jsonl")
    assert not folder.exists()


def test_a_file_whose_writers_are_one_here_is_too_much_if_all_together_are(store_of, folder, tmp_path, monkeypatch):
    for number in range(4):
        store_of("otter").submit(variant(3, number), 3)
        append_drawing(tmp_path / "file.jsonl", variant(3, number), 3, f"hand {number % 2}")
        append_drawing(tmp_path / "file.jsonl", variant(5, number), 5, f"hand {number % 2}")
    monkeypatch.setattr(submissions, "MAX_DRAWINGS", 7)
    with pytest.raises(ValueError, match=r"otter has no room for 4 more\. Nothing was added"):
        SubmissionStore(folder).add(tmp_path / "file.jsonl")
    assert len(SubmissionStore(folder).drawings()) == 4


def test_a_file_with_more_writers_than_a_class_has_room_for_adds_nothing(store_of, folder, tmp_path, monkeypatch):
    store_of("otter").submit(Ink.example(3), 3)
    for number in range(3):
        append_drawing(tmp_path / "file.jsonl", variant(5, number), 5, f"hand {number}")
    for module in (pseudonyms, submissions):
        monkeypatch.setattr(module, "MAX_WRITERS", 3)
    with pytest.raises(ValueError, match=r"room for 2 more, and the file has 3 new ones\. Nothing was added"):
        SubmissionStore(folder).add(tmp_path / "file.jsonl")
    assert [path.name for path in folder.iterdir()] == ["otter"]


def test_a_drawing_that_is_added_is_shown(folder, tmp_path):
    def line(length):
        return Ink([np.tile([[100, 100], [200, 200]], (length, 1))]).to_json(7)

    more = len(line(2)) - len(line(1))
    longest = 1 + (MAX_LINE_BYTES - len(line(1))) // more
    assert MAX_LINE_BYTES - more < len(line(longest)) <= MAX_LINE_BYTES
    # With a writer's name in it, the longest line that a file may have would be too long for the class.
    for length, added in ((longest, 0), (longest - 10, 1)):
        (tmp_path / "file.jsonl").write_text(f"{line(length)}\n", "utf-8")
        result = SubmissionStore(folder).add(tmp_path / "file.jsonl")
        assert (result.added, result.bad_lines) == (added, 1 - added)
    assert len(SubmissionStore(folder).drawings()) == 1


def test_added_drawings_are_kept_in_a_separate_file(store_of, folder, tmp_path):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    before = (folder / "otter" / "drawings.jsonl").read_bytes()
    for digit in (3, 4):
        append_drawing(tmp_path / "file.jsonl", Ink.example(digit), digit, "otter")
    result = store.add(tmp_path / "file.jsonl")
    assert (result.added, result.known, result.writers) == (1, 1, ("otter",))
    assert (folder / "otter" / "drawings.jsonl").read_bytes() == before
    assert writers_and_labels(store.drawings()) == [("otter", "3"), ("otter", "4")]


def test_an_unusable_file_cannot_be_added(tmp_path, folder, monkeypatch):
    store = SubmissionStore(folder)
    with pytest.raises(FileNotFoundError, match="is its name spelt right"):
        store.add(tmp_path / "none.jsonl")
    (tmp_path / "damaged.jsonl.gz").write_bytes(gzip.compress(GOOD.encode())[:-9])
    with pytest.raises(ValueError, match="damaged gzip"):
        store.add(tmp_path / "damaged.jsonl.gz")
    monkeypatch.setattr(exchange, "MAX_FILE", 50_000)
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(ValueError, match="is too large"):
        store.add(tmp_path / "bomb.jsonl.gz")
    monkeypatch.setattr(exchange, "MAX_STROKES", 10)
    (tmp_path / "dots.jsonl").write_bytes(DOTS * 2)
    with pytest.raises(ValueError, match="has too many strokes"):
        store.add(tmp_path / "dots.jsonl")
    assert not folder.exists()


def test_a_byte_order_mark_costs_no_drawing(folder, tmp_path):
    (tmp_path / "file.jsonl").write_text(f"{GOOD}\n", "utf-8-sig")
    result = SubmissionStore(folder).add(tmp_path / "file.jsonl")
    assert (result.added, result.bad_lines) == (1, 0)
    write_lines(folder, "otter", b"\xef\xbb\xbf" + variant(8, 1).to_json(8).encode() + b"\n")
    assert sorted(drawing.label for drawing in SubmissionStore(folder).drawings()) == ["7", "8"]


def test_a_name_that_begins_with_a_tilde_need_not_be_a_users(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SubmissionStore(folder)
    store.submit(Ink.example(3), 3)
    assert store.export("~nobody-of-this-name.jsonl") == 1
    other = SubmissionStore("~nobody-of-this-name")
    assert other.folder == tmp_path / "~nobody-of-this-name"
    assert other.add("~nobody-of-this-name.jsonl").added == 1


def test_scores_are_given_for_each_digit_and_each_writer(store_of, recognizer):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    store.submit(Ink.example(4), 5)
    heron = store_of("heron")
    heron.submit(Ink.example(8), 8)
    heron.submit(Ink.example(1), "A")
    figures = store.scores(recognizer)
    assert (figures["drawings"], figures["right"], figures["others"]) == (3, 2, 1)
    assert figures["per_writer"] == {
        "heron": {"drawings": 1, "right": 1, "accuracy": 1.0},
        "otter": {"drawings": 2, "right": 1, "accuracy": 0.5},
    }
    assert figures["per_digit"]["5"]["accuracy"] == 0
    empty = SubmissionStore(store.folder / "none").scores(recognizer)
    assert (empty["drawings"], empty["accuracy"], empty["per_writer"]) == (0, None, {})


def test_finetuning_with_too_few_drawings_is_refused_in_words(store_of, tmp_path):
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    with pytest.raises(ValueError, match="There is too little to learn from"):
        store.finetune(output=tmp_path / "network")


class FakeProcess:
    """Stands in for the process that learns: it gets the drawings, and ends with what `ends` says."""

    ends = MappingProxyType({"held_out": 1.0})

    def __init__(self, on_progress, on_end, drawings, network, output):
        FakeProcess.got, FakeProcess.cancelled = (read_drawings(drawings), network, output), False
        on_progress(0.5)
        if self.ends is not KeyboardInterrupt:
            on_end(dict(self.ends))

    def cancel(self):
        FakeProcess.cancelled = True


def test_finetuning_gives_the_drawings_to_a_process_of_its_own(store_of, monkeypatch, tmp_path):
    monkeypatch.setattr("digitlab.training.finetune.FinetuneProcess", FakeProcess)
    store_of("heron").submit(Ink.example(4), 4)
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    shares = []
    assert store.finetune("mine", tmp_path / "network", shares.append) == FakeProcess.ends
    assert shares == [0.5]
    drawings, network, output = FakeProcess.got
    assert sorted((drawing.writer, drawing.label) for drawing in drawings) == [("heron", "4"), ("otter", "3")]
    assert (network, output) == ("mine", tmp_path / "network")


def test_an_interrupt_cancels_the_finetuning(store_of, monkeypatch):
    monkeypatch.setattr("digitlab.training.finetune.FinetuneProcess", FakeProcess)
    monkeypatch.setattr(FakeProcess, "ends", KeyboardInterrupt)
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    threading.Timer(1, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        store.finetune()
    assert FakeProcess.cancelled


def test_a_report_that_fails_ends_the_finetuning(store_of, monkeypatch):
    monkeypatch.setattr("digitlab.training.finetune.FinetuneProcess", FakeProcess)
    store = store_of("otter")
    store.submit(Ink.example(3), 3)
    with pytest.raises(ZeroDivisionError):
        store.finetune(report=lambda share: 1 / 0)
    assert FakeProcess.cancelled


# The command


def test_the_command_runs_every_action(store_of, folder, tmp_path, digitlab):
    store = store_of("otter")
    for number in (3, 3, 4):
        store.submit(variant(number, len(store.drawings())), number)
    write_lines(folder, "heron", b"no drawing\n", Ink.example(9).to_json(9).encode() + b"\n")

    def call(*arguments):
        return digitlab("class", "--folder", folder, *arguments)

    output = call("show").stdout
    assert "4 drawings by 2 writers" in output
    assert re.search(r"otter +\. +\. +\. +2 +1 +\.", output)
    assert "1 line of heron cannot be read" in output
    assert re.search(r"otter +3 +100\.00%", call("score").stdout)
    assert "4 drawings written" in call("export", tmp_path / "all.jsonl.gz").stdout
    assert "0 drawings added, 4 were there already" in call("add", tmp_path / "all.jsonl.gz").stdout
    assert "1 drawing hidden" in call("hide", "otter", "2").stdout
    assert "3 drawings by 2 writers" in digitlab("class", "show", "--folder", folder).stdout
    assert "and 1 drawing hidden" in call("show").stdout
    assert "1 drawing shown again" in call("show-again", "otter", "2").stdout
    assert call("hide", "otter", "9").returncode == 1
    assert "3 drawings of otter erased" in call("erase", "otter").stdout
    refused = call("erase", "--all")
    assert refused.returncode == 1
    assert "digitlab class erase --all --yes" in refused.stderr
    for action in (["show"], ["add", tmp_path / "all.jsonl.gz"], ["erase", "--all", "--yes"]):
        assert "is a file" in digitlab("class", "--folder", tmp_path / "all.jsonl.gz", *action).stderr
    assert "otter has no drawing with the number 1, nor any other." in call("hide", "otter", "1").stderr
    assert call("erase").returncode == 2
    assert "1 drawing erased" in call("erase", "--all", "--yes").stdout
    assert list(folder.iterdir()) == []


def test_an_export_replaces_no_file(store_of, folder, digitlab, tmp_path):
    store_of("otter").submit(Ink.example(3), 3)
    file = tmp_path / "laptop.jsonl"
    file.write_text("another laptop's drawings")
    done = digitlab("class", "--folder", folder, "export", file)
    assert done.returncode == 1
    assert "already: name a new one, or remove it first" in done.stderr
    assert file.read_text() == "another laptop's drawings"


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="this system has no /dev/stdout")
def test_an_export_to_standard_output_that_is_a_file(store_of, folder, tmp_path):
    store_of("otter").submit(Ink.example(3), 3)
    with open(tmp_path / "all.jsonl", "wb") as file:
        arguments = ["class", "--folder", folder, "export", "/dev/stdout"]
        subprocess.run([sys.executable, "-m", "digitlab.commands.main", *arguments], stdout=file, check=True)
    assert len(read_drawings(tmp_path / "all.jsonl")) == 1


def test_a_file_of_another_kind_is_not_added_without_a_word(folder, digitlab, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\n\n1\n")
    append_drawing(tmp_path / "good.jsonl", Ink.example(3), 3)
    done = digitlab("class", "--folder", folder, "add", tmp_path / "photo.jpg", tmp_path / "good.jsonl")
    assert done.returncode == 1
    assert "1 drawing added" in done.stdout
    assert "photo.jpg: no line is a labelled drawing" in done.stderr


@pytest.mark.parametrize("writers", [[], ["otter"]])
def test_erasing_all_keeps_a_file_that_only_has_the_name_of_the_list(store_of, folder, writers):
    folder.mkdir(exist_ok=True)
    for writer in writers:
        store_of(writer).submit(Ink.example(3), 3)
    (folder / "hidden.txt").write_text("my secret notes")
    assert SubmissionStore(folder).erase_all() == len(writers)
    assert (folder / "hidden.txt").read_text() == "my secret notes"


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="this system has no /dev/stdout")
def test_an_export_to_a_pipe_has_drawings_only(store_of, folder, digitlab):
    store_of("otter").submit(Ink.example(3), 3)
    done = digitlab("class", "--folder", folder, "export", "/dev/stdout")
    assert [Drawing.from_json(line).label for line in done.stdout.splitlines()] == ["3"]
    assert "1 drawing written" in done.stderr


def test_a_printed_command_names_the_folder_unless_it_is_the_usual_one(tmp_path):
    start = command("class")
    assert moderation.command(HOME / "class", "show") == f"{start} show"
    assert moderation.command(tmp_path / "a", "erase --all") == f"{start} erase --all --folder {tmp_path / 'a'}"
    assert moderation.command(tmp_path / "a b", "erase --all") == f'{start} erase --all --folder "{tmp_path / "a b"}"'


def test_a_command_is_printed_as_the_reader_types_it(monkeypatch, tmp_path):
    suffix = ".exe" if os.name == "nt" else ""
    uv, digitlab = tmp_path / "uv" / f"uv{suffix}", tmp_path / "my kit" / f"digitlab{suffix}"
    for program in (uv, digitlab):
        program.parent.mkdir()
        program.touch(mode=0o755)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / "my kit"))
    monkeypatch.setenv("UV", str(uv))  # As `uv run` does.
    monkeypatch.setenv("PATH", str(tmp_path / "uv"))
    assert command("train") == "uv run digitlab train"
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert command("train") == f"{uv} run digitlab train"
    monkeypatch.delenv("UV")
    assert command("train") == f'"{digitlab}" train'  # As in a kit from a stick.
    monkeypatch.setenv("PATH", str(tmp_path / "my kit"))
    assert command("train") == "digitlab train"


def test_digitlab_class_sets_the_folder(tmp_path, folder):
    write_lines(folder, "otter", GOOD.encode() + b"\n")
    done = subprocess.run(
        [sys.executable, "-m", "digitlab.commands.main", "class", "show"],
        env={**os.environ, "DIGITLAB_CLASS": str(folder)},
        capture_output=True,
        text=True,
    )
    assert "1 drawing by 1 writer" in done.stdout


def test_the_command_imports_no_heavy_package():
    script = """
import sys
import digitlab_classroom.commands
print(sorted({"tensorflow", "keras", "matplotlib", "ipywidgets", "IPython"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
