"""Descend a loss curve by hand: one weight, its slope, a step, and the learning rate."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from digitlab.figure import BLUE, DARK_ORANGE, GREY, ORANGE, alt_text, figure
from digitlab.widgets import SHARED_CSS, SHARED_JS

_POINTS = 400
"""How many points of the curve are computed between its ends; the curve goes on as far again to both sides."""


class Slope(anywidget.AnyWidget):
    """A loss curve with one weight on it: a slider moves the weight, and steps go down the slope.

    A step goes from a weight to the weight minus learning rate times slope.

    Parameters
    ----------
    loss : callable
        Takes a weight and returns the loss, as numbers.
    low, high : float
        The smallest and the largest weight in the picture.
    start : float
        The weight at the beginning.
    rates : dict of str to float
        Learning rates to choose from, by name.

    Attributes
    ----------
    weight : float
        The weight. It can be set.
    history : list of float
        The weights that the steps came through, the first one included.
    rate : float
        The chosen learning rate.

    Raises
    ------
    ValueError
        If the curve has no width, or does not hold the start, if there is no learning rate, or the loss is not a number
        at some weight from `low` to `high`.
    """

    _esm = SHARED_JS + Path(__file__).with_name("slope.js").read_text("utf-8")
    _css = SHARED_CSS + Path(__file__).with_name("slope.css").read_text("utf-8")
    low = traitlets.Float().tag(sync=True)
    high = traitlets.Float().tag(sync=True)
    start = traitlets.Float().tag(sync=True)
    losses = traitlets.List().tag(sync=True)
    """The loss at equal distances from ``low - (high - low)`` to ``high + (high - low)``."""
    rates = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    weight = traitlets.Float().tag(sync=True)
    history = traitlets.List(traitlets.CFloat()).tag(sync=True)

    def __init__(
        self, loss: Callable[[float], float], low: float, high: float, start: float, rates: Mapping[str, float]
    ):
        curve = _Curve(loss, low, high, start, rates)
        super().__init__(
            low=low,
            high=high,
            start=start,
            weight=start,
            history=[float(start)],
            losses=curve.losses.tolist(),
            rates=[{"name": str(name), "rate": float(rate)} for name, rate in rates.items()],
        )

    @traitlets.observe("weight")
    def _begin_anew(self, _):
        # Steps and the slider change the history, too; who sets the weight alone begins anew from there.
        if self.history[-1] != self.weight:
            self.history = [self.weight]

    @property
    def rate(self) -> float:
        """The chosen learning rate."""
        return self.rates[self.chosen]["rate"]

    def __repr__(self):
        return f"Slope(weight {self.weight:.2f}, {len(self.history) - 1} steps)"


def slope_picture(
    loss: Callable[[float], float],
    low: float,
    high: float,
    start: float,
    rates: Mapping[str, float],
    title: str,
    steps: int = 8,
) -> None:
    """Show the first steps down a loss curve, once for each learning rate: the still picture of a `Slope`.

    Parameters
    ----------
    loss, low, high, start, rates
        As for `Slope`.
    title : str
        The title of the figure: what it says.
    steps : int, optional
        How many steps to take. They end where one leaves the picture.

    Raises
    ------
    ValueError
        As for `Slope`.
    """
    curve = _Curve(loss, low, high, start, rates)
    paths = {name: curve.descend(start, rate, steps) for name, rate in rates.items()}
    alt = alt_text(
        title,
        [
            f"{name}, learning rate {rates[name]:g}: from {path[0]:.2f} through "
            + ", ".join(f"{weight:.2f}" for weight in path[1:])
            + ("" if low <= path[-1] <= high else ", out of the picture")
            for name, path in paths.items()
        ],
    )
    inside = curve.losses[curve.inside]
    bottom, top = min(0, inside.min()), max(0, inside.max())
    with figure(title, alt, (9.5, 4.4), 1, len(rates), sharey=True) as axes:
        for ax, (name, path) in zip(axes.flat, paths.items(), strict=True):
            ax.plot(curve.weights[curve.inside], inside, color=GREY)
            shown = [weight for weight in path if low <= weight <= high]
            ax.plot(shown, curve.loss(shown), color=ORANGE, linewidth=1.5, marker="o", markersize=6)
            ax.plot(path[0], curve.loss(path[0]), color=BLUE, marker="o", markersize=9)
            if path[-1] != shown[-1]:
                # It left the picture: an arrow at the edge says to where.
                right = path[-1] > high
                edge, back = (high, "right") if right else (low, "left")
                height = curve.loss(shown[-1])
                ax.annotate(
                    "", (edge, height), (shown[-1], height), arrowprops={"arrowstyle": "->", "color": ORANGE, "lw": 2}
                )
                text = f"to {path[-1]:.1f}".replace("-", "−")
                ax.text(
                    edge, height + (top - bottom) * 0.03, text, ha=back, va="bottom", color=DARK_ORANGE, fontsize=13
                )
            ax.set(title=f"{name}: {rates[name]:g}", xlabel="weight", ylim=(bottom * 1.15, top * 1.15))
        axes.flat[0].set_ylabel("loss")


class _Curve:
    """A loss as a function of one weight, computed at equal distances, also beyond the picture."""

    def __init__(self, loss, low, high, start, rates):
        if not rates:
            raise ValueError('Give at least one learning rate, such as rates={"small": 0.1}.')
        if not low < high:
            raise ValueError(f"The smallest weight ({low:g}) must be smaller than the largest ({high:g}).")
        if not low <= start <= high:
            raise ValueError(f"The first weight ({start:g}) must be from {low:g} to {high:g}.")
        width = high - low
        self.weights = np.linspace(low - width, high + width, 3 * _POINTS + 1)
        self.low, self.high = low, high
        self.inside = slice(_POINTS, 2 * _POINTS + 1)
        losses = np.full(len(self.weights), np.nan)
        losses[self.inside] = [float(loss(weight)) for weight in self.weights[self.inside]]
        bad = self.weights[self.inside][~np.isfinite(losses[self.inside])]
        if len(bad):
            raise ValueError(f"The loss must be a number at each weight, but it is not at {bad[0]:.2f}.")
        for number in np.flatnonzero(np.isnan(losses)):
            with contextlib.suppress(ArithmeticError, ValueError), np.errstate(all="ignore"):
                losses[number] = loss(self.weights[number])
        # Outside, it need not be defined, as the logarithm below 0 is not: it stays as it is where it is known.
        known = np.isfinite(losses)
        self.losses = np.interp(self.weights, self.weights[known], losses[known])
        self.slopes = np.gradient(self.losses, self.weights)

    def loss(self, weight):
        return np.interp(weight, self.weights, self.losses)

    def descend(self, weight, rate, steps):
        """Return the weights of some steps, the first included; they end where one leaves the picture."""
        path = [float(weight)]
        while len(path) <= steps and self.low <= path[-1] <= self.high:
            path.append(float(path[-1] - rate * np.interp(path[-1], self.weights, self.slopes)))
        return path
