"""What the full recipe shows a network in each epoch: images made anew, by other processes, while it learns."""

import contextlib
import multiprocessing
import os
import queue
import signal
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from digitlab.data import NOT_A_DIGIT, load_drawings
from digitlab.metrics import DIGITS
from digitlab.training.augment import augment
from digitlab.training.redraw import Strokes, redraw
from digitlab.training.synthesis import draw_digit, draw_other

PARTS = 4
"""Number of parts that an epoch is made in, on any machine: each has a random seed of its own."""

CODE_STRENGTH = 0.6
"""Strength with which drawings made by code are drawn anew: they differ already."""

KINDS = "people", "code", "others"
"""Kinds of drawings: digits and letters drawn by people, digits drawn by code, and other things drawn by code."""

DIGITS_BY_CODE = 10_000
"""Number of digits drawn by code that an epoch shows, where it shows any."""


@dataclass(frozen=True)
class Mixture:
    """What an epoch shows: MNIST's training digits, and a number of images of each other kind."""

    people: int = 34_000
    """Digits drawn by people."""

    letters: int = 7_000
    """Letters drawn by people, which are no digits."""

    code: int = 0
    """Digits drawn by code. The recipe does without: beside people's digits they do not help to read strangers."""

    others: int = 5_000
    """Letters, shapes, scribbles and pairs of digits drawn by code, which are no digits."""

    repeats: int = 1
    """Number of times that each of MNIST's training digits is shown."""

    def total(self, digits: int) -> int:
        """Return the number of all these images, if there are so many of MNIST's digits."""
        return self.repeats * digits + self.people + self.letters + self.code + self.others

    @classmethod
    def of(cls, kinds: Collection[str]) -> "Mixture":
        """Return a mixture of MNIST and some of the `KINDS` of drawings, to find out how much each of them helps."""
        people, code, others = (kind in kinds for kind in KINDS)
        return cls(
            people=cls.people if people else 0,
            letters=cls.letters if people else 0,
            code=DIGITS_BY_CODE if code else 0,
            others=cls.others if others else 0,
        )


@dataclass(frozen=True)
class Sources:
    """What all epochs are made from."""

    x_train: np.ndarray
    """uint8 (n, 28, 28): digits of MNIST."""

    y_train: np.ndarray
    """int (n,)"""

    people: Strokes
    code: Strokes
    mixture: Mixture
    seed: int
    strength: float = 1.0
    """How much the images are changed, 0 to 1."""

    unchanged: float = 0.4
    """Share of MNIST's digits that are shown as they are."""

    softened: float = 0.4
    """Share of the drawings that are changed as images too.

    MNIST's digits have sharp edges where they are unchanged, and soft ones where they were changed; so have the
    drawings. Otherwise the network takes the kind of edge for a sign of the kind of hand, and an American 7 for a 1
    with a long flag.
    """


def read_people(part: str) -> tuple[Strokes, np.ndarray]:
    """Read the drawings by people of some writers, and how often to show each.

    Parameters
    ----------
    part : {"all", "learn", "held-out"}
        As for `load_drawings`.

    Returns
    -------
    strokes : Strokes
    weights : float array (n,)
        One over the square root of the number of drawings by the same writer: a writer of a hundred drawings is shown
        ten times as often as a writer of one, not a hundred times.
    """
    drawings = load_drawings(part)
    labels = [int(drawing.label) if drawing.label in DIGITS else NOT_A_DIGIT for drawing in drawings]
    writers = [f"{drawing.source} {drawing.writer}" for drawing in drawings]
    _, writer_of, counts = np.unique(writers, return_inverse=True, return_counts=True)
    return Strokes.of([drawing.ink for drawing in drawings], labels), counts[writer_of] ** -0.5


def draw_by_code(digits: int, others: int, seed: int) -> Strokes:
    """Draw so many digits by code, and so many things that are no digits."""
    rng = np.random.default_rng([seed, 0])
    inks = [draw_digit(number % 10, rng) for number in range(digits)] + [draw_other(rng) for _ in range(others)]
    return Strokes.of(inks, [number % 10 for number in range(digits)] + [NOT_A_DIGIT] * others)


