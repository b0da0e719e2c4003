"""The still picture of what each layer of a network finds in a drawing."""

import math

import numpy as np

from digitlab.figure import BLUE, DIVERGING, GREY, alt_text, figure, frame
from digitlab.inside import layer_limits, layer_words
from digitlab.recognizer import Recognizer, percent

_COLUMNS = 3


def inside_picture(recognizer: Recognizer, image: np.ndarray, title: str) -> None:
    """Show what each layer of a network finds in an image: blue what is found, orange the opposite, white for 0.

    Parameters
    ----------
    recognizer : Recognizer
    image : uint8 array (28, 28)
        A prepared drawing, such as `Prediction.image`.
    title : str
        The title of the figure: what it says.
    """
    layers = recognizer.layers(image)
    limits = layer_limits(recognizer)
    answer = layers["answer"][:10]
    words = [layer_words(name, value) for name, value in layers.items() if name not in ("pixels", "answer")]
    alt = alt_text(title, [*words, f"answer: {answer.argmax()} ({percent(answer.max())})"])
    rows = -(-len(layers) // _COLUMNS)
    with figure(title, alt, (9.5, 2.2 * rows + 0.9), rows, _COLUMNS) as axes:
        for ax in axes.flat[len(layers) :]:
            ax.axis("off")
        for ax, (name, value) in zip(axes.flat, layers.items(), strict=False):
            if name == "answer":
                ax.barh(range(10), answer, color=[BLUE if digit == answer.argmax() else GREY for digit in range(10)])
                ax.set(title=name, xlim=(0, 1), yticks=range(10), xticks=[0, 1], xticklabels=["0 %", "100 %"])
                ax.tick_params(labelsize=10)
                ax.invert_yaxis()
                continue
            if name == "pixels":
                ax.imshow(value, vmin=0, vmax=1)
                ax.set_title("pixels")
            else:
                drawn = ax.imshow(_side_by_side(value), cmap=DIVERGING, vmin=-limits[name], vmax=limits[name])
                kind = "filters" if value.ndim == 3 else "neurons"
                ax.set_title(f"{name}: {value.shape[-1]} {kind}", fontsize=12)
            ax.set(xticks=[], yticks=[])
            frame(ax)
        if len(layers) > 2:
            scale = ax.figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.5, aspect=40, ticks=[])
            scale.set_label("orange: the opposite · white: 0 · blue: found", fontsize=12)


def _side_by_side(values):
    """Return all maps of a layer in one array, with gaps of NaN between them; a dense layer's numbers are its maps."""
    maps = np.moveaxis(values, -1, 0) if values.ndim == 3 else values.reshape(-1, 1, 1)
    count, height, width = maps.shape
    columns = math.ceil(math.sqrt(count * 1.4))
    rows = -(-count // columns)
    gap = 1 if height > 1 else 0
    picture = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for number, one in enumerate(maps):
        top, left = (number // columns) * (height + gap), (number % columns) * (width + gap)
        picture[top : top + height, left : left + width] = one
    return picture
