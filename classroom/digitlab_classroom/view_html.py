"""The view of a class's submissions as HTML. What other people wrote is text on the page, never HTML: it is escaped."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from digitlab.ink import CANVAS, PEN, Ink, draw_strokes
from digitlab.metrics import DIGITS, is_right
from digitlab.pad_html import png_url
from digitlab.recognizer import Prediction
from digitlab_classroom.class_folder import Submission

STYLE = f"<style>{Path(__file__).with_name('style.css').read_text('utf-8')}</style>"
"""The stylesheet of the view, to be put on the page once."""

IMAGE_SIDE = 72
"""Width and height of a drawing on the page, in CSS pixels."""

_PIXELS_PER_CSS_PIXEL = 2
_GREYS = 5
_BAR_HEIGHT = 54


def overview_html(drawings: Sequence[Submission], predictions: Sequence[Prediction], own: str | None = None) -> str:
    """Return how many drawings there are of each digit and each writer, and how many of them were read right.

    Parameters
    ----------
    drawings : sequence of Submission
    predictions : sequence of Prediction
        The network's prediction for each drawing.
    own : str, optional
        The pseudonym of the person who looks: it is marked.
    """
    if not drawings:
        return (
            '<div class="digitlab-overview">Nobody has handed in anything yet. '
            "What is handed in appears here by itself.</div>"
        )
    digits, writers = {str(digit): [] for digit in range(10)}, {}
    for drawing, prediction in zip(drawings, predictions, strict=True):
        of_writer = writers.setdefault(drawing.writer, [])
        if drawing.label in DIGITS:
            right = is_right(drawing, prediction)
            digits[drawing.label].append(right)
            of_writer.append(right)
    total = sum(map(len, digits.values()))
    right = sum(map(sum, digits.values()))
    others = len(drawings) - total
    largest = max(map(len, digits.values())) or 1
    columns = "".join(_digit_html(digit, results, largest) for digit, results in digits.items())
    rows = "".join(_writer_html(name, results, name == own) for name, results in writers.items())
    more = f", and {_count(others, 'other drawing')}" if others else ""
    return f"""\
<div class="digitlab-overview">
  <div class="digitlab-total"><b>{_count(total, "digit")}</b>{more} by
    {_count(len(writers), "writer")}: <b>{right}</b> read right</div>
  <div class="digitlab-faint"><span class="digitlab-key digitlab-read-right"></span> read right &nbsp;
    <span class="digitlab-key digitlab-read-wrong"></span> misread</div>
  <div class="digitlab-of-digits">{columns}</div>
  <div class="digitlab-of-writers">{rows}</div>
</div>"""


def gallery_html(figures: Sequence[str]) -> str:
    """Return the latest drawings, one after the other; `figures` come from `figure_html`."""
    if not figures:
        return ""
    return f"""\
<div class="digitlab-latest"><b>The latest</b>
  <span class="digitlab-faint">· below each: its digit and its writer; a dashed frame: misread</span>
  <div class="digitlab-figures">{"".join(figures)}</div></div>"""


def figure_html(drawing: Submission, prediction: Prediction, url: str) -> str:
    """Return one drawing with its label, its writer and, if it was misread, the network's answer.

    Parameters
    ----------
    drawing : Submission
    prediction : Prediction
    url : str
        The drawing's image, from `image_url`.
    """
    misread = drawing.label in DIGITS and not is_right(drawing, prediction)
    read = "not read" if prediction.reason == "empty" else f"read as {prediction.probabilities.argmax()}"
    answer = read if misread else ""
    label, who = escape(drawing.label), escape(f"{drawing.writer} {drawing.number}")
    words = f"A {label} by {who}" + (f", {answer}" if misread else "")
    return f"""\
<figure class="digitlab-handed">
  <img class="{"digitlab-framed" if misread else ""}" alt="{words}" src="{url}" width="{IMAGE_SIDE}"
    height="{IMAGE_SIDE}">
  <figcaption><b class="digitlab-label">{label}</b><br>
    <span class="digitlab-faint">{who}</span>{f"<br><b>{answer}</b>" if misread else ""}</figcaption>
</figure>"""


def image_url(ink: Ink) -> str:
    """Return a small image of an ink as its canvas shows it, in a ``data:`` URL."""
    side = IMAGE_SIDE * _PIXELS_PER_CSS_PIXEL
    scale = side / max(ink.size)
    image = draw_strokes([stroke * scale for stroke in ink.strokes], (side, side), PEN * side / CANVAS)
    # With fewer grey levels the file is half as large.
    return png_url(((image.astype(np.float32) / 255 * _GREYS).round() * (255 / _GREYS)).astype(np.uint8))


def _digit_html(digit, results, largest):
    right, wrong = sum(results), len(results) - sum(results)
    words = f"{digit}: {len(results)}, {right} read right"
    return f"""\
<div class="digitlab-of-digit" title="{words}" role="img" aria-label="{words}">
  <div class="digitlab-column"><div class="digitlab-faint">{len(results)}</div>
    <div class="digitlab-read-wrong" style="height: {wrong / largest * _BAR_HEIGHT:.1f}px"></div>
    <div class="digitlab-read-right" style="height: {right / largest * _BAR_HEIGHT:.1f}px"></div></div>
  <b>{digit}</b>
</div>"""


def _writer_html(name, results, is_own):
    share = sum(results) / len(results) if results else 0
    amount = f"{sum(results)} of {len(results)}" if results else "no digits"
    who = f"<b>{escape(name)}</b> (you)" if is_own else escape(name)
    return f"""\
<div class="digitlab-of-writer"><span class="digitlab-name">{who}</span>
  <span class="digitlab-share{" digitlab-read-wrong" if results else ""}">
    <span class="digitlab-read-right" style="width: {share:.1%}"></span></span>
  <span class="digitlab-amount">{amount}</span>
</div>"""


def _count(number, word):
    return f"{number:,} {word}{'' if number == 1 else 's'}"
