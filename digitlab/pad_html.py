"""What the drawing pad shows beside its canvas, as HTML. It stands on `recognizer`.

Each function returns one whole piece, so that what stands on the page always belongs to one and the same drawing.
Colours are JupyterLab's own variables: they follow its theme, light or dark.
"""

import base64
from html import escape

import cv2
import numpy as np

from digitlab.ink import draw_strokes
from digitlab.prepare import BOX, PEN, centre, crop, fit, render, shrink
from digitlab.recognizer import percent

_TEXT = "color: var(--jp-content-font-color1, #222); font: 15px/1.3 var(--jp-content-font-family, sans-serif)"
_FAINT = "color: var(--jp-content-font-color2, #555)"
_GAP = 0.05
_DIFFERENCE = (
    "“Sure” is the chance that it is a digit, and this one. The bars tell how likely each digit is, if it is a digit."
)


def answers_html(predictions, points):
    """Return what the networks answer.

    Parameters
    ----------
    predictions : dict of str to Prediction or str
        By the networks' names; words instead where there is no network.
    points : int
        How many points the drawing has: it stands in the page as ``data-points``, for whoever asks there which drawing
        is answered.
    """
    read = [prediction for prediction in predictions.values() if not isinstance(prediction, str)]
    picture = _seen_html(read[0].image) if read else ""
    differ = any(abs(one.confidence - one.probabilities.max()) >= _GAP for one in read if one.reason != "empty")
    if len(predictions) == len(read) == 1:
        (prediction,) = read
        answer = f'<div style="width: 190px">{_digit_html(prediction, 96)}{picture}</div>{_bars_html(prediction, 33)}'
    else:
        answer = "".join(_column_html(name, prediction) for name, prediction in predictions.items()) + picture
    return f"""\
<div class="digitlab-answer" data-points="{points}" style="margin-left: 28px; {_TEXT}">
  <div style="display: flex; flex-wrap: wrap; gap: 12px 28px">{answer}</div>
  <div class="digitlab-difference" style="max-width: 520px; min-height: 40px; margin-top: 8px; {_FAINT}">
    {_DIFFERENCE if differ else ""}</div>
</div>"""


def steps_html(drawing, shrunk):
    """Return the way of a drawing from the canvas to what the network sees.

    Parameters
    ----------
    drawing : Ink
    shrunk : bool
        Whether the network is fed the canvas, plainly resized.
    """
    steps = {"canvas": drawing.render()}
    if shrunk:
        steps["resized to 28 x 28"] = shrink(drawing)
    elif drawing and np.any(steps["canvas"]):
        steps["cropped to its ink"] = crop(steps["canvas"])
        fitted = fit(crop(drawing))
        steps["fitted into 20 x 20"] = draw_strokes(fitted.strokes, (BOX, BOX), PEN, detail=8)
        steps["centred in 28 x 28"] = render(centre(fitted))
    arrow = f'<div style="font-size: 24px; align-self: center; {_FAINT}">→</div>'
    figures = [
        f'<figure style="margin: 0; width: 140px">{_picture_html(image, name, 128)}'
        f'<figcaption style="margin-top: 4px">{name}</figcaption></figure>'
        for name, image in steps.items()
    ]
    return f"""\
<div class="digitlab-steps" style="display: flex; flex-wrap: wrap; gap: 8px 16px; margin: 8px 0; {_TEXT}">
  {arrow.join(figures)}</div>"""


def counts_html(counts, width, words="added so far"):
    """Return how many drawings of each digit were added.

    Parameters
    ----------
    counts : dict of int to int
    width : int
        Width of each number's column, in pixels.
    words : str, optional
        What stands below.
    """
    cells = "".join(
        f'<div style="width: {width}px; text-align: center; font-weight: {700 if count else 400}">{count}</div>'
        for count in counts.values()
    )
    return f"""\
<div class="digitlab-counts" style="display: flex; {_TEXT}">{cells}</div>
<div style="{_TEXT}; {_FAINT}">{words}</div>"""


