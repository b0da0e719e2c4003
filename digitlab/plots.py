"""The notebooks' figures: each says one thing, and its title says which. It stands on NumPy, matplotlib and IPython.


They look alike by one style, which holds only while a figure is drawn: the reader's own plots look as they always do.
The colours are from the palette of M. Okabe and K. Ito, "Color Universal Design" (2008), which people who do not tell
red from green can tell apart.
"""

import contextlib
import itertools
import math

import numpy as np
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator, PercentFormatter

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8C8C8C"

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 14,
    "figure.titlesize": 16,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "lines.linewidth": 2.5,
}
"""The matplotlib settings that all figures share."""

_WIDTH = 9.5
_LAYERS = {"Conv2D": "convolution", "MaxPooling2D": "pooling", "Flatten": "flatten", "Dense": "dense"}


def digits(images, title, captions=None, columns=10, span=None):
    """Show pictures in rows.

    Parameters
    ----------
    images : array-like (n, h, w)
        Numbers of any kind: digits, means of digits, or what a filter made of one.
    title : str
        What the figure says.
    captions : sequence of str, optional
        A word or two above each picture.
    columns : int, optional
        How many pictures there are in a row.
    span : (float, float), optional
        The numbers that are drawn black and white, the same for all pictures, so that they can be compared; by default
        each is drawn from its own darkest to its own brightest.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    side = min(_WIDTH / columns, 2.4)
    row = side + (0 if captions is None else 0.25 * (1 + str(captions[0]).count("\n")))
    alt = _in_words(title, captions)
    with _figure(title, alt, (side * columns, row * rows + 0.5), rows, columns) as axes:
        for place in axes.flat[len(images) :]:
            place.axis("off")
        for number, (place, image) in enumerate(zip(axes.flat, images, strict=False)):
            black, white = span or (np.min(image), np.max(image))
            place.imshow(image, vmin=black, vmax=max(white, black + 1e-9))
            place.set(xticks=[], yticks=[])
            _frame(place)
            if captions is not None:
                place.set_title(captions[number], fontsize=13)


def magnify(image, rows, columns, title):
    """Show a picture, and beside it a part of it so large that each pixel's number can be read.

    Parameters
    ----------
    image : uint8 array (h, w)
    rows, columns : (int, int)
        The part: its first row or column of pixels, and the one that follows its last.
    title : str
        What the figure says.
    """
    (top, bottom), (left, right) = rows, columns
    part = image[top:bottom, left:right]
    alt = _in_words(
        title,
        [
            f"beside the picture its rows {top} to {bottom - 1} and columns {left} to {right - 1}, "
            f"with the number of each pixel"
        ],
    )
    with _figure(title, alt, (_WIDTH, 4.6), 1, 2, width_ratios=[1, 1.15]) as axes:
        whole, large = axes.flat
        whole.imshow(image, vmin=0, vmax=255)
        corner = left - 0.5, top - 0.5
        whole.add_patch(plt.Rectangle(corner, right - left, bottom - top, fill=False, edgecolor=ORANGE, linewidth=3))
        large.imshow(part, vmin=0, vmax=255, extent=(left - 0.5, right - 0.5, bottom - 0.5, top - 0.5))
        for (row, column), value in np.ndenumerate(part):
            colour = "black" if value > 127 else "white"
            large.text(left + column, top + row, value, ha="center", va="center", color=colour, fontsize=13)
        for place in (whole, large):
            place.set(xlabel="column", ylabel="row")
            _frame(place, ORANGE if place is large else None)
        large.set(xticks=range(left, right), yticks=range(top, bottom))


def bars(heights, names, title, x_label, y_label, share=False):
    """Show numbers as bars, each with its number above it.

    Parameters
    ----------
    heights : array-like (n,)
        From 0 up.
    names : sequence of str
        What stands below each bar; n of them.
    title, x_label, y_label : str
        What the figure says, and what its axes mean.
    share : bool, optional
        Whether the heights are shares, 0..1, to be written in per cent.
    """
    labels = [f"{height:.0%}" if share else f"{height:,}" for height in heights]
    alt = _in_words(title, [f"{name}: {label}" for name, label in zip(names, labels, strict=True)])
    with _figure(title, alt, (_WIDTH, 4.2)) as axes:
        place = axes.flat[0]
        drawn = place.bar([str(name) for name in names], heights, color=BLUE)
        place.bar_label(drawn, labels, padding=3, fontsize=13)
        place.set(xlabel=x_label, ylabel=y_label)
        if share:
            place.set_ylim(0, 1.1)
            place.yaxis.set_major_formatter(PercentFormatter(1))


def readings(images, probabilities, title, captions=None):
    """Show pictures, and below each how a network's ten probabilities are spread over the digits.

    Parameters
    ----------
    images : array-like (n, h, w)
    probabilities : array-like (n, 10)
    title : str
        What the figure says.
    captions : sequence of str, optional
        A word or two above each picture.
    """
    count = len(images)
    width = min(_WIDTH, 2.4 * count + 0.6)
    probabilities = np.asarray(probabilities)
    read = [f"read as {row.argmax()}, {row.max():.0%} sure" for row in probabilities]
    alt = _in_words(
        title, read if captions is None else [f"{one}, {digit}" for one, digit in zip(captions, read, strict=False)]
    )
    with _figure(title, alt, (width, 4.6), 2, count, height_ratios=[1, 1.1]) as axes:
        for number, (image, row) in enumerate(zip(images, probabilities, strict=True)):
            above, below = axes[:, number]
            above.imshow(image, vmin=0, vmax=255)
            above.axis("off")
            if captions is not None:
                above.set_title(captions[number], fontsize=13)
            below.bar(range(10), row, color=[BLUE if digit == row.argmax() else GREY for digit in range(10)])
            below.set(ylim=(0, 1), xticks=range(10), yticks=[0, 0.5, 1] if number == 0 else [], xlabel="digit")
            below.tick_params(axis="x", labelsize=12 if count > 3 else 13, length=0)
            below.yaxis.set_major_formatter(PercentFormatter(1))
        axes[1, 0].set_ylabel("probability")


def confusion(matrix, title):
    """Show a confusion matrix: how often each digit was read as each; what is right stays pale.

    Parameters
    ----------
    matrix : int array (10, 10)
        A row for each digit written, a column for each digit read.
    title : str
        What the figure says.
    """
    matrix = np.asarray(matrix)
    wrong = np.where(np.eye(10, dtype=bool), 0, matrix)
    most = np.unravel_index(wrong.argmax(), wrong.shape)
    alt = _in_words(
        title,
        [
            f"a table of 10 rows and 10 columns: {np.trace(matrix):,} of {matrix.sum():,} on its diagonal",
            f"most beside it: {wrong.max()} times a {most[0]} was read as a {most[1]}",
        ],
    )
    with _figure(title, alt, (8, 7.2)) as axes:
        place = axes.flat[0]
        place.imshow(wrong, cmap=LinearSegmentedColormap.from_list("mistakes", ["white", ORANGE]))
        for (written, read), count in np.ndenumerate(matrix):
            if count:
                right = written == read
                place.text(
                    read, written, count, ha="center", va="center", fontsize=12, color=GREY if right else "black"
                )
        place.set(xticks=range(10), yticks=range(10), xlabel="digit read", ylabel="digit written")
        place.set_xticks(np.arange(-0.5, 10), minor=True)
        place.set_yticks(np.arange(-0.5, 10), minor=True)
        place.grid(which="minor", color="#DDDDDD", linewidth=1)
        place.tick_params(which="both", length=0)
        _frame(place)


def calibration(confidence, right, edges, title):
    """Show how often answers are right, against how sure they are.

    Parameters
    ----------
    confidence : float array (n,)
        How sure the network is of each answer, 0..1.
    right : bool array (n,)
        Whether the answer is right.
    edges : sequence of float
        The answers are sorted into groups at these confidences, k + 1 of them for k groups, rising; a group without
        an answer is left out.
    title : str
        What the figure says.
    """
    confidence, right = np.asarray(confidence), np.asarray(right)
    group = np.clip(np.digitize(confidence, edges) - 1, 0, len(edges) - 2)
    members = [group == number for number in range(len(edges) - 1)]
    names = [
        f"{100 * low:g} to\n{100 * high:g} %" if low else f"below\n{100 * high:g} %"
        for low, high in itertools.pairwise(edges)
    ]
    shown = [(name, member) for name, member in zip(names, members, strict=True) if member.any()]
    shares = np.array([right[member].mean() for _, member in shown])
    promised = np.array([confidence[member].mean() for _, member in shown])
    at = np.arange(len(shown))
    alt = _in_words(
        title,
        [f"{' '.join(name.split())} sure: {share:.2%} right" for (name, _), share in zip(shown, shares, strict=True)],
    )
    with _figure(title, alt, (_WIDTH, 5.2)) as axes:
        place = axes.flat[0]
        drawn = place.bar(at, shares, color=BLUE)
        marks = place.hlines(promised, at - 0.45, at + 0.45, color=ORANGE, linewidth=5)
        for number, (_, member) in enumerate(shown):
            # Beside its mark: above it, or below where the bar goes on.
            above = shares[number] - promised[number] < 0.01
            beside = max(shares[number], promised[number]) + 0.02 if above else promised[number] - 0.03
            number_of_mark = place.text(
                number,
                beside,
                f"{promised[number]:.2%}",
                ha="center",
                va="bottom" if above else "top",
                color=ORANGE,
                fontsize=13,
            )
            number_of_mark.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
            text = f"{shares[number]:.2%}\nof {member.sum():,}"
            count = place.text(number, 0.04, text, ha="center", color="white", fontsize=13)
            count.set_bbox({"facecolor": BLUE, "edgecolor": "none", "pad": 2})
        place.set_xticks(at, [name for name, _ in shown])
        place.set(xlabel="how sure it is of its answer", ylabel="answers that are right", ylim=(0, 1.12))
        place.yaxis.set_major_formatter(PercentFormatter(1))
        names = ["share that is right", "share that should be: its mean confidence"]
        place.legend(
            [drawn, marks], names, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=13
        )


def steps(images, title):
    """Show pictures of any size side by side, with their width and height in pixels at their edges.

    Parameters
    ----------
    images : dict of str to uint8 array (h, w)
        The pictures, by name.
    title : str
        What the figure says.
    """
    alt = _in_words(title, [f"{name}: {image.shape[1]} x {image.shape[0]} pixels" for name, image in images.items()])
    with _figure(title, alt, (min(_WIDTH, 3.2 * len(images)), 3.6), 1, len(images)) as axes:
        for place, (name, image) in zip(axes.flat, images.items(), strict=True):
            height, width = image.shape
            place.imshow(image, vmin=0, vmax=255, extent=(0, width, height, 0))
            place.set(title=name, xticks=[0, width], yticks=[0, height])
            _frame(place)
        axes.flat[0].set(xlabel="pixels", ylabel="pixels")


def measured(images, centres, title):
    """Show 28 x 28 pictures with the box around their ink and their centre of mass.

    Parameters
    ----------
    images : uint8 array (n, 28, 28)
    centres : array-like (n, 2)
        The centres of mass, x and y in pixels from the left and the upper edge.
    title : str
        What the figure says.
    """
    with _figure(title, title, (_WIDTH, _WIDTH / len(images) + 0.9), 1, len(images)) as axes:
        for place, image, centre in zip(axes.flat, images, centres, strict=True):
            side = len(image)
            place.imshow(image, vmin=0, vmax=255, extent=(0, side, side, 0))
            rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
            corner = columns[0], rows[0]
            size = columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
            place.add_patch(plt.Rectangle(corner, *size, fill=False, edgecolor="#56B4E9", linewidth=2))
            place.plot(*centre, marker="+", markersize=18, markeredgewidth=3, color=ORANGE)
            place.set(xticks=[0, side], yticks=[], title=f"{size[0]} x {size[1]}")
            _frame(place)
        axes.flat[0].set_yticks([0, side])
        axes.flat[0].set(xlabel="pixels", ylabel="pixels")


def layers(model, title):
    """Show a picture's way through a network: how many pictures, or numbers in a row, each layer makes of it.

    Parameters
    ----------
    model : keras.Model
        Its layers one after the other. A layer that leaves the shape as it is, such as dropout, is left out.
    title : str
        What the figure says.
    """
    stages = [("", tuple(model.input_shape[1:]))]
    for layer in model.layers:
        if (shape := tuple(layer.output.shape[1:])) != stages[-1][1]:
            stages.append((_LAYERS.get(type(layer).__name__, type(layer).__name__), shape))
    most = max(math.prod(shape) for _, shape in stages if len(shape) == 1)
    shapes = [f"{name} {' x '.join(map(str, shape))}".strip() for name, shape in stages]
    alt = _in_words(title, shapes)
    with _figure(title, alt, (max(_WIDTH, 1.3 * len(stages)), 2.8)) as axes:
        place = axes.flat[0]
        for number, (name, shape) in enumerate(stages):
            if len(shape) == 3:
                side, sheets = shape[0] / stages[0][1][0] * 0.6, min(math.ceil(shape[2] ** 0.5), 6)
                sizes, words = [(side, side)] * sheets, f"{shape[2]} of\n{shape[0]} x {shape[1]}"
            else:
                sizes, words = [(0.1, 0.25 + 0.75 * (shape[0] / most) ** 0.5)], f"{shape[0]:,}\nnumbers"
            for behind, (width, height) in enumerate(sizes):
                step = 0.04 * (len(sizes) / 2 - behind - 0.5)
                corner = number + step - width / 2, step - height / 2
                place.add_patch(plt.Rectangle(corner, width, height, facecolor="#CFE3F0", edgecolor=BLUE))
            place.text(number, -0.58, words, ha="center", va="top", fontsize=13)
            if number:
                place.text(number - 0.5, 0.62, name, ha="center", fontsize=12, color=ORANGE)
                place.annotate(
                    "", (number - 0.37, 0), (number - 0.6, 0), arrowprops={"arrowstyle": "->", "color": ORANGE}
                )
        place.set(xlim=(-0.5, len(stages) - 0.5), ylim=(-1.1, 0.8))
        place.axis("off")


def curves(values, title, x_label, y_label, share=False):
    """Show how numbers change from one time to the next, counted from 1: a line for each name.

    Parameters
    ----------
    values : dict of str to sequence of float
        One to three lines, by name.
    title, x_label, y_label : str
        What the figure says, and what its axes mean.
    share : bool, optional
        Whether they are shares, 0..1, to be written in per cent.
    """
    written = "{:.0%}" if share else "{:.3g}"
    alt = _in_words(
        title,
        [f"{name}: from {written.format(line[0])} to {written.format(line[-1])}" for name, line in values.items()],
    )
    with _figure(title, alt, (_WIDTH, 4.2)) as axes:
        place = axes.flat[0]
        for (name, line), colour, mark in zip(values.items(), (BLUE, ORANGE, GREY), "oDs", strict=False):
            place.plot(range(1, len(line) + 1), line, color=colour, marker=mark, markersize=5, label=name)
        place.set(xlabel=x_label, ylabel=y_label)
        place.xaxis.set_major_locator(MaxNLocator(integer=True))
        place.grid(axis="y", color="#DDDDDD")
        place.legend(frameon=False)
        if share:
            place.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


@contextlib.contextmanager
def _figure(title, alt, size, rows=1, columns=1, **ratios):
    """Give the axes, always (rows, columns) of them, of a figure in our style; show it when it is drawn.

    It is displayed, and not left to `plt.show`, so that its words go along in the output's metadata, where nbconvert's
    classic template and other tools that make web pages of notebooks look for them.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **ratios)
        try:
            figure.suptitle(title, x=0.01, ha="left")
            yield axes
            display(figure, metadata={"image/png": {"alt": alt}})
        finally:
            plt.close(figure)


