"""How often the position, the size or the pen changes what is read: uv run python benchmarks/steadiness.py [FILE ...]

The drawings are those of the kit's held-out writers, or those of the FILEs, as for `digitlab evaluate`. With --model
PATH another network is measured. Each drawing is read unchanged; then moved and scaled to 0.15 to
1.5 of its canvas; then as an image 240 pixels large, drawn with pens of 4 to 20 % of that. The shares are of the
drawings whose most probable digit never changes.
"""

import argparse

import numpy as np

from digitlab import Ink, Recognizer, load_drawings, read_drawings
from digitlab.metrics import DIGITS
from digitlab.paths import SHIPPED_NETWORK

SCALES = (0.15, 0.3, 0.6, 1, 1.5)
PENS = (0.04, 0.08, 0.12, 0.16, 0.20)


def move(ink, scale, rng):
    """Scale an ink so that its longer side is this part of its canvas, and move it at random."""
    points = np.concatenate(ink.strokes)
    factor = scale * max(ink.size) / max(np.ptp(points, axis=0).max(), 1)
    offset = rng.uniform(-0.5, 1, 2) * ink.size
    return Ink([(stroke - points.min(axis=0)) * factor + offset for stroke in ink.strokes], ink.size)


def bitmap(ink, pen):
    """Draw an ink 240 pixels large, pen included, in the middle of an image; the pen is given as a part of the 240."""
    points = np.concatenate(ink.strokes)
    scale = 240 * (1 - pen) / max(np.ptp(points, axis=0).max(), 1)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return Ink([(stroke - middle) * scale + 140 for stroke in ink.strokes]).render(pen * 240)


def main():
    """Print the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--model", default=SHIPPED_NETWORK)
    arguments = parser.parse_args()
    recognizer = Recognizer.load(arguments.model)
    drawings = [drawing for path in arguments.files for drawing in read_drawings(path)]
    if not arguments.files:
        drawings = [drawing for drawing in load_drawings("held-out") if drawing.label in DIGITS]
    inks = [drawing.ink for drawing in drawings if drawing.ink]

    def most_probable(drawings):
        return np.array([prediction.probabilities.argmax() for prediction in recognizer.predict_many(drawings)])

    rng = np.random.default_rng(0)
    before = most_probable(inks)
    moved = [most_probable(move(ink, scale, rng) for ink in inks) == before for scale in SCALES]
    print(f"{len(inks):,} drawings")
    print(f"the same digit at any position and size     {np.all(moved, axis=0).mean():.2%}")
    pens = np.array([most_probable(bitmap(ink, pen) for ink in inks) for pen in PENS])
    print(f"the same digit with every pen, as an image  {(pens == pens[0]).all(axis=0).mean():.2%}")


if __name__ == "__main__":
    main()
