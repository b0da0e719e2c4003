"""The checks of the exercises in notebook 2, "Build a network"."""

import dis

import numpy as np

from digitlab.exercises.checking import NotYet, check, check_function, is_near, read_numbers

_RISING = np.eye(3)[::-1]


@check
def check_slope_filter(table):
    """Check a filter, 3 x 3 numbers, that finds strokes that rise to the right and is silent about all else."""
    table = read_numbers(table, (3, 3), "a filter, a table of 3 x 3 numbers")
    if is_near(table, _RISING):
        raise NotYet("starter")
    answer, name, loudest = _answers_of(table)
    if _is_good(answer, loudest):
        why = " What they add in one place they take away in another." if loudest <= 0 else ""
        return f"It answers {answer:g} to a rising stroke, and to eight others at most {max(loudest, 0):g}.{why}"
    values = {"answer": f"{answer:g}", "other": name, "loudest": f"{loudest:g}"}
    others = {"mirrored": np.fliplr(table), "turned_round": -table, "too_quiet": table + 1e-6 * _RISING}
    for mistake, other in others.items():
        its_answer, _, its_loudest = _answers_of(other)
        if _is_good(its_answer, its_loudest):
            raise NotYet(mistake, **values)
    if not table.any():
        raise NotYet("zeros", **values)
    if answer <= 0:
        raise NotYet("silent", **values)
    raise NotYet("nothing_below_0" if (table >= 0).all() else "loud", **values)


@check
def check_weights_of_convolution(function):
    """Check a function of filters, side and channels that counts the parameters of a convolution."""
    try:
        _compare_counts(function)
    except NotYet as not_yet:
        code = getattr(function, "__code__", None)
        if code and any(one.argrepr in ("^", "^=") for one in dis.get_instructions(code)):
            raise NotYet("caret", **not_yet.values) from None
        raise
    return (
        "160 and 9,280: the second layer has more filters, and each is 16 tables deep, so it has 58 times as many "
        "parameters."
    )


def _compare_counts(function):
    check_function(
        function,
        [(16, 3, 1), (64, 3, 16), (8, 5, 3)],
        right=lambda filters, side, channels: filters * (side * side * channels + 1),
        mistakes={
            "starter": lambda filters, side, channels: filters * side * side,
            "no_bias": lambda filters, side, channels: filters * side * side * channels,
            "no_depth": lambda filters, side, channels: filters * (side * side + 1),
            "one_bias": lambda filters, side, channels: filters * side * side * channels + 1,
            "bias_per_table": lambda filters, side, channels: filters * (side * side + 1) * channels,
            "side_twice": lambda filters, side, channels: filters * (2 * side * channels + 1),
            "side_once": lambda filters, side, channels: filters * (side * channels + 1),
            "one_filter": lambda filters, side, channels: side * side * channels + 1,
        },
        expected="a function of filters, side and channels",
        what="the number of parameters",
        show=lambda filters, side, channels: (
            f"{filters} filters of {side} x {side} on {channels} channel{'s' * (channels > 1)}"
        ),
    )


def _answers_of(table):
    """Return a filter's answer to a rising stroke, which other stroke it answers loudest, and how loud."""
    others = {"a falling stroke": np.eye(3), "an even white patch": np.ones((3, 3))}
    for number, position in enumerate(("first", "middle", "last")):
        line = np.zeros((3, 3))
        line[number] = 1
        others[f"a horizontal stroke in its {position} row"] = line
        others[f"a vertical stroke in its {position} column"] = line.T
    answers = {name: float((table * other).sum()) for name, other in others.items()}
    name = max(answers, key=answers.get)
    return float((table * _RISING).sum()), name, answers[name]


def _is_good(answer, loudest):
    return answer > 0 and loudest <= 0.25 * answer + 1e-9
