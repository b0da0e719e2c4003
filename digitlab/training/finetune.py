"""Fine-tune a copy of a network to a person's drawings, mixed with MNIST.

`finetune` needs TensorFlow and runs in a process of its own, ``python -m digitlab.training.finetune``.
`FinetuneProcess` starts that process and listens to it, without TensorFlow. So a pad can read drawings meanwhile, and
the memory is free again at the end.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from digitlab.data import load_mnist
from digitlab.files import check_writable
from digitlab.files.settings import read_settings
from digitlab.ink import Drawing, read_drawings
from digitlab.metrics import DIGITS
from digitlab.paths import (
    MNIST_ONLY_NETWORK,
    MY_DRAWINGS,
    MY_NETWORK,
    SHIPPED_NETWORK,
    TAUGHT_NETWORK,
    is_same_network,
    network_files,
    settings_of,
    shown,
)
from digitlab.prepare import network_input, prepare
from digitlab.training.augment import augment

EPOCHS = 3

MNIST_SAMPLE = 9_000
"""Number of MNIST's digits in each epoch, so that the network does not forget them."""

MIN_REPEATED_DRAWINGS = 3_000
"""The drawings are repeated until there are at least this many of them in each epoch, ..."""

MAX_REPEATS = 150
"""... but each drawing at most this many times."""


def default_network() -> Path:
    """Return the network that is copied if none is named: the reader's own, or else the kit's that knows only MNIST."""
    return MY_NETWORK if network_files(MY_NETWORK)[0].exists() else MNIST_ONLY_NETWORK


