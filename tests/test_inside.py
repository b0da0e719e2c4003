"""The look inside a network: its layers, its filters, and the panel that shows them."""

import threading
import time

import numpy as np
import pytest
from helpers import wait_until
from test_pad import View, button, draw

from digitlab import Ink, Recognizer
from digitlab.inside import layer_limits
from digitlab.pad import DrawingPad
from digitlab.panels import InsidePanel
from digitlab.panels.inside import quantized
from digitlab.paths import MNIST_ONLY_NETWORK, SHIPPED_NETWORK
from digitlab.prepare import network_input, prepare

FOUR = prepare(Ink.example(4))
NETWORKS = (MNIST_ONLY_NETWORK, SHIPPED_NETWORK)


@pytest.mark.parametrize("path", NETWORKS, ids=["MNIST only", "shipped"])
def test_the_layers_are_those_that_keras_computes(path):
    from digitlab import network

    model = network.load(path)
    recognizer = Recognizer.load(path)
    values = [network_input([FOUR])]
    for layer in model.layers:
        values.append(np.array(layer(values[-1], training=False)))
    layers = recognizer.layers(FOUR)
    assert next(iter(layers)) == "pixels"
    assert [*layers][-1] == "answer"
    weighted = [layer for layer in model.layers if layer.__class__.__name__ in ("Conv2D", "Dense")]
    assert len(layers) == len(weighted) + 1
    assert np.array_equal(layers["pixels"], FOUR / np.float32(255))
    assert layers["answer"] == pytest.approx(values[-1][0], abs=1e-5)
    for name, found in layers.items():
        after_relu = [value[0] for value in values[1:] if value.shape[1:] == found.shape]
        assert any(np.allclose(np.maximum(found, 0), value, atol=1e-4) for value in after_relu) or name == "pixels"
        assert found.min() < 0 or name in ("pixels", "answer")
    weights, biases = recognizer.filters()
    assert np.array_equal(weights, model.layers[0].get_weights()[0][:, :, 0])
    assert biases.shape == weights.shape[2:]


def test_a_network_without_a_convolution_has_layers_and_no_filters(tmp_path):
    from digitlab import network

    layers = network.keras.layers
    dense = [layers.Flatten(), layers.Dense(12, activation="relu"), layers.Dense(10, activation="softmax")]
    network.save(network.keras.Sequential([network.keras.Input((28, 28, 1)), *dense]), tmp_path / "dense")
    recognizer = Recognizer.load(tmp_path / "dense")
    assert {name: value.shape for name, value in recognizer.layers(FOUR).items()} == {
        "pixels": (28, 28),
        "dense 1": (12,),
        "answer": (10,),
    }
    with pytest.raises(ValueError, match="no convolution"):
        recognizer.filters()


def test_threads_that_look_inside_together_all_see_the_same(recognizer):
    expected = recognizer.layers(FOUR)
    seen = []

    def look():
        for _ in range(20):
            layers = recognizer.layers(FOUR)
            seen.append(all(np.array_equal(layers[name], expected[name]) for name in expected))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 60


def test_only_an_image_of_28_x_28_can_be_looked_at(recognizer):
    with pytest.raises(ValueError, match=r"\(28, 28\)"):
        recognizer.layers(np.zeros((20, 20), np.uint8))


def expected_bytes(recognizer, prediction):
    layers = {**recognizer.layers(prediction.image), "answer": prediction.probabilities}
    limits = layer_limits(recognizer)
    return b"".join(quantized(value, limits[name]) for name, value in layers.items())


def is_idle(panel):
    return not panel._working


def test_the_panel_shows_the_layers_of_the_drawing(recognizer):
    panel = InsidePanel()
    pad = DrawingPad(recognizer, panels=[panel])
    draw(pad, Ink.example(4))
    pad.read()
    wait_until(lambda: is_idle(panel))
    view = panel._view
    assert view.values == expected_bytes(recognizer, pad.prediction)
    assert [layer["name"] for layer in view.layers] == [*recognizer.layers(FOUR)]
    assert sum(np.prod(layer["shape"]) for layer in view.layers) == len(view.values)
    assert view.words[0] == "pixels: what the network sees."
    assert view.words[1].startswith("convolution 1, 24 filters; most is found by number ")
    assert view.words[-1] == f"answer: {pad.prediction}."
    assert panel._choice.layout.display == "none"


