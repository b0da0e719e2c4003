"""The drawing pad and its panels without a browser: the events that a page sends, and what it would be shown."""

import base64
import html
import importlib
import json
import re
import shutil
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest
from helpers import wait_until
from ipywidgets import Button, ToggleButton

from digitlab.answer import Answer
from digitlab.ink import Ink, append_drawing, read_drawings
from digitlab.pad import DrawingPad
from digitlab.panels import KeepPanel, SavePanel, StepsPanel, TeachPanel, kept_drawings, small_examples
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.pen import smooth_curve
from digitlab.prepare import prepare, shrink
from digitlab.recognizer import Prediction, Recognizer, percent
from digitlab.widgets import DigitButtons
from digitlab_classroom.submissions import NotSubmittedError, SubmissionStore
from digitlab_classroom.submit_panel import SubmitPanel
from digitlab_classroom.view import SubmissionsView


@pytest.fixture
def pad(recognizer):
    return DrawingPad(recognizer)


def send(pad, content):
    """Deliver a message as ipywidgets does when it comes from the page. The method is private; this is its only use."""
    pad._pen._layer._handle_custom_msg(content, [])


def press_key(pad, key):
    send(pad, {"type": "key", "key": key})


class View:
    """Plays a pen on a page: it numbers strokes and points, and hears what Python answers."""

    def __init__(self, pad, name="view"):
        self.pad, self.name = pad, name
        self.stroke = self.batch = 0
        self.heard = []
        layer = pad._pen._layer
        send_on = layer.send
        layer.send = lambda content: (self.heard.append(content), send_on(content))

    def part(self, points, start=0, ended=True, dropped=False):
        points = np.asarray(points, float).tolist()
        part = {"stroke": self.stroke, "from": start, "points": points, "ended": ended, "dropped": dropped}
        self.stroke += ended
        return part

    def send(self, *parts):
        self.batch += 1
        send(self.pad, {"type": "points", "pen": self.name, "batch": self.batch, "parts": parts})

    @property
    def answer(self):
        last = [content for content in self.heard if content["type"] == "answer" and content["pen"] == self.name][-1]
        return last["batch"], last["stroke"], last["count"]


def draw(pad, ink, at_once=3):
    """Draw an ink, a few points in each message."""
    view = View(pad, name=f"view {time.monotonic_ns()}")
    for stroke in ink.strokes:
        for start in range(0, len(stroke), at_once):
            end = start + at_once
            view.send(view.part(stroke[start:end], start, ended=end >= len(stroke)))


def strokes(ink):
    return [stroke.tolist() for stroke in ink.strokes]


def button(pad, description):
    """Find a button as a reader does, by its words."""
    return next(found for found in all_widgets(pad) if getattr(found, "description", None) == description)


