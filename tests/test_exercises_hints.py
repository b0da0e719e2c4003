"""The checks of the exercises: they know the usual mistakes, say more with each attempt, and never raise."""

import ast
import inspect
import math
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digitlab import Ink, exercises, paths
from digitlab.exercises import answers, checking, notebook_1, notebook_2, notebook_3, notebook_4, notebook_5, notebook_6

CHECKS = {name: check for name, check in vars(exercises).items() if name.startswith("check_")}
MODULES = [notebook_1, notebook_2, notebook_3, notebook_4, notebook_5, notebook_6]
STARTING_FOUR = Ink([[(100, 60), (60, 170), (200, 170)], [(160, 100), (150, 230)]])
HEAD = [(140, 40), (220, 90), (220, 190), (140, 240), (60, 190), (60, 90), (140, 40)]
FACE = Ink([HEAD, [(110, 110), (112, 112)], [(170, 110), (172, 112)], [(100, 180), (140, 200), (180, 180)]])
STARTING_TICK = Ink([[(60, 150), (110, 210), (230, 60)]])

MATRIX = np.diag([90] * 10)
MATRIX[9, 3], MATRIX[3, 5], MATRIX[5, 3], MATRIX[4, 9], MATRIX[9, 4] = 20, 4, 4, 5, 0

LOSSES = np.zeros((23, 23))
LOSSES[10, 4], LOSSES[11, 4], LOSSES[11, 5], LOSSES[0, 0] = 0.9, 0.898, 0.7, -0.1
LOSSES[5, 5] = -0.2

CONFIDENCE = np.concatenate([np.linspace(0.5, 0.849, 40), np.linspace(0.86, 0.94, 97), np.linspace(0.96, 1, 400)])
IS_RIGHT = np.ones(537, bool)
IS_RIGHT[[0, 3, 5, 8, 60, 75, 80, 82, 90, 95, 99, 100, 105, 110, 120, 500]] = False
ABOUT = (CONFIDENCE > 0.85) & (CONFIDENCE < 0.95)


def as_many_others(confidence):
    return confidence >= np.sort(confidence)[-ABOUT.sum()]


class ReadsTheBrightest:
    """A reader whose probabilities are the first ten pixels."""

    def probabilities(self, x):
        return x.reshape(len(x), -1)[:, :10]


DIGITS = np.repeat(np.arange(10), 2)
FITTED = np.zeros((20, 28, 28), np.uint8)
FITTED[np.arange(20), 0, DIGITS] = 255
STRETCHED = FITTED.copy()
STRETCHED[18, 0, [9, 3]] = 0, 255
STRETCHED[2:4, 0, [1, 7]] = 0, 255
FITTED[0, 0, [0, 2]] = 0, 255
WAYS = {"shrunk": STRETCHED, "stretched": STRETCHED, "fitted": FITTED, "centred": FITTED}
IS_FITTED, IS_STRETCHED = (
    np.array([(images.reshape(20, -1)[:, :10].argmax(axis=1) == DIGITS)[digit == DIGITS].mean() for digit in range(10)])
    for images in (FITTED, STRETCHED)
)

MORE = {
    "mixed_up": (MATRIX,),
    "most_lost": (LOSSES,),
    "ninety": (CONFIDENCE, IS_RIGHT),
    "gains": (ReadsTheBrightest(), DIGITS, WAYS),
}
"""What a check needs besides the answer."""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "MY_ANSWERS", tmp_path / "my_answers.json")
    monkeypatch.setattr(answers, "_unsaved", None)
    monkeypatch.setattr(answers, "_message", "")
    monkeypatch.setattr(checking, "_started", set())


def say(exercise, answer, capsys):
    """Return what the check of an exercise prints about an answer, as one line."""
    assert CHECKS[f"check_{exercise}"](answer, *MORE.get(exercise, ())) is None
    return " ".join(capsys.readouterr().out.split())


def say_all(exercise, answer, capsys, monkeypatch):
    """Return what the check of an exercise prints about an answer at the third attempt: all of its hints."""
    with monkeypatch.context() as patch:
        patch.setattr(checking, "_count_attempt", lambda *_: 3)
        said = say(exercise, answer, capsys)
    assert said.endswith(checking.hints()["any"]["last"])
    return said


