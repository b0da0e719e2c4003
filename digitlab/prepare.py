"""From a drawing to what the network sees: 28 x 28 pixels, made the way MNIST was made. It stands on `ink`.

MNIST's digits were scanned, cropped to their ink, scaled with their aspect kept so that they fit into 20 x 20 pixels,
and moved so that their centre of mass is the middle of 28 x 28 (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST
database of handwritten digits", 1998). A network that learnt from them reads a drawing only as well as it is prepared
alike, and nothing else matters as much.

The steps take an ink or an image and return the same kind, so that each can be looked at:

    crop -> fit -> centre -> render

For an ink they move and scale the strokes, which are then rendered at one pen width, however large the drawing was
and whatever pen drew it. An image has only its pixels, and its strokes would grow thick and thin with its scale: so
before the four steps `normalize_stroke_width` makes them as wide as they have to be.
"""

import math

import cv2
import numpy as np

from digitlab.ink import Ink, draw_strokes

SIDE = 28
"""Width and height of what the network sees, in pixels."""

BOX = 20
"""The digit fits into a box of this width and height, in pixels."""

MIDDLE = 14.5
"""Where MNIST has a digit's centre of mass: the middle of pixel 14, from the image's left and upper edge, in pixels."""

PEN = 2.25
"""Width of the pen that strokes are rendered with, in pixels of the 28: about that of MNIST's strokes."""

_DETAIL = 8

_EVEN_FROM = 2 * BOX
_EVEN_SIDE = 4 * BOX
_NEIGHBOURS = np.ones((3, 3), np.uint8)


def prepare(drawing):
    """Turn a drawing into the picture that the network sees.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        What was drawn; an image has white ink (255) on black (0), a digit darker than its paper must be inverted.

    Returns
    -------
    image : uint8 (28, 28)
        Black where nothing was drawn.

    Raises
    ------
    ValueError
        Where an image is not of shape (h, w) and dtype uint8, or a point of an ink is not finite.
    TypeError
        Where the drawing is neither an ink nor an array.
    """
    if not isinstance(drawing, Ink):
        check_image(drawing)
    if is_empty(drawing):
        return np.zeros((SIDE, SIDE), np.uint8)
    return render(centre(fit(crop(drawing if isinstance(drawing, Ink) else normalize_stroke_width(drawing)))))


def is_empty(drawing):
    """Tell whether nothing was drawn: no strokes, or no pixel that is not black."""
    return not drawing if isinstance(drawing, Ink) else not np.any(drawing)


