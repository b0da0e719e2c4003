"""The drawing pad of the notebook: draw a digit, see it read while you draw.

It stands on `answer`, and on `learn` and `collection` for those who teach a network or hand in to their class.

The browser's canvas only shows. The strokes are kept here, as an `Ink`, and nothing is ever read back from the browser.
"""

import collections
import threading
import time

import ipywidgets
import numpy as np
from digitlab_classroom.submissions import NotSubmittedError, SubmissionStore
from ipycanvas import Canvas, hold_canvas

from digitlab.ink import CANVAS, PEN, Ink, append_drawing, read_drawings, save_image
from digitlab.metrics import DIGITS
from digitlab.pad_html import answers_html, counts_html, saved_html, steps_html, words_html
from digitlab.paths import DRAWINGS, MY_DRAWINGS, TAUGHT_NETWORK, shown
from digitlab.prepare import prepare, shrink
from digitlab.recognizer import Recognizer
from digitlab.training.finetune import FinetuneProcess

# ipycanvas sends the commands of all canvases through one queue, and the messages of a page are handled on another
# thread while a cell is running. So one lock for all pads.
_LOCK = threading.RLock()

_PAPER, _INK = "black", "white"
_SHARPNESS = 2
_PAUSE = 0.01
_BUTTON_HEIGHT = "44px"
_COLUMN = 38
_FRAME = "1px solid var(--jp-border-color1, #bdbdbd)"
_CHOICE = (
    f"<style>.digitlab-meant button {{{{ height: {_BUTTON_HEIGHT} !important; font-size: 17px }}}}</style>"
    '<div style="font-size: 15px"><b>{}.</b> Which digit did you mean?</div>'
)
_CHOOSE_FIRST = "Choose the digit that you meant first."
_NO_NETWORK = "There is none yet. Train it in notebook 2; then run this cell again."


class _Reader(threading.Thread):
    """Reads for all pads, on a thread of its own: what was drawn while it read is read at once, not event by event."""

    def __init__(self):
        super().__init__(daemon=True, name="digitlab-reader")
        self._waiting = {}
        self._any = threading.Condition()

    def read_soon(self, pad):
        with self._any:
            self._waiting[id(pad)] = pad
            self._any.notify()

    def run(self):
        while True:
            with self._any:
                self._any.wait_for(lambda: self._waiting)
            time.sleep(_PAUSE)  # Events that came in a burst are answered once.
            with self._any:
                pads, self._waiting = list(self._waiting.values()), {}
            for pad in pads:
                try:
                    pad._read()
                except Exception as error:  # It is said in that pad; the others are read on.
                    pad._say(f"This drawing could not be read: {error}")


_READER = _Reader()
_READER.start()


