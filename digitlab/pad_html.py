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
    """Return a line of text in an element of the class ``digitlab-{name}``; `words` are text, never HTML.

    A screen reader reads it out.
    """
    return f'<div class="digitlab-{name}" role="alert">{escape(words)}</div>'


def saved_html(path: Path) -> str:
    """Return where a PNG file was saved, with a link to download it."""
    folder = escape(path.absolute().parent.name)
    return (
        f'<div class="digitlab-saved" role="alert">Saved as {folder}/{escape(path.name)} · '
        f'<a download="{escape(path.name)}" href="{png_url(path.read_bytes())}">Download it</a></div>'
    )


def _image_html(image, words, name):
    # The frame is square and the image fills it as far as its shape allows; small images keep their sharp pixels.
    return f'<div class="digitlab-image"><img class="{name}" alt="{words}" src="{png_url(image)}"></div>'
