"""The exercises in the notebooks: a starter runs and gets no hint, sections are marked.

That the solutions are right is tested where the notebooks run: in test_notebooks.py.
"""

import re
import subprocess
import sys

import nbformat
import pytest
from helpers import find_starters, read_solution

from digitlab import exercises
from digitlab.exercises.checking import hints
from digitlab.paths import NOTEBOOKS

NAMES = sorted(path.name for path in NOTEBOOKS.glob("0*.ipynb"))
CHECKS = {name: check for name, check in vars(exercises).items() if name.startswith("check_")}


def read_notebook(name):
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def stdout_of(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return read_notebook(name)


def test_a_notebook_has_two_to_four_exercises(notebook, name):
    count = len(find_starters(notebook))
    assert 2 <= count <= 4, f"{name} has {count} cells with the tag 'exercise'"


def test_an_exercise_is_a_task_a_starter_and_a_folded_solution(notebook):
    for starter in find_starters(notebook):
        assert "**Exercise: " in notebook.cells[starter - 1].source
        assert notebook.cells[starter].cell_type == "code"
        assert re.search(r"^(?:exercises\.)?check_\w+\(.+\)$", notebook.cells[starter].source.splitlines()[-1])
        assert read_solution(notebook, starter) != notebook.cells[starter].source


def test_a_starter_runs_as_it_stands_and_gets_no_hint(notebook):
    for starter in find_starters(notebook):
        assert "Not yet." in stdout_of(notebook.cells[starter]).splitlines(), notebook.cells[starter].source
        assert [output for output in notebook.cells[starter].outputs if output.output_type == "error"] == []


def test_every_check_belongs_to_one_exercise():
    used = [
        re.search(r"(check_\w+)\(", notebook.cells[starter].source)[1]
        for notebook in map(read_notebook, NAMES)
        for starter in find_starters(notebook)
    ]
    assert sorted(used) == sorted(CHECKS)


def test_an_exercise_has_the_same_title_in_the_report(notebook):
    for starter in find_starters(notebook):
        title = re.search(r"\*\*Exercise: (.+?)\*\*", notebook.cells[starter - 1].source)[1]
        name = re.search(r"check_(\w+)", notebook.cells[starter].source)[1]
        assert hints()[name]["title"].rstrip("?").casefold() == title.rstrip(".?").casefold()


def test_every_section_is_marked_as_core_or_extra(notebook):
    headings = re.findall(r"^## .+", "\n".join(cell.source for cell in notebook.cells), re.MULTILINE)
    assert headings
    assert [heading for heading in headings if not heading.endswith((" · core", " · extra"))] == []


def test_core_sections_use_no_name_from_extra_sections(notebook):
    code, extra = [], False
    for cell in notebook.cells:
        for heading in re.findall(r"^## .+", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []:
            extra = heading.endswith("extra")
        if cell.cell_type == "code" and not extra:
            code.append(cell.source)
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "-"]
    done = subprocess.run(ruff, input="\n".join(code), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
