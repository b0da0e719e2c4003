"""How long it takes to 97 % and to 99 %, beside the Keras example: uv run python benchmarks/training.py.

Accuracy is taken on 5,000 training digits that were held out, every 50 steps, with the clock stopped. The layers and
settings it is compared with are those of Keras's example "Simple MNIST convnet" (F. Chollet, 2015).
"""

import time

from digitlab import network
from digitlab.data import load_mnist
from digitlab.prepare import network_input

keras = network.keras
GOALS = (0.97, 0.99)
HELD_OUT = 5000
MOST_EPOCHS = 15


class Clock(keras.callbacks.Callback):
    """Note when each goal is reached first; stop when all are."""

    def __init__(self, images, labels):
        super().__init__()
        self.images, self.labels = images, labels
        self.reached = {}
        self.seconds = 0.0

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if batch % 50:
            return
        self.seconds += time.perf_counter() - self.start
        accuracy = network.accuracy(self.model, self.images, self.labels)
        for goal in GOALS:
            if accuracy >= goal and goal not in self.reached:
                self.reached[goal] = self.seconds
        self.model.stop_training = len(self.reached) == len(GOALS)
        self.start = time.perf_counter()


def ours(images, labels, clock):
    """Train the kit's network as `digitlab train` does."""
    network.train(network.build(), images, labels, callbacks=[clock])


def keras_example(images, labels, clock):
    """Train the Keras example's layers with its settings."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(network_input(images), labels, batch_size=128, epochs=MOST_EPOCHS, callbacks=[clock])


def main():
    """Train each, print when the goals were reached, and the ratios."""
    (images, labels), _ = load_mnist()
    clocks = {}
    for train in (ours, keras_example):
        keras.utils.set_random_seed(0)
        clocks[train] = Clock(images[-HELD_OUT:], labels[-HELD_OUT:])
        train(images[:-HELD_OUT], labels[:-HELD_OUT], clocks[train])
    print("\nseconds of training until the accuracy on held-out digits was")
    print(f"{'':>8}{'ours':>10}{'Keras example':>16}{'ratio':>8}")
    for goal in GOALS:
        a, b = (clocks[train].reached.get(goal) for train in (ours, keras_example))
        ratio = f"{b / a:.1f} x" if a and b else "-"
        print(f"{goal:>8.0%}{_seconds(a):>10}{_seconds(b):>16}{ratio:>8}")


def _seconds(value):
    return "not reached" if value is None else f"{value:.1f} s"


if __name__ == "__main__":
    main()
