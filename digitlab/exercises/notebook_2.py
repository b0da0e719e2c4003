"""The checks of the exercises in notebook 2, "Train a network"."""

import math

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


@check
def check_mean_loss(function):
    """Check a function of a list of probabilities, each given to a right digit, that returns the mean loss."""
    for given in ([0.1], [0.9, 0.1], [0.99, 0.99, 0.99, 0.01]):
        answer = call(function, list(given), expected="a function of a list of probabilities")
        answer = read_number(answer, f"the mean loss of {given}")
        losses = [-math.log(probability) for probability in given]
        expected = sum(losses) / len(losses)
        if abs(answer - expected) < 0.001:
            continue
        hint = "The loss of one probability is -math.log(probability); take the mean of these losses."
        if abs(answer - sum(1 - probability for probability in given) / len(given)) < 0.001:
            hint = (
                "That is the mean of what was missing to 1. Put -math.log(probability) in the place of 1 - probability."
            )
        elif abs(answer + expected) < 0.001:
            hint = "The minus in front of the logarithm is missing."
        elif len(given) > 1 and abs(answer - sum(losses)) < 0.001:
            hint = "That is the sum; divide it by how many there are."
        elif len(given) > 1 and abs(answer + math.log(sum(given) / len(given))) < 0.001:
            hint = "That is the loss of the mean; take the logarithm of each first, and then the mean of the losses."
        elif abs(answer - expected / math.log(10)) < 0.001:
            hint = "That is the logarithm to base 10; math.log takes the natural one."
        raise NotYet(f"For {given} expected {expected:.3f}; your answer is {answer:.3f}. {hint}")
    return (
        "Now the careful network is the better one: its loss is 0.61, the daring one's 1.16. One wrong digit that the "
        "daring one was sure of costs it more than three right ones bring."
    )


@check
def check_when_to_stop(function):
    """Check a function of the losses on the digits held back that returns the epoch, from 1, of the best one."""
    for losses in ([0.9, 0.5, 0.4, 0.45, 0.6], [1.2, 0.7, 0.6], [0.5, 0.3, 0.35, 0.28, 0.31, 0.4]):
        answer = call(function, list(losses), expected="a function of a list of losses")
        answer = read_number(answer, "the number of an epoch")
        expected = int(np.argmin(losses)) + 1
        if answer == expected:
            continue
        hint = f"The smallest loss is {min(losses)}: where in the list does it stand?"
        if answer == expected - 1:
            hint = "Python counts from 0, and epochs from 1."
        elif answer == min(losses):
            hint = "That is the smallest loss itself; in which epoch was it?"
        elif answer == len(losses):
            hint = "That is the last epoch; by then the loss had risen again."
        elif expected > answer and losses[min(int(answer), len(losses) - 1)] > losses[max(int(answer) - 1, 0)]:
            hint = "There the loss rises for the first time, but it falls again later, and further."
        raise NotYet(f"For the losses {losses} expected epoch {expected}; your answer is {answer:g}. {hint}")
    return (
        "Keras can do the same while it trains: it is called early stopping. And it needs digits held back to see it."
    )
