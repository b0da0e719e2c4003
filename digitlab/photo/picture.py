"""A photo with what was found on it."""

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.recognizer import Prediction

GREEN, AMBER = (0, 128, 55), (190, 95, 0)
"""The colours of the boxes: read; not sure, or no digit. Red, green and blue; dark enough for white paper."""


def mark(photo: np.ndarray, boxes: Sequence, predictions: Sequence[Prediction]) -> np.ndarray:
    """Draw a box with its answer around each digit of a photo.

    Parameters
    ----------
    photo : uint8 array (h, w) or (h, w, 3)
    boxes : sequence of (x, y, width, height)
    predictions : sequence of Prediction

    Returns
    -------
    uint8 array (h, w, 3)
        A copy. Green boxes with the digit that is read; amber ones with ? where the network is not sure, or sees no
        digit.
    """
    marked = cv2.cvtColor(photo, cv2.COLOR_GRAY2RGB) if photo.ndim == 2 else np.ascontiguousarray(photo).copy()
    line = max(1, round(max(photo.shape) / 700))
    for (x, y, width, height), prediction in zip(boxes, predictions, strict=True):
        colour = GREEN if prediction.digit is not None else AMBER
        cv2.rectangle(marked, (x - line, y - line), (x + width + line, y + height + line), colour, line, cv2.LINE_AA)
        text = "?" if prediction.digit is None else str(prediction.digit)
        size = max(0.5, height / 60)
        (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, line + 1)
        # Beside the box's upper edge, as far as the photo reaches.
        at = min(x + width + 2 * line, photo.shape[1] - text_width), max(y, text_height + line)
        cv2.putText(marked, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, line + 1)
    return marked
