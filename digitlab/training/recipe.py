"""How the shipped network is made: ``digitlab train --recipe full``.

The network is trained on MNIST, on digits and letters drawn by people and on other things drawn by code, each changed
anew whenever it is shown (`epochs`). Besides the ten digits the network has an eleventh output: "not a digit". At the
end `calibrate` corrects its confidence on drawings that it was not trained on.

All choices were made with the drawings of the held-out writers and with the last twelfth of MNIST's training digits,
which is held out too; never with MNIST's test digits.
"""

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.files import atomic_write
from digitlab.metrics import calibration_error
from digitlab.network import keras, probabilities
from digitlab.paths import shown
from digitlab.prepare import SIDE, network_input
from digitlab.recognizer import apply_temperature
from digitlab.training.epochs import EpochMaker, Mixture, Sources, draw_by_code, read_people
from digitlab.training.redraw import redraw

EPOCHS = 22
REFINEMENTS = 8
"""Number of further epochs at the end; see `refine`."""

BATCH_SIZE = 128

MADE_BY_CODE = 20_000, 10_000
"""Number of digits, and of other things, that are drawn by code once. Each epoch draws some of them anew."""

HARDNESS = 3.0
"""A drawing by a person that is misread is shown up to 1 + HARDNESS times as often."""

MAX_ERROR_RATE = 0.0045
"""Maximum share of misread drawings among those that are read as digits, letters included."""


def build() -> keras.Model:
    """Build the network, untrained: six convolutions, 416,003 weights.

    Most multiplications are done where the image is small: the first layer has few filters, and pooling halves each
    side after the first and after the third convolution.

    Returns
    -------
    keras.Model
        From float32 (n, 28, 28, 1), 0..1, to probabilities (n, 11), the last of them for `NOT_A_DIGIT`.
    """
    layers = keras.layers

    def convolution(filters, side=3, padding="same", pool=False):
        # Pooling before the normalization leaves it a quarter of the work.
        return [
            layers.Conv2D(filters, side, padding=padding, use_bias=False),
            *([layers.MaxPooling2D()] if pool else []),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]

    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            *convolution(24, 5, "valid", pool=True),
            *convolution(32),
            *convolution(64, padding="valid", pool=True),
            *convolution(112),
            *convolution(112),
            *convolution(112, padding="valid"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(96, activation="relu"),
            layers.Dense(NOT_A_DIGIT + 1, activation="softmax"),
        ]
    )


