"""How the shipped network is made: ``digitlab train --recipe full``.

The network is trained on MNIST and on drawings made by code (`synthesis`), each changed anew whenever it is shown
(`augment`). Nobody's recorded handwriting is used. Besides the ten digits the network has an eleventh output: "not a
digit". At the end `calibrate` corrects its confidence on drawings that it was not trained on.

All choices were made with MNIST's training digits (its last 6,000 or 20,000 were held out for that) and with drawings
made by code, never with MNIST's test digits.
"""

from collections.abc import Sequence

import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.network import keras, probabilities
from digitlab.prepare import SIDE, network_input
from digitlab.recognizer import apply_temperature
from digitlab.training.augment import augment
from digitlab.training.synthesis import synthesize

DRAWINGS = 240_000
"""Number of drawings made by code for training. Each epoch shows as many of them as there are digits of MNIST."""

HELD_OUT = 60_000
"""Number of further drawings made by code for `calibrate`, which the network is not trained on."""

EPOCHS = 28

MAX_ERROR_RATE = 0.005
"""Maximum share of misread drawings among those that are read as digits, letters and scribbles included."""


def build() -> keras.Model:
    """Build the network, untrained: six convolutions, 406,659 weights.

    Returns
    -------
    keras.Model
        From float32 (n, 28, 28, 1), 0..1, to probabilities (n, 11), the last of them for `NOT_A_DIGIT`.
    """
    layers = keras.layers

    def convolution(filters, pool=False):
        # Pooling before the normalization leaves it a quarter of the work.
        return [
            layers.Conv2D(filters, 3, padding="same", use_bias=False),
            *([layers.MaxPooling2D()] if pool else []),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]

    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            *convolution(24, pool=True),
            *convolution(32),
            *convolution(48, pool=True),
            *convolution(96),
            *convolution(96),
            *convolution(128, pool=True),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(128, activation="relu"),
            layers.Dense(11, activation="softmax"),
        ]
    )


class Mixture(keras.utils.PyDataset):
    """Batches of MNIST's digits and of drawings made by code, half of each, augmented anew in each epoch.

    Parameters
    ----------
    x_train : uint8 array (n, 28, 28)
        MNIST's training digits.
    y_train : int array (n,)
    x_drawn : uint8 array (m, 28, 28)
        Drawings made by code.
    y_drawn : int array (m,)
        0 to 9, or `NOT_A_DIGIT`.
    seed : int
        Random seed.
    batch_size : int, optional
    """

    def __init__(self, x_train, y_train, x_drawn, y_drawn, seed, batch_size=128):
        super().__init__()
        self._parts = (x_train, y_train), (x_drawn, y_drawn)
        self._rng = np.random.default_rng(seed)
        self._batch_size = batch_size
        self.on_epoch_end()

    def __len__(self):
        return len(self._y) // self._batch_size

    def __getitem__(self, number):
        chosen = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        return network_input(self._x[chosen]), keras.utils.to_categorical(self._y[chosen], 11)

    def on_epoch_end(self):
        """Augment all of MNIST, and as many drawings: those at half strength, because they differ already."""
        (x_train, y_train), (x_drawn, y_drawn) = self._parts
        chosen = self._rng.choice(len(x_drawn), min(len(x_train), len(x_drawn)), replace=False)
        self._x = np.concatenate([augment(x_train, self._rng), augment(x_drawn[chosen], self._rng, 0.5)])
        self._y = np.concatenate([y_train, y_drawn[chosen]])
        self._order = self._rng.permutation(len(self._y))


def train(
    x_train: np.ndarray,
    y_train: np.ndarray,
    seed: int,
    epochs: int = EPOCHS,
    drawings: int = DRAWINGS,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, dict]:
    """Make the network.

    Parameters
    ----------
    x_train : uint8 array (n, 28, 28)
        MNIST's training digits.
    y_train : int array (n,)
        0 to 9.
    seed : int
        Random seed.
    epochs : int, optional
        Number of times that MNIST, and as many drawings, are shown.
    drawings : int, optional
        Number of drawings to make by code.
    callbacks : sequence of keras.callbacks.Callback, optional

    Returns
    -------
    model : keras.Model
        As `build` returns it, trained.
    settings : dict
        As `calibrate` returns it.
    """
    print(f"Making {drawings:,} drawings by code ...", flush=True)
    x_drawn, y_drawn = synthesize(drawings + HELD_OUT, seed)
    mixture = Mixture(x_train, y_train, x_drawn[HELD_OUT:], y_drawn[HELD_OUT:], seed)
    steps = epochs * len(mixture)
    warm_up = min(400, steps // 4)
    # The learning rate falls for two thirds of the training and then stays where the weights still move around a good
    # minimum.
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps * 2 // 3 - warm_up, alpha=0.2, warmup_target=3e-3, warmup_steps=warm_up
    )
    model = build()
    model.compile(
        # The network keeps the mean of its weights in the last epochs, which is nearer to that minimum than any of them
        # (P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018).
        optimizer=keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=0.9996),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        metrics=["accuracy"],
    )
    model.fit(mixture, epochs=epochs, callbacks=list(callbacks))
    model.optimizer.finalize_variable_values(model.trainable_variables)
    update_batch_norm(model, mixture)
    return model, calibrate(probabilities(model, network_input(x_drawn[:HELD_OUT])), y_drawn[:HELD_OUT])


def update_batch_norm(model: keras.Model, mixture: keras.utils.PyDataset, batches: int = 400) -> None:
    """Measure the means and variances of the batch normalizations anew: they must fit the averaged weights.

    Parameters
    ----------
    model : keras.Model
    mixture : keras.utils.PyDataset
        Where the batches come from.
    batches : int, optional
        Maximum number of batches.
    """
    for number in range(min(batches, len(mixture))):
        model(mixture[number][0], training=True)


def calibrate(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """Find the temperature and the threshold with which a network's confidence is honest.

    Parameters
    ----------
    probabilities : float array (n, 11)
        What the network says of drawings that it was not trained on.
    labels : int array (n,)
        0 to 9, or `NOT_A_DIGIT`.

    Returns
    -------
    dict
        ``temperature``, which gives the labels the highest likelihood (C. Guo et al., "On Calibration of Modern
        Neural Networks", 2017), and ``threshold``, the lowest confidence at which a digit is read: among the drawings
        with this confidence or more, a share of at most `MAX_ERROR_RATE` is misread.
    """
    temperatures = np.geomspace(0.2, 5, 200)
    rows = np.arange(len(labels))
    losses = [-np.log(apply_temperature(probabilities, t)[rows, labels] + 1e-12).mean() for t in temperatures]
    temperature = float(temperatures[np.argmin(losses)])
    digits = apply_temperature(probabilities, temperature)[:, :NOT_A_DIGIT]
    confidence = digits.max(axis=1)
    most_confident_first = np.argsort(-confidence)
    errors = np.cumsum((digits.argmax(axis=1) != labels)[most_confident_first])
    few_enough = np.flatnonzero(errors <= MAX_ERROR_RATE * np.arange(1, len(labels) + 1))
    # A network that has hardly learned anything may be wrong where it is most confident: it must never read a digit.
    threshold = confidence[most_confident_first][few_enough[-1]] if len(few_enough) else 1.0
    return {"temperature": round(temperature, 4), "threshold": round(float(threshold), 4)}
