"""The checks of the exercises in notebook 1, "Meet the digits"."""

import functools

import numpy as np

from digitlab.data import load_mnist
from digitlab.exercises.checking import NotYet, check, read_number, read_numbers


@check
def check_black_share(share):
    """Check the share of the training pixels that are completely black: a number, 0 to 1."""
    share = read_number(share, "the share of all pixels that are 0")
    (images, _), _ = load_mnist()
    expected = float((images == 0).mean())
    if abs(share - expected) < 0.001:
        return f"{expected:.1%} of the pixels are paper: hardly a fifth of a picture tells one digit from another."
    answer = f"Expected a share from 0 to 1; your answer is {share:,.6g}."
    if abs(share - 100 * expected) < 0.1:
        raise NotYet(f"{answer} That is in per cent: leave out the 100.")
    if share > 1:
        raise NotYet(f"{answer} Is it a count? Divide it by the number of pixels, x_train.size.")
    if abs(share - (1 - expected)) < 0.001:
        raise NotYet(f"{answer} That is the share of the pixels that are NOT 0.")
    if abs(share - float((images[0] == 0).mean())) < 0.001:
        raise NotYet(f"{answer} That is for the first digit alone; ask about x_train, all of them.")
    raise NotYet(
        f"Expected the share of pixels that are 0; your answer, {share:.6g}, is too "
        f"{'small' if share < expected else 'large'}. `x_train == 0` is True where a pixel is black. Its mean?"
    )


@check
def check_closest_means(pair):
    """Check which two mean digits differ least: two digits, in either order."""
    first, second = read_numbers(pair, (2,), "a pair of digits, such as (1, 7)")
    if first not in range(10) or second not in range(10) or first == second:
        raise NotYet(f"Expected two different digits from 0 to 9; your answer is {first:g} and {second:g}.")
    first, second = int(first), int(second)
    means = _mean_images()
    differences = ((means[:, np.newaxis] - means) ** 2).sum(axis=2)
    of_pairs = np.unique(differences[differences > 0])
    rank = int((of_pairs < differences[first, second] * (1 - 1e-9)).sum())
    if rank == 0:
        return "The 4 and the 9 differ only by a lid. A reader that compares with means will mix them up most."
    raise NotYet(
        f"Expected the pair that differs least; your answer, {first} and {second}, differs by "
        f"{differences[first, second]:,.0f}, and of the 45 pairs {rank} differ{'s' * (rank == 1)} less. "
        "Two loops, one within the other, go through all pairs."
    )


@check
def check_accuracy_of_each(accuracies):
    """Check the accuracies of the mean-digit reader for each digit: ten shares, 0 to 1."""
    accuracies = read_numbers(accuracies, (10,), "ten shares, one for each digit from 0 to 9")
    expected = _accuracy_of_each()
    if np.abs(accuracies - expected).max() < 0.002:
        return (
            f"One number hid ten: of the ones it reads {expected.max():.0%}, of the fives {expected.min():.0%}. "
            "Ask of every accuracy for whom it holds."
        )
    if np.abs(accuracies - 100 * expected).max() < 0.2:
        raise NotYet(f"Expected shares from 0 to 1; your answer goes up to {accuracies.max():.4g}. Leave out the 100.")
    wrong = int(np.argmax(np.abs(accuracies - expected) >= 0.002))
    raise NotYet(
        f"Expected {expected[wrong]:.3f} for the digit {wrong}; your answer is {accuracies[wrong]:.3f}. "
        f"`y_pred[y_test == {wrong}]` are the answers to the test digits that are a {wrong}: how many agree?"
    )


@functools.cache
def _mean_images():
    (images, labels), _ = load_mnist()
    return np.stack([images[labels == digit].mean(axis=0).ravel() for digit in range(10)])


@functools.cache
def _accuracy_of_each():
    _, (images, labels) = load_mnist()
    means = _mean_images()
    # (image - mean)**2, multiplied out. The term image**2 is the same for all ten means, so it is left out.
    distances = (means**2).sum(axis=1) - 2 * images.reshape(len(images), -1).astype(float) @ means.T
    y_pred = distances.argmin(axis=1)
    return np.array([(y_pred[labels == digit] == digit).mean() for digit in range(10)])
