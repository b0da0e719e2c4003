"""What a class has handed in, shown in the notebook as it grows. It stands on `collection` and `recognizer`.

Thirty seats look at it at once, so it is cheap: one thread for all views looks every two seconds whether a file has
changed, each drawing is read once, and what stands on the page is sent only where it is another. Whatever comes from
other people is text on the page, never HTML.
"""

import base64
import collections
import contextlib
import threading
import time
import weakref
from html import escape

import cv2
import ipywidgets
import numpy as np

from digitlab.ink import CANVAS, PEN, draw_strokes
from digitlab.metrics import DIGITS, is_right
from digitlab.pad_html import words_html
from digitlab.recognizer import Recognizer
from digitlab_classroom.submissions import SubmissionStore

PAUSE = 2
LATEST = 30

_CHOOSE = ("Choose a drawing", ())

_SIDE = 72
_SHARPNESS = 2
_GREYS = 5
_HEIGHT = "44px"
_TEXT = "color: var(--jp-content-font-color1, #222); font: 15px/1.35 var(--jp-content-font-family, sans-serif)"
_FAINT = "color: var(--jp-content-font-color2, #555)"
_READ = "var(--jp-brand-color1, #1976d2)"
_MISREAD = "var(--jp-warn-color1, #ef6c00)"
_ROOM = "var(--jp-layout-color2, #eee)"


class _Watcher(threading.Thread):
    """Looks for all views whether something new was handed in, on a thread of its own."""

    def __init__(self):
        super().__init__(daemon=True, name="digitlab-class")
        self.views = weakref.WeakSet()

    def run(self):
        while True:
            time.sleep(PAUSE)
            for view in list(self.views):
                if view.comm is None:  # It was closed.
                    self.views.discard(view)
                    continue
                try:
                    view.refresh()
                except Exception as error:  # It is said in that view; the others go on.
                    view.say(f"The class's digits could not be read: {error}")


_WATCHER = None
_WATCHER_LOCK = threading.Lock()


def _watch(view):
    global _WATCHER
    with _WATCHER_LOCK:
        if _WATCHER is None:
            _WATCHER = _Watcher()
            _WATCHER.start()
        _WATCHER.views.add(view)


