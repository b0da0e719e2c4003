"""The recipe of the shipped network, on less data; and the calibration of its confidence."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from digitlab import network
from digitlab.data import NOT_A_DIGIT, load_drawings
from digitlab.ink import Ink
from digitlab.paths import MNIST_ONLY_NETWORK, settings_of
from digitlab.prepare import network_input
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


def test_a_training_that_was_stopped_goes_on_where_it_was(small, tmp_path, capsys, monkeypatch):
    state = tmp_path / "state"
    network.keras.utils.set_random_seed(0)
    with pytest.raises(KeyboardInterrupt):
        recipe.train(**small, epochs=2, state=state, callbacks=[StopIn(1)])
    # After one epoch the network knows next to nothing, so that nearly every drawing is hard, and shown more often.
    weights, next_weights = np.load(state / "epoch-1.npy")
    assert np.median(next_weights / weights) > 1 + recipe.HARDNESS / 2
    watch, seen = StopIn(None), {}
    probabilities, calibrate = recipe.probabilities, recipe.calibrate
    monkeypatch.setattr(recipe, "probabilities", lambda model, x: seen.update(x=x) or probabilities(model, x))
    monkeypatch.setattr(recipe, "calibrate", lambda p, labels: seen.update(labels=labels) or calibrate(p, labels))
    resumed, _ = recipe.train(**small, epochs=2, state=state, callbacks=[watch])
    _, (x_val, y_val) = recipe.hold_out(small["x_train"], small["y_train"])
    assert np.array_equal(seen["x"][-len(x_val) :], network_input(x_val))
    assert np.array_equal(seen["labels"][-len(y_val) :], y_val)
    assert "Going on after epoch 1 of 2." in capsys.readouterr().out
    # The second epoch, and then the one that refines.
    assert watch.begun == [1, 0]
    # Until the network is saved, the state stays.
    assert (state / "state.json").exists()
    network.keras.utils.set_random_seed(0)
    whole, _ = recipe.train(**small, epochs=2)
    for one, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-6)


def test_only_the_state_of_the_training_is_removed(tmp_path):
    state, own = tmp_path / "state", tmp_path / "own"
    model = recipe._compile(recipe.build(), 1, 10)
    for folder in (state, own):
        folder.mkdir()
    plan = own / "epoch-plan.txt"
    plan.write_text("mine")
    for folder in (state, own):
        for epoch in (1, 2):
            recipe._save(folder, model, {"epoch": epoch}, [np.ones(3)])
        assert {path.name for path in folder.glob("epoch-[0-9]*")} == {"epoch-2.npy", "epoch-2.weights.h5"}
        recipe.remove_state(folder)
    assert not state.exists()
    assert [*own.iterdir()] == [plan]
    recipe.remove_state(state)


def test_another_training_does_not_go_on_with_that_state(tmp_path, capsys):
    model = recipe._compile(recipe.build(), 1, 10)
    sampling = [np.ones(3), np.full(3, 2.0)]
    recipe._save(tmp_path, model, {"seed": 0, "epochs": 9, "epoch": 4}, sampling)
    assert recipe._restore(tmp_path, model, {"seed": 1, "epochs": 9}, sampling) == (0, sampling)
    assert "is that of another training" in capsys.readouterr().out
    whole = (tmp_path / "state.json").read_text()
    # Without the numbers of its dropout the training would go on in another way than one that was not stopped.
    without = {key: value for key, value in json.loads(whole).items() if key != "dropout"}
    (tmp_path / "state.json").write_text(json.dumps(without))
    assert recipe._restore(tmp_path, model, {"seed": 0, "epochs": 9}, sampling) == (0, sampling)
    assert "is damaged: the training begins anew" in capsys.readouterr().out
    (tmp_path / "state.json").write_text(whole)
    epoch, restored = recipe._restore(tmp_path, model, {"seed": 0, "epochs": 9}, None)
    assert epoch == 4
    assert np.array_equal(restored, sampling)
    (tmp_path / "epoch-4.npy").write_bytes(b"")  # As after a power cut.
    assert recipe._restore(tmp_path, model, {"seed": 0, "epochs": 9}, sampling) == (0, sampling)
    assert "is damaged: the training begins anew" in capsys.readouterr().out


def test_every_image_is_learnt_with_its_own_label(monkeypatch):
    labels = np.random.default_rng(0).integers(0, 11, 300).astype(np.uint8)
    images = np.zeros((300, 28, 28), np.uint8)
    images[np.arange(300), labels, 0] = 255  # The row of the white pixel is the label.
    maker = SimpleNamespace(order=lambda *_: None, take=lambda epoch: (images, labels))
    model, learnt = recipe._compile(recipe.build(), 1, 10), []

    def train_on_batch(x, y, return_dict):
        learnt.extend(zip(x[:, :, 0, 0].argmax(axis=1), y.argmax(axis=1), strict=True))
        return {"loss": 0.0}

    monkeypatch.setattr(model, "train_on_batch", train_on_batch)
    trainer = recipe.EpochTrainer(model, SimpleNamespace(seed=0), [], recipe.Clock())
    trainer.learn_epoch(maker, 0, 1, [None, None])
    assert len(learnt) == 300 // recipe.BATCH_SIZE * recipe.BATCH_SIZE
    assert all(seen == told for seen, told in learnt)
    assert [told for _, told in learnt] != labels[: len(learnt)].tolist()  # In another order.


def test_what_is_held_out_is_not_learnt():
    x, y = np.arange(24), np.arange(100, 124)
    (x_train, y_train), (x_held, y_held) = recipe.hold_out(x, y)
    assert [*x_train, *x_held] == x.tolist()
    assert [*y_train, *y_held] == y.tolist()
    assert len(x_held) == 2


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


def test_an_underconfident_network_becomes_as_confident_as_it_is_accurate():
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 10, 20_000)
    probabilities = probabilities_with(np.full(len(digits), 0.8), digits, rng)
    labels = np.where(rng.random(len(digits)) < 0.97, digits, (digits + 1) % 10)
    temperature = recipe.calibrate(probabilities, labels)["temperature"]
    confidence = apply_temperature(probabilities, temperature).max(axis=1)
    assert temperature < 1
    assert confidence.mean() == pytest.approx(0.97, abs=0.02)


def test_a_letter_that_is_known_to_be_none_makes_no_digit_more_confident():
    probabilities = np.zeros((1000, 11))
    probabilities[:, [3, NOT_A_DIGIT]] = 0.45, 0.55
    assert recipe.calibrate(probabilities, np.full(1000, NOT_A_DIGIT))["temperature"] < 1


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
    # A network that is right at its highest confidence reads, though that is rounded to 1.
    sure = np.full((1000, 11), 1e-7)
    sure[:, 3] = 1
    assert recipe.calibrate(sure, np.full(1000, 3))["threshold"] < 1


def test_a_network_wrong_at_its_highest_confidence_never_reads_a_digit():
    probabilities = np.full((1000, 11), 0.01)
    probabilities[:, 3] = 0.9
    settings = recipe.calibrate(probabilities, np.full(1000, 4))
    assert settings["threshold"] == 1
    sharp = Recognizer.load(MNIST_ONLY_NETWORK)
    surest = Recognizer(sharp._net, sharp.path, temperature=0.2, threshold=settings["threshold"])
    prediction = surest.predict(Ink.example(3))
    assert (prediction.confidence, prediction.reason) == (1, "unsure")


def test_the_help_says_how_many_epochs_the_recipe_takes(digitlab):
    help_text = " ".join(digitlab("train", "--help").stdout.split())
    assert f"full: {recipe.EPOCHS}, and then {recipe.REFINEMENTS} with smaller steps)" in help_text
