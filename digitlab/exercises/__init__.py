"""The checks of the notebooks' exercises: "Right.", or "Not yet." and what to try. It stands on `recognizer`.

A check takes the reader's answer, prints a few lines and returns nothing. It never raises, whatever it is given:
to whoever learns, a traceback out of a checker says nothing.

To write one, decorate a function with `_check`: it returns the sentence that follows "Right.", and where the answer is
not right it raises `NotYet` with what was expected, what came, and a hint. What it needs besides the answer it loads
itself, so that a reader who has changed a variable on the way is still told the truth.
"""

import functools
import math
import textwrap

import numpy as np

from digitlab.data import load_mnist
from digitlab.ink import Ink
from digitlab.paths import MNIST_ONLY_NETWORK
from digitlab.prepare import network_input, prepare
from digitlab.recognizer import Recognizer


class NotYet(Exception):  # noqa: N818
    """The answer is not right yet; its words say what was expected, what came, and what to try."""


def _check(judge):
    """Make a check of a function that returns what is said of a right answer, and raises `NotYet` of another."""

    @functools.wraps(judge)
    def check(*answer, **more):
        try:
            said = f"Right. {judge(*answer, **more)}"
        except NotYet as words:
            said = f"Not yet. {words}"
        except Exception as error:
            said = f"Not yet. This answer could not be checked ({_named(error)}). Look at its type and its shape."
        # JupyterLab breaks a longer line in the middle of a word.
        print(textwrap.fill(_in_one_line(said), 90, break_long_words=False, break_on_hyphens=False))

    return check


# Notebook 1


@_check
def check_black_share(share):
    """Check the share of the training pixels that are completely black: a number, 0 to 1."""
    share = _number(share, "the share of all pixels that are 0")
    (images, _), _ = load_mnist()
    right = float((images == 0).mean())
    if abs(share - right) < 0.001:
        return f"{right:.1%} of the pixels are paper: hardly a fifth of a picture tells one digit from another."
    came = f"Expected a share from 0 to 1; what came is {share:,.6g}."
    if abs(share - 100 * right) < 0.1:
        raise NotYet(f"{came} That is in per cent: leave out the 100.")
    if share > 1:
        raise NotYet(f"{came} Is it a count? Divide it by how many pixels there are, train_images.size.")
    if abs(share - (1 - right)) < 0.001:
        raise NotYet(f"{came} That is the share of the pixels that are NOT 0.")
    if abs(share - float((images[0] == 0).mean())) < 0.001:
        raise NotYet(f"{came} That is for the first digit alone; ask about train_images, all of them.")
    raise NotYet(
        f"Expected the share of pixels that are 0; what came, {share:.6g}, is too "
        f"{'small' if share < right else 'large'}. `train_images == 0` is True where a pixel is black. Its mean?"
    )


@_check
def check_closest_means(pair):
    """Check which two mean digits differ least: two digits, in either order."""
    first, second = _numbers(pair, (2,), "a pair of digits, such as (1, 7)")
    if first not in range(10) or second not in range(10) or first == second:
        raise NotYet(f"Expected two different digits from 0 to 9; what came is {first:g} and {second:g}.")
    first, second = int(first), int(second)
    means = _means()
    differences = ((means[:, np.newaxis] - means) ** 2).sum(axis=2)
    ours = np.unique(differences[differences > 0])
    rank = int((ours < differences[first, second] * (1 - 1e-9)).sum())
    if rank == 0:
        return "The 4 and the 9 differ only by a lid. A reader that compares with means will mix them up most."
    raise NotYet(
        f"Expected the pair that differs least; what came, {first} and {second}, differs by "
        f"{differences[first, second]:,.0f}, and of the 45 pairs {rank} differ{'s' * (rank == 1)} less. "
        "Two loops, one within the other, go through all pairs."
    )


@_check
def check_accuracy_of_each(accuracies):
    """Check the accuracies of the mean-digit reader for each digit: ten shares, 0 to 1."""
    accuracies = _numbers(accuracies, (10,), "ten shares, one for each digit from 0 to 9")
    right = _accuracy_of_each()
    if np.abs(accuracies - right).max() < 0.002:
        return (
            f"One number hid ten: of the ones it reads {right.max():.0%}, of the fives {right.min():.0%}. "
            "Ask of every accuracy for whom it holds."
        )
    if np.abs(accuracies - 100 * right).max() < 0.2:
        raise NotYet(f"Expected shares from 0 to 1; what came goes up to {accuracies.max():.4g}. Leave out the 100.")
    wrong = int(np.argmax(np.abs(accuracies - right) >= 0.002))
    raise NotYet(
        f"Expected {right[wrong]:.3f} for the digit {wrong}; what came is {accuracies[wrong]:.3f}. "
        f"`answers[test_labels == {wrong}]` are the answers to the test digits that are a {wrong}: how many agree?"
    )


