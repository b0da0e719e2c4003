"""How well a network reads a file of drawings."""

import itertools
import json
import re

import cv2
import numpy as np
import pytest

from digitlab.commands.evaluate import bitmap
from digitlab.data import load_drawings
from digitlab.ink import EXAMPLES, MAX_CANVAS, Drawing, Ink, read_drawings
from digitlab.metrics import calibration_error, evaluate, misread, per_writer, roc_area, roc_interval, wilson_interval
from digitlab.paper import example_photo
from digitlab.paths import KIT, MNIST_ONLY_NETWORK
from digitlab.recognizer import Prediction, Recognizer

README = (KIT / "README.md").read_text("utf-8")


def predict_strokes(drawings, *confidences):
    """Return predictions of the number of strokes of each drawing, with these confidences."""
    return [
        prediction_of(len(drawing.ink.strokes), confidence)
        for drawing, confidence in zip(drawings, confidences, strict=True)
    ]


def prediction_of(digit, confidence):
    probabilities = np.full(10, (1 - confidence) / 9, np.float32)
    probabilities[digit] = confidence
    image = np.full((28, 28), 20 * digit, np.uint8)
    if confidence < 0.5:
        return Prediction(None, "unsure", confidence, probabilities, image)
    return Prediction(digit, None, confidence, probabilities, image)


def drawing(strokes, label):
    return Drawing(Ink([[(0, 0), (9, 9)]] * strokes), label)


def test_the_figures_match_their_definitions():
    drawings = [drawing(1, "1"), drawing(2, "1"), drawing(3, "3"), drawing(4, "4"), drawing(5, "A"), drawing(6, "B")]
    figures = evaluate(drawings, predict_strokes(drawings, 0.95, 0.6, 0.45, 0.9, 0.92, 0.1))
    assert figures["drawings"] == 4
    assert figures["accuracy"] == 0.75
    assert figures["accepted"] == 0.75
    assert figures["accepted_accuracy"] == pytest.approx(2 / 3)
    assert {digit: row.pop("interval") for digit, row in figures["per_digit"].items()} == {
        "1": wilson_interval(1, 2),
        "3": wilson_interval(1, 1),
        "4": wilson_interval(1, 1),
    }
    assert figures["per_digit"] == {
        "1": {"drawings": 2, "accuracy": 0.5, "accepted": 1.0},
        "3": {"drawings": 1, "accuracy": 1.0, "accepted": 0.0},
        "4": {"drawings": 1, "accuracy": 1.0, "accepted": 1.0},
    }
    assert figures["intervals"]["accuracy"] == wilson_interval(3, 4)
    assert "writers" not in figures
    assert "per_source" not in figures
    assert figures["confusion"][1][:5] == [0, 1, 1, 0, 0]
    assert np.sum(figures["confusion"]) == 4
    # Bins of a fifteenth: each of the four confidences is alone in its bin.
    assert figures["ece"] == pytest.approx((0.05 + 0.6 + 0.55 + 0.1) / 4)
    assert figures["others"] == 2
    assert figures["auroc"] == pytest.approx(5 / 8)
    assert figures["intervals"]["auroc"] == roc_interval(5 / 8, 4, 2)


def test_the_accepted_have_intervals_of_their_own():
    drawings = [drawing(1, "1"), drawing(2, "1"), drawing(3, "3"), drawing(4, "4"), drawing(5, "A"), drawing(6, "B")]
    drawings += [drawing(2, "1")]
    figures = evaluate(drawings, predict_strokes(drawings, 0.95, 0.6, 0.45, 0.9, 0.92, 0.1, 0.9))
    assert figures["intervals"]["accepted"] == wilson_interval(4, 5)
    assert figures["intervals"]["accepted_accuracy"] == wilson_interval(2, 4)


def test_each_collection_has_its_own_share_of_accepted():
    drawings = [Drawing(Ink([[(0, 0), (9, 9)]] * digit), str(digit), "1", f"box {digit % 2}") for digit in range(1, 5)]
    figures = evaluate(drawings, predict_strokes(drawings, 0.9, 0.4, 0.9, 0.9))
    assert {name: part["accepted"] for name, part in figures["per_source"].items()} == {"box 0": 0.5, "box 1": 1.0}


def test_the_interval_of_an_area_is_that_of_the_paper():
    # 0.9 of 20 digits and 80 others: Q1 = 0.9/1.1, Q2 = 1.62/1.9, and the standard error is 0.0475.
    low, high = roc_interval(0.9, 20, 80)
    assert (low, high) == (pytest.approx(0.8069, abs=1e-4), pytest.approx(0.9931, abs=1e-4))