class DrawingPad(ipywidgets.VBox):
    """A canvas to draw a digit on, with the network's answer beside it while one draws.

    It is drawn on with a mouse, a finger or a stylus. While the canvas has the keyboard (after a click on it),
    Backspace takes the last stroke away, Escape wipes the canvas, s saves a picture, and Tab goes on to the buttons.

    Parameters
    ----------
    recognizer : Recognizer, optional
        The network that reads; by default the one that came with the kit.
    networks : dict of str to Recognizer or path-like, optional
        Several networks instead, which answer side by side, by the names that stand above their answers. A path at
        which there is no network yet is no error: it is said in its place.
    save : bool, optional
        Whether there is a button that saves the drawing as a picture, into ``drawings/``.
    trackpad : bool, optional
        Whether there is a switch for trackpads: a click starts a stroke and another click ends it.
    how_it_sees : bool, optional
        Whether there are two switches: one shows the drawing's way to 28 x 28 pixels, the other feeds the network the
        whole canvas, plainly resized.
    teach : bool or path-like, optional
        Whether drawings can be added to ``drawings/my_drawings.jsonl`` and learnt: by a copy of this network, or if
        True of the reader's own.
    hand_in : bool or SubmissionStore, optional
        Whether drawings can be handed in to the class's digits, or to these.

    Attributes
    ----------
    ink : Ink
        What is drawn.
    prediction : Prediction
        What the first network makes of it; None where there is no network.
    predictions : dict of str to Prediction
        What each of them makes of it.
    networks : dict of str to Recognizer or str
        Those that read; words where there is none.

    Raises
    ------
    ValueError
        Where both a recognizer and networks are given, or a network's file is damaged.
    """

    def __init__(
        self,
        recognizer=None,
        *,
        networks=None,
        save=False,
        trackpad=False,
        how_it_sees=False,
        teach=False,
        hand_in=False,
    ):
        if recognizer is not None and networks is not None:
            raise ValueError("Give a pad either a recognizer or networks, not both.")
        self.ink = Ink()
        self.networks = _loaded(networks) if networks is not None else {"": recognizer or Recognizer.load()}
        self._reading = threading.RLock()
        self._is_read = True
        self._pen_is_down = False
        self._learning = None
        self._learner = None if isinstance(teach, bool) else teach
        self._teaches = teach is not False
        self._class = (SubmissionStore() if hand_in else None) if isinstance(hand_in, bool) else hand_in

        self._canvas = Canvas(
            width=CANVAS * _SHARPNESS,
            height=CANVAS * _SHARPNESS,
            layout={"width": f"{CANVAS}px", "height": f"{CANVAS}px"},
        )
        self._answer = ipywidgets.HTML(layout={"flex": "1 1 340px", "min_width": "0"})
        self._message = ipywidgets.HTML()
        self._steps = ipywidgets.HTML()
        self._listen()

        buttons = [
            _button("Clear", "Wipe the canvas and start again (Escape)", self.clear),
            _button("Undo", "Take the last stroke away (Backspace)", self.undo),
        ]
        if save:
            buttons.append(_button("Save picture", "Save the drawing as a PNG file (s)", self._save_pressed))
        self._first_button = buttons[0]
        row = ipywidgets.HBox(buttons, layout={"margin": "8px 0 0 0"})
        self._by_clicks = _switch(
            "Click to start and to end a stroke", "For trackpads: no button is held while drawing"
        )
        self._shows_steps = _switch("Show how it sees", "The drawing's way to the 28 x 28 pixels that the network sees")
        self._shrinks = _switch("Feed it the whole canvas", "Resize the whole canvas to 28 x 28 pixels, as it is")
        self._shows_steps.observe(lambda change: self._read(), "value")
        self._shrinks.observe(lambda change: self._read(), "value")
        self._by_clicks.observe(lambda change: self._pen_up(), "value")
        switches = [self._by_clicks] * trackpad + [self._shows_steps, self._shrinks] * how_it_sees
        # The frame is a box of its own: a border of the canvas would shift what is drawn.
        frame = ipywidgets.Box([self._canvas], layout={"border": _FRAME, "overflow": "hidden"})
        left = ipywidgets.VBox([frame, row, *switches, self._message], layout={"width": f"{CANVAS + 2}px"})
        children = [ipywidgets.HBox([left, self._answer], layout={"flex_flow": "row wrap"})]
        if how_it_sees:
            children.append(self._steps)
        if self._teaches or self._class is not None:
            children.append(self._choice())
        self._redraw()
        self._read()
        super().__init__(children, layout={"margin": "8px 0"})
        self.add_class("digitlab-pad")

    def __repr__(self):
        return f"DrawingPad({self.prediction})"

    @property
    def prediction(self):
        """What the first network makes of the drawing; None where there is no network."""
        return next(iter(self.predictions.values()), None)

    @property
    def predictions(self):
        """What each network makes of the drawing, a dict of str to Prediction."""
        with self._reading:  # While another thread reads, what it finds is waited for.
            if not self._is_read:
                self._read()
            return self._predictions

    def clear(self):
        """Wipe the canvas; what was read and shown goes with it."""
        with _LOCK:
            self._pen_is_down = False
            self.ink.clear()
            self._redraw()
        self._message.value = ""
        self._read()

    def undo(self):
        """Take the last stroke away."""
        with _LOCK:
            self._pen_is_down = False
            self.ink.undo()
            self._redraw()
        self._read()

    def replay(self, ink, seconds=1.5):
        """Draw an ink as if by hand, in place of what is drawn.

        Parameters
        ----------
        ink : Ink
            Scaled to the canvas if it was drawn on one of another size.
        seconds : float, optional
            How long to take over it.
        """
        self.clear()
        scale = CANVAS / max(ink.size)
        pause = seconds / max(sum(len(stroke) for stroke in ink.strokes), 1)
        for stroke in ink.strokes:
            for number, (x, y) in enumerate((stroke * scale).tolist()):
                (self._move_to if number else self._put_down)(x, y)
                time.sleep(pause)
            self._pen_up()
        self._read()

    def save_image(self):
        """Save the drawing as a PNG file, white on black, in ``drawings/``.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            Where nothing is drawn.
        OSError
            Where the file cannot be written.
        """
        with _LOCK:
            ink = self.ink.copy()
        return save_image(ink, DRAWINGS)

    def add(self, label):
        """Keep the drawing in ``drawings/my_drawings.jsonl``, to be learnt; the canvas is wiped for the next one.

        Parameters
        ----------
        label : int or str
            The digit that was meant, 0 to 9.

        Raises
        ------
        ValueError
            Where nothing is drawn, or the label is no digit.
        OSError
            Where it cannot be kept; it stays on the canvas.
        """
        append_drawing(MY_DRAWINGS, self._drawn(label), label)
        self.clear()

    def hand_in(self, label):
        """Hand the drawing in to the class's digits; the canvas is wiped for the next one.

        Parameters
        ----------
        label : int or str
            The digit that was meant, 0 to 9.

        Returns
        -------
        int
            How many this seat has handed in by now.

        Raises
        ------
        ValueError
            Where nothing is drawn, the label is no digit, or it is too much.
        NotSubmittedError
            Where it is only kept, to go along with the next one; the canvas is wiped all the same.
        OSError
            Where it can be kept nowhere; it stays on the canvas.
        """
        if self._class is None:
            self._class = SubmissionStore()
        ink = self._drawn(label)
        try:
            count = self._class.hand_in(ink, label)
        except NotSubmittedError:
            self.clear()
            raise
        self.clear()
        return count

    def _drawn(self, label):
        if str(label) not in DIGITS:
            raise ValueError(f"The digit that was meant must be one from 0 to 9, not {label!r}.")
        with _LOCK:
            ink = self.ink.copy()
        if not ink:
            raise ValueError("Draw something first.")
        return ink

    # The pen

    def _listen(self):
        canvas = self._canvas

        def in_pixels(handle):
            return lambda x, y: handle(x / _SHARPNESS, y / _SHARPNESS)

        def of_fingers(handle):
            return lambda touches: handle([(x / _SHARPNESS, y / _SHARPNESS) for x, y in touches])

        canvas.on_mouse_down(in_pixels(self._mouse_down))
        canvas.on_mouse_move(in_pixels(self._move_to))
        canvas.on_mouse_up(in_pixels(self._mouse_up))
        canvas.on_mouse_out(in_pixels(self._leave))
        canvas.on_touch_start(of_fingers(self._touch_start))
        canvas.on_touch_move(of_fingers(self._touch_move))
        canvas.on_touch_end(of_fingers(self._touch_end))
        canvas.on_touch_cancel(lambda touches: self._pen_up())
        canvas.on_key_down(self._key_down)
        # The canvas of a page that was loaded anew is blank: show what is drawn.
        canvas.on_client_ready(self._redraw)

    def _mouse_down(self, x, y):
        if self._pen_is_down and self._by_clicks.value:
            self._pen_up()
        else:
            self._put_down(x, y)

    def _mouse_up(self, x, y):
        if not self._by_clicks.value:
            self._move_to(x, y)
            self._pen_up()

    def _leave(self, x, y):
        # The stroke goes on to the edge, where it ends.
        self._move_to(*np.clip((x, y), 0, CANVAS).tolist())
        self._pen_up()

    def _touch_start(self, touches):
        if len(touches) == 1:
            self._put_down(*touches[0])

    def _touch_move(self, touches):
        x, y = touches[0]
        if 0 <= x <= CANVAS and 0 <= y <= CANVAS:
            self._move_to(x, y)
        else:
            self._leave(x, y)

    def _touch_end(self, touches):
        with _LOCK:
            # Of several fingers, those that remain are told: is the one that draws among them?
            if self._pen_is_down and touches:
                last = self.ink.strokes[-1][-1]
                if np.hypot(*(last - touches[0])) < PEN:
                    return
            self._pen_up()

    def _key_down(self, key, shift, ctrl, meta):
        # The canvas takes every key that it gets, so that Tab would go nowhere.
        if key == "Tab" and shift:
            self._canvas.blur()
        elif key == "Tab":
            self._first_button.focus()
        elif key == "Backspace" or (key == "z" and (ctrl or meta)):
            self.undo()
        elif key in {"Escape", "Delete"}:
            self.clear()
        elif key == "s":
            self._save_pressed()

    def _put_down(self, x, y):
        with _LOCK:
            if self._pen_is_down:
                return
            self._pen_is_down = True
            self.ink.start(x, y)
            self._canvas.fill_circle(x, y, PEN / 2)
            self._changed()

    def _move_to(self, x, y):
        with _LOCK:
            if not self._pen_is_down:
                return
            before = self.ink.strokes[-1][-1].tolist()
            if before == [x, y]:
                return
            self.ink.extend(x, y)
            # What is drawn ends half way to the new point: only the next one tells how the curve goes on.
            self._canvas.stroke_lines(_curve(self.ink.strokes[-1][-3:]))
            self._changed()

    def _pen_up(self):
        with _LOCK:
            if self._pen_is_down and len(self.ink.strokes[-1]) > 1:
                before, last = self.ink.strokes[-1][-2:]
                self._canvas.stroke_line(*(before + last) / 2, *last)
            self._pen_is_down = False

    def _redraw(self):
        canvas = self._canvas
        with _LOCK, hold_canvas():
            # ipycanvas names the canvas only when another one was drawn on before. A page that was loaded anew has
            # not heard which one it was, and would draw nothing.
            canvas._canvas_manager._current_canvas = None
            canvas.set_transform(_SHARPNESS, 0, 0, _SHARPNESS, 0, 0)
            canvas.fill_style = _PAPER
            canvas.fill_rect(0, 0, CANVAS, CANVAS)
            canvas.fill_style = canvas.stroke_style = _INK
            canvas.line_width = PEN
            canvas.line_cap = canvas.line_join = "round"
            for stroke in self.ink.strokes:
                canvas.fill_circle(*stroke[0], PEN / 2)
                if len(stroke) > 1:
                    canvas.stroke_lines(np.concatenate([stroke[:1], _curve(stroke), stroke[-1:]]))

    # The answer

    def _changed(self):
        self._is_read = False
        _READER.read_soon(self)

    def _read(self):
        with self._reading:
            with _LOCK:
                ink = self.ink.copy()
                self._is_read = True
            shrinks = self._shrinks.value
            how = shrink if shrinks else prepare
            self._predictions = {
                name: network.predict(ink, how)
                for name, network in self.networks.items()
                if isinstance(network, Recognizer)
            }
            self._answer.value = answers_html(
                {**self.networks, **self._predictions}, sum(len(stroke) for stroke in ink.strokes)
            )
            self._steps.value = steps_html(ink, shrinks) if self._shows_steps.value else ""

    def _say(self, words):
        self._message.value = words_html(words, "message")

    # Saving

    def _save_pressed(self):
        try:
            path = self.save_image()
        except ValueError as error:
            self._say(str(error))
        except OSError as error:
            self._say(f"The picture could not be saved in {shown(DRAWINGS)}: {error.strerror}. It is still here.")
        else:
            self._message.value = saved_html(path)

    # Teaching, and handing in: one row of digits for both

    def _choice(self):
        self._meant = ipywidgets.ToggleButtons(
            options=[str(digit) for digit in range(10)],
            value=None,
            style={"button_width": f"{_COLUMN - 4}px"},
            layout={"width": "auto"},
        )
        self._meant.add_class("digitlab-meant")
        self._counts = ipywidgets.HTML()
        title = "Hand in to your class" if not self._teaches else "Teach it your hand"
        if self._teaches and self._class is not None:
            title += ", or hand in to your class"
        rows = [ipywidgets.HTML(_CHOICE.format(title)), self._meant, self._counts]
        if self._teaches:
            rows += self._teaching()
        if self._class is not None:
            rows += self._handing_in()
        self._count()
        return ipywidgets.VBox(rows, layout={"margin": "12px 0 0 0"})

    def _teaching(self):
        self._add_button = _button("Add", "Keep this drawing, as the digit that you meant", self._add_pressed)
        self._learn_button = _button("Learn", "Let a copy of the network learn your drawings", self._learn_pressed)
        self._cancel_button = _button("Cancel", "Stop learning; nothing changes", self._cancel_pressed)
        self._cancel_button.disabled = True
        for button in (self._add_button, self._learn_button, self._cancel_button):
            button.layout.width, button.layout.flex = "120px", "none"
        self._progress = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "200px", "visibility": "hidden"})
        self._lesson = ipywidgets.HTML(
            words_html("Nothing is learnt before you press Learn: the networks stay as they are.", "lesson")
        )
        buttons = [self._add_button, self._learn_button, self._cancel_button, self._progress]
        return [_row(buttons), self._lesson]

    def _handing_in(self):
        button = _button(
            "Hand in", "Give this drawing to the class, as the digit that you meant", self._hand_in_pressed
        )
        button.layout.width, button.layout.flex = "120px", "none"
        waiting = self._class.waiting()
        words = "Your class sees it under the name of an animal, not under yours."
        if waiting:
            words += f" {waiting} that could not be handed in before will go along."
        self._handed_in = ipywidgets.HTML(words_html(words, "handed-in"))
        return [_row([button]), self._handed_in]

    def _count(self):
        drawings = []
        try:
            if self._teaches:
                drawings = read_drawings(MY_DRAWINGS, on_bad_line=lambda number, why: None)
            else:
                drawings = self._class.own()
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            say = self._teach_words if self._teaches else self._class_words
            say(f"Your drawings could not be read: {error}")
        labels = collections.Counter(drawing.label for drawing in drawings)
        counts = {digit: labels[str(digit)] for digit in range(10)}
        words = "added so far" if self._teaches else "handed in so far"
        self._counts.value = counts_html(counts, _COLUMN, words)

    def _add_pressed(self):
        if self._meant.value is None:
            self._teach_words(_CHOOSE_FIRST)
            return
        try:
            self.add(self._meant.value)
        except ValueError as error:
            self._teach_words(str(error))
        except OSError as error:
            self._teach_words(
                f"The drawing could not be kept in {shown(MY_DRAWINGS)}: {error.strerror}. It is still on the canvas."
            )
        else:
            self._count()
            self._teach_words(f"Kept as a {self._meant.value}. Draw the next one; a few of each kind help most.")

    def _hand_in_pressed(self):
        if self._meant.value is None:
            self._class_words(_CHOOSE_FIRST)
            return
        try:
            count = self.hand_in(self._meant.value)
        except (NotSubmittedError, ValueError) as error:
            self._class_words(str(error))
        except OSError as error:
            self._class_words(f"{error} It is still on the canvas.")
        else:
            if not self._teaches:
                self._count()
            self._class_words(f"Handed in as {self._class.writer}: {count} so far.")

    def _learn_pressed(self):
        if self._learning:
            return
        self._learn_button.disabled, self._cancel_button.disabled = True, False
        self._progress.value, self._progress.layout.visibility = 0, "visible"
        self._teach_words("A copy of the network is learning. You can go on drawing.")
        try:
            self._learning = FinetuneProcess(self._learnt_so_far, self._learnt, network=self._learner)
        except OSError as error:
            self._learnt(f"no process could be started ({error.strerror}).")

    def _cancel_pressed(self):
        if self._learning:
            self._learning.cancel()

    def _learnt_so_far(self, share):
        self._progress.value = share

    def _learnt(self, result):
        self._learning = None
        self._learn_button.disabled, self._cancel_button.disabled = False, True
        self._progress.layout.visibility = "hidden"
        if result is None:
            self._teach_words("Cancelled. Nothing was learnt; the networks are as they were.")
        elif isinstance(result, str):
            self._teach_words(f"Nothing was learnt: {result}")
        else:
            self._show_taught()
            held_out, mnist = result["held_out"], result["mnist"]
            self._teach_words(
                f"It learnt {result['learnt']} of your drawings. Of the {held_out['count']} others, which it has not "
                f"learnt, it read {held_out['before']} before, and {held_out['after']} now. Of MNIST's "
                f"{mnist['count']:,} test digits it read {mnist['before']:,} before, and {mnist['after']:,} now."
            )

    def _show_taught(self):
        """Let the network that learnt answer beside the others."""
        networks = {name or "not taught": network for name, network in self.networks.items()}
        networks["taught"] = Recognizer.load(TAUGHT_NETWORK)
        with self._reading:
            self.networks = networks
        self._read()

    def _teach_words(self, words):
        self._lesson.value = words_html(words, "lesson")

    def _class_words(self, words):
        self._handed_in.value = words_html(words, "handed-in")


