"""From a drawing to the image that the network sees: 28 x 28 pixels, made in the way that MNIST was made.

MNIST's digits were scanned, cropped to their ink, scaled with their aspect kept so that they fit into 20 x 20 pixels,
and moved so that their centre of mass is the middle of 28 x 28 (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST
database of handwritten digits", 1998). A network that was trained on them reads a drawing well only if the drawing is
prepared in the same way. Nothing else matters as much.

The steps take an ink or an image and return the same kind, so that each can be looked at:

    crop -> fit -> centre -> render

For an ink they move and scale the strokes, which are then rendered at one pen width, however large the drawing was
and whatever pen drew it. An image has only its pixels, and its strokes get thicker or thinner when it is scaled. So
before the four steps `normalize_stroke_width` gives them the width that they need.
"""

import math

import cv2
import numpy as np

from digitlab.ink import CANVAS, MIN_SIZE, Ink, draw_strokes

SIDE = 28
"""Width and height of what the network sees, in pixels."""

BOX = 20
"""The digit fits into a box of this width and height, in pixels."""

MIDDLE = 14.5
"""x and y of the centre of mass of MNIST's digits: the middle of pixel 14, in pixels."""

PEN = 2.25
"""Width of the pen that strokes are rendered with, in pixels of 28 x 28: about that of MNIST's strokes."""

_DETAIL = 8
_BRIGHT = 127

_MIN_MEASURED = 2 * BOX  # The width of strokes can be measured in digits that are at least this large, in pixels.
_MEASURED = 4 * BOX  # It is measured in digits that are scaled to this size, in pixels.
_NEIGHBOURS = np.ones((3, 3), np.uint8)


