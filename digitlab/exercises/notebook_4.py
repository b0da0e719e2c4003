"""The checks of the exercises in notebook 4, "Study its mistakes"."""

import math

import numpy as np

from digitlab.exercises.checking import NotYet, check, describe, read_number, read_numbers


@check
def check_mixed_up(pair, matrix):
    """Check the two digits that are mixed up most, whichever was written; `matrix` is the confusion matrix."""
    first, second = read_numbers(pair, (2,), "a pair of digits").tolist()
    if not {first, second} <= set(range(10)):
        raise NotYet(f"Expected two digits, 0 to 9; your answer is {describe(pair)}.")
    first, second = int(first), int(second)
    if first == second:
        raise NotYet(
            f"Expected two different digits; your answer is {first} and {second}. That is a place on the diagonal, "
            "where the right answers stand: take them out first, as `mistakes` does."
        )
    matrix = np.asarray(matrix)
    both = matrix + matrix.T
    np.fill_diagonal(both, 0)
    one, other = matrix[first, second], matrix[second, first]
    if both[first, second] < both.max():
        raise NotYet(
            f"Expected a pair that is mixed up {both.max()} times; {first} and {second}, your answer, are mixed up "
            f"{one} + {other} times. `mistakes.T` is the matrix with rows and columns exchanged: which number of "
            "`mistakes + mistakes.T` is the largest?"
        )
    return (
        f"{first} and {second} are mixed up {both.max()} times: {one} times a {first} was read as a {second}, {other} "
        "times the other way round. With so few mistakes chance has its say: ten thousand other digits might name "
        "another pair."
    )


@check
def check_most_lost(square, losses):
    """Check the row and the column of the square that costs the answer most; `losses` has them all, (n, n)."""
    row, column = read_numbers(square, (2,), "a row and a column, such as (0, 0)").tolist()
    losses = np.asarray(losses, float)
    if not {row, column} <= set(range(len(losses))):
        raise NotYet(
            f"Expected a row and a column, each from 0 to {len(losses) - 1}; your answer is {describe(square)}."
        )
    row, column = int(row), int(column)
    most, lost = losses.max(), losses[row, column]
    if most - lost > 0.005:
        so_far = (
            f"Expected a square that costs the answer {most:.3f} of its probability; the one at row {row}, column "
            f"{column}, your answer, costs it {max(lost, 0):.3f}."
        )
        if most - losses[column, row] <= 0.005:
            raise NotYet(f"{so_far} The row comes first, and then the column: exchange the two.")
        raise NotYet(
            f"{so_far} losses.argmax() counts the squares one after the other; np.unravel_index makes a row and a "
            "column of that, as in step 3."
        )
    return (
        f"Covering it takes {most:.3f} from the probability. Its neighbours cover nearly the same pixels, and cost "
        "nearly as much. It works for any network that can be asked, even if nobody may look inside."
    )


@check
def check_ninety(share, confidence, right):
    """Check the share of right answers among those of which the network is 85 to 95 % sure."""
    confidence, right = np.asarray(confidence, float), np.asarray(right, bool)
    answer = read_number(share, "a share, 0 to 1")
    about = (confidence > 0.85) & (confidence < 0.95)
    count = int(about.sum())
    if not count:
        raise NotYet("This network is never 85 to 95 % sure, so there is no share to be counted.")
    expected, promised = right[about].mean(), confidence[about].mean()
    if abs(answer - expected) > 0.0005:
        wanted = f"Expected the share of right ones among {count} answers; your answer is {answer:.4g}."
        if abs(answer - right[confidence > 0.85].mean()) <= 0.0005:
            raise NotYet(
                f"{wanted} It is that of all {np.sum(confidence > 0.85):,} answers above 85 %, most of which are above "
                "95 %, too. Two conditions are joined by &, each in brackets of its own."
            )
        if abs(answer - 100 * expected) <= 0.05:
            raise NotYet(f"{wanted} A share lies between 0 and 1: leave the per cent to the print.")
        raise NotYet(f"{wanted} The mean of `right` over just these answers is their share.")
    chance = 2 * math.sqrt(promised * (1 - promised) / count)
    verdict = "within that" if abs(expected - promised) <= chance else "more than that"
    return (
        f"{expected:.1%} of {count} are right, and {promised:.1%} were promised. With so few, chance alone moves the "
        f"share by up to about {100 * chance:.0f} percentage points; the gap is {verdict}."
    )
