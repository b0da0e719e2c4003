"""The quiz, the test before and after, the progress, and the page to hand in."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from digitlab import Ink, exercises, paths
from digitlab.exercises import answers, questions, results
from digitlab.exercises.boxes import Box
from digitlab.ink import append_drawing

FOUR = Ink([[(135, 50), (101, 203), (113, 216), (178, 198)], [(178, 158), (174, 230)]])


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("my_answers.json", "my_report.html", "my_drawings.jsonl"):
        monkeypatch.setattr(paths, name.split(".")[0].upper(), tmp_path / name)
    monkeypatch.setattr(answers, "_unsaved", None)
    monkeypatch.setattr(answers, "_message", "")
    return tmp_path


def asked_in(box):
    """Return the questions of a quiz or a test, by their ids, as the widgets that show them."""
    return {asked.question.id: asked for asked in box.children if isinstance(asked, questions.Asked)}


def said(asked):
    return re.sub(r"<[^>]+>", "", asked.children[-1].value)


def answer_all(when, wrong=()):
    """Click through a whole test: rightly, but for the questions with these ids."""
    box = exercises.test(when)
    for name, asked in asked_in(box).items():
        letter = asked.question.right
        asked.buttons[next(other for other in "abcd" if other != letter) if name in wrong else letter].click()
    box._done.click()
    return box


def test_each_notebook_has_four_to_six_questions():
    assert {number: len(questions.of_notebook(number)) for number in range(1, 7)}.keys() == results.NOTEBOOKS.keys()
    for number in results.NOTEBOOKS:
        assert 4 <= len(questions.of_notebook(number)) <= 6, number


@pytest.mark.parametrize("question", questions.questions(), ids=lambda question: question.id)
def test_a_question_explains_each_of_its_four_answers(question):
    assert question.id.startswith(f"{question.notebook}.")
    assert list(question.options) == list("abcd")
    assert question.right in question.options
    assert len({text for text, _ in question.options.values()}) == 4
    for text, why in question.options.values():
        assert len(text) < 120
        assert 20 < len(why) < 160


def test_the_questions_have_ids_of_their_own_and_no_letter_is_always_right():
    ids = [question.id for question in questions.questions()]
    assert len(ids) == len(set(ids))
    for some in (questions.questions(), questions.of_test()):
        right = [question.right for question in some]
        assert max(map(right.count, "abcd")) <= len(right) / 2
        assert set(right) == set("abcd")


def test_the_test_has_one_question_of_each_notebook():
    assert [question.notebook for question in questions.of_test()] == [1, 2, 3, 4, 5, 6]


def test_a_click_explains_the_answer_and_the_first_one_counts():
    box = exercises.quiz(3)
    asked = asked_in(box)["3.file"]
    asked.buttons["b"].click()
    assert said(asked).startswith("No. Nobody writes rules")
    assert 'role="alert"' in asked.children[-1].value  # A screen reader reads it at once.
    assert asked.buttons["b"].description.startswith("✗")
    asked.buttons["a"].click()
    assert said(asked).startswith("Right. ")
    assert asked.buttons["a"].description.startswith("✓")
    assert answers.read()["quiz"]["3.file"] == {"first": "b", "clicked": "ba"}
    assert box.children[-1].value == "0 of 1 right at the first click."


def test_a_quiz_shows_again_what_was_clicked():
    asked_in(exercises.quiz(3))["3.file"].buttons["a"].click()
    again = exercises.quiz(3)
    assert said(asked_in(again)["3.file"]).startswith("Right. ")
    assert "alert" not in asked_in(again)["3.file"].children[-1].value
    assert again.children[-1].value == "1 of 1 right at the first click."


@pytest.mark.parametrize("number", [0, 7, "3", None, 2.5, [1]])
def test_a_quiz_without_questions_says_which_there_are(number):
    assert "1 to 6" in exercises.quiz(number).children[-1].value


def test_a_test_explains_nothing_until_both_are_done():
    before = answer_all("before", wrong=("1.reader", "6.better"))
    assert [said(asked) for asked in asked_in(before).values()] == [""] * 6
    assert questions.right_in_test("before") == 4
    after = answer_all("after", wrong=("6.better",))
    assert "Right before: 4 of 6. Right after: 5 of 6." in after.children[-1].value
    assert all(said(asked).startswith("Right is ") for asked in asked_in(after).values())


def test_a_test_that_is_finished_cannot_be_changed():
    answer_all("before", wrong=("1.reader",))
    again = exercises.test("before")
    assert all(button.disabled for asked in asked_in(again).values() for button in asked.buttons.values())
    asked_in(again)["1.reader"].buttons["c"].click()
    assert questions.right_in_test("before") == 5


def test_an_answer_of_a_test_may_be_changed_until_it_is_finished():
    box = exercises.test("before")
    asked = asked_in(box)["1.reader"]
    asked.buttons["a"].click()
    asked.buttons["c"].click()
    assert [letter for letter, button in asked.buttons.items() if button.description.startswith("●")] == ["c"]
    assert box._done.disabled
    assert questions.right_in_test("before") is None


def test_a_test_after_without_one_before_says_so():
    assert "no test before" in answer_all("after").children[-1].value


@pytest.mark.parametrize("when", ["", "now", None, 3, ["before"]])
def test_a_test_is_before_or_after(when):
    assert isinstance(exercises.test(when), Box)
    assert "before" in exercises.test(when).children[-1].value


@pytest.mark.parametrize("number", range(1, 7))
def test_the_stored_words_of_a_quiz_do_not_change(number):
    words = repr(exercises.quiz(number))
    asked_in(exercises.quiz(number)).popitem()[1].buttons["a"].click()
    assert repr(exercises.quiz(number)) == words
    assert repr(exercises.test("before")) == "Test before: 6 questions to click on"


def test_every_check_belongs_to_one_notebook():
    named = [name for number in results.NOTEBOOKS for name in results.exercises_of(number)]
    checks = [name.removeprefix("check_") for name in exercises.__all__ if name.startswith("check_")]
    assert sorted(named) == sorted(checks)


def test_progress_tells_what_is_solved_guessed_and_answered(capsys):
    exercises.check_black_share(0.809)
    exercises.check_closest_means((7, 9))
    exercises.guess("1.lazy", "How many?").children[-1].children[0].value = "12"
    exercises.compare("1.never-guessed", 3)
    asked_in(exercises.quiz(1))["1.flag"].buttons["a"].click()
    row = next(line for line in repr(exercises.progress()).splitlines() if line.startswith("1."))
    assert re.split(r"\s{2,}", row) == ["1. Meet the digits", "1 of 3", "1", "1 of 1"]
    assert "<td" in exercises.progress()._repr_html_()


class Texts(HTMLParser):
    """The texts and the tags of a page."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


