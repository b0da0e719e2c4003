"""How well the kit's network reads, and how much preparing helps: uv run python benchmarks/accuracy.py [FILE ...].

The network reads MNIST's test digits; letters, shapes, scribbles and pairs of digits drawn by code, in which it should
read none; and drawings prepared in three ways: those of the kit's held-out writers, or those of the FILEs, as for
`digitlab evaluate`. With --model PATH another network is measured.
"""

import argparse

import numpy as np

from digitlab import Recognizer, load_drawings, load_mnist, read_drawings
from digitlab.commands.evaluate import bitmap, with_edge
from digitlab.metrics import DIGITS
from digitlab.paths import SHIPPED_NETWORK
from digitlab.prepare import network_input, prepare, shrink
from digitlab.training.synthesis import draw_other

NO_DIGITS = 3000
"""Number of things drawn by code, in the ways of writing that the kit's network learned from, but with another seed."""

PREPARATIONS = {
    "the canvas resized": lambda ink: shrink(bitmap(ink)),
    "MNIST's recipe, from the bitmap": lambda ink: prepare(with_edge(bitmap(ink))),
    "MNIST's recipe, from the strokes": prepare,
}


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--model", default=SHIPPED_NETWORK)
    arguments = parser.parse_args()
    recognizer = Recognizer.load(arguments.model)

    def accuracy(images, labels):
        return np.mean(recognizer.probabilities(network_input(images)).argmax(axis=1) == labels)

    x_test, y_test = load_mnist()[1]
    print(f"MNIST's 10,000 test digits         {accuracy(x_test, y_test):.2%}")
    rng = np.random.default_rng(2026)
    predictions = recognizer.predict_many(draw_other(rng) for _ in range(NO_DIGITS))
    print(f"no digits, but read as one         {np.mean([p.reason is None for p in predictions]):.2%}")
    collections = {path: read_drawings(path) for path in arguments.files}
    if not collections:
        held_out = load_drawings("held-out")
        for source in ("pendigits", "unipen"):
            collections[f"{source}, held-out writers"] = [d for d in held_out if d.source == source]
    for collection, drawings in collections.items():
        digits = [drawing for drawing in drawings if drawing.label in DIGITS]
        labels = np.array([int(drawing.label) for drawing in digits])
        print(f"\n{len(digits):,} drawings: {collection}")
        for name, prepare_ink in PREPARATIONS.items():
            print(f"{name:<34} {accuracy([prepare_ink(drawing.ink) for drawing in digits], labels):.2%}")


if __name__ == "__main__":
    main()
