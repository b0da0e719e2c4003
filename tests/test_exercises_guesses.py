"""Guesses and the file of answers: kept for all notebooks, shown beside the truth, never lost, never in the way."""

import importlib.util
import json
import multiprocessing
import os
import stat
import subprocess
import sys

import ipywidgets
import nbformat
import pytest

from digitlab import exercises, paths
from digitlab.exercises import answers
from digitlab.exercises.guesses import is_same

WIDGET = "application/vnd.jupyter.widget-view+json"
spec = importlib.util.spec_from_file_location("store_outputs", paths.KIT / "tools" / "store_outputs.py")
store_outputs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(store_outputs)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "MY_ANSWERS", tmp_path / "my_answers.json")
    monkeypatch.setattr(answers, "_unsaved", None)
    monkeypatch.setattr(answers, "_message", "")
    return tmp_path


def field_of(box):
    """Return the widget of a guess that the reader writes into, or chooses with."""
    kinds = (ipywidgets.Text, ipywidgets.ToggleButtons)
    return next(widget for widget in box.children[-1].children if isinstance(widget, kinds))


def status_of(box):
    return box.children[-1].children[-1].value


def what_compare_shows(name, truth, capsys):
    exercises.compare(name, truth)
    return capsys.readouterr().out.strip()


def test_a_guess_stands_beside_the_truth(capsys):
    field_of(exercises.guess("2.shape", "What shape?")).value = "28 x 28"
    assert what_compare_shows("2.shape", (26, 26), capsys) == "Your guess: 28 x 28 · It is: (26, 26)"


def test_a_right_guess_is_called_right(capsys):
    field_of(exercises.guess("1.lazy", "How many?", number=True, unit="%")).value = "11"
    assert what_compare_shows("1.lazy", "11 %", capsys).endswith("just as you guessed.")


def test_a_chosen_guess_is_kept(capsys):
    field_of(exercises.guess("4.bias", "Is one added?", options=["yes", "no"])).value = "no"
    assert what_compare_shows("4.bias", "yes", capsys) == "Your guess: no · It is: yes"


def test_without_a_guess_the_truth_is_shown_all_the_same(capsys):
    exercises.guess("1.lazy", "How many?")
    assert what_compare_shows("1.lazy", 5, capsys) == "It is: 5"
    assert what_compare_shows("a name that no guess has", 5, capsys) == "It is: 5"


def test_another_notebook_shows_the_guess_again():
    field_of(exercises.guess("1.how", "How can it read?")).value = "by rules"
    again = exercises.guess("1.how", "How can it read?")
    assert field_of(again).value == "by rules"
    assert "kept from last time" in status_of(again)


def test_a_kept_choice_that_is_no_option_any_more_is_left_out():
    field_of(exercises.guess("1.which", "Which?", options=["a", "b"])).value = "b"
    assert field_of(exercises.guess("1.which", "Which?", options=["a", "c"])).value is None


def test_a_guess_after_the_answer_is_marked_as_late():
    exercises.compare("1.lazy", 5)
    field_of(exercises.guess("1.lazy", "How many?")).value = "5"
    assert answers.read()["guesses"]["1.lazy"]["late"] is True


def test_a_guess_that_is_no_number_is_kept_with_a_word_about_it():
    box = exercises.guess("1.lazy", "How many?", number=True)
    field_of(box).value = "many"
    assert "a number is asked for" in status_of(box)
    assert answers.read()["guesses"]["1.lazy"]["guess"] == "many"


def test_html_in_a_guess_is_shown_as_text():
    box = exercises.guess("1.x", "<b>Is x < y?</b>", unit="<i>")
    shown = "".join(widget.value for widget in box.children[-1].children[1:]) + box.children[2].value
    assert "<i>" not in shown
    assert "&lt;b&gt;Is x &lt; y?" in shown


@pytest.mark.parametrize(
    ("guess", "truth", "same"),
    [
        ("26 x 26 x 16", "(26, 26, 16)", True),
        ("26, 26, 16", "(26, 26, 16)", True),
        ("10816", "10,816", True),
        ("10,816", "10816", True),
        ("11", "11 %", True),
        ("Yes.", "yes", True),
        ("12", "11 %", False),
        ("", "no", False),
        ("x", "11 %", False),
        ("26 x 16", "(26, 26, 16)", False),
        ("below 0", "above 0", False),
        ("about 0", "above 0", False),
        ("above 0", "above 0", True),
        ("200", "200 of 200", True),
        ("5", "5 of 10", True),
        ("10", "5 of 10", False),
        ("1,2", "1.2 times", True),
        ("1.2", "1.2 times", True),
    ],
)
def test_a_guess_may_be_written_in_other_words(guess, truth, same):
    assert is_same(guess, truth) is same


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"guesses": 7}',
        b'{"guesses": {"a": 3}}',
        b"[" * 100_000,
        b'{"quiz": {"a": {"first": 1}}}',
    ],
    ids=["torn", "a list", "no text", "no section", "no entry", "deep", "a wrong kind"],
)
def test_a_damaged_file_is_set_aside_and_nothing_is_lost(home, content):
    paths.MY_ANSWERS.write_bytes(content)
    assert answers.read()["guesses"] == {}
    assert [path.read_bytes() for path in home.glob("my_answers_damaged_*.json")] == [content]
    assert "damaged" in answers.trouble()
    answers.change("guesses", "a", lambda entry: entry.update(guess="1"))
    assert answers.read()["guesses"] == {"a": {"guess": "1"}}


