"""How well a network reads a file of drawings: ``digitlab evaluate FILE``. It stands on `recognizer`."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

from digitlab.ink import Ink, read_drawings
from digitlab.places import SHIPPED_NETWORK, shown
from digitlab.recognizer import Recognizer, percent

CALIBRATION_BINS = 15
DIGITS = frozenset("0123456789")


def add_arguments(parser):
    """Describe the command's arguments to an ArgumentParser."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="drawings: JSON lines, plain or gzipped, or the UCI's pendigits-orig files",
    )
    parser.add_argument(
        "--model", default=SHIPPED_NETWORK, metavar="PATH", help="the network (default: the one that came with the kit)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument(
        "--bitmap", action="store_true", help="read the drawings as pictures: 280 pixels high, with a pen of 20 pixels"
    )
    parser.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="draw the misread digits, the surest first: label and answer"
    )


def run(arguments):
    """Read the drawings and print the figures; return the exit status."""
    recognizer = Recognizer.load(arguments.model)
    drawings = []
    for file in arguments.files:

        def leave_out(number, reason, file=file):
            print(f"Line {number} of {shown(file)} is left out: {reason}.", file=sys.stderr)

        drawings += read_drawings(file, on_bad_line=leave_out)
    labelled = [drawing for drawing in drawings if drawing.label is not None]
    unlabelled = len(drawings) - len(labelled)
    if unlabelled:
        words = "drawing has no label and is" if unlabelled == 1 else "drawings have no label and are"
        print(f"{unlabelled} {words} left out.", file=sys.stderr)
    predictions = recognizer.predict_many(bitmap(d.ink) if arguments.bitmap else d.ink for d in labelled)
    figures = evaluate(labelled, predictions)
    print(json.dumps(figures) if arguments.json else _table(figures))
    if arguments.picture:
        _save_picture(arguments.picture, misread(labelled, predictions))
    return 0


def bitmap(ink):
    """Draw an ink as a canvas 280 pixels high shows it, with a pen of 20 pixels: uint8 (280, w)."""
    width, height = ink.size
    scale = 280 / height
    return Ink([stroke * scale for stroke in ink.strokes], (width * scale, 280)).render(pen=20)


def evaluate(drawings, predictions):
    """Measure how well a network reads drawings.

    Parameters
    ----------
    drawings : sequence of Drawing
        Each with its label. Those whose label is no digit only enter ``others`` and ``auroc``.
    predictions : sequence of Prediction
        What a network made of each.

    Returns
    -------
    dict
        ``drawings``
            How many digits there are.
        ``accuracy``
            Share of them whose label has the largest probability, accepted or not; an empty drawing is never right.
        ``accepted``, ``accepted_accuracy``
            Share of them that a digit was read in, and the accuracy among those (None where there are none).
        ``ece``
            Expected calibration error: how far confidence and accuracy are apart, averaged over 15 equal bins of
            confidence, each weighted with its drawings (C. Guo et al., "On Calibration of Modern Neural Networks",
            2017).
        ``per_digit``
            For each digit that occurs: ``drawings``, ``accuracy``, ``accepted``.
        ``confusion``
            10 x 10 counts: the row is the label, the column the digit with the largest probability.
        ``others``, ``auroc``
            Only where some labels are no digits: how many, and the area under the ROC curve of confidence, the chance
            that a digit gets a higher confidence than something else.

    Raises
    ------
    ValueError
        Where no drawing is labelled with a digit.
    """
    is_digit = np.array([drawing.label in DIGITS for drawing in drawings], bool)
    if not is_digit.any():
        raise ValueError("There is nothing to measure: no drawing is labelled with a digit, 0 to 9.")
    confidence = np.array([prediction.confidence for prediction in predictions])
    digits = [prediction for prediction, keep in zip(predictions, is_digit, strict=True) if keep]
    labels = np.array([int(drawing.label) for drawing, keep in zip(drawings, is_digit, strict=True) if keep])
    likeliest = np.array([prediction.probabilities.argmax() for prediction in digits])
    accepted = np.array([prediction.digit is not None for prediction in digits])
    right = np.array([is_right(*pair) for pair in zip(drawings, predictions, strict=True)])[is_digit]
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, likeliest), 1)
    figures = {
        "drawings": len(digits),
        "accuracy": _share(right),
        "accepted": _share(accepted),
        "accepted_accuracy": _share(right[accepted]),
        "ece": calibration_error(confidence[is_digit], right),
        "per_digit": {
            str(digit): {
                "drawings": int((labels == digit).sum()),
                "accuracy": _share(right[labels == digit]),
                "accepted": _share(accepted[labels == digit]),
            }
            for digit in np.unique(labels)
        },
        "confusion": confusion.tolist(),
    }
    if not is_digit.all():
        figures["others"] = int((~is_digit).sum())
        figures["auroc"] = roc_area(confidence[is_digit], confidence[~is_digit])
    return figures


