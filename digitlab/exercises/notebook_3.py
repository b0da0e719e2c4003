"""The checks of the exercises in notebook 3, "Train it"."""

import math

import numpy as np

from digitlab.exercises.checking import NotYet, check, check_function


@check
def check_mean_loss(function):
    """Check a function of a list of probabilities, each given to a right digit, that returns the mean loss."""
    check_function(
        function,
        [([0.1],), ([0.9, 0.1],), ([0.99, 0.99, 0.99, 0.01],)],
        right=lambda given: -np.log(given).mean(),
        mistakes={
            "starter": lambda given: np.mean(np.subtract(1, given)),
            "minus": lambda given: np.log(given).mean(),
            "sum": lambda given: -np.log(given).sum(),
            "loss_of_mean": lambda given: -math.log(np.mean(given)),
            "loss_of_sum": lambda given: -math.log(sum(given)),
            "base_10": lambda given: -np.log10(given).mean(),
            "base_2": lambda given: -np.log2(given).mean(),
            "times_p": lambda given: -np.mean(np.multiply(given, np.log(given))),
            "of_the_rest": lambda given: -np.log(np.subtract(1, given)).mean(),
            "largest": lambda given: -np.log(given).min(),
            "first_one": lambda given: -math.log(given[0]) / len(given),
            "last_one": lambda given: -math.log(given[-1]) / len(given),
            "mean": lambda given: np.mean(given),
        },
        expected="a function of a list of probabilities",
        what="the mean loss",
        tolerance=0.0051,  # The notebook writes losses with two decimals.
    )
    return (
        "Now the careful network is the better one: its loss is 0.61, the daring one's 1.16. One wrong digit that the "
        "daring one was sure of raises its loss more than three right ones lower it."
    )


@check
def check_step(function):
    """Check a function of weight, slope and learning rate that returns the weight after one step."""
    try:
        _compare_step(function)
    except NotYet as not_yet:
        # In the cell above, `slope` is a function.
        if not_yet.mistake == "error" and "object is not callable" in not_yet.values["error"]:
            raise NotYet("slope_called") from None
        raise
    return (
        "Where the slope is positive, the loss grows with the weight, so the weight gets smaller. A network takes this "
        "step for each of its weights at once."
    )


def _compare_step(function):
    check_function(
        function,
        [(2.0, 4.0, 0.1), (1.0, -3.0, 0.5), (-0.5, 0.2, 1.5)],
        right=lambda weight, slope, rate: weight - rate * slope,
        mistakes={
            "starter": lambda weight, slope, rate: weight,
            "uphill": lambda weight, slope, rate: weight + rate * slope,
            "no_rate": lambda weight, slope, rate: weight - slope,
            "no_rate_uphill": lambda weight, slope, rate: weight + slope,
            "no_slope": lambda weight, slope, rate: weight - rate,
            "only_the_step": lambda weight, slope, rate: rate * slope,
            "only_minus_the_step": lambda weight, slope, rate: -rate * slope,
            "divided": lambda weight, slope, rate: weight - slope / rate,
            "divided_by_slope": lambda weight, slope, rate: weight - rate / slope,
            "turned_round": lambda weight, slope, rate: rate * slope - weight,
            "brackets": lambda weight, slope, rate: (weight - rate) * slope,
            "brackets_rate": lambda weight, slope, rate: (weight - slope) * rate,
            "sign_only": lambda weight, slope, rate: weight - rate * math.copysign(1, slope),
        },
        expected="a function of weight, slope and learning_rate",
        what="the new weight",
        show=lambda weight, slope, rate: f"weight {weight:g}, slope {slope:g} and learning rate {rate:g}",
    )


@check
def check_updates(function):
    """Check a function of digits and batch size that returns how often one epoch changes the weights."""
    check_function(
        function,
        [(900, 100), (55_000, 128), (520, 100), (60, 100), (20_001, 100), (100_001, 1_000)],
        right=lambda digits, batch: math.ceil(digits / batch),
        mistakes={
            "starter": lambda digits, batch: digits,
            "last_batch": lambda digits, batch: digits // batch,
            "not_whole": lambda digits, batch: digits / batch,
            "one_too_many": lambda digits, batch: digits // batch + 1,
            "rounded": lambda digits, batch: round(digits / batch),
            "exchanged": lambda digits, batch: batch / digits,
            "exchanged_whole": lambda digits, batch: math.ceil(batch / digits),
            "batch": lambda digits, batch: batch,
            "product": lambda digits, batch: digits * batch,
            "one": lambda digits, batch: 1,
            "digits_left": lambda digits, batch: digits % batch,
        },
        expected="a function of digits and batch_size",
        what="the number of steps",
        show=lambda digits, batch: f"{digits:,} digits in batches of {batch:,}",
    )
    return (
        "One step for each batch, also for the last one, which may be smaller: 430 for 55,000 digits in batches of "
        "128. Three epochs are 1,290 steps."
    )


@check
def check_when_to_stop(function):
    """Check a function of the losses on the digits held back that returns the epoch, from 1, of the best one."""
    check_function(
        function,
        [([0.9, 0.5, 0.4, 0.45, 0.6],), ([1.2, 0.7, 0.6],), ([0.5, 0.3, 0.35, 0.28, 0.6, 0.31, 0.33],)],
        right=lambda losses: int(np.argmin(losses)) + 1,
        mistakes={
            "starter": lambda losses: len(losses),
            "from_0": lambda losses: int(np.argmin(losses)),
            "loss_itself": lambda losses: min(losses),
            "first_rise": lambda losses: _first_rise(losses),
            "first_rise_from_0": lambda losses: _first_rise(losses) - 1,
            "after_rise": lambda losses: min(_first_rise(losses) + 1, len(losses)),
            "last_fall": lambda losses: _last_fall(losses),
            "worst": lambda losses: int(np.argmax(losses)) + 1,
            "one_late": lambda losses: int(np.argmin(losses)) + 2,
        },
        expected="a function of a list of losses",
        what="the number of an epoch",
        show=str,
    )
    return (
        "Keras can do the same while it trains: it is called early stopping. And it needs digits held back to see it."
    )


def _first_rise(losses):
    """Return the epoch, from 1, before the loss rises for the first time."""
    rises = [number for number in range(1, len(losses)) if losses[number] > losses[number - 1]]
    return rises[0] if rises else len(losses)


def _last_fall(losses):
    """Return the last epoch, from 1, whose loss is smaller than that of the epoch before."""
    return max((number + 1 for number in range(1, len(losses)) if losses[number] < losses[number - 1]), default=1)
