"""What guesses, quizzes and reports look like: a framed box with widgets, and a line of text that can be stored."""

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

import ipywidgets


@cache
def style_html() -> str:
    """Return the stylesheet of the boxes as a <style> element."""
    return f"<style>{Path(__file__).with_name('boxes.css').read_text('utf-8')}</style>"


class Box(ipywidgets.VBox):
    """Widgets in a frame.

    A stored notebook has no widgets. It keeps the words that stand for them, which are the same in each run.

    Parameters
    ----------
    children : sequence of Widget
    words : str
        What stands for the box where it cannot be shown.
    """

    def __init__(self, children: Sequence[ipywidgets.Widget], words: str):
        self._words = words
        style = ipywidgets.HTML(style_html(), layout={"display": "none"})
        super().__init__([style, *children])
        self.add_class("digitlab-box")

    def __repr__(self):
        return self._words


class Note:
    """A line of text, shown as a framed note."""

    def __init__(self, words: str):
        self._words = words

    def __repr__(self):
        return self._words

    def _repr_html_(self):
        # The style stands in the element, because a website that shows the notebook keeps no stylesheet.
        return (
            '<div style="border-left: 4px solid #1976d2; padding: 2px 10px; margin: 4px 0; font-size: 15px">'
            f"{escape(self._words)}</div>"
        )


def html(content: str) -> ipywidgets.HTML:
    """Return a widget that shows HTML, as wide as its box."""
    return ipywidgets.HTML(content, layout={"width": "auto"})
