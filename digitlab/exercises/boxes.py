"""What guesses, quizzes and reports look like: a framed box with widgets, and a line of text that can be stored."""

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

import ipywidgets

from digitlab.pad_html import data_url
from digitlab.widgets import SharedPage


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
        super().__init__([SharedPage(), style, *children])
        self.add_class("digitlab-box").add_class("digitlab-widget")

    def __repr__(self):
        return self._words


class Note:
    """A line of text, shown as a framed note.

    Parameters
    ----------
    words : str
    file : tuple, optional
        A file to download: the words of the link, the file's name, its media type and its bytes.
    """

    def __init__(self, words: str, file: tuple[str, str, str, bytes] | None = None):
        self._words, self._file = words, file

    def __repr__(self):
        return self._words

    def _repr_html_(self):
        # The style stands in the element, because a website that shows the notebook keeps no stylesheet.
        return (
            '<div style="border-left: 4px solid #1976d2; padding: 2px 10px; margin: 4px 0; font-size: 15px">'
            f"{escape(self._words)}{self._link()}</div>"
        )

    def _link(self):
        if self._file is None:
            return ""
        words, name, kind, content = self._file
        url = data_url(content, kind)
        return f' · <a download="{escape(name)}" href="{url}">{escape(words)}</a>'


class Table:
    """A table of text."""

    def __init__(self, heads: Sequence[str], rows: Sequence[Sequence[str]]):
        self._rows = [list(heads), *map(list, rows)]

    def __repr__(self):
        widths = [max(len(row[column]) for row in self._rows) for column in range(len(self._rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in self._rows]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self):
        style = 'style="text-align: left; font-size: 15px"'
        rows = [
            f"<tr>{''.join(f'<{tag} {style}>{escape(cell)}</{tag}>' for cell in row)}</tr>"
            for tag, row in zip(["th"] + ["td"] * (len(self._rows) - 1), self._rows, strict=True)
        ]
        return f"<table>{''.join(rows)}</table>"


def spoken(words: str) -> str:
    """Return a text as HTML that a screen reader reads when it appears."""
    return f'<span role="alert">{escape(words)}</span>'


def html(content: str) -> ipywidgets.HTML:
    """Return a widget that shows HTML, as wide as its box."""
    return ipywidgets.HTML(content, layout={"width": "auto"})
