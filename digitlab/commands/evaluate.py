"""``digitlab evaluate FILE``: print how well a network reads a file of drawings."""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from digitlab.ink import MAX_CANVAS, Ink, read_drawings
from digitlab.metrics import evaluate, misread
from digitlab.paths import SHIPPED_NETWORK, shown
from digitlab.recognizer import Recognizer, percent


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


def run(arguments: argparse.Namespace) -> int:
    """Read the drawings and print the figures; return the exit status."""
    recognizer = Recognizer.load(arguments.model)
    drawings = []
    for file in arguments.files:

        def warn(number, reason, file=file):
            print(f"Line {number} of {shown(file)} is left out: {reason}.", file=sys.stderr)

        drawings += read_drawings(file, on_bad_line=warn)
    labelled = [drawing for drawing in drawings if drawing.label is not None]
    unlabelled = len(drawings) - len(labelled)
    if unlabelled:
        words = "drawing has no label and is" if unlabelled == 1 else "drawings have no label and are"
        print(f"{unlabelled} {words} left out.", file=sys.stderr)
    predictions = recognizer.predict_many(bitmap(d.ink) if arguments.bitmap else d.ink for d in labelled)
    figures = evaluate(labelled, predictions)
    print(json.dumps(figures) if arguments.json else _table(figures))
    if arguments.picture:
        _save_image(arguments.picture, misread(labelled, predictions))
    return 0


def bitmap(ink: Ink) -> np.ndarray:
    """Draw an ink on a canvas 280 pixels high, with a pen of 20 pixels: uint8 (280, w).

    A canvas that would become wider than `MAX_CANVAS` is scaled to that width, and is less high.
    """
    width, height = ink.size
    scale = min(280 / height, MAX_CANVAS / width)
    return Ink([stroke * scale for stroke in ink.strokes], (width * scale, min(height * scale, 280))).render(pen=20)


def _save_image(path, pairs, columns=12, max_pairs=240):
    """Draw pairs of Drawing and Prediction as the network sees them, with the label and what is read under each."""
    side, margin, line = 84, 6, 22
    blank = np.full((side + line + 2 * margin, side + 2 * margin), 255, np.uint8)
    tiles = []
    for drawing, prediction in pairs[:max_pairs]:
        tile = blank.copy()
        seen = cv2.resize(prediction.image, (side, side), interpolation=cv2.INTER_NEAREST)
        tile[margin : margin + side, margin : margin + side] = 255 - seen
        text = f"{drawing.label} as {prediction.probabilities.argmax()}, {percent(prediction.confidence)}"
        if prediction.reason == "empty":
            text = f"{drawing.label}: empty"
        cv2.putText(tile, text, (margin, side + margin + 16), (0, 0, 0), cv2.FontFace("sans"), 13)
        tiles.append(tile)
    tiles += [blank] * (-len(tiles) % columns if tiles else columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    path.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())


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
    if "empty" in figures:
        lines.append(f"empty drawings              {figures['empty']:>9,}   (errors; left out of the table below)")
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
