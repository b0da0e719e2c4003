"""Reading drawings."""

import shutil
import subprocess
import sys
import threading

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from digitlab.files import onnx as onnx_files
from digitlab.files.settings import MAX_TEMPERATURE, MIN_TEMPERATURE
from digitlab.ink import Drawing, Ink
from digitlab.paths import MNIST_ONLY_NETWORK, SHIPPED_NETWORK, network_files
from digitlab.prepare import network_input, prepare
from digitlab.recognizer import Recognizer, apply_temperature, percent

ONNX = network_files(SHIPPED_NETWORK)[1]
EXAMPLES = [Ink.example(digit) for digit in range(10)]


def test_the_examples_are_read_as_inks_and_as_images(recognizer):
    assert [recognizer.predict(ink).digit for ink in EXAMPLES] == list(range(10))
    assert [recognizer.predict(ink.render()).digit for ink in EXAMPLES] == list(range(10))


def test_a_prediction_has_digit_confidence_and_image(recognizer):
    prediction = recognizer.predict(EXAMPLES[7])
    assert (prediction.digit, prediction.reason) == (7, None)
    assert prediction.probabilities.shape == (10,)
    assert prediction.probabilities.dtype == np.float32
    assert prediction.probabilities.sum() == pytest.approx(1)
    # Confidence: it is a digit, and a 7. Probability: it is a 7, if it is a digit.
    assert 0.9 < prediction.confidence <= prediction.probabilities.max()
    assert np.array_equal(prediction.image, prepare(EXAMPLES[7]))
    assert str(prediction) == f"7 ({percent(prediction.confidence)} sure)"


@pytest.mark.parametrize(
    "tap", [Ink([[(140, 140)]]), Ink([[(3, 3), (4, 5), (3, 4)]]), Ink([[(500, 100), (505, 102)]], (1000, 1000))]
)
def test_a_dot_is_not_a_digit(recognizer, tap):
    prediction = recognizer.predict(tap)
    assert (prediction.digit, prediction.reason, prediction.confidence) == (None, "not a digit", 0)
    assert str(prediction) == "that's no digit, is it?"


def test_a_prepare_of_ones_own_that_returns_nothing_is_told_so(recognizer):
    with pytest.raises(TypeError, match="Does its last line begin with return"):
        recognizer.predict(Ink.example(7), prepare=lambda drawing: None)


@pytest.mark.parametrize("network", [SHIPPED_NETWORK, MNIST_ONLY_NETWORK])
def test_no_input_gives_no_probabilities(network):
    assert Recognizer.load(network).probabilities(np.zeros((0, 28, 28, 1), np.float32)).shape == (0, 10)


def test_ink_too_faint_to_be_seen_at_28_pixels_is_empty(recognizer):
    image = np.zeros((2, 40_000), np.uint8)
    image[0, 0] = image[-1, -1] = 255
    assert recognizer.predict(image).reason == "empty"


@pytest.mark.parametrize("digit", range(10))
def test_an_ink_on_a_canvas_of_one_by_one_is_read(recognizer, digit):
    ink = Ink([stroke / 280 for stroke in EXAMPLES[digit].strokes], (1, 1))
    assert recognizer.predict(ink).digit == digit
    assert recognizer.predict(Ink.from_json(ink.to_json())).digit == digit


@pytest.mark.parametrize(
    ("prepare_badly", "message"),
    [
        (lambda drawing: prepare(drawing) / 255, r"must be uint8.*\(image \* 255\)"),
        (lambda drawing: prepare(drawing)[:20, :20], r"shape \(28, 28\), not \(20, 20\)"),
        (lambda drawing: prepare(drawing)[np.newaxis], r"shape \(h, w\), not \(1, 28, 28\)"),
    ],
)
def test_a_wrong_result_of_ones_own_prepare_is_refused(recognizer, prepare_badly, message):
    with pytest.raises(ValueError, match=message):
        recognizer.predict(EXAMPLES[3], prepare_badly)


def test_a_letter_is_not_a_digit(recognizer):
    letter = Ink([[(80, 230), (140, 50), (200, 230)], [(105, 165), (175, 165)]])
    prediction = recognizer.predict(letter)
    assert (prediction.digit, prediction.reason) == (None, "not a digit")
    # Beside a letter all digits are improbable, whatever they share out among them.
    assert prediction.confidence < 0.1 * prediction.probabilities.max()
    assert prediction.probabilities.sum() == pytest.approx(1)


def test_an_unsure_network_names_the_two_most_probable_digits(recognizer):
    unsure = Recognizer(recognizer._net, recognizer.path, recognizer.temperature, threshold=1.1)
    prediction = unsure.predict(EXAMPLES[7])
    assert (prediction.digit, prediction.reason) == (None, "unsure")
    assert str(prediction).startswith("not sure: 7 or ")


