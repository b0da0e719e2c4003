"""A figure of the loss that is updated while a network trains."""

import io
import time

import numpy as np
from IPython.display import Image, display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from digitlab.figure import BLUE, ORANGE, STYLE
from digitlab.network import keras

FIGURE_SIZE = (9.5, 3.0)
"""Width and height of the figure, in inches."""


class LiveLoss(keras.callbacks.Callback):
    """Show the loss in a figure while a network trains: ``model.fit(..., callbacks=[LiveLoss()])``.

    The figure appears after the first batch and is updated in place. It shows the loss of each batch, their moving
    average and, after each epoch, the loss on the validation data if there are any.

    Parameters
    ----------
    every : float, optional
        Minimum time between two updates, in seconds. On a slow or busy computer there are fewer, so that they take
        little of the time.
    """

    _SMOOTH = 25  # Number of batches in the moving average.
    _REST = 12  # After an update that took a second, the next one is at least so many seconds later.

    def __init__(self, every: float = 0.8):
        super().__init__()
        self.every = every

    def on_train_begin(self, logs=None):
        """Start a new figure."""
        self.losses, self.validation_losses = [], []
        self._epochs, self._steps = self.params["epochs"], self.params["steps"]
        if self._steps is None:
            raise ValueError("LiveLoss needs to know how many batches an epoch has: give fit steps_per_epoch.")
        self._epochs_done, self._finished = 0, False
        self._sums, self._accuracies = {}, []
        self._first = self._last = None
        self._rest = self.every
        self._handle = None
        self._make_figure()

    def on_train_batch_end(self, batch, logs=None):
        """Take the loss and the accuracy of a batch; update the figure if it is time."""
        self.losses.append(max(self._of_batch("loss", batch, logs), 0.0))
        if "accuracy" in logs:
            self._accuracies.append(self._of_batch("accuracy", batch, logs))
        now = time.monotonic()
        self._first = self._first or now
        if self._last is None or now - self._last >= self._rest:
            self._update(now)

    def on_epoch_end(self, epoch, logs=None):
        """Take the loss on the validation data; update the figure if it is time."""
        self._epochs_done += 1
        if "val_loss" in logs:
            self.validation_losses.append(logs["val_loss"])
        now = time.monotonic()
        if now - self._last >= self._rest:
            self._update(now)

    def on_train_end(self, logs=None):
        """Update the figure for the last time."""
        self._finished = True
        self._update(time.monotonic())

    @property
    def title(self) -> str:
        """The title of the figure."""
        done, total = len(self.losses), self._epochs * self._steps
        now = f"{np.mean(self.losses[-self._SMOOTH :]):.2f}"
        if self._accuracies:
            right = f"{np.clip(np.mean(self._accuracies[-self._SMOOTH :]), 0, 1):.1%} right"
            now += f"; of the last digits it learnt from, {right}" if self._finished else f", {right}"
        if self._finished:
            return f"After {self._epochs_done} epoch{'s' * (self._epochs_done > 1)}: loss {now}"
        left = (self._last - self._first) / max(done - 1, 1) * (total - done)
        return f"Epoch {(done - 1) // self._steps + 1} of {self._epochs}: loss {now}, about {left:.0f} s to go"

    def _make_figure(self):
        with plt.rc_context(STYLE):
            self._figure = Figure(figsize=FIGURE_SIZE)
            self._figure.get_layout_engine().set(w_pad=0.1)
            self._ax = self._figure.subplots()
            (self._batch_line,) = self._ax.plot([], [], color=BLUE, alpha=0.25, linewidth=1)
            (self._mean_line,) = self._ax.plot([], [], color=BLUE)
            (self._validation_dots,) = self._ax.plot([], [], "D", color=ORANGE, markersize=10, clip_on=False, zorder=3)
            self._validation_dots.set_in_layout(False)
            self._ax.set(xlabel="epoch", ylabel="loss", xlim=(0, self._epochs), ylim=(0.02, 3), yscale="log")
            self._ax.xaxis.set_major_locator(MaxNLocator(min(self._epochs, 10), integer=True))
            ticks = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, *10.0 ** np.arange(1, 6)]
            self._ax.yaxis.set_major_locator(FixedLocator(ticks))
            self._ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            self._ax.yaxis.set_minor_locator(NullLocator())
            self._ax.grid(axis="y", color="#DDDDDD")

    def _of_batch(self, name, batch, logs):
        # Keras reports the mean since the epoch began. The batch's own value is what it adds to the sum.
        before = self._sums.get(name, 0.0) if batch else 0.0
        self._sums[name] = logs[name] * (batch + 1)
        return self._sums[name] - before

    def _update(self, now):
        self._last = now
        losses = np.array(self.losses)
        epochs = np.arange(1, len(losses) + 1) / self._steps
        self._batch_line.set_data(epochs, losses)
        smooth = min(self._SMOOTH, len(losses))
        self._mean_line.set_data(epochs[smooth - 1 :], np.convolve(losses, np.ones(smooth) / smooth, "valid"))
        self._validation_dots.set_data(range(1, len(self.validation_losses) + 1), self.validation_losses)
        shown = {"digits it learns from": self._mean_line}
        if self.validation_losses:
            shown["digits held back"] = self._validation_dots
        with plt.rc_context(STYLE):
            self._ax.legend(shown.values(), shown, loc="upper right", frameon=False)
        means = self._mean_line.get_ydata()
        means = means[np.isfinite(means)]  # With too large a learning rate they grow beyond all numbers.
        if len(losses) > smooth and len(means):
            self._ax.set_ylim(np.clip(means.min() / 1.5, 0.001, 0.02), np.clip(means.max(), 3, 1e6))
        self._ax.set_title(self.title, loc="left", fontsize=16)
        png = io.BytesIO()
        with plt.rc_context(STYLE):
            self._figure.savefig(png, format="png", dpi=STYLE["figure.dpi"])
        held_back = ", ".join(f"{loss:.2f}" for loss in self.validation_losses)
        words = f". Digits held back, after each epoch: {held_back}" if held_back else ""
        image = Image(png.getvalue(), alt=f"The curve of the loss. {self.title}{words}")
        if self._handle is None:
            self._handle = display(image, display_id=True)
        else:
            self._handle.update(image)
            # When a whole class trains on one machine, drawing could take as long as training. The first drawing is
            # not measured: it takes longer than the others.
            self._rest = max(self.every, self._REST * (time.monotonic() - now))