def words_about(exercise, mistake):
    """Return a pattern of the first sentence about a mistake; any value may stand in its curly brackets."""
    ladder = checking.hints()[exercise].get(mistake) or checking.hints()["any"][mistake]
    return ".*".join(map(re.escape, re.split(r"\{\w+\}", ladder[0])))


def without_return(*arguments):
    pass


def printing(*arguments):
    print(3)


def raise_error(*arguments):
    raise ZeroDivisionError("division by\nzero")


def leave(*arguments):
    sys.exit(1)


SLIPS = [
    ("black_share", 80.88, "per_cent"),
    ("black_share", 80, "per_cent"),
    ("black_share", 38_045_844, "count"),
    ("black_share", 0.8087977040816326 * 784, "per_image"),
    ("black_share", 0.1912, "not_black"),
    ("black_share", 0.19, "not_black"),
    ("black_share", -1, "negative"),
    ("black_share", 0.8072424744897959, "test_digits"),
    ("black_share", 0.86774168792517, "dark"),
    ("black_share", 0.7882653061224489, "first_digit"),
    ("black_share", 0.3, "otherwise"),
    ("black_share", "0.81", "text"),
    ("black_share", (0, 81), "comma"),
    ("black_share", "0,81", "comma"),
    ("black_share", (0.1, 0.2), "kind"),
    ("closest_means", 49, "flat"),
    ("closest_means", (4, 4), "twice"),
    ("closest_means", (4, 12), "no_digits"),
    ("closest_means", (7, 9), "otherwise"),
    ("closest_means", (0, 1), "furthest"),
    ("accuracy_of_each", [0.5] * 10, "otherwise"),
    ("accuracy_of_each", [0.5] * 9, "shape"),
    ("slope_filter", [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]], "mirrored"),
    ("slope_filter", [[1, 1, -2], [1, -2, 1], [-2, 1, 1]], "turned_round"),
    ("slope_filter", np.zeros((3, 3)), "zeros"),
    ("slope_filter", [[0, 0, 2], [0, 2, 0], [2, 0, 0]], "nothing_below_0"),
    ("slope_filter", [[-1, 0, 2], [0, 2, 0], [2, 0, 0]], "loud"),
    ("slope_filter", np.eye(3)[::-1] - 1, "too_quiet"),
    ("slope_filter", -np.ones((3, 3)), "silent"),
    ("slope_filter", np.arange(9), "shape"),
    ("mean_loss", without_return, "no_return"),
    ("mean_loss", printing, "printed"),
    ("mean_loss", raise_error, "error"),
    ("mean_loss", leave, "error"),
    ("mean_loss", 3, "not_a_function"),
    ("mean_loss", lambda given: "1", "text"),
    ("mean_loss", lambda given: math.nan, "not_finite"),
    ("mean_loss", lambda given: 0.5, "otherwise"),
    ("when_to_stop", lambda losses: 3, "otherwise"),
    ("when_to_stop", lambda losses: 1, "otherwise"),
    ("mixed_up", 35, "flat"),
    ("mixed_up", (3, 3), "diagonal"),
    ("mixed_up", "4,9", "text"),
    ("closest_means", "4,9", "text"),
    ("mixed_up", (9, 3), "found"),
    ("mixed_up", {3, 9}, "found"),
    ("mixed_up", (4, 9), "one_way"),
    ("mixed_up", (1, 7), "otherwise"),
    ("mixed_up", (1, 70), "no_digits"),
    ("most_lost", LOSSES.argmax(), "flat"),
    ("most_lost", (4, 10), "exchanged"),
    ("most_lost", (13, 7), "middle"),
    ("most_lost", (7, 13), "middle_exchanged"),
    ("most_lost", (12, 5), "from_1"),
    ("most_lost", (5, 5), "least"),
    ("most_lost", (10, 23), "outside"),
    ("most_lost", (15, 15), "otherwise"),
    ("most_lost", (11, 5), "otherwise"),
    ("ninety", lambda confidence: confidence > 0.85 and confidence < 0.95, "joined_by_and"),
    ("ninety", lambda confidence: 0.85 < confidence < 0.95, "joined_by_and"),
    ("ninety", lambda confidence: confidence > 0.85 & confidence < 0.95, "no_brackets"),
    ("ninety", lambda confidence: (confidence > 0, 85) & (confidence < 0, 95), "comma"),
    ("ninety", lambda confidence: (confidence > 0, 85), "comma"),
    ("ninety", (0, 9), "comma"),
    ("ninety", lambda confidence: (confidence > 0.85) | (confidence < 0.95), "everything"),
    ("ninety", lambda confidence: confidence < 0.95, "below"),
    ("ninety", lambda confidence: confidence > 0.95, "otherwise"),
    ("ninety", as_many_others, "otherwise"),
    ("ninety", lambda confidence: (confidence > 0.95) & (confidence < 0.85), "nobody"),
    ("ninety", lambda confidence: [0, 1], "no_choice"),
    ("ninety", lambda confidence: confidence, "no_choice"),
    ("ninety", without_return, "no_return"),
    ("ninety", 100 * IS_RIGHT[ABOUT].mean(), "per_cent"),
    ("ninety", IS_RIGHT[ABOUT].sum(), "number_right"),
    ("ninety", (IS_RIGHT & ABOUT).mean(), "of_all"),
    ("ninety", ABOUT.mean(), "group"),
    ("ninety", 1 - IS_RIGHT[ABOUT].mean(), "wrong"),
    ("scale_factor", lambda height, width: (20 / height, 20 / width), "two_numbers"),
    ("scale_factor", lambda height, width: [20 / height, 20 / width], "two_numbers"),
    ("scale_factor", lambda height, width: 0.2, "otherwise"),
    ("scale_factor", lambda height, width: 20 / max(height, width) if height != width else None, "no_return"),
    ("step", lambda weight, slope, learning_rate: weight - learning_rate * slope(weight), "slope_called"),
    ("scale_factor", lambda height, width: int(20 / max(height, width)), "whole"),
    ("weights_of_convolution", lambda filters, side, pictures: filters * (side ^ 2 * pictures + 1), "caret"),
    ("weights_of_convolution", lambda filters, side, pictures: filters * (side ^ 2) * pictures, "caret"),
    ("updates", lambda digits, batch_size: round(digits / batch_size + 0.5), "one_too_many"),
    ("updates", lambda digits, batch_size: round(digits / batch_size + 0.49), "otherwise"),
    ("updates", lambda digits, batch_size: int(digits / batch_size + 0.99), "otherwise"),
    ("shift", lambda centre: 3, "shape"),
    ("shift", lambda centre: (14.5 - centre) // 1, "rounded_14"),
    ("gains", IS_STRETCHED, "stretched"),
    ("gains", IS_STRETCHED - IS_FITTED, "turned_round"),
    ("gains", 100 * (IS_FITTED - IS_STRETCHED), "per_cent"),
    ("gains", np.abs(IS_FITTED - IS_STRETCHED), "absolute"),
    ("gains", [math.inf] * 10, "ratio_infinite"),
    ("gains", [0.3] * 10, "otherwise"),
    ("gains", ["a lot"] * 10, "kind"),
    ("four", [[(100, 60), (60, 170)]], "list"),
    ("four", Ink(), "empty"),
    ("four", 4, "no_ink"),
    ("four", Ink.example(4), "otherwise"),
    ("four", Ink.example(7), "neither"),
    ("no_digit", Ink([[(80, 230), (140, 50), (200, 230)], [(105, 165), (175, 165)]]), "letter_a"),
    ("no_digit", Ink([[(40, 115), (70, 25), (100, 115)], [(52, 82), (88, 82)]]), "letter_a"),
    ("no_digit", Ink([[(100, 235), (140, 50), (215, 220)], [(115, 170), (185, 160)]]), "letter_a"),
    ("no_digit", FACE, "face"),
    ("no_digit", Ink.example(4), "otherwise"),
    ("no_digit", [[(1, 2)]], "list"),
]


