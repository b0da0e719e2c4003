"""The checks of the exercises in notebook 3, "Train it"."""

import math

import numpy as np

from digitlab.exercises.checking import NotYet, call, check, read_number


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