def is_right(drawing, prediction):
    """Tell whether a drawing's label has the largest probability, accepted or not; an empty drawing is never right."""
    return prediction.reason != "empty" and str(prediction.probabilities.argmax()) == drawing.label


def misread(drawings, predictions):
    """Return the drawings of digits whose largest probability is another digit's, each with its prediction.

    Parameters
    ----------
    drawings : sequence of Drawing
    predictions : sequence of Prediction

    Returns
    -------
    list of (Drawing, Prediction)
        The largest confidence first.
    """
    pairs = [
        (drawing, prediction)
        for drawing, prediction in zip(drawings, predictions, strict=True)
        if drawing.label in DIGITS and prediction.probabilities.argmax() != int(drawing.label)
    ]
    return sorted(pairs, key=lambda pair: -pair[1].confidence)


def calibration_error(confidence, right, bins=CALIBRATION_BINS):
    """Return the expected calibration error, 0..1.

    Parameters
    ----------
    confidence : float array (n,)
        0..1.
    right : bool array (n,)
    bins : int, optional
        How many equal parts 0..1 is cut into.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def roc_area(positives, negatives):
    """Return the area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Parameters
    ----------
    positives, negatives : float array (n,), (m,)
        The scores of what should score high, and of what should score low.
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / 2 / len(ordered))


def _save_picture(path, pairs, columns=12, most=240):
    """Draw pairs of Drawing and Prediction as the network saw them, label and answer under each."""
    side, margin, line = 84, 6, 22
    blank = np.full((side + line + 2 * margin, side + 2 * margin), 255, np.uint8)
    tiles = []
    for drawing, prediction in pairs[:most]:
        tile = blank.copy()
        seen = cv2.resize(prediction.image, (side, side), interpolation=cv2.INTER_NEAREST)
        tile[margin : margin + side, margin : margin + side] = 255 - seen
        words = f"{drawing.label} as {prediction.probabilities.argmax()}, {percent(prediction.confidence)}"
        cv2.putText(tile, words, (margin, side + margin + 16), (0, 0, 0), cv2.FontFace("sans"), 13)
        tiles.append(tile)
    tiles += [blank] * (-len(tiles) % columns if tiles else columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    path.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())


def _share(flags):
    return float(flags.mean()) if len(flags) else None


def _percent(share):
    return "-" if share is None else f"{share:.2%}"


def _table(figures):
    lines = [
        f"drawings                    {figures['drawings']:>9,}",
        f"accuracy                    {_percent(figures['accuracy']):>9}",
        f"accepted                    {_percent(figures['accepted']):>9}",
        f"accuracy among the accepted {_percent(figures['accepted_accuracy']):>9}",
        f"expected calibration error  {figures['ece']:>9.4f}",
    ]
    if "others" in figures:
        lines += [
            f"other drawings              {figures['others']:>9,}",
            f"area under the ROC curve    {figures['auroc']:>9.4f}",
        ]
    lines += ["", "digit  drawings  accuracy   read as " + "".join(f"{digit:>6}" for digit in range(10))]
    for digit, row in figures["per_digit"].items():
        counts = "".join(f"{count or '.':>6}" for count in figures["confusion"][int(digit)])
        lines.append(f"{digit:>5}  {row['drawings']:>8,}  {_percent(row['accuracy']):>8}           {counts}")
    return "\n".join(lines)
