"""The checks of the exercises in notebook 1, "Meet the digits"."""

import functools

import numpy as np

from digitlab.data import load_mnist
from digitlab.exercises.checking import (
    OTHERWISE,
    NotYet,
    check,
    find_mistake,
    is_near,
    read_number,
    read_numbers,
    read_pair,
)

ROUNDED = 0.0051
"""By how much a share may be wrong: two digits behind the point are enough."""


@check
def check_black_share(share):
    """Check the share of the training pixels that are completely black: a number, 0 to 1."""
    share = read_number(share, "the share of all pixels that are 0")
    shares = _shares_of_pixels()
    expected = shares["right"]
    mistakes = {"starter": 0.5, **{name: value for name, value in shares.items() if name != "right"}}
    values = {
        "answer": f"{share:,.0f}" if share > 1000 else f"{share:.6g}",
        "side": "small" if share < expected else "large",
    }
    mistake = find_mistake(share, mistakes)
    if mistake != OTHERWISE:
        raise NotYet(mistake, **values)
    if abs(share - expected) < ROUNDED:
        return f"{expected:.1%} of the pixels are paper: hardly a fifth of a picture tells one digit from another."
    if abs(share - shares["not_black"]) < ROUNDED:
        raise NotYet("not_black", **values)
    if share < 0 or share > 1:
        raise NotYet("negative" if share < 0 else "per_cent" if share <= 100 else "count", **values)
    raise NotYet(OTHERWISE, **values)


@check
def check_closest_means(pair):
    """Check which two mean digits differ least: two digits, in either order."""
    if np.ndim(pair) == 0 and not isinstance(pair, set):
        number = read_numbers(pair, (), "a pair of digits")
        raise NotYet("flat", answer=f"{number:g}")
    first, second = read_pair(pair, "a pair of digits, such as (1, 7)")
    values = {"answer": f"{first:g} and {second:g}"}
    if {first, second} == {1, 7}:
        raise NotYet("starter")
    if first not in range(10) or second not in range(10):
        raise NotYet("no_digits", **values)
    if first == second:
        raise NotYet("twice", **values)
    first, second = int(first), int(second)
    means = _mean_images()
    differences = ((means[:, np.newaxis] - means) ** 2).sum(axis=2)
    of_pairs = np.unique(differences[differences > 0])
    rank = int((of_pairs < differences[first, second] * (1 - 1e-9)).sum())
    if rank == 0:
        return "The 4 and the 9 differ only by a lid. A reader that compares with means will mix them up most."
    closer = "1 of the 45 pairs differs less" if rank == 1 else f"{rank} of the 45 pairs differ less"
    mistake = "furthest" if rank == len(of_pairs) - 1 else OTHERWISE
    raise NotYet(mistake, **values, difference=f"{differences[first, second]:,.0f}", closer=closer)


@check
def check_accuracy_of_each(accuracies):
    """Check the accuracies of the mean-digit reader for each digit: ten shares, 0 to 1."""
    accuracies = read_numbers(accuracies, (10,), "ten shares, one for each digit from 0 to 9")
    tables = _tables_of_each()
    expected = tables["right"]
    if is_near(accuracies, expected, ROUNDED):
        return (
            f"One number hid ten: of the ones it reads {expected.max():.0%}, of the fives {expected.min():.0%}. "
            "Ask of every accuracy for whom it holds."
        )
    wrong = int(np.argmax(np.abs(accuracies - expected) > ROUNDED))
    values = {"answer": f"{accuracies[wrong]:,.4g}", "digit": wrong}
    for mistake, table in tables.items():
        if mistake != "right" and is_near(accuracies, table, ROUNDED * max(1, np.abs(table).max())):
            raise NotYet(mistake, **values)
    raise NotYet(OTHERWISE, **values)


@functools.cache
def _shares_of_pixels():
    (images, _), (test_images, _) = load_mnist()
    right = float((images == 0).mean())
    return {
        "right": right,
        "not_black": 1 - right,
        "per_cent": 100 * right,
        "per_image": 784 * right,
        "count": float((images == 0).sum()),
        "first_digit": float((images[0] == 0).mean()),
        "test_digits": float((test_images == 0).mean()),
        "dark": float((images < 128).mean()),
        "brightness": float(images.mean()) / 255,
    }


@functools.cache
def _mean_images():
    (images, labels), _ = load_mnist()
    return np.stack([images[labels == digit].mean(axis=0).ravel() for digit in range(10)])


@functools.cache
def _tables_of_each():
    """Return the right answer to "right for whom?", and the answers that mistakes lead to."""
    _, (images, labels) = load_mnist()
    means = _mean_images()
    # (image - mean)**2, multiplied out. The term image**2 is the same for all ten means, so it is left out.
    distances = (means**2).sum(axis=1) - 2 * images.reshape(len(images), -1).astype(float) @ means.T
    y_pred = distances.argmin(axis=1)
    is_right = y_pred == labels
    counts = np.array([is_right[labels == digit].sum() for digit in range(10)], float)
    written, read = np.bincount(labels, minlength=10), np.bincount(y_pred, minlength=10)
    right = counts / written
    return {
        "right": right,
        "starter": np.full(10, is_right.mean()),
        "per_cent": 100 * right,
        "counts": counts,
        "mistakes": 1 - right,
        "of_all": counts / len(labels),
        "of_those_read": counts / read,
        "how_many": written.astype(float),
        "share_of_mistakes": (written - counts) / (~is_right).sum(),
    }