def _in_words(title, parts):
    """Return a figure's title, and what stands in it, as one sentence for those who do not see it."""
    if parts is None:
        return title
    end = "" if title.endswith((".", "?", "!")) else "."
    return " ".join(f"{title}{end} {'; '.join(map(str, parts))}".split())


def _frame(place, colour=None):
    place.spines[:].set(visible=True, color=colour or GREY, linewidth=3 if colour else 1)


def occlusion(image, losses, title):
    """Show a digit, and how much each spot of it counts: what the answer loses when a square around it is covered.

    Parameters
    ----------
    image : uint8 array (28, 28)
    losses : float array (n, n)
        What the probability of the answer loses when the square is covered whose upper left pixel is in this row and
        column; so the square's side is 29 - n.
    title : str
        What the figure says.
    """
    losses = np.asarray(losses)
    side = len(image)
    edge = (side - len(losses)) / 2
    with _figure(title, title, (_WIDTH, 4.8), 1, 2, width_ratios=[1, 1.2]) as axes:
        whole, map_ = axes.flat
        whole.imshow(image, vmin=0, vmax=255, extent=(0, side, side, 0))
        whole.set_title("the digit")
        heat = map_.imshow(
            losses,
            cmap=LinearSegmentedColormap.from_list("losses", ["white", ORANGE]),
            vmin=0,
            vmax=1,
            extent=(edge, side - edge, side - edge, edge),
        )
        at = np.arange(side) + 0.5
        map_.contour(at, at, image, levels=[127], colors="black", linewidths=2.5)
        map_.set_title("where its probability falls")
        map_.set(xlim=(0, side), ylim=(side, 0), aspect="equal")
        for place in (whole, map_):
            place.set(xticks=[], yticks=[])
            _frame(place)
        scale = place.figure.colorbar(heat, ax=map_, shrink=0.9, ticks=[0, 0.5, 1], format=PercentFormatter(1))
        scale.set_label("lost when covered")