def finetune(
    drawings: Sequence[Drawing],
    network: Path | str | None = None,
    output: Path | str = TAUGHT_NETWORK,
    seed: int = 0,
    report: Callable[[float], object] = lambda share: None,
) -> dict:
    """Train a copy of a network on drawings and on part of MNIST.

    Every second drawing of each digit is held out: what the copy has learned is measured on those, and on MNIST's test
    digits, before and after.

    Parameters
    ----------
    drawings : sequence of Drawing
        Those that are empty or whose label is no digit are left out.
    network : path-like, optional
        The network to copy; by default that of `default_network`. It is not changed, unless it is the output.
    output : path-like, optional
        Where the copy is saved.
    seed : int, optional
        Random seed.
    report : callable, optional
        Called with the share that is done, 0 to 1.

    Returns
    -------
    dict
        ``held_out`` and ``mnist``, each with the number of digits (``count``) and how many of them were read right
        ``before`` and ``after``; and ``learnt``, the number of drawings that the copy was trained on.

    Raises
    ------
    ValueError
        If no digit was drawn twice, or if the output is a network that came with the kit.
    OSError
        If the output cannot be written.
    """
    if any(is_same_network(output, kept) for kept in (SHIPPED_NETWORK, MNIST_ONLY_NETWORK)):
        raise ValueError("The networks that came with the kit are not overwritten; choose another output.")
    drawings = [drawing for drawing in drawings if drawing.label in DIGITS and drawing.ink]
    labels = np.array([int(drawing.label) for drawing in drawings], int)
    images = np.array([prepare(drawing.ink) for drawing in drawings], np.uint8)
    held_out = np.zeros(len(labels), bool)
    for digit in range(10):
        held_out[np.flatnonzero(labels == digit)[1::2]] = True
    if not held_out.any():
        raise ValueError("There is too little to learn from: add at least two drawings of the same digit.")
    check_writable(output)

    # Only here: TensorFlow takes seconds and memory, which `FinetuneProcess` must not cost.
    from digitlab import network as networks

    keras = networks.keras
    keras.utils.set_random_seed(seed)
    network = default_network() if network is None else network
    model, settings = networks.load(network), read_settings(settings_of(network))
    (x_train, y_train), (x_test, y_test) = load_mnist()

    def count_right():
        return {
            "held_out": round(networks.accuracy(model, images[held_out], labels[held_out]) * int(held_out.sum())),
            "mnist": round(networks.accuracy(model, x_test, y_test) * len(y_test)),
        }

    before = count_right()
    report(0.1)
    rng = np.random.default_rng(seed)
    x_drawn, y_drawn = images[~held_out], labels[~held_out]
    repeats = min(MAX_REPEATS, -(-MIN_REPEATED_DRAWINGS // len(x_drawn)))
    sample = rng.choice(len(y_train), MNIST_SAMPLE, replace=False)
    steps = EPOCHS * (MNIST_SAMPLE + repeats * len(x_drawn)) // 64
    rate = keras.optimizers.schedules.CosineDecay(1e-3, steps, alpha=0.01)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    for epoch in range(EPOCHS):
        # Each repetition of a drawing is augmented anew.
        x = np.concatenate([x_train[sample], augment(np.repeat(x_drawn, repeats, axis=0), rng)])
        y = np.concatenate([y_train[sample], np.repeat(y_drawn, repeats)])
        model.fit(network_input(x), y, batch_size=64, verbose=0)
        report(0.1 + 0.8 * (epoch + 1) / EPOCHS)
    after = count_right()
    networks.save(model, output, settings or None)
    report(1.0)
    counts = {"held_out": int(held_out.sum()), "mnist": len(y_test)}
    result = {name: {"count": counts[name], "before": before[name], "after": after[name]} for name in counts}
    return {**result, "learnt": len(x_drawn)}


class FinetuneProcess:
    """A process that runs `finetune` on a file of drawings.

    Parameters
    ----------
    on_progress : callable
        Called with the share that is done, 0 to 1.
    on_end : callable
        Called once: with what `finetune` returned, with a sentence (str) that says what went wrong, or with None after
        `cancel`. Both are called from another thread.
    drawings : path-like, optional
        The file of drawings.
    network, output : path-like, optional
        As for `finetune`.
    """

    def __init__(
        self,
        on_progress: Callable[[float], object],
        on_end: Callable[[dict | str | None], object],
        drawings: Path | str = MY_DRAWINGS,
        network: Path | str | None = None,
        output: Path | str = TAUGHT_NETWORK,
    ):
        command = [sys.executable, "-X", "utf8", "-m", "digitlab.training.finetune"]
        command += [str(drawings), "--output", str(output)]
        if network is not None:
            command += ["--network", str(network)]
        # The process ends when its input is closed, which happens when this process ends.
        pipe = subprocess.PIPE
        # In a group of its own: Jupyter interrupts a cell with a signal to all processes of its kernel's group.
        self._process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0 if hasattr(os, "setpgid") else None,
        )
        self._cancelled = False
        self._on_progress, self._on_end = on_progress, on_end
        self._errors = []
        self._error_reader = threading.Thread(target=self._read_errors, daemon=True)
        self._error_reader.start()
        threading.Thread(target=self._read_messages, daemon=True).start()

    def cancel(self) -> None:
        """Stop the process; nothing is saved."""
        self._cancelled = True
        self._process.terminate()

    def _read_errors(self):
        for line in self._process.stderr:
            self._errors = [*self._errors, line.strip()][-20:]

    def _read_messages(self):
        result = None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # A library printed something.
            if isinstance(message, dict):
                if "done" in message:
                    self._on_progress(message["done"])
                result = message.get("result", result)
        status = self._process.wait()
        self._error_reader.join()
        if self._cancelled and result is None:
            self._on_end(None)
        elif status == 0 and result is not None:
            self._on_end(result)
        else:
            errors = [line for line in self._errors if line]
            self._on_end(errors[-1] if errors else f"Learning ended with status {status}.")


def _exit_with_parent():
    sys.stdin.read()
    os._exit(1)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `finetune` as `FinetuneProcess` asks; print one JSON object on each line."""
    parser = argparse.ArgumentParser(description="Train a copy of a network on a file of drawings.")
    parser.add_argument("drawings", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--output", type=Path, default=TAUGHT_NETWORK)
    arguments = parser.parse_args(argv)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)  # Reading drawings must stay fast meanwhile.

    def send(**message):
        print(json.dumps(message), flush=True)

    drawings, bad_lines = [], []
    try:
        # If there is no file, nothing was added yet, and `finetune` says that it is too little.
        with contextlib.suppress(FileNotFoundError):
            drawings = read_drawings(arguments.drawings, on_bad_line=lambda *line: bad_lines.append(line))
        if bad_lines and not drawings:
            raise ValueError(f"{shown(arguments.drawings)} is no file of drawings: no line of it is a drawing.")
        result = finetune(drawings, arguments.network, arguments.output, report=lambda share: send(done=share))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    send(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
