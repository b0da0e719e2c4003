"""Teaching a network one's own hand: a copy of it learns some drawings, mixed with MNIST.

`finetune` needs TensorFlow and runs in a process of its own, ``python -m digitlab.training.finetune``.
`FinetuneProcess` starts that process and listens to it, without TensorFlow: so a pad goes on reading meanwhile, and
the memory is given back at the end.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from digitlab.data import load_mnist
from digitlab.ink import read_drawings
from digitlab.metrics import DIGITS
from digitlab.paths import (
    MNIST_ONLY_NETWORK,
    MY_DRAWINGS,
    MY_NETWORK,
    SHIPPED_NETWORK,
    TAUGHT_NETWORK,
    check_writable,
    network_files,
    settings_of,
)
from digitlab.prepare import network_input, prepare
from digitlab.training.augment import augment

EPOCHS = 3
FROM_MNIST = 9_000
"""How many of MNIST's digits are repeated, so that nothing is forgotten."""

FROM_HAND = 3_000
MAX_REPEATS = 150


def own_network():
    """Return the network that learns where none is named: the reader's own, or else the kit's that knows MNIST only."""
    return MY_NETWORK if network_files(MY_NETWORK)[0].exists() else MNIST_ONLY_NETWORK


def finetune(drawings, network=None, output=TAUGHT_NETWORK, seed=0, report=lambda share: None):
    """Let a copy of a network learn drawings.

    Of each digit every second drawing is held out: what the copy has learnt is measured on those, and on MNIST's test
    digits, before and after.

    Parameters
    ----------
    drawings : list of Drawing
        Those without a digit for a label are left out.
    network : path-like, optional
        The network to copy; by default that of `own_network`. It stays as it is.
    output : path-like, optional
        Where to save what has learnt.
    seed : int, optional
        Where chance begins.
    report : callable, optional
        Called with the share done, 0 to 1, now and then.

    Returns
    -------
    dict
        ``held_out`` and ``mnist``, each with how many there are (``count``) and how many were read ``before`` and
        ``after``; and how many drawings were ``learnt``.

    Raises
    ------
    ValueError
        Where there are no two drawings of the same digit, or the output is a network that came with the kit.
    """
    output = Path(output)
    if network_files(output)[0].absolute() in {
        network_files(kept)[0] for kept in (SHIPPED_NETWORK, MNIST_ONLY_NETWORK)
    }:
        raise ValueError("The networks that came with the kit are not overwritten; choose another output.")
    drawings = [drawing for drawing in drawings if drawing.label in DIGITS and drawing.ink]
    labels = np.array([int(drawing.label) for drawing in drawings], int)
    pictures = np.array([prepare(drawing.ink) for drawing in drawings], np.uint8)
    held_out = np.zeros(len(labels), bool)
    for digit in range(10):
        held_out[np.flatnonzero(labels == digit)[1::2]] = True
    if not held_out.any():
        raise ValueError("There is too little to learn from: add at least two drawings of the same digit.")
    check_writable(output)

    from digitlab import network as networks

    keras = networks.keras
    keras.utils.set_random_seed(seed)
    network = own_network() if network is None else network
    model = networks.load(network)
    (train_images, train_labels), (test_images, test_labels) = load_mnist()

    def count_right():
        return {
            "held_out": round(networks.accuracy(model, pictures[held_out], labels[held_out]) * int(held_out.sum())),
            "mnist": round(networks.accuracy(model, test_images, test_labels) * len(test_labels)),
        }

    before = count_right()
    report(0.1)
    random = np.random.default_rng(seed)
    hand = np.flatnonzero(~held_out)
    repeats = min(MAX_REPEATS, -(-FROM_HAND // len(hand)))
    some = random.choice(len(train_labels), FROM_MNIST, replace=False)
    steps = EPOCHS * (FROM_MNIST + repeats * len(hand)) // 64
    rate = keras.optimizers.schedules.CosineDecay(1e-3, steps, alpha=0.01)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    for epoch in range(EPOCHS):
        # Each drawing is repeated, never twice alike.
        images = np.concatenate([train_images[some], augment(np.repeat(pictures[hand], repeats, axis=0), random)])
        meant = np.concatenate([train_labels[some], np.repeat(labels[hand], repeats)])
        model.fit(network_input(images), meant, batch_size=64, verbose=0)
        report(0.1 + 0.8 * (epoch + 1) / EPOCHS)
    after = count_right()
    settings = settings_of(network)
    networks.save(model, output, json.loads(settings.read_text("utf-8")) if settings.exists() else None)
    report(1.0)
    counts = {"held_out": int(held_out.sum()), "mnist": len(test_labels)}
    what = {name: {"count": counts[name], "before": before[name], "after": after[name]} for name in counts}
    return {**what, "learnt": len(hand)}


class FinetuneProcess:
    """A process that learns.

    Parameters
    ----------
    on_progress : callable
        Called with the share done, 0 to 1.
    on_end : callable
        Called once with what `finetune` returned, with words that say what went wrong, or with None where it was
        cancelled. Both are called from another thread.
    drawings : path-like, optional
        The file of drawings to learn.
    network, output : path-like, optional
        As for `finetune`.
    """

    def __init__(self, on_progress, on_end, drawings=MY_DRAWINGS, network=None, output=TAUGHT_NETWORK):
        command = [sys.executable, "-m", "digitlab.training.finetune", str(drawings), "--output", str(output)]
        if network is not None:
            command += ["--network", str(network)]
        # Its input stays open as long as this process lives: by that it knows when nobody waits for it any more.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._cancelled = False
        self._on_progress, self._on_end = on_progress, on_end
        self._errors = []
        threading.Thread(target=self._drain, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def cancel(self):
        """Stop it; nothing is saved."""
        self._cancelled = True
        self._process.terminate()

    def _drain(self):
        for line in self._process.stderr:
            self._errors = [*self._errors, line.strip()][-20:]

    def _listen(self):
        result = None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if "done" in message:
                    self._on_progress(message["done"])
                result = message.get("result", result)
        status = self._process.wait()
        if self._cancelled and result is None:
            self._on_end(None)
        elif status == 0 and result is not None:
            self._on_end(result)
        else:
            words = [line for line in self._errors if line]
            self._on_end(words[-1] if words else f"Learning ended with status {status}.")


def _stop_with_the_parent():
    sys.stdin.read()
    os._exit(1)


def main(argv=None):
    """Learn as `FinetuneProcess` asks; print one JSON object a line."""
    parser = argparse.ArgumentParser(description="Let a copy of a network learn a file of drawings.")
    parser.add_argument("drawings", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--output", type=Path, default=TAUGHT_NETWORK)
    arguments = parser.parse_args(argv)
    threading.Thread(target=_stop_with_the_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)  # Whoever draws meanwhile goes first.

    def say(**message):
        print(json.dumps(message), flush=True)

    try:
        drawings = read_drawings(arguments.drawings, on_bad_line=lambda number, why: None)
        result = finetune(drawings, arguments.network, arguments.output, report=lambda share: say(done=share))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    say(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