@pytest.mark.parametrize(("exercise", "answer", "mistake"), SLIPS, ids=[f"{row[0]}-{row[2]}" for row in SLIPS])
def test_a_hint_names_the_mistake(exercise, answer, mistake, capsys, monkeypatch):
    said = say(exercise, answer, capsys)
    assert said.startswith("Not yet. ")
    assert re.search(words_about(exercise, mistake), said), said
    assert say_all(exercise, answer, capsys, monkeypatch).startswith(said)


def tables_of_functions(monkeypatch):
    """Return, by exercise, the wrong functions that its check knows."""
    tables = {}
    for module in MODULES:
        if hasattr(module, "check_function"):
            for name in dir(module):
                if name.startswith("check_") and name != "check_function":
                    monkeypatch.setattr(
                        module, "check_function", lambda *a, name=name, **k: tables.update({name[6:]: k["mistakes"]})
                    )
                    getattr(module, name)(abs, *MORE.get(name[6:], ()))
            monkeypatch.undo()
    return tables


def test_each_wrong_function_is_recognised_as_itself(monkeypatch, tmp_path, capsys):
    tables = tables_of_functions(monkeypatch)
    assert len(tables) >= 7
    monkeypatch.setattr(paths, "MY_ANSWERS", tmp_path / "my_answers.json")
    capsys.readouterr()
    for exercise, table in tables.items():
        for mistake, function in table.items():
            said = say(exercise, function, capsys)
            if mistake == "starter":
                assert said == "Not yet."
            else:
                assert re.search(words_about(exercise, mistake), said), (exercise, mistake, said)
                say_all(exercise, function, capsys, monkeypatch)


