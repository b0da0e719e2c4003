"""The benchmark that says which change of the lessons' network is worth what."""

import json
import sys

import numpy as np
import pytest

from digitlab import network
from digitlab.paths import KIT

sys.path.insert(0, str(KIT / "benchmarks"))
import changes


def test_without_a_change_it_is_the_network_of_the_notebook():
    def layers(model):
        return [(type(layer), {**layer.get_config(), "name": None}) for layer in model.layers]

    assert layers(changes.build()) == layers(network.build())
    assert layers(changes.build(dropout=0.9)) != layers(network.build())


def test_each_change_changes_one_thing():
    kinds = [type(layer).__name__ for layer in changes.build(filters=0).layers]
    assert kinds == ["Flatten", "Dense", "Dropout", "Dense"]
    assert changes.build(filters=4).layers[0].output.shape == (None, 26, 26, 4)
    assert changes.build(dropout=0.0).layers[-2].rate == 0


def test_a_training_counts_what_is_misread_of_the_held_out_digits(monkeypatch):
    monkeypatch.setattr(changes, "BATCHES", 2)
    monkeypatch.setattr(changes, "HELD_OUT", 20)
    rng = np.random.default_rng(0)
    result = changes.measure(
        rng.integers(0, 256, (84, 28, 28), np.uint8), rng.integers(0, 10, 84), seed=0, digits=50, filters=1
    )
    assert result["weights"] == changes.build(filters=1).count_params()
    assert 0 <= result["misread"] <= 20


def test_what_is_noted_is_not_trained_again_and_the_table_shows_the_spread(tmp_path, monkeypatch, capsys):
    file = tmp_path / "results.jsonl"
    noted = [
        {"change": change, "seed": seed, "weights": 1000, "misread": 50 + seed}
        for change in changes.CHANGES
        for seed in (0, 1)
    ]
    file.write_text("".join(json.dumps(result) + "\n" for result in noted[1:]), "utf-8")
    trained = []

    def measure(x, y, seed, **change):
        trained.append((seed, change))
        return {"weights": 1000, "misread": 60}

    monkeypatch.setattr(changes, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["changes.py", "--results", str(file), "--seeds", "2"])
    changes.main()
    assert trained == [(0, {})]
    assert len(file.read_text("utf-8").splitlines()) == len(noted)
    last = capsys.readouterr().out.split("2 of 2 trainings each")[1]
    assert "as in the notebook            1,000    98.89%   51, 60" in last
    assert "no convolution                1,000    98.99%   50, 51" in last


@pytest.mark.parametrize("change", changes.CHANGES)
def test_the_table_has_room_for_each_name(change):
    assert len(change) < 26
