"""The network: build it, train it, measure it, save it. No other module imports TensorFlow by itself.

It stands on `data` for the digits, and on `recognizer` to read back what it has saved.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

from digitlab.data import NOT_A_DIGIT
from digitlab.paths import network_files, remedy, settings_of, shown
from digitlab.prepare import SIDE, network_input
from digitlab.recognizer import Recognizer

PAIR_TOLERANCE = 1e-5
"""How far the probabilities of a network's two files may be apart: rounding, and no more."""


@contextlib.contextmanager
def _without_start_up_messages():
    """Keep TensorFlow's first messages, which no setting silences, off the screen; show them if it fails to start."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as messages:
        screen = os.dup(2)
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(screen, messages.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


with _without_start_up_messages():
    import keras


def build():
    """Build the kit's network, untrained: two convolutions that look for strokes, and two layers that decide.

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


def train(model, images, labels, epochs=5, batch_size=128, callbacks=()):
    """Train a network, showing a progress bar with its loss and accuracy.

    The learning rate rises for a short while, then falls along a cosine to almost nothing (I. Loshchilov,
    F. Hutter, "SGDR", 2017): in five epochs that makes half as many mistakes as a constant rate.

    Parameters
    ----------
    model : keras.Model
        As `build` returns it.
    images : uint8 array (n, 28, 28)
    labels : int array (n,)
        0 to 9.
    epochs : int, optional
        How many times to go through the images.
    batch_size : int, optional
        How many images to learn from at a time.
    callbacks : sequence of keras.callbacks.Callback, optional

    Returns
    -------
    keras.callbacks.History
        Loss and accuracy of each epoch in `history`.
    """
    steps = epochs * -(-len(images) // batch_size)
    warm_up = min(200, steps // 4)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - warm_up, alpha=0.01, warmup_target=3e-3, warmup_steps=warm_up
    )
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(
        network_input(images), labels, batch_size=batch_size, epochs=epochs, callbacks=list(callbacks), verbose=1
    )


class StopOnInterrupt(keras.callbacks.Callback):
    """Stops training where Ctrl-C is pressed, between two batches: within one, TensorFlow makes other errors of it."""

    def on_train_begin(self, logs=None):
        """Take Ctrl-C down from now on."""
        self._pressed = False
        self._before = signal.signal(signal.SIGINT, self._take_down)

    def on_train_batch_end(self, batch, logs=None):
        """Raise KeyboardInterrupt where Ctrl-C was pressed."""
        if self._pressed:
            self.on_train_end()
            raise KeyboardInterrupt

    def on_train_end(self, logs=None):
        """Let Ctrl-C do again what it did before."""
        signal.signal(signal.SIGINT, self._before)

    def _take_down(self, *_):
        self._pressed = True


def probabilities(model, x, batch_size=500):
    """Return what a network says to x, float32 (n, 28, 28, 1): float32 (n, 10), or (n, 11) with `NOT_A_DIGIT`."""
    # Calling the model, where model.predict compiles it anew for each model, and complains that this is slow.
    batches = [model(x[start : start + batch_size], training=False) for start in range(0, len(x), batch_size)]
    return np.concatenate([keras.ops.convert_to_numpy(batch) for batch in batches])


def accuracy(model, images, labels):
    """Return the share of images, 0..1, that a network gives their label the largest probability."""
    digits = probabilities(model, network_input(images))[:, :NOT_A_DIGIT]
    return float((digits.argmax(axis=1) == labels).mean())


def load(path):
    """Load the Keras file of a network, to look into it or to go on training.

    Parameters
    ----------
    path : path-like
        The network, with or without suffix.

    Returns
    -------
    keras.Model

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no such file, or it is damaged. Keras's safe mode is on: a file from elsewhere runs no code.
    """
    file = network_files(path)[0]
    if not file.exists():
        raise FileNotFoundError(f"There is no network {shown(file)}; {remedy(file)}")
    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        reason = str(error).splitlines()[0][:200]
        raise ValueError(f"{shown(file)} is damaged or no Keras network ({reason}); {remedy(file)}") from None


def save(model, path, settings=None):
    """Save a network: the Keras file to go on training, and the ONNX file that reads drawings.

    Both are written beside the old ones, read back and compared; only then do they take their places, the ONNX
    file last. Whatever happens on the way, there is a network that works.

    Parameters
    ----------
    model : keras.Model
        From (n, 28, 28, 1) to probabilities (n, 10), or (n, 11) with `NOT_A_DIGIT`. It is saved without its optimizer.
    path : path-like
        The network, with or without suffix.
    settings : dict, optional
        What reading needs besides: ``temperature`` and ``threshold``.

    Returns
    -------
    (Path, Path)
        The Keras file and the ONNX file.

    Raises
    ------
    ValueError
        Where the two do not give the same probabilities, or they are not ten for each image.
    OSError
        Where the files cannot be written.
    """
    if model.input_shape[1:] != (SIDE, SIDE, 1) or model.output_shape[1:] not in {(10,), (11,)}:
        raise ValueError(
            f"A network must lead from (n, 28, 28, 1) pixels to (n, 10) probabilities, but this one leads from "
            f"{model.input_shape} to {model.output_shape}; look at its first and its last layer."
        )
    files = network_files(path)
    folder = files[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as new:
        new_files = network_files(Path(new) / files[0].stem)
        bare = type(model).from_config(model.get_config())  # without its optimizer, unlike clone_model
        bare.set_weights(model.get_weights())
        bare(np.zeros((1, SIDE, SIDE, 1), np.float32))  # Keras exports only a model that has been called.
        bare.save(new_files[0])
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore", FutureWarning)
            bare.export(new_files[1], format="onnx", verbose=False)
        difference = pair_difference(new_files[0])
        if not difference <= PAIR_TOLERANCE:
            raise ValueError(
                f"The network was not saved: read back, its two files give probabilities {difference:.1e} apart. "
                f"What was in {shown(folder)} is as it was."
            )
        if settings is not None:
            settings_of(new_files[0]).write_text(json.dumps(settings) + "\n", "utf-8")
        for new_file in Path(new).iterdir():
            with open(new_file, "rb+") as written:
                os.fsync(written.fileno())
        # All is on the disk: from here on only names change, that of the file that reads drawings last.
        os.replace(new_files[0], files[0])
        if settings is None:
            settings_of(path).unlink(missing_ok=True)
        else:
            os.replace(settings_of(new_files[0]), settings_of(path))
        os.replace(new_files[1], files[1])
    return files


def pair_difference(path, x=None):
    """Return the largest difference between the probabilities of a network's two files.

    Parameters
    ----------
    path : path-like
        The network, with or without suffix.
    x : float32 array (n, 28, 28, 1), optional
        What to run them on; by default 256 pictures of noise and blobs, which make all outputs move.
    """
    if x is None:
        generator = np.random.default_rng(0)
        coarse = generator.random((256, 7, 7, 1), np.float32)
        x = np.kron(coarse > 0.6, np.ones((1, 4, 4, 1))).astype(np.float32) * generator.random(
            (256, 1, 1, 1), np.float32
        )
    return float(np.abs(probabilities(load(path), x) - Recognizer.load(path).run(x)).max())