def test_each_table_of_accuracies_is_recognised_as_itself(capsys):
    for mistake, table in notebook_1._tables_of_each().items():
        said = say("accuracy_of_each", table, capsys)
        if mistake in ("right", "starter"):
            assert said.startswith("Right. " if mistake == "right" else "Not yet.")
        else:
            assert re.search(words_about("accuracy_of_each", mistake), said), (mistake, said)


STARTERS = {
    "black_share": 0.5,
    "closest_means": (1, 7),
    "accuracy_of_each": [0.8203] * 10,
    "slope_filter": np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], np.float32),
    "weights_of_convolution": lambda filters, side, pictures: filters * side * side,
    "mean_loss": lambda given: sum(1 - probability for probability in given) / len(given),
    "when_to_stop": lambda losses: len(losses),
    "step": lambda weight, slope, learning_rate: weight,
    "updates": lambda digits, batch_size: digits,
    "mixed_up": (0, 1),
    "most_lost": (0, 0),
    "ninety": lambda confidence: confidence > 0.85,
    "scale_factor": lambda height, width: 20 / height,
    "shift": lambda position: (14 - position[0], 14 - position[1]),
    "gains": IS_FITTED,
    "four": STARTING_FOUR,
    "no_digit": STARTING_TICK,
}


def test_every_exercise_has_words_and_a_starter():
    assert {name.removeprefix("check_") for name in CHECKS} == set(STARTERS) == set(checking.hints()) - {"any"}


@pytest.mark.parametrize("exercise", STARTERS)
def test_the_untouched_starter_gets_no_hint_and_counts_as_no_attempt(exercise, capsys):
    assert say(exercise, STARTERS[exercise], capsys) == "Not yet."
    said = say(exercise, STARTERS[exercise], capsys)
    # A function that returns the same may be another one, also if it was there before the kernel started.
    unchanged = f"Not yet. {checking.hints()['any']['unchanged']}"
    assert said == (unchanged if callable(STARTERS[exercise]) else "Not yet.")
    assert answers.read()["exercises"] == {}


def test_another_function_that_gives_what_the_starter_gave_is_told_so(capsys):
    def forgets_its_work(weight, slope, learning_rate):
        new = weight - learning_rate * slope  # noqa: F841
        return weight

    assert say("step", STARTERS["step"], capsys) == "Not yet."
    assert "Does it `return` what you work out?" in say("step", forgets_its_work, capsys)
    assert answers.read()["exercises"] == {}


def test_a_hint_says_for_what_a_function_returns_nothing(capsys):
    said = say("scale_factor", lambda height, width: 20 / height if height > width else None, capsys)
    assert "For a drawing 40 high and 100 wide your function returns None" in said


def test_the_share_above_85_per_cent_is_a_starter_too(capsys):
    assert say("ninety", IS_RIGHT[CONFIDENCE > 0.85].mean(), capsys) == "Not yet."


