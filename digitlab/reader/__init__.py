"""Read a photo of paper in a notebook: ``PhotoReader()``."""

import contextlib
from functools import cache
from html import escape
from pathlib import Path

import anywidget
import cv2
import ipywidgets
import numpy as np
import traitlets

from digitlab.ink import append_drawing
from digitlab.pad_html import data_url, png_url, words_html
from digitlab.paper import example_photo, find_digits
from digitlab.paths import MY_DRAWINGS, SHARED_SERVER, shown
from digitlab.photo.files import read_photo
from digitlab.photo.image import shrunk
from digitlab.photo.trace import trace
from digitlab.recognizer import Recognizer
from digitlab.widgets import DigitButtons, SharedPage, button

_HERE = Path(__file__).parent
_SHOWN = 1000  # The photo on the page is at most this wide and high, in pixels.
_EXAMPLE = (
    "This photo comes with the kit: code put drawings by people on paper and photographed it. Choose one of your own."
)
_PRIVACY = "The photo goes to your class's server only." if SHARED_SERVER else "The photo stays on this machine."
_KEPT_AS = (
    "What is kept is a line along the middle of the ink, as if it was drawn: files of drawings hold strokes, no photos."
)


class _Sheet(anywidget.AnyWidget):
    _esm = _HERE / "reader.js"
    photo = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    boxes = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True, echo_update=False)  # As the value of `DigitButtons`.