def test_a_network_trained_on_digits_only_always_reads_one():
    prediction = Recognizer.load(MNIST_ONLY_NETWORK).predict(Ink([[(140, 140)]]))
    assert prediction.digit is not None
    assert prediction.confidence == pytest.approx(prediction.probabilities.max())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"temperature": 1}',
        '{"temperature": "warm", "threshold": 0}',
        '{"temperature": 0, "threshold": 0}',
        '{"temperature": 1e-9, "threshold": 0}',
        '{"temperature": 101, "threshold": 0}',
        '{"temperature": 1, "threshold": 5}',
        '{"temperature": 1, "threshold": -1}',
        '{"temperature": 1, "threshold": NaN}',
        '{"temperature": 1, "threshold": Infinity}',
        pytest.param('{"temperature": 1' + "0" * 400 + ', "threshold": 0}', id="huge number"),
        pytest.param("[" * 200_000, id="deeply nested"),
    ],
)
def test_damaged_settings_are_reported_with_a_remedy(tmp_path, content):
    shutil.copy(ONNX, tmp_path / "mine.onnx")
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(ValueError, match=r"mine\.json is damaged.*temperature.*threshold, 0 to 1; .*digitlab train"):
        Recognizer.load(tmp_path / "mine.onnx")


@pytest.mark.parametrize("nothing", [Ink(), np.zeros((100, 50), np.uint8)])
def test_nothing_is_read_in_an_empty_drawing(recognizer, nothing):
    prediction = recognizer.predict(nothing)
    assert (prediction.digit, prediction.reason, prediction.confidence) == (None, "empty", 0.0)
    assert prediction.probabilities.tolist() == pytest.approx([0.1] * 10)
    assert str(prediction) == "nothing drawn"


def test_many_drawings_are_read_like_single_ones_in_order(recognizer):
    drawings = [*EXAMPLES, Ink(), EXAMPLES[3].render()] * 30
    many = recognizer.predict_many(drawings)
    assert [prediction.digit for prediction in many] == [*range(10), None, 3] * 30
    for one, among_many in zip([recognizer.predict(drawing) for drawing in drawings[:12]], many, strict=False):
        assert one.probabilities == pytest.approx(among_many.probabilities, abs=1e-6)
    assert recognizer.predict_many([]) == []


@pytest.mark.parametrize("one", [EXAMPLES[7], EXAMPLES[7].render()])
def test_one_drawing_is_not_read_as_several(recognizer, one):
    with pytest.raises(TypeError, match="for one use predict"):
        recognizer.predict_many(one)


def test_a_drawing_with_a_label_is_not_an_ink(recognizer):
    with pytest.raises(TypeError, match=r"not Drawing; its ink is one: give drawing\.ink"):
        recognizer.predict(Drawing(EXAMPLES[7], "7"))


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 28, 28, 1), np.uint8),
        [np.zeros((28, 28), np.uint8)],
        np.full((2, 28, 28, 1), 255, np.float32),
        np.zeros((28, 28, 1), np.float32),
        np.full((2, 28, 28, 1), -0.5, np.float32),
    ],
)
def test_what_is_no_network_input_is_refused(recognizer, x):
    with pytest.raises(ValueError, match=r"network_input\(images\)"):
        recognizer.probabilities(x)


def test_a_recognizer_may_be_called_from_several_threads(recognizer):
    expected = [recognizer.predict(ink).probabilities for ink in EXAMPLES]
    wrong = []

    def read(digits):
        for _ in range(30):
            for digit in digits:
                try:
                    if not np.array_equal(recognizer.predict(EXAMPLES[digit]).probabilities, expected[digit]):
                        wrong.append(digit)
                except Exception as error:
                    wrong.append(error)

    threads = [threading.Thread(target=read, args=(order,)) for order in (range(10), range(9, -1, -1), (5, 1, 8))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=30),
        max_size=6,
    )
)
def test_any_strokes_get_a_prediction(strokes):
    prediction = shared.predict(Ink(strokes))
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert 0 <= prediction.confidence <= 1
    assert (prediction.reason == "empty") == (not strokes)
    assert (prediction.digit is None) == (prediction.reason is not None)
    again = shared.predict(Ink(strokes))
    assert np.array_equal(again.probabilities, prediction.probabilities)


@given(st.integers(0, 9), st.floats(-500, 500), st.floats(-500, 500), st.floats(0.15, 1.5))
def test_a_digit_is_the_same_at_any_position_and_size(digit, x, y, scale):
    moved = Ink([stroke * scale + np.array([x, y]) for stroke in EXAMPLES[digit].strokes])
    assert shared.predict(moved).digit == digit


shared = Recognizer.load()


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.999, "> 99 %"), (1.0, "> 99 %"), (0.99, "99 %"), (0.876, "88 %"), (0.0, "0 %")]
)
def test_no_confidence_is_shown_as_certainty(confidence, words):
    assert percent(confidence) == words


@pytest.mark.parametrize("temperature", [MIN_TEMPERATURE, 1, MAX_TEMPERATURE])
def test_probabilities_sum_to_1_at_any_temperature(temperature):
    rows = np.array([[0.1] * 10, [1] + [0] * 9, [0.5, 0.5] + [0] * 8], np.float32)
    changed = apply_temperature(rows, temperature)
    assert changed.sum(axis=1) == pytest.approx(1)
    assert (changed.argmax(axis=1) == 0).all()


