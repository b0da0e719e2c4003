"""The drawing pad without a browser: the events that a page sends, and what it would be shown."""

import base64
import html
import re
import shutil
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest
from digitlab_classroom.submissions import NotSubmittedError, SubmissionStore
from digitlab_classroom.view import SubmissionsView
from helpers import wait_until
from ipywidgets import Button, ToggleButton

from digitlab.ink import Ink, read_drawings
from digitlab.pad import DrawingPad, _curve
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.prepare import prepare, shrink
from digitlab.recognizer import Prediction, Recognizer


@pytest.fixture
def pad(recognizer):
    return DrawingPad(recognizer)


def play(pad, event, **content):
    """Play an event as ipycanvas hands it over from the page. The method is private: here is its one use."""
    pad._canvas._handle_frontend_event(pad._canvas, {"event": event, **content}, [])


def draw(pad, ink):
    for stroke in in_events(pad, ink):
        play(pad, "mouse_down", x=stroke[0][0], y=stroke[0][1])
        for x, y in stroke[1:]:
            play(pad, "mouse_move", x=x, y=y)
        play(pad, "mouse_up", x=stroke[-1][0], y=stroke[-1][1])


def touch(pad, ink):
    for stroke in in_events(pad, ink):
        play(pad, "touch_start", touches=[{"x": stroke[0][0], "y": stroke[0][1]}])
        for x, y in stroke[1:]:
            play(pad, "touch_move", touches=[{"x": x, "y": y}])
        play(pad, "touch_end", touches=[])


def in_events(pad, ink):
    """The browser's canvas has more pixels than the ink, so that it is crisp: events are told in those."""
    return [(stroke * (pad._canvas.width / ink.size[0])).tolist() for stroke in ink.strokes]


def at(pad, event, x, y):
    play(pad, event, x=x * pad._canvas.width / 280, y=y * pad._canvas.height / 280)


def button(pad, words):
    """Find a button as a reader does, by what stands on it."""
    return next(found for found in widgets(pad) if getattr(found, "description", None) == words)


def widgets(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets(child)


def words(pad, name):
    """What the line of that name says, without its HTML."""
    texts = [found.value for found in widgets(pad) if f"digitlab-{name}" in str(getattr(found, "value", ""))]
    return html.unescape(re.sub("<[^>]*>", "", texts[0])) if texts else ""


def press_clear(pad):
    button(pad, "Clear").click()


def shown(pad, part):
    assert pad.prediction  # Reads what has not been read yet.
    return re.search(rf'class="digitlab-{part}"[^>]*>([^<]*)<', pad._answer.value).group(1)


def picture(pad):
    assert pad.prediction
    data = re.search(r'digitlab-sees.*?base64,([^"]*)', pad._answer.value).group(1)
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)


def bars(pad):
    assert pad.prediction
    return [float(width) for width in re.findall(r"width: ([\d.]+)%; background", pad._answer.value)]


def test_an_empty_pad_reads_nothing(pad):
    assert pad.prediction.reason == "empty"
    assert shown(pad, "digit") == "&nbsp;"
    assert shown(pad, "words") == "Draw a digit, 0 to 9."
    assert bars(pad) == [0] * 10
    assert not picture(pad).any()


@pytest.mark.parametrize("hand", [draw, touch])
@pytest.mark.parametrize("digit", range(10))
def test_it_reads_what_is_drawn_by_mouse_and_by_touch(pad, hand, digit):
    ink = Ink.example(digit)
    hand(pad, ink)
    assert [stroke.tolist() for stroke in pad.ink.strokes] == [stroke.tolist() for stroke in ink.strokes]
    assert shown(pad, "digit") == str(digit)
    assert int(np.argmax(bars(pad))) == digit
    assert np.array_equal(picture(pad), prepare(ink))


def test_the_answer_follows_a_stroke_while_it_is_drawn(pad, recognizer):
    """At a steady pace each event is answered, with what is drawn by then."""
    seen = []
    pad._answer.observe(lambda change: seen.append(change["new"]), "value")
    (stroke,) = in_events(pad, Ink.example(1))
    for number, (x, y) in enumerate(stroke[:10], 1):
        play(pad, "mouse_move" if number > 1 else "mouse_down", x=x, y=y)
        wait_until(lambda number=number: len(seen) == number)
        assert np.array_equal(picture(pad), prepare(pad.ink))
    assert len(seen) == 10


