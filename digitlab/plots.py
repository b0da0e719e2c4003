"""Draw the figures of the notebooks. Each figure says one thing, and its title says which."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike

from digitlab.figure import BLUE, DARK_ORANGE, DIVERGING, GREY, ORANGE, alt_text, figure, frame
from digitlab.inside import place_words

_WIDTH = 9.5  # Maximum width of a figure, in inches.

_LAYER_NAMES = {"Conv2D": "convolution", "MaxPooling2D": "pooling", "Flatten": "flatten", "Dense": "dense"}


def digits(
    images: ArrayLike,
    title: str,
    captions: Sequence[str] | None = None,
    columns: int = 10,
    span: tuple[float, float] | None = None,
    words: str = "",
) -> None:
    """Show images in rows.

    Parameters
    ----------
    images : array-like (n, h, w)
        Numbers of any kind: digits, means of digits, or what a filter made of one.
    title : str
        The title of the figure: what it says.
    captions : sequence of str, optional
        A few words above each image.
    columns : int, optional
        Number of images in a row.
    span : (float, float), optional
        The values that are drawn black and white. With one span for all images, they can be compared. By default each
        image is drawn from its own minimum to its own maximum.
    words : str, optional
        What there is to see, for people who do not see the figure.
    """
    _check_some(images)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    side = min(_WIDTH / columns, 2.4 if len(images) == 1 else 1.6)
    row = side + (0 if captions is None else 0.25 * (1 + str(captions[0]).count("\n")))
    parts = [*(() if captions is None else captions), *[words] * bool(words)]
    with figure(title, alt_text(title, parts or None), (side * columns, row * rows + 0.5), rows, columns) as axes:
        for ax in axes.flat[len(images) :]:
            ax.axis("off")
        for number, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
            black, white = span or (np.min(image), np.max(image))
            ax.imshow(image, vmin=black, vmax=max(white, black + 1e-9))
            ax.set(xticks=[], yticks=[])
            frame(ax)
            if captions is not None:
                ax.set_title(captions[number], fontsize=13)


def _check_some(images):
    if not len(images):
        raise ValueError("There are no images to show: none was chosen.")


def wall(images: ArrayLike, title: str, columns: int = 25, words: str = "") -> None:
    """Show many images of digits without gaps, on one scale: up to some hundred.

    Parameters
    ----------
    images : uint8 array-like (n, h, w)
    title, columns, words
        As in `digits`.
    """
    _check_some(images)
    images = np.pad(np.asarray(images), ((0, -len(images) % columns), (0, 0), (0, 0)))
    count, height, width = images.shape
    rows = count // columns
    tiles = images.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    size = _WIDTH, _WIDTH * rows * height / (columns * width) + 0.5
    with figure(title, alt_text(title, [words or f"{rows} rows of {columns}"]), size) as axes:
        axes.flat[0].imshow(tiles, vmin=0, vmax=255, interpolation="antialiased")
        axes.flat[0].axis("off")


def signed(
    images: ArrayLike, title: str, captions: Sequence[str] | None = None, columns: int = 5, words: str = ""
) -> None:
    """Show tables of numbers below and above 0 as images, all on one scale: orange below 0, white 0, blue above.

    Parameters
    ----------
    images : array-like (n, h, w)
        Filters, weights, or what a filter answers.
    title, captions, columns, words
        As in `digits`.
    """
    _check_some(images)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    side = min((_WIDTH - 1) / columns, 2.0)
    limit = max(1e-9, *(float(np.abs(image).max()) for image in images))
    row = side + (0 if captions is None else 0.3)
    names = range(1, len(images) + 1) if captions is None else captions
    parts = [f"{name}: {_signs(np.asarray(image))}" for name, image in zip(names, images, strict=True)]
    parts += [f"the scale goes from -{limit:.2g} to {limit:.2g}", *[words] * bool(words)]
    with figure(title, alt_text(title, parts), (side * columns + 1, row * rows + 0.5), rows, columns) as axes:
        for ax in axes.flat[len(images) :]:
            ax.axis("off")
        for number, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
            shown = ax.imshow(image, cmap=DIVERGING, vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[])
            frame(ax)
            if captions is not None:
                ax.set_title(captions[number], fontsize=13)
        bar = axes.flat[0].figure.colorbar(shown, ax=axes, ticks=[-limit, 0, limit], format="%.2g", fraction=0.06)
        bar.ax.axhline(0, color="black", linewidth=1.5)


def _signs(image):
    """Say where an image is above 0 and where below: the numbers of a small one, the places in a large one."""
    if image.size <= 25:
        return ", ".join(" ".join(f"{value + 0:.2g}" for value in row) for row in image)
    parts = []
    for name, values in (("above", np.maximum(image, 0)), ("below", np.maximum(-image, 0))):
        sums = {}
        for place, value in np.ndenumerate(values):
            where = place_words(*place, image.shape)
            sums[where] = sums.get(where, 0) + value
        most = sorted((where for where in sums if sums[where] > max(sums.values()) / 2), key=sums.get, reverse=True)
        row, column = np.unravel_index(values.argmax(), image.shape)
        if most:
            parts.append(f"{name} 0 {', '.join(most)}, most at row {row}, column {column} ({image[row, column]:.2g})")
    return "; ".join(parts) or "all 0"


def magnify(
    image: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], title: str, height: float = 4.6
) -> None:
    """Show an image, and beside it a part of it so large that the value of each pixel can be read.

    Parameters
    ----------
    image : uint8 array (h, w)
    rows, columns : (int, int)
        The part: its first row or column, and the one after its last.
    title : str
        The title of the figure: what it says.
    height : float, optional
        The height of the figure, in inches.
    """
    (top, bottom), (left, right) = rows, columns
    part = image[top:bottom, left:right]
    rows_of_numbers = [f"row {row}: {' '.join(map(str, image[row, left:right]))}" for row in range(*rows)]
    alt = alt_text(title, [f"the numbers of its columns {left} to {right - 1}", *rows_of_numbers])
    with figure(title, alt, (_WIDTH, height), 1, 2, width_ratios=[1, 1.15]) as axes:
        ax_whole, ax_part = axes.flat
        ax_whole.imshow(image, vmin=0, vmax=255)
        corner = left - 0.5, top - 0.5
        ax_whole.add_patch(plt.Rectangle(corner, right - left, bottom - top, fill=False, edgecolor=ORANGE, linewidth=3))
        ax_part.imshow(part, vmin=0, vmax=255, extent=(left - 0.5, right - 0.5, bottom - 0.5, top - 0.5))
        for (row, column), value in np.ndenumerate(part):
            colour = "black" if value > 117 else "white"  # Either way the contrast is at least 4.5 to 1.
            ax_part.text(left + column, top + row, value, ha="center", va="center", color=colour, fontsize=13)
        for ax in (ax_whole, ax_part):
            ax.set(xlabel="column", ylabel="row")
            frame(ax, ORANGE if ax is ax_part else None)
        ax_part.set(xticks=range(left, right), yticks=range(top, bottom))


def bars(
    heights: ArrayLike,
    names: Sequence[str],
    title: str,
    x_label: str,
    y_label: str,
    share: bool = False,
    marked: Sequence[int] = (),
) -> None:
    """Show numbers as bars, and write each number above its bar.

    Parameters
    ----------
    heights : array-like (n,)
        The numbers, 0 or more.
    names : sequence of str
        The text below each bar, n of them.
    title, x_label, y_label : str
        The title of the figure, and the labels of its axes.
    share : bool, optional
        Whether the heights are shares, 0..1, which are written in per cent.
    marked : sequence of int, optional
        Numbers of the bars, from 0, that are orange: those of another kind, which the names tell.
    """
    labels = [f"{height:.0%}" if share else f"{height:,}" for height in heights]
    alt = alt_text(title, [f"{name}: {label}" for name, label in zip(names, labels, strict=True)])
    with figure(title, alt, (_WIDTH, 3.2)) as axes:
        ax = axes.flat[0]
        colours = [ORANGE if number in marked else BLUE for number in range(len(names))]
        container = ax.bar(range(len(names)), heights, color=colours)
        ax.set_xticks(range(len(names)), [str(name) for name in names])
        ax.bar_label(container, labels, padding=3, fontsize=13)
        ax.set(xlabel=x_label, ylabel=y_label)
        if share:
            ax.set_ylim(0, 1.1)
            ax.yaxis.set_major_formatter(PercentFormatter(1))


def readings(
    images: ArrayLike,
    probabilities: ArrayLike,
    title: str,
    captions: Sequence[str] | None = None,
    height: float = 3.8,
) -> None:
    """Show images, and below each the ten probabilities that a network gives to the digits.

    Parameters
    ----------
    images : array-like (n, h, w)
    probabilities : array-like (n, 10)
    title : str
        The title of the figure: what it says.
    captions : sequence of str, optional
        A few words above each image.
    height : float, optional
        The height of the figure, in inches.
    """
    _check_some(images)
    count = len(images)
    width = min(_WIDTH, 2.4 * count + 0.6)
    probabilities = np.asarray(probabilities)
    read = [_read_words(row) for row in probabilities]
    alt = alt_text(
        title, read if captions is None else [f"{one}, {digit}" for one, digit in zip(captions, read, strict=False)]
    )
    with figure(title, alt, (width, height), 2, count) as axes:
        for number, (image, row) in enumerate(zip(images, probabilities, strict=True)):
            ax_image, ax_bars = axes[:, number]
            ax_image.imshow(image, vmin=0, vmax=255)
            ax_image.axis("off")
            if captions is not None:
                ax_image.set_title(captions[number], fontsize=13)
            ax_bars.bar(range(10), row, color=[BLUE if digit == row.argmax() else GREY for digit in range(10)])
            ax_bars.set(ylim=(0, 1), xticks=range(10), yticks=[0, 0.5, 1] if number == 0 else [], xlabel="digit")
            ax_bars.tick_params(axis="x", labelsize=12 if count > 3 else 13, length=0)
            ax_bars.yaxis.set_major_formatter(PercentFormatter(1))
        axes[1, 0].set_ylabel("probability")


def _read_words(probabilities):
    """Say what is read, and what else it might be."""
    second, first = np.argsort(probabilities)[-2:]
    words = f"read as {first}, {probabilities[first]:.0%} sure"
    if probabilities[second] < 0.05:
        return words
    return f"{words}, before {second} with {probabilities[second]:.0%}"


def confusion(matrix: ArrayLike, title: str) -> None:
    """Show a confusion matrix: how often each digit was read as each digit. Only mistakes are coloured.

    Parameters
    ----------
    matrix : int array (10, 10)
        One row for each digit written, one column for each digit read.
    title : str
        The title of the figure: what it says.
    """
    matrix = np.asarray(matrix)
    wrong = np.where(np.eye(10, dtype=bool), 0, matrix)
    largest = np.argsort(-wrong, axis=None, kind="stable")[:10]
    pairs = [divmod(int(place), 10) for place in largest if wrong.flat[place]]
    alt = alt_text(
        title,
        [
            f"a table of 10 rows and 10 columns: {np.trace(matrix):,} of {matrix.sum():,} on its diagonal",
            f"beside it, the largest first: {', '.join(f'{wrong[a, b]} times a {a} read as a {b}' for a, b in pairs)}"
            if pairs
            else "nothing beside it",
        ],
    )
    with figure(title, alt, (_WIDTH, 4.5)) as axes:
        ax = axes.flat[0]
        ax.imshow(wrong, cmap=LinearSegmentedColormap.from_list("mistakes", ["white", ORANGE]))
        for (written, read), count in np.ndenumerate(matrix):
            if count:
                colour = GREY if written == read else "black"
                ax.text(read, written, count, ha="center", va="center", fontsize=12, color=colour)
        ax.set_aspect("auto")
        ax.set(xticks=range(10), yticks=range(10), xlabel="digit read", ylabel="digit written")
        ax.set_xticks(np.arange(-0.5, 10), minor=True)
        ax.set_yticks(np.arange(-0.5, 10), minor=True)
        ax.grid(which="minor", color="#DDDDDD", linewidth=1)
        ax.tick_params(which="both", length=0)
        frame(ax)


def steps(images: Mapping[str, np.ndarray], title: str) -> None:
    """Show images of any size side by side, with their width and height in pixels on the axes.

    Parameters
    ----------
    images : dict of str to uint8 array (h, w)
        The images, by name.
    title : str
        The title of the figure: what it says.
    """
    alt = alt_text(title, [f"{name}: {_size_words(image)}" for name, image in images.items()])
    with figure(title, alt, (min(_WIDTH, 2.9 * len(images)), 3.2), 1, len(images)) as axes:
        for ax, (name, image) in zip(axes.flat, images.items(), strict=True):
            height, width = image.shape
            ax.imshow(image, vmin=0, vmax=255, extent=(0, width, height, 0))
            ax.set(title=name, xticks=[0, width], yticks=[0, height])
            frame(ax)
        axes.flat[0].set(xlabel="pixels", ylabel="pixels")


def _size_words(image):
    """Say how large an image is, and where its ink is if that is not all of it."""
    words = f"{image.shape[1]} x {image.shape[0]} pixels"
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not rows.size or (len(rows), len(columns)) == image.shape:
        return words
    return f"{words}, ink in rows {rows[0]} to {rows[-1]} and columns {columns[0]} to {columns[-1]}"


def measured(images: np.ndarray, centres: ArrayLike, title: str) -> None:
    """Show images with the box around their ink and their centre of mass.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
    centres : array-like (n, 2)
        The centres of mass: x and y, in pixels from the left and the upper edge.
    title : str
        The title of the figure: what it says.
    """
    boxes = [((x, y), (width, height)) for x, y, width, height in map(cv2.boundingRect, images)]
    words = [
        f"a box of {width} x {height}, the centre of mass at x {x:.1f}, y {y:.1f}"
        for (_, (width, height)), (x, y) in zip(boxes, centres, strict=True)
    ]
    with figure(title, alt_text(title, words), (_WIDTH, _WIDTH / len(images) + 0.9), 1, len(images)) as axes:
        for ax, image, (corner, size), centre in zip(axes.flat, images, boxes, centres, strict=True):
            side = len(image)
            ax.imshow(image, vmin=0, vmax=255, extent=(0, side, side, 0))
            ax.add_patch(plt.Rectangle(corner, *size, fill=False, edgecolor="#56B4E9", linewidth=2))
            ax.plot(*centre, marker="+", markersize=18, markeredgewidth=3, color=ORANGE)
            ax.set(xticks=[0, side], yticks=[], title=f"{size[0]} x {size[1]}")
            frame(ax)
        axes.flat[0].set_yticks([0, side])
        axes.flat[0].set(xlabel="pixels", ylabel="pixels")


def layers(model, title: str) -> None:
    """Show the way of an image through a network: the shape of the output of each layer.

    Parameters
    ----------
    model : keras.Model
        A network whose layers follow one another. A layer that does not change the shape, such as dropout, is left out.
    title : str
        The title of the figure: what it says.
    """
    stages = [("", tuple(model.input_shape[1:]))]
    for layer in model.layers:
        if (shape := tuple(layer.output.shape[1:])) != stages[-1][1]:
            stages.append((_LAYER_NAMES.get(type(layer).__name__, type(layer).__name__), shape))
    max_length = max(math.prod(shape) for _, shape in stages if len(shape) == 1)
    shapes = [f"{name} {' x '.join(map(str, shape))}".strip() for name, shape in stages]
    alt = alt_text(title, shapes)
    with figure(title, alt, (max(_WIDTH, 1.3 * len(stages)), 2.8)) as axes:
        ax = axes.flat[0]
        for number, (name, shape) in enumerate(stages):
            if len(shape) == 3:
                side, sheets = shape[0] / stages[0][1][0] * 0.6, min(math.ceil(shape[2] ** 0.5), 8)
                sizes, text = [(side, side)] * sheets, f"{shape[2]} of\n{shape[0]} x {shape[1]}"
            else:
                sizes, text = [(0.1, 0.25 + 0.75 * (shape[0] / max_length) ** 0.5)], f"{shape[0]:,}\nnumbers"
            for layer, (width, height) in enumerate(sizes):
                offset = 0.04 * (len(sizes) / 2 - layer - 0.5)
                corner = number + offset - width / 2, offset - height / 2
                ax.add_patch(plt.Rectangle(corner, width, height, facecolor="#CFE3F0", edgecolor=BLUE))
            ax.text(number, -0.58, text, ha="center", va="top", fontsize=13)
            if number:
                ax.text(number - 0.5, 0.62, name, ha="center", fontsize=12, color=DARK_ORANGE)
                ax.annotate("", (number - 0.37, 0), (number - 0.6, 0), arrowprops={"arrowstyle": "->", "color": ORANGE})
        ax.set(xlim=(-0.5, len(stages) - 0.5), ylim=(-1.1, 0.8))
        ax.axis("off")


def curves(values: Mapping[str, Sequence[float]], title: str, x_label: str, y_label: str, share: bool = False) -> None:
    """Show how numbers change from step to step, counted from 1: one line for each name.

    Parameters
    ----------
    values : dict of str to sequence of float
        One to three lines, by name.
    title, x_label, y_label : str
        The title of the figure, and the labels of its axes.
    share : bool, optional
        Whether the values are shares, 0..1, which are written in per cent.
    """
    number_format = "{:.0%}" if share else "{:.3g}"
    alt = alt_text(title, [f"{name}: {', '.join(map(number_format.format, line))}" for name, line in values.items()])
    with figure(title, alt, (_WIDTH, 3.0)) as axes:
        ax = axes.flat[0]
        for (name, line), colour, mark in zip(values.items(), (BLUE, ORANGE, GREY), "oDs", strict=False):
            ax.plot(range(1, len(line) + 1), line, color=colour, marker=mark, markersize=5, label=name)
        ax.set(xlabel=x_label, ylabel=y_label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(axis="y", color="#DDDDDD")
        ax.legend(frameon=False)
        if share:
            ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
