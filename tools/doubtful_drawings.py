"""Draw sheets of drawings by people that may be no digit or mislabelled: uv run python tools/doubtful_drawings.py.

Candidates are the digits that a network misreads, the least likely label first; the letters that
it takes most for a digit; and what is hardly more than a straight line or a dot. Each is named by its collection and
the line that it has there, as in digitlab/people/left_out.tsv. Which of them are left out, a person decides, drawing by
drawing: only what is plainly no digit or mislabelled, never what is merely hard to read. A network that learned from
these writers excuses too much: pass one that did not, with --model.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from digitlab import Recognizer
from digitlab.ink import draw_strokes
from digitlab.metrics import DIGITS, is_right
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.people import every_drawing

SIDE, LINE, COLUMNS, ROWS = 100, 18, 12, 8
MAX_LETTERS = 150
MAX_STRAIGHT = 0.12
SHORT = {"pendigits": "p", "unipen": "u", "unipen-letters": "l"}


def straightness(ink):
    """Return how far the points of an ink are from a straight line: 0 for a line or a dot, 1 for a circle."""
    points = np.concatenate(ink.strokes)
    along, across = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[:2] if len(points) > 1 else (1, 0)
    return across / max(along, 1e-9)


def candidates(drawings, predictions):
    """Return the doubtful drawings by what makes them so: for each a list of numbers of drawings."""
    misread, letters, straight = [], [], []
    for number, (drawing, prediction) in enumerate(zip(drawings, predictions, strict=True)):
        if drawing.label not in DIGITS:
            letters.append((-prediction.confidence, number))
        elif not is_right(drawing, prediction) or prediction.reason == "not a digit":
            share = prediction.probabilities[int(drawing.label)] * prediction.confidence
            misread.append((share, number))
        if drawing.label != "1" and (angle := straightness(drawing.ink)) < MAX_STRAIGHT:
            straight.append((angle, number))
    found = {"misread": sorted(misread), "letters": sorted(letters)[:MAX_LETTERS], "straight": sorted(straight)}
    return {name: [number for _, number in pairs] for name, pairs in found.items()}


def sheet(drawings, predictions, lines):
    """Draw up to `ROWS` x `COLUMNS` drawings: uint8 image. Below each: its line, its label, the digit read."""
    tiles = []
    for drawing, prediction, line in zip(drawings, predictions, lines, strict=True):
        tile = np.full((SIDE + LINE, SIDE), 255, np.uint8)
        points = np.concatenate(drawing.ink.strokes)
        size = np.ptp(points, axis=0)
        scale = (SIDE - 14) / max(size.max(), 1)
        offset = (SIDE - size * scale) / 2 - points.min(axis=0) * scale
        tile[:SIDE] -= draw_strokes([stroke * scale + offset for stroke in drawing.ink.strokes], (SIDE, SIDE), 4, 4)
        read = "-" if prediction.reason == "not a digit" else prediction.probabilities.argmax()
        words = f"{SHORT[drawing.source]}{line} {drawing.label}>{read}"
        cv2.putText(tile, words, (3, SIDE + 13), (0, 0, 0), cv2.FontFace("sans"), 12)
        tiles.append(tile)
    tiles += [np.full((SIDE + LINE, SIDE), 255, np.uint8)] * (-len(tiles) % COLUMNS)
    return np.vstack([np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)])


def main():
    """Write the sheets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=MNIST_ONLY_NETWORK, help="the network that finds them (default: mnist_only)")
    parser.add_argument("--output", type=Path, default=Path("artefacts"), help="the folder of the sheets")
    arguments = parser.parse_args()
    lines, drawings = zip(*every_drawing(), strict=True)
    predictions = Recognizer.load(arguments.model).predict_many(drawing.ink for drawing in drawings)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, numbers in candidates(drawings, predictions).items():
        for page, start in enumerate(range(0, len(numbers), ROWS * COLUMNS), 1):
            chosen = numbers[start : start + ROWS * COLUMNS]
            columns = [[column[number] for number in chosen] for column in (drawings, predictions, lines)]
            cv2.imwrite(str(arguments.output / f"doubtful-{name}-{page}.png"), sheet(*columns))
        print(f"{name}: {len(numbers)}")


if __name__ == "__main__":
    main()