def all_widgets(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_widgets(child)


def find_text(pad, name):
    """Return the text of the element of that name, without its HTML."""
    pattern = re.compile(rf'class="digitlab-{name}[ "]')
    values = [str(getattr(found, "value", "")) for found in all_widgets(pad)]
    texts = [value for value in values if pattern.search(value)]
    return html.unescape(re.sub("<[^>]*>", "", texts[0])) if texts else ""


def answer(pad, part, number=0):
    """Return a part of what the page is told of an answer: the digit, the words or the probabilities."""
    assert pad.prediction  # This reads what has not been read yet.
    return pad._answer.answers[number][part]


def seen_image(pad):
    assert pad.prediction
    return np.frombuffer(pad._answer.image, np.uint8).reshape(28, 28)


def record_answers(pad):
    """Return a list to which each message about an answer is added: what it tells, and its size in bytes."""
    sent = []

    def send(message, buffers=()):
        names = {*message["state"], *(path[0] for path in message["buffer_paths"])}
        sent.append((names, len(json.dumps(message)) + sum(map(len, buffers))))

    pad._answer._send = send
    return sent


# The pad


def test_an_empty_pad_reads_nothing(pad):
    assert pad.prediction.reason == "empty"
    assert answer(pad, "digit") == ""
    assert answer(pad, "words") == "Draw a digit, 0 to 9."
    assert answer(pad, "probabilities") == [0] * 10
    assert not seen_image(pad).any()


@pytest.mark.parametrize("at_once", [1, 3, 1000])
@pytest.mark.parametrize("digit", range(10))
def test_it_reads_what_is_drawn_in_few_or_many_messages(pad, at_once, digit):
    ink = Ink.example(digit)
    draw(pad, ink, at_once)
    assert strokes(pad.ink) == strokes(ink)
    assert answer(pad, "digit") == str(digit)
    assert np.argmax(answer(pad, "probabilities")) == digit
    assert np.array_equal(seen_image(pad), prepare(ink))


def test_the_words_and_the_bar_say_the_same_number():
    for sure in np.linspace(0.5, 0.999, 500):
        probabilities = np.full(10, (1 - sure) / 9, np.float32)
        probabilities[7] = sure
        read = Prediction(7, None, float(probabilities[7]), probabilities, np.zeros((28, 28), np.uint8))
        widget = Answer()
        widget.show({"": read}, 0)
        (shown,) = widget.answers
        assert shown["words"] == f"{percent(shown['probabilities'][7])} sure"


def test_the_answer_follows_a_stroke_while_it_is_drawn(pad):
    seen = []
    pad._answer.observe(lambda change: seen.append(change["new"]), "points")
    view = View(pad)
    for number, point in enumerate(Ink.example(1).strokes[0][:10]):
        view.send(view.part([point], number, ended=False))
        wait_until(lambda number=number: len(seen) == number + 1)
        assert np.array_equal(seen_image(pad), prepare(pad.ink))
    assert len(seen) == 10


def test_a_burst_of_messages_is_read_a_few_times_only(pad):
    """A kernel that was busy gets many messages at once. The last answer is that of the whole drawing."""
    seen = []
    pad._answer.observe(lambda change: seen.append(change["new"]), "points")
    draw(pad, Ink.example(8), at_once=1)
    draw(pad, Ink.example(8), at_once=1)
    points = sum(len(stroke) for stroke in pad.ink.strokes)
    assert points > 80
    wait_until(lambda: pad._answer.points == points)
    assert len(seen) < 15
    assert np.array_equal(seen_image(pad), prepare(pad.ink))


def test_one_message_tells_the_page_what_changed(pad):
    sent = record_answers(pad)
    draw(pad, Ink.example(8), at_once=1000)
    assert answer(pad, "digit") == "8"
    assert sent
    for names, size in sent:
        assert names == {"answers", "image", "points"}
        assert size < 1200
    sent.clear()
    pad.read()
    assert sent == []


def test_clear_resets_drawing_and_answer(pad):
    before = pad._answer.get_state()
    draw(pad, Ink.example(8))
    assert answer(pad, "digit") == "8"
    button(pad, "Clear").click()
    assert pad._answer.get_state() == before
    assert not pad.ink
    assert pad.prediction.digit is None
    draw(pad, Ink.example(2))
    assert answer(pad, "digit") == "2"


def test_points_that_arrive_twice_are_drawn_once(pad):
    view = View(pad)
    line = [[10, 10], [20, 20], [30, 30], [40, 40]]
    view.send(view.part(line[:2], ended=False))
    view.send(view.part(line[:3], ended=False))
    assert view.answer == (2, 0, 3)
    whole = view.part(line)
    view.send(whole)
    view.send(whole)
    assert view.answer == (4, 1, 0)
    assert strokes(pad.ink) == [line]


def test_after_a_lost_message_the_rest_waits_for_what_is_missing(pad):
    view = View(pad)
    line, dot = [[10, 10], [20, 20], [30, 30], [40, 40]], [[90, 90]]
    view.send(view.part(line[:1], ended=False))
    end = view.part(line[3:], 3)
    view.send(end, view.part(dot))
    assert view.answer == (2, 0, 1)
    assert strokes(pad.ink) == [line[:1]]
    view.stroke = 0
    view.send(view.part(line[1:], 1), view.part(dot))
    assert view.answer == (3, 2, 0)
    assert strokes(pad.ink) == [line, dot]


def test_a_stroke_of_the_palm_is_dropped(pad):
    view = View(pad)
    view.send(view.part([[10, 10], [20, 20]]))
    view.send(view.part([[200, 200], [210, 210]], ended=False))
    view.send(view.part([], 2, dropped=True))
    assert strokes(pad.ink) == [[[10, 10], [20, 20]]]
    view.send(view.part([[5, 5]]))
    assert strokes(pad.ink) == [[[10, 10], [20, 20]], [[5, 5]]]


@pytest.mark.parametrize("press", ["Clear", "Undo"])
def test_clear_and_undo_end_the_stroke_that_is_being_drawn(pad, press):
    view = View(pad)
    view.send(view.part([[50, 50]]))
    view.send(view.part([[10, 10], [20, 20]], ended=False))
    button(pad, press).click()
    assert view.heard[-1] == {"type": "cut", "pen": "view", "stroke": 1}
    view.send(view.part([[30, 30], [40, 40]], 2))
    assert strokes(pad.ink) == ([] if press == "Clear" else [[[50, 50]]])
    view.send(view.part([[60, 60]]))
    assert strokes(pad.ink)[-1] == [[60, 60]]


def test_clear_between_strokes_ends_none(pad):
    view = View(pad)
    view.send(view.part([[50, 50]]))
    button(pad, "Clear").click()
    assert [content["type"] for content in view.heard] == ["answer"]


def test_of_two_views_the_one_that_starts_last_draws(pad):
    one, other = View(pad, "one"), View(pad, "other")
    one.send(one.part([[10, 10], [20, 20]], ended=False))
    other.send(other.part([[100, 100]], ended=False))
    one.send(one.part([[30, 30]], 2))
    other.send(other.part([[110, 110]], 1))
    assert strokes(pad.ink) == [[[10, 10], [20, 20]], [[100, 100], [110, 110]]]
    assert one.answer == other.answer == (2, 1, 0)


def test_a_reloaded_page_gets_the_drawing_again(pad, monkeypatch):
    draw(pad, Ink.example(4))
    sent = []
    monkeypatch.setattr(
        pad._pen._canvas._canvas_manager, "send_command", lambda canvas, command, buffers=(): sent.append(command)
    )
    pad._pen._canvas._handle_frontend_event(pad._pen._canvas, {"event": "client_ready"}, [])
    assert len(sent) >= len(Ink.example(4).strokes)


def test_two_pads_keep_their_own_drawings(recognizer):
    one, other = DrawingPad(recognizer), DrawingPad(recognizer)
    draw(one, Ink.example(3))
    draw(other, Ink.example(6))
    button(other, "Clear").click()
    assert answer(one, "digit") == "3"
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
    assert strokes(pad.ink) == strokes(Ink.example(5)) * 5


def test_its_text_tells_what_is_read(pad):
    draw(pad, Ink.example(7))
    assert repr(pad) == f"DrawingPad({pad.prediction})"
    assert repr(pad).startswith("DrawingPad(7 (")


def test_a_missing_kit_network_is_an_error_with_a_remedy(monkeypatch, tmp_path):
    from digitlab import recognizer

    monkeypatch.setattr(recognizer.Recognizer.load.__func__, "__defaults__", (tmp_path / "none",))
    with pytest.raises(FileNotFoundError, match="There is no network"):
        DrawingPad()


def test_undo_removes_the_last_stroke(pad):
    draw(pad, Ink.example(4))
    button(pad, "Undo").click()
    assert len(pad.ink.strokes) == len(Ink.example(4).strokes) - 1
    assert np.array_equal(seen_image(pad), prepare(pad.ink))
    for _ in range(3):
        button(pad, "Undo").click()
    assert answer(pad, "words") == "Draw a digit, 0 to 9."


@pytest.mark.parametrize(("key", "left"), [("Backspace", 1), ("Ctrl+z", 1), ("Escape", 0), ("s", 2)])
def test_keys_on_the_canvas_undo_and_clear(pad, key, left):
    draw(pad, Ink.example(4))
    press_key(pad, key)
    assert len(pad.ink.strokes) == left


def test_a_pad_has_clear_and_undo_and_what_its_panels_bring(recognizer, be, drawings):
    def names(pad):
        return [found.description for found in all_widgets(pad) if isinstance(found, (Button, ToggleButton))]

    assert names(DrawingPad(recognizer)) == names(DrawingPad(recognizer, panels=[])) == ["Clear", "Undo"]
    everything = [StepsPanel(), SavePanel(), TeachPanel(), SubmitPanel(be("otter"))]
    full = DrawingPad(recognizer, trackpad=True, panels=everything)
    assert names(full) == [
        *("Clear", "Undo", "Click to start and to end a stroke", "Show how it sees", "Feed it the whole canvas"),
        *("Save picture", "Add", "Learn", "Cancel", "Hand in"),
    ]


def test_a_room_of_trackpads_has_the_switch_on_in_every_pad(recognizer, monkeypatch):
    monkeypatch.setenv("DIGITLAB_TRACKPAD", "1")
    assert button(DrawingPad(recognizer), "Click to start and to end a stroke").value is True
    monkeypatch.setenv("DIGITLAB_TRACKPAD", "0")
    assert button(DrawingPad(recognizer, trackpad=True), "Click to start and to end a stroke").value is False


def test_two_networks_answer_side_by_side(recognizer, tmp_path):
    plain = Recognizer.load(MNIST_ONLY_NETWORK)
    pad = DrawingPad(networks={"ours": recognizer, "<b>yours</b>": plain, "nobody's": tmp_path / "none"})
    draw(pad, Ink.example(5))
    assert list(pad.predictions) == ["ours", "<b>yours</b>"]
    assert pad.predictions["<b>yours</b>"].probabilities.tolist() == plain.predict(pad.ink).probabilities.tolist()
    assert [network["name"] for network in pad._answer.networks] == ["ours", "<b>yours</b>", "nobody's"]
    assert "There is none yet. Train it in notebook 3" in pad._answer.networks[2]["missing"]
    assert [answer(pad, "digit", number) for number in range(2)] == ["5", "5"]


def test_a_pad_without_a_network_says_so_and_can_be_drawn_on(tmp_path):
    pad = DrawingPad(networks={"yours": tmp_path / "none"})
    draw(pad, Ink.example(5))
    assert pad.prediction is None
    assert strokes(pad.ink) == strokes(Ink.example(5))
    assert "There is none yet. Train it in notebook 3" in pad._answer.networks[0]["missing"]


def test_a_sentence_explains_where_confidence_and_bars_differ(pad):
    class Torn(Recognizer):
        def __init__(self):
            pass

        def predict(self, drawing, prepare):
            return Prediction(None, "unsure", 0.5, np.eye(10)[3], prepare(drawing))

    draw(pad, Ink.example(3))
    assert pad.prediction
    assert not pad._answer.differs
    torn = DrawingPad(Torn())
    draw(torn, Ink.example(3))
    assert torn.prediction
    assert torn._answer.differs


def test_a_recognizer_and_networks_together_are_an_error(recognizer):
    with pytest.raises(ValueError, match="either a recognizer or networks"):
        DrawingPad(recognizer, networks={"ours": recognizer})
    with pytest.raises(ValueError, match="at least one network"):
        DrawingPad(networks={})


def test_a_replay_draws_as_a_hand_would(pad):
    begun = time.monotonic()
    pad.replay(Ink.example(3), seconds=0.3)
    assert time.monotonic() - begun >= 0.3
    assert answer(pad, "digit") == "3"
    pad.replay(Ink([stroke * 2 for stroke in Ink.example(6).strokes], (560, 560)), seconds=0)
    assert strokes(pad.ink) == strokes(Ink.example(6))
    assert answer(pad, "digit") == "6"


def test_a_pad_can_replay_its_own_drawing(pad):
    draw(pad, Ink.example(4))
    pad.replay(pad.ink, seconds=0)
    assert strokes(pad.ink) == strokes(Ink.example(4))
    assert answer(pad, "digit") == "4"


def test_an_interrupted_replay_lifts_the_pen(pad, monkeypatch):
    def interrupt(seconds):
        if threading.current_thread() is threading.main_thread() and len(pad.ink.strokes[0]) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("digitlab.pad.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pad.replay(Ink.example(3))
    monkeypatch.undo()
    pad._pen.move(200, 200)
    assert strokes(pad.ink) == [strokes(Ink.example(3))[0][:3]]
    assert pad.prediction.image.any()


def test_a_hand_that_draws_during_a_replay_keeps_its_stroke(pad):
    view = View(pad)
    pad._pen.down(10, 10)
    view.send(view.part([[50, 50], [60, 60]], ended=False))
    pad._pen.move(20, 20)
    pad._pen.up()
    view.send(view.part([[70, 70], [80, 80]], start=2))
    assert strokes(pad.ink) == [[[10, 10]], [[50, 50], [60, 60], [70, 70], [80, 80]]]
    view.send(view.part([[50, 90]], ended=False))
    pad._pen.down(15, 15)
    assert [content["stroke"] for content in view.heard if content["type"] == "cut"] == [1]


def test_one_thread_reads_as_long_as_there_is_a_pad():
    script = """
import threading
from digitlab import Recognizer
from digitlab.pad import DrawingPad

def readers():
    return [thread for thread in threading.enumerate() if thread.name == "digitlab-reader"]

assert threading.enumerate() == [threading.main_thread()]
pads = [DrawingPad(Recognizer.load()) for _ in range(2)]
(thread,) = readers()
pads[0].close()
assert readers() == [thread]
pads[1].close()
thread.join(10)
assert not thread.is_alive()
DrawingPad(Recognizer.load())
assert len(readers()) == 1
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_drawing_that_cannot_be_read_is_reported_and_the_next_is_read(pad, recognizer):
    class Broken(Recognizer):
        def __init__(self):
            self.fails = False

        def predict(self, drawing, prepare):
            if self.fails:
                raise RuntimeError("the network is broken")
            return recognizer.predict(drawing, prepare)

    network = Broken()
    broken = DrawingPad(network)
    network.fails = True
    draw(broken, Ink.example(3))
    wait_until(lambda: find_text(broken, "message") == "This drawing could not be read: the network is broken")
    draw(pad, Ink.example(5))
    wait_until(lambda: pad._answer.answers[0]["digit"] == "5")


def test_what_cannot_be_prepared_has_no_answer(recognizer):
    pad = DrawingPad(recognizer)
    draw(pad, Ink.example(3))
    assert pad.prediction.digit == 3

    def fail(ink):
        raise ValueError("a slip")

    pad.prepare = fail
    for _ in range(2):
        with pytest.raises(ValueError, match="a slip"):
            pad.read()
        with pytest.raises(ValueError, match="a slip"):
            pad.prediction  # noqa: B018
    assert pad._answer.networks == [{"name": "", "missing": "This drawing could not be read."}]
    assert repr(pad) == "DrawingPad(not read)"
    wait_until(lambda: pad._message.value)
    assert find_text(pad, "message") == "This drawing could not be read: a slip"
    pad.prepare = prepare
    wait_until(lambda: not pad._message.value)
    assert pad._answer.answers[0]["digit"] == "3"


def test_another_way_to_prepare_counts_at_once(recognizer):
    pad = DrawingPad(recognizer)
    draw(pad, Ink([stroke * 0.4 + 150 for stroke in Ink.example(7).strokes]))
    assert pad.prediction.digit == 7
    pad.prepare = shrink
    assert np.array_equal(pad.prediction.image, shrink(pad.ink))


def test_a_stroke_that_cannot_begin_says_why(recognizer):
    pad = DrawingPad(recognizer)
    with pytest.raises(ValueError, match="every x and y"):
        pad._pen.down(1e99, 0)
    draw(pad, Ink.example(3))
    assert pad.prediction.digit == 3


# The panels


def test_showing_the_steps_keeps_the_pupils_own_way_to_prepare(recognizer):
    pad = DrawingPad(recognizer, panels=[StepsPanel()])
    pad.prepare = own = lambda ink: prepare(ink)
    button(pad, "Show how it sees").value = True
    assert pad.prepare is own
    button(pad, "Feed it the whole canvas").value = True
    assert pad.prepare is not own
    button(pad, "Feed it the whole canvas").value = False
    assert pad.prepare is own


def test_the_steps_are_shown_and_can_be_left_out(recognizer):
    pad = DrawingPad(recognizer, panels=[StepsPanel()])
    small = Ink([stroke * 0.3 + 180 for stroke in Ink.example(7).strokes])
    draw(pad, small)

    def captions():
        values = [found.value for found in all_widgets(pad) if "digitlab-steps" in str(getattr(found, "value", ""))]
        return [caption for value in values for caption in re.findall("<figcaption>([^<]*)<", value)]

    assert pad.prediction.digit == 7
    assert captions() == []
    button(pad, "Show how it sees").value = True
    assert captions() == ["canvas", "cropped to its ink", "fitted into 20 x 20", "centred in 28 x 28"]
    button(pad, "Feed it the whole canvas").value = True
    assert np.array_equal(pad.prediction.image, shrink(small))
    assert np.array_equal(seen_image(pad), shrink(small))
    assert captions() == ["canvas", "resized to 28 x 28"]
    button(pad, "Feed it the whole canvas").value = False
    assert pad.prediction.digit == 7


@pytest.fixture
def drawings(tmp_path, monkeypatch):
    folder = tmp_path / "drawings"
    monkeypatch.setattr("digitlab_classroom.seat_files.DRAWINGS", folder)
    return folder


def test_a_saved_picture_can_be_downloaded(recognizer, drawings):
    pad = DrawingPad(recognizer, panels=[SavePanel(drawings)])
    button(pad, "Save picture").click()
    assert find_text(pad, "saved") == "Draw something first."
    draw(pad, Ink.example(2))
    button(pad, "Save picture").click()
    press_key(pad, "s")
    assert sorted(path.name for path in drawings.iterdir()) == ["drawing-001.png", "drawing-002.png"]
    saved = cv2.imread(str(drawings / "drawing-001.png"), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(saved, Ink.example(2).render())
    values = "".join(str(getattr(found, "value", "")) for found in all_widgets(pad))
    link = re.search(r'download="drawing-002.png" href="data:image/png;base64,([^"]*)"', values)
    assert base64.b64decode(link.group(1)) == (drawings / "drawing-002.png").read_bytes()
    assert recognizer.predict(saved).digit == 2
    button(pad, "Clear").click()
    assert find_text(pad, "saved") == ""


def test_ctrl_s_saves_no_picture(recognizer, drawings):
    pad = DrawingPad(recognizer, panels=[SavePanel(drawings)])
    assert "s" in pad._pen._layer.shortcuts
    assert "Ctrl+s" not in pad._pen._layer.shortcuts
    draw(pad, Ink.example(2))
    press_key(pad, "Ctrl+s")
    assert not drawings.exists()


def test_without_its_panel_the_key_s_does_nothing(recognizer):
    pad = DrawingPad(recognizer)
    assert "s" not in pad._pen._layer.shortcuts
    draw(pad, Ink.example(2))
    before = len(pad.ink.strokes)
    press_key(pad, "s")
    assert len(pad.ink.strokes) == before


def test_the_page_is_told_which_digit_python_has_after_a_click(monkeypatch):
    buttons, sent = DigitButtons("Which?", on_click=lambda digit: setattr(buttons, "value", "7")), []
    monkeypatch.setattr(buttons, "send", sent.append)
    buttons._handle_custom_msg({"value": "5", "number": 4}, [])
    assert sent == [{"value": "7", "number": 4}]


def test_added_drawings_are_kept_and_counted(recognizer, drawings):
    file = drawings / "my_drawings.jsonl"
    panel = TeachPanel(drawings=file)
    pad = DrawingPad(recognizer, panels=[panel])
    assert find_text(pad, "lesson").startswith("Nothing is learnt before you press Learn")
    button(pad, "Add").click()
    assert find_text(pad, "lesson") == "Choose the digit that you meant first."
    panel.label = 7
    button(pad, "Add").click()
    assert find_text(pad, "lesson") == "Draw something first."
    for _ in range(2):
        draw(pad, Ink.example(7))
        button(pad, "Add").click()
    assert not pad.ink
    kept = read_drawings(file)
    assert [drawing.label for drawing in kept] == ["7", "7"]
    assert strokes(kept[0].ink) == strokes(Ink.example(7))
    assert re.sub(r"\D", "", find_text(pad, "counted")) == "0000000200"
    again = DrawingPad(recognizer, panels=[TeachPanel(drawings=file)])
    assert re.sub(r"\D", "", find_text(again, "counted")) == "0000000200"
    with pytest.raises(ValueError, match="Invalid label 'A': use a digit from 0 to 9"):
        panel.add("A")


def test_nothing_is_added_to_a_file_of_another_kind(recognizer, drawings):
    file = drawings / "pen.tra"
    drawings.mkdir(exist_ok=True)
    file.write_text(".PEN_DOWN\n1 2\n.PEN_UP\n")
    panel = TeachPanel(drawings=file)
    pad = DrawingPad(recognizer, panels=[panel])
    panel.label = 7
    draw(pad, Ink.example(7))
    button(pad, "Add").click()
    assert "pen.tra, which is no file of JSON lines" in find_text(pad, "lesson")
    assert pad.ink
    assert file.read_text() == ".PEN_DOWN\n1 2\n.PEN_UP\n"


def test_kept_is_not_said_of_drawings_that_cannot_be_read(recognizer, drawings, monkeypatch):
    panel = TeachPanel(drawings=drawings / "my_drawings.jsonl")
    pad = DrawingPad(recognizer, panels=[panel])
    panel.label = 7
    draw(pad, Ink.example(7))
    monkeypatch.setattr("digitlab.ink.MAX_LINES", 0)
    button(pad, "Add").click()
    assert find_text(pad, "lesson").startswith("Your drawings could not be read: ")


def test_a_folder_that_cannot_be_written_costs_no_drawing(recognizer, drawings):
    drawings.write_text("This is a file, where a folder should be.")
    panel = TeachPanel(drawings=drawings / "my_drawings.jsonl")
    pad = DrawingPad(recognizer, panels=[SavePanel(drawings), panel])
    draw(pad, Ink.example(4))
    button(pad, "Save picture").click()
    assert "could not be saved" in find_text(pad, "saved")
    panel.label = 4
    button(pad, "Add").click()
    assert "could not be kept" in find_text(pad, "lesson")
    assert strokes(pad.ink) == strokes(Ink.example(4))


def test_kept_digits_are_found_again_by_another_notebook(recognizer, drawings):
    file = drawings / "ten_digits.jsonl"
    assert kept_drawings(file) == []
    panel = KeepPanel(file)
    pad = DrawingPad(recognizer, panels=[panel])
    assert panel.label == "0"
    button(pad, "Keep").click()
    assert find_text(pad, "kept") == "Draw something first."
    for digit in (0, 1):
        draw(pad, Ink.example(digit))
        button(pad, "Keep").click()
        assert not pad.ink
    button(pad, "Keep").click()  # A double click
    assert find_text(pad, "kept") == "Kept as a 1. Now draw a 2."
    panel._kept_at -= 5
    button(pad, "Keep").click()
    assert find_text(pad, "kept") == "Draw something first."
    assert re.sub(r"\D", "", find_text(pad, "counted")) == "1100000000"
    assert [drawing.label for drawing in kept_drawings(file)] == ["0", "1"]
    assert strokes(kept_drawings(file)[1].ink) == strokes(Ink.example(1))


def test_after_the_tenth_digit_all_are_kept(recognizer, drawings):
    file = drawings / "ten_digits.jsonl"
    for digit in "012345678":
        append_drawing(file, Ink.example(int(digit)), digit)
    panel = KeepPanel(file)
    pad = DrawingPad(recognizer, panels=[panel])
    draw(pad, Ink.example(9))
    button(pad, "Keep").click()
    assert find_text(pad, "kept") == "Kept as a 9. All ten are kept."


def test_the_panel_goes_on_with_the_first_digit_that_is_missing(recognizer, drawings):
    file = drawings / "ten_digits.jsonl"
    for digit in "0132":
        append_drawing(file, Ink.example(int(digit)), digit)
    panel = KeepPanel(file)
    pad = DrawingPad(recognizer, panels=[panel])
    assert panel.label == "4"
    panel.label = 9
    draw(pad, Ink.example(9))
    button(pad, "Keep").click()
    assert panel.label == "0"


def test_a_digit_that_cannot_be_kept_stays_on_the_canvas(recognizer, drawings):
    drawings.write_text("This is a file, where a folder should be.")
    pad = DrawingPad(recognizer, panels=[KeepPanel(drawings / "ten_digits.jsonl")])
    draw(pad, Ink.example(4))
    button(pad, "Keep").click()
    assert "could not be kept" in find_text(pad, "kept")
    assert strokes(pad.ink) == strokes(Ink.example(4))


def test_what_is_no_digit_is_not_among_the_kept(drawings):
    file = drawings / "ten_digits.jsonl"
    for label in ("7", "A", None):
        append_drawing(file, Ink.example(7), label)
    file.write_text(file.read_text() + '{"label": "7", "strokes"\n')
    assert [drawing.label for drawing in kept_drawings(file)] == ["7"]


def test_small_examples_are_read_only_when_they_are_prepared(recognizer):
    examples = small_examples()
    assert [drawing.label for drawing in examples] == [*"0123456789"]
    right = {
        prepare_it: sum(str(recognizer.predict(drawing.ink, prepare_it).digit) == drawing.label for drawing in examples)
        for prepare_it in (prepare, shrink)
    }
    assert right[prepare] == 10
    assert right[shrink] < 8


def is_learning(pad):
    learn, cancel = button(pad, "Learn"), button(pad, "Cancel")
    row = next(found for found in all_widgets(pad) if cancel in getattr(found, "children", ()))
    assert learn.disabled == (row.layout.display != "none")
    return learn.disabled


def test_learning_that_cannot_be_started_can_be_tried_again(recognizer, drawings, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(12, "Cannot allocate memory")

    pad = DrawingPad(recognizer, panels=[TeachPanel(drawings=drawings / "my_drawings.jsonl")])
    monkeypatch.setattr("digitlab.training.finetune.subprocess.Popen", fail)
    button(pad, "Learn").click()
    assert find_text(pad, "lesson") == "Nothing was learnt: no process could be started (Cannot allocate memory)."
    assert not is_learning(pad)


class FakeProcess:
    """Stands in for the process that learns: a test says how it ends."""

    def __init__(self, on_progress, on_end, drawings, network):
        self.on_end = on_end
        FakeProcess.last = self

    def cancel(self):
        self.on_end(None)


RESULT = {
    "held_out": {"count": 3, "before": 1, "after": 3},
    "mnist": {"count": 10_000, "before": 9_900, "after": 9_890},
    "learnt": 4,
}


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_a_taught_network_that_cannot_be_loaded_is_reported(recognizer, drawings, monkeypatch, content):
    taught = drawings.with_name("taught")
    if content is not None:
        taught.with_suffix(".onnx").write_bytes(content)
    monkeypatch.setattr("digitlab.panels.teach.TAUGHT_NETWORK", taught)
    monkeypatch.setattr("digitlab.panels.teach.FinetuneProcess", FakeProcess)
    pad = DrawingPad(recognizer, panels=[TeachPanel(drawings=drawings / "my_drawings.jsonl")])
    button(pad, "Learn").click()
    assert is_learning(pad)
    FakeProcess.last.on_end(RESULT)
    assert find_text(pad, "lesson").startswith("The taught network could not be loaded: ")
    assert not is_learning(pad)
    assert list(pad.networks) == [""]


def test_the_taught_network_answers_beside_the_first(recognizer, drawings, monkeypatch):
    monkeypatch.setattr("digitlab.panels.teach.TAUGHT_NETWORK", MNIST_ONLY_NETWORK)
    monkeypatch.setattr("digitlab.panels.teach.FinetuneProcess", FakeProcess)
    pad = DrawingPad(recognizer, panels=[TeachPanel(drawings=drawings / "my_drawings.jsonl")])
    draw(pad, Ink.example(3))
    button(pad, "Learn").click()
    FakeProcess.last.on_end(RESULT)
    assert list(pad.predictions) == ["not taught", "taught"]
    assert "It learnt 4 of your drawings. Of the 3 others" in find_text(pad, "lesson")
    button(pad, "Learn").click()
    button(pad, "Cancel").click()
    assert find_text(pad, "lesson") == "Cancelled. Nothing was learnt; the networks are as they were."
    assert not is_learning(pad)


def test_another_pad_that_learns_stops_the_first(recognizer, drawings, monkeypatch):
    """A cell that is run again hides the first pad, and its Cancel button with it."""
    monkeypatch.setattr("digitlab.panels.teach.FinetuneProcess", FakeProcess)
    pads = [DrawingPad(recognizer, panels=[TeachPanel(drawings=drawings / "my_drawings.jsonl")]) for _ in range(2)]
    button(pads[0], "Learn").click()
    button(pads[1], "Learn").click()
    assert find_text(pads[0], "lesson").startswith("Cancelled.")
    assert [is_learning(pad) for pad in pads] == [False, True]
    button(pads[1], "Cancel").click()


def test_two_pads_show_the_same_counts(recognizer, drawings):
    panels = [TeachPanel(drawings=drawings / "my_drawings.jsonl") for _ in range(2)]
    pads = [DrawingPad(recognizer, panels=[panel]) for panel in panels]
    draw(pads[0], Ink.example(7))
    panels[0].label = 7
    button(pads[0], "Add").click()
    for pad in pads:
        assert re.sub(r"\D", "", find_text(pad, "counted")) == "0000000100"


# Handing in, and the view of what was handed in


@pytest.fixture
def be(tmp_path, drawings, monkeypatch):
    """Be the writer of that pseudonym in a class."""

    def be(writer):
        monkeypatch.setenv("DIGITLAB_WRITER", writer)
        return SubmissionStore(tmp_path / "class")

    return be


def test_a_drawing_is_handed_in_to_the_class(recognizer, be):
    panel = SubmitPanel(be("otter"))
    pad = DrawingPad(recognizer, panels=[panel])
    button(pad, "Hand in").click()
    assert find_text(pad, "submitted") == "Choose the digit that you meant first."
    panel.label = 7
    button(pad, "Hand in").click()
    assert find_text(pad, "submitted") == "Draw something first."
    for count in (1, 2):
        draw(pad, Ink([stroke + count for stroke in Ink.example(7).strokes]))
        button(pad, "Hand in").click()
        assert find_text(pad, "submitted") == f"Handed in as otter: {count} so far."
        assert not pad.ink
    assert re.sub(r"\D", "", find_text(pad, "counted")) == "0000000200"
    assert "handed in so far" in find_text(pad, "counted")
    draw(pad, Ink.example(3))
    assert panel.submit(3) == 3
    assert [(one.writer, one.label) for one in be("heron").drawings()] == [("otter", label) for label in "773"]
    with pytest.raises(ValueError, match="Invalid label 'A'"):
        panel.submit("A")


def test_teaching_and_handing_in_have_their_own_digits(recognizer, be, drawings):
    teach, submit = TeachPanel(drawings=drawings / "my_drawings.jsonl"), SubmitPanel(be("otter"))
    pad = DrawingPad(recognizer, panels=[teach, submit])
    submit.label = 4
    draw(pad, Ink.example(4))
    button(pad, "Add").click()
    assert find_text(pad, "lesson") == "Choose the digit that you meant first."
    button(pad, "Hand in").click()
    assert [one.label for one in be("otter").drawings()] == ["4"]
    assert not pad.ink


def test_a_class_that_cannot_be_reached_costs_no_drawing(recognizer, be, drawings):
    store = be("otter")
    store.folder.write_text("This is a file, where a folder should be.")
    panel = SubmitPanel(store)
    pad = DrawingPad(recognizer, panels=[panel])
    panel.label = 4
    draw(pad, Ink.example(4))
    button(pad, "Hand in").click()
    assert re.search(
        "could not be handed in to .* It is kept in .* and goes along with the next one", find_text(pad, "submitted")
    )
    assert not pad.ink
    draw(pad, Ink.example(5))
    with pytest.raises(NotSubmittedError):
        panel.submit(5)
    again = DrawingPad(panels=[SubmitPanel(store)])
    assert "2 that could not be handed in before will go along" in find_text(again, "submitted")
    shutil.rmtree(drawings)
    drawings.write_text("This is a file, too.")
    draw(pad, Ink.example(4))
    button(pad, "Hand in").click()
    assert find_text(pad, "submitted").endswith("It is still on the canvas.")
    assert strokes(pad.ink) == strokes(Ink.example(4))


def shown_in(view):
    return view._overview.value + view._gallery.value


def test_the_view_counts_digits_and_writers_and_marks_the_misread(recognizer, be):
    otter = be("otter")
    view = SubmissionsView(recognizer, otter)
    assert "Nobody has handed in anything yet" in shown_in(view)
    otter.submit(Ink.example(7), 7)
    otter.submit(Ink.example(3), 5)
    be("heron").submit(Ink.example(8), 8)
    view.refresh()
    overview = html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", view._overview.value)))
    assert "3 digits by 2 writers: 2 read right" in overview
    assert re.search(r"heron \(you\) 1 of 1 .*otter 1 of 2", overview)
    # A view that is made now sees all three at once; the first one may have looked in between.
    view = SubmissionsView(recognizer, otter)
    assert re.findall('alt="([^"]*)"', view._gallery.value) == [
        "A 5 by otter 2, read as 3",
        "A 8 by heron 1",
        "A 7 by otter 1",
    ]
    be("heron").submit(Ink.example(1), 1)
    view.refresh()
    assert re.findall('alt="([^"]*)"', view._gallery.value)[0] == "A 1 by heron 2"


def test_what_a_network_is_not_sure_of_counts_by_its_most_probable_digit(be):
    digits = be("otter")
    for digit, label in ((7, 7), (3, 5)):
        digits.submit(Ink.example(digit), label)
    unsure = Recognizer.load()
    unsure.threshold = 1.0
    assert [unsure.predict(one.ink).reason for one in digits.drawings()] == ["unsure"] * 2
    view = SubmissionsView(unsure, digits)
    assert "<b>1</b> read right" in view._overview.value
    assert re.findall('alt="([^"]*)"', view._gallery.value) == ["A 5 by otter 2, read as 3", "A 7 by otter 1"]
    assert digits.scores(unsure)["right"] == 1
    view.close()


def test_equal_drawings_of_two_writers_are_both_shown(recognizer, be):
    be("otter").submit(Ink.example(3), 3)
    digits = be("heron")
    digits.submit(Ink.example(3), 3)
    view = SubmissionsView(recognizer, digits)
    assert re.findall('alt="([^"]*)"', view._gallery.value) == ["A 3 by otter 1", "A 3 by heron 1"]
    view.close()


def test_the_view_updates_by_itself_and_sends_only_changes(recognizer, be, monkeypatch):
    digits = be("otter")
    view = SubmissionsView(recognizer, digits)
    sent = []
    view._overview.observe(lambda change: sent.append(change["new"]), "value")
    be("heron").submit(Ink.example(8), 8)
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
    digits.submit(Ink.example(7), "<")
    bad = digits.folder / "<script>alert(1)<b>"
    bad.mkdir()
    (bad / "drawings.jsonl").write_text(Ink.example(7).to_json('"') + "\n" + Ink.example(8).to_json(3) + "\n")
    view = SubmissionsView(recognizer, digits)
    assert "<script>" not in shown_in(view)
    assert "&lt;script&gt;alert(1)&lt;b&gt;" in shown_in(view)
    assert 'alt="A &lt; by otter 1"' in shown_in(view)
    assert 'alt="A &quot; by &lt;script&gt;' in shown_in(view)
    view.close()


def test_the_teacher_hides_drawings_and_shows_them_again(recognizer, be):
    digits = be("otter")
    for digit in (3, 4):
        digits.submit(Ink.example(digit), digit)
    view = SubmissionsView(recognizer, digits)
    assert view._teachers.layout.display == "flex"
    button(view, "Hide").click()
    assert find_text(view, "class-message") == "Choose a drawing first, by the name below it."
    options = dict(view._which.options)
    assert list(options) == ["Choose a drawing", "otter 2: a 4", "otter 1: a 3", "all by otter"]
    view._which.value = options["otter 2: a 4"]
    button(view, "Hide").click()
    assert "otter 2 is shown to nobody any more" in find_text(view, "class-message")
    assert [one.label for one in SubmissionStore(digits.folder).drawings()] == ["3"]
    assert "otter 2" not in shown_in(view)
    button(view, "Show again").click()
    assert "otter 2" in shown_in(view)
    view._which.value = options["all by otter"]
    button(view, "Hide").click()
    assert digits.drawings() == ()
    button(view, "Show again").click()
    assert len(digits.drawings()) == 2
    # What was hidden before stays hidden.
    digits.hide("otter", 1)
    view.refresh()
    view._which.value = dict(view._which.options)["all by otter"]
    button(view, "Hide").click()
    button(view, "Show again").click()
    assert [one.label for one in digits.drawings()] == ["4"]
    view.close()


def test_a_view_knows_whether_the_page_shows_it(recognizer, be):
    view = SubmissionsView(recognizer, be("otter"))
    assert not view.is_gone  # It is about to be shown.
    for count, is_gone in ((1, False), (0, True), (1, False)):
        view._view_count = count
        assert view.is_gone == is_gone
    view.close()


def test_a_seat_that_may_not_hide_is_not_asked(recognizer, be, monkeypatch):
    digits = be("otter")
    digits.submit(Ink.example(3), 3)
    monkeypatch.setattr(SubmissionStore, "may_hide", False)
    view = SubmissionsView(recognizer, digits)
    assert view._teachers.layout.display == "none"
    view.close()


def test_pad_and_panels_need_no_tensorflow():
    script = (
        "import sys, digitlab.panels, digitlab_classroom.submit_panel, digitlab_classroom.view\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cv2" in done.stdout
    assert not re.search("tensorflow|keras|matplotlib|onnx", done.stdout)


def test_the_pad_imports_neither_panels_nor_the_classroom():
    script = "import sys, digitlab.pad; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "digitlab.pen" in done.stdout
    assert not re.search(r"digitlab\.panels|digitlab\.training|digitlab_classroom", done.stdout)


def test_a_curve_in_pieces_equals_the_whole_and_is_smooth():
    angles = np.linspace(0, 2 * np.pi, 12)
    points = np.stack([140 + 90 * np.cos(angles), 140 + 90 * np.sin(angles)], axis=1)
    curve = smooth_curve(points)
    steps = np.diff(curve, axis=0)
    steps = steps[np.hypot(*steps.T) > 1e-9]
    turns = np.abs(np.diff(np.unwrap(np.arctan2(*steps.T))))
    assert turns.max() < np.radians(15)  # At the points themselves: 33 degrees.
    pieces = [smooth_curve(points[number - 2 : number + 1]) for number in range(2, len(points))]
    assert np.array_equal(np.concatenate(pieces), curve)
    assert np.array_equal(smooth_curve(points[:2])[-1], curve[0])


@pytest.mark.parametrize("name", ["teach", "save", "how_it_sees", "hand_in"])
def test_an_argument_of_an_older_kit_is_refused_with_advice(recognizer, name):
    with pytest.raises(TypeError, match=f"Invalid argument {name}: hand panels to the pad. .* digitlab lab --reset"):
        DrawingPad(recognizer, **{name: None})


@pytest.mark.parametrize("name", ["places", "collection", "class_view", "synthesis"])
def test_an_import_of_an_older_kit_says_where_it_is_now(name):
    with pytest.raises(ImportError, match=f"digitlab.{name} is digitlab\\S+ now. .* digitlab lab --reset"):
        importlib.import_module(f"digitlab.{name}")


def test_networks_that_are_set_answer_at_once(pad):
    draw(pad, Ink.example(5))
    assert pad.prediction.digit == 5
    pad.networks = {"plain": MNIST_ONLY_NETWORK}
    assert list(pad.predictions) == ["plain"]
    assert [network["name"] for network in pad._answer.networks] == ["plain"]


def test_a_damaged_network_is_an_error_not_a_missing_one(tmp_path):
    (tmp_path / "mine.onnx").write_bytes(b"not a network")
    with pytest.raises(ValueError, match=r"mine\.onnx is damaged"):
        DrawingPad(networks={"mine": tmp_path / "mine"})
