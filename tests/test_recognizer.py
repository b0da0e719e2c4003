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

from digitlab.ink import Ink
from digitlab.places import SHIPPED_NETWORK, network_files
from digitlab.prepare import prepare
from digitlab.recognizer import Recognizer, percent

ONNX = network_files(SHIPPED_NETWORK)[1]
EXAMPLES = [Ink.example(digit) for digit in range(10)]


def test_it_reads_the_examples_as_inks_and_as_images(recognizer):
    assert [recognizer.predict(ink).digit for ink in EXAMPLES] == list(range(10))
    assert [recognizer.predict(ink.render()).digit for ink in EXAMPLES] == list(range(10))


def test_a_prediction_tells_all_there_is(recognizer):
    prediction = recognizer.predict(EXAMPLES[7])
    assert (prediction.digit, prediction.reason) == (7, None)
    assert prediction.probabilities.shape == (10,)
    assert prediction.probabilities.dtype == np.float32
    assert prediction.probabilities.sum() == pytest.approx(1)
    assert prediction.confidence == prediction.probabilities.max()
    assert np.array_equal(prediction.image, prepare(EXAMPLES[7]))
    assert str(prediction) == f"7 ({percent(prediction.confidence)} sure)"


@pytest.mark.parametrize("nothing", [Ink(), np.zeros((100, 50), np.uint8)])
def test_nothing_is_read_where_nothing_was_drawn(recognizer, nothing):
    prediction = recognizer.predict(nothing)
    assert (prediction.digit, prediction.reason, prediction.confidence) == (None, "empty", 0.0)
    assert prediction.probabilities.tolist() == pytest.approx([0.1] * 10)
    assert str(prediction) == "nothing drawn"


def test_many_are_read_in_order_and_like_one_by_one(recognizer):
    drawings = [*EXAMPLES, Ink(), EXAMPLES[3].render()] * 30
    many = recognizer.predict_many(drawings)
    assert [prediction.digit for prediction in many] == [*range(10), None, 3] * 30
    for one, among_many in zip([recognizer.predict(drawing) for drawing in drawings[:12]], many, strict=False):
        assert one.probabilities == pytest.approx(among_many.probabilities, abs=1e-6)
    assert recognizer.predict_many([]) == []


def test_it_may_be_called_from_several_threads(recognizer):
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
def test_any_strokes_at_all_get_a_prediction(strokes):
    prediction = shared.predict(Ink(strokes))
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert 0 <= prediction.confidence <= 1
    assert (prediction.digit is None) == (not strokes)


shared = Recognizer.load()


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.999, "> 99 %"), (1.0, "> 99 %"), (0.99, "99 %"), (0.876, "88 %"), (0.0, "0 %")]
)
def test_no_confidence_is_shown_as_certainty(confidence, words):
    assert percent(confidence) == words


def test_a_network_is_named_with_and_without_its_suffix(tmp_path):
    shutil.copy(ONNX, tmp_path / "mine.v2.onnx")
    for name in ("mine.v2.onnx", "mine.v2"):
        assert Recognizer.load(tmp_path / name).predict(EXAMPLES[3]).digit == 3


def test_a_missing_network_is_told_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no network .*none\.onnx.*digitlab train"):
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
def test_a_damaged_network_is_told_with_its_remedy(tmp_path, content):
    file = tmp_path / "broken.onnx"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.onnx is damaged or no ONNX network.*digitlab train"):
        Recognizer.load(file)


def dense_network(inputs, outputs):
    """An ONNX network of one flat layer from (n, *inputs) to (n, outputs)."""
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
    ("inputs", "outputs"), [((28, 28, 1), 7), ((32, 32, 3), 10), ((784,), 9)], ids=["7 answers", "colour", "9 answers"]
)
def test_a_network_of_another_shape_is_told(tmp_path, inputs, outputs):
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


def test_importing_the_package_imports_not_even_numpy():
    program = "import digitlab, sys; print(sorted({'numpy', 'cv2', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
