"""What stands beside the canvas of a drawing pad, as HTML.

Each function returns one whole piece, so that everything in it belongs to the same drawing. The looks are in pad.css.
"""

import base64
from functools import cache
from html import escape
from pathlib import Path

import cv2
import numpy as np

from digitlab.ink import Ink, draw_strokes
from digitlab.prepare import BOX, PEN, centre, crop, fit, render, shrink
from digitlab.recognizer import Prediction, percent

_EXPLAIN_FROM = 0.05
"""How far the confidence and the longest bar must be apart for a sentence to explain this."""

_DIFFERENCE = (
    "“Sure” is the chance that it is a digit, and this one. The bars tell how likely each digit is, if it is a digit."
)


@cache
def style_html() -> str:
    """Return the stylesheet of the pad as a <style> element."""
    return f"<style>{Path(__file__).with_name('pad.css').read_text('utf-8')}</style>"


def answers_html(predictions: dict[str, Prediction | str], points: int) -> str:
    """Return what the networks answer.

    Parameters
    ----------
    predictions : dict of str to Prediction or str
        By the networks' names; a sentence instead where there is no network.
    points : int
        How many points the drawing has. The page keeps this number as ``data-points``, so that tests and benchmarks
        know which drawing is answered.
    """
    read = [prediction for prediction in predictions.values() if not isinstance(prediction, str)]
    seen = _seen_html(read[0].image) if read else ""
    if len(predictions) == len(read) == 1:
        answer = f"<div>{_digit_html(read[0])}{seen}</div>{_bars_html(read[0])}"
        kind = "digitlab-one"
    else:
        answer = "".join(_network_html(name, prediction) for name, prediction in predictions.items()) + seen
        kind = "digitlab-several"
    explain = any(
        abs(one.confidence - one.probabilities.max()) >= _EXPLAIN_FROM for one in read if one.reason != "empty"
    )
    return f"""\
<div class="digitlab-answer" data-points="{points}">
  <div class="{kind}">{answer}</div>
  <div class="digitlab-difference">{_DIFFERENCE if explain else ""}</div>
</div>"""


def steps_html(drawing: Ink, shrunk: bool) -> str:
    """Return the steps from the canvas to the image that the network sees.

    Parameters
    ----------
    drawing : Ink
    shrunk : bool
        Whether the network sees the whole canvas, resized, instead of the prepared drawing.
    """
    steps = {"canvas": drawing.render()}
    if shrunk:
        steps["resized to 28 x 28"] = shrink(drawing)
    elif drawing and np.any(steps["canvas"]):
        steps["cropped to its ink"] = crop(steps["canvas"])
        fitted = fit(crop(drawing))
        steps["fitted into 20 x 20"] = draw_strokes(fitted.strokes, (BOX, BOX), PEN, detail=8)
        steps["centred in 28 x 28"] = render(centre(fitted))
    figures = [
        f"<figure>{_image_html(image, name, 'digitlab-step')}<figcaption>{name}</figcaption></figure>"
        for name, image in steps.items()
    ]
    return f'<div class="digitlab-steps">{"<span>→</span>".join(figures)}</div>'


def counts_html(counts: dict[int, int], words: str) -> str:
    """Return how many drawings of each digit there are, with words beside the numbers."""
    cells = "".join(f"<div>{f'<b>{count}</b>' if count else 0}</div>" for count in counts.values())
    return f"""\
<div class="digitlab-counted"><div class="digitlab-counts">{cells}</div>
  <div class="digitlab-faint">{words}</div></div>"""


def png_url(image: np.ndarray | bytes) -> str:
    """Return an image, a uint8 array (h, w) or the bytes of a PNG file, as a ``data:`` URL."""
    png = image if isinstance(image, bytes) else cv2.imencode(".png", image)[1]
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def words_html(words: str, name: str) -> str:
    """Return a line of text in an element of the class ``digitlab-{name}``; `words` are text, never HTML."""
    return f'<div class="digitlab-{name}">{escape(words)}</div>'


def saved_html(path: Path) -> str:
    """Return where a PNG file was saved, with a link to download it."""
    return (
        f'<div class="digitlab-saved">Saved as {path.parent.name}/{path.name} · '
        f'<a download="{path.name}" href="{png_url(path.read_bytes())}">Download it</a></div>'
    )


def _network_html(name, prediction):
    heading = f'<b title="{escape(name)}">{escape(name)}</b>'
    if isinstance(prediction, str):
        return f'<div class="digitlab-network">{heading}<p>{escape(prediction)}</p></div>'
    return f'<div class="digitlab-network">{heading}{_digit_html(prediction)}{_bars_html(prediction)}</div>'


def _digit_html(prediction):
    if prediction.reason == "empty":
        digit, words = "&nbsp;", "Draw a digit, 0 to 9."
    elif prediction.reason:
        digit, words = "?", str(prediction)[0].upper() + str(prediction)[1:]
    else:
        digit, words = prediction.digit, f"{percent(prediction.confidence)} sure"
    return f'<div class="digitlab-digit">{digit}</div><div class="digitlab-words">{words}</div>'


def _seen_html(image):
    what = "What the network sees: the drawing as 28 by 28 pixels"
    return f"<figure>{_image_html(image, what, 'digitlab-sees')}<figcaption>what the network sees</figcaption></figure>"


def _image_html(image, words, name):
    # The frame is square and the image fills it as far as its shape allows; small images keep their sharp pixels.
    return f'<div class="digitlab-image"><img class="{name}" alt="{words}" src="{png_url(image)}"></div>'


def _bars_html(prediction):
    probabilities = [0] * 10 if prediction.reason == "empty" else prediction.probabilities
    bars = [_bar_html(digit, share, digit == prediction.digit) for digit, share in enumerate(probabilities)]
    return f'<div class="digitlab-bars">{"".join(bars)}</div>'


def _bar_html(digit, share, is_answer):
    words = percent(share) if share >= 0.005 else ""
    return f"""\
<div{' class="digitlab-read"' if is_answer else ""}><span>{digit}</span>
<span class="digitlab-bar"><span style="width: {share:.1%}"></span></span><span>{words}</span></div>"""
