"""The tools that the checks of all exercises share: the decorator, how an answer is read, how a mistake is recognised.

To write a check, decorate a function with `check`. It returns the sentence that follows "Right.". If the answer is not
right, it raises `NotYet` with the name of the mistake; the words about it stand in hints.toml. So that a mistake can be
recognised, a check has a table of wrong answers, or of wrong functions, by their names. Most checks load what they need
besides the answer itself, so that their verdict is true even if the reader has changed a variable in the notebook.
Those of notebook 4 are given what the reader's own network made, and that of notebook 5 the images of the notebook.
"""

import contextlib
import copy
import functools
import hashlib
import io
import math
import re
import string
import textwrap
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from digitlab.exercises import answers
from digitlab.ink import Ink

LINE_WIDTH = 90
"""Maximum length of a printed line: JupyterLab breaks longer lines in the middle of a word."""

MAX_TRIED = 100
"""Maximum number of wrong answers to one exercise that are counted."""

STARTER = "starter"
"""The name of the mistake that stands in the notebook's own cell: the reader has not changed anything yet."""

_started = set()  # The exercises whose starter was checked since the kernel started.

OTHERWISE = "otherwise"
"""The name of a mistake that no table knows."""


class NotYet(Exception):  # noqa: N818
    """The answer is not right yet.

    Parameters
    ----------
    mistake : str
        The name of the mistake: of a ladder of hints in hints.toml, under the exercise's name or under ``any``.
    **values
        What stands in the words in curly brackets.
    """

    def __init__(self, mistake: str, **values):
        super().__init__(mistake)
        self.mistake, self.values = mistake, values


@functools.cache
def hints() -> dict[str, dict]:
    """Return the words about each mistake, by exercise and mistake: ladders, the first rung for the first attempt.

    Each exercise has its ``title``, too, and most of them ``seen``, the words that repeat the answer.
    """
    return tomllib.loads(Path(__file__).with_name("hints.toml").read_text("utf-8"))


def check(judge: Callable[..., str]) -> Callable[..., None]:
    """Turn a function that judges an answer into a check that prints the verdict.

    The starter gets "Not yet." and no more, the first time. The first, the second and the third wrong answer get one
    sentence more each. The same answer, given again, does not count.

    Parameters
    ----------
    judge : callable
        ``check_NAME``, where NAME is the exercise's name in hints.toml. It returns a sentence about a right answer, and
        raises `NotYet` for any other answer.

    Returns
    -------
    callable
        A function with the same parameters. It prints "Right. ..." or "Not yet. ...", returns None and never raises:
        an error inside a check would tell a learner nothing.
    """
    exercise = judge.__name__.removeprefix("check_")

    @functools.wraps(judge)
    def checked(*args, **kwargs):
        answer = args[0] if args else next(iter(kwargs.values()), None)
        try:
            verdict = f"Right. {judge(*args, **kwargs)}"
            answers.change("exercises", exercise, lambda entry: _note_solved(entry, answer))
        except NotYet as error:
            verdict = _hint(exercise, error, answer)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # The reader's code may do anything, even sys.exit().
            verdict = _hint(exercise, NotYet("unreadable", error=describe_error(error)), answer)
        print(in_lines(verdict))

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
    if _has_comma(answer):
        raise NotYet("comma", expected=expected, answer=describe(answer))
    return float(read_numbers(answer, (), f"{expected}, a number"))


