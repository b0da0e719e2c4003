"""The view of a class's submissions in the notebook: it shows new drawings by itself.

Thirty seats look at it at once, so it must cost little: one thread looks for changes for all views of a kernel, each
drawing is read once, and only what has changed is sent to the page.
"""

import collections
import contextlib
import threading
import time

import ipywidgets

from digitlab.pad_html import words_html
from digitlab.recognizer import Recognizer
from digitlab.widgets import SharedPage
from digitlab_classroom.submissions import SubmissionStore
from digitlab_classroom.view_html import STYLE, figure_html, gallery_html, image_url, overview_html

SECONDS_BETWEEN_LOOKS = 2
MAX_SHOWN = 30
"""Maximum number of drawings that are shown one by one: the latest."""

_CHOOSE = ("Choose a drawing", ())
_HEIGHT = "44px"


class Watcher:
    """Refresh all open views every two seconds, on one thread. The thread ends with the last view."""

    def __init__(self):
        self._lock = threading.Lock()
        self._views = set()
        self._thread = None

    def add(self, view: "SubmissionsView") -> None:
        """Refresh a view from now on, until it is closed."""
        with self._lock:
            self._views.add(view)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="digitlab-class")
                self._thread.start()

    def _run(self):
        while views := self._open_views():
            for view in views:
                if view.is_gone:
                    continue
                # An error must not end the thread: the other views, and this one later, still need it.
                with contextlib.suppress(Exception):
                    try:
                        view.refresh()
                    except Exception as error:
                        view.trouble = True
                        view.say(f"The class's drawings could not be read: {error}")
                    else:
                        if view.trouble:
                            view.trouble = False
                            view.say("")
            del views, view
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _open_views(self):
        with self._lock:
            self._views = {view for view in self._views if view.comm is not None}
            if not self._views:
                self._thread = None
            return list(self._views)


_WATCHER = Watcher()


class SubmissionsView(ipywidgets.VBox):
    """What a class has submitted: how many of each digit, by whom, and how a network reads them.

    New drawings appear by themselves within two seconds. An account that may hide drawings, usually the teacher's,
    sees a list and a button for that below the drawings.

    Parameters
    ----------
    recognizer : Recognizer, optional
        The network that reads; by default the one that came with the kit.
    store : SubmissionStore, optional
        The class's submissions; by default those of this seat's class.

    Attributes
    ----------
    recognizer : Recognizer
    store : SubmissionStore
    is_gone : bool
        Whether the page has shown it and no longer does, as when its cell was run again: it is not refreshed then.
    """

    def __init__(self, recognizer: Recognizer | None = None, store: SubmissionStore | None = None):
        self.recognizer = recognizer or Recognizer.load()
        self.store = SubmissionStore() if store is None else store
        self._lock = threading.RLock()
        self._drawings = None
        self._predictions, self._urls = {}, {}
        self._latest = {}  # Writers with fingerprints, in the order in which the drawings appeared.
        self._last_hidden = None
        self.trouble = self.is_gone = False
        self._overview, self._gallery, self._message = (ipywidgets.HTML() for _ in range(3))
        self._which = ipywidgets.Dropdown(
            options=[_CHOOSE],
            description="To hide",
            style={"description_width": "initial"},
            layout={"width": "320px", "height": _HEIGHT},
        )
        self._hide_button = _button("Hide", "Hide this from everyone", self._hide_pressed)
        self._back_button = _button("Show again", "Show again what was hidden last", self._back_pressed)
        self._back_button.disabled = True
        self._teachers = ipywidgets.HBox(
            [self._which, self._hide_button, self._back_button],
            layout={"flex_flow": "row wrap", "display": "none", "margin": "10px 0 0 0"},
        )
        self.refresh()
        style = ipywidgets.HTML(STYLE, layout={"display": "none"})
        super().__init__(
            [style, self._overview, self._gallery, self._teachers, self._message, SharedPage()],
            layout={"margin": "8px 0", "width": "auto"},
        )
        self.add_class("digitlab-class").add_class("digitlab-widget")
        self._view_count = 0  # From now on the page counts how often it shows this.
        self.observe(lambda change: setattr(self, "is_gone", change.new == 0), "_view_count")
        _WATCHER.add(self)

    def __repr__(self):
        drawings = self._drawings or ()
        return f"SubmissionsView({len(drawings)} drawings by {len({drawing.writer for drawing in drawings})} writers)"

    def refresh(self) -> None:
        """Show what the class has submitted by now; do nothing if nothing has changed."""
        with self._lock:
            drawings = self.store.drawings()
            if drawings is self._drawings:
                return
            self._predict(drawings)
            self._remember_latest(drawings)
            self._drawings = drawings
            predictions = [self._predictions[drawing.fingerprint] for drawing in drawings]
            self._overview.value = overview_html(drawings, predictions, self._own_writer())
            self._gallery.value = gallery_html([self._figure(drawing) for drawing in self._shown(drawings)])
            self._offer(drawings)

    def say(self, words: str) -> None:
        """Show a message below the drawings, as text."""
        self._message.value = words_html(words, "class-message")

    def _own_writer(self):
        with contextlib.suppress(ValueError):
            return self.store.writer
        return None

    def _predict(self, drawings):
        new = {one.fingerprint: one.ink for one in drawings if one.fingerprint not in self._predictions}
        self._predictions |= zip(new, self.recognizer.predict_many(new.values()), strict=True)

    def _remember_latest(self, drawings):
        last = collections.Counter(drawing.writer for drawing in drawings)
        new = [drawing for drawing in drawings if (drawing.writer, drawing.fingerprint) not in self._latest]
        # Of those that appear at the same time, each writer's last drawing counts as the latest.
        for drawing in sorted(new, key=lambda one: one.number - last[one.writer]):
            self._latest[drawing.writer, drawing.fingerprint] = None

    def _shown(self, drawings):
        """Return the drawings that are shown one by one, the latest first."""
        present = {(drawing.writer, drawing.fingerprint): drawing for drawing in drawings}
        return [present[mark] for mark in reversed(self._latest) if mark in present][:MAX_SHOWN]

    def _figure(self, drawing):
        mark = drawing.fingerprint
        if mark not in self._urls:
            self._urls[mark] = image_url(drawing.ink)
        return figure_html(drawing, self._predictions[mark], self._urls[mark])

    # Hiding

    def _offer(self, drawings):
        """Offer the drawings in the teacher's list, if this account may hide them."""
        has_choice = bool(drawings) or self._last_hidden is not None
        self._teachers.layout.display = "flex" if self.store.may_hide and has_choice else "none"
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

    def _hide_pressed(self):
        with self._lock:  # The list must not change meanwhile.
            self._hide_chosen()

    def _hide_chosen(self):
        if not self._which.value:
            self.say("Choose a drawing first, by the name below it.")
            return
        name, number, mark = self._which.value
        # Not what was hidden before: that stays hidden.
        hidden = [mark] if mark else [one.fingerprint for one in self.store.drawings() if one.writer == name]
        if self._change(self.store.hide, mark or name):
            self._last_hidden = hidden
            self._back_button.disabled = False
            what = f"{name} {number}" if mark else f"All that {name} has handed in"
            self.say(f"{what} is shown to nobody any more. Show again takes that back.")

    def _back_pressed(self):
        if self._change(self.store.show_again, self._last_hidden):
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


def _button(words, tooltip, on_click):
    button = ipywidgets.Button(description=words, tooltip=tooltip, layout={"height": _HEIGHT, "width": "120px"})
    button.on_click(lambda _: on_click())
    return button
