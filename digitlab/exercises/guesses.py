"""A place for the reader's guess, and the guess beside the truth when a later cell has run."""

import re
from collections.abc import Sequence
from html import escape

import ipywidgets
from IPython.display import display

from digitlab.exercises import answers
from digitlab.exercises.boxes import Box, Note, html, spoken

MAX_LENGTH = 300
"""Maximum length of a guess, in characters."""


class GuessBox(Box):
    """A box to write a guess into; see `guess`."""

    def __init__(self, name: str, question: str, options: Sequence = (), number: bool = False, unit: str = ""):
        self._name, self._question, self._number = str(name), str(question), bool(number)
        kept = answers.read()["guesses"].get(self._name, {}).get("guess", "")
        options = [str(option) for option in options]
        if options:
            self._field = ipywidgets.ToggleButtons(
                options=options, value=kept if kept in options else None, tooltips=options
            )
        else:
            hint = "a number" if number else "your guess"
            self._field = ipywidgets.Text(kept, placeholder=hint, continuous_update=False, tooltip=self._question)
        if number:
            self._field.add_class("digitlab-guess-number")
        self._status = ipywidgets.HTML()
        self._field.observe(self._keep, "value")
        title = f"<b>Your guess:</b> {escape(self._question)}"
        row = ipywidgets.HBox([self._field, ipywidgets.HTML(escape(str(unit))), self._status])
        super().__init__([html(title), row], f"Your guess: {self._question}")
        self._say("It is kept from last time." if kept else "", aloud=False)

    def _keep(self, change):
        guess = " ".join(str(change["new"] or "").split())[:MAX_LENGTH]

        def edit(entry):
            # Who writes a guess down after the answer was shown did not guess.
            changed = guess != entry.get("guess", "")
            if changed and entry.get("truth"):
                entry["late"] = True
            entry.update(question=self._question, guess=guess)

        answers.change("guesses", self._name, edit)
        if not guess:
            self._say("")
        elif self._number and not _numbers(guess):
            self._say("Kept, but a number is asked for.")
        else:
            self._say("Kept. Now run the next cell.")

    def _say(self, words, aloud=True):
        words = f"{words} {answers.trouble()}".strip()
        self._status.value = f'<span class="digitlab-status">{spoken(words) if aloud else escape(words)}</span>'


def guess(
    name: str, question: str, options: Sequence[str] | None = None, number: bool = False, unit: str = ""
) -> GuessBox:
    """Show a box for a guess, which is kept for all notebooks in ``my_answers.json``.

    The notebook runs on without it.

    Parameters
    ----------
    name : str
        The guess's own name, with the number of the notebook: "2.shape". `compare` asks for it by this name.
    question : str
    options : sequence of str, optional
        A few short answers to choose from. Without them the guess is typed.
    number : bool, optional
        Whether a number is asked for.
    unit : str, optional
        What stands behind the box, such as "%".
    """
    return GuessBox(name, question, options or (), number, unit)


def compare(name: str, truth) -> None:
    """Show the reader's guess beside what it turned out to be; without a guess, just what it is.

    Parameters
    ----------
    name : str
        The name that was given to `guess`.
    truth : object
        What came: words, a number, a shape. It is shown as ``str`` writes it.
    """
    truth = " ".join(_text(truth).split())
    entry = answers.change("guesses", name, lambda entry: entry.update(truth=truth))
    guessed = entry.get("guess", "")
    if not guessed:
        words = f"It is: {truth}"
    elif is_same(guessed, truth):
        words = f"Your guess: {guessed} · It is: {truth}, just as you guessed."
    else:
        words = f"Your guess: {guessed} · It is: {truth}"
    display(Note(words))


def is_same(guess: str, truth: str) -> bool:
    """Return whether a guess says the same as the truth: the same words, or the same numbers in the same order.

    Numbers count only if the guess has no words that the truth has not: "below 0" is not "above 0". Of "184 of 200" the
    first number is enough. A comma may stand before decimals, or between thousands.
    """
    if " ".join(guess.casefold().split()).rstrip(".!") == " ".join(truth.casefold().split()).rstrip(".!"):
        return True
    words = set(re.findall(r"[^\W\d_]+", truth.casefold()))
    if words and set(re.findall(r"[^\W\d_]+", guess.casefold())) - words - {"x"}:
        return False
    wanted = [_numbers(truth), _numbers(truth, _THOUSANDS)]
    if part := re.fullmatch(r"(\d+) of \d+.*", truth):
        wanted.append([float(part[1])])
    return any(found and found in wanted for found in (_numbers(guess), *(_numbers(guess, c) for c in _COMMAS)))


_THOUSANDS = r"(?<=\d),(?=\d{3}(?!\d))", ""
_COMMAS = _THOUSANDS, (r"(?<=\d),(?=\d{1,2}(?!\d))", ".")
"""What commas within a number may be, and what to write in their place."""


def _numbers(text, comma=None):
    """Return the numbers in a text: without `comma`, 10,816 is two of them."""
    if comma is not None:
        text = re.sub(*comma, text)
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def _text(value):
    try:
        return str(value)
    except Exception as error:
        return f"({type(error).__name__})"
