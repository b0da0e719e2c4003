"""The notebooks: they run in a fresh kernel, their solutions are right, and a code host can show their outputs."""

import inspect
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from helpers import find_starters, read_solution
from nbformat.v4 import new_code_cell

from digitlab.paths import KIT, NOTEBOOKS

NAMES = [
    "01_meet_the_digits.ipynb",
    "02_build_a_network.ipynb",
    "03_train_it.ipynb",
    "04_study_its_mistakes.ipynb",
    "05_prepare_a_drawing.ipynb",
    "06_draw.ipynb",
]
GLOSSARY = NOTEBOOKS / "GLOSSARY.md"
EVERYDAY_WORDS = {"ink"}
"""Words of the glossary that are first used as everybody uses them."""
MAX_CELL_LINES = 20
"""Maximum length of one code cell, in lines."""


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def test_there_are_exactly_the_six_known_notebooks():
    assert sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")) == NAMES


def solve(code):
    """Run a solution in a notebook's kernel. It leaves no name, and what it solved is forgotten."""
    import contextlib
    import io

    from digitlab.exercises import answers

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, dict(globals()))
    assert "Right. " in printed.getvalue(), printed.getvalue()
    for name in answers.read()["exercises"]:
        answers.change("exercises", name, dict.clear)


def insert_solutions(path):
    """Insert a cell before each exercise that runs its solution: only what stands above may be used in it."""
    notebook = nbformat.read(path, as_version=4)
    starters = find_starters(notebook)
    assert starters
    for starter in reversed(starters):
        call = f"solve({read_solution(notebook, starter)!r})"
        notebook.cells.insert(starter, new_code_cell(f"{inspect.getsource(solve)}\n\n{call}"))
    nbformat.write(notebook, path)


