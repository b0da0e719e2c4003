"""The checks of the exercises in notebook 4, "Study its mistakes"."""

import math

import numpy as np

from digitlab.exercises.checking import (
    OTHERWISE,
    NotYet,
    check,
    describe_error,
    find_mistake,
    read_number,
    read_numbers,
    read_pair,
)

PATCH = 6
"""Side of the square that covers a part of the digit, in pixels."""

_CONFIDENCES = "the confidences"


@check
def check_mixed_up(pair, matrix):
    """Check which two digits are mixed up most, whichever was written; those of the most frequent mistake are left out.

    `matrix` is the confusion matrix.
    """
    if np.ndim(pair) == 0 and not isinstance(pair, set):
        raise NotYet("flat", answer=f"{read_numbers(pair, (), 'a pair of digits'):g}")
    first, second = read_pair(pair, "a pair of digits")
    values = {"answer": f"{first:g} and {second:g}"}
    if not {first, second} <= set(range(10)):
        raise NotYet("no_digits", **values)
    first, second = int(first), int(second)
    if first == second:
        raise NotYet("diagonal", **values)
    matrix = np.asarray(matrix)
    mistakes = matrix - np.diag(matrix.diagonal())
    written, read = np.unravel_index(mistakes.argmax(), mistakes.shape)
    if {first, second} == {written, read}:
        raise NotYet("found", **values)
    mistakes[written, read] = mistakes[read, written] = 0
    both = mistakes + mistakes.T
    one, other = mistakes[first, second], mistakes[second, first]
    if both[first, second] == both.max():
        return (
            f"{first} and {second} are mixed up {both.max()} times: {one} times a {first} was read as a {second}, "
            f"{other} times the other way round. Other people's drawings might name another pair."
        )
    if {first, second} == {0, 1}:
        raise NotYet("starter")
    mistake = "one_way" if mistakes.max() in (one, other) else OTHERWISE
    raise NotYet(mistake, **values, one=one, other=other, most=both.max())


@check
def check_most_lost(square, losses):
    """Check the row and the column of the square that costs the answer most; `losses` has them all, (n, n)."""
    losses = np.asarray(losses, float)
    if np.ndim(square) == 0:
        raise NotYet("flat", answer=f"{read_numbers(square, (), 'a row and a column'):g}", squares=losses.size)
    row, column = read_pair(square, "a row and a column, such as (0, 0)")
    values = {"answer": f"row {row:g}, column {column:g}", "last": len(losses) - 1}
    if (row, column) == (0, 0) and losses.max() - losses[0, 0] > 0.005:
        raise NotYet("starter")
    inside = set(range(len(losses)))

    def costs_most(row, column):
        return {row, column} <= inside and losses.max() - losses[int(row), int(column)] <= 0.005

    if costs_most(row, column):
        return (
            f"Covering it takes {losses.max():.3f} from the probability. Its neighbours cover nearly the same pixels, "
            "and cost nearly as much. It works for any network that can be asked, even if nobody may look inside."
        )
    middle = PATCH // 2
    others = {
        "exchanged": [(column, row)],
        "middle": [(row - middle, column - middle), (row - middle + 1, column - middle + 1)],
        "middle_exchanged": [(column - middle, row - middle)],
        "from_1": [(row - 1, column - 1)],
    }
    if not {row, column} <= inside:
        outside = "middle" if any(costs_most(*place) for place in others["middle"]) else "outside"
        raise NotYet(outside, **values)
    values["lost"] = f"{max(losses[int(row), int(column)], 0):.3f}"
    if losses[int(row), int(column)] == losses.min():
        raise NotYet("least", **values)
    # Beside the best square, a place read off the figure is a little off, and no such slip.
    is_far = losses[int(row), int(column)] < losses.max() / 2
    for mistake, places in others.items():
        if is_far and any(costs_most(*place) for place in places):
            raise NotYet(mistake, **values)
    raise NotYet(OTHERWISE, **values)