def test_events_that_come_all_at_once_are_answered_a_few_times_only(pad):
    """So it is when a busy kernel comes back to them; the last answer is that of the whole drawing."""
    seen = []
    pad._answer.observe(lambda change: seen.append(change["new"]), "value")
    draw(pad, Ink.example(8))
    draw(pad, Ink.example(8))
    assert sum(len(stroke) for stroke in pad.ink.strokes) > 80
    wait_until(lambda: seen and pad._is_read)
    time.sleep(0.1)
    assert len(seen) < 15
    assert np.array_equal(picture(pad), prepare(pad.ink))


def test_clear_resets_all_of_it(pad):
    before = pad._answer.value
    draw(pad, Ink.example(8))
    assert shown(pad, "digit") == "8"
    press_clear(pad)
    assert pad._answer.value == before
    assert not pad.ink
    assert pad.prediction.digit is None
    draw(pad, Ink.example(2))
    assert shown(pad, "digit") == "2"


def test_a_pen_that_is_up_does_not_draw(pad):
    play(pad, "mouse_move", x=100, y=100)
    play(pad, "mouse_up", x=100, y=100)
    assert not pad.ink


def test_a_stroke_that_leaves_the_canvas_ends_at_its_edge(pad):
    at(pad, "mouse_down", 100, 100)
    at(pad, "mouse_move", 250, 100)
    at(pad, "mouse_out", 300, 100)
    at(pad, "mouse_move", 100, 200)
    assert [stroke.tolist() for stroke in pad.ink.strokes] == [[[100, 100], [250, 100], [280, 100]]]


def test_so_does_a_finger_that_leaves_it(pad):
    play(pad, "touch_start", touches=[{"x": 200, "y": 200}])
    play(pad, "touch_move", touches=[{"x": 200, "y": -40}])
    play(pad, "touch_move", touches=[{"x": 300, "y": 300}])
    assert [stroke.tolist() for stroke in pad.ink.strokes] == [[[100, 100], [100, 0]]]


def test_a_second_finger_does_not_draw(pad):
    one, other = {"x": 100, "y": 100}, {"x": 400, "y": 400}
    play(pad, "touch_start", touches=[one])
    play(pad, "touch_start", touches=[one, other])
    play(pad, "touch_move", touches=[{"x": 120, "y": 120}, other])
    play(pad, "touch_end", touches=[{"x": 120, "y": 120}])  # the second finger is lifted
    play(pad, "touch_move", touches=[{"x": 140, "y": 140}])
    assert [stroke.tolist() for stroke in pad.ink.strokes] == [[[50, 50], [60, 60], [70, 70]]]
    play(pad, "touch_start", touches=[{"x": 140, "y": 140}, other])
    play(pad, "touch_end", touches=[other])  # now the first one
    play(pad, "touch_move", touches=[other])
    assert len(pad.ink.strokes[0]) == 3


def test_a_cancelled_touch_ends_its_stroke(pad):
    play(pad, "touch_start", touches=[{"x": 10, "y": 10}])
    play(pad, "touch_cancel", touches=[])
    play(pad, "touch_start", touches=[{"x": 50, "y": 50}])
    assert [len(stroke) for stroke in pad.ink.strokes] == [1, 1]


def test_the_canvas_is_drawn_anew_when_a_page_is_loaded_anew(pad, monkeypatch):
    draw(pad, Ink.example(4))
    sent = []
    monkeypatch.setattr(
        pad._canvas._canvas_manager, "send_command", lambda canvas, command, buffers=(): sent.append(command)
    )
    play(pad, "client_ready")
    assert len(sent) >= len(Ink.example(4).strokes)


def test_two_pads_are_drawn_on_alone(recognizer):
    one, other = DrawingPad(recognizer), DrawingPad(recognizer)
    draw(one, Ink.example(3))
    draw(other, Ink.example(6))
    press_clear(other)
    assert shown(one, "digit") == "3"
    assert not other.ink


def test_events_on_several_threads_lose_nothing(pad, recognizer):
    """While a cell runs, the page's messages are handled on another thread."""
    stop = threading.Event()

    def keep_clearing_another():
        other = DrawingPad(recognizer)
        while not stop.is_set():
            other.clear()

    thread = threading.Thread(target=keep_clearing_another)
    thread.start()
    try:
        for _ in range(5):
            draw(pad, Ink.example(5))
    finally:
        stop.set()
        thread.join()
    assert [stroke.tolist() for stroke in pad.ink.strokes] == [s.tolist() for s in Ink.example(5).strokes] * 5