def _has_comma(answer):
    """Return whether this is a decimal number written with a comma, which Python takes for two numbers."""
    if isinstance(answer, str):
        return re.fullmatch(r"\s*-?\d+,\d+\s*", answer) is not None
    return isinstance(answer, tuple) and [type(part) for part in answer] == [int, int]


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
    values = {"expected": expected, "answer": describe(answer), "shape": tuple(shape)}
    kinds = {"nothing": answer is None, "text": isinstance(answer, str | bytes), "function": callable(answer)}
    for mistake, is_so in kinds.items():
        if is_so:
            raise NotYet(mistake, **values)
    try:
        numbers = np.asarray(sorted(answer) if isinstance(answer, set) else answer)
        if np.iscomplexobj(numbers):
            raise TypeError
        if numbers.shape != tuple(shape):
            raise NotYet("shape" if shape else "kind", **values)
        numbers = numbers.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise NotYet("kind", **values) from None
    if not np.isfinite(numbers).all():
        raise NotYet("not_finite", **{**values, "answer": numbers[~np.isfinite(numbers)].ravel()[0]})
    return numbers


def read_pair(answer, expected: str) -> list[float]:
    """Return an answer as two numbers, also as `numpy.where` and `numpy.argwhere` give them; see `read_numbers`."""
    if np.shape(answer) in {(2, 1), (1, 2)}:
        answer = np.ravel(answer)
    return read_numbers(answer, (2,), expected).tolist()


def call(function, *args, expected: str = "a function"):
    """Call the reader's function and return its result.

    Raises
    ------
    NotYet
        If it is not a function, if it raises an error, or if it returns nothing.
    """
    if not callable(function):
        raise NotYet("not_a_function", expected=expected, answer=describe(function))
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            result = function(*copy.deepcopy(args))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise NotYet("error", error=describe_error(error)) from None
    if result is None:
        raise NotYet("printed" if printed.getvalue().strip() else "no_return")
    return result


def find_mistake(answer, mistakes: dict[str, object], tolerance: float = 1e-6) -> str:
    """Return the name of the first mistake that leads to this answer; `OTHERWISE` if none does.

    Parameters
    ----------
    answer : float or float array
    mistakes : dict
        By the mistakes' names, the answer that each leads to.
    tolerance : float, optional
        By how much the numbers may differ.
    """
    return next((name for name, wrong in mistakes.items() if is_near(answer, wrong, tolerance)), OTHERWISE)


def is_near(answer, other, tolerance: float = 1e-6) -> bool:
    """Return whether two numbers or arrays have the same shape and differ by at most `tolerance`."""
    return np.shape(answer) == np.shape(other) and bool(np.all(np.abs(np.subtract(answer, other)) <= tolerance))


def check_function(
    function,
    cases: Iterable[tuple],
    right: Callable,
    mistakes: dict[str, Callable],
    expected: str,
    what: str = "a number",
    tolerance: float = 1e-6,
    show: Callable[..., str] | None = None,
) -> None:
    """Compare the reader's function with the right one.

    Parameters
    ----------
    function : object
        What the reader wrote.
    cases : iterable of tuple
        Arguments to call it with.
    right : callable
        The right function. It returns a number, or a tuple of numbers.
    mistakes : dict of callable
        By the mistakes' names, functions that make this mistake. A mistake is recognised if the reader's function
        returns the same as this one for all cases.
    expected : str
        What the answer should be, in words: "a function of height and width".
    what : str, optional
        What the function should return, in words.
    tolerance : float, optional
        By how much numbers may differ.
    show : callable, optional
        Writes the arguments of a case in words.

    Raises
    ------
    NotYet
        If it returns something else for one of the cases, with the values ``case``, ``expected`` and ``answer``.
    """
    results = []
    for case in cases:
        try:
            result = call(function, *case, expected=expected)
        except NotYet as error:
            error.values["case"] = _in_words(case, show)
            raise
        results.append((case, right(*case), read_numbers(result, np.shape(right(*case)), what)))
    wrong = [result for result in results if not is_near(result[1], result[2], tolerance)]
    if not wrong:
        return
    like = (
        mistake
        for mistake, mistaken in mistakes.items()
        if all(is_near(mistaken(*case), answer, tolerance) for case, _, answer in results)
    )
    name = next(like, OTHERWISE)
    case, wanted, answer = wrong[0]
    raise NotYet(name, case=_in_words(case, show), expected=_write(wanted), answer=_write(answer))


