"""The checks of the exercises in notebook 2, "Build a network"."""

import numpy as np

from digitlab.exercises.checking import NotYet, call, check, read_number, read_numbers


@check
def check_slope_filter(table):
    """Check a filter, 3 x 3 numbers, that finds strokes that rise to the right and is silent about all else."""
    table = read_numbers(table, (3, 3), "a filter, a table of 3 x 3 numbers")
    rising = np.eye(3)[::-1]
    others = {"a falling stroke": np.eye(3), "an even white patch": np.ones((3, 3))}
    for number, position in enumerate(("first", "middle", "last")):
        line = np.zeros((3, 3))
        line[number] = 1
        others[f"a horizontal stroke in its {position} row"] = line
        others[f"a vertical stroke in its {position} column"] = line.T
    answer = float((table * rising).sum())
    name, loudest = max(
        ((name, float((table * other).sum())) for name, other in others.items()), key=lambda pair: pair[1]
    )
    if answer <= 0:
        raise NotYet(
            f"Expected a positive answer to a stroke that rises to the right; your filter answers {answer:g}. "
            "Such a stroke covers the lower left, the middle and the upper right number."
        )
    if loudest > 0.25 * answer + 1e-9:
        raise NotYet(
            f"A rising stroke makes it answer {answer:g}, which is good, but {name} makes it answer {loudest:g}; "
            f"expected at most a quarter of the {answer:g}. Numbers below 0 beside the slope speak against the rest."
        )
    return (
        f"It answers {answer:g} to a rising stroke, and to eight others at most {max(loudest, 0):g}: what they add "
        "in one place they take away in another."
    )


@check
def check_weights_of_convolution(function):
    """Check a function of filters, side and pictures that counts the weights of a convolution."""
    for filters, side, pictures in ((16, 3, 1), (64, 3, 16), (8, 5, 3)):
        layer = f"{filters} filters of {side} x {side} on {pictures} picture{'s' * (pictures > 1)}"
        answer = call(function, filters, side, pictures, expected="a function of filters, side and pictures")
        answer = read_number(answer, f"how many weights {layer} have")
        expected = filters * (side * side * pictures + 1)
        if answer == expected:
            continue
        hint = "Count what one filter has first; then multiply."
        if answer == expected - filters:
            hint = "The bias is missing: each filter has one number more, which is added to its sum."
        elif pictures > 1 and answer in (filters * side * side, filters * (side * side + 1)):
            hint = f"Each filter looks at all {pictures} pictures at once, with a table of its own for each of them."
        elif answer == filters * side * side * pictures + 1:
            hint = "Each filter has a bias of its own, not one for all of them."
        raise NotYet(f"For {layer} expected {expected:,}; your answer is {answer:,.6g}. {hint}")
    return (
        "160 and 9,280: the second layer has more filters, and each is 16 tables deep, so it has 58 times the weights."
    )