def test_it_is_shown_in_a_cell_with_words_for_readers_without_a_browser(pad):
    draw(pad, Ink.example(7))
    assert repr(pad) == f"DrawingPad({pad.prediction})"
    assert repr(pad).startswith("DrawingPad(7 (")


def test_without_a_network_it_says_what_to_do(monkeypatch, tmp_path):
    from digitlab import recognizer

    monkeypatch.setattr(recognizer.Recognizer.load.__func__, "__defaults__", (tmp_path / "none",))
    with pytest.raises(FileNotFoundError, match="There is no network"):
        DrawingPad()


def test_undo_takes_the_last_stroke_away(pad):
    draw(pad, Ink.example(4))
    button(pad, "Undo").click()
    assert len(pad.ink.strokes) == len(Ink.example(4).strokes) - 1
    assert np.array_equal(picture(pad), prepare(pad.ink))
    for _ in range(3):
        button(pad, "Undo").click()
    assert shown(pad, "words") == "Draw a digit, 0 to 9."


@pytest.mark.parametrize(("key", "left"), [("Backspace", 1), ("Escape", 0), ("Delete", 0), ("x", 2)])
def test_keys_on_the_canvas(pad, key, left):
    draw(pad, Ink.example(4))
    play(pad, "key_down", key=key, shift_key=False, ctrl_key=False, meta_key=False)
    assert len(pad.ink.strokes) == left


def test_only_what_is_asked_for_is_on_a_pad(pad, recognizer):
    def names(pad):
        return [found.description for found in widgets(pad) if isinstance(found, (Button, ToggleButton))]

    assert names(pad) == ["Clear", "Undo"]
    full = DrawingPad(recognizer, save=True, trackpad=True, how_it_sees=True, teach=True, hand_in=True)
    assert names(full) == [
        *("Clear", "Undo", "Save picture", "Click to start and to end a stroke"),
        *("Show how it sees", "Feed it the whole canvas", "Add", "Learn", "Cancel", "Hand in"),
    ]
    assert names(DrawingPad(recognizer, hand_in=True)) == ["Clear", "Undo", "Hand in"]


def test_by_clicks_the_button_need_not_be_held(recognizer):
    pad = DrawingPad(recognizer, trackpad=True)
    button(pad, "Click to start and to end a stroke").value = True
    for event, x, y in [("down", 50, 50), ("up", 50, 50), ("move", 60, 80), ("move", 70, 90), ("down", 70, 90)]:
        at(pad, f"mouse_{event}", x, y)
    at(pad, "mouse_up", 70, 90)
    at(pad, "mouse_move", 200, 200)
    assert [stroke.tolist() for stroke in pad.ink.strokes] == [[[50, 50], [60, 80], [70, 90]]]


def test_two_networks_answer_side_by_side(recognizer, tmp_path):
    plain = Recognizer.load(MNIST_ONLY_NETWORK)
    pad = DrawingPad(networks={"ours": recognizer, "<b>yours</b>": plain, "nobody's": tmp_path / "none"})
    draw(pad, Ink.example(5))
    assert list(pad.predictions) == ["ours", "<b>yours</b>"]
    assert pad.predictions["<b>yours</b>"].probabilities.tolist() == plain.predict(pad.ink).probabilities.tolist()
    assert pad._answer.value.count('class="digitlab-digit"') == 2
    assert "&lt;b&gt;yours&lt;/b&gt;" in pad._answer.value
    assert "There is none yet. Train it in notebook 2" in html.unescape(pad._answer.value)


def test_a_pad_whose_only_network_is_missing_says_so_and_is_drawn_on(tmp_path):
    pad = DrawingPad(networks={"yours": tmp_path / "none"})
    draw(pad, Ink.example(5))
    assert pad.prediction is None
    assert len(pad.ink.strokes) == len(Ink.example(5).strokes)
    assert "There is none yet. Train it in notebook 2" in pad._answer.value