class SubmissionsView(ipywidgets.VBox):
    """What a class has handed in: how many of each digit, by whom, and how a network reads them.

    It shows what is new by itself, within two seconds. Who may write to the class's folder, as a rule the teacher,
    finds a choice and a button below it that hide a drawing at once.

    Parameters
    ----------
    recognizer : Recognizer, optional
        The network that reads; by default the one that came with the kit.
    collection : SubmissionStore, optional
        By default that of this seat's class.

    Attributes
    ----------
    collection : SubmissionStore
    recognizer : Recognizer
    """

    def __init__(self, recognizer=None, collection=None):
        self.recognizer = recognizer or Recognizer.load()
        self.collection = SubmissionStore() if collection is None else collection
        self._lock = threading.RLock()
        self._drawings = None
        self._predictions, self._pictures = {}, {}
        self._latest = {}  # Fingerprints, in the order in which they came.
        self._last_hidden = None
        self._overview, self._gallery, self._message = (ipywidgets.HTML() for _ in range(3))
        self._which = ipywidgets.Dropdown(options=[_CHOOSE], layout={"width": "260px", "height": _HEIGHT})
        self._which.add_class("digitlab-which")
        self._hide_button = _button("Hide", "Show this to nobody any more", self._hide_pressed)
        self._back_button = _button("Show again", "Take the last hiding back", self._back_pressed)
        self._back_button.disabled = True
        self._teachers = ipywidgets.HBox(
            [self._which, self._hide_button, self._back_button],
            layout={"flex_flow": "row wrap", "display": "none", "margin": "10px 0 0 0"},
        )
        self.refresh()
        super().__init__(
            [self._overview, self._gallery, self._teachers, self._message], layout={"margin": "8px 0", "width": "auto"}
        )
        self.add_class("digitlab-class")
        _watch(self)

    def __repr__(self):
        return f"SubmissionsView({self.collection})"

    def refresh(self):
        """Show what the class has handed in by now; where nothing has changed, do nothing."""
        with self._lock:
            drawings = self.collection.drawings()
            if drawings is self._drawings:
                return
            self._read(drawings)
            self._remember_latest(drawings)
            self._drawings = drawings
            predictions = [self._predictions[drawing.fingerprint] for drawing in drawings]
            self._overview.value = overview_html(drawings, predictions, self._own())
            self._gallery.value = self._gallery_html(drawings)
            self._offer(drawings)

    def _own(self):
        with contextlib.suppress(ValueError):
            return self.collection.writer
        return None

    def say(self, words):
        """Say something below the drawings, as text."""
        self._message.value = words_html(words, "class-message")

    def _read(self, drawings):
        new = {one.fingerprint: one.ink for one in drawings if one.fingerprint not in self._predictions}
        try:
            read = self.recognizer.predict_many(new.values())
        except Exception:  # What nobody could read costs itself alone.
            read = [self._read_one(ink) for ink in new.values()]
        self._predictions |= zip(new, read, strict=True)

    def _read_one(self, ink):
        try:
            return self.recognizer.predict(ink)
        except Exception:
            return self.recognizer.predict(type(ink)())

    def _remember_latest(self, drawings):
        last = collections.Counter(drawing.writer for drawing in drawings)
        new = [drawing for drawing in drawings if drawing.fingerprint not in self._latest]
        # Those that came together: each writer's last one comes last.
        for drawing in sorted(new, key=lambda one: one.number - last[one.writer]):
            self._latest[drawing.fingerprint] = None

    def _shown(self, drawings):
        """Return those that are shown one by one, the newest first."""
        there = {drawing.fingerprint: drawing for drawing in drawings}
        return [there[mark] for mark in reversed(self._latest) if mark in there][:LATEST]

    def _gallery_html(self, drawings):
        figures = "".join(self._figure_html(drawing) for drawing in self._shown(drawings))
        if not figures:
            return ""
        return f"""\
<div class="digitlab-latest" style="{_TEXT}; margin-top: 12px"><b>The latest</b>
  <span style="{_FAINT}">· below each the digit that was meant, and by whom; a dashed frame: misread</span>
  <div style="display: flex; flex-wrap: wrap; gap: 10px 12px; margin-top: 6px">{figures}</div></div>"""

    def _figure_html(self, drawing):
        prediction = self._predictions[drawing.fingerprint]
        misread = drawing.label in DIGITS and not is_right(drawing, prediction)
        frame = f"3px dashed {_MISREAD}" if misread else "3px solid black"
        answer = f"read as {prediction.probabilities.argmax()}" if misread else ""
        label, who = escape(drawing.label), escape(f"{drawing.writer} {drawing.number}")
        words = f"A {label} by {who}" + (f", {answer}" if misread else "")
        if drawing.fingerprint not in self._pictures:
            self._pictures[drawing.fingerprint] = _picture(drawing.ink)
        return f"""\
<figure class="digitlab-handed" style="margin: 0; width: {_SIDE + 20}px; text-align: center">
  <img alt="{words}" src="data:image/png;base64,{self._pictures[drawing.fingerprint]}" width="{_SIDE}" height="{_SIDE}"
    style="border: {frame}; border-radius: 6px; background: black; display: block; margin: 0 auto;
    box-shadow: 0 0 0 1px var(--jp-border-color2, #e0e0e0)">
  <figcaption style="line-height: 1.25; margin-top: 2px; overflow-wrap: anywhere">
    <b style="font-size: 17px">{label}</b><br>
    <span style="{_FAINT}; font-size: 13px">{who}</span>{f"<br><b>{answer}</b>" if misread else ""}</figcaption>
</figure>"""

    # Hiding

    def _offer(self, drawings):
        self._teachers.layout.display = "flex" if self.collection.may_hide and self._may_choose(drawings) else "none"
        chosen = self._which.value
        options = [_CHOOSE]
        options += [
            (f"{one.writer} {one.number}: a {one.label}", (one.writer, one.number, one.fingerprint))
            for one in self._shown(drawings)
        ]
        options += [(f"all by {name}", (name, None, None)) for name in dict.fromkeys(one.writer for one in drawings)]
        self._which.options = options
        if chosen in dict(options).values():
            self._which.value = chosen

    def _may_choose(self, drawings):
        return bool(drawings) or self._last_hidden is not None

    def _hide_pressed(self):
        if not self._which.value:
            self.say("Choose a drawing first, by the name below it.")
            return
        name, number, mark = self._which.value
        if self._change(self.collection.hide, mark or name):
            self._last_hidden = mark or name
            self._back_button.disabled = False
            what = f"{name} {number}" if mark else f"All that {name} has handed in"
            self.say(f"{what} is shown to nobody any more. Show again takes that back.")

    def _back_pressed(self):
        if self._change(self.collection.show_again, self._last_hidden):
            self._back_button.disabled = True
            self.say("It is shown again.")

    def _change(self, action, which):
        try:
            action(which)
        except (OSError, ValueError) as error:
            self.say(str(error))
            return False
        self.refresh()
        return True