def test_the_calibration_error_is_0_if_confidence_equals_accuracy():
    right = np.array([True] * 8 + [False] * 2)
    assert calibration_error(np.full(10, 0.8), right) == pytest.approx(0)
    assert calibration_error(np.ones(10), ~np.ones(10, bool)) == 1


def test_a_confidence_of_1_is_in_the_last_bin():
    assert calibration_error(np.array([1.0, 0.94]), np.array([False, True])) == pytest.approx(0.47)


def test_the_area_under_the_roc_curve_counts_pairs():
    assert roc_area(np.array([3, 4]), np.array([1, 2])) == 1
    assert roc_area(np.array([1, 2]), np.array([3, 4])) == 0
    assert roc_area(np.array([1, 1]), np.array([1, 1, 1])) == 0.5


def test_wilsons_interval_is_that_of_the_textbook():
    assert wilson_interval(9, 10) == pytest.approx([0.5958, 0.9821], abs=1e-4)
    assert wilson_interval(0, 10) == pytest.approx([0, 0.2775], abs=1e-4)
    assert wilson_interval(10, 10)[1] == pytest.approx(1)
    assert wilson_interval(0, 0) is None


def test_the_interval_of_an_area_narrows_with_more_drawings():
    low, high = roc_interval(0.9, 100, 100)
    assert low < 0.9 < high
    assert roc_interval(0.9, 10_000, 10_000)[0] > low
    assert roc_interval(1.0, 5, 5) is None


def test_the_interval_of_an_area_stays_within_0_and_1():
    assert roc_interval(0.99, 5, 5)[1] == 1
    assert roc_interval(0.01, 5, 5)[0] == 0


def test_writers_are_ranked_by_how_well_they_are_read():
    right = {"a": [1] * 10, "b": [1] * 8 + [0] * 2, "c": [1, 0], "d": [1] * 4 + [0] * 4, "e": [1], "f": [1], "g": [1]}
    right |= {f"h{number}": [1] for number in range(5)}
    drawings = [Drawing(Ink(), "1", name) for name, its in right.items() for _ in its]
    figures = per_writer([*drawings, Drawing(Ink(), "1")], np.array([*itertools.chain(*right.values()), 0], bool))
    assert figures["count"] == 12
    assert [(row["writer"], row["drawings"], row["accuracy"]) for row in figures["worst"][:4]] == [
        ("d", 8, 0.5),
        ("c", 2, 0.5),
        ("b", 10, 0.8),
        ("a", 10, 1.0),
    ]
    # A tenth of twelve writers are two: four of eight and one of two are right.
    assert figures["worst_tenth"] == {
        "writers": 2,
        "drawings": 10,
        "accuracy": 0.5,
        "interval": wilson_interval(5, 10),
    }


def test_the_same_name_in_two_collections_is_two_writers():
    drawings = [Drawing(Ink([[(0, 0), (9, 9)]] * digit), str(digit), "1", f"box {digit % 2}") for digit in range(1, 5)]
    figures = evaluate(drawings, predict_strokes(drawings, 0.9, 0.9, 0.9, 0.9))
    assert figures["writers"]["count"] == 2
    assert {name: part["drawings"] for name, part in figures["per_source"].items()} == {"box 0": 2, "box 1": 2}
    assert figures["per_source"]["box 0"]["writers"]["count"] == 1


def test_drawings_without_writer_or_collection_hide_no_others():
    def evaluated(writers, sources):
        drawings = [Drawing(Ink([[(0, 0), (9, 9)]]), "1", *names) for names in zip(writers, sources, strict=True)]
        return evaluate(drawings, predict_strokes(drawings, 0.9, 0.9))

    assert evaluated(("otter", None), (None, None))["writers"]["count"] == 1
    assert set(evaluated(("otter", "otter"), ("box", None))["per_source"]) == {"", "box"}


def test_each_collection_has_its_own_worst_writers():
    misread_and_read = (1, "2", "a"), (3, "3", "b")  # The number of strokes is what is read.
    drawings = [Drawing(Ink([[(0, 0), (9, 9)]] * count), label, "1", box) for count, label, box in misread_and_read]
    per_source = evaluate(drawings, predict_strokes(drawings, 0.9, 0.9))["per_source"]
    assert {box: part["writers"]["worst"][0]["accuracy"] for box, part in per_source.items()} == {"a": 0, "b": 1}


def test_an_empty_drawing_counts_as_misread(recognizer):
    drawings = [Drawing(Ink(), "0"), Drawing(Ink.example(0), "0")]
    predictions = recognizer.predict_many(drawing.ink for drawing in drawings)
    figures = evaluate(drawings, predictions)
    assert figures["accuracy"] == 0.5
    assert figures["accepted"] == 0.5
    assert figures["drawings"] == 2
    assert figures["empty"] == 1
    assert np.sum(figures["confusion"]) == figures["confusion"][0][0] == 1
    assert [one for one, _ in misread(drawings, predictions)] == drawings[:1]


