"""How the network that came with the kit is made: ``digitlab train --recipe full``. It stands on `network`.

It learns from MNIST and from drawings made by code (`synthesis`), all of them varied anew each time they are seen
(`augment`); from nobody's recorded pen. Besides the ten digits it has an eleventh answer: "not a digit". At the end it
is told how sure it may be: on drawings that it has not learnt from, its confidence is stretched until it is right as
often as it says, and the confidence is found below which it had better say that it is unsure.

What is chosen here was chosen by training digits of MNIST that were left out for that time, its last 6,000 or 20,000,
and by drawings made by code.
"""

import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.network import keras, probabilities
from digitlab.prepare import SIDE, network_input
from digitlab.recognizer import apply_temperature
from digitlab.training.augment import augment
from digitlab.training.synthesis import CHUNK, synthesise

DRAWINGS = 240_000
"""How many drawings are made by code, once; each epoch shows as many of them as there are digits of MNIST."""

HELD_OUT = 20 * CHUNK
"""How many further drawings are made for `calibrate`."""

EPOCHS = 28

WRONG_AMONG_ACCEPTED = 0.005
"""How many of the drawings that are read as digits may be misread, letters and scribbles among them."""


def build():
    """Build the network, untrained: six convolutions, 406,659 weights.

    Returns
    -------
    keras.Model
        From float32 (n, 28, 28, 1), 0..1, to probabilities (n, 11), the last of them for `NOT_A_DIGIT`.
    """
    layers = keras.layers

    def convolution(filters, pool=False):
        # Pooling comes before the normalisation, which then has a quarter of the work.
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
    """Batches of MNIST's digits and of drawings made by code, half and half, varied anew in each epoch."""

    def __init__(self, images, labels, drawings, drawing_labels, seed, batch_size=128):
        super().__init__()
        self._parts = (images, labels), (drawings, drawing_labels)
        self._random = np.random.default_rng(seed)
        self._batch_size = batch_size
        self.on_epoch_end()

    def __len__(self):
        return len(self._labels) // self._batch_size

    def __getitem__(self, number):
        chosen = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        return network_input(self._images[chosen]), keras.utils.to_categorical(self._labels[chosen], 11)

    def on_epoch_end(self):
        """Vary all digits of MNIST, and as many of the drawings, which are varied enough to need it only half."""
        (images, labels), (drawings, drawing_labels) = self._parts
        some = self._random.choice(len(drawings), min(len(images), len(drawings)), replace=False)
        self._images = np.concatenate([augment(images, self._random), augment(drawings[some], self._random, 0.5)])
        self._labels = np.concatenate([labels, drawing_labels[some]])
        self._order = self._random.permutation(len(self._labels))


def train(images, labels, seed, epochs=EPOCHS, drawings=DRAWINGS, callbacks=()):
    """Make the network.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
        MNIST's training digits.
    labels : int array (n,)
    seed : int
        Where chance begins.
    epochs : int, optional
        How many times to go through MNIST, and as many drawings.
    drawings : int, optional
        How many drawings to make; a multiple of 3,000.
    callbacks : sequence of keras.callbacks.Callback, optional

    Returns
    -------
    model : keras.Model
        As `build` returns it, trained.
    settings : dict
        What reading needs besides, as `calibrate` returns it.
    """
    print(f"Making {drawings:,} drawings by code ...", flush=True)
    pictures, meant = synthesise(drawings + HELD_OUT, seed)
    mixture = Mixture(images, labels, pictures[HELD_OUT:], meant[HELD_OUT:], seed)
    steps = epochs * len(mixture)
    warm_up = min(400, steps // 4)
    # The rate falls for two thirds of the training and then stays where the network still moves about a good place.
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps * 2 // 3 - warm_up, alpha=0.2, warmup_target=3e-3, warmup_steps=warm_up
    )
    model = build()
    model.compile(
        # Reading uses the mean of the weights of the last epochs, which lies deeper in that place than any of them
        # (P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018).
        optimizer=keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=0.9996),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        metrics=["accuracy"],
    )
    model.fit(mixture, epochs=epochs, callbacks=list(callbacks))
    model.optimizer.finalize_variable_values(model.trainable_variables)
    update_batch_norm(model, mixture)
    return model, calibrate(probabilities(model, network_input(pictures[:HELD_OUT])), meant[:HELD_OUT])


def update_batch_norm(model, mixture, batches=400):
    """Let the normalisations of a network measure anew what comes to them, for its weights have been averaged."""
    for number in range(min(batches, len(mixture))):
        model(mixture[number][0], training=True)


def calibrate(given, labels):
    """Find out how sure a network may be.

    Parameters
    ----------
    given : float array (n, 11)
        Its probabilities for pictures that it has not learnt from.
    labels : int array (n,)
        0 to 9, or `NOT_A_DIGIT`.

    Returns
    -------
    dict
        ``temperature``, with which the probabilities of the labels are likeliest (C. Guo et al., "On Calibration of
        Modern Neural Networks", 2017), and ``threshold``, the least confidence with which a digit is read so that
        of those read no more than `WRONG_AMONG_ACCEPTED` are misread.
    """
    temperatures = np.geomspace(0.2, 5, 200)
    losses = [-np.log(apply_temperature(given, t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in temperatures]
    temperature = float(temperatures[np.argmin(losses)])
    answers = apply_temperature(given, temperature)
    digits = answers[:, :NOT_A_DIGIT]
    surest_first = np.argsort(-digits.max(axis=1))
    wrong = np.cumsum((digits.argmax(axis=1) != labels)[surest_first])
    few_enough = np.flatnonzero(wrong <= WRONG_AMONG_ACCEPTED * np.arange(1, len(labels) + 1))
    # A network that has hardly learnt may be wrong where it is surest: then it had better never be sure.
    threshold = digits.max(axis=1)[surest_first][few_enough[-1]] if len(few_enough) else 1.0
    return {"temperature": round(temperature, 4), "threshold": round(float(threshold), 4)}
