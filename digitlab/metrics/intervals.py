"""95 % confidence intervals of the figures, here called intervals, because confidence is also a network's.

They are made so that in 95 of 100 samples they hold the figure that very many such drawings would give. They treat
drawings as independent. Drawings by one writer are alike, so with few writers the intervals are too narrow.
"""

import math

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


def roc_interval(area: float, positives: int, negatives: int) -> list[float] | None:
    """Return the 95 % interval of an area under the ROC curve, or None if it is 0 or 1: the method knows none then.

    The method is that of J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a ROC Curve", 1982.

    Parameters
    ----------
    area : float
        0..1.
    positives, negatives : int
        Number of scores that it was computed from.
    """
    if area in (0, 1):
        return None
    both_positive, both_negative = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (positives - 1) * (both_positive - area**2) + (negatives - 1) * (both_negative - area**2)
    ) / (positives * negatives)
    reach = _Z * math.sqrt(max(0, variance))
    return [max(0.0, area - reach), min(1.0, area + reach)]
