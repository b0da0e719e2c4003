"""Training time to 97 % and 99 %, compared with a Keras example: uv run python benchmarks/training.py.

Accuracy is measured on 5,000 held-out training digits every 50 steps, with the clock stopped. Layers and settings of
the other network are those of Keras's example "Simple MNIST convnet" (F. Chollet, 2015).
"""

import time

from digitlab import network
from digitlab.data import load_mnist
from digitlab.prepare import network_input

keras = network.keras
GOALS = (0.97, 0.99)
HELD_OUT = 5000
MAX_EPOCHS = 15


class Clock(keras.callbacks.Callback):
    """Note when each goal is first reached; stop when all are."""

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


def ours(x_train, y_train, clock):
    """Train the kit's network as `digitlab train` does."""
    network.train(network.build(), x_train, y_train, callbacks=[clock])


def keras_example(x_train, y_train, clock):
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
    model.fit(network_input(x_train), y_train, batch_size=128, epochs=MAX_EPOCHS, callbacks=[clock])


def main():
    """Train both; print when they reach the goals, and the ratios."""
    (x_train, y_train), _ = load_mnist()
    clocks = {}
    for train in (ours, keras_example):
        keras.utils.set_random_seed(0)
        clocks[train] = Clock(x_train[-HELD_OUT:], y_train[-HELD_OUT:])
        train(x_train[:-HELD_OUT], y_train[:-HELD_OUT], clocks[train])
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
