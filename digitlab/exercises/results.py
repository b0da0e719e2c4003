"""What the reader has done: `progress` shows it in the notebook, `report` writes it on a page to hand in."""

import re
from datetime import date
from html import escape
from pathlib import Path

from IPython.display import display

from digitlab import files, paths
from digitlab.exercises import (
    answers,
    notebook_1,
    notebook_2,
    notebook_3,
    notebook_4,
    notebook_5,
    notebook_6,
    questions,
)
from digitlab.exercises.boxes import Note, Table
from digitlab.exercises.checking import hints
from digitlab.ink import Ink, read_drawings

NOTEBOOKS = {
    1: ("Meet the digits", notebook_1),
    2: ("Build a network", notebook_2),
    3: ("Train it", notebook_3),
    4: ("Study its mistakes", notebook_4),
    5: ("Prepare a drawing", notebook_5),
    6: ("Draw", notebook_6),
}
"""The titles of the notebooks, and the modules with their checks."""

MAX_DRAWINGS = 60
"""Maximum number of the reader's drawings on the page: the last ones."""


def exercises_of(notebook: int) -> list[str]:
    """Return the names of the exercises of a notebook, 1 to 6."""
    module = NOTEBOOKS[notebook][1]
    checks = [one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__]
    names = [check.__name__.removeprefix("check_") for check in checks if check.__name__.startswith("check_")]
    return [name for name in names if name in hints()]


def progress() -> Table:
    """Show, for each notebook, which exercises are solved, how many guesses were made, and how the quiz went."""
    kept = answers.read()
    rows = []
    for number, (title, _) in NOTEBOOKS.items():
        names = exercises_of(number)
        solved = [name for name in names if kept["exercises"].get(name, {}).get("solved")]
        guesses = [name for name, entry in kept["guesses"].items() if entry.get("guess") and _belongs(name, number)]
        right, answered = questions.right_at_first(number)
        rows.append(
            [
                f"{number}. {title}",
                f"{len(solved)} of {len(names)}",
                str(len(guesses)),
                f"{right} of {answered}" if answered else "-",
            ]
        )
    return Table(["notebook", "exercises solved", "guesses", "quiz, right at the first click"], rows)


def report(name: str = "") -> None:
    """Write one page to hand in, ``my_report.html``, and show where it is, with a link to download it.

    On it stand the tests, the exercises with the number of attempts, the guesses beside what came, the answers to the
    quiz, and the reader's drawings. No name stands on it unless one is given.

    Parameters
    ----------
    name : str, optional
        A name for the page.
    """
    page = report_html(name).encode("utf-8", "replace")
    try:
        files.atomic_write(paths.MY_REPORT, page)
    except OSError as error:
        words = f"The page could not be written to {paths.shown(paths.MY_REPORT)}: {error.strerror}."
        display(Note(words))
        return
    words = f"Written: {paths.MY_REPORT.name}, {'with the name ' + str(name) if name else 'without a name'}."
    display(Note(words, ("Download the page", "my_report.html", "text/html", page)))


def report_html(name: str = "") -> str:
    """Return the page of `report` as HTML."""
    kept = answers.read()
    title = f"What I did: {name}" if str(name).strip() else "What I did"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Six notebooks on reading digits. Written on {date.today():%Y-%m-%d}.</p>",
        *_tests(kept),
        "<h2>Exercises</h2>",
        _table(["notebook", "exercise", "solved", "wrong answers before"], _exercise_rows(kept)),
        "<h2>Guesses</h2>",
        _table(["notebook", "question", "my guess", "what came"], _guess_rows(kept)),
        "<h2>Quiz</h2>",
        _table(["notebook", "question", "my first answer", "right?"], _quiz_rows(kept)),
        "<h2>Drawings</h2>",
        *_drawings(kept),
    ]
    style = Path(__file__).with_name("report.css").read_text("utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head><body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _belongs(guess, notebook):
    found = re.match(r"\d+", guess)
    return bool(found) and int(found[0]) == notebook


def _tests(kept):
    results = {when: questions.right_in_test(when) for when in questions.TESTS}
    if all(result is None for result in results.values()):
        return []
    asked = questions.of_test()
    words = [
        f"{when}: {'not done' if result is None else f'{result} of {len(asked)} right'}"
        for when, result in results.items()
    ]
    rows = []
    for question in asked:
        given = [kept["tests"].get(when, {}).get("answers", {}).get(question.id, "-") for when in questions.TESTS]
        rows.append([question.text, *given, question.right])
    return [
        "<h2>Test before and after</h2>",
        f"<p><b>{' · '.join(words)}</b></p>",
        _table(["question", "before", "after", "right is"], rows),
    ]


def _exercise_rows(kept):
    rows = []
    for number in NOTEBOOKS:
        for name in exercises_of(number):
            entry = kept["exercises"].get(name, {})
            solved = "yes" if entry.get("solved") else "not yet" if entry else "not tried"
            rows.append([str(number), hints()[name]["title"], solved, str(entry.get("attempts", 0))])
    return rows


def _guess_rows(kept):
    rows = []
    for name, entry in sorted(kept["guesses"].items()):
        if entry.get("guess"):
            late = " (written after the answer was shown)" if entry.get("late") else ""
            rows.append(
                [name.partition(".")[0], entry.get("question", ""), f"{entry['guess']}{late}", entry.get("truth", "")]
            )
    return rows


def _quiz_rows(kept):
    rows = []
    for question in questions.questions():
        first = kept["quiz"].get(question.id, {}).get("first")
        if first in question.options:
            answer = f"{first}) {question.options[first][0]}"
            rows.append([str(question.notebook), question.text, answer, "yes" if first == question.right else "no"])
    return rows


def _table(heads, rows):
    """Return an HTML table; all cells are text, never HTML."""
    if not rows:
        return "<p>Nothing yet.</p>"
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _drawings(kept):
    """Return the drawings that solved an exercise, and the last ones that were added on a pad."""
    figures = []
    for name in exercises_of(6):
        drawing = kept["exercises"].get(name, {}).get("drawing")
        try:
            figures.append(_figure(Ink(drawing["strokes"], tuple(drawing["size"])), hints()[name]["title"]))
        except (TypeError, KeyError, ValueError):
            continue  # None was kept, or the file was changed by hand.
    try:
        added = read_drawings(paths.MY_DRAWINGS, on_bad_line=lambda number, what: None)
    except (OSError, ValueError):
        added = []
    figures += [_figure(drawing.ink, f"meant as {drawing.label}") for drawing in added[-MAX_DRAWINGS:]]
    more = f"<p>The last {MAX_DRAWINGS} of {len(added)} drawings.</p>" if len(added) > MAX_DRAWINGS else ""
    return [more, f'<div class="drawings">{"".join(figures)}</div>'] if figures else ["<p>Nothing yet.</p>"]


def _figure(ink, words):
    """Return a drawing as SVG, with words below it."""
    lines = "".join(
        f'<polyline points="{" ".join(f"{x:.0f},{y:.0f}" for x, y in stroke)}"/>'
        if len(stroke) > 1
        else f'<circle cx="{stroke[0][0]:.0f}" cy="{stroke[0][1]:.0f}" r="6"/>'
        for stroke in ink.strokes
    )
    width, height = ink.size
    label = f'role="img" aria-label="a drawing, {escape(words)}"'
    return (
        f'<figure><svg viewBox="0 0 {width:g} {height:g}" {label}>{lines}</svg>'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )
