"""Build, train, measure and save a network in Keras.

Whatever needs Keras takes it from here: this module imports it with the settings that the kit needs, and keeps
TensorFlow's start-up messages off the screen. After ``from digitlab import network``, ``import keras`` gives the same.
"""

import contextlib
import json
import os
import re
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.files import new_folder, remove_leftovers
from digitlab.files.onnx import add_checksum
from digitlab.files.settings import check_settings_file
from digitlab.paths import SHARED_SERVER, network_files, remedy, settings_of, shown
from digitlab.prepare import SIDE, network_input
from digitlab.recognizer import Recognizer

EPOCHS, DIGITS = (1, 35_000) if SHARED_SERVER else (3, 55_000)
"""How long the lesson's network trains, and with how many digits: less where a whole class trains on one machine."""

PAIR_TOLERANCE = 1e-5
"""Maximum difference between the probabilities of a network's two files: only rounding."""


@contextlib.contextmanager
def _without_startup_messages() -> Iterator[None]:
    """Keep TensorFlow's first messages, which no setting silences, off the screen; show them if it fails to start."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as messages:
        screen = os.dup(2)
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except Exception:
            messages.seek(0)
            # Not the notes of a start that succeeds, too: Ctrl-C may end it with any error.
            lines = [line for line in messages if not re.match(rb"[IW]0000 |WARNING: All log messages before", line)]
            os.write(screen, b"".join(lines))
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


# Keras must not take its settings from another course's KERAS_BACKEND or ~/.keras/keras.json.
os.environ["KERAS_BACKEND"] = "tensorflow"
with _without_startup_messages():
    import keras
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")


def build() -> keras.Model:
    """Build the lessons' network, untrained: two convolutions that look for strokes, and two dense layers that decide.

    Returns
    -------
    keras.Model
        From float32 (n, 28, 28, 1), 0..1, to probabilities (n, 10). It has 215,658 weights.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(
    model: keras.Model,
    x_train: np.ndarray,
    y_train: np.ndarray,
    epochs: int = 5,
    batch_size: int = 128,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Train a network and show a progress bar with its loss and accuracy.

    The learning rate rises for a short while, then falls along a cosine to almost zero (I. Loshchilov, F. Hutter,
    "SGDR", 2017). In five epochs that gives half as many errors as a constant rate.

    Parameters
    ----------
    model : keras.Model
        As `build` returns it.
    x_train : uint8 array (n, 28, 28)
    y_train : int array (n,)
        0 to 9.
    epochs : int, optional
        Number of times that all images are shown.
    batch_size : int, optional
        Number of images in each step.
    callbacks : sequence of keras.callbacks.Callback, optional

    Returns
    -------
    keras.callbacks.History
        Loss and accuracy of each epoch in `history`.
    """
    steps = epochs * -(-len(x_train) // batch_size)
    warm_up = min(200, steps // 4)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - warm_up, alpha=0.01, warmup_target=3e-3, warmup_steps=warm_up
    )
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(
        network_input(x_train), y_train, batch_size=batch_size, epochs=epochs, callbacks=list(callbacks), verbose=1
    )


class StopOnInterrupt(keras.callbacks.Callback):
    """Stop training on Ctrl-C, after the current batch: inside a batch TensorFlow would raise another error."""

    def on_train_begin(self, logs=None):
        """Note Ctrl-C from now on."""
        self._pressed = False
        self._before = signal.signal(signal.SIGINT, self._note)

    def on_train_batch_end(self, batch, logs=None):
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self._pressed:
            self.on_train_end()
            raise KeyboardInterrupt

    def on_train_end(self, logs=None):
        """Give Ctrl-C its former meaning back."""
        signal.signal(signal.SIGINT, self._before)

    def _note(self, *_):
        self._pressed = True


def probabilities(model: keras.Model, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """Return the probabilities that a network gives.

    Parameters
    ----------
    model : keras.Model
    x : float32 array (n, 28, 28, 1)
        Network input, 0..1.
    batch_size : int, optional

    Returns
    -------
    float32 array (n, 10) or (n, 11)
        An eleventh column is for `NOT_A_DIGIT`.
    """
    # The model is called: model.predict would compile each model anew, and warn that this is slow.
    batches = [model(x[start : start + batch_size], training=False) for start in range(0, len(x), batch_size)]
    nothing = np.empty((0, model.output_shape[-1]), np.float32)
    return np.concatenate([nothing, *(keras.ops.convert_to_numpy(batch) for batch in batches)])


def accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images, 0..1, whose label has the largest probability of the ten digits.

    Parameters
    ----------
    model : keras.Model
    images : uint8 array (n, 28, 28)
    labels : int array (n,)
        0 to 9.
    """
    digits = probabilities(model, network_input(images))[:, :NOT_A_DIGIT]
    return float((digits.argmax(axis=1) == labels).mean())


def load(path: Path | str) -> keras.Model:
    """Load the Keras file of a network, to look into it or to train it further.

    Parameters
    ----------
    path : path-like
        The network, with or without suffix.

    Returns
    -------
    keras.Model

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged. Keras's safe mode is on: a file from elsewhere runs no code.
    """
    file = network_files(path)[0]
    if not file.exists():
        raise FileNotFoundError(f"There is no network {shown(file)}; {remedy(file)}")
    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ValueError(f"{shown(file)} is damaged or no Keras network ({reason}); {remedy(file)}") from None


def save(model: keras.Model, path: Path | str, settings: dict | None = None) -> tuple[Path, Path]:
    """Save a network: the Keras file to train it further, and the ONNX file that reads drawings.

    Both are written beside the old files, read back and compared. Only then they replace the old files, the ONNX file
    last. Whatever happens meanwhile, there is a network that works.

    Parameters
    ----------
    model : keras.Model
        From (n, 28, 28, 1) to probabilities (n, 10), or (n, 11) with `NOT_A_DIGIT`. It is saved without its optimizer.
    path : path-like
        The network, with or without suffix.
    settings : dict, optional
        ``temperature`` and ``threshold`` for the recognizer.

    Returns
    -------
    (Path, Path)
        The Keras file and the ONNX file.

    Raises
    ------
    ValueError
        If the two files do not give the same probabilities, or not ten or eleven for each image, or if a file that is
        no network's would be replaced.
    OSError
        If the files cannot be written.
    """
    # A model that does not know its shapes yet has no such attributes.
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if None in shapes:
        raise ValueError("This network does not know its input yet: begin it with keras.Input((28, 28, 1)).")
    if model.input_shape[1:] != (SIDE, SIDE, 1) or model.output_shape[1:] not in {(10,), (11,)}:
        raise ValueError(
            f"A network must turn (n, 28, 28, 1) pixels into (n, 10) probabilities, but this one turns "
            f"{model.input_shape} into {model.output_shape}; look at its first and its last layer."
        )
    check_settings_file(path)
    files = network_files(path)
    folder = files[0].parent
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise ValueError(
            "The network was not saved: some of its weights are no numbers any more, as after steps that were too "
            f"large. Train it anew with a smaller learning rate. The files in {shown(folder)} were not changed."
        )
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    with new_folder(folder) as new:
        new_files = network_files(new / files[0].stem)
        copy = type(model).from_config(model.get_config())  # without its optimizer, unlike clone_model
        copy.set_weights(model.get_weights())
        copy(np.zeros((1, SIDE, SIDE, 1), np.float32))  # Keras exports only a model that has been called.
        copy.save(new_files[0])
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore", FutureWarning)
            copy.export(new_files[1], format="onnx", verbose=False)
        new_files[1].write_bytes(add_checksum(new_files[1].read_bytes()))
        try:
            difference = pair_difference(new_files[0])
        except ValueError:
            raise ValueError(
                "The network was not saved: OpenCV cannot read it, or its answers are no probabilities. End it with "
                "softmax, and leave out layers that only training needs, such as RandomRotation. "
                f"The files in {shown(folder)} were not changed."
            ) from None
        if not difference <= PAIR_TOLERANCE:
            raise ValueError(
                f"The network was not saved: its two files give different probabilities ({difference:.1e} apart). "
                f"The files in {shown(folder)} were not changed."
            )
        if settings is not None:
            settings_of(new_files[0]).write_text(json.dumps(settings) + "\n", "utf-8")
        for new_file in new.iterdir():
            with open(new_file, "rb+") as written:
                os.fsync(written.fileno())
        # Everything is on the disk now. Only names change from here on, last the one of the file that reads drawings.
        os.replace(new_files[0], files[0])
        if settings is None:
            settings_of(path).unlink(missing_ok=True)
        else:
            os.replace(settings_of(new_files[0]), settings_of(path))
        os.replace(new_files[1], files[1])
    return files


def pair_difference(path: Path | str, x: np.ndarray | None = None) -> float:
    """Return the largest difference between the probabilities of a network's two files.

    Parameters
    ----------
    path : path-like
        The network, with or without suffix.
    x : float32 array (n, 28, 28, 1), optional
        Network input, 0..1; by default 256 images of random blocks, which reach all outputs.

    Returns
    -------
    float
        0..1; 1 where the two do not even give the same number of probabilities.
    """
    if x is None:
        rng = np.random.default_rng(0)
        blocks = rng.random((256, 7, 7, 1), np.float32) > 0.6
        x = np.kron(blocks, np.ones((1, 4, 4, 1))).astype(np.float32) * rng.random((256, 1, 1, 1), np.float32)
    from_keras, from_onnx = probabilities(load(path), x), Recognizer.load(path).run(x)
    return float(np.abs(from_keras - from_onnx).max()) if from_keras.shape == from_onnx.shape else 1.0