class PhotoReader(ipywidgets.VBox):
    """A photo with what the network reads on it.

    The photo stays on the machine, or goes to the class's server if this is a seat there. Nothing is kept unless asked
    for.

    Green boxes are read; at the dashed amber ones the network is not sure, or sees no digit. A click on one shows what
    the network saw of it. Tab goes to the boxes, the arrows from one to the next, and a digit puts it right.

    Parameters
    ----------
    photo : path-like or uint8 array (h, w, 3), optional
        The photo to begin with; by default the one that comes with the kit.
    recognizer : Recognizer, optional
        The network; by default the one that came with the kit.
    drawings : path-like, optional
        The file of drawings to be learnt, as `digitlab.panels.TeachPanel` uses it.
    store : SubmissionStore, optional
        The class's submissions; where it is given, digits can be handed in.

    Raises
    ------
    ValueError, FileNotFoundError
        As `digitlab.paper.find_digits` does.
    """

    def __init__(
        self, photo=None, recognizer: Recognizer | None = None, drawings: Path | str = MY_DRAWINGS, store=None
    ):
        self._recognizer = recognizer or Recognizer.load()
        self._drawings, self._store = drawings, store
        self._found, self._predictions, self._right = [], [], {}
        self._done = set()
        self._sheet = _Sheet(layout={"width": "auto", "flex": "0 1 auto"})
        self._sheet.on_msg(self._message_came)
        self._sheet.observe(lambda _: self._show_chosen(), "chosen")
        self._seen, self._message = ipywidgets.HTML(), ipywidgets.HTML()
        self._digits = DigitButtons("Is it another digit?", self._try(self.put_right))
        buttons = [
            button("Keep to teach", "Add this digit to the drawings that Learn learns from", self._try(self.keep))
        ]
        if store is not None:
            buttons.append(button("Hand in", "Give this digit to your class", self._try(self.submit)))
        heading = f"{_PRIVACY} Nothing of it is kept unless you press a button."
        side = ipywidgets.VBox(
            [self._seen, self._digits, ipywidgets.HBox(buttons), self._message], layout={"width": "390px"}
        )
        super().__init__(
            [
                ipywidgets.HTML(f"<style>{_style()}</style>{heading}"),
                ipywidgets.HBox([self._sheet, side], layout={"flex_flow": "row wrap", "grid_gap": "0 20px"}),
                SharedPage(),
            ]
        )
        self.add_class("digitlab-reader").add_class("digitlab-widget")
        self.read(example_photo() if photo is None else photo, _EXAMPLE if photo is None else "")

    def __repr__(self):
        return f"PhotoReader({len(self._found)} digits)"

    @property
    def found(self) -> list:
        """What was found: `digitlab.paper.Found`, in reading order."""
        return list(self._found)

    @property
    def answers(self) -> list[int | None]:
        """What is read, or was put right; None where it is not known."""
        return [self._right.get(number, prediction.digit) for number, prediction in enumerate(self._predictions)]

    @property
    def chosen(self) -> int:
        """The number of the chosen digit, from 0; -1 where none is. It can be set."""
        return self._sheet.chosen

    @chosen.setter
    def chosen(self, number):
        self._sheet.chosen = number

    def read(self, photo: np.ndarray | Path | str | bytes, words: str = ""):
        """Show a photo at once, then find and read its digits.

        Parameters
        ----------
        photo : uint8 array (h, w) or (h, w, 3), path-like or bytes
        words : str, optional
            A sentence about it, to be shown beside.
        """
        photo = read_photo(photo)  # What is no photo leaves the one that is shown.
        self._found, self._predictions, self._right = [], [], {}
        self._done = set()
        self._sheet.boxes, self._sheet.chosen = [], -1
        self._sheet.photo = _small_url(photo)
        self._say("Looking for digits ...")
        self._size = photo.shape[1], photo.shape[0]
        self._found = find_digits(photo, self._recognizer)
        self._predictions = self._recognizer.predict_many(one.image for one in self._found)
        self._show_boxes()
        self._show_chosen()
        count = len(self._found)
        number = "No digits were found." if not count else f"{count} digit{'s' * (count > 1)} found: click one."
        self._say(f"{number} {words}")

    def put_right(self, digit: int):
        """Say which digit the chosen one is: 0 to 9, else ValueError."""
        if int(digit) not in range(10):
            raise ValueError(f"A digit must be 0 to 9, not {digit!r}.")
        self._right[self._number()] = int(digit)
        self._show_boxes()
        self._show_chosen()

    def keep(self):
        """Add the chosen digit to the drawings that are learnt; once with each label, however often it is asked for."""
        ink, label = self._ink_and_label()
        with self._once("kept", label):
            append_drawing(self._drawings, ink, label)
        self._say(f"Kept as a {label} in {shown(self._drawings)}. {_KEPT_AS}")

    def submit(self):
        """Hand the chosen digit in to the class; once with each label, however often it is asked for."""
        ink, label = self._ink_and_label()
        with self._once("handed in", label):
            count = self._store.submit(ink, label)
        self._say(f"Handed in as {self._store.writer}: {count} so far. {_KEPT_AS}")

    def _number(self):
        if not 0 <= self.chosen < len(self._found):
            raise ValueError("Click a digit on the photo first.")
        return self.chosen

    @contextlib.contextmanager
    def _once(self, what, label):
        """Raise ValueError if this was done with the chosen digit before; else note that it was done."""
        if (what, self.chosen, label) in self._done:
            raise ValueError(f"It is {what} as a {label} already.")
        yield
        self._done.add((what, self.chosen, label))

    def _ink_and_label(self):
        number = self._number()
        label = self.answers[number]
        if label is None:
            raise ValueError("Say which digit it is first.")
        return trace(self._found[number].image), label

    def _message_came(self, _, content, buffers):
        if "chosen" in content:
            self._sheet.set_state({"chosen": content["chosen"]})
            self._sheet.send({"chosen": self.chosen, "number": content["number"]})
        elif "digit" in content:
            self._try(self.put_right)(content["digit"])
        elif content.get("failed"):
            self._say(
                f"{content['name']} is not a photo that this browser can read. Use JPEG or PNG; iPhones send JPEG with "
                "Settings > Camera > Formats > Most Compatible."
            )
        else:
            self._try(self.read)(bytes(buffers[0]))

    def _show_boxes(self):
        width, height = self._size
        boxes = []
        for one, prediction, answer in zip(self._found, self._predictions, self.answers, strict=True):
            x, y, w, h = one.box
            boxes.append(
                {
                    "x": 100 * x / width,
                    "y": 100 * y / height,
                    "width": 100 * w / width,
                    "height": 100 * h / height,
                    "text": "?" if answer is None else str(answer),
                    "words": str(answer) if answer != prediction.digit else str(prediction),
                    "sure": answer is not None,
                }
            )
        self._sheet.boxes = boxes
        self._sheet.words = "A photo of paper. Read on it: " + " ".join(box["text"] for box in boxes)

    def _show_chosen(self):
        if not 0 <= self.chosen < len(self._found):
            self._seen.value = ""
            self._digits.value = None
            return
        prediction, answer = self._predictions[self.chosen], self.answers[self.chosen]
        words = str(prediction)
        if answer != prediction.digit:
            words += f"; put right: {answer}"
        image = cv2.resize(prediction.image, (112, 112), interpolation=cv2.INTER_NEAREST)
        self._seen.value = (
            f'<img class="digitlab-seen" alt="What the network sees of it: 28 by 28 pixels" src="{png_url(image)}">'
            f'<div class="digitlab-said">It reads: <b>{escape(words)}</b></div><div>Is it another digit?</div>'
        )
        self._digits.value = None if answer is None else str(answer)

    def _try(self, act):
        """Return a function that does something the reader asked for, and says so where it fails."""

        def tried(*arguments):
            try:
                act(*arguments)
            except (ValueError, OSError) as error:
                self._say(str(error))

        return tried

    def _say(self, words):
        self._message.value = words_html(words, "said")


def _small_url(photo):
    small = shrunk(photo, _SHOWN)
    small = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return data_url(cv2.imencode(".jpg", small)[1].tobytes(), "image/jpeg")


@cache
def _style():
    return (_HERE / "reader.css").read_text("utf-8")