@check
def check_ninety(share, confidence, right):
    """Check the share of right answers among those of which the network is 85 to 95 % sure.

    `share` is this share, or a function of the confidences that chooses these answers.
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right, bool)
    about = (confidence > 0.85) & (confidence < 0.95)
    count = int(about.sum())
    if not count:
        raise NotYet("none")
    expected, promised = float(right[about].mean()), float(confidence[about].mean())
    if callable(share):
        share = _share_of_chosen(share, confidence, right, about)
    answer = read_number(share, "a share, 0 to 1")
    values = {"answer": f"{answer:.4g}", "count": count, "above": int((confidence > 0.85).sum())}
    mistakes = {
        "starter": _mean(right[confidence > 0.85]),
        "below": _mean(right[confidence < 0.95]),
        "everything": _mean(right),
        "per_cent": 100 * expected,
        "number_right": float(right[about].sum()),
        "number": float(count),
        "of_all": float((right & about).mean()),
        "group": float(about.mean()),
        "wrong": 1 - expected,
        "promise": promised,
        "middle": 0.9,
    }
    mistake = find_mistake(answer, mistakes)
    if abs(answer - expected) > 1e-9 and mistake != OTHERWISE and abs(mistakes[mistake] - expected) > 1e-9:
        raise NotYet(mistake, **values)
    if abs(answer - expected) > 0.0051:
        raise NotYet(OTHERWISE, **values)
    chance, gap = 2 * math.sqrt(promised * (1 - promised) / count), abs(expected - promised)
    verdict = "within that" if gap <= chance else "more than that" if gap <= 3 * chance else "far more than that"
    return (
        f"{expected:.1%} of {count} are right, and {promised:.1%} were promised. Chance alone moves such a share by up "
        f"to about {100 * chance:.0f} percentage points; the gap is {100 * gap:.0f}: {verdict}."
    )


def _share_of_chosen(choose, confidence, right, about):
    """Return the share of right answers among those that the reader's function chooses."""
    try:
        chosen = choose(confidence.copy())
    except (ValueError, TypeError) as error:
        words = str(error)
        if "'tuple'" in words:
            raise NotYet("comma") from None
        if "truth value of an array" in words:
            raise NotYet("joined_by_and") from None
        if "bitwise_and" in words or "unsupported operand" in words:
            raise NotYet("no_brackets") from None
        raise NotYet("error", case=_CONFIDENCES, error=describe_error(error)) from None
    except Exception as error:
        raise NotYet("error", case=_CONFIDENCES, error=describe_error(error)) from None
    if chosen is None:
        raise NotYet("no_return", case=_CONFIDENCES)
    if isinstance(chosen, tuple) and any(isinstance(part, int) for part in chosen):
        raise NotYet("comma")
    chosen = np.asarray(chosen)
    if chosen.ndim == 0:
        return chosen.item()
    if chosen.dtype.kind in "iuf" and np.isin(chosen, (0, 1)).all():
        chosen = chosen.astype(bool)
    if chosen.dtype != bool or chosen.shape != confidence.shape:
        raise NotYet("no_choice", returned=f"an array of shape {chosen.shape} and dtype {chosen.dtype}")
    wrong = {"starter": confidence > 0.85, "below": confidence < 0.95, "everything": np.ones(len(about), bool)}
    for mistake, one in wrong.items():
        if np.array_equal(chosen, one):
            raise NotYet(mistake, answer=f"{_mean(right[chosen]):.4g}", count=about.sum(), above=one.sum())
    if not chosen.any():
        raise NotYet("nobody")
    if np.sum(chosen != about) > 2:
        raise NotYet(OTHERWISE, answer=f"{_mean(right[chosen]):.4g}", count=int(chosen.sum()))
    return float(right[about].mean())


def _mean(values):
    return float(np.mean(values)) if len(values) else math.nan
