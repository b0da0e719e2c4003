"""The figures of notebook 4: whose drawings are misread, whether a confidence is right, and which pixels counted."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from digitlab.figure import BLUE, DARK_ORANGE, GREY, ORANGE, alt_text, figure, frame
from digitlab.ink import Drawing
from digitlab.metrics.intervals import wilson_interval

_WIDTH = 9.5  # Width of a figure, in inches.


def writers(drawings: Sequence[Drawing], right: ArrayLike, title: str) -> None:
    """Show how well each writer is read: a dot for each, the worst first.

    Parameters
    ----------
    drawings : sequence of Drawing
        All with a writer.
    right : bool array (n,)
        Whether each drawing is read right.
    title : str
        The title of the figure: what it says.
    """
    flags = {}
    for drawing, is_right in zip(drawings, right, strict=True):
        flags.setdefault((drawing.source, drawing.writer), []).append(bool(is_right))
    counts = sorted(((sum(each), len(each)) for each in flags.values()), key=lambda pair: (pair[0] / pair[1], pair[1]))
    shares = np.array([hits / count for hits, count in counts])
    overall = np.mean(right)
    words = [
        f"{len(counts)} writers; of all drawings together {overall:.1%} are right",
        f"{(shares < overall).sum()} writers are read worse than that, {(shares < 0.9).sum()} below 90%",
        f"{(shares == 1).sum()} are read without a mistake",
        *(f"{share:.0%} of {count}" for share, (_, count) in list(zip(shares, counts, strict=True))[:8]),
    ]
    with figure(title, alt_text(title, words), (_WIDTH, 3.2)) as axes:
        ax = axes.flat[0]
        for position, (hits, count) in enumerate(counts):
            ax.plot([position] * 2, wilson_interval(hits, count), color="#BBBBBB", linewidth=2, zorder=1)
        sizes = [12 + 0.6 * count for _, count in counts]
        colours = [ORANGE if share < overall else BLUE for share in shares]
        ax.scatter(range(len(counts)), shares, s=sizes, c=colours, zorder=2)
        ax.axhline(overall, color=GREY, linewidth=1.5, linestyle="--", zorder=0)
        ax.text(len(counts), overall - 0.01, f"all together: {overall:.1%}", ha="right", va="top", fontsize=13)
        ax.set(xlabel="writers, the worst first (a larger dot: more drawings)", ylabel="read correctly", xticks=[])
        ax.set_ylim(min(0.7, shares.min() - 0.05), 1.02)
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def calibration(readers: Mapping[str, tuple[ArrayLike, ArrayLike]], edges: Sequence[float], title: str) -> None:
    """Show how many answers are wrong at each level of confidence, and how many should be.

    Parameters
    ----------
    readers : dict of str to (float array (n,), bool array (n,))
        For each reader, or for each kind of drawing: the confidence of its answers, 0..1, and whether each is right.
    edges : sequence of float
        The limits between the groups of confidence, rising. A group with fewer than five answers is left out.
    title : str
        The title of the figure: what it says.
    """
    names = [
        f"{100 * low:g} to {100 * high:g} %" if low else f"below {100 * high:g} %"
        for low, high in itertools.pairwise(edges)
    ]
    groups = {name: _groups(np.asarray(sure), np.asarray(right), edges) for name, (sure, right) in readers.items()}
    words = [
        f"{name}, {names[number]} sure: {wrong:.1%} of {count:,} wrong, {promised:.1%} promised"
        for name, rows in groups.items()
        for number, count, wrong, promised in rows
    ]
    height = 1.7 + 0.5 * len(names)
    with figure(title, alt_text(title, words), (_WIDTH, height), 1, len(readers), sharex=True, sharey=True) as axes:
        for ax, (name, rows) in zip(axes.flat, groups.items(), strict=True):
            for number, count, wrong, promised in rows:
                low, high = wilson_interval(round(wrong * count), count)
                ax.barh(number, wrong, color=BLUE, height=0.6)
                ax.plot([low, high], [number] * 2, color="black", linewidth=1.5)
                ax.vlines(promised, number - 0.42, number + 0.42, color=ORANGE, linewidth=5)
                text = f"{wrong:.1%} of {count:,}"
                ax.text(max(high, promised) + 0.015, number, text, va="center", fontsize=12)
            ax.set(title=name, xlabel="wrong answers")
            ax.xaxis.set_major_formatter(PercentFormatter(1))
        axes[0, 0].set_yticks(range(len(names)), names)
        axes[0, 0].set(ylabel="how sure it is", xlim=(0, 1), xticks=[0, 0.25, 0.5, 0.75])
        axes[0, 0].invert_yaxis()
        names = ["counted", "promised"]
        handles = [Patch(color=BLUE), Line2D([], [], color=ORANGE, linewidth=5)]
        axes[0, 0].figure.legend(handles, names, frameon=False, fontsize=13, ncols=2, loc="upper right")


def occlusion(image: np.ndarray, losses: ArrayLike, title: str) -> None:
    """Show a digit, and how much the probability of the answer falls when a square of the digit is covered.

    Parameters
    ----------
    image : uint8 array (28, 28)
    losses : float array (n, n)
        The loss of probability when a square is covered, at the row and column of the square's upper left pixel. The
        side of the square is 29 - n pixels.
    title : str
        The title of the figure: what it says.
    """
    losses = np.asarray(losses)
    size, places = len(image), len(losses)
    side = size + 1 - places
    told = range(0, places, 4)
    rows = [f"row {row}: " + " ".join(str(round(100 * loss)) for loss in losses[row, told]) for row in told]
    words = [f"per cent lost, at columns {', '.join(map(str, told))} of {', '.join(rows)}"]
    with figure(title, alt_text(title, words), (_WIDTH, 4.4), 1, 2) as axes:
        ax_digit, ax_map = axes.flat
        ax_digit.imshow(image, vmin=0, vmax=255)
        ax_digit.add_patch(plt.Rectangle((-0.5, -0.5), side, side, fill=False, edgecolor=ORANGE, linewidth=2.5))
        ax_digit.set(title=f"the digit, and a square of {side} x {side}", xlabel="column", ylabel="row")
        picture = ax_map.imshow(
            losses, cmap=LinearSegmentedColormap.from_list("losses", ["white", ORANGE]), vmin=0, vmax=1
        )
        # The map has the square's corner where the digit has the square: so the outline is moved by half a square.
        pixels = np.arange(size) - (side - 1) / 2
        ax_map.contour(pixels, pixels, image, levels=[127], colors="black", linewidths=2)
        ax_map.set(title="what covering costs", xlim=(-0.5, places - 0.5), ylim=(places - 0.5, -0.5))
        ax_map.set(xlabel="column of the square's corner", ylabel="row of its corner")
        for ax, last in ((ax_digit, size), (ax_map, places)):
            ax.set(xticks=range(0, last, 4), yticks=range(0, last, 4))
            ax.tick_params(labelsize=12)
            frame(ax)
        colour_bar = ax_map.figure.colorbar(picture, ax=ax_map, shrink=0.8, ticks=[0, 0.5, 1])
        colour_bar.ax.yaxis.set_major_formatter(PercentFormatter(1))
        colour_bar.set_label("lost", color=DARK_ORANGE)


def _groups(confidence, right, edges):
    """Return the number of each group, the number of its answers, the share that is wrong, and the share promised."""
    group = np.clip(np.digitize(confidence, edges) - 1, 0, len(edges) - 2)
    members = [(number, group == number) for number in range(len(edges) - 1)]
    return [
        (number, int(member.sum()), float((~right[member]).mean()), float(1 - confidence[member].mean()))
        for number, member in members
        if member.sum() >= 5
    ]
