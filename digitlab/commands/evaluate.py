"""The command ``digitlab evaluate``: how well a network reads a file of drawings."""

import argparse
import json
import sys
from pathlib import Path

from digitlab.files import atomic_write
from digitlab.paths import SHIPPED_NETWORK, shown

HELP = "measure how well a network reads a file of drawings"


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    parser = subparsers.add_parser("evaluate", help=HELP, description=f"{HELP.capitalize()}.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="drawings: JSON lines, plain or gzipped, or files of the UCI's pendigits-orig",
    )
    parser.add_argument(
        "--model", default=SHIPPED_NETWORK, metavar="PATH", help="the network (default: the one that came with the kit)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument(
        "--bitmap", action="store_true", help="read the drawings as images: 280 pixels high, with a pen of 20 pixels"
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE.png",
        help="save an image of the misread digits, the most confident first: label and answer",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the drawings and print the results; return the exit status."""
    from digitlab.ink import read_drawings
    from digitlab.metrics import evaluate, misread
    from digitlab.recognizer import Recognizer

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
    results = evaluate(labelled, predictions)
    print(json.dumps(results) if arguments.json else _table(results))
    if arguments.picture:
        _save_image(arguments.picture, misread(labelled, predictions))
    return 0


def bitmap(ink):
    """Return an image of an ink on a canvas 280 pixels high, drawn with a pen of 20 pixels: uint8 (280, w).

    A canvas that would become wider than `MAX_CANVAS` is scaled to that width, and is less high.
    """
    from digitlab.ink import MAX_CANVAS, Ink

    width, height = ink.size
    scale = min(280 / height, MAX_CANVAS / width)
    return Ink([stroke * scale for stroke in ink.strokes], (width * scale, min(height * scale, 280))).render(pen=20)


def _save_image(path, pairs, columns=12, max_count=240):
    """Save the images that the network saw, with label and answer below; `pairs` are a Drawing and its Prediction."""
    import cv2
    import numpy as np

    from digitlab.recognizer import percent

    side, margin, line = 84, 6, 22
    blank = np.full((side + line + 2 * margin, side + 2 * margin), 255, np.uint8)
    tiles = []
    for drawing, prediction in pairs[:max_count]:
        tile = blank.copy()
        image = cv2.resize(prediction.image, (side, side), interpolation=cv2.INTER_NEAREST)
        tile[margin : margin + side, margin : margin + side] = 255 - image
        text = f"{drawing.label} as {prediction.probabilities.argmax()}, {percent(prediction.confidence)}"
        if prediction.reason == "empty":
            text = f"{drawing.label}: empty"
        cv2.putText(tile, text, (margin, side + margin + 16), (0, 0, 0), cv2.FontFace("sans"), 13)
        tiles.append(tile)
    tiles += [blank] * (-len(tiles) % columns if tiles else columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    atomic_write(path, cv2.imencode(".png", np.vstack(rows))[1].tobytes())


def _percent(share):
    return "-" if share is None else f"{share:.2%}"


def _table(results):
    lines = [
        f"drawings                    {results['drawings']:>9,}",
        f"accuracy                    {_percent(results['accuracy']):>9}",
        f"accepted                    {_percent(results['accepted']):>9}",
        f"accuracy among the accepted {_percent(results['accepted_accuracy']):>9}",
        f"expected calibration error  {results['ece']:>9.4f}",
    ]
    if "empty" in results:
        lines.append(f"empty drawings              {results['empty']:>9,}   (errors; left out of the table below)")
    if "others" in results:
        lines += [
            f"other drawings              {results['others']:>9,}",
            f"area under the ROC curve    {results['auroc']:>9.4f}",
        ]
    lines += ["", "digit  drawings  accuracy   read as " + "".join(f"{digit:>6}" for digit in range(10))]
    for digit, row in results["per_digit"].items():
        counts = "".join(f"{count or '.':>6}" for count in results["confusion"][int(digit)])
        lines.append(f"{digit:>5}  {row['drawings']:>8,}  {_percent(row['accuracy']):>8}           {counts}")
    return "\n".join(lines)