def test_the_page_holds_guesses_attempts_answers_tests_and_drawings(capsys):
    exercises.guess("1.lazy", "How many?").children[-1].children[0].value = "12"
    exercises.compare("1.lazy", "11 %")
    for share in (0.3, 0.4, 0.809):
        exercises.check_black_share(share)
    exercises.check_four(Ink(FOUR.strokes, tuple(np.array(FOUR.size))))
    append_drawing(paths.MY_DRAWINGS, Ink([[(10, 10)], [(5, 5), (9, 9)]]), 7)
    asked_in(exercises.quiz(3))["3.file"].buttons["b"].click()
    answer_all("before", wrong=("1.reader",))
    exercises.report()
    page = Texts(paths.MY_REPORT.read_text("utf-8"))
    assert "How many? 12 11 %" in page.text
    assert "How much of a picture is paper? yes 2" in page.text
    assert "Which two look most alike? not tried 0" in page.text
    assert "before: 5 of 6 right · after: not done" in page.text
    assert "b) Rules such as" in page.text
    assert "meant as 7" in page.text
    assert page.tags.count("svg") == 2
    shown = capsys.readouterr().out
    assert "my_report.html, without a name." in shown


def test_the_page_has_a_name_only_if_one_is_typed():
    exercises.report("Ada")
    assert "<h1>What I did: Ada</h1>" in paths.MY_REPORT.read_text("utf-8")
    exercises.report()
    assert "<h1>What I did</h1>" in paths.MY_REPORT.read_text("utf-8")


def test_a_late_guess_is_marked_on_the_page():
    exercises.compare("1.lazy", 11)
    exercises.guess("1.lazy", "How many?").children[-1].children[0].value = "11"
    assert "11 (written after the answer was shown)" in results.report_html()


def test_nothing_that_a_reader_types_becomes_html():
    evil = "<script>alert(1)</script>"
    exercises.guess(f"1.{evil}", evil).children[-1].children[0].value = evil
    exercises.compare(f"1.{evil}", evil)
    append_drawing(paths.MY_DRAWINGS, Ink([[(1, 1)]]), "<")
    page = results.report_html(evil)
    assert "script" not in Texts(page).tags
    assert page.count("&lt;script&gt;") >= 4


def test_a_page_of_nothing_is_a_page():
    page = Texts(results.report_html())
    assert page.text.count("Nothing yet.") == 3
    assert "Test before and after" not in page.text


@pytest.mark.parametrize(
    "entry",
    [
        {"exercises": {"four": {"drawing": 3}}},
        {"exercises": {"four": {"drawing": {"strokes": [["x"]], "size": [1]}}}},
        {"exercises": {"four": {"drawing": {"strokes": [[[1, 2]]], "size": "ab"}}}},
        {"quiz": {"3.file": {"first": "z", "clicked": "zz"}}},
        {"tests": {"before": {"done": True, "answers": {"1.reader": 5}}}},
        {"guesses": {"1.a": {"guess": "x"}}},
    ],
    ids=str,
)
def test_a_file_changed_by_hand_stops_nothing(entry):
    paths.MY_ANSWERS.write_text(json.dumps(entry))
    assert isinstance(results.report_html(), str)
    for number in results.NOTEBOOKS:
        exercises.quiz(number)
    for when in questions.TESTS:
        exercises.test(when)
    repr(exercises.progress())


def test_a_file_of_drawings_with_bad_lines_gives_the_others(capsys):
    append_drawing(paths.MY_DRAWINGS, Ink([[(1, 1)]]), 3)
    with open(paths.MY_DRAWINGS, "ab") as file:
        file.write(b"torn\n")
    assert "meant as 3" in results.report_html()


def test_a_page_that_cannot_be_written_is_said(home, capsys):
    (home / "file").write_text("")
    paths.MY_REPORT = home / "file" / "my_report.html"
    exercises.report()
    assert "could not be written" in capsys.readouterr().out
