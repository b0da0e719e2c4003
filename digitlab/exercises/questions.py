"""The quiz at the end of each notebook, and six of its questions as a test before and after.

The questions, and what is said to each answer, are in questions.toml.
"""

import functools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import ipywidgets

from digitlab.exercises import answers
from digitlab.exercises.boxes import Box, html, spoken

LETTERS = "abcd"
TESTS = ("before", "after")


@dataclass(frozen=True)
class Question:
    """A question to click on.

    Attributes
    ----------
    id : str
        Its name in the file of answers, such as "3.file".
    notebook : int
        The notebook that it belongs to, 1 to 6.
    text : str
    options : dict of str to (str, str)
        By their letters, the answers, each with what is said to who chooses it.
    right : str
        The letter of the right answer.
    test : bool
        Whether it belongs to the test before and after.
    """

    id: str
    notebook: int
    text: str
    options: dict[str, tuple[str, str]]
    right: str
    test: bool = False


@functools.cache
def questions() -> tuple[Question, ...]:
    """Return all questions, in the order of the notebooks."""
    tables = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))["question"]
    return tuple(
        Question(
            table["id"],
            table["notebook"],
            table["text"],
            {letter: tuple(table[letter]) for letter in LETTERS if letter in table},
            table["right"],
            table.get("test", False),
        )
        for table in tables
    )


def of_notebook(notebook: int) -> list[Question]:
    """Return the questions of one notebook."""
    return [question for question in questions() if question.notebook == notebook]


def of_test() -> list[Question]:
    """Return the questions of the test before and after."""
    return [question for question in questions() if question.test]


def right_at_first(notebook: int) -> tuple[int, int]:
    """Return how many questions of a notebook's quiz were right at the first try, and how many were answered."""
    kept = answers.read()["quiz"]
    first = [(kept.get(question.id, {}).get("first"), question.right) for question in of_notebook(notebook)]
    return sum(one == right for one, right in first), sum(one is not None for one, right in first)


def right_in_test(when: str) -> int | None:
    """Return how many questions of a test are right; None if it is not finished."""
    entry = answers.read()["tests"].get(when, {})
    if not entry.get("done"):
        return None
    given = entry.get("answers", {})
    return sum(given.get(question.id) == question.right for question in of_test())


def quiz(notebook: int) -> Box:
    """Show the quiz of a notebook. A click on an answer explains it; the first click counts.

    Parameters
    ----------
    notebook : int
        The number of the notebook, 1 to 6.
    """
    asked = of_notebook(notebook)
    if not asked:
        return Box([html("There is a quiz for each of the notebooks 1 to 6.")], "Quiz: there is none with this number")
    return Quiz(notebook, asked)


def test(when: str) -> Box:
    """Show the test of six questions that is done once before the notebooks and once after them.

    Parameters
    ----------
    when : str
        "before" or "after".
    """
    if when not in TESTS:
        return Box([html('Write exercises.test("before") or exercises.test("after").')], "Test: before or after?")
    return Test(when)


test.__test__ = False  # pytest must not take it for one of its own.


class Asked(ipywidgets.VBox):
    """A question with a button for each answer.

    Parameters
    ----------
    number : int
        Its place in the quiz, from 1.
    question : Question
    on_click : callable
        Called with the letter of the answer that was clicked.
    """

    def __init__(self, number: int, question: Question, on_click: Callable[[str], object]):
        self.question = question
        self.buttons = {}
        for letter, (text, _) in question.options.items():
            self.buttons[letter] = ipywidgets.Button(description=f"{letter})  {text}", tooltip="", layout={})
            self.buttons[letter].on_click(lambda button, letter=letter: on_click(letter))
        self._said = html("")
        self._said.add_class("digitlab-said")
        title = html(f"<b>{number}.</b> {escape(question.text)}")
        super().__init__([title, *self.buttons.values(), self._said])
        self.add_class("digitlab-asked")

    def mark(self, letter: str, sign: str, name: str) -> None:
        """Mark one answer with a sign and with a class for its looks."""
        button = self.buttons[letter]
        button.description = f"{sign} {letter})  {self.question.options[letter][0]}"
        button.add_class(f"digitlab-{name}")

    def unmark(self) -> None:
        """Take away all marks."""
        for letter, button in self.buttons.items():
            button.description = f"{letter})  {self.question.options[letter][0]}"
            button.remove_class("digitlab-chosen")

    def say(self, words: str, aloud: bool = False) -> None:
        """Show a sentence below the answers; a screen reader reads it `aloud`. `words` are text, never HTML."""
        self._said.value = spoken(words) if aloud else escape(words)


