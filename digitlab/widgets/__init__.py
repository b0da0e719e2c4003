"""What the widgets of the kit share: buttons, and what JupyterLab lacks on the page."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

SHARED_JS, SHARED_CSS = (Path(__file__).with_name(f"shared.{kind}").read_text("utf-8") for kind in ("js", "css"))
"""With these begin the script and the stylesheet of an anywidget that stands alone."""


class SharedPage(anywidget.AnyWidget):
    """An invisible part of a widget that is made of others: it keeps keys in the widget, and names its controls.

    The outermost element of the widget has the class ``digitlab-widget``.
    """

    _esm = SHARED_JS + Path(__file__).with_name("shared_page.js").read_text("utf-8")
    _css = SHARED_CSS


class DigitButtons(anywidget.AnyWidget):
    """A button for each digit, of which one is chosen.

    Unlike a `ToggleButtons` it tells each click in a message: a change of a widget waits on the page until the one
    before is answered, and then a click on another button, such as Keep, comes first.

    Parameters
    ----------
    question : str
        What the digits answer, for people who do not see the page.
    on_click : callable, optional
        Called with the digit that was clicked, "0" to "9".

    Attributes
    ----------
    value : str or None
        The chosen digit, "0" to "9". It can be set, which calls nothing.
    """

    _esm = Path(__file__).with_name("digit_buttons.js")
    question = traitlets.Unicode().tag(sync=True)
    # What the page chose is not sent back to it: a later choice may be on the way.
    value = traitlets.Unicode(None, allow_none=True).tag(sync=True, echo_update=False)

    def __init__(self, question: str, on_click: Callable[[str], object] = lambda digit: None):
        super().__init__(question=question)
        self._on_click = on_click
        self.on_msg(self._message_came)

    def _message_came(self, _, content, buffers):
        self.set_state({"value": content["value"]})
        self._on_click(content["value"])
        self.send({"value": self.value, "number": content["number"]})


def button(words: str, tooltip: str, on_click: Callable[[], None]) -> ipywidgets.Button:
    """Return a button that calls a function."""
    widget = ipywidgets.Button(description=words, tooltip=tooltip)
    widget.on_click(lambda _: on_click())
    return widget