def run_and_compare(name, folder, **environment):
    """Run a copy of the notebook, with the solutions; nbval compares each output that no tag excludes."""
    shutil.copytree(NOTEBOOKS, folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    insert_solutions(folder / "notebooks" / name)
    nowhere = "http://127.0.0.1:9"  # No proxy answers there: every download fails.
    # A notebook's cells are no tests to be shuffled.
    options = ["--nbval", "--nbval-cell-timeout=240", "-q", *("-p", "no:cacheprovider"), *("-p", "no:randomly")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, name],
        cwd=folder / "notebooks",
        env={**os.environ, "DIGITLAB_HOME": str(folder), "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE), done.stdout[-2000:]


def test_it_runs_offline_its_outputs_and_its_solutions_are_right(name, tmp_path):
    run_and_compare(name, tmp_path)


def test_notebook_3_gives_the_stored_outputs_on_a_shared_server(tmp_path):
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
    run_and_compare("03_train_it.ipynb", tmp_path, DIGITLAB_SHARED_SERVER="1", **one_thread)


def test_every_code_cell_was_executed_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_line_of_code_or_output_is_longer_than_100_characters(notebook):
    for cell in code_cells(notebook):
        printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
        assert [line for line in (cell.source + "\n" + printed).splitlines() if len(line) > 100] == []


def test_at_least_three_outputs_are_compared(notebook):
    compared = [
        cell
        for cell in code_cells(notebook)
        if "nbval-ignore-output" not in cell.metadata.get("tags", [])
        and any(output.output_type == "stream" for output in cell.outputs)
    ]
    assert len(compared) >= 3


def test_no_output_holds_a_traceback_or_a_warning(notebook):
    assert [output for output in outputs(notebook) if output.output_type == "error"] == []
    assert [output.text for output in outputs(notebook) if output.get("name") == "stderr"] == []


def test_no_output_holds_a_path_of_the_machine_it_ran_on(notebook):
    texts = [output.get("text", "") + str(output.get("data", {}).get("text/plain", "")) for output in outputs(notebook)]
    assert [text for text in texts if re.search(r"(?<![\w.])(/[a-z]\w*/\w|[A-Z]:\\)", text)] == []


def test_no_output_holds_a_widget(notebook):
    assert "widgets" not in notebook.metadata
    assert [
        output for output in outputs(notebook) if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ] == []


def test_every_stored_figure_has_an_alternative_text(notebook):
    """Without it nbconvert says "No description has been provided"."""
    kinds = ("image/png", "image/jpeg", "image/svg+xml")
    alt_texts = [
        output.metadata.get(kind, {}).get("alt", output.metadata.get("alt", ""))
        for output in outputs(notebook)
        for kind in kinds
        if kind in output.get("data", {})
    ]
    assert [alt for alt in alt_texts if not alt.strip() or "no description" in alt.lower()] == []


def test_it_opens_without_asking_for_a_kernel(notebook):
    assert notebook.metadata.kernelspec.name == "python3"


def test_cells_are_short(notebook):
    lengths = sorted(len(cell.source.strip().splitlines()) for cell in code_cells(notebook))
    assert lengths[-1] <= MAX_CELL_LINES
    assert lengths[len(lengths) // 2] <= 6


def test_it_has_the_parts_of_a_lesson(notebook, name):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert text.startswith(f"# {int(name[:2])}. ")
    for part in ("minutes", "What you saw", "Your turn", "Predict"):
        assert part.lower() in text.lower(), part


def test_its_images_have_alternative_texts_and_its_links_exist(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for mark, label, target in re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", text):
        if mark:
            assert len(label) > 20, target
        if not re.match(r"https?://|#|attachment:", target):
            assert (NOTEBOOKS / target.split("#")[0]).exists(), target


def markdown(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def glossary_entries():
    """Return the number of the notebook that explains each word, by the word's anchor."""
    entries = re.findall(r"^### (.+?)\n\n(.+?)\s\((\d)\)$", GLOSSARY.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return {word.replace(" ", "-"): int(number) for word, _, number in entries}


def test_glossary_headings_are_lower_case_and_in_order():
    """JupyterLab's anchors keep upper case, a code host's do not."""
    headings = re.findall(r"^### (.+)$", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    assert headings == sorted(set(headings)) == [heading.lower() for heading in headings]
    assert [heading.replace(" ", "-") for heading in headings] == list(glossary_entries())


def test_links_within_the_glossary_hit_an_entry():
    anchors = set(re.findall(r"\]\(#([^)]+)\)", GLOSSARY.read_text("utf-8")))
    assert anchors == set(glossary_entries())


def test_links_to_the_glossary_hit_an_entry(notebook):
    anchors = set(re.findall(r"\]\(GLOSSARY\.md#([^)]+)\)", markdown(notebook)))
    assert anchors <= set(glossary_entries())


def blank(pattern, text):
    """Replace what matches by spaces, so that all else stays where it is."""
    return re.sub(pattern, lambda match: " " * len(match[0]), text, flags=re.MULTILINE | re.DOTALL)


def test_each_word_is_linked_to_the_glossary_where_it_is_first_used(notebook, name):
    """In the first cell, which says what will be learnt, a word need not be linked; nor with a still picture."""
    cells = [cell for cell in notebook.cells if "still-picture" not in cell.metadata.get("tags", [])]
    texts = [blank(r"^#[^\n]*$|```.*?```|`[^`]*`", cell.source) for cell in cells if cell.cell_type == "markdown"]
    text, goals = "\n\n".join(texts), len(texts[0])
    explained = [anchor for anchor, number in glossary_entries().items() if number == int(name[:2])]
    missing = []
    for anchor in explained:
        word = re.escape(anchor.replace("-", " "))
        read = re.compile(rf"\b{word}(?:s|es)?\b", re.IGNORECASE)
        link = re.search(rf"\[[^]\[]*\]\(GLOSSARY\.md#{anchor}\)", text)
        first = read.search(blank(r"\]\([^)]*\)", text), goals)
        if not link or (first and first.start() < link.start() and anchor not in EVERYDAY_WORDS):
            missing.append(anchor)
    assert missing == []


def test_links_within_a_notebook_hit_a_heading(notebook):
    text = markdown(notebook)
    headings = {heading.replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_a_still_picture_is_alone_in_a_cell_with_a_tag(notebook):
    """Working copies leave such cells out: there the reader has the live pad."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "](pictures/" in cell.source:
            assert "still-picture" in cell.metadata.get("tags", []), cell.id
            assert cell.source.startswith("*Reading this without running it?")
            assert cell.source.count("\n\n") == 1


def test_every_picture_is_shown_in_a_notebook_or_in_the_readme():
    pages = [*NOTEBOOKS.glob("*.ipynb"), KIT / "README.md"]
    shown = "\n".join(path.read_text("utf-8") for path in pages)
    pictures = {path.name for path in (NOTEBOOKS / "pictures").glob("*.png")}
    assert {"pad.png", "inside.png"} <= pictures
    assert [name for name in sorted(pictures) if f"pictures/{name})" not in shown] == []


def test_a_picture_is_small_enough_for_a_slow_network():
    sizes = {path.name: path.stat().st_size for path in (NOTEBOOKS / "pictures").glob("*.png")}
    assert max(sizes.values()) < 250_000, sizes