def _in_words(case, show):
    return show(*case) if show else ", ".join(map(describe, case))


def describe(value) -> str:
    """Describe a value in a few words, at most 60 characters."""
    try:
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
    except Exception:
        return f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def describe_error(error: BaseException) -> str:
    """Return the name of an error and its message, in one line."""
    try:
        message = in_one_line(error)[:150]
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message}".removesuffix(": ")


def in_one_line(text) -> str:
    """Return a text with each run of spaces and line breaks replaced by one space."""
    return " ".join(str(text).split())


def in_lines(text: str) -> str:
    """Return a text broken into lines of at most `LINE_WIDTH`, but not within `code`."""
    whole = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\N{NO-BREAK SPACE}"), in_one_line(text))
    lines = textwrap.fill(whole, LINE_WIDTH, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")


def _hint(exercise, error, answer):
    """Return what is printed about a wrong answer: more with each attempt."""
    if error.mistake == STARTER:
        return "Not yet." if _may_be_untouched(exercise, answer) else f"Not yet. {hints()['any']['unchanged']}"
    own, common = hints()[exercise], hints()["any"]
    attempt = _count_attempt(exercise, answer)
    ladder = own.get(error.mistake) or common[error.mistake]
    # `seen` repeats what came, if the check has said what came.
    fields = {field for _, field, _, _ in string.Formatter().parse(own.get("seen", "")) if field}
    seen = [own["seen"]] if fields and error.mistake in own and fields <= set(error.values) else []
    sentences = [*seen, *ladder[:attempt], *([common["last"]] if attempt >= 3 else [])]
    return "Not yet. " + " ".join(sentence.format(**error.values) for sentence in sentences)


def _may_be_untouched(exercise, answer):
    """Return whether this may be the untouched starter: a function only the first time, since it may be another one."""
    is_first = exercise not in _started
    _started.add(exercise)
    return is_first or not callable(answer)


def _count_attempt(exercise, answer):
    fingerprint = _fingerprint(answer)

    def edit(entry):
        tried = entry.setdefault("tried", [])
        if not entry.get("solved") and fingerprint not in tried and len(tried) < MAX_TRIED:
            tried.append(fingerprint)
        entry["attempts"] = len(tried)

    return max(answers.change("exercises", exercise, edit)["attempts"], 1)


def _note_solved(entry, answer):
    entry["solved"] = True
    if isinstance(answer, Ink):
        entry["drawing"] = {
            "size": [float(side) for side in answer.size],
            "strokes": [stroke.tolist() for stroke in answer.strokes],
        }


def _fingerprint(answer):
    """Return the same short text for the same answer: of a function, its code; of an array, its numbers."""
    try:
        if isinstance(answer, np.ndarray):
            content = hashlib.sha256(answer.tobytes()).hexdigest() if answer.dtype != object else answer
            text = f"{answer.dtype} {answer.shape} {content}"
        elif isinstance(answer, Ink):
            text = str([stroke.tolist() for stroke in answer.strokes])
        elif hasattr(answer, "__code__"):
            text = str(_code(answer.__code__))
        else:
            text = repr(answer)
    except Exception:
        text = type(answer).__name__
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _code(code):
    constants = [_code(one) if hasattr(one, "co_code") else repr(one) for one in code.co_consts]
    return code.co_code.hex(), code.co_names, constants


def _write(value):
    """Write a number, or a tuple of numbers, with as many digits as it takes to tell it from another one."""
    numbers = [f"{number:,.4g}" if abs(number) < 1000 else f"{number:,.7g}" for number in np.ravel(value)]
    return f"({', '.join(numbers)})" if np.ndim(value) else numbers[0]


def floor_percent(share: float) -> str:
    """Return a share, 0 to 1, in per cent, rounded down: what is not over 90 % is not shown as 90.0 %."""
    return f"{math.floor(1000 * share) / 10:.1f} %"