class EpochMaker:
    """Processes that make the images of an epoch. Use it in a ``with`` block.

    Each process has a pipe of its own, and a thread of this process waits at the other end. So a process that is ended,
    even in the middle of an answer, ends its pipe, and with it the waiting. `concurrent.futures.ProcessPoolExecutor`
    has one pipe for the answers of all, and would wait forever for the rest of that answer.

    Parameters
    ----------
    sources : Sources

    Raises
    ------
    ChildProcessError
        If the system ends one of the processes while it starts.
    """

    def __init__(self, sources: Sources):
        # Not as copies of this process, in which TensorFlow may have started threads.
        context = multiprocessing.get_context("spawn")
        count = min(PARTS, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(count)
        self._processes = []
        self._idle = queue.SimpleQueue()
        self._coming = {}
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(there, sources), daemon=True)
            with _telling_what_broke():
                process.start()
            there.close()
            self._processes.append(process)
            self._idle.put(here)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()  # After Ctrl-C nobody waits for what they are making.
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.join()

    def order(self, epoch: int, weights: np.ndarray) -> None:
        """Begin to make an epoch, if it was not ordered before.

        Each drawing by a person is chosen with a probability in proportion to its weight, float (n,).
        """
        if epoch not in self._coming:
            self._coming[epoch] = [self._threads.submit(self._ask, epoch, part, weights) for part in range(PARTS)]

    def take(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Wait for an epoch that was ordered: images, uint8 (n, 28, 28), and labels, uint8 (n,).

        Raises
        ------
        ChildProcessError
            If the system has ended one of the processes.
        """
        with _telling_what_broke():
            images, labels = zip(*[part.result() for part in self._coming.pop(epoch)], strict=True)
        return np.concatenate(images), np.concatenate(labels)

    def _ask(self, *order):
        """Let a process that has nothing to do make one part of an epoch."""
        pipe = self._idle.get()
        try:
            pipe.send(order)
            return pipe.recv()
        finally:
            self._idle.put(pipe)


@contextlib.contextmanager
def _telling_what_broke():
    try:
        yield
    except (EOFError, OSError) as error:
        raise ChildProcessError(
            "a process that makes the images was ended, perhaps because the memory is full: "
            "close other programs and run the same command again"
        ) from error


def make_part(sources: Sources, epoch: int, part: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make one of the `PARTS` of an epoch: images, uint8 (n, 28, 28), kind by kind, and labels, uint8 (n,)."""
    rng = np.random.default_rng([sources.seed, 1 + epoch, part])
    mixture = sources.mixture
    digits = sources.x_train[part::PARTS]
    images = [_augment_some(digits, rng, sources.strength, 1 - sources.unchanged) for _ in range(mixture.repeats)]
    labels = [sources.y_train[part::PARTS]] * mixture.repeats
    for strokes, is_digit, count, sampling, strength in (
        (sources.people, True, mixture.people, weights, 1.0),
        (sources.people, False, mixture.letters, weights, 1.0),
        (sources.code, True, mixture.code, None, CODE_STRENGTH),
        (sources.code, False, mixture.others, None, CODE_STRENGTH),
    ):
        if count >= PARTS:
            kind = np.flatnonzero((strokes.labels != NOT_A_DIGIT) == is_digit)
            sampling = None if sampling is None else sampling[kind] / sampling[kind].sum()
            chosen = strokes.take(rng.choice(kind, count // PARTS, p=sampling))
            drawn = redraw(chosen, rng, strength * sources.strength)
            images.append(_augment_some(drawn, rng, 0.5, sources.softened))
            labels.append(chosen.labels)
    return np.concatenate(images), np.concatenate(labels).astype(np.uint8)


def _augment_some(images, rng, strength, share):
    """Return the images, a share of them changed."""
    chosen = rng.random(len(images)) < share
    changed = images.copy()
    if chosen.any():
        changed[chosen] = augment(images[chosen], rng, strength)
    return changed


def _work(pipe, sources):
    """Make one part after the other, as they are asked for, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that learns.
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(5)  # The network goes first.
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            pipe.send(make_part(sources, *pipe.recv()))
