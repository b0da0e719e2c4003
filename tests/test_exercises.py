"""The exercises of the notebooks: starters get a hint, solutions are right, checks accept any kind of answer."""

import inspect
import math
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from digitlab import Ink, exercises
from digitlab.paths import NOTEBOOKS

NAMES = sorted(path.name for path in NOTEBOOKS.glob("0*.ipynb"))
CHECKS = {name: check for name, check in vars(exercises).items() if name.startswith("check_")}


def read_notebook(name):
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def read_printed_text(capsys):
    """Return what was printed since the last call, as one line."""
    return " ".join(capsys.readouterr().out.split())


def find_starters(notebook):
    """Return the indices of the cells that a reader has to change."""
    return [number for number, cell in enumerate(notebook.cells) if "exercise" in cell.metadata.get("tags", [])]


def read_solution(notebook, starter):
    """Return the code of the folded solution below a starter cell."""
    below = notebook.cells[starter + 1]
    assert below.cell_type == "markdown", starter
    match = re.fullmatch(
        r"<details><summary>Solution</summary>\n\n```python\n(.+?)\n```\n\n(?:[^`]*\n\n)?</details>\s*",
        below.source,
        re.DOTALL,
    )
    assert match, below.source
    return match[1]


def stdout_of(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def raise_error(*arguments):
    raise ZeroDivisionError("division by\nzero")


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


def test_a_starter_runs_as_it_stands_and_gets_a_hint(notebook):
    for starter in find_starters(notebook):
        lines = stdout_of(notebook.cells[starter]).splitlines()
        assert any(line.startswith("Not yet. ") for line in lines), notebook.cells[starter].source
        assert [output for output in notebook.cells[starter].outputs if output.output_type == "error"] == []


def test_every_solution_passes_its_check(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path))
    numbers = find_starters(notebook)
    assert numbers
    for starter in numbers:
        notebook.cells[starter].source = read_solution(notebook, starter)
    del notebook.cells[numbers[-1] + 1 :]
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    for starter in numbers:
        assert "Right. " in stdout_of(notebook.cells[starter]), stdout_of(notebook.cells[starter])


def test_every_check_belongs_to_one_exercise():
    used = [
        re.search(r"(check_\w+)\(", notebook.cells[starter].source)[1]
        for notebook in map(read_notebook, NAMES)
        for starter in find_starters(notebook)
    ]
    assert sorted(used) == sorted(CHECKS)


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


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "answer",
    [None, "x", 3.7, [], np.zeros((2, 2)), raise_error, math.nan, True, {}, object(), len],
    ids=["None", "text", "number", "empty list", "zeros", "raises", "nan", "True", "dict", "object", "len"],
)
def test_a_check_accepts_any_kind_of_answer(check, answer, capsys):
    parameters = inspect.signature(CHECKS[check]).parameters.values()
    needed = sum(parameter.default is parameter.empty for parameter in parameters)
    assert CHECKS[check](*[answer] * needed) is None
    said = capsys.readouterr().out
    assert said.startswith("Not yet. ")
    assert said.count("Not yet.") == 1
    lines = said.splitlines()
    assert len(lines) <= 4
    assert max(map(len, lines)) <= 90


