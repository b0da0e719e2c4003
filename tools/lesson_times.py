"""Print how long each notebook takes to work through: uv run python tools/lesson_times.py.

One formula counts: the words of the text at 150 a minute, 30 seconds for each guess(...), 3 seconds for each line of
code, 3 minutes for each exercise, 30 seconds for each question of a quiz, and the seconds of a cell's tag `seconds-90`,
for drawing and for waiting.

- core: all but the sections whose headings end with "· extra", without the exercises; the route of a 90-minute class.
- alone: the core, its exercises, and the extra steps in the notebook's metadata, {"lesson": {"alone": ["Step 5"]}}.
  Under "without" stand the checks of exercises that are left out: {"lesson": {"without": ["check_step"]}}.
- all: everything.

Not counted: folded solutions, code blocks, addresses of links, and cells with the tag `still-picture`. What the numbers
do not tell: a talk in class, and how fast somebody reads in a second language (for 100 words a minute, half as much
again).
"""

import ast
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from digitlab.exercises import questions

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"

WORDS_PER_MINUTE = 150
SECONDS_PER_GUESS = 30
SECONDS_PER_LINE = 3
SECONDS_PER_EXERCISE = 180
SECONDS_PER_QUESTION = 30

_NOT_READ = {"guess", "compare", "quiz", "test", "progress", "report"}
"""Functions of digitlab.exercises whose lines are not read: a box stands below them."""


@dataclass
class Part:
    """What there is to do in a part of a notebook."""

    words: int = 0
    guesses: int = 0
    lines: int = 0
    questions: int = 0
    exercises: int = 0
    seconds: int = 0

    def __add__(self, other: "Part") -> "Part":
        return Part(*(one + another for one, another in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def minutes(self) -> int:
        """How long it takes, in minutes, rounded up."""
        seconds = (
            60 * self.words / WORDS_PER_MINUTE
            + SECONDS_PER_GUESS * self.guesses
            + SECONDS_PER_LINE * self.lines
            + SECONDS_PER_QUESTION * self.questions
            + SECONDS_PER_EXERCISE * self.exercises
            + self.seconds
        )
        return math.ceil(seconds / 60)


@dataclass
class Section:
    """A section of a notebook: its heading, and what is in it; the exercises by the names of their checks."""

    heading: str
    part: Part = field(default_factory=Part)
    exercises: dict[str, Part] = field(default_factory=dict)

    @property
    def is_core(self) -> bool:
        """Whether it belongs to the route of a 90-minute class."""
        return not self.heading.endswith("extra")


@dataclass
class Lesson:
    """What a notebook takes: its title, and three routes through it."""

    title: str
    core: Part
    alone: Part
    everything: Part


def count_words(markdown: str) -> int:
    """Return how many words of a text are read: without folded parts, code blocks, pictures and addresses."""
    text = re.sub(r"<details>.*?</details>|```.*?```|!\[[^\]]*\]\([^)]*\)", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def read_code(source: str) -> Part:
    """Return what a code cell asks of its reader."""
    part = Part(lines=sum(bool(line.strip()) for line in source.splitlines()))
    try:
        tree = ast.parse(source)
    except SyntaxError:  # A command for IPython, such as %timeit.
        return part
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _NOT_READ):
            continue
        if getattr(node.func.value, "id", "") != "exercises":
            continue
        part.lines -= node.end_lineno - node.lineno + 1
        part.guesses += node.func.attr == "guess"
        if node.func.attr == "quiz":
            part.questions += len(questions.of_notebook(ast.literal_eval(node.args[0])))
    return part


def sections_of(notebook: dict) -> list[Section]:
    """Split a notebook into its sections; what stands before the first heading is the first one."""
    sections, exercise = [Section("")], None
    for cell in notebook["cells"]:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if "still-picture" in tags:
            continue
        if cell["cell_type"] == "code":
            part = read_code(source)
            part.seconds = sum(int(tag.removeprefix("seconds-")) for tag in tags if re.fullmatch(r"seconds-\d+", tag))
            if "exercise" in tags:
                name = re.search(r"check_\w+", source)[0]
                sections[-1].exercises[name] = part + Part(words=exercise or 0, exercises=1)
                exercise = None
            else:
                sections[-1].part += part
            continue
        for piece in re.split(r"^(?=## )", source, flags=re.MULTILINE):
            if piece.startswith("## "):
                sections.append(Section(piece.splitlines()[0].removeprefix("## ").strip()))
            text, mark, task = piece.partition("**Exercise: ")
            sections[-1].part += Part(words=count_words(text))
            if mark:
                exercise = count_words(task) + 1
    return sections


def measure(notebook: dict) -> Lesson:
    """Return what the three routes through a notebook take."""
    settings = notebook["metadata"].get("lesson", {})
    core, alone, everything = Part(), Part(), Part()
    for section in sections_of(notebook):
        exercises = sum(section.exercises.values(), Part())
        everything += section.part + exercises
        if section.is_core:
            core += section.part
        if section.is_core or re.split(r":| · ", section.heading)[0] in settings.get("alone", []):
            chosen = [part for name, part in section.exercises.items() if name not in settings.get("without", [])]
            alone += section.part + sum(chosen, Part())
    title = "".join(notebook["cells"][0]["source"]).splitlines()[0].removeprefix("# ")
    return Lesson(title, core, alone, everything)


def measure_all() -> list[Lesson]:
    """Return what each notebook of the kit takes."""
    return [measure(json.loads(path.read_text("utf-8"))) for path in sorted(NOTEBOOKS.glob("0*.ipynb"))]


def main() -> None:
    """Print the table."""
    lessons = measure_all()
    rows = [["notebook", "core words", "guesses", "lines", "core", "alone", "all"]]
    for lesson in lessons:
        core = lesson.core
        minutes = [part.minutes for part in (core, lesson.alone, lesson.everything)]
        rows.append([lesson.title, core.words, core.guesses, core.lines, *minutes])
    rows.append(["sum", *(sum(row[column] for row in rows[1:]) for column in range(1, 7))])
    for row in rows:
        print(f"{row[0]:<24}" + "".join(f"{cell:>12,}" if isinstance(cell, int) else f"{cell:>12}" for cell in row[1:]))
    print("\nwords, guesses and lines: of the core; core, alone, all: minutes, rounded up")


if __name__ == "__main__":
    main()