RIGHT = [
    ("black_share", np.float32(0.8088)),
    ("black_share", 0.81),
    ("closest_means", [9, 4]),
    ("closest_means", {4, 9}),
    ("closest_means", (np.array([4]), np.array([9]))),
    ("closest_means", np.array([4, 9], np.uint8)),
    ("accuracy_of_each", np.round(notebook_1._tables_of_each()["right"], 2)),
    ("slope_filter", [[-2, -1, 2], [-1, 3, -1], [2, -1, -2]]),
    ("weights_of_convolution", lambda filters, side, pictures: filters * (side**2 * pictures + 1)),
    ("mean_loss", lambda given: -sum(map(math.log, given)) / len(given)),
    ("mean_loss", lambda given: round(-np.log(given).mean(), 2)),
    ("when_to_stop", lambda losses: np.argmin(losses) + 1),
    ("step", lambda weight, slope, learning_rate: weight - learning_rate * slope),
    ("updates", lambda digits, batch_size: -(-digits // batch_size)),
    ("mixed_up", (5, 3)),
    ("mixed_up", [[5, 3]]),
    ("most_lost", (10, 4)),
    ("most_lost", [11, 4]),
    ("most_lost", np.where(LOSSES.max() == LOSSES)),
    ("most_lost", np.argwhere(LOSSES.max() == LOSSES)),
    ("most_lost", np.unravel_index(LOSSES.argmax(), LOSSES.shape)),
    ("ninety", lambda confidence: (confidence > 0.85) & (confidence < 0.95)),
    ("ninety", IS_RIGHT[ABOUT].mean()),
    ("ninety", 0.89),
    ("ninety", lambda confidence: [1 if 0.85 < one < 0.95 else 0 for one in confidence]),
    ("scale_factor", lambda height, width: min(20 / height, 20 / width)),
    ("scale_factor", lambda height, width: round(20 / max(height, width), 2)),
    ("shift", lambda position: np.rint(14.5 - position)),
    ("gains", IS_FITTED - IS_STRETCHED),
    ("four", Ink([[(135, 50), (101, 203), (113, 216), (178, 198)], [(178, 158), (174, 230)]])),
    ("no_digit", Ink([[(80, 60), (80, 220)], [(200, 60), (200, 220)], [(80, 140), (200, 140)]])),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT, ids=[row[0] for row in RIGHT])
def test_a_check_accepts_every_form_of_a_right_answer(exercise, answer, capsys):
    assert say(exercise, answer, capsys).startswith("Right. ")
    assert answers.read()["exercises"][exercise]["solved"] is True


@pytest.mark.parametrize("drawing", [Ink.example(digit) for digit in range(10)] + [Ink([[(100, 100), (180, 180)]])])
def test_what_a_network_says_stands_well_in_a_sentence(drawing, capsys):
    for exercise in ("four", "no_digit"):
        assert "?." not in say(exercise, drawing, capsys)


def test_the_first_second_and_third_wrong_answer_say_more_each(capsys):
    said = [say("black_share", share, capsys) for share in (0.3, 0.4, 0.45)]
    assert len(said[0]) < len(said[1]) < len(said[2])
    assert "mean" not in said[0] + said[1]
    assert "Open the solution" in said[2]


def test_the_same_wrong_answer_again_says_no_more(capsys):
    assert say("black_share", 0.3, capsys) == say("black_share", 0.3, capsys)
    assert say("step", lambda weight, slope, rate: 0, capsys) == say("step", lambda weight, slope, rate: 0, capsys)
    assert answers.read()["exercises"]["black_share"]["attempts"] == 1
    say("black_share", 0.4, capsys)
    say("black_share", 0.3, capsys)
    assert answers.read()["exercises"]["black_share"]["attempts"] == 2


def test_attempts_are_counted_from_notebook_to_notebook(capsys):
    say("black_share", 0.3, capsys)
    answers._unsaved = None
    say("black_share", 0.4, capsys)
    assert answers.read()["exercises"]["black_share"]["attempts"] == 2


def test_playing_on_after_the_solution_counts_no_attempt(capsys):
    say("black_share", 0.3, capsys)
    say("black_share", 0.809, capsys)
    assert "too small" in say("black_share", 0.4, capsys)
    assert answers.read()["exercises"]["black_share"]["attempts"] == 1


@pytest.mark.parametrize("exercise", sorted(set(checking.hints()) - {"any"}))
def test_each_ladder_has_a_second_rung_and_its_mistake_is_in_the_code(exercise):
    check = CHECKS[f"check_{exercise}"]
    source = inspect.getsource(sys.modules[check.__module__])
    for mistake, ladder in checking.hints()[exercise].items():
        if mistake not in ("seen", "title"):
            assert 2 <= len(ladder) <= 3, mistake
            assert f'"{mistake}"' in source or mistake == checking.OTHERWISE, mistake


def test_every_mistake_in_the_code_has_words():
    for module in MODULES:
        source = inspect.getsource(module)
        names = {name[6:] for name in CHECKS if CHECKS[name].__module__ == module.__name__}
        known = {mistake for name in ("any", *names) for mistake in checking.hints()[name]} | {checking.STARTER}
        named = set(re.findall(r'NotYet\("(\w+)"', source)) | set(keys_of_tables(source))
        assert named <= known, named - known


def keys_of_tables(source):
    """Yield the names of the mistakes in the tables of wrong answers and wrong functions."""
    for node in ast.walk(ast.parse(source)):
        named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("mistakes", "wrong", "others")
        if named or (isinstance(node, ast.keyword) and node.arg == "mistakes"):
            keys = [key for key in getattr(node.value, "keys", []) if key is not None]
            yield from (key.value for key in keys if re.fullmatch(r"\w+", key.value))


ODD = [None, "x", 3.7, [], np.zeros((2, 2)), raise_error, math.nan, True, {}, object(), len]


@pytest.mark.parametrize("exercise", STARTERS)
@pytest.mark.parametrize("number", range(len(ODD)))
def test_an_odd_answer_gets_a_short_hint_in_short_lines(exercise, number, capsys):
    needed = sum(one.default is one.empty for one in inspect.signature(CHECKS[f"check_{exercise}"]).parameters.values())
    CHECKS[f"check_{exercise}"](*[ODD[number]] * needed)
    said = capsys.readouterr().out
    assert said.startswith("Not yet.")
    assert said.count("Not yet.") == 1
    lines = said.splitlines()
    assert len(lines) <= 5
    assert max(map(len, lines)) <= 90


def test_a_check_reports_an_error_in_the_readers_function(capsys):
    assert "ZeroDivisionError: division by zero" in say("mean_loss", raise_error, capsys)


class Hostile:
    """An object of which everything fails."""

    def _fail(self, *arguments, **options):
        raise RuntimeError("no")

    __array__ = __bool__ = __call__ = __eq__ = __float__ = __format__ = __getattr__ = __hash__ = __index__ = _fail
    __iter__ = __len__ = __lt__ = __repr__ = __str__ = __sub__ = _fail


numbers = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.complex_numbers(), st.floats(0, 1), st.integers(0, 100)
)
simple = st.one_of(st.none(), numbers, st.text(max_size=20), st.binary(max_size=5), st.builds(Hostile), st.just(...))
anything = st.one_of(
    st.recursive(
        simple,
        lambda inner: st.one_of(
            st.lists(inner, max_size=10),
            st.tuples(inner, inner),
            st.dictionaries(st.integers(), inner, max_size=3),
        ),
        max_leaves=10,
    ),
    st.tuples(numbers, numbers),
    st.lists(numbers, min_size=10, max_size=10),
    st.sets(st.integers(), max_size=3),
    arrays.arrays(st.sampled_from([float, int, bool, object, "U3", complex]), arrays.array_shapes(max_dims=3)),
    st.lists(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=3), max_size=2).map(
        Ink
    ),
)
functions = anything.map(lambda value: lambda *arguments: value)


@pytest.mark.parametrize("exercise", STARTERS)
def test_no_answer_at_all_ends_in_a_traceback(exercise, capsys):
    @settings(max_examples=40)
    @given(st.one_of(anything, functions))
    def try_it(answer):
        said = say(exercise, answer, capsys)
        assert said.startswith(("Right. ", "Not yet."))

    try_it()


def test_the_interrupt_key_stops_a_function_that_never_ends(capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercises.check_mean_loss(interrupted)
