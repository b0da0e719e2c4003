"""The command ``digitlab evaluate``: how well a network reads drawings."""

import argparse
import json
import sys

from digitlab.commands import png_path
from digitlab.files import atomic_write
from digitlab.paths import SHIPPED_NETWORK, command, shown

HELP = "measure how well a network reads drawings"

MAX_BAD_LINES = 3
"""Maximum number of lines of a file that are named because they are no drawings."""

MAX_SHOWN = 240
"""Maximum number of misread digits that are shown in a picture."""


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    parser = subparsers.add_parser("evaluate", help=HELP, description=f"{HELP.capitalize()}.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="drawings: JSON lines, plain or gzipped, or files of the UCI's pendigits-orig",
    )
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="read the drawings that come with the kit, of the writers that its network did not learn from; their "
        "letters show how well it finds what is no digit",
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
        type=png_path,
        metavar="FILE.png",
        help=f"save an image of the misread digits, the {MAX_SHOWN} most confident: label and answer; "
        "replaces an older one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the drawings and print the results; return the exit status."""
    from digitlab.data import load_drawings
    from digitlab.ink import read_drawings
    from digitlab.metrics import evaluate, misread
    from digitlab.recognizer import Recognizer

    if not arguments.files and not arguments.held_out:
        raise ValueError("Nothing to read: name a file of drawings, or use --held-out for drawings of the kit.")
    recognizer = Recognizer.load(arguments.model)
    drawings = load_drawings("held-out") if arguments.held_out else []
    for file in arguments.files:
        bad_lines = []
        found = read_drawings(file, on_bad_line=lambda *line, bad_lines=bad_lines: bad_lines.append(line))
        if bad_lines and not found:
            raise ValueError(
                f"{shown(file)} is no file of drawings: no line of it is a drawing. Line {bad_lines[0][0]}: "
                f"{bad_lines[0][1]}. A picture is read by: {command('read')} FILE"
            )
        for number, reason in bad_lines[:MAX_BAD_LINES]:
            print(f"Line {number} of {shown(file)} is left out: {reason}.", file=sys.stderr)
        if len(bad_lines) > MAX_BAD_LINES:
            print(f"So are {len(bad_lines) - MAX_BAD_LINES:,} more of its lines.", file=sys.stderr)
        drawings += found
    labelled = [drawing for drawing in drawings if drawing.label is not None]
    unlabelled = len(drawings) - len(labelled)
    if unlabelled:
        words = "drawing has no label and is" if unlabelled == 1 else "drawings have no label and are"
        print(f"{unlabelled} {words} left out.", file=sys.stderr)
    predictions = recognizer.predict_many(with_edge(bitmap(d.ink)) if arguments.bitmap else d.ink for d in labelled)
    results = evaluate(labelled, predictions)
    print(json.dumps(results) if arguments.json else _table(results))
    if arguments.picture and (pairs := misread(labelled, predictions)):
        _save_image(arguments.picture, pairs)
    elif arguments.picture:
        print(f"No digit was misread, so {shown(arguments.picture)} was not written.", file=sys.stderr)
    return 0


def bitmap(ink):
    """Return an image of an ink on a canvas 280 pixels high, drawn with a pen of 20 pixels: uint8 (280, w).

    A canvas that would become wider than `MAX_CANVAS` is scaled to that width, and is less high.
    """
    from digitlab.ink import MAX_CANVAS, MAX_COORDINATE, Ink

    width, height = ink.size
    scale = min(280 / height, MAX_CANVAS / width)
    strokes = [(stroke * scale).clip(-MAX_COORDINATE, MAX_COORDINATE) for stroke in ink.strokes]
    return Ink(strokes, (min(max(1, width * scale), MAX_CANVAS), max(1, min(height * scale, 280)))).render(pen=20)


def with_edge(image):
    """Return an image with a black edge: one that the pen fills would be taken for an inverted one."""
    import numpy as np

    return np.pad(image, 1)


def _save_image(path, pairs, columns=12):
    """Save the images that the network saw, with label and answer below; `pairs` are a Drawing and its Prediction."""
    import cv2
    import numpy as np

    from digitlab.recognizer import percent

    side, margin, line = 84, 6, 22
    blank = np.full((side + line + 2 * margin, side + 2 * margin), 255, np.uint8)
    tiles = []
    for drawing, prediction in pairs[:MAX_SHOWN]:
        tile = blank.copy()
        image = cv2.resize(prediction.image, (side, side), interpolation=cv2.INTER_NEAREST)
        tile[margin : margin + side, margin : margin + side] = 255 - image
        text = f"{drawing.label} as {prediction.probabilities.argmax()}, {percent(prediction.confidence)}"
        if prediction.reason == "empty":
            text = f"{drawing.label}: empty"
        cv2.putText(tile, text, (margin, side + margin + 16), (0, 0, 0), cv2.FontFace("sans"), 13)
        tiles.append(tile)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    atomic_write(path, cv2.imencode(".png", np.vstack(rows))[1].tobytes())


def _percent(share):
    return "-" if share is None else f"{share:.2%}"


def _interval(ends, form="{:.2%}"):
    return "" if ends is None else f"{form.format(ends[0])} to {form.format(ends[1])}"


def _table(results):
    intervals = results["intervals"]
    rows = [("drawings", f"{results['drawings']:,}", "95 % interval")]
    rows += [
        (words, _percent(results[name]), _interval(intervals[name]))
        for name, words in (
            ("accuracy", "accuracy"),
            ("accepted", "accepted"),
            ("accepted_accuracy", "accuracy among the accepted"),
        )
    ]
    rows.append(("expected calibration error", f"{results['ece']:.4f}", ""))
    if "empty" in results:
        rows.append(("empty drawings", f"{results['empty']:,}", '(errors; not among the counts of "read as")'))
    if "others" in results:
        rows.append(("other drawings", f"{results['others']:,}", ""))
        rows.append(("area under the ROC curve", f"{results['auroc']:.4f}", _interval(intervals["auroc"], "{:.4f}")))
    for source, part in results.get("per_source", {}).items():
        words = f"accuracy in {source or 'your files'} ({part['drawings']:,})"
        rows.append((words, _percent(part["accuracy"]), _interval(part["interval"])))
    if "writers" in results:
        rows += _writer_rows(results["writers"])
    lines = [f"{words:<38} {value:>9}   {interval}".rstrip() for words, value, interval in rows]
    head = "digit  drawings  accuracy      95 % interval     read as "
    lines += ["", head + "".join(f"{digit:>6}" for digit in range(10))]
    for digit, row in results["per_digit"].items():
        counts = "".join(f"{count or '.':>6}" for count in results["confusion"][int(digit)])
        lines.append(
            f"{digit:>5}  {row['drawings']:>8,}  {_percent(row['accuracy']):>8}  {_interval(row['interval']):>17}"
            f"             {counts}"
        )
    return "\n".join(lines)


def _writer_rows(writers):
    tenth = writers["worst_tenth"]
    words = f"the worst tenth ({tenth['writers']}, {tenth['drawings']:,} drawings)"
    rows = [
        ("writers", f"{writers['count']:,}", ""),
        (words, _percent(tenth["accuracy"]), _interval(tenth["interval"])),
    ]
    for row in writers["worst"]:
        name = " ".join(word for word in (row["source"], row["writer"]) if word is not None)
        name = name if name.isprintable() else ascii(name)[1:-1]  # It may come from somebody else's file.
        rows.append((f"  {name[:24]} ({row['drawings']:,})", _percent(row["accuracy"]), _interval(row["interval"])))
    return rows
