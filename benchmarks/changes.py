"""Which change of the lessons' network is worth what: uv run python benchmarks/changes.py [--results FILE]

One thing is changed at a time: the filters of the first convolution, the convolutions, dropout, the number of digits to
learn from. Each network is trained with several random seeds, because the same network comes out a little different
with each: a change that is worth less than this spread is worth nothing that one could see. All networks learn equally
long, in about 1,290 batches of 128 (three epochs of 55,000 digits; fewer digits are shown more often). The accuracy is
measured on the 5,000 held-out training digits, never on the test digits.

With --results FILE each training is noted there as soon as it ends, and a training that is noted is not repeated: so
one can stop it and go on later. The 21 trainings take as long as 60 epochs of the notebook's training.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

from digitlab import network
from digitlab.data import load_mnist
from digitlab.prepare import SIDE, network_input

keras = network.keras
HELD_OUT = 5000
BATCH_SIZE, BATCHES = 128, 1290

CHANGES = {
    "as in the notebook": {},
    "no convolution": {"filters": 0},
    "1 filter, not 16": {"filters": 1},
    "4 filters, not 16": {"filters": 4},
    "no dropout": {"dropout": 0.0},
    "5,000 digits, not 55,000": {"digits": 5000},
    "500 digits, not 55,000": {"digits": 500},
}
"""What differs from the notebook's network: 16 filters in the first convolution, dropout 0.3, 55,000 digits."""


def build(filters: int = 16, dropout: float = 0.3) -> keras.Model:
    """Build the network of `digitlab.network.build` with a change; without filters it has no convolution at all."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1))])
    if filters:
        for count in (filters, 64):
            model.add(layers.Conv2D(count, 3, activation="relu"))
            model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def measure(x: np.ndarray, y: np.ndarray, seed: int, digits: int | None = None, **change) -> dict:
    """Train a network on the digits that are not held out; return how many of the held-out ones it misreads."""
    keras.utils.set_random_seed(seed)
    model = build(**change)
    model.compile(keras.optimizers.Adam(0.002), loss="sparse_categorical_crossentropy")
    x_train, y_train = network_input(x[:-HELD_OUT][:digits]), y[:-HELD_OUT][:digits]
    epochs = round(BATCHES / math.ceil(len(x_train) / BATCH_SIZE))
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    right = network.accuracy(model, x[-HELD_OUT:], y[-HELD_OUT:])
    return {"weights": model.count_params(), "misread": round((1 - right) * HELD_OUT)}


def table(results: list[dict]) -> str:
    """Return the results as text: for each change its weights, the mean accuracy, and the misread of each training."""
    lines = [f"{'':<26}{'weights':>9}{'accuracy':>10}   misread of {HELD_OUT:,}, each training"]
    for change in CHANGES:
        runs = [result for result in results if result["change"] == change]
        if runs:
            misread = sorted(run["misread"] for run in runs)
            accuracy = 1 - np.mean(misread) / HELD_OUT
            lines.append(f"{change:<26}{runs[0]['weights']:>9,}{accuracy:>10.2%}   {', '.join(map(str, misread))}")
    return "\n".join(lines)


def main():
    """Train all networks that are not noted yet; print the table after each round of seeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, help="a file to note each training in, and to go on from")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    (x, y), _ = load_mnist()
    results = []
    if arguments.results and arguments.results.exists():
        results = [json.loads(line) for line in arguments.results.read_text("utf-8").splitlines()]
    done = {(result["change"], result["seed"]) for result in results}
    for seed in range(arguments.seeds):
        for change, what in CHANGES.items():
            if (change, seed) in done:
                continue
            results.append({"change": change, "seed": seed, **measure(x, y, seed, **what)})
            if arguments.results:
                with arguments.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(results[-1]) + "\n")
        print(f"{seed + 1} of {arguments.seeds} trainings each\n{table(results)}\n", flush=True)


if __name__ == "__main__":
    main()