def test_learning_that_cannot_be_started_is_told_and_can_be_tried_again(recognizer, drawings, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(12, "Cannot allocate memory")

    pad = DrawingPad(recognizer, teach=True)
    monkeypatch.setattr("digitlab.training.finetune.subprocess.Popen", fail)
    button(pad, "Learn").click()
    assert words(pad, "lesson") == "Nothing was learnt: no process could be started (Cannot allocate memory)."
    assert not button(pad, "Learn").disabled


def test_it_says_where_sure_and_the_bars_differ(pad):
    class Torn(Recognizer):
        def __init__(self):
            pass

        def predict(self, drawing, prepare):
            return Prediction(None, "unsure", 0.5, np.eye(10)[3], prepare(drawing))

    draw(pad, Ink.example(3))
    assert shown(pad, "difference").strip() == ""
    torn = DrawingPad(Torn())
    draw(torn, Ink.example(3))
    assert "“Sure” is the chance that it is a digit, and this one." in shown(torn, "difference")


def test_a_recognizer_and_networks_are_one_too_many(recognizer):
    with pytest.raises(ValueError, match="either a recognizer or networks"):
        DrawingPad(recognizer, networks={"ours": recognizer})
    with pytest.raises(ValueError, match="at least one network"):
        DrawingPad(networks={})


def test_the_way_of_a_drawing_is_shown_and_can_be_left_out(recognizer):
    pad = DrawingPad(recognizer, how_it_sees=True)
    small = Ink([stroke * 0.3 + 180 for stroke in Ink.example(7).strokes])
    draw(pad, small)
    assert pad.prediction.digit == 7
    assert "digitlab-steps" not in pad._steps.value
    button(pad, "Show how it sees").value = True
    captions = re.findall("<figcaption[^>]*>([^<]*)<", pad._steps.value)
    assert captions == ["canvas", "cropped to its ink", "fitted into 20 x 20", "centred in 28 x 28"]
    button(pad, "Feed it the whole canvas").value = True
    assert np.array_equal(pad.prediction.image, shrink(small))
    assert np.array_equal(picture(pad), shrink(small))
    assert "resized to 28 x 28" in pad._steps.value
    button(pad, "Feed it the whole canvas").value = False
    assert pad.prediction.digit == 7


def test_a_replay_draws_as_a_hand_would(pad):
    begun = time.monotonic()
    pad.replay(Ink.example(3), seconds=0.3)
    assert time.monotonic() - begun >= 0.3
    assert shown(pad, "digit") == "3"
    pad.replay(Ink([stroke * 2 for stroke in Ink.example(6).strokes], (560, 560)), seconds=0)
    assert [s.tolist() for s in pad.ink.strokes] == [s.tolist() for s in Ink.example(6).strokes]
    assert shown(pad, "digit") == "6"


@pytest.fixture
def drawings(tmp_path, monkeypatch):
    folder = tmp_path / "drawings"
    monkeypatch.setattr("digitlab.pad.DRAWINGS", folder)
    monkeypatch.setattr("digitlab.pad.MY_DRAWINGS", folder / "my_drawings.jsonl")
    monkeypatch.setattr("digitlab_classroom.submissions.DRAWINGS", folder)
    return folder


def test_a_picture_is_saved_and_can_be_downloaded(recognizer, drawings):
    pad = DrawingPad(recognizer, save=True)
    button(pad, "Save picture").click()
    assert words(pad, "message") == "Draw something first."
    draw(pad, Ink.example(2))
    button(pad, "Save picture").click()
    play(pad, "key_down", key="s", shift_key=False, ctrl_key=False, meta_key=False)
    assert sorted(path.name for path in drawings.iterdir()) == ["drawing-001.png", "drawing-002.png"]
    saved = cv2.imread(str(drawings / "drawing-001.png"), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(saved, Ink.example(2).render())
    link = re.search(r'download="drawing-002.png" href="data:image/png;base64,([^"]*)"', pad._message.value)
    assert base64.b64decode(link.group(1)) == (drawings / "drawing-002.png").read_bytes()
    assert recognizer.predict(saved).digit == 2


def test_added_drawings_are_kept_and_counted(recognizer, drawings):
    pad = DrawingPad(recognizer, teach=True)
    button(pad, "Add").click()
    assert words(pad, "lesson") == "Choose the digit that you meant first."
    pad._meant.value = "7"
    button(pad, "Add").click()
    assert words(pad, "lesson") == "Draw something first."
    for _ in range(2):
        draw(pad, Ink.example(7))
        button(pad, "Add").click()
    assert not pad.ink
    kept = read_drawings(drawings / "my_drawings.jsonl")
    assert [drawing.label for drawing in kept] == ["7", "7"]
    assert [stroke.tolist() for stroke in kept[0].ink.strokes] == [s.tolist() for s in Ink.example(7).strokes]
    assert re.sub(r"\D", "", words(pad, "counts")) == "0000000200"
    assert re.sub(r"\D", "", words(DrawingPad(recognizer, teach=True), "counts")) == "0000000200"
    with pytest.raises(ValueError, match="must be one from 0 to 9"):
        pad.add("A")


def test_a_folder_that_cannot_be_written_is_said_in_the_pad_and_costs_nothing(recognizer, drawings):
    drawings.write_text("This is a file, where a folder should be.")
    pad = DrawingPad(recognizer, save=True, teach=True)
    draw(pad, Ink.example(4))
    button(pad, "Save picture").click()
    assert "could not be saved" in words(pad, "message")
    pad._meant.value = "4"
    button(pad, "Add").click()
    assert "could not be kept" in words(pad, "lesson")
    assert len(pad.ink.strokes) == len(Ink.example(4).strokes)


@pytest.fixture
def be(tmp_path, drawings, monkeypatch):
    """Be the writer of that pseudonym in a class."""

    def be(writer):
        monkeypatch.setenv("DIGITLAB_WRITER", writer)
        return SubmissionStore(tmp_path / "class")

    return be


def test_a_drawing_is_handed_in_to_the_class(recognizer, be):
    pad = DrawingPad(recognizer, hand_in=be("otter"))
    button(pad, "Hand in").click()
    assert words(pad, "handed-in") == "Choose the digit that you meant first."
    pad._meant.value = "7"
    button(pad, "Hand in").click()
    assert words(pad, "handed-in") == "Draw something first."
    for count in (1, 2):
        draw(pad, Ink([stroke + count for stroke in Ink.example(7).strokes]))
        button(pad, "Hand in").click()
        assert words(pad, "handed-in") == f"Handed in as otter: {count} so far."
        assert not pad.ink
    assert re.sub(r"\D", "", words(pad, "counts")) == "0000000200"
    assert "handed in so far" in words(pad, "counts")
    draw(pad, Ink.example(3))
    assert pad.hand_in(3) == 3
    assert [(one.writer, one.label) for one in be("heron").drawings()] == [("otter", label) for label in "773"]
    with pytest.raises(ValueError, match="must be one from 0 to 9"):
        pad.hand_in("A")


def test_teaching_and_handing_in_share_one_row_of_digits(recognizer, be, drawings):
    pad = DrawingPad(recognizer, teach=True, hand_in=be("otter"))
    assert len([found for found in widgets(pad) if found is pad._meant]) == 1
    pad._meant.value = "4"
    for words_on_it in ("Hand in", "Add"):
        draw(pad, Ink.example(4))
        button(pad, words_on_it).click()
    assert len(be("otter").drawings()) == len(read_drawings(drawings / "my_drawings.jsonl")) == 1


def test_a_class_that_cannot_be_reached_is_said_and_the_drawing_is_kept(recognizer, be, drawings):
    digits = be("otter")
    digits.folder.write_text("This is a file, where a folder should be.")
    pad = DrawingPad(recognizer, hand_in=digits)
    pad._meant.value = "4"
    draw(pad, Ink.example(4))
    button(pad, "Hand in").click()
    assert re.search(
        "could not be handed in to .* It is kept in .* and goes along with the next one", words(pad, "handed-in")
    )
    assert not pad.ink
    draw(pad, Ink.example(5))
    with pytest.raises(NotSubmittedError):
        pad.hand_in(5)
    assert "2 that could not be handed in before will go along" in words(DrawingPad(hand_in=digits), "handed-in")
    shutil.rmtree(drawings)
    drawings.write_text("This is a file, too.")
    draw(pad, Ink.example(4))
    button(pad, "Hand in").click()
    assert words(pad, "handed-in").endswith("It is still on the canvas.")
    assert len(pad.ink.strokes) == len(Ink.example(4).strokes)


def shown_in(view):
    return view._overview.value + view._gallery.value


def test_the_view_counts_digits_and_writers_and_marks_the_misread(recognizer, be):
    otter = be("otter")
    view = SubmissionsView(recognizer, otter)
    assert "Nobody has handed in anything yet" in shown_in(view)
    otter.hand_in(Ink.example(7), 7)
    otter.hand_in(Ink.example(3), 5)
    be("heron").hand_in(Ink.example(8), 8)
    view.refresh()
    overview = html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", view._overview.value)))
    assert "3 digits by 2 writers: 2 read right" in overview
    assert re.search(r"heron \(you\) 1 of 1 .*otter 1 of 2", overview)
    assert re.findall('alt="([^"]*)"', view._gallery.value) == [
        "A 5 by otter 2, read as 3",
        "A 8 by heron 1",
        "A 7 by otter 1",
    ]
    be("heron").hand_in(Ink.example(1), 1)
    view.refresh()
    assert re.findall('alt="([^"]*)"', view._gallery.value)[0] == "A 1 by heron 2"


def test_the_view_sees_by_itself_what_is_new_and_sends_nothing_where_nothing_is(recognizer, be, monkeypatch):
    digits = be("otter")
    view = SubmissionsView(recognizer, digits)
    sent = []
    view._overview.observe(lambda change: sent.append(change["new"]), "value")
    be("heron").hand_in(Ink.example(8), 8)
    wait_until(lambda: sent)
    read = []
    monkeypatch.setattr(type(recognizer), "predict_many", lambda self, inks: read.extend(inks) or [])
    for _ in range(3):
        view.refresh()
    assert len(sent) == 1
    assert read == []
    view.close()


def test_what_others_hand_in_is_text_on_the_page(recognizer, be):
    digits = be("otter")
    digits.hand_in(Ink.example(7), "<")
    bad = digits.folder / "<script>alert(1)<b>"
    bad.mkdir()
    (bad / "drawings.jsonl").write_text(Ink.example(7).to_json('"') + "\n" + Ink.example(8).to_json(3) + "\n")
    view = SubmissionsView(recognizer, digits)
    assert "<script>" not in shown_in(view)
    assert "&lt;script&gt;alert(1)&lt;b&gt;" in shown_in(view)
    assert 'alt="A &lt; by otter 1"' in shown_in(view)
    assert 'alt="A &quot; by &lt;script&gt;' in shown_in(view)
    view.close()


def test_the_teacher_hides_a_drawing_or_all_of_a_writer_at_once_and_takes_it_back(recognizer, be):
    digits = be("otter")
    for digit in (3, 4):
        digits.hand_in(Ink.example(digit), digit)
    view = SubmissionsView(recognizer, digits)
    assert view._teachers.layout.display == "flex"
    button(view, "Hide").click()
    assert words(view, "class-message") == "Choose a drawing first, by the name below it."
    options = dict(view._which.options)
    assert list(options) == ["Choose a drawing", "otter 2: a 4", "otter 1: a 3", "all by otter"]
    view._which.value = options["otter 2: a 4"]
    button(view, "Hide").click()
    assert "otter 2 is shown to nobody any more" in words(view, "class-message")
    assert [one.label for one in SubmissionStore(digits.folder).drawings()] == ["3"]
    assert "otter 2" not in shown_in(view)
    button(view, "Show again").click()
    assert "otter 2" in shown_in(view)
    view._which.value = options["all by otter"]
    button(view, "Hide").click()
    assert digits.drawings() == ()
    button(view, "Show again").click()
    assert len(digits.drawings()) == 2
    view.close()


def test_a_seat_that_may_not_hide_is_not_asked(recognizer, be, monkeypatch):
    digits = be("otter")
    digits.hand_in(Ink.example(3), 3)
    monkeypatch.setattr(SubmissionStore, "may_hide", False)
    view = SubmissionsView(recognizer, digits)
    assert view._teachers.layout.display == "none"
    view.close()


def test_a_pad_needs_no_tensorflow():
    script = (
        "import sys, digitlab.pad, digitlab_classroom.view; print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cv2" in done.stdout
    assert not re.search("tensorflow|keras|matplotlib|onnx", done.stdout)


def test_few_points_make_a_round_line_the_same_piece_by_piece_as_at_once():
    angles = np.linspace(0, 2 * np.pi, 12)
    points = np.stack([140 + 90 * np.cos(angles), 140 + 90 * np.sin(angles)], axis=1)
    curve = _curve(points)
    steps = np.diff(curve, axis=0)
    steps = steps[np.hypot(*steps.T) > 1e-9]
    turns = np.abs(np.diff(np.unwrap(np.arctan2(*steps.T))))
    assert turns.max() < np.radians(15)  # the points themselves: 33 degrees
    pieces = [_curve(points[number - 2 : number + 1]) for number in range(2, len(points))]
    assert np.array_equal(np.concatenate(pieces), curve)
    assert np.array_equal(_curve(points[:2])[-1], curve[0])
