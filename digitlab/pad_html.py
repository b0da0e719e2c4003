"""Small pieces of HTML beside the canvas of a drawing pad, such as its messages. The looks are in pad.css."""

import base64
from html import escape
from pathlib import Path

import cv2
import numpy as np

from digitlab.ink import Ink, draw_strokes
from digitlab.prepare import BOX, PEN, centre, crop, fit, render, shrink


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
    return f'<div class="digitlab-steps">{"<span>→</span>".join(map(_figure_html, steps, steps.values()))}</div>'


def counts_html(counts: dict[int, int], words: str) -> str:
    """Return how many drawings of each digit there are, with words beside the numbers."""
    cells = "".join(f"<div>{f'<b>{count}</b>' if count else 0}</div>" for count in counts.values())
    return f"""\
<div class="digitlab-counted"><div class="digitlab-counts">{cells}</div>
  <div class="digitlab-faint">{words}</div></div>"""


def data_url(content: bytes, kind: str) -> str:
    """Return the content of a file of a kind, such as ``image/png``, as a ``data:`` URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png_url(image: np.ndarray) -> str:
    """Return an image, a uint8 array (h, w), as a ``data:`` URL."""
    return data_url(cv2.imencode(".png", image)[1].tobytes(), "image/png")


def words_html(words: str, name: str) -> str:
    """Return a line of text in an element of the class ``digitlab-{name}``; `words` are text, never HTML.

    A screen reader reads it out.
    """
    return f'<div class="digitlab-{name}" role="alert">{escape(words)}</div>'


def saved_html(path: Path) -> str:
    """Return where a PNG file was saved, with a link to download it."""
    folder = escape(path.absolute().parent.name)
    return (
        f'<div class="digitlab-saved" role="alert">Saved as {folder}/{escape(path.name)} · '
        f'<a download="{escape(path.name)}" href="{data_url(path.read_bytes(), "image/png")}">Download it</a></div>'
    )


def _figure_html(name, image):
    # The frame is square and the image fills it as far as its shape allows; small images keep their sharp pixels.
    framed = f'<div class="digitlab-image"><img alt="{name}" src="{png_url(image)}"></div>'
    return f"<figure>{framed}<figcaption>{name}</figcaption></figure>"