def _curve(points):
    """Return a smooth curve along points: straight lines would show that a mouse tells few points, in whole pixels.

    Parameters
    ----------
    points : float array (n, 2)
        At least two. From middle to middle of the segments the curve is a parabola, to which they are tangents; of
        two points alone it is the first half of the line between them.

    Returns
    -------
    float array (m, 2)
    """
    middles = (points[:-1] + points[1:]) / 2
    if len(points) == 2:
        return np.stack([points[0], middles[0]])
    t = np.linspace(0, 1, 5)[:, np.newaxis]
    parts = zip(middles[:-1], points[1:-1], middles[1:], strict=True)
    return np.concatenate([(1 - t) ** 2 * start + 2 * t * (1 - t) * point + t**2 * end for start, point, end in parts])


def _loaded(networks):
    if not networks:
        raise ValueError('Give a pad at least one network: networks={"ours": Recognizer.load()}.')
    loaded = {}
    for name, network in networks.items():
        try:
            loaded[name] = network if isinstance(network, Recognizer) else Recognizer.load(network)
        except FileNotFoundError:
            loaded[name] = _NO_NETWORK
    return loaded


def _button(words, tooltip, on_click):
    button = ipywidgets.Button(
        description=words, tooltip=tooltip, layout={"height": _BUTTON_HEIGHT, "flex": "1 1 auto", "width": "auto"}
    )
    button.on_click(lambda _: on_click())
    return button


def _row(widgets):
    return ipywidgets.HBox(widgets, layout={"flex_flow": "row wrap", "align_items": "center"})


def _switch(words, tooltip):
    return ipywidgets.ToggleButton(
        description=words, tooltip=tooltip, layout={"height": _BUTTON_HEIGHT, "width": "auto"}
    )