def png_url(image):
    """Return an image, uint8 (h, w), as a PNG file in a ``data:`` URL."""
    return f"data:image/png;base64,{base64.b64encode(cv2.imencode('.png', image)[1]).decode()}"


def words_html(words, name):
    """Return a line of words, said plainly: `words` are text, never HTML."""
    return f'<div class="digitlab-{name}" style="min-height: 20px; {_TEXT}">{escape(words)}</div>'


def saved_html(path):
    """Return where a picture was saved, a PNG file, with a link to download it."""
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<div class="digitlab-message" style="min-height: 20px; {_TEXT}">Saved as {path.parent.name}/{path.name} · '
        f'<a download="{path.name}" href="data:image/png;base64,{data}" '
        f'style="color: var(--jp-content-link-color, #1976d2)">Download it</a></div>'
    )


def _column_html(name, prediction):
    heading = f'<div style="font-weight: 700">{escape(name)}</div>'
    if isinstance(prediction, str):
        return f'<div class="digitlab-network" style="width: 190px">{heading}<p>{escape(prediction)}</p></div>'
    return f"""\
<div class="digitlab-network" style="width: 190px">{heading}{_digit_html(prediction, 72)}
  {_bars_html(prediction, 24)}</div>"""


def _digit_html(prediction, size):
    if prediction.reason == "empty":
        digit, words = "&nbsp;", "Draw a digit, 0 to 9."
    elif prediction.reason:
        digit, words = "?", str(prediction)[0].upper() + str(prediction)[1:]
    else:
        digit, words = prediction.digit, f"{percent(prediction.confidence)} sure"
    return f"""\
<div class="digitlab-digit" style="font-size: {size}px; line-height: 1; font-weight: 600">{digit}</div>
<div class="digitlab-words" style="min-height: 40px; font-size: 17px">{words}</div>"""


def _seen_html(image):
    picture = _picture_html(image, "What the network sees: the drawing as 28 by 28 pixels", 112, "digitlab-sees")
    return f"""\
<div style="width: 190px">{picture}
  <div style="margin-top: 4px; {_FAINT}">what the network sees</div></div>"""


def _picture_html(image, words, size, name="digitlab-step"):
    height, width = image.shape
    scale = size / max(height, width)
    sharp = "image-rendering: pixelated; " if max(height, width) < size else ""
    return f"""\
<div style="width: {size}px; height: {size}px; display: flex; background: black; align-items: center;
    justify-content: center"><img class="{name}" alt="{words}" src="{png_url(image)}"
    width="{width * scale:.0f}" height="{height * scale:.0f}" style="{sharp}display: block"></div>"""


def _bars_html(prediction, height):
    shares = [0] * 10 if prediction.reason == "empty" else prediction.probabilities
    bars = [_bar_html(digit, share, digit == prediction.digit, height) for digit, share in enumerate(shares)]
    return f'<div class="digitlab-bars" style="width: {190 if height < 30 else 300}px">{"".join(bars)}</div>'


def _bar_html(digit, share, is_answer, height):
    colour = "var(--jp-brand-color1, #1976d2)" if is_answer else "var(--jp-border-color1, #bdbdbd)"
    weight = 700 if is_answer else 400
    words = percent(share) if share >= 0.005 else ""
    return f"""\
<div style="display: flex; align-items: center; height: {height}px; font-weight: {weight}">
  <span style="width: 22px">{digit}</span>
  <span style="flex: 1; height: {height * 0.6:.0f}px; background: var(--jp-layout-color2, #eee); border-radius: 3px;
      overflow: hidden">
    <span style="display: block; height: 100%; width: {share:.1%}; background: {colour}"></span></span>
  <span style="width: 64px; text-align: right; white-space: nowrap">{words}</span>
</div>"""