def overview_html(drawings, predictions, own=None):
    """Return how many drawings there are of each digit and by each writer, and how many of them were read right.

    Parameters
    ----------
    drawings : sequence of Submission
    predictions : sequence of Prediction
        What the network made of each.
    own : str, optional
        The pseudonym of whoever looks: it is marked.
    """
    if not drawings:
        return (
            f'<div class="digitlab-overview" style="{_TEXT}">Nobody has handed in anything yet. '
            f"What is handed in appears here by itself.</div>"
        )
    digits, writers = {str(digit): [] for digit in range(10)}, {}
    for drawing, prediction in zip(drawings, predictions, strict=True):
        of_writer = writers.setdefault(drawing.writer, [])
        if drawing.label in DIGITS:
            right = is_right(drawing, prediction)
            digits[drawing.label].append(right)
            of_writer.append(right)
    all_of_them = [right for rights in digits.values() for right in rights]
    others = len(drawings) - len(all_of_them)
    most = max(map(len, digits.values()), default=0) or 1
    columns = "".join(_column_html(digit, rights, most) for digit, rights in digits.items())
    rows = "".join(_writer_html(name, rights, name == own) for name, rights in writers.items())
    more = f", and {others} {'other drawing' if others == 1 else 'other drawings'}" if others else ""
    return f"""\
<div class="digitlab-overview" style="{_TEXT}">
  <div style="font-size: 20px"><b>{_count(len(all_of_them), "digit")}</b>{more} by
    {_count(len(writers), "writer")}: <b>{sum(all_of_them)}</b> read right</div>
  <div style="{_FAINT}"><span style="{_swatch(_READ)}"></span> read right &nbsp;
    <span style="{_swatch(_STRIPES)}"></span> misread</div>
  <div class="digitlab-of-digits" style="display: flex; gap: 6px; margin: 8px 0 12px">{columns}</div>
  <div class="digitlab-of-writers" style="columns: 260px; column-gap: 28px; max-width: 1120px">{rows}</div>
</div>"""


_STRIPES = f"repeating-linear-gradient(45deg, {_MISREAD} 0 4px, transparent 4px 7px)"


def _swatch(colour):
    return f"display: inline-block; width: 14px; height: 14px; vertical-align: -2px; background: {colour}"


def _column_html(digit, rights, most, height=72):
    right, wrong = sum(rights), len(rights) - sum(rights)
    words = f"{digit}: {len(rights)}, {right} read right"
    return f"""\
<div title="{words}" style="flex: 0 1 36px; min-width: 0; text-align: center">
  <div style="height: {height}px; display: flex; flex-direction: column; justify-content: flex-end">
    <div style="font-size: 13px; {_FAINT}">{len(rights)}</div>
    <div style="height: {wrong / most * (height - 18):.1f}px; background: {_STRIPES}"></div>
    <div style="height: {right / most * (height - 18):.1f}px; background: {_READ}"></div></div>
  <div style="border-top: 1px solid var(--jp-border-color1, #bdbdbd); font-size: 20px; font-weight: 600">{digit}</div>
</div>"""


def _writer_html(name, rights, is_own):
    share = sum(rights) / len(rights) if rights else 0
    words = f"{sum(rights)} of {len(rights)}" if rights else "no digits"
    room = _STRIPES if rights else _ROOM
    who = f"<b>{escape(name)}</b> (you)" if is_own else escape(name)
    return f"""\
<div style="display: flex; align-items: center; gap: 8px; height: 26px; break-inside: avoid">
  <span style="width: 148px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap">{who}</span>
  <span style="flex: 1; height: 12px; background: {room}; border-radius: 3px; overflow: hidden">
    <span style="display: block; height: 100%; width: {share:.1%}; background: {_READ}"></span></span>
  <span style="width: 64px; text-align: right; white-space: nowrap">{words}</span>
</div>"""


def _picture(ink):
    """Return an ink as its canvas shows it, small: a PNG file in base64."""
    side = _SIDE * _SHARPNESS
    scale = side / max(ink.size)
    image = np.zeros((side, side), np.uint8)
    with contextlib.suppress(cv2.error):
        image = draw_strokes([stroke * scale for stroke in ink.strokes], (side, side), PEN * side / CANVAS)
    image = (image.astype(np.float32) / 255 * _GREYS).round() * (255 / _GREYS)  # Fewer greys make half as many bytes.
    return base64.b64encode(cv2.imencode(".png", image.astype(np.uint8))[1]).decode()


def _count(number, word):
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _button(words, tooltip, on_click):
    button = ipywidgets.Button(description=words, tooltip=tooltip, layout={"height": _HEIGHT, "width": "120px"})
    button.on_click(lambda _: on_click())
    return button
