"""Fine-tuning a network to a person's drawings: what it learns, what it keeps, and its messages."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import wait_until

from digitlab.ink import Drawing, Ink, append_drawing
from digitlab.paths import MNIST_ONLY_NETWORK, SHIPPED_NETWORK, network_files
from digitlab.recognizer import Recognizer
from digitlab.training.finetune import FinetuneProcess, finetune


def odd_sevens(count):
    """Return sevens with a bar near their foot, which the network that knows only MNIST reads as twos."""
    rng = np.random.default_rng(0)
    strokes = [np.array([(80, 60), (190, 55), (150, 140), (110, 240)]), np.array([(50, 200), (120, 195), (220, 200)])]
    return [Ink([stroke + rng.normal(0, 5, stroke.shape) for stroke in strokes]) for _ in range(count)]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """Fine-tune to twenty drawings in a process of its own, as the pad does; return the network and the messages."""
    folder = tmp_path_factory.mktemp("taught")
    for ink in odd_sevens(20):
        append_drawing(folder / "drawings.jsonl", ink, 7)
    progress, ends = [], []
    FinetuneProcess(progress.append, ends.append, folder / "drawings.jsonl", MNIST_ONLY_NETWORK, folder / "taught")
    wait_until(lambda: ends, seconds=180)
    return folder / "taught", progress, ends


def test_twenty_drawings_of_a_style_are_enough_to_learn_it(taught):
    path, _, (result,) = taught
    assert result["learnt"] == result["held_out"]["count"] == 10
    assert result["held_out"]["before"] <= 3
    assert result["held_out"]["after"] >= 9
    inks = odd_sevens(20)
    before = [prediction.digit for prediction in Recognizer.load(MNIST_ONLY_NETWORK).predict_many(inks[1::2])]
    after = [prediction.digit for prediction in Recognizer.load(path).predict_many(inks[1::2])]
    assert (before.count(7), after.count(7)) == (result["held_out"]["before"], result["held_out"]["after"])


def test_mnist_is_not_forgotten(taught, mnist):
    path, _, (result,) = taught
    assert result["mnist"]["count"] == 10_000
    assert result["mnist"]["after"] >= result["mnist"]["before"] - 30
    images, labels = mnist[1]
    digits = Recognizer.load(path).probabilities((images / np.float32(255))[..., np.newaxis]).argmax(axis=1)
    assert (digits == labels).sum() == result["mnist"]["after"]


def test_progress_is_reported_from_0_to_1(taught):
    _, progress, _ = taught
    assert progress == sorted(progress)
    assert len(progress) >= 4
    assert progress[-1] == 1


def test_cancelling_leaves_no_file(tmp_path):
    for ink in odd_sevens(4):
        append_drawing(tmp_path / "drawings.jsonl", ink, 7)
    progress, ends = [], []
    process = FinetuneProcess(
        progress.append, ends.append, tmp_path / "drawings.jsonl", MNIST_ONLY_NETWORK, tmp_path / "new"
    )
    wait_until(lambda: progress, seconds=120)
    process.cancel()
    wait_until(lambda: ends)
    assert ends == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["drawings.jsonl"]


def test_an_error_is_reported_as_one_sentence(tmp_path):
    ends = []
    FinetuneProcess(print, ends.append, tmp_path / "none.jsonl", MNIST_ONLY_NETWORK, tmp_path / "new")
    wait_until(lambda: ends, seconds=60)
    assert ends[0].startswith("There is too little to learn from: add at least two drawings")


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="Windows has no groups of processes")
def test_interrupting_a_cell_does_not_end_the_learning(tmp_path):
    process = FinetuneProcess(print, print, tmp_path / "none.jsonl")
    assert os.getpgid(process._process.pid) == process._process.pid != os.getpgid(0)
    process.cancel()


def test_a_file_of_another_kind_is_told(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\n\n1\n")
    ends = []
    FinetuneProcess(print, ends.append, tmp_path / "photo.jpg", MNIST_ONLY_NETWORK, tmp_path / "new")
    wait_until(lambda: ends, seconds=60)
    assert ends[0].endswith("photo.jpg is no file of drawings: no line of it is a drawing.")


def test_an_output_that_cannot_be_written_is_reported_before_training(tmp_path):
    for ink in odd_sevens(2):
        append_drawing(tmp_path / "drawings.jsonl", ink, 7)
    progress, ends = [], []
    inside_a_file = tmp_path / "drawings.jsonl" / "new"
    FinetuneProcess(progress.append, ends.append, tmp_path / "drawings.jsonl", MNIST_ONLY_NETWORK, inside_a_file)
    wait_until(lambda: ends, seconds=60)
    assert ends[0].startswith("No network can be saved in ")
    assert progress == []


def test_the_process_ends_when_its_parent_ends(tmp_path):
    for ink in odd_sevens(4):
        append_drawing(tmp_path / "drawings.jsonl", ink, 7)
    command = [
        sys.executable,
        "-m",
        "digitlab.training.finetune",
        tmp_path / "drawings.jsonl",
        "--output",
        tmp_path / "new",
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert not network_files(tmp_path / "new")[1].exists()


@pytest.mark.parametrize("labels", [[], ["7"], ["7", "3", "A", "A"]])
def test_too_few_drawings_are_refused(tmp_path, labels):
    drawings = [Drawing(Ink.example(7), label) for label in labels]
    with pytest.raises(ValueError, match="add at least two drawings of the same digit"):
        finetune(drawings, MNIST_ONLY_NETWORK, tmp_path / "new")


@pytest.mark.parametrize(
    "kept",
    [
        SHIPPED_NETWORK,
        network_files(MNIST_ONLY_NETWORK)[0],
        SHIPPED_NETWORK.parent / ".." / "model" / SHIPPED_NETWORK.name,
    ],
)
def test_the_networks_of_the_kit_are_not_overwritten(kept):
    before = network_files(kept)[1].read_bytes()
    with pytest.raises(ValueError, match="are not overwritten"):
        finetune([Drawing(ink, "7") for ink in odd_sevens(4)], MNIST_ONLY_NETWORK, kept)
    assert network_files(kept)[1].read_bytes() == before


def test_a_copy_of_the_shipped_network_keeps_its_settings(tmp_path, mnist, monkeypatch):
    for file in (*network_files(SHIPPED_NETWORK), SHIPPED_NETWORK.with_suffix(".json")):
        shutil.copy(file, tmp_path)
    (x_train, y_train), (x_test, y_test) = mnist
    little = (x_train, y_train), (x_test[:200], y_test[:200])
    monkeypatch.setattr("digitlab.training.finetune.load_mnist", lambda: little)
    monkeypatch.setattr("digitlab.training.finetune.MNIST_SAMPLE", 256)
    monkeypatch.setattr("digitlab.training.finetune.EPOCHS", 1)
    base = tmp_path / SHIPPED_NETWORK.name
    finetune([Drawing(ink, "7") for ink in odd_sevens(4)], base, tmp_path / "new")
    old, new = json.loads(base.with_suffix(".json").read_text()), json.loads((tmp_path / "new.json").read_text())
    assert old == new
    assert Recognizer.load(tmp_path / "new").threshold == old["threshold"]


def test_damaged_settings_are_told_before_anything_is_learnt(tmp_path):
    for file in network_files(SHIPPED_NETWORK):
        shutil.copy(file, tmp_path)
    base = tmp_path / SHIPPED_NETWORK.name
    base.with_suffix(".json").write_text("")
    with pytest.raises(ValueError, match=r"\.json is damaged: it must hold a temperature"):
        finetune([Drawing(ink, "7") for ink in odd_sevens(4)], base, tmp_path / "new", report=pytest.fail)


def test_a_bad_line_does_not_stop_the_learning(tmp_path):
    (tmp_path / "drawings.jsonl").write_text('{"label": "7", "stro\n')  # As after a power cut.
    append_drawing(tmp_path / "drawings.jsonl", Ink.example(7), 7)
    ends = []
    FinetuneProcess(print, ends.append, tmp_path / "drawings.jsonl", MNIST_ONLY_NETWORK, tmp_path / "new")
    wait_until(lambda: ends, seconds=60)
    assert ends[0].startswith("There is too little to learn from")  # The other line was read.