def prepare(drawing: Ink | np.ndarray) -> np.ndarray:
    """Turn a drawing into the image that the network sees.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        An image has white ink (255) on black (0).

    Returns
    -------
    image : uint8 (28, 28)
        Black if nothing is drawn, or if all that is drawn is too small to be seen at this size.

    Raises
    ------
    ValueError
        If an image is not of shape (h, w) and dtype uint8, or is black on white.
    TypeError
        If the drawing is neither an ink nor an array.
    """
    nothing = np.zeros((SIDE, SIDE), np.uint8)
    if isinstance(drawing, Ink):
        return render(centre(fit(crop(drawing)))) if drawing else nothing
    check_image(drawing)
    if is_empty(drawing):
        return nothing
    edge = np.concatenate([drawing[0], drawing[-1], drawing[1:-1, 0], drawing[1:-1, -1]])
    brightest = int(drawing.max())
    if (edge > brightest // 2).mean() > 0.5:
        raise ValueError("The edge of this image is bright. Ink must be white on black: invert it with 255 - image.")
    if brightest <= _BRIGHT:  # Such faint ink would be lost when the image is scaled down.
        drawing = cv2.convertScaleAbs(drawing, alpha=255 / brightest)
    fitted = fit(crop(normalize_stroke_width(drawing)))
    return nothing if is_empty(fitted) else render(centre(fitted))


def is_empty(drawing: Ink | np.ndarray) -> bool:
    """Return whether nothing is drawn: an ink without strokes, or an image that is all black."""
    return not drawing if isinstance(drawing, Ink) else not np.any(drawing)


def crop(drawing: Ink | np.ndarray) -> Ink | np.ndarray:
    """Remove everything around the ink.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        Not empty.

    Returns
    -------
    Ink or uint8 array
        The ink, moved so that its bounding box begins at (0, 0), with the box as its size; or the part of the image
        inside the bounding box. The box of an ink is at least 1/280 of its canvas wide and high.
    """
    if isinstance(drawing, Ink):
        points = np.concatenate(drawing.strokes)
        corner = points.min(axis=0)
        width, height = np.maximum(points.max(axis=0) - corner, max(max(drawing.size) / CANVAS, MIN_SIZE))
        return Ink([stroke - corner for stroke in drawing.strokes], (width, height))
    x, y, width, height = cv2.boundingRect(drawing)
    return drawing[y : y + height, x : x + width]


def normalize_stroke_width(image: np.ndarray) -> np.ndarray:
    """Give the strokes of an image the width that `fit` needs: about `PEN` pixels when the digit fills the box.

    The width is measured with the distance from each pixel of the ink to the nearest edge of the ink: along the middle
    of a stroke it is half the stroke's width. Then all edges are moved out or in by the same distance. This also opens
    a loop that a thick pen had almost closed.

    Parameters
    ----------
    image : uint8 array (h, w)
        Not empty.

    Returns
    -------
    uint8 array
        The digit, about 80 pixels large, and a black margin; without the pixels that are less than half as bright as
        the brightest one: the paper of a photo is never quite black. The image is returned unchanged if its ink is
        under 40 pixels large, which is too coarse to measure, or has no strokes, as a blot.
    """
    cropped = crop(cv2.threshold(image, int(image.max()) // 2, 255, cv2.THRESH_BINARY)[1])
    if max(cropped.shape) < _MIN_MEASURED:
        return image
    scaled = _scale_to(cropped, _MEASURED)
    room = math.ceil(_MEASURED * PEN / BOX)
    scaled = cv2.copyMakeBorder(scaled, room, room, room, room, cv2.BORDER_CONSTANT)
    # A line that is thinner than a pixel of the scaled image is faint there.
    ink = cv2.threshold(scaled, int(scaled.max()) // 2, 1, cv2.THRESH_BINARY)[1]
    if not ink.any():
        return image
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
    ridge = (ink > 0) & (inside >= cv2.dilate(inside, _NEIGHBOURS) - 1e-6)
    width = 2 * np.median(inside[ridge]) - 1
    line = _MEASURED - width
    if line < width:
        return image
    excess = (width - line * PEN / (BOX - PEN)) / 2
    outside = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    edge = np.where(ink > 0, inside - 0.5, 0.5 - outside)
    return (np.clip(edge - excess + 0.5, 0, 1) * 255).round().astype(np.uint8)


def fit(drawing: Ink | np.ndarray, box: int = BOX) -> Ink | np.ndarray:
    """Scale a cropped drawing so that its longer side, pen width included, fills the box; its aspect is kept.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        As `crop` returns it.
    box : int, optional
        Width and height of the box, in pixels.

    Returns
    -------
    Ink or uint8 array
        An ink has half the width of the pen free on each side.
    """
    if isinstance(drawing, Ink):
        scale = (box - PEN) / max(drawing.size)
        return Ink([stroke * scale + PEN / 2 for stroke in drawing.strokes], (box, box))
    return _scale_to(drawing, box)


def centre(drawing: Ink | np.ndarray) -> Ink | np.ndarray:
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
    # By whole pixels, as for MNIST: fractions would blur the image.
    matrix = np.array([[1, 0, round(shift[0])], [0, 1, round(shift[1])]], np.float64)
    return cv2.warpAffine(drawing, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST)


def centre_of_mass(drawing: Ink | np.ndarray) -> np.ndarray:
    """Return the centre of mass of a drawing's ink.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        Not empty. The mass of an ink is the length of its lines, drawn with a pen of `PEN` pixels; what is drawn twice
        counts twice.

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


def render(drawing: Ink | np.ndarray, pen: float = PEN) -> np.ndarray:
    """Draw a centred ink as 28 x 28 pixels; return a centred image unchanged.

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


def shrink(drawing: Ink | np.ndarray) -> np.ndarray:
    """Resize the whole canvas. Many programs do this instead of preparing; the lessons show how badly it works.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)

    Returns
    -------
    image : uint8 (28, 28)
    """
    canvas = drawing.render() if isinstance(drawing, Ink) else drawing
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def network_input(images: np.ndarray) -> np.ndarray:
    """Turn images into the input of a network.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)

    Returns
    -------
    x : float32 array (n, 28, 28, 1)
        0 (black) to 1 (white).

    Raises
    ------
    ValueError
        If they are no such images, as when they are network input already.
    """
    images = np.asarray(images)
    if images.shape[1:] != (SIDE, SIDE):
        raise ValueError(
            f"Images must be of shape (n, {SIDE}, {SIDE}), not {images.shape}; of one image give [image]. Images that "
            "are network input already are not made so again."
        )
    if images.size and images.dtype != np.uint8:
        if images.dtype.kind == "f" and 0 < images.max() <= 1:
            raise ValueError("These images are 0 to 1 already. network_input divides by 255 itself: give it 0 to 255.")
        if images.dtype.kind not in "uif" or not 0 <= images.min() <= images.max() <= 255:
            raise ValueError("Images must be numbers from 0 (black) to 255 (white), as uint8.")
    # One step: a second float32 array would take 190 MB more for 60,000 images.
    return np.divide(images[..., np.newaxis], np.float32(255), dtype=np.float32)


def _scale_to(image, side):
    height, width = image.shape
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def check_image(image: np.ndarray) -> None:
    """Raise ValueError or TypeError, which says what to do, if an image is not a ``uint8`` array of shape (h, w)."""
    if not isinstance(image, np.ndarray):
        hint = "; its ink is one: give drawing.ink" if hasattr(image, "ink") else ""
        raise TypeError(f"A drawing must be an Ink or a NumPy array of shape (h, w), not {type(image).__name__}{hint}.")
    if image.ndim == 3 and image.shape[2] in (3, 4):
        raise ValueError(
            f"This image has colours (shape {image.shape}); make it grey first: "
            "cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)."
        )
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"An image must be of shape (h, w), not {image.shape}; for several use predict_many.")
    if image.dtype != np.uint8:
        if image.dtype.kind not in "iufb":
            raise ValueError(f"An image must hold numbers, uint8, 0 (black) to 255 (white), not {image.dtype}.")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise ValueError("This image holds NaN or infinite values; an image is uint8, 0 (black) to 255 (white).")
        if image.min() < 0:
            raise ValueError("This image holds negative values; an image is uint8, 0 (black) to 255 (white).")
        top = float(image.max())
        factor = "255" if top <= 1 else "(255 / image.max())"
        values = "image" if 1 < top <= 255 else f"(image * {factor})"
        raise ValueError(
            f"An image must be uint8, 0 to 255, not {image.dtype}; convert it with {values}.round().astype('uint8')."
        )