@functools.cache
def _means():
    (images, labels), _ = load_mnist()
    return np.stack([images[labels == digit].mean(axis=0).ravel() for digit in range(10)])


@functools.cache
def _accuracy_of_each():
    _, (images, labels) = load_mnist()
    # The square of a difference, multiplied out; the picture's own part is the same for all ten.
    means = _means()
    answers = ((means**2).sum(axis=1) - 2 * images.reshape(len(images), -1).astype(float) @ means.T).argmin(axis=1)
    return np.array([(answers[labels == digit] == digit).mean() for digit in range(10)])


# Notebook 2


@_check
def check_slope_filter(table):
    """Check a filter, 3 x 3 numbers, that finds strokes that rise to the right and is silent about all else."""
    table = _numbers(table, (3, 3), "a filter, a table of 3 x 3 numbers")
    rising = np.eye(3)[::-1]
    others = {"a falling stroke": np.eye(3), "an even white patch": np.ones((3, 3))}
    for place, where in enumerate(("first", "middle", "last")):
        line = np.zeros((3, 3))
        line[place] = 1
        others[f"a level stroke in its {where} row"] = line
        others[f"an upright stroke in its {where} column"] = line.T
    answer = float((table * rising).sum())
    name, loudest = max(((name, float((table * other).sum())) for name, other in others.items()), key=lambda it: it[1])
    if answer <= 0:
        raise NotYet(
            f"Expected a positive answer to a stroke that rises to the right; what came is {answer:g}. "
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


@_check
def check_weights_of_convolution(function):
    """Check a function of filters, side and pictures that counts the weights of a convolution."""
    for filters, side, pictures in ((16, 3, 1), (64, 3, 16), (8, 5, 3)):
        layer = f"{filters} filters of {side} x {side} on {pictures} picture{'s' * (pictures > 1)}"
        came = _call(function, filters, side, pictures, what="a function of filters, side and pictures")
        came = _number(came, f"how many weights {layer} have")
        right = filters * (side * side * pictures + 1)
        if came == right:
            continue
        hint = "Count what one filter has first; then multiply."
        if came == right - filters:
            hint = "The bias is missing: each filter has one number more, which is added to its sum."
        elif pictures > 1 and came in (filters * side * side, filters * (side * side + 1)):
            hint = f"Each filter looks at all {pictures} pictures at once, with a table of its own for each of them."
        elif came == filters * side * side * pictures + 1:
            hint = "Each filter has a bias of its own, not one for all of them."
        raise NotYet(f"For {layer} expected {right:,}; what came is {came:,.6g}. {hint}")
    return (
        "160 and 9,280: the second layer has more filters, and each is 16 tables deep, so it has 58 times the weights."
    )


@_check
def check_mean_loss(function):
    """Check a function of a list of probabilities, each given to a right digit, that returns the mean loss."""
    for given in ([0.1], [0.9, 0.1], [0.99, 0.99, 0.99, 0.01]):
        came = _call(function, list(given), what="a function of a list of probabilities")
        came = _number(came, f"the mean loss of {given}")
        losses = [-math.log(probability) for probability in given]
        right = sum(losses) / len(losses)
        if abs(came - right) < 0.001:
            continue
        hint = "The loss of one probability is -math.log(probability); take the mean of these losses."
        if abs(came - sum(1 - probability for probability in given) / len(given)) < 0.001:
            hint = (
                "That is the mean of what was missing to 1. Put -math.log(probability) in the place of 1 - probability."
            )
        elif abs(came + right) < 0.001:
            hint = "The minus in front of the logarithm is missing."
        elif len(given) > 1 and abs(came - sum(losses)) < 0.001:
            hint = "That is the sum; divide it by how many there are."
        elif len(given) > 1 and abs(came + math.log(sum(given) / len(given))) < 0.001:
            hint = "That is the loss of the mean; take the logarithm of each first, and then the mean of the losses."
        elif abs(came - right / math.log(10)) < 0.001:
            hint = "That is the logarithm to base 10; math.log takes the natural one."
        raise NotYet(f"For {given} expected {right:.3f}; what came is {came:.3f}. {hint}")
    return (
        "Now the careful network is the better one: its loss is 0.61, the daring one's 1.16. One wrong digit that the "
        "daring one was sure of costs it more than three right ones bring."
    )


@_check
def check_when_to_stop(function):
    """Check a function of the losses on the digits held back that returns the epoch, from 1, of the best one."""
    for losses in ([0.9, 0.5, 0.4, 0.45, 0.6], [1.2, 0.7, 0.6], [0.5, 0.3, 0.35, 0.28, 0.31, 0.4]):
        came = _call(function, list(losses), what="a function of a list of losses")
        came = _number(came, "the number of an epoch")
        right = int(np.argmin(losses)) + 1
        if came == right:
            continue
        hint = f"The smallest loss is {min(losses)}: where in the list does it stand?"
        if came == right - 1:
            hint = "Python counts from 0, and epochs from 1."
        elif came == min(losses):
            hint = "That is the smallest loss itself; in which epoch was it?"
        elif came == len(losses):
            hint = "That is the last epoch; by then the loss had risen again."
        elif right > came and losses[min(int(came), len(losses) - 1)] > losses[max(int(came) - 1, 0)]:
            hint = "There the loss rises for the first time, but it falls again later, and further."
        raise NotYet(f"For the losses {losses} expected epoch {right}; what came is {came:g}. {hint}")
    return (
        "Keras can do the same while it trains: it is called early stopping. And it needs digits held back to see it."
    )


# Notebook 3


@_check
def check_mixed_up(pair, matrix):
    """Check the two digits that are mixed up most, whichever was written; `matrix` is the confusion matrix."""
    first, second = _numbers(pair, (2,), "a pair of digits").tolist()
    if not {first, second} <= set(range(10)):
        raise NotYet(f"Expected two digits, 0 to 9; what came is {_shown(pair)}.")
    first, second = int(first), int(second)
    if first == second:
        raise NotYet(
            f"Expected two different digits; what came is {first} and {second}. That is a place on the diagonal, where "
            "the right answers stand: take them out first, as `mistakes` does."
        )
    matrix = np.asarray(matrix)
    both = matrix + matrix.T
    np.fill_diagonal(both, 0)
    one, other = matrix[first, second], matrix[second, first]
    if both[first, second] < both.max():
        raise NotYet(
            f"Expected a pair that is mixed up {both.max()} times; {first} and {second}, which came, are mixed up "
            f"{one} + {other} times. `mistakes.T` is the matrix with rows and columns exchanged: which number of "
            "`mistakes + mistakes.T` is the largest?"
        )
    return (
        f"{first} and {second} are mixed up {both.max()} times: {one} times a {first} was read as a {second}, {other} "
        "times the other way round. With so few mistakes chance has its say: ten thousand other digits might name "
        "another pair."
    )


@_check
def check_most_lost(square, losses):
    """Check the row and the column of the square that costs the answer most; `losses` has them all, (n, n)."""
    row, column = _numbers(square, (2,), "a row and a column, such as (0, 0)").tolist()
    losses = np.asarray(losses, float)
    if not {row, column} <= set(range(len(losses))):
        raise NotYet(f"Expected a row and a column, each from 0 to {len(losses) - 1}; what came is {_shown(square)}.")
    row, column = int(row), int(column)
    most, lost = losses.max(), losses[row, column]
    if most - lost > 0.005:
        so_far = (
            f"Expected a square that costs the answer {most:.3f} of its probability; the one at row {row}, column "
            f"{column}, which came, costs it {max(lost, 0):.3f}."
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


@_check
def check_ninety(share, confidence, right):
    """Check the share of right answers among those of which the network is 85 to 95 % sure."""
    confidence, right = np.asarray(confidence, float), np.asarray(right, bool)
    came = _number(share, "a share, 0 to 1")
    about = (confidence > 0.85) & (confidence < 0.95)
    count = int(about.sum())
    if not count:
        raise NotYet("This network is never 85 to 95 % sure, so there is no share to be counted.")
    expected, promised = right[about].mean(), confidence[about].mean()
    if abs(came - expected) > 0.0005:
        wanted = f"Expected the share of right ones among {count} answers; what came is {came:.4g}."
        if abs(came - right[confidence > 0.85].mean()) <= 0.0005:
            raise NotYet(
                f"{wanted} It is that of all {np.sum(confidence > 0.85):,} answers above 85 %, most of which are above "
                "95 %, too. Two conditions are joined by &, each in brackets of its own."
            )
        if abs(came - 100 * expected) <= 0.05:
            raise NotYet(f"{wanted} A share lies between 0 and 1: leave the per cent to the print.")
        raise NotYet(f"{wanted} The mean of `right` over just these answers is their share.")
    chance = 2 * math.sqrt(promised * (1 - promised) / count)
    verdict = "within that" if abs(expected - promised) <= chance else "more than that"
    return (
        f"{expected:.1%} of {count} are right, and {promised:.1%} were promised. With so few, chance alone moves the "
        f"share by up to about {100 * chance:.0f} percentage points; the gap is {verdict}."
    )


# Notebook 4


@_check
def check_scale_factor(scale_factor):
    """Check a function of height and width: by what both are multiplied so that the drawing just fits 20 x 20."""
    for height, width in [(75, 57), (40, 100), (10, 10)]:
        expected = 20 / max(height, width)
        came = _number(_call(scale_factor, height, width), "what the sides are multiplied by")
        if abs(came - expected) > 1e-3:
            raise NotYet(
                f"For a drawing {height} high and {width} wide expected {expected:.4g}; what came is {came:.4g}, and "
                f"makes it {height * came:.0f} high and {width * came:.0f} wide. The box is 20 x 20: which side is it "
                "that must become 20?"
            )
    return (
        "The longer side decides, and both sides are multiplied by the same number: that is what keeps the proportions."
    )


@_check
def check_shift(shift):
    """Check a function of a centre of mass: by how many whole pixels to move, right and down, to bring it to 14.5."""
    for centre in [(9.9, 10.2), (17.1, 12.4)]:
        exact = 14.5 - np.array(centre)
        expected = exact.round().astype(int).tolist()
        came = _numbers(_call(shift, np.array(centre)), (2,), "two numbers, to the right and down")
        if np.abs(came - expected).max() > 1e-9:
            where = (centre + came).round(2).tolist()
            wanted = (
                f"With its centre of mass at {list(centre)} expected {expected}; what came is "
                f"{came.round(2).tolist()}, which brings it to {where}."
            )
            if np.abs(came - exact).max() < 1e-6:
                raise NotYet(f"{wanted} Just right, but pixels can only be moved whole: round it.")
            if np.abs(came + expected).max() < 0.6:
                raise NotYet(f"{wanted} The wrong way: from where it should be, take where it is.")
            if np.abs(came - (14 - np.array(centre))).max() < 1e-6:
                raise NotYet(
                    f"{wanted} Which number did MNIST take for the middle? And pixels can only be moved whole."
                )
            raise NotYet(f"{wanted} It should come as near to 14.5 as whole pixels allow, both ways.")
    return "Rounding leaves up to half a pixel: that is the 0.5 which step 3 found in MNIST itself."


@_check
def check_gains(gains, recognizer, labels, ways):
    """Check ten differences: for each digit, the share read when fitted less the share read when stretched.

    `ways` are the pictures of notebook 4's step 7 by how they were prepared; the second way stretches, the third fits.
    """
    gains = _numbers(gains, (10,), "ten differences, one for each digit from 0 to 9")
    stretched, fitted = (_share_of_each(recognizer, labels, pictures) for pictures in list(ways.values())[1:3])
    right = fitted - stretched
    if np.abs(gains - right).max() < 0.002:
        most, next_ = (int(digit) for digit in right.argsort()[:-3:-1])
        return (
            f"The {most} gains most: stretched, {stretched[most]:.0%} are read, and fitted {fitted[most]:.0%}. Then "
            f"comes the {next_}, from {stretched[next_]:.0%} to {fitted[next_]:.0%}. Stretching makes a digit as wide "
            "as it is high, and it fills the picture to all four edges: which of the two hurts which digit?"
        )
    wrong = int(np.argmax(np.abs(gains - right) >= 0.002))
    wanted = f"Expected {right[wrong]:.3f} for the digit {wrong}; what came is {gains[wrong]:.3f}."
    if np.abs(gains - fitted).max() < 0.002:
        raise NotYet(f"{wanted} These are the shares with fitting; what had been read with stretching?")
    if np.abs(gains - stretched).max() < 0.002:
        raise NotYet(f"{wanted} These are the shares with stretching; how much more is read with fitting?")
    if np.abs(gains + right).max() < 0.002:
        raise NotYet(f"{wanted} The other way round: from the share with fitting take that with stretching.")
    if np.abs(gains - 100 * right).max() < 0.2:
        raise NotYet(f"{wanted} Leave out the 100: shares go from 0 to 1.")
    raise NotYet(f"{wanted} share_of_each gives the ten shares of one way; two of them are to be compared.")


def _share_of_each(recognizer, labels, pictures):
    answers = recognizer.probabilities(network_input(pictures)).argmax(axis=1)
    return np.array([(answers[labels == digit] == digit).mean() for digit in range(10)])


# Notebook 5


@_check
def check_four(drawing):
    """Check an ink that the kit's best network reads as a 4, and its MNIST-only network does not."""
    ours, other = _read_by_both(drawing)
    if ours.digit != 4:
        raise NotYet(
            f"Expected that ours reads a 4; it says: {ours}. Begin with Ink.example(4), or look at how others write it."
        )
    if other.digit == 4:
        raise NotYet(
            f"Expected that only ours reads a 4; the other one says {other}. Leave the 4 open at the top, lead the "
            "first stroke far down before it turns right, and make the second one short."
        )
    return f"Ours says {ours}, the other one {other}. The strokes are the same; only one network was shown such 4s."


@_check
def check_no_digit(drawing):
    """Check an ink that is no digit for the kit's best network, while the MNIST-only one is over 90 % sure of one."""
    ours, other = _read_by_both(drawing)
    if np.array_equal(prepare(drawing), prepare(_LETTER_A)):
        raise NotYet("That is the A of step 1, and it does not count: find something of your own.")
    if ours.reason != "not a digit":
        raise NotYet(
            f'Expected that ours says "that\'s no digit, is it?"; it says: {ours}. Try a letter, or a pattern.'
        )
    if other.confidence <= 0.9:
        raise NotYet(
            f"Ours says that it is no digit. Expected that the other one is more than 90 % sure of one; it says: "
            f"{other}. Bring your drawing a little nearer to the {other.digit}, but not so near that it is one."
        )
    return (
        f"Ours says that it is no digit, the other one {other}. Its ten probabilities add up to 1 whatever it is "
        "shown, so being sure means only: of the ten, this one."
    )


_LETTER_A = Ink([[(80, 230), (140, 50), (200, 230)], [(105, 165), (175, 165)]])


def _read_by_both(drawing):
    if not isinstance(drawing, Ink):
        raise NotYet(f"Expected an Ink, a list of strokes; what came is {_shown(drawing)}.")
    if not drawing:
        raise NotYet("Expected a drawing; what came is an Ink without a stroke.")
    return Recognizer.load().predict(drawing), Recognizer.load(MNIST_ONLY_NETWORK).predict(drawing)


# What the checks are made of


def _number(answer, what):
    """Return the answer as a float; it must be a finite number. `what` says what was expected: "a share, 0 to 1"."""
    try:
        number = float(answer) if np.ndim(answer) == 0 and not isinstance(answer, str | bytes) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise NotYet(f"Expected {what}, a number; what came is {_shown(answer)}.")
    return number


def _numbers(answer, shape, what):
    """Return the answer as a float array; it must be of this shape, finite numbers throughout."""
    try:
        numbers = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        numbers = np.array(math.nan)
    if numbers.shape != tuple(shape):
        raise NotYet(f"Expected {what}, of shape {tuple(shape)}; what came is {_shown(answer)}.")
    if not np.isfinite(numbers).all():
        raise NotYet(f"Expected {what}, numbers throughout; what came holds {numbers[~np.isfinite(numbers)][0]}.")
    return numbers


def _call(function, *arguments, what="a function"):
    """Return what the reader's function returns for these arguments; it must be one, and must not raise."""
    if not callable(function):
        raise NotYet(f"Expected {what}; what came is {_shown(function)}. Give its name, without brackets after it.")
    try:
        return function(*arguments)
    except Exception as error:
        raise NotYet(f"Your function stopped with an error, {_named(error)}. Run it by itself to see where.") from None


def _shown(value):
    """Return what came, in a few words."""
    if value is None:
        return "None (nothing yet)"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if callable(value):
        return "a function, not what it returns"
    if isinstance(value, list | tuple) and len(value) > 4:
        return f"a {type(value).__name__} of length {len(value)}"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _in_one_line(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _named(error):
    """Return an error's name and its words, in one line."""
    return f"{type(error).__name__}: {_in_one_line(error)[:150]}".removesuffix(": ")


def _in_one_line(words):
    return " ".join(str(words).split())
