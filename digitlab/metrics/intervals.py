"""95 % intervals of the figures: another sample of drawings like these would be expected to give a figure in there.

They treat drawings as independent. Drawings by one writer are alike, so with few writers the intervals are too narrow.
"""

import math
from collections.abc import Callable

import numpy as np

_Z = 1.959964
"""Standard errors to each side of a normal distribution's mean that hold 95 % of it."""


def wilson_interval(successes: int, trials: int) -> list[float] | None:
    """Return the 95 % interval of a share, a list of two numbers, or None if there were no trials.

    Unlike the share plus and minus two standard errors, it is sound near 0 and 1 and for few trials (E. B. Wilson,
    "Probable Inference, the Law of Succession, and Statistical Inference", 1927).
    """
    if not trials:
        return None
    share, extra = successes / trials, _Z**2 / trials
    middle = (share + extra / 2) / (1 + extra)
    reach = _Z / (1 + extra) * math.sqrt(share * (1 - share) / trials + extra / (4 * trials))
    return [float(max(0, middle - reach)), float(min(1, middle + reach))]


def roc_interval(area: float, positives: int, negatives: int) -> list[float]:
    """Return the 95 % interval of an area under the ROC curve.

    The method is that of J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a ROC Curve", 1982.

    Parameters
    ----------
    area : float
        0..1.
    positives, negatives : int
        Number of scores that it was computed from.
    """
    both_positive, both_negative = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (positives - 1) * (both_positive - area**2) + (negatives - 1) * (both_negative - area**2)
    ) / (positives * negatives)
    reach = _Z * math.sqrt(max(0, variance))
    return [max(0.0, area - reach), min(1.0, area + reach)]


def resampled_interval(figure: Callable, *arrays: np.ndarray, samples: int = 500) -> list[float]:
    """Return the 95 % interval of any figure, by the bootstrap (B. Efron, "Bootstrap Methods", 1979).

    Parameters
    ----------
    figure : callable
        Computes the figure from as many arrays as are given.
    *arrays : array (n, ...)
        Rows of all of them are drawn again and again, at random and with replacement. The seed is fixed.
    samples : int, optional
        Number of times.
    """
    rng = np.random.default_rng(0)
    count = len(arrays[0])
    choices = (rng.integers(0, count, count) for _ in range(samples))
    figures = [figure(*(array[chosen] for array in arrays)) for chosen in choices]
    return [float(end) for end in np.quantile(figures, (0.025, 0.975))]