def test_the_table_counts_empty_drawings(digitlab, tmp_path):
    file, picture = tmp_path / "drawings.jsonl", tmp_path / "misread.png"
    file.write_text(f"{Ink().to_json(0)}\n{Ink.example(0).to_json(0)}\n")
    done = digitlab("evaluate", file, "--picture", picture)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["accuracy", "50.00%", "9.45%", "to", "90.55%"] in lines
    assert ["empty", "drawings", "1", "(errors;", "not", "among", "the", "counts", "of", '"read', 'as")'] in lines
    assert lines[-1][:7] == ["0", "2", "50.00%", "9.45%", "to", "90.55%", "1"]
    assert picture.exists()


def test_the_picture_shows_as_many_misread_digits_as_the_help_says(digitlab, tmp_path):
    file, picture = tmp_path / "drawings.jsonl", tmp_path / "misread.png"
    file.write_text((Ink.example(3).to_json(label=4) + "\n") * 250)
    assert digitlab("evaluate", file, "--picture", picture).returncode == 0
    assert cv2.imread(str(picture)).shape[:2] == (20 * 118, 12 * 96)
    assert "the 240 most confident" in " ".join(digitlab("evaluate", "--help").stdout.split())


def test_where_nothing_is_misread_no_picture_is_written(digitlab, tmp_path):
    file, picture = tmp_path / "drawings.jsonl", tmp_path / "misread.png"
    file.write_text(Ink.example(0).to_json(0))
    done = digitlab("evaluate", file, "--picture", picture)
    assert (done.returncode, done.stderr) == (0, f"No digit was misread, so {picture} was not written.\n")
    assert not picture.exists()


@pytest.mark.parametrize(("size", "shape"), [((10_000, 1), (1, 10_000)), ((1, 10_000), (280, 1))])
def test_a_bitmap_of_a_long_canvas_stays_small(size, shape):
    assert bitmap(Ink([[(0, 0), (1, 1)]], size)).shape == shape


