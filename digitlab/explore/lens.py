"""A lens on a convolution: one place of a digit, its pixels, the weights of a filter, their products and their sum."""

from collections.abc import Mapping
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from matplotlib import pyplot as plt
from numpy.typing import ArrayLike

from digitlab.figure import DIVERGING, ORANGE, alt_text, figure, frame
from digitlab.ink import Ink
from digitlab.inside import NO_FILTERS
from digitlab.prepare import SIDE, check_image, network_input, prepare
from digitlab.recognizer import Recognizer
from digitlab.widgets import SHARED_CSS, SHARED_JS

MAX_SIDE = 7
"""Maximum width and height of a filter: a larger one's numbers could not be read."""


def feature_map(image: np.ndarray, weights: ArrayLike, bias: float = 0.0) -> np.ndarray:
    """Return the sums of a filter at all its places, before ReLU.

    Parameters
    ----------
    image : uint8 array (28, 28)
        The pixels are divided by 255, as for a network.
    weights : float array (k, k)
        The filter.
    bias : float, optional
        What is added to each sum.

    Returns
    -------
    float32 array (29 - k, 29 - k)
        The sum at row r and column c belongs to the pixels from row r and column c on.

    Raises
    ------
    ValueError
        If a weight is not finite.
    """
    weights = _finite(weights).astype(np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(_pixels(image), weights.shape)
    return np.einsum("rcij,ij->rc", patches, weights) + np.float32(bias)


class Lens(anywidget.AnyWidget):
    """Move over a digit, and see what a filter computes there: by mouse, finger, arrow keys or sliders.

    Parameters
    ----------
    drawing : Ink or uint8 array (h, w)
        The digit; what is not 28 x 28 is prepared as for a network. `show` shows another one.
    filters : dict of str to float array (k, k), optional
        Filters by name, which can be chosen.
    network : keras.Model or Recognizer, optional
        The filters of its first convolution can be chosen, too, with their biases.

    Attributes
    ----------
    row, column : int
        Where the filter lies: its first row and column, which are those of its result. They can be set.
    chosen : int
        Which of the filters is chosen, counted from 0. It can be set.

    Raises
    ------
    ValueError
        If there is no filter at all, or one that is no square of 2 to 7 finite numbers a side.
    """

    _esm = SHARED_JS + Path(__file__).with_name("lens.js").read_text("utf-8")
    _css = SHARED_CSS + Path(__file__).with_name("lens.css").read_text("utf-8")
    image = traitlets.Bytes().tag(sync=True)
    filters = traitlets.List().tag(sync=True)
    row = traitlets.Int(12).tag(sync=True)
    column = traitlets.Int(12).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        drawing: Ink | np.ndarray,
        filters: Mapping[str, ArrayLike] | None = None,
        network: object | None = None,
    ):
        listed = [_listed(name, weights, 0.0) for name, weights in (filters or {}).items()]
        if network is not None:
            weights, biases = _first_filters(network)
            listed += [
                _listed(f"filter {number + 1} of the network", weights[:, :, number], bias)
                for number, bias in enumerate(biases)
            ]
        if not listed:
            raise ValueError('Give the lens a filter, filters={"mine": my_filter}, or a network.')
        super().__init__(image=_prepared(drawing).tobytes(), filters=listed)

    def show(self, drawing: Ink | np.ndarray):
        """Show another digit, such as ``pad.ink``."""
        self.image = _prepared(drawing).tobytes()

    def __repr__(self):
        return f"Lens({self.filters[self.chosen]['name']}, row {self.row}, column {self.column})"