def train(
    x_train: np.ndarray,
    y_train: np.ndarray,
    seed: int,
    epochs: int = EPOCHS,
    mixture: Mixture | None = None,
    state: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, dict]:
    """Make the network, and print where the time goes.

    Parameters
    ----------
    x_train : uint8 array (n, 28, 28)
        MNIST's training digits. The last twelfth of them is held out.
    y_train : int array (n,)
        0 to 9.
    seed : int
        Random seed.
    epochs : int, optional
        Number of times that MNIST, and the drawings of the mixture, are shown.
    mixture : Mixture, optional
        What an epoch shows besides MNIST.
    state : Path, optional
        A folder in which the state of the training is saved after each epoch. If it holds the state of a training with
        the same seed, epochs and mixture, that training goes on. Remove it when the network is saved.
    callbacks : sequence of keras.callbacks.Callback, optional

    Returns
    -------
    model : keras.Model
        As `build` returns it, trained.
    settings : dict
        As `calibrate` returns it.
    """
    mixture = Mixture() if mixture is None else mixture
    clock = Clock()
    with clock("reading the drawings by people"):
        people, weights = read_people("learn")
        held_out, _ = read_people("held-out")
        as_drawn = network_input(redraw(people, np.random.default_rng(0), strength=0.0, from_pixels=0))
    with clock("making drawings by code"):
        digits, others = MADE_BY_CODE
        code = draw_by_code(digits if mixture.code else 0, others if mixture.others else 0, seed)
    (x_train, y_train), (x_val, y_val) = hold_out(x_train, y_train)
    sources = Sources(x_train, y_train, people, code, mixture, seed)
    model = _compile(build(), epochs, mixture.total(len(x_train)) // BATCH_SIZE)
    # How often each drawing is shown: in the next epoch, and in the one after it.
    sampling = [weights, weights]
    what = {"seed": seed, "epochs": epochs, "mixture": vars(mixture), "digits": len(x_train)}
    first, sampling = _restore(state, model, what, sampling)
    trainer = EpochTrainer(model, sources, callbacks, clock)
    with EpochMaker(sources) as maker:
        for epoch in range(first, epochs):
            trainer.learn_epoch(maker, epoch, epochs, sampling)
            with clock("finding hard drawings, saving"):
                if mixture.people:
                    given = probabilities(model, as_drawn)[np.arange(len(people)), people.labels]
                    sampling = [sampling[1], weights * (1 + HARDNESS * (1 - given))]
                _save(state, model, {**what, "epoch": epoch + 1}, sampling)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    refine(model, sources, weights, callbacks, clock)
    with clock("calibrating"):
        x_people = redraw(held_out, np.random.default_rng(0), strength=0.0, from_pixels=0)
        x_held, y_held = np.concatenate([x_people, x_val]), np.concatenate([held_out.labels, y_val])
        settings = calibrate(probabilities(model, network_input(x_held)), y_held)
    print(clock, flush=True)
    return model, settings


def hold_out(x_train: np.ndarray, y_train: np.ndarray) -> tuple[tuple, tuple]:
    """Split MNIST's training digits: all but the last twelfth, and that twelfth; each as images and labels."""
    held = len(x_train) // 12
    return (x_train[:-held], y_train[:-held]), (x_train[-held:], y_train[-held:])


def refine(
    model: keras.Model,
    sources: Sources,
    weights: np.ndarray,
    callbacks: Sequence[keras.callbacks.Callback],
    clock: "Clock",
) -> None:
    """Train `REFINEMENTS` more epochs, closer to how digits really look, with a learning rate that falls to nothing.

    All images are changed less. Each of MNIST's digits is shown twice, half of the time unchanged.

    Parameters
    ----------
    model : keras.Model
        It is trained and compiled anew.
    sources : Sources
    weights : float array (n,)
        As `read_people` returns them: here a hard drawing is not shown more often than another.
    callbacks : sequence of keras.callbacks.Callback
    clock : Clock
    """
    mixture = replace(sources.mixture, repeats=2)
    seed = sources.seed + 1_000_000
    sources = replace(sources, mixture=mixture, seed=seed, strength=0.7, unchanged=0.5, softened=0.5)
    steps = REFINEMENTS * (sources.mixture.total(len(sources.x_train)) // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(8e-4, steps, alpha=0.005)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=0.02),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.02),
        metrics=["accuracy"],
    )
    trainer = EpochTrainer(model, sources, callbacks, clock)
    with EpochMaker(sources) as maker:
        for epoch in range(REFINEMENTS):
            trainer.learn_epoch(maker, epoch, REFINEMENTS, [weights, weights])


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
        ``temperature``, with which the expected calibration error is smallest, letters included, and ``threshold``,
        the lowest confidence at which a digit is read: among the drawings with this confidence or more, a share of at
        most `MAX_ERROR_RATE` is misread. If there is no such confidence, it is 1, with which none is read. Temperature
        scaling and this error are those of C. Guo et al., "On Calibration of Modern Neural Networks", 2017; there the
        temperature is the one with the smallest log loss.
    """
    temperatures = np.geomspace(0.2, 5, 200)
    right = probabilities[:, :NOT_A_DIGIT].argmax(axis=1) == labels
    confidences = (apply_temperature(probabilities, t)[:, :NOT_A_DIGIT].max(axis=1) for t in temperatures)
    errors = [calibration_error(confidence, right) for confidence in confidences]
    temperature = float(temperatures[np.argmin(errors)])
    digits = apply_temperature(probabilities, temperature)[:, :NOT_A_DIGIT]
    confidence = digits.max(axis=1)
    most_confident_first = np.argsort(-confidence)
    errors = np.cumsum((digits.argmax(axis=1) != labels)[most_confident_first])
    few_enough = np.flatnonzero(errors <= MAX_ERROR_RATE * np.arange(1, len(labels) + 1))
    # A network that has hardly learned anything may be wrong where it is most confident: it should read none.
    threshold = min(float(confidence[most_confident_first][few_enough[-1]]), 0.9999) if len(few_enough) else 1.0
    return {"temperature": round(temperature, 4), "threshold": round(threshold, 4)}


class Clock:
    """Measures where the time goes: ``with clock("learning"): ...`` adds the seconds of the block to that line."""

    def __init__(self):
        self._seconds = Counter()

    @contextlib.contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Measure the block under the name of a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[step] += time.perf_counter() - start

    def __str__(self):
        """Return a line for each step, in the order in which they began, and their sum."""
        rows = [*self._seconds.items(), ("in all", self._seconds.total())]
        return "\n".join(f"{step:<32} {seconds:>7.0f} s" for step, seconds in rows)


def _compile(model, epochs, steps_per_epoch):
    steps = epochs * steps_per_epoch
    warm_up = min(400, steps // 4)
    # The learning rate falls for three quarters of the training and then stays where the weights still move around a
    # good minimum.
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps * 3 // 4 - warm_up, alpha=0.1, warmup_target=3e-3, warmup_steps=warm_up
    )
    model.compile(
        # The network keeps the mean of its weights in the last epochs, which is nearer to that minimum than any of them
        # (P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018).
        optimizer=keras.optimizers.AdamW(rate, weight_decay=0.02, use_ema=True, ema_momentum=0.9995),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)
    return model


class EpochTrainer:
    """Trains a network epoch by epoch, telling callbacks, the progress bar and the clock.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    sources : Sources
    callbacks : sequence of keras.callbacks.Callback
    clock : Clock
    """

    def __init__(self, model, sources, callbacks, clock):
        self._model, self._sources, self._clock = model, sources, clock
        self._callbacks = keras.callbacks.CallbackList(
            list(callbacks), add_progbar=True, model=model, verbose=1, epochs=0, steps=0
        )

    def learn_epoch(self, maker: EpochMaker, epoch: int, epochs: int, sampling: Sequence[np.ndarray]) -> None:
        """Train on all images of one of `epochs` epochs, in random order.

        Meanwhile the next epoch is made. `sampling` says how often each drawing by a person is picked: in this epoch,
        if it was not ordered before, and in the next one.
        """
        with self._clock("waiting for images"):
            maker.order(epoch, sampling[0])
            images, labels = maker.take(epoch)
            if epoch + 1 < epochs:
                maker.order(epoch + 1, sampling[1])
        with self._clock("learning"):
            order = np.random.default_rng([self._sources.seed, 1 + epoch]).permutation(len(labels))
            targets = np.eye(NOT_A_DIGIT + 1, dtype=np.float32)
            steps = len(labels) // BATCH_SIZE
            self._callbacks.set_params({"verbose": 1, "epochs": epochs, "steps": steps})
            self._callbacks.on_train_begin()
            self._callbacks.on_epoch_begin(epoch)
            self._model.reset_metrics()
            for step in range(steps):
                chosen = order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]
                x, y = network_input(images[chosen]), targets[labels[chosen]]
                logs = self._model.train_on_batch(x, y, return_dict=True)
                self._callbacks.on_train_batch_end(step, logs)
            self._callbacks.on_epoch_end(epoch, logs)
            self._callbacks.on_train_end()


def _dropout_states(model):
    """Return the variables that say which numbers dropout takes away next; `save_weights` leaves them out."""
    return [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed_generator")]


def _save(folder, model, what, sampling):
    """Save the state of a training; the file that makes it count is written last."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    name = f"epoch-{what['epoch']}"
    model.save_weights(folder / f"{name}.weights.h5")
    np.save(folder / f"{name}.npy", np.array(sampling))
    dropout = [keras.ops.convert_to_numpy(state).tolist() for state in _dropout_states(model)]
    atomic_write(folder / "state.json", json.dumps({**what, "dropout": dropout}).encode())
    for file in _epoch_files(folder):
        if not file.name.startswith(f"{name}."):
            file.unlink()


def remove_state(folder: Path) -> None:
    """Remove the state of a training, and its folder if there is nothing else in it."""
    with contextlib.suppress(OSError):
        for file in [folder / "state.json", *_epoch_files(folder)]:
            file.unlink(missing_ok=True)
        folder.rmdir()


def _epoch_files(folder):
    return [file for file in folder.iterdir() if re.fullmatch(r"epoch-\d+\.(weights\.h5|npy)", file.name)]


def _restore(folder, model, what, sampling):
    """Load the state of a training of the same kind, if there is one; return the number of its epochs, and sampling."""
    if folder is None:
        return 0, sampling
    try:
        saved = json.loads((folder / "state.json").read_bytes())
        epoch, dropout = saved.pop("epoch"), saved.pop("dropout")
        if saved != what:
            print(f"The state in {shown(folder)} is that of another training: it is replaced.", flush=True)
            return 0, sampling
        kept = np.load(folder / f"epoch-{epoch}.npy", allow_pickle=False)
        for state, value in zip(_dropout_states(model), dropout, strict=True):
            state.assign(value)
        model.load_weights(folder / f"epoch-{epoch}.weights.h5")  # Last: nothing else is to fail after it.
    except FileNotFoundError:
        return 0, sampling
    except (EOFError, OSError, TypeError, ValueError, KeyError):
        print(f"The state in {shown(folder)} is damaged: the training begins anew.", flush=True)
        return 0, sampling
    print(f"Going on after epoch {epoch} of {what['epochs']}.", flush=True)
    return epoch, list(kept)