class Quiz(Box):
    """The questions of one notebook; see `quiz`."""

    def __init__(self, notebook: int, asked: list[Question]):
        self._notebook, self._sum = notebook, html("")
        self._asked = {
            question.id: Asked(number, question, lambda letter, question=question: self._answer(question, letter))
            for number, question in enumerate(asked, 1)
        }
        title = html(
            "<b>Quiz.</b> Click the answer that you think is right. Each one is explained, and your first click counts."
        )
        super().__init__([title, *self._asked.values(), self._sum], f"Quiz: {len(asked)} questions to click on")
        kept = answers.read()["quiz"]
        for question in asked:
            for letter in dict.fromkeys(kept.get(question.id, {}).get("clicked", "")):
                if letter in question.options:
                    self._show(question, letter)
        self._sum_up()

    def _answer(self, question, letter):
        def edit(entry):
            entry.setdefault("first", letter)
            clicked = entry.get("clicked", "")
            entry["clicked"] = clicked if letter in clicked else clicked + letter

        answers.change("quiz", question.id, edit)
        self._show(question, letter, aloud=True)
        self._sum_up()

    def _show(self, question, letter, aloud=False):
        is_right = letter == question.right
        asked = self._asked[question.id]
        asked.mark(letter, "✓" if is_right else "✗", "right" if is_right else "wrong")
        asked.say(f"{'Right.' if is_right else 'No.'} {question.options[letter][1]}", aloud)

    def _sum_up(self):
        right, answered = right_at_first(self._notebook)
        words = f"{right} of {answered} right at the first click." if answered else ""
        self._sum.value = escape(f"{words} {answers.trouble()}".strip())


class Test(Box):
    """The test before or after; see `test`."""

    __test__ = False

    def __init__(self, when: str):
        self._when, self._sum = when, html("")
        self._asked = {
            question.id: Asked(number, question, lambda letter, question=question: self._answer(question, letter))
            for number, question in enumerate(of_test(), 1)
        }
        self._done = ipywidgets.Button(description="I have finished", disabled=True)
        self._done.on_click(lambda button: self._finish())
        title = html(
            f"<b>Test {when}.</b> Choose one answer to each question. Nothing is explained until both tests are done."
        )
        words = f"Test {when}: {len(self._asked)} questions to click on"
        super().__init__([title, *self._asked.values(), self._done, self._sum], words)
        self._show()

    def _answer(self, question, letter):
        def edit(entry):
            if not entry.get("done"):
                entry.setdefault("answers", {})[question.id] = letter

        answers.change("tests", self._when, edit)
        self._show()

    def _finish(self):
        def edit(entry):
            entry["done"] = all(question.id in entry.get("answers", {}) for question in of_test())

        answers.change("tests", self._when, edit)
        self._show()

    def _show(self):
        entry = answers.read()["tests"].get(self._when, {})
        given, done = entry.get("answers", {}), entry.get("done", False)
        both = all(right_in_test(when) is not None for when in TESTS)
        for question in of_test():
            asked, letter = self._asked[question.id], given.get(question.id)
            asked.unmark()
            if letter in question.options:
                asked.mark(letter, "●", "chosen")
            if done and both and self._when == "after":
                asked.say(f"Right is {question.right}). {question.options[question.right][1]}")
            for button in asked.buttons.values():
                button.disabled = done
        self._done.disabled = done or len(given) < len(self._asked)
        self._sum.value = escape(f"{self._state(done, both, len(given))} {answers.trouble()}".strip())

    def _state(self, done, both, count):
        if not done:
            return f"{count} of {len(self._asked)} answered."
        if self._when == "after" and both:
            before, after = (right_in_test(when) for when in TESTS)
            return f"Right before: {before} of {len(self._asked)}. Right after: {after} of {len(self._asked)}."
        if self._when == "after":
            return f"Right: {right_in_test('after')} of {len(self._asked)}. There was no test before."
        return "Your answers are kept. Do the test again when the lesson is over."
