"""How well the kit's network reads, and how much preparing helps: uv run python benchmarks/accuracy.py [FILE ...].

With --model PATH another network is measured. Each FILE holds drawings, as for `digitlab evaluate`. The network reads
them prepared in three ways.
"""

import argparse

import numpy as np

from digitlab import Recognizer, load_mnist, read_drawings
from digitlab.commands.evaluate import bitmap
from digitlab.metrics import DIGITS
from digitlab.paths import SHIPPED_NETWORK
from digitlab.prepare import network_input, prepare, shrink

PREPARATIONS = {
    "the canvas resized": lambda ink: shrink(bitmap(ink)),
    "MNIST's recipe, from the bitmap": lambda ink: prepare(bitmap(ink)),
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
    for path in arguments.files:
        drawings = [drawing for drawing in read_drawings(path) if drawing.label in DIGITS]
        labels = np.array([int(drawing.label) for drawing in drawings])
        print(f"\n{len(drawings):,} drawings of {path}")
        for name, prepare_ink in PREPARATIONS.items():
            print(f"{name:<34} {accuracy([prepare_ink(drawing.ink) for drawing in drawings], labels):.2%}")


if __name__ == "__main__":
    main()
