"""Training and saving: whatever happens meanwhile, there is a network that works."""

import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import obey_permissions

from digitlab import network, paths
from digitlab.commands.main import main
from digitlab.files.onnx import add_checksum
from digitlab.ink import Ink
from digitlab.paths import KIT, MNIST_ONLY_NETWORK, SHIPPED_NETWORK, network_files, settings_of
from digitlab.prepare import network_input
from digitlab.recognizer import Recognizer
from digitlab.training import recipe
from digitlab.training.epochs import Mixture

keras = network.keras


@pytest.fixture(scope="module")
def small_network(mnist):
    """Return a network trained briefly on 2,000 digits."""
    keras.utils.set_random_seed(1)
    model = network.build()
    x_train, y_train = mnist[0]
    network.train(model, x_train[:2000], y_train[:2000], epochs=2)
    return model


@pytest.fixture
def saved(small_network, tmp_path):
    path = tmp_path / "model" / "mine"
    network.save(small_network, path)
    return path


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("path", [SHIPPED_NETWORK, MNIST_ONLY_NETWORK], ids=lambda path: path.name)
def test_the_two_files_of_a_shipped_network_agree_on_all_test_digits(path, mnist):
    x = network_input(mnist[1][0])
    assert network.pair_difference(path, x) <= 1e-5


def test_the_readme_says_how_many_of_mnists_test_digits_are_read(mnist):
    x_test, y_test = mnist[1]
    row = next(row for row in (KIT / "README.md").read_text("utf-8").splitlines() if "10,000 test digits |" in row)
    for path, figure in zip((SHIPPED_NETWORK, MNIST_ONLY_NETWORK), re.findall(r"([\d.]+) %", row), strict=True):
        answers = Recognizer.load(path).probabilities(network_input(x_test)).argmax(axis=1)
        assert 100 * np.mean(answers == y_test) == pytest.approx(float(figure), abs=0.02)


def test_the_options_of_train_reach_the_training(monkeypatch, tmp_path):
    got = {}

    def train(*arguments, **options):
        got.update(inspect.signature(actual).bind(*arguments, **options).arguments)
        return "a network", {"threshold": 0.5}

    actual = recipe.train
    monkeypatch.setattr(recipe, "train", train)
    monkeypatch.setattr(network, "accuracy", lambda *arguments: 0.5)
    monkeypatch.setattr(network, "save", lambda *arguments: got.update(saved=arguments))
    monkeypatch.setattr(keras.utils, "set_random_seed", lambda seed: got.update(seed_set=seed))
    output = tmp_path / "mine"
    options = ["--recipe", "full", "--epochs", "3", "--seed", "7", "--drawings", "people"]
    assert main(["train", *options, "--output", str(output)]) == 0
    assert (got["epochs"], got["seed"], got["seed_set"], got["state"].name) == (3, 7, 7, "mine.training")
    assert got["mixture"] == Mixture.of(["people"]) != Mixture()
    assert len(got["x_train"]) == len(got["y_train"]) == 60_000
    assert got["saved"] == ("a network", output, {"threshold": 0.5})
    monkeypatch.setattr(network, "train", lambda *arguments, **options: got.update(quick=arguments[3]))
    for given, epochs in (["--epochs", "2"], 2), ([], 5):
        assert main(["train", *given, "--output", str(output)]) == 0
        assert got["quick"] == epochs


def test_the_shipped_network_was_saved_without_its_optimizer():
    model = network.load(SHIPPED_NETWORK)
    assert not hasattr(model, "optimizer")
    # Four bytes for each weight: an optimizer would add two or three numbers for each.
    assert network_files(SHIPPED_NETWORK)[0].stat().st_size < 1.2 * 4 * model.count_params()


def test_a_trained_network_is_saved_as_two_files_that_agree(small_network, saved, mnist):
    images, labels = mnist[1]
    accuracy = network.accuracy(small_network, images[:2000], labels[:2000])
    assert accuracy > 0.8
    assert files_in(saved.parent) == ["mine.keras", "mine.onnx"]
    assert network.accuracy(network.load(saved), images[:2000], labels[:2000]) == accuracy
    assert network.pair_difference(saved, network_input(images[:2000])) <= 1e-5


def test_a_saved_network_is_recognized_by_its_checksum(saved):
    content = network_files(saved)[1].read_bytes()
    assert content == add_checksum(content)


def test_the_same_seed_gives_the_same_network(mnist):
    x_train, y_train = mnist[0]
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = network.build()
        network.train(model, x_train[:500], y_train[:500], epochs=1)
        outputs.append(model.predict(network_input(x_train[:10]), verbose=0))
    assert np.array_equal(*outputs)


def test_no_input_gives_no_probabilities(small_network):
    assert network.probabilities(small_network, np.zeros((0, 28, 28, 1), np.float32)).shape == (0, 10)


