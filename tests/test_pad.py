"""The drawing pad without a browser: the events that a page sends, and what it would be shown."""

import base64
import re
import threading

import cv2
import numpy as np
import pytest

from digitlab.ink import Ink
from digitlab.pad import DrawingPad
from digitlab.prepare import prepare


@pytest.fixture
def pad(recognizer):
    return DrawingPad(recognizer)


def play(pad, event, **content):
    """Play an event as ipycanvas hands it over from the page. The method is private: here is its one use."""
    pad._canvas._handle_frontend_event(pad._canvas, {"event": event, **content}, [])


def draw(pad, ink):
    for stroke in ink.strokes:
        play(pad, "mouse_down", x=stroke[0][0], y=stroke[0][1])
        for x, y in stroke[1:]:
            play(pad, "mouse_move", x=x, y=y)
        play(pad, "mouse_up", x=stroke[-1][0], y=stroke[-1][1])


def touch(pad, ink):
    for stroke in ink.strokes:
        play(pad, "touch_start", touches=[{"x": stroke[0][0], "y": stroke[0][1]}])
        for x, y in stroke[1:]:
            play(pad, "touch_move", touches=[{"x": x, "y": y}])
        play(pad, "touch_end", touches=[])


def press_clear(pad):
    pad._clear_button.click()


def shown(pad, part):
    return re.search(rf'class="digitlab-{part}"[^>]*>([^<]*)<', pad._answer.value).group(1)


def picture(pad):
    data = re.search(r"base64,([^\"]*)", pad._answer.value).group(1)
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)


def bars(pad):
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


def test_the_answer_follows_every_event(pad):
    """What is shown always belongs to what is drawn, in the middle of a stroke too."""
    seen = []
    pad._answer.observe(lambda change: seen.append(len(pad.ink.strokes[-1])), "value")
    draw(pad, Ink.example(1))
    assert seen == list(range(1, len(Ink.example(1).strokes[0]) + 1))


def test_clear_resets_all_of_it(pad):
    before = pad._answer.value
    draw(pad, Ink.example(8))
    assert pad._answer.value != before
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


def test_a_stroke_that_leaves_the_canvas_ends_there(pad):
    play(pad, "mouse_down", x=100, y=100)
    play(pad, "mouse_move", x=279, y=100)
    play(pad, "mouse_out", x=285, y=100)
    play(pad, "mouse_move", x=100, y=200)
    assert [len(stroke) for stroke in pad.ink.strokes] == [2]


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
    strokes = [command for command in sent if command[2:] and command[2] > 0]
    assert len(strokes) == len(Ink.example(4).strokes)


def test_two_pads_are_drawn_on_alone(recognizer):
    one, other = DrawingPad(recognizer), DrawingPad(recognizer)
    draw(one, Ink.example(3))
    draw(other, Ink.example(6))
    press_clear(other)
    assert shown(one, "digit") == "3"
    assert not other.ink


def test_events_on_several_threads_lose_nothing(pad):
    """While a cell runs, the page's messages are handled on another thread."""
    stop = threading.Event()

    def keep_clearing_another():
        other = DrawingPad(pad.recognizer)
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
