"""How long a notebook takes: the tool's formula, and that the notebooks and TEACHING.md state what it prints."""

import importlib.util
import math
import re

import nbformat
import pytest

from digitlab.paths import KIT, NOTEBOOKS

spec = importlib.util.spec_from_file_location("lesson_times", KIT / "tools" / "lesson_times.py")
lesson_times = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lesson_times)


def notebook(*cells, **lesson):
    """Return a notebook of cells: text is a string, code a tuple of the source and its tags."""
    made = nbformat.v4.new_notebook(metadata={"lesson": lesson})
    for cell in cells:
        if isinstance(cell, str):
            made.cells.append(nbformat.v4.new_markdown_cell(cell))
        else:
            made.cells.append(nbformat.v4.new_code_cell(cell[0], metadata={"tags": list(cell[1:])}))
    return made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two words.", 2),
        ("A [link to a page](page.md) has its words.", 8),
        ("![a picture of a pad](pad.png) *One.*", 1),
        ("Seen\n\n<details><summary>Solution</summary>\n\nnot seen\n\n</details>\n\nseen", 2),
        ("Seen\n\n```python\nnot = seen\n```\n", 1),
        ("| a | b |\n| --- | --- |\n| c | d |", 4),
        ("28 x 28 = 784, – and `x_train`", 6),
    ],
)
def test_words_that_are_read_are_counted(text, words):
    assert lesson_times.count_words(text) == words


def test_lines_of_boxes_are_no_code_to_read():
    part = lesson_times.read_code(
        'exercises.guess(\n    "1.a",\n    "How many?",\n)\nx = 3\n\nexercises.compare("1.a", x)\nprint(x)'
    )
    assert (part.guesses, part.lines) == (1, 2)


def test_a_quiz_takes_time_for_each_of_its_questions():
    assert lesson_times.read_code("exercises.quiz(2)").questions == 6


def test_the_formula_adds_all_that_there_is_to_do():
    part = lesson_times.Part(words=150, guesses=2, lines=20, questions=2, exercises=1, seconds=59)
    assert part.minutes == math.ceil((60 + 60 + 60 + 60 + 180 + 59) / 60)


WHOLE = (
    "# 1. Title\n\nfour words are here",
    "## Step 1: Core · core\n\none",
    ("x = 1\nx", "seconds-100"),
    "two words\n\n**Exercise: do it.** Try",
    ("exercises.check_it(x)", "exercise"),
    "<details>\n\nx\n\n</details>\n\nback to core",
    "## Step 2: Extra · extra\n\nextra words",
    "**Exercise: more.**",
    ("exercises.check_more(x)", "exercise"),
    "*Reading* this without",
    "## Quiz · extra",
    ("exercises.quiz(1)",),
)


def test_the_core_has_no_exercise_and_no_extra_section():
    core = lesson_times.measure(notebook(*WHOLE)).core
    assert (core.words, core.lines, core.exercises, core.seconds, core.questions) == (16, 2, 0, 100, 0)


def test_alone_has_the_exercises_of_the_core_and_the_named_steps():
    alone = lesson_times.measure(notebook(*WHOLE)).alone
    assert (alone.exercises, alone.lines, alone.questions) == (1, 3, 0)
    alone = lesson_times.measure(notebook(*WHOLE, alone=["Step 2", "Quiz"], without=["check_more"])).alone
    assert (alone.exercises, alone.lines, alone.questions) == (1, 3, 5)
    assert lesson_times.measure(notebook(*WHOLE, alone=["Step 2"])).alone.exercises == 2


def test_everything_has_everything():
    everything = lesson_times.measure(notebook(*WHOLE)).everything
    assert (everything.exercises, everything.lines, everything.questions) == (2, 4, 5)


def test_a_still_picture_is_not_counted():
    made = notebook("# 1. Title")
    made.cells.append(nbformat.v4.new_markdown_cell("many words", metadata={"tags": ["still-picture"]}))
    assert lesson_times.measure(made).core.words == 2


def test_the_table_has_a_row_for_each_notebook(capsys):
    lesson_times.main()
    printed = capsys.readouterr().out
    assert [line[0] for line in printed.splitlines()[1:7]] == list("123456")
    assert printed.splitlines()[7].startswith("sum")


LESSONS = lesson_times.measure_all()
MAX_CORE_WORDS, MAX_CORE_GUESSES, MAX_CORE_MINUTES = 6000, 30, 90


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_a_notebook_states_its_times(lesson):
    path = next(NOTEBOOKS.glob(f"0{lesson.title[0]}_*.ipynb"))
    first = nbformat.read(path, as_version=4).cells[0].source
    stated = re.search(
        r"\*\*Time:\*\*.*?core about (\d+) minutes.*?alone.*?about (\d+).*?everything.*?about (\d+)", first, re.DOTALL
    )
    assert stated, first
    assert list(map(int, stated.groups())) == [part.minutes for part in (lesson.core, lesson.alone, lesson.everything)]


def test_the_core_of_all_notebooks_fits_into_90_minutes():
    assert sum(lesson.core.words for lesson in LESSONS) <= MAX_CORE_WORDS
    assert sum(lesson.core.guesses for lesson in LESSONS) <= MAX_CORE_GUESSES
    assert sum(lesson.core.minutes for lesson in LESSONS) <= MAX_CORE_MINUTES


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_teaching_states_the_same_times(lesson):
    text = (NOTEBOOKS / "TEACHING.md").read_text("utf-8")
    row = re.search(rf"^\| \[{re.escape(lesson.title)}\]\([^)]*\) \| (\d+) \| (\d+)\b.*$", text, re.MULTILINE)
    assert row, lesson.title
    assert list(map(int, row.groups())) == [lesson.core.minutes, lesson.alone.minutes]
    assert f"| {lesson.everything.minutes}" in row[0][row.end(2) - row.start() :]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_a_notebook_alone_takes_20_to_35_minutes(lesson):
    assert 20 <= lesson.alone.minutes <= 35
