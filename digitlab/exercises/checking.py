"""The tools that the checks of all exercises share: the decorator, and how an answer is read.

To write a check, decorate a function with `check`. It returns the sentence that follows "Right.". If the answer is
not right, it raises `NotYet` with the value that was expected, the reader's answer and a hint. A check loads what it
needs besides the answer itself. So its verdict is true even if the reader has changed a variable in the notebook.
"""

import functools
import math
import textwrap
from collections.abc import Callable

import numpy as np

LINE_WIDTH = 90
"""Maximum length of a printed line: JupyterLab breaks longer lines in the middle of a word."""


class NotYet(Exception):  # noqa: N818
    """The answer is not right yet. The message says what was expected, what the answer was, and what to try."""


def check(judge: Callable[..., str]) -> Callable[..., None]:
    """Turn a function that judges an answer into a check that prints the verdict.

    Parameters
    ----------
    judge : callable
        It returns a sentence about a right answer, and raises `NotYet` for any other answer.

    Returns
    -------
    callable
        A function with the same parameters. It prints "Right. ..." or "Not yet. ...", returns None and never raises:
        an error inside a check would tell a learner nothing.
    """

    @functools.wraps(judge)
    def checked(*args, **kwargs):
        try:
            verdict = f"Right. {judge(*args, **kwargs)}"
        except NotYet as hint:
            verdict = f"Not yet. {hint}"
        except Exception as error:
            verdict = (
                f"Not yet. This answer could not be checked ({describe_error(error)}). Look at its type and its shape."
            )
        print(textwrap.fill(in_one_line(verdict), LINE_WIDTH, break_long_words=False, break_on_hyphens=False))

    return checked


def read_number(answer, expected: str) -> float:
    """Return an answer as a float.

    Parameters
    ----------
    answer : object
        Anything at all.
    expected : str
        What the answer should be, in words: "a share, 0 to 1".

    Raises
    ------
    NotYet
        If the answer is not a finite number.
    """
    try:
        number = float(answer) if np.ndim(answer) == 0 and not isinstance(answer, str | bytes) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise NotYet(f"Expected {expected}, a number; your answer is {describe(answer)}.")
    return number


def read_numbers(answer, shape: tuple[int, ...], expected: str) -> np.ndarray:
    """Return an answer as a float array.

    Parameters
    ----------
    answer : object
        Anything at all.
    shape : tuple of int
        The shape that the array must have.
    expected : str
        What the answer should be, in words: "a pair of digits".

    Raises
    ------
    NotYet
        If the answer has another shape, or if some of it is not a finite number.
    """
    try:
        numbers = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        numbers = np.array(math.nan)
    if numbers.shape != tuple(shape):
        raise NotYet(f"Expected {expected}, of shape {tuple(shape)}; your answer is {describe(answer)}.")
    if not np.isfinite(numbers).all():
        raise NotYet(
            f"Expected {expected}, all of them numbers; your answer holds {numbers[~np.isfinite(numbers)][0]}."
        )
    return numbers


def call(function, *args, expected: str = "a function"):
    """Call the reader's function and return its result.

    Raises
    ------
    NotYet
        If it is not a function, or if it raises an error.
    """
    if not callable(function):
        raise NotYet(
            f"Expected {expected}; your answer is {describe(function)}. Give the function's name, without brackets "
            "after it."
        )
    try:
        return function(*args)
    except Exception as error:
        raise NotYet(
            f"Your function stopped with an error, {describe_error(error)}. Run it by itself to see where."
        ) from None


def describe(value) -> str:
    """Describe a value in a few words, at most 60 characters."""
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
    text = in_one_line(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def describe_error(error: Exception) -> str:
    """Return the name of an error and its message, in one line."""
    return f"{type(error).__name__}: {in_one_line(error)[:150]}".removesuffix(": ")


def in_one_line(text) -> str:
    """Return a text with each run of spaces and line breaks replaced by one space."""
    return " ".join(str(text).split())
