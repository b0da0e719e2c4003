"""What all figures of the kit share: their style, their colours, and how they are displayed.

The style holds only while a figure is drawn, so the reader's own plots look as they always do. The colours are from the
palette of M. Okabe and K. Ito, "Color Universal Design" (2008). People who cannot tell red from green can tell them
apart.
"""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6B6B6B"
DARK_ORANGE = "#A84A00"
"""The orange for text: ORANGE is too pale to be read on white (the contrast must be at least 4.5 to 1)."""

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

DIVERGING = LinearSegmentedColormap.from_list("diverging", [ORANGE, "white", BLUE])
"""The scale for numbers below and above 0, such as a filter's: orange below 0, white 0, blue above. Draw it with
``vmin=-limit, vmax=limit``, so that 0 is in its middle."""


@contextlib.contextmanager
def figure(
    title: str, alt: str, size: tuple[float, float], rows: int = 1, columns: int = 1, **ratios
) -> Iterator[np.ndarray]:
    """Give the axes of a figure in our style, always an array (rows, columns), and display the figure at the end.

    The figure is displayed here, and not by `plt.show`, because `alt` must be in the metadata of the output. There
    nbconvert's classic template and other tools that make web pages of notebooks look for it.
    """
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **ratios)
        try:
            fig.suptitle(title, x=0.01, ha="left")
            yield axes
            display(fig, metadata={"image/png": {"alt": alt}})
        finally:
            plt.close(fig)


def alt_text(title: str, parts: Sequence[str] | None) -> str:
    """Return the title and the content of a figure as one sentence, for people who do not see the figure."""
    if parts is None:
        return title
    end = "" if title.endswith((".", "?", "!")) else "."
    return " ".join(f"{title}{end} {'; '.join(map(str, parts))}".split())


def frame(ax: Axes, colour: str | None = None) -> None:
    """Draw a frame around an image: thin and grey, or thick and coloured."""
    ax.spines[:].set(visible=True, color=colour or GREY, linewidth=3 if colour else 1)
