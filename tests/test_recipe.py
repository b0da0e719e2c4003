"""How the shipped network is made, in small; and what it is told about its own certainty."""

import json

import numpy as np
import pytest

from digitlab import network
from digitlab.data import NOT_A_DIGIT
from digitlab.ink import Ink
from digitlab.paths import settings_of
from digitlab.prepare import network_input
from digitlab.recognizer import Recognizer, apply_temperature
from digitlab.training import recipe
from digitlab.training.synthesis import synthesise


def test_synthesised_drawings_are_the_same_for_the_same_seed():
    images, labels = synthesise(3000, seed=1)
    again, _ = synthesise(3000, seed=1)
    other, _ = synthesise(3000, seed=2)
    assert images.shape == (3000, 28, 28)
    assert np.bincount(labels).tolist() == [250] * 10 + [500]
    assert np.array_equal(images, again)
    assert not np.array_equal(images, other)


def test_a_network_made_by_the_recipe_is_saved_with_what_reading_needs(mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "HELD_OUT", 6000)
    network.keras.utils.set_random_seed(0)
    (images, labels), _ = mnist
    model, settings = recipe.train(images[:9000], labels[:9000], seed=0, epochs=1, drawings=3000)
    assert model.output_shape == (None, 11)
    network.save(model, tmp_path / "full", settings)
    assert json.loads(settings_of(tmp_path / "full").read_text()) == settings
    recognizer = Recognizer.load(tmp_path / "full")
    assert (recognizer.temperature, recognizer.threshold) == (settings["temperature"], settings["threshold"])
    assert len(recognizer.predict_many([Ink.example(digit) for digit in range(10)])) == 10
    # A network of ten answers in its place brings no settings, and must not be read with those of another.
    network.save(network.build(), tmp_path / "full")
    assert not settings_of(tmp_path / "full").exists()
    assert Recognizer.load(tmp_path / "full").temperature == 1


def test_settling_measures_the_normalisations_anew_and_leaves_the_weights_alone():
    model = recipe.build()
    x = network_input(np.random.default_rng(0).integers(0, 256, (64, 28, 28), np.uint8))
    weights = [weight.numpy() for weight in model.trainable_variables]
    convolution, pooling, normalisation = model.layers[:3]
    mean = pooling(convolution(x)).numpy().mean(axis=(0, 1, 2))
    recipe.update_batch_norm(model, [(x, None)] * 50, batches=30)
    assert all(np.array_equal(new.numpy(), old) for new, old in zip(model.trainable_variables, weights, strict=True))
    assert normalisation.moving_mean.numpy() == pytest.approx((1 - 0.99**30) * mean, rel=0.01, abs=1e-4)


def answers(sureness, digits, random):
    """Probabilities of a network that gives a digit so much, and the rest to others by chance."""
    rest = random.dirichlet(np.ones(11), len(digits)) * (1 - sureness)[:, np.newaxis]
    rest[np.arange(len(digits)), digits] += sureness
    return rest


def test_a_network_that_is_too_sure_is_made_less_sure_until_it_is_right_as_often_as_it_says():
    random = np.random.default_rng(0)
    digits = random.integers(0, 10, 20_000)
    given = answers(np.full(len(digits), 0.98), digits, random)
    labels = np.where(random.random(len(digits)) < 0.9, digits, random.integers(0, 10, len(digits)))
    temperature = recipe.calibrate(given, labels)["temperature"]
    confidence = apply_temperature(given, temperature).max(axis=1)
    right = given.argmax(axis=1) == labels
    assert temperature > 1
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.03)


def test_below_the_threshold_it_would_be_wrong_too_often():
    random = np.random.default_rng(0)
    digits = random.integers(0, 10, 20_000)
    sureness = random.uniform(0.3, 0.99, len(digits))
    labels = np.where(sureness > 0.6, digits, NOT_A_DIGIT)
    given = answers(sureness, digits, random)
    settings = recipe.calibrate(given, labels)
    accepted = apply_temperature(given, settings["temperature"])[:, :10].max(axis=1) >= settings["threshold"]
    assert (labels[accepted] != digits[accepted]).mean() <= recipe.WRONG_AMONG_ACCEPTED + 1e-3
    assert accepted.mean() > 0.3


def test_a_network_that_is_wrong_where_it_is_surest_is_never_sure():
    given = np.full((1000, 11), 0.01)
    given[:, 3] = 0.9
    assert recipe.calibrate(given, np.full(1000, 4))["threshold"] == 1


def test_the_help_tells_how_many_epochs_the_recipe_takes(digitlab):
    said = " ".join(digitlab("train", "--help").stdout.split())
    assert f"full: {recipe.EPOCHS})" in said
