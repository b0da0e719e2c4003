"""The loss as a figure that is drawn anew while a network trains."""

import io
import time

import numpy as np
from IPython.display import Image, display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from digitlab.plots import _WIDTH, BLUE, ORANGE, STYLE


class LiveLoss:
    """A picture of the loss that is drawn anew while a network trains.

    Its methods are what `keras.callbacks.LambdaCallback` calls. The picture is shown where the first batch is done,
    and changes in place.

    Parameters
    ----------
    epochs : int
        How many epochs the training will take.
    batches : int
        How many batches there are in each.
    every : float, optional
        It is drawn at most once in so many seconds, and less often where the computer is slow or busy, so that training
        is not held up.
    """

    _SMOOTH = 25
    _REST = 12  # After a drawing that took a second the next has to wait for so many.

    def __init__(self, epochs, batches, every=0.8):
        self.epochs, self.batches, self.every = epochs, batches, every
        self.losses, self.validation_losses = [], []
        self._sums, self._right = {}, []
        self._first = self._last = None
        self._rest = every
        self._handle = None
        with plt.rc_context(STYLE):
            self._figure = Figure(figsize=(_WIDTH, 4.4))
            self._figure.get_layout_engine().set(w_pad=0.1)
            self._axes = self._figure.subplots()
            (self._dots,) = self._axes.plot([], [], color=BLUE, alpha=0.25, linewidth=1)
            (self._line,) = self._axes.plot([], [], color=BLUE, label="digits it learns from")
            (self._checks,) = self._axes.plot(
                [], [], "D", color=ORANGE, markersize=10, clip_on=False, zorder=3, label="digits held back"
            )
            self._checks.set_in_layout(False)
            self._axes.set(xlabel="epoch", ylabel="loss", xlim=(0, epochs), ylim=(0.02, 3), yscale="log")
            self._axes.xaxis.set_major_locator(MaxNLocator(min(epochs, 10), integer=True))
            self._axes.yaxis.set_major_locator(FixedLocator([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]))
            self._axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            self._axes.yaxis.set_minor_locator(NullLocator())
            self._axes.grid(axis="y", color="#DDDDDD")
            self._axes.legend(loc="upper right", frameon=False)

    def after_batch(self, batch, logs):
        """Take note of a batch's loss, and of its accuracy where that is counted: `on_train_batch_end`."""
        self.losses.append(max(self._of_batch("loss", batch, logs), 0.0))
        if "accuracy" in logs:
            self._right.append(self._of_batch("accuracy", batch, logs))
        now = time.monotonic()
        self._first = self._first or now
        if self._last is None or now - self._last >= self._rest:
            self._show(now)

    def after_epoch(self, epoch, logs):
        """Take note of the loss on the digits held back, where there are any: `on_epoch_end`."""
        if "val_loss" in logs:
            self.validation_losses.append(logs["val_loss"])
        now = time.monotonic()
        if epoch + 1 >= self.epochs or now - self._last >= self._rest:
            self._show(now)

    @property
    def title(self):
        """What the picture says now."""
        done, total = len(self.losses), self.epochs * self.batches
        now = f"{np.mean(self.losses[-self._SMOOTH :]):.2f}"
        if self._right:
            right = f"{np.clip(np.mean(self._right[-self._SMOOTH :]), 0, 1):.1%} right"
            now += f"; of the last digits it learnt from, {right}" if done >= total else f", {right}"
        if done >= total:
            return f"After {self.epochs} epoch{'s' * (self.epochs > 1)}: loss {now}"
        left = (self._last - self._first) / max(done - 1, 1) * (total - done)
        return f"Epoch {(done - 1) // self.batches + 1} of {self.epochs}: loss {now}, about {left:.0f} s to go"

    def _of_batch(self, name, batch, logs):
        # Keras reports the mean since the epoch began; the batch's own number is what the sum has grown by.
        before = self._sums.get(name, 0.0) if batch else 0.0
        self._sums[name] = logs[name] * (batch + 1)
        return self._sums[name] - before

    def _show(self, now):
        self._last = now
        losses = np.array(self.losses)
        at = np.arange(1, len(losses) + 1) / self.batches
        self._dots.set_data(at, losses)
        smooth = min(self._SMOOTH, len(losses))
        self._line.set_data(at[smooth - 1 :], np.convolve(losses, np.ones(smooth) / smooth, "valid"))
        self._checks.set_data(range(1, len(self.validation_losses) + 1), self.validation_losses)
        if len(losses) > smooth:
            self._axes.set_ylim(bottom=np.clip(self._line.get_ydata().min() / 1.5, 0.001, 0.02))
        self._axes.set_title(self.title, loc="left", fontsize=16)
        png = io.BytesIO()
        with plt.rc_context(STYLE):
            self._figure.savefig(png, format="png", dpi=STYLE["figure.dpi"])
        picture = Image(png.getvalue(), alt=f"The curve of the loss. {self.title}")
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)
            # Where a whole class computes on one machine, drawing would else take as long as training. (The first
            # drawing does not count: it takes longer than the others.)
            self._rest = max(self.every, self._REST * (time.monotonic() - now))
