"""What a panel is, and the two simplest: one shows the steps of preparation, one saves the drawing as a picture."""

from collections.abc import Iterable
from pathlib import Path

import ipywidgets

from digitlab.ink import save_image
from digitlab.pad import DrawingPad
from digitlab.pad_html import saved_html, steps_html, words_html
from digitlab.paths import DRAWINGS, shown
from digitlab.prepare import prepare, shrink
from digitlab.widgets import button


class Panel(ipywidgets.VBox):
    """A part of a drawing pad. Make a new one for each pad.

    Attributes
    ----------
    pad : DrawingPad
        The pad that it belongs to; None before it was handed to one.
    """

    def __init__(self, children: Iterable[ipywidgets.Widget]):
        self.pad = None
        super().__init__(list(children))
        self.add_class("digitlab-panel")

    def attach(self, pad: DrawingPad):
        """Join a pad; the pad calls this once, while it is made."""
        self.pad = pad


class StepsPanel(Panel):
    """Two switches: one shows each step from the canvas to 28 x 28 pixels, the other feeds in the whole canvas."""

    def __init__(self):
        self._show = ipywidgets.ToggleButton(
            description="Show how it sees", tooltip="The steps from the canvas to the 28 x 28 pixels that it sees"
        )
        self._shrink = ipywidgets.ToggleButton(
            description="Feed it the whole canvas", tooltip="Resize the whole canvas to 28 x 28 pixels, as it is"
        )
        self._show.observe(lambda _: self.pad.read(), "value")
        self._shrink.observe(self._shrink_switched, "value")
        self._steps, self._before = ipywidgets.HTML(), prepare
        super().__init__([ipywidgets.HBox([self._show, self._shrink]), self._steps])

    def attach(self, pad):  # noqa: D102
        super().attach(pad)
        pad.on_read(self._show_steps)

    def _shrink_switched(self, change):
        if self._shrink.value:
            self._before, self.pad.prepare = self.pad.prepare, shrink
        elif self.pad.prepare is shrink:  # It may have been set meanwhile.
            self.pad.prepare = self._before

    def _show_steps(self, ink, predictions):
        self._steps.value = steps_html(ink, self._shrink.value) if self._show.value else ""


class SavePanel(Panel):
    """A button that saves the drawing as a picture, and the key s.

    Parameters
    ----------
    folder : path-like, optional
        Where to save it; by default ``drawings``.
    """

    def __init__(self, folder: Path | str = DRAWINGS):
        self._folder = folder
        self._message = ipywidgets.HTML()
        super().__init__(
            [ipywidgets.HBox([button("Save picture", "Save the drawing as a PNG file (s)", self.save), self._message])]
        )

    def attach(self, pad):  # noqa: D102
        super().attach(pad)
        pad.on_key("s", self.save)
        pad.on_read(self._forget)

    def save(self):
        """Save the drawing, white on black, and show where, with a link to download it."""
        try:
            path = save_image(self.pad.copy_ink(), self._folder)
        except ValueError as error:
            self._message.value = words_html(str(error), "saved")
        except OSError as error:
            words = f"The picture could not be saved in {shown(self._folder)}: {error.strerror}. It is still here."
            self._message.value = words_html(words, "saved")
        else:
            self._message.value = saved_html(path)

    def _forget(self, ink, predictions):
        if not ink:
            self._message.value = ""