def test_a_check_reports_an_error_in_the_readers_function(capsys):
    exercises.check_mean_loss(raise_error)
    assert "ZeroDivisionError: division by zero" in read_printed_text(capsys)


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        ("check_black_share", 80.88, "per cent"),
        ("check_black_share", 38_045_844, "count"),
        ("check_black_share", 0.1912, "NOT 0"),
        ("check_closest_means", (7, 9), "1 differs less"),
        ("check_closest_means", (4, 4), "two different digits"),
        ("check_accuracy_of_each", [0.8203] * 10, "for the digit 0"),
        ("check_slope_filter", np.eye(3)[::-1], "an even white patch"),
        ("check_slope_filter", np.eye(3) - 1, "a positive answer"),
        (
            "check_weights_of_convolution",
            lambda filters, side, pictures: filters * (side * side + 1),
            "all 16 pictures",
        ),
        ("check_weights_of_convolution", lambda filters, side, pictures: filters * side * side * pictures, "bias"),
        ("check_mean_loss", lambda given: sum(1 - one for one in given) / len(given), "missing to 1"),
        ("check_mean_loss", lambda given: -math.log(sum(given) / len(given)), "the loss of the mean"),
        ("check_mean_loss", lambda given: sum(map(math.log, given)) / len(given), "minus"),
        ("check_when_to_stop", lambda losses: losses.index(min(losses)), "counts from 0"),
        ("check_when_to_stop", min, "smallest loss itself"),
    ],
)
def test_a_hint_repeats_the_answer_and_names_the_slip(check, answer, words, capsys):
    CHECKS[check](answer)
    said = read_printed_text(capsys)
    assert said.startswith("Not yet. ")
    assert re.search("your answer|your filter answers|makes it answer", said)
    assert words in said


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        ("check_black_share", np.float32(0.8088)),
        ("check_closest_means", [9, 4]),
        ("check_closest_means", np.array([4, 9], np.uint8)),
        ("check_slope_filter", [[-2, -1, 2], [-1, 3, -1], [2, -1, -2]]),
        ("check_when_to_stop", lambda losses: np.argmin(losses) + 1),
    ],
)
def test_a_check_accepts_every_form_of_a_right_answer(check, answer, capsys):
    CHECKS[check](answer)
    assert read_printed_text(capsys).startswith("Right. ")


LOSSES = np.zeros((23, 23))
LOSSES[10, 4], LOSSES[11, 4] = 0.9, 0.898


@pytest.mark.parametrize(
    ("square", "words"),
    [
        ((10, 4), "Right. "),
        (np.unravel_index(LOSSES.argmax(), LOSSES.shape), "Right. "),
        ([11, 4], "Right. "),
        ((0, 0), "np.unravel_index"),
        ((4, 10), "exchange the two"),
        ((10, 23), "from 0 to 22"),
        (LOSSES.argmax(), "a row and a column"),
    ],
)
def test_check_most_lost_accepts_an_equal_square_and_gives_hints(square, words, capsys):
    exercises.check_most_lost(square, LOSSES)
    assert words in read_printed_text(capsys)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda fitted, stretched: fitted - stretched, "Right. The 9 gains most"),
        (lambda fitted, stretched: fitted, "with fitting; what had been"),
        (lambda fitted, stretched: stretched, "with stretching; how much"),
        (lambda fitted, stretched: stretched - fitted, "other way round"),
        (lambda fitted, stretched: 100 * (fitted - stretched), "Leave out the 100"),
    ],
)
def test_check_gains_asks_for_differences_of_shares(answer, words, capsys):
    class ReadsTheBrightest:
        def probabilities(self, x):
            return x.reshape(len(x), -1)[:, :10]

    labels = np.arange(10)
    right = np.zeros((10, 28, 28), np.uint8)
    right[labels, 0, labels] = 255
    wrong = right.copy()
    wrong[9, 0, [9, 3]] = 0, 255
    ways = {"shrunk": wrong, "stretched": wrong, "fitted": right, "centred": right}
    exercises.check_gains(answer(np.ones(10), (labels != 9).astype(float)), ReadsTheBrightest(), labels, ways)
    assert words in read_printed_text(capsys)


def test_check_no_digit_refuses_the_letter_of_step_1(capsys):
    letter = [np.array([(80, 230), (140, 50), (200, 230)]), np.array([(105, 165), (175, 165)])]
    exercises.check_no_digit(Ink(letter))
    exercises.check_no_digit(Ink([stroke / 2 for stroke in letter]))
    assert read_printed_text(capsys).count("of your own") == 2