def test_a_drawing_on_a_huge_canvas_is_reported_and_left_out(digitlab, tmp_path):
    file = tmp_path / "drawings.jsonl"
    file.write_text('{"label":"1","size":[1000000,1],"strokes":[[[0,0],[1,1]]]}\n' + Ink.example(1).to_json(1))
    done = digitlab("evaluate", file, "--bitmap", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["drawings"] == 1
    assert done.stderr.startswith(f"Line 1 of {file} is left out: its canvas is larger than 10,000")


def test_misread_drawings_are_sorted_by_confidence():
    drawings = [drawing(1, "2"), drawing(2, "2"), drawing(3, "4"), drawing(4, "x")]
    pairs = misread(drawings, predict_strokes(drawings, 0.6, 0.9, 0.8, 0.7))
    assert [(one.label, prediction.digit) for one, prediction in pairs] == [("4", 3), ("2", 1)]


def test_the_command_draws_misread_digits_and_reads_bitmaps(digitlab, tmp_path):
    file, picture = tmp_path / "drawings.jsonl", tmp_path / "misread.png"
    file.write_text("\n".join(Ink.example(digit).to_json(digit if digit < 7 else 0) for digit in range(10)))
    done = digitlab("evaluate", file, "--bitmap", "--picture", picture, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"] == 0.7
    image = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert image.shape == (118, 12 * 96)
    inked = [(image[:, start : start + 96] < 128).any() for start in range(0, image.shape[1], 96)]
    assert inked == [True] * 3 + [False] * 9


@pytest.mark.parametrize("width", range(1000, 1100))
def test_no_canvas_becomes_too_wide_by_rounding(width):
    assert bitmap(Ink([[(0, 0), (1, 1)]], (width, 20))).shape[1] == MAX_CANVAS


def test_a_label_may_be_a_number():
    for label in (3, np.uint8(3), "3"):
        assert Drawing(Ink.example(3), label).label == "3"


def test_a_bitmap_is_280_pixels_high():
    ink = Ink([[(250, 100), (250, 400)]], (500, 500))
    image = bitmap(ink)
    assert image.shape == (280, 280)
    rows, columns = np.nonzero(image > 127)
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == (20, 188)


def test_the_command_prints_one_json_object(digitlab):
    done = digitlab("evaluate", EXAMPLES, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["drawings"] == 10
    assert figures["accuracy"] == 1.0
    assert np.array_equal(figures["confusion"], np.eye(10))
    assert "auroc" not in figures


def test_the_command_prints_a_table_of_several_files(digitlab, tmp_path):
    letters = tmp_path / "letters.jsonl"
    letters.write_text("\n".join(d.ink.to_json("x") for d in read_drawings(EXAMPLES)))
    done = digitlab("evaluate", EXAMPLES, letters)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["drawings", "10", "95", "%", "interval"] in lines
    assert ["accuracy", "100.00%", "72.25%", "to", "100.00%"] in lines
    assert ["area", "under", "the", "ROC", "curve", "0.5000"] in [line[:6] for line in lines]


def test_a_name_in_somebody_elses_file_moves_no_cursor(digitlab, tmp_path):
    file = tmp_path / "drawings.jsonl"
    file.write_text("".join(Ink.example(7).to_json(7, writer) + "\n" for writer in ("\x1b[2J\n", "otter")))
    done = digitlab("evaluate", file)
    assert r"  \x1b[2J\n (1)" in done.stdout
    assert "\x1b" not in done.stdout


def test_each_command_that_reads_uses_the_network_that_it_is_given(digitlab, recognizer, tmp_path):
    plain = Recognizer.load(MNIST_ONLY_NETWORK)
    drawings = [one for one in load_drawings("held-out")[:500] if one.label in "0123456789"]
    truth = [int(one.label) for one in drawings]
    ours, others = (
        [answer.probabilities.argmax() for answer in network.predict_many(one.ink for one in drawings)]
        for network in (recognizer, plain)
    )
    differ = [right == label != wrong for label, right, wrong in zip(truth, ours, others, strict=True)]
    chosen = list(itertools.compress(drawings, differ))
    assert chosen
    file = tmp_path / "drawings.jsonl"
    file.write_text("\n".join(one.ink.to_json(one.label) for one in chosen))
    assert digitlab("class", "add", file).returncode == 0
    cv2.imwrite(str(tmp_path / "page.jpg"), example_photo()[:400])
    for options, accuracy in ((), 1), (("--model", MNIST_ONLY_NETWORK), 0):
        assert json.loads(digitlab("evaluate", file, "--json", *options).stdout)["accuracy"] == accuracy
        assert f"{accuracy:.2%}" in digitlab("class", "score", *options).stdout
    ours, others = (
        json.loads(digitlab("read", tmp_path / "page.jpg", "--json", *options).stdout) for options in ((), options)
    )
    assert len(ours["digits"]) > 0
    assert ours != others


def test_the_command_reads_the_held_out_writers_of_the_kit(digitlab):
    done = digitlab("evaluate", "--held-out", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["drawings"] + figures["others"] == len(load_drawings("held-out"))
    assert figures["writers"]["count"] == 63
    assert len(figures["writers"]["worst"]) == 5
    low, high = figures["intervals"]["accuracy"]
    assert low < figures["accuracy"] < high
    first, second = (row for row in README.splitlines() if re.search(r"evaluate --held-out` \|$|read worst", row))
    for row, figure in ((first, figures["accuracy"]), (second, figures["writers"]["worst_tenth"]["accuracy"])):
        assert float(re.search(r"\| ([\d.]+) %", row)[1]) == pytest.approx(100 * figure, abs=0.1)
    assert set(figures["per_source"]) == {"pendigits", "unipen"}


def test_the_command_wants_to_know_what_to_read(digitlab):
    done = digitlab("evaluate")
    assert done.returncode == 1
    assert "--held-out" in done.stderr


def test_bad_and_unlabelled_lines_are_reported_and_left_out(digitlab, tmp_path):
    file = tmp_path / "drawings.jsonl"
    good = Ink.example(2).to_json(2)
    file.write_text("\n".join([good, good[:-9], Ink.example(2).to_json(), good]))
    done = digitlab("evaluate", file, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["drawings"] == 2
    assert done.stderr.splitlines() == [
        f"Line 2 of {file} is left out: it is not JSON, perhaps only part of a line.",
        "1 drawing has no label and is left out.",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no file"),
        ("", "nothing to measure: no drawing is labelled with a digit"),
        (Ink.example(1).to_json("x"), "nothing to measure"),
        ("one\ntwo\n" * 50, "is no file of drawings: no line of it is a drawing"),
    ],
)
def test_a_file_without_digits_is_reported(digitlab, tmp_path, content, message):
    file = tmp_path / "drawings.jsonl"
    if content is not None:
        file.write_text(content)
    done = digitlab("evaluate", file)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_network_is_reported(digitlab):
    done = digitlab("evaluate", EXAMPLES, "--model", "nowhere/none")
    assert done.returncode == 1
    assert "There is no network" in done.stderr
    assert "digitlab train" in done.stderr