def lens_picture(image: np.ndarray, weights: ArrayLike, row: int, column: int, title: str, bias: float = 0.0) -> None:
    """Show what a filter computes at one place of a digit: the still picture of a `Lens`.

    Parameters
    ----------
    image : uint8 array (28, 28)
    weights : float array (k, k)
        The filter.
    row, column : int
        Where it lies: its first row and column, which are those of its result.
    title : str
        The title of the figure: what it says.
    bias : float, optional
        What is added to the sum.

    Raises
    ------
    ValueError
        If the filter does not lie within the digit.
    """
    weights = np.asarray(weights, np.float32)
    side = len(weights)
    if not (0 <= row <= SIDE - side and 0 <= column <= SIDE - side):
        raise ValueError(f"The filter must lie within the digit: row and column are 0 to {SIDE - side}.")
    pixels = _pixels(image)[row : row + side, column : column + side]
    products = pixels * weights
    sums = feature_map(image, weights, bias)
    total, found = sums[row, column], max(sums[row, column], 0)
    limit = float(np.abs(weights).max()) or 1.0
    added = f" + bias {_written(bias)}" if bias else ""
    alt = alt_text(
        title,
        [
            f"{what} {'; '.join(' '.join(map(_written, line)) for line in numbers)}"
            for what, numbers in {"pixels": pixels, "weights": weights, "products": products}.items()
        ]
        + [f"sum{added}: {_written(total)}; after ReLU {_written(found)}", f"it lands at row {row}, column {column}"],
    )
    with figure(title, alt, (9.5, 4.5), 2, 3, height_ratios=[1.25, 1]) as axes:
        ax_image, ax_words, ax_map = axes[0]
        ax_image.imshow(image, vmin=0, vmax=255)
        largest = max(sums.max(), 1e-9)
        ax_map.imshow(np.maximum(sums, 0), cmap=DIVERGING, vmin=-largest, vmax=largest)
        for ax, size, name in ((ax_image, side, "the digit"), (ax_map, 1, "the result, after ReLU")):
            corner = column - 0.5, row - 0.5
            ax.add_patch(plt.Rectangle(corner, size, size, fill=False, edgecolor=ORANGE, linewidth=3))
            ax.set(title=name, xlabel="column", ylabel="row")
            frame(ax)
        ax_words.axis("off")
        words = f"sum of the {side * side} products{added}\n= {_written(total)}\n\nafter ReLU\n{_written(found)}"
        ax_words.text(0.5, 0.5, words, ha="center", va="center", transform=ax_words.transAxes)
        tables = {"pixels": pixels, "×  weights": weights, "=  products": products}
        for ax, (name, numbers) in zip(axes[1], tables.items(), strict=True):
            colours = {"vmin": 0, "vmax": 1} if name == "pixels" else {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
            drawn = ax.imshow(numbers, aspect="auto", **colours)
            for (line, place), value in np.ndenumerate(numbers):
                red, green, blue, _ = drawn.cmap(drawn.norm(value))
                is_pale = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.18
                text = _written(value)
                colour = "black" if is_pale else "white"
                ax.text(place, line, text, ha="center", va="center", color=colour, fontsize=14 if side < 5 else 10)
            ax.set(title=name, xticks=[], yticks=[])
            frame(ax)


def _written(value):
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: there is no -0.00.


def _pixels(image):
    check_image(image)
    return network_input([image])[0, :, :, 0]


def _prepared(drawing):
    if not isinstance(drawing, Ink) and np.shape(drawing) == (SIDE, SIDE):
        check_image(drawing)
        return drawing
    return prepare(drawing)


def _finite(weights, name="The filter"):
    weights = np.asarray(weights, float)
    if not np.isfinite(weights).all():
        raise ValueError(f"{name} has weights that are no numbers, as after a division by 0.")
    return weights


def _listed(name, weights, bias):
    weights = _finite(weights, f"The filter {name!r}")
    if weights.ndim != 2 or len(set(weights.shape)) > 1 or not 2 <= len(weights) <= MAX_SIDE:
        raise ValueError(
            f"The filter {name!r} must be a square of 2 to {MAX_SIDE} numbers a side, not {weights.shape}."
        )
    return {"name": str(name), "weights": weights.tolist(), "bias": float(bias)}


def _first_filters(network):
    """Return weights (k, k, n) and biases (n,) of the first convolution."""
    if isinstance(network, Recognizer):
        return network.filters()
    for layer in network.layers:
        weights = layer.get_weights()
        if weights and weights[0].ndim == 4:
            return weights[0][:, :, 0], weights[1] if len(weights) > 1 else np.zeros(weights[0].shape[3])
    raise ValueError(NO_FILTERS)
