"""The recipe of the shipped network, on less data; and the calibration of its confidence."""

import json

import numpy as np
import pytest

from digitlab import network
from digitlab.data import NOT_A_DIGIT, load_drawings
from digitlab.ink import Ink
from digitlab.paths import settings_of
from digitlab.recognizer import Recognizer, apply_temperature
from digitlab.training import epochs, recipe
from digitlab.training.epochs import Mixture

SMALL = Mixture(people=200, letters=100, code=100, others=100)


class StopIn(network.keras.callbacks.Callback):
    """Stops the training when an epoch begins, as Ctrl-C would."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch
        self.begun = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append(epoch)
        if epoch == self._epoch:
            raise KeyboardInterrupt


@pytest.fixture
def small(mnist, monkeypatch):
    """Return what trains a network by the recipe on little: keyword arguments of `recipe.train`."""
    monkeypatch.setattr(recipe, "MADE_BY_CODE", (100, 50))
    monkeypatch.setattr(recipe, "REFINEMENTS", 1)
    monkeypatch.setattr(epochs, "load_drawings", lambda part: load_drawings(part)[::20])
    network.keras.utils.set_random_seed(0)
    (x_train, y_train), _ = mnist
    return {"x_train": x_train[:1200], "y_train": y_train[:1200], "seed": 0, "mixture": SMALL}


def test_a_network_made_by_the_recipe_is_saved_with_its_settings(small, tmp_path, capsys):
    model, settings = recipe.train(**small, epochs=1)
    said = capsys.readouterr().out
    assert all(step in said for step in ("making drawings by code", "learning", "calibrating", "in all"))
    assert model.output_shape == (None, 11)
    network.save(model, tmp_path / "full", settings)
    assert json.loads(settings_of(tmp_path / "full").read_text()) == settings
    recognizer = Recognizer.load(tmp_path / "full")
    assert (recognizer.temperature, recognizer.threshold) == (settings["temperature"], settings["threshold"])
    assert len(recognizer.predict_many([Ink.example(digit) for digit in range(10)])) == 10
    # A network of ten outputs that replaces it has no settings, and must not be read with those of the first.
    network.save(network.build(), tmp_path / "full")
    assert not settings_of(tmp_path / "full").exists()
    assert Recognizer.load(tmp_path / "full").temperature == 1


def test_a_training_that_was_stopped_goes_on_where_it_was(small, tmp_path, capsys):
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        recipe.train(**small, epochs=2, state=state, callbacks=[StopIn(1)])
    watch = StopIn(None)
    recipe.train(**small, epochs=2, state=state, callbacks=[watch])
    assert "Going on after epoch 1 of 2." in capsys.readouterr().out
    # The second epoch, and then the one that refines.
    assert watch.begun == [1, 0]
    # Until the network is saved, the state stays.
    assert (state / "state.json").exists()


def test_another_training_does_not_go_on_with_that_state(tmp_path, capsys):
    model = recipe._compile(recipe.build(), 1, 10)
    sampling = [np.ones(3), np.full(3, 2.0)]
    recipe._save(tmp_path, model, {"seed": 0, "epochs": 9, "epoch": 4}, sampling)
    assert recipe._restore(tmp_path, model, {"seed": 1, "epochs": 9}, sampling) == (0, sampling)
    assert "is that of another training" in capsys.readouterr().out
    epoch, restored = recipe._restore(tmp_path, model, {"seed": 0, "epochs": 9}, None)
    assert epoch == 4
    assert np.array_equal(restored, sampling)
    (tmp_path / "epoch-4.npy").write_bytes(b"")  # As after a power cut.
    assert recipe._restore(tmp_path, model, {"seed": 0, "epochs": 9}, sampling) == (0, sampling)
    assert "is damaged: the training begins anew" in capsys.readouterr().out


def probabilities_with(confidence, digits, rng):
    """Return probabilities that give each digit its confidence, and share the rest at random."""
    probabilities = rng.dirichlet(np.ones(11), len(digits)) * (1 - confidence)[:, np.newaxis]
    probabilities[np.arange(len(digits)), digits] += confidence
    return probabilities


def test_an_overconfident_network_becomes_as_confident_as_it_is_accurate():
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 10, 20_000)
    probabilities = probabilities_with(np.full(len(digits), 0.98), digits, rng)
    labels = np.where(rng.random(len(digits)) < 0.9, digits, rng.integers(0, 10, len(digits)))
    temperature = recipe.calibrate(probabilities, labels)["temperature"]
    confidence = apply_temperature(probabilities, temperature).max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    assert temperature > 1
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.03)


def test_above_the_threshold_few_drawings_are_misread():
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 10, 20_000)
    confidence = rng.uniform(0.3, 0.99, len(digits))
    labels = np.where(confidence > 0.6, digits, NOT_A_DIGIT)
    probabilities = probabilities_with(confidence, digits, rng)
    settings = recipe.calibrate(probabilities, labels)
    accepted = apply_temperature(probabilities, settings["temperature"])[:, :10].max(axis=1) >= settings["threshold"]
    assert (labels[accepted] != digits[accepted]).mean() <= recipe.MAX_ERROR_RATE + 1e-3
    assert accepted.mean() > 0.3


def test_a_network_wrong_at_its_highest_confidence_never_reads_a_digit():
    probabilities = np.full((1000, 11), 0.01)
    probabilities[:, 3] = 0.9
    assert recipe.calibrate(probabilities, np.full(1000, 4))["threshold"] == 1


def test_the_help_says_how_many_epochs_the_recipe_takes(digitlab):
    help_text = " ".join(digitlab("train", "--help").stdout.split())
    assert f"full: {recipe.EPOCHS}, and then {recipe.REFINEMENTS} with smaller steps)" in help_text