def test_the_keras_settings_of_another_course_do_not_matter(tmp_path):
    settings = {"backend": "jax", "floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.01}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    program = """if True:
        from digitlab import network
        import keras
        config = keras.config
        print(config.backend(), config.floatx(), config.image_data_format(), config.epsilon())
        print(network.build().output_shape)
    """
    environment = os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines() == ["tensorflow float32 channels_last 1e-07", "(None, 10)"], done.stderr
    assert done.stderr == ""  # TensorFlow's start-up messages neither.


def test_files_that_disagree_are_not_saved(small_network, saved, monkeypatch):
    before = [file.read_bytes() for file in network_files(saved)]
    monkeypatch.setattr(network.Recognizer, "run", lambda self, x: np.full((len(x), 10), 0.1, np.float32))
    with pytest.raises(ValueError, match=r"was not saved.*apart.*were not changed"):
        network.save(small_network, saved)
    assert [file.read_bytes() for file in network_files(saved)] == before
    assert files_in(saved.parent) == ["mine.keras", "mine.onnx"]


def test_a_full_disk_leaves_the_old_network(small_network, saved, monkeypatch):
    settings = settings_of(saved)
    settings.write_text('{"temperature": 2, "threshold": 0.5}')
    before = [file.read_bytes() for file in (*network_files(saved), settings)]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(network.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        network.save(small_network, saved)
    assert [file.read_bytes() for file in (*network_files(saved), settings)] == before
    assert files_in(saved.parent) == ["mine.json", "mine.keras", "mine.onnx"]


@pytest.mark.skipif(sys.platform == "win32", reason="ends a process as POSIX does")
def test_a_kill_while_saving_leaves_a_network_that_reads(saved):
    """The worst moment: the Keras file is replaced, the ONNX file is not."""
    program = f"""if True:
        import os
        from digitlab import network
        model = network.load({str(MNIST_ONLY_NETWORK)!r})
        replace = os.replace
        def replace_and_die(source, target):
            replace(source, target)
            os.kill(os.getpid(), 9)
        os.replace = replace_and_die
        network.save(model, {str(saved)!r})
    """
    old_onnx = network_files(saved)[1].read_bytes()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert network_files(saved)[1].read_bytes() == old_onnx
    assert len(Recognizer.load(saved).predict_many([Ink.example(digit) for digit in range(10)])) == 10
    assert network.load(saved).output_shape == (None, 10)


def test_the_pages_tell_how_many_weights_the_network_has():
    pages = ("notebooks/GLOSSARY.md", "notebooks/TEACHING.md", "model/README.md", "digitlab/exercises/questions.toml")
    for text in (network.build.__doc__, *((KIT / page).read_text("utf-8") for page in pages)):
        assert f"{network.build().count_params():,}" in text


def test_a_network_of_another_shape_is_refused_before_writing(tmp_path):
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"this one turns \(None, 28, 28\) into \(None, 3\)"):
        network.save(model, tmp_path / "mine")
    assert files_in(tmp_path) == []


def test_a_network_without_softmax_is_refused_and_not_saved(tmp_path):
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match=r"was not saved.*End it with softmax"):
        network.save(model, tmp_path / "mine")
    assert files_in(tmp_path) == []


def test_a_network_with_a_layer_for_training_only_is_refused_in_words(tmp_path):
    model = network.build()
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.RandomRotation(0.1), *model.layers])
    with pytest.raises(ValueError, match=r"was not saved.*such as RandomRotation"):
        network.save(model, tmp_path / "mine")
    assert files_in(tmp_path) == []


def test_a_network_whose_weights_have_run_away_is_refused_in_words(tmp_path):
    model = network.build()
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    with pytest.raises(ValueError, match=r"no numbers any more.* smaller learning rate"):
        network.save(model, tmp_path / "mine")


@pytest.mark.parametrize("model", [keras.Sequential([keras.layers.Dense(10)]), keras.Model()])
def test_a_network_that_does_not_know_its_input_is_refused(tmp_path, model):
    with pytest.raises(ValueError, match=r"begin it with keras\.Input\(\(28, 28, 1\)\)"):
        network.save(model, tmp_path / "mine")


def test_a_missing_or_damaged_keras_file_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no network .*none\.keras.*digitlab train"):
        network.load(tmp_path / "none")
    for content in (b"no network", network_files(SHIPPED_NETWORK)[0].read_bytes()[:1000]):
        (tmp_path / "broken.keras").write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.keras is damaged or no Keras network"):
            network.load(tmp_path / "broken")


def test_digitlab_train_makes_a_network_that_reads_99_percent(digitlab, tmp_path):
    done = digitlab("train")
    assert done.returncode == 0, done.stderr
    assert "469/469" in done.stdout
    assert "accuracy: 0.9" in done.stdout
    assert "loss: 0." in done.stdout
    percentage = float(done.stdout.split("It reads ")[1].split("%")[0])
    assert percentage >= 99
    model = tmp_path / "model" / "my_network"
    assert f"digitlab draw --model {model}.onnx" in done.stdout
    assert files_in(tmp_path / "model") == ["my_network.keras", "my_network.onnx"]
    assert Recognizer.load(model).predict(Ink.example(7)).digit == 7
    assert done.stderr == ""


def test_ctrl_c_stops_training_and_changes_nothing(saved, tmp_path):
    before = [file.read_bytes() for file in network_files(saved)]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "digitlab.train_model", "--output", str(saved)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if "Epoch 1/5" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped. Nothing was saved" in errors
    assert "Traceback" not in errors
    assert [file.read_bytes() for file in network_files(saved)] == before


def test_a_full_disk_is_noticed_before_training(tmp_path, monkeypatch, capsys):
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(paths.shutil, "disk_usage", lambda folder: usage(20_000_000, 1_000_000, 19_000_000))
    assert main(["train", "--output", str(tmp_path / "mine")]) == 1
    printed = capsys.readouterr()
    assert "the disk has less than 20 MB free" in printed.err
    assert "Training" not in printed.out


def test_files_of_a_killed_save_are_removed_a_day_later(saved, small_network):
    old, new = (saved.parent / f".new-{mark * 16}" for mark in "0a")
    own = saved.parent / ".new-ideas"
    for folder in (old, new, own):
        folder.mkdir()
        (folder / "mine.keras").write_bytes(b"half")
    for folder in (old, own):
        os.utime(folder, (time.time() - 90_000,) * 2)
    network.save(small_network, saved)
    assert not old.exists()
    assert new.exists()
    assert (own / "mine.keras").exists()


@pytest.mark.parametrize("settings", [None, {"temperature": 1.0, "threshold": 0.5}])
def test_a_file_that_has_the_name_of_the_settings_is_not_replaced(small_network, tmp_path, settings):
    notes = tmp_path / "mine.json"
    notes.write_text('{"accuracy": 0.97}')
    with pytest.raises(ValueError, match=r"mine\.json is in the way\. .* give the network another name"):
        network.save(small_network, tmp_path / "mine", settings)
    assert notes.read_text() == '{"accuracy": 0.97}'
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


def test_no_start_up_messages_are_shown_when_an_import_is_interrupted(capfd):
    def interrupted_import():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\nI0000 00:00 note\nthe reason\n")
        raise ImportError("interrupted")

    with pytest.raises(ImportError, match="interrupted"), network._without_startup_messages():
        interrupted_import()
    assert capfd.readouterr().err == "the reason\n"


@pytest.mark.skipif(sys.platform != "linux", reason="drops a Linux capability, so that root is refused too")
def test_a_read_only_folder_is_reported_before_training(digitlab, tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir(mode=0o555)
    done = digitlab("train", "--output", folder / "mine", preexec_fn=obey_permissions)
    assert done.returncode == 1
    assert "No network can be saved in" in done.stderr
    assert "Permission denied" in done.stderr
    assert "choose a folder that you may write to" in done.stderr
    assert "Epoch" not in done.stdout
    assert os.listdir(folder) == []


def test_a_network_file_from_elsewhere_runs_no_code(tmp_path):
    trap = tmp_path / "trap"
    code = f"__import__('pathlib').Path({str(trap)!r}).touch()"
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Lambda(eval(f"lambda x: ({code}, x[:, :10])[1]")),
        ]
    )
    trap.unlink(missing_ok=True)  # Building the model has run the code.
    model.save(tmp_path / "network.keras")
    trap.unlink(missing_ok=True)
    with pytest.raises(ValueError, match=r"network\.keras"):
        network.load(tmp_path / "network.keras")
    assert not trap.exists()


def test_a_changed_keras_file_is_loaded_or_refused_in_one_sentence(tmp_path, monkeypatch):
    content = network_files(MNIST_ONLY_NETWORK)[0].read_bytes()
    rng = np.random.default_rng(0)
    changes = [*rng.integers(0, 3000, 8), *rng.integers(0, len(content), 8)]
    for position in changes:
        changed = bytearray(content)
        changed[position] ^= 0x55
        (tmp_path / "changed.keras").write_bytes(changed)
        try:
            result = network.load(tmp_path / "changed").output_shape
        except ValueError as error:
            result = str(error)
        assert result == (None, 10) or "changed.keras is damaged or no Keras network" in result.splitlines()[-1]

    def fail(*arguments, **options):
        raise RuntimeError

    monkeypatch.setattr(keras.models, "load_model", fail)
    with pytest.raises(ValueError, match=r"no Keras network \(RuntimeError\)"):
        network.load(tmp_path / "changed")