def test_nothing_is_shown_of_an_empty_pad(recognizer):
    panel = InsidePanel()
    pad = DrawingPad(recognizer, panels=[panel])
    draw(pad, Ink.example(4))
    pad.clear()
    wait_until(lambda: is_idle(panel))
    assert set(panel._view.values) == {0}
    assert panel._view.words[1] == "convolution 1: nothing is drawn."


def test_a_number_is_one_byte_with_its_sign_and_maps_come_one_after_the_other():
    values = np.array([[[0.5, -1.0]], [[2.0, -9.0]]])  # two maps, two rows high and one column wide
    assert np.frombuffer(quantized(values, 1.0), np.int8).tolist() == [64, 127, -127, -127]


def test_of_several_networks_one_is_chosen(recognizer, tmp_path):
    panel = InsidePanel()
    plain = Recognizer.load(MNIST_ONLY_NETWORK)
    pad = DrawingPad(networks={"yours": tmp_path / "none", "plain": plain, "ours": recognizer}, panels=[panel])
    draw(pad, Ink.example(7))
    pad.read()
    wait_until(lambda: is_idle(panel))
    assert panel._choice.options == ("plain", "ours")  # A network that is missing cannot be looked into.
    assert panel._view.values == expected_bytes(plain, pad.predictions["plain"])
    panel._choice.value = "ours"
    wait_until(lambda: is_idle(panel))
    assert panel._view.values == expected_bytes(recognizer, pad.predictions["ours"])
    pad.networks = {"taught": plain}
    wait_until(lambda: panel._choice.options == ("taught",) and is_idle(panel))
    assert panel._view.values == expected_bytes(plain, pad.predictions["taught"])


def test_without_a_network_the_panel_says_so(tmp_path):
    panel = InsidePanel()
    DrawingPad(networks={"yours": tmp_path / "none"}, panels=[panel])
    wait_until(lambda: is_idle(panel))
    assert panel._view.message == "There is no network to look into."
    assert panel._view.values == b""


def test_drawings_are_skipped_while_a_newer_one_waits(recognizer, monkeypatch):
    panel = InsidePanel()
    pad = DrawingPad(recognizer, panels=[panel])
    wait_until(lambda: is_idle(panel))
    shown = []
    go_on = threading.Event()

    def slow_layers(image):
        shown.append(image)
        go_on.wait(10)
        return Recognizer.layers(recognizer, image)

    monkeypatch.setattr(recognizer, "layers", slow_layers)
    view = View(pad)
    for points in np.split(Ink.example(0).strokes[0][:24], 8):
        view.send(view.part(points))
        pad.read()  # The answer comes although the look inside is still at the first drawing.
        assert pad.prediction.reason != "empty"
    go_on.set()
    wait_until(lambda: is_idle(panel))
    assert len(shown) == 2
    assert panel._view.values == expected_bytes(recognizer, pad.prediction)


def test_a_network_that_cannot_be_looked_into_is_reported(recognizer, monkeypatch):
    def fail(image):
        raise ValueError("its layers branch")

    monkeypatch.setattr(recognizer, "layers", fail)
    panel = InsidePanel()
    pad = DrawingPad(recognizer, panels=[panel])
    draw(pad, Ink.example(4))
    assert pad.prediction.digit == 4
    wait_until(lambda: is_idle(panel))
    assert panel._view.message == "It cannot be looked inside: its layers branch"
    monkeypatch.undo()
    pad.read()
    wait_until(lambda: panel._view.message == "")
    assert button(pad, "Clear")


def test_the_thread_of_the_panel_ends_when_nothing_waits(recognizer):
    panel = InsidePanel()
    DrawingPad(recognizer, panels=[panel])
    wait_until(lambda: is_idle(panel))
    deadline = time.monotonic() + 10
    while any(thread.name == "digitlab-inside" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