@pytest.mark.parametrize("temperature", [MIN_TEMPERATURE, MAX_TEMPERATURE])
def test_a_letters_probabilities_of_digits_sum_to_1_at_any_temperature(recognizer, temperature):
    other = Recognizer(recognizer._net, recognizer.path, temperature)
    letter = Ink([[(80, 230), (140, 50), (200, 230)], [(105, 165), (175, 165)]])
    prediction = other.predict(letter)
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert np.array_equal(prediction.probabilities, other.probabilities(network_input([prediction.image]))[0])


def test_a_network_is_found_with_and_without_its_suffix(tmp_path):
    shutil.copy(ONNX, tmp_path / "mine.v2.onnx")
    for name in ("mine.v2.onnx", "mine.v2"):
        assert Recognizer.load(tmp_path / name).predict(EXAMPLES[3]).digit == 3


def test_a_missing_network_is_reported_with_a_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no network .*none\.onnx.*digitlab train --output .*none$"):
        Recognizer.load(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(ONNX.read_bytes()[:100_000], id="truncated"),
        pytest.param(ONNX.read_bytes()[:-1], id="one byte short"),
        pytest.param(b"", id="empty"),
        pytest.param(b"This is not a network.\n" * 50, id="text"),
    ],
)
def test_a_damaged_network_is_reported_with_a_remedy(tmp_path, content):
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.onnx is damaged or not an ONNX network.*digitlab train"):
        Recognizer.load(file)


# Bytes of this file that end OpenCV 5.0.0's reader, and Python with it.
DEADLY = [(181, 23), (2142, 199)]


@pytest.mark.parametrize(("position", "value"), DEADLY)
@pytest.mark.parametrize("with_checksum", [True, False])
def test_a_changed_byte_does_not_end_python(tmp_path, position, value, with_checksum):
    content = bytearray(network_files(MNIST_ONLY_NETWORK)[1].read_bytes())
    content[position] = value
    file = tmp_path / "changed.onnx"
    file.write_bytes(content if with_checksum else content[: -len(onnx_files.checksum_of(b""))])
    with pytest.raises(ValueError, match=r"changed\.onnx is damaged or not an ONNX network"):
        Recognizer.load(file)


def test_a_changed_weight_is_noticed(tmp_path):
    content = bytearray(ONNX.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "changed.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"changed\.onnx is damaged"):
        Recognizer.load(tmp_path / "changed")


def test_only_a_network_of_another_program_is_read_in_another_process(tmp_path, monkeypatch):
    plain = dense_network((28, 28, 1), 10)
    onnx_files._can_be_read.cache_clear()  # Another test may have read the same network.
    started = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *command, **options: started.append(1) or run(*command, **options))
    for network in (SHIPPED_NETWORK, MNIST_ONLY_NETWORK):
        Recognizer.load(network)
    assert not started
    assert onnx_files.is_whole(plain)
    assert onnx_files.is_whole(plain)
    assert len(started) == 1
    assert onnx_files.add_checksum(onnx_files.add_checksum(plain)) == onnx_files.add_checksum(plain)
    assert onnx.load_from_string(onnx_files.add_checksum(plain)).graph == onnx.load_from_string(plain).graph


def dense_network(inputs, outputs):
    """Return an ONNX network of one flat layer from (n, *inputs) to (n, outputs)."""
    weights = np.zeros((int(np.prod(inputs)), outputs), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"], axis=1), helper.make_node("MatMul", ["flat", "w"], ["y"])],
        "flat",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [((28, 28, 1), 7), ((32, 32, 3), 10), ((784,), 9), ((28, 28, 1), 10)],
    ids=["7 outputs", "colour", "9 outputs", "no probabilities"],
)
def test_a_network_of_another_shape_is_refused(tmp_path, inputs, outputs):
    file = tmp_path / "other.onnx"
    file.write_bytes(dense_network(inputs, outputs))
    with pytest.raises(ValueError, match=r"other\.onnx is a network, but not from \(n, 28, 28, 1\) pixels"):
        Recognizer.load(file)


def test_reading_imports_neither_tensorflow_nor_the_notebook():
    program = """if True:
        import sys
        from digitlab import Ink, Recognizer
        assert Recognizer.load().predict(Ink.example(4)).digit == 4
        print(sorted({"tensorflow", "keras", "matplotlib", "ipywidgets"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_importing_the_package_does_not_import_numpy():
    program = "import digitlab, sys; print(sorted({'numpy', 'cv2', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_probabilities_are_those_of_the_predictions(recognizer):
    predictions = recognizer.predict_many([Ink.example(digit) for digit in range(10)])
    probabilities = recognizer.probabilities(network_input([prediction.image for prediction in predictions]))
    assert probabilities == pytest.approx(np.array([prediction.probabilities for prediction in predictions]))