def test_the_good_entries_of_a_damaged_file_stay(home):
    paths.MY_ANSWERS.write_text(json.dumps({"guesses": {"good": {"guess": "1"}, "bad": 3}, "of a newer kit": 5}))
    assert answers.read()["guesses"] == {"good": {"guess": "1"}}
    assert len(list(home.glob("my_answers_damaged_*.json"))) == 1


def test_what_a_newer_kit_wrote_stays():
    paths.MY_ANSWERS.write_text(json.dumps({"of a newer kit": 5, "guesses": {"a": {"new": [1]}}}))
    answers.change("guesses", "b", lambda entry: entry.update(guess="1"))
    assert json.loads(paths.MY_ANSWERS.read_text())["of a newer kit"] == 5
    assert answers.read()["guesses"]["a"] == {"new": [1]}


def test_answers_are_remembered_where_nothing_can_be_written(home, capsys):
    (home / "file").write_text("")
    paths.MY_ANSWERS = home / "file" / "my_answers.json"
    box = exercises.guess("1.lazy", "How many?")
    field_of(box).value = "7"
    assert "cannot be" in status_of(box)
    assert what_compare_shows("1.lazy", 5, capsys) == "Your guess: 7 · It is: 5"


def test_answers_are_written_as_soon_as_that_is_possible(home):
    blocked = paths.MY_ANSWERS = home / "folder" / "my_answers.json"
    (home / "folder").write_text("")
    answers.change("guesses", "a", lambda entry: entry.update(guess="1"))
    (home / "folder").unlink()
    blocked.parent.mkdir()
    blocked.write_text(json.dumps({"guesses": {"b": {"guess": "2"}}}))
    answers.change("guesses", "c", lambda entry: entry.update(guess="3"))
    assert {name: entry["guess"] for name, entry in answers.read()["guesses"].items()} == {"a": "1", "b": "2", "c": "3"}
    assert answers.trouble() == ""


def test_an_answer_that_does_not_change_is_not_written_again():
    answers.change("guesses", "a", lambda entry: entry.update(guess="1"))
    before = paths.MY_ANSWERS.stat().st_ino
    answers.change("guesses", "a", lambda entry: entry.update(guess="1"))
    assert paths.MY_ANSWERS.stat().st_ino == before


def write_many(path, name):
    paths.MY_ANSWERS = path
    for number in range(20):
        answers.change("guesses", f"{name}{number}", lambda entry: entry.update(guess="1"))


def test_two_notebooks_may_write_at_once(home):
    context = multiprocessing.get_context("fork" if os.name == "posix" else "spawn")
    writers = [context.Process(target=write_many, args=(paths.MY_ANSWERS, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(answers.read()["guesses"]) == 40
    assert [path.name for path in home.iterdir()] == ["my_answers.json"]


def test_a_lock_that_a_dead_kernel_left_does_not_stop_anything(home, monkeypatch):
    monkeypatch.setattr(answers, "_LOCK_SECONDS", 0.1)
    (home / ".my_answers.json.lock").write_text("")
    answers.change("guesses", "a", lambda entry: entry.update(guess="1"))
    assert answers.read()["guesses"]["a"]["guess"] == "1"
    assert [path.name for path in home.iterdir()] == ["my_answers.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_file_is_plain_and_may_be_read_whatever_the_umask():
    before = os.umask(0o077)
    try:
        answers.change("guesses", "a", lambda entry: entry.update(guess="ü"))
    finally:
        os.umask(before)
    assert oct(paths.MY_ANSWERS.stat().st_mode) == oct(stat.S_IFREG | 0o644)
    assert answers.read()["guesses"]["a"]["guess"] == "ü"


def test_a_notebook_with_boxes_stores_words_and_compares_them(home, monkeypatch):
    sources = [
        'from digitlab import exercises\nexercises.guess("1.a", "How many?")',
        'exercises.compare("1.a", 5)',
        'exercises.guess("1.b", "Which?", options=["a", "b"])',
        "exercises.quiz(1)",
        'exercises.test("before")',
        "exercises.progress()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, home / "boxes.ipynb")
    monkeypatch.setenv("DIGITLAB_HOME", str(home / "first"))
    store_outputs.store_outputs(home / "boxes.ipynb")
    stored = nbformat.read(home / "boxes.ipynb", as_version=4)
    assert WIDGET not in json.dumps(stored)
    assert [cell.outputs[0].data["text/plain"] for cell in stored.cells[:3]] == [
        "Your guess: How many?",
        "It is: 5",
        "Your guess: Which?",
    ]
    monkeypatch.setenv("DIGITLAB_HOME", str(home / "second"))
    nbval = ["--nbval", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0", "boxes.ipynb"]
    done = subprocess.run([sys.executable, "-m", "pytest", *nbval], cwd=home, capture_output=True, text=True)
    assert f"{len(sources)} passed" in done.stdout, done.stdout