def crop(drawing):
    """Cut away everything around the ink.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        Not empty.

    Returns
    -------
    Ink or uint8 array
        The ink moved so that its box begins at (0, 0), with the box as its size (at least a pixel each way); or the
        part of the image that holds ink.
    """
    if isinstance(drawing, Ink):
        points = np.concatenate(drawing.strokes)
        corner = points.min(axis=0)
        width, height = np.maximum(points.max(axis=0) - corner, 1)
        return Ink([stroke - corner for stroke in drawing.strokes], (width, height))
    rows, columns = np.flatnonzero(drawing.any(axis=1)), np.flatnonzero(drawing.any(axis=0))
    return drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def normalize_stroke_width(image):
    """Make the strokes of an image as wide as `fit` wants them: about `PEN` pixels when the digit fills the box.

    How wide they are is measured with the distance from each pixel to the nearest edge of the ink: along the middle of
    a stroke it is half the stroke's width. Then the edges are moved out or in, all by the same distance, which opens a
    loop again that a thick pen had all but closed.

    Parameters
    ----------
    image : uint8 array (h, w)
        Not empty.

    Returns
    -------
    uint8 array
        The digit, cropped, about 80 pixels large, without what is less than half as bright as its brightest pixel:
        the paper of a photo is never quite black. An image whose ink is under 40 pixels large is returned as it is,
        for it is too coarse to be measured; and so is a blot, which has no strokes.
    """
    cropped = crop(cv2.threshold(image, int(image.max()) // 2, 255, cv2.THRESH_BINARY)[1])
    if max(cropped.shape) < _EVEN_FROM:
        return image
    scaled = _scale_to(cropped, _EVEN_SIDE)
    room = math.ceil(_EVEN_SIDE * PEN / BOX)
    scaled = cv2.copyMakeBorder(scaled, room, room, room, room, cv2.BORDER_CONSTANT)
    # A line that is thinner than these pixels is pale among them.
    ink = cv2.threshold(scaled, int(scaled.max()) // 2, 1, cv2.THRESH_BINARY)[1]
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
    ridge = (ink > 0) & (inside >= cv2.dilate(inside, _NEIGHBOURS) - 1e-6)
    width = 2 * np.median(inside[ridge]) - 1
    line = _EVEN_SIDE - width
    if line < width:
        return image
    excess = (width - line * PEN / (BOX - PEN)) / 2
    outside = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    edge = np.where(ink > 0, inside - 0.5, 0.5 - outside)
    return (np.clip(edge - excess + 0.5, 0, 1) * 255).round().astype(np.uint8)


def fit(drawing, box=BOX):
    """Scale a cropped drawing so that its longer side, ink and all, takes the whole box; its aspect stays.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        As `crop` returns it.
    box : int, optional
        Width and height of the box, in pixels.

    Returns
    -------
    Ink or uint8 array
        An ink leaves room for half a pen's width on each side.
    """
    if isinstance(drawing, Ink):
        scale = (box - PEN) / max(drawing.size)
        return Ink([stroke * scale + PEN / 2 for stroke in drawing.strokes], (box, box))
    return _scale_to(drawing, box)


def centre(drawing):
    """Move a fitted drawing so that its centre of mass is in the middle of 28 x 28 pixels.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        As `fit` returns it.

    Returns
    -------
    Ink of size (28, 28) or uint8 array (28, 28)
    """
    shift = MIDDLE - centre_of_mass(drawing)
    if isinstance(drawing, Ink):
        return Ink([stroke + shift for stroke in drawing.strokes], (SIDE, SIDE))
    # By whole pixels, as MNIST was: anything finer would blur it.
    matrix = np.array([[1, 0, round(shift[0])], [0, 1, round(shift[1])]], np.float64)
    return cv2.warpAffine(drawing, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST)


def centre_of_mass(drawing):
    """Return the centre of mass of a drawing's ink.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        Not empty. An ink weighs as much as its lines are long, drawn with a pen of `PEN` pixels; what is drawn twice
        weighs twice.

    Returns
    -------
    float array (2,)
        x and y in pixels, from the left and the upper edge.
    """
    if isinstance(drawing, Ink):
        mass, moment = 0.0, np.zeros(2)
        for stroke in drawing.strokes:
            lengths = np.hypot(*(stroke[1:] - stroke[:-1]).T)
            round_ends = math.pi * PEN / 4
            mass += lengths.sum() + round_ends
            moment += lengths @ (stroke[:-1] + stroke[1:]) / 2 + round_ends * (stroke[0] + stroke[-1]) / 2
        return moment / mass
    moments = cv2.moments(drawing)
    return np.array([moments["m10"], moments["m01"]]) / moments["m00"] + 0.5


def render(drawing, pen=PEN):
    """Draw a centred ink as 28 x 28 pixels; a centred image is there already and is returned as it is.

    Parameters
    ----------
    drawing : Ink of size (28, 28) or uint8 array (28, 28)
        As `centre` returns it.
    pen : float, optional
        Width of the pen, in pixels.

    Returns
    -------
    image : uint8 (28, 28)
    """
    return draw_strokes(drawing.strokes, (SIDE, SIDE), pen, _DETAIL) if isinstance(drawing, Ink) else drawing


def shrink(drawing):
    """Resize the whole canvas, as many programs do in place of preparing: to show what comes of it.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)

    Returns
    -------
    image : uint8 (28, 28)
    """
    canvas = drawing.render() if isinstance(drawing, Ink) else drawing
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def network_input(images):
    """Turn images into what the network is fed with.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)

    Returns
    -------
    x : float32 array (n, 28, 28, 1)
        0 (black) to 1 (white).
    """
    # In one go: with a second array of float32 in between, 60,000 pictures would need 190 MB more.
    return np.divide(np.asarray(images)[..., np.newaxis], np.float32(255), dtype=np.float32)


def _scale_to(image, side):
    height, width = image.shape
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def check_image(image):
    """Raise a clear error where an image is not a ``uint8`` array of shape (h, w)."""
    if not isinstance(image, np.ndarray):
        raise TypeError(f"A drawing must be an Ink or a NumPy array of shape (h, w), not {type(image).__name__}.")
    if image.ndim == 3 and image.shape[2] in (3, 4):
        raise ValueError(
            f"This image has colours (shape {image.shape}); make it grey first: "
            "cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)."
        )
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"An image must be of shape (h, w), not {image.shape}; for several use predict_many.")
    if image.dtype != np.uint8:
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise ValueError("This image holds NaN or infinite values; an image is uint8, 0 (black) to 255 (white).")
        top = float(image.max()) if image.dtype.kind in "iufb" else 0
        advice = "(image * 255).round().astype('uint8')" if top <= 1 else "image.round().astype('uint8')"
        raise ValueError(f"An image must be uint8, 0 to 255, not {image.dtype}; turn it with {advice}.")
