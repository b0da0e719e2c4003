"""The figure of the loss that is updated while a network trains."""

from types import SimpleNamespace

import numpy as np
import pytest

from digitlab import live_loss
from digitlab.live_loss import LiveLoss
from digitlab.network import keras


class Images(list):
    """Images, and the number of figures that they were shown in."""


@pytest.fixture
def displayed(monkeypatch):
    """The images that a notebook would display, one after the other in one place."""
    images = Images()
    images.figures = 0

    class Handle:
        update = staticmethod(images.append)

    def display(image, display_id):
        assert display_id is True
        images.figures += 1
        images.append(image)
        return Handle()

    monkeypatch.setattr(live_loss, "display", display)
    return images


def begin(epochs, steps, every=0.8):
    """Return a LiveLoss at the beginning of a training, as Keras prepares it."""
    live = LiveLoss(every)
    live.set_params({"epochs": epochs, "steps": steps, "verbose": 0})
    live.on_train_begin()
    return live


def small_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(10, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_keras_tells_it_the_number_of_epochs_and_batches(displayed):
    x, y = np.zeros((50, 4), np.float32), np.zeros(50)
    live = LiveLoss(every=0)
    history = small_model().fit(x, y, batch_size=10, epochs=2, validation_data=(x, y), callbacks=[live], verbose=0)
    assert len(live.losses) == 10
    assert live.validation_losses == history.history["val_loss"]
    assert live.title.startswith("After 2 epochs: loss ")
    assert displayed[0].alt.startswith("The curve of the loss. Epoch 1 of 2: ")
    assert displayed[-1].alt.startswith(f"The curve of the loss. {live.title}")
    losses = ", ".join(f"{loss:.2f}" for loss in live.validation_losses)
    assert displayed[-1].alt.endswith(f"Digits held back, after each epoch: {losses}")


def test_a_training_that_stops_early_ends_the_figure(displayed):
    x, y = np.zeros((50, 4), np.float32), np.zeros(50)
    live = LiveLoss()
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))
    model = small_model()
    model.fit(x, y, batch_size=10, epochs=5, callbacks=[live, stop], verbose=0)
    assert displayed[-1].alt.startswith("The curve of the loss. After 1 epoch: ")


@pytest.mark.parametrize("held_back", [False, True])
def test_the_legend_names_the_digits_held_back_only_where_there_are_some(displayed, held_back):
    live = begin(epochs=1, steps=1)
    live.on_train_batch_end(0, {"loss": 1.0})
    live.on_epoch_end(0, {"loss": 1.0, **({"val_loss": 0.9} if held_back else {})})
    live.on_train_end()
    texts = [text.get_text() for text in live._ax.get_legend().get_texts()]
    assert texts == ["digits it learns from", *["digits held back"] * held_back]


def test_a_second_training_starts_a_new_figure(displayed):
    x, y = np.zeros((50, 4), np.float32), np.zeros(50)
    live = LiveLoss()
    for _ in range(2):
        small_model().fit(x, y, batch_size=10, epochs=1, callbacks=[live], verbose=0)
        assert len(live.losses) == 5
    assert displayed.figures == 2


def test_the_loss_of_a_batch_is_taken_out_of_the_running_mean(displayed):
    live = begin(epochs=2, steps=2)
    live.on_train_batch_end(0, {"loss": 2.0})
    live.on_train_batch_end(1, {"loss": 1.5})
    live.on_epoch_end(0, {"loss": 1.5, "val_loss": 0.9})
    live.on_train_batch_end(0, {"loss": 0.5})
    assert live.losses == pytest.approx([2.0, 1.0, 0.5])
    assert live.validation_losses == [0.9]


def test_a_loss_is_never_below_0(displayed):
    live = begin(epochs=1, steps=2)
    live.on_train_batch_end(0, {"loss": 1.0})
    live.on_train_batch_end(1, {"loss": 0.49})  # Keras rounds.
    assert live.losses == [1.0, 0.0]


def test_lines_and_dots_stand_at_their_epochs(displayed):
    live = begin(epochs=3, steps=50, every=3600)
    for epoch in range(3):
        for batch in range(50):
            live.on_train_batch_end(batch, {"loss": 1.0})
        live.on_epoch_end(epoch, {"val_loss": 0.5 - 0.1 * epoch})
    live.on_train_end()
    assert live._batch_line.get_xdata()[-1] == live._mean_line.get_xdata()[-1] == 3
    assert live._validation_dots.get_xydata() == pytest.approx(np.array([(1, 0.5), (2, 0.4), (3, 0.3)]))


def test_the_axis_reaches_down_to_small_losses(displayed):
    live = begin(epochs=1, steps=100, every=3600)
    for batch in range(60):
        live.on_train_batch_end(batch, {"loss": 0.006})
    live.on_train_end()
    assert live._ax.get_ylim()[0] == pytest.approx(0.004)


def test_an_unknown_number_of_batches_is_refused_in_a_sentence(displayed):
    with pytest.raises(ValueError, match="give fit steps_per_epoch"):
        begin(epochs=1, steps=None)


def test_the_figure_is_updated_only_as_often_as_asked(displayed):
    live = begin(epochs=1, steps=50, every=3600)
    for batch in range(50):
        live.on_train_batch_end(batch, {"loss": 1.0})
    live.on_epoch_end(0, {"loss": 1.0})
    assert len(displayed) == 1
    live.on_train_end()
    assert len(displayed) == 2
    assert all(image.data.startswith(b"\x89PNG") for image in displayed)


@pytest.mark.parametrize("beyond", [np.nan, np.inf])
def test_a_loss_beyond_all_numbers_does_not_end_the_training(displayed, beyond):
    live = begin(epochs=1, steps=100, every=0)
    for batch in range(80):
        live.on_train_batch_end(batch, {"loss": 25.0 if batch < 70 else beyond})
    live.on_epoch_end(0, {})
    live.on_train_end()
    assert live._ax.get_ylim() == pytest.approx((0.02, 25))


def test_slow_drawing_makes_updates_rarer(displayed, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(live_loss.time, "monotonic", lambda: clock[0])
    live = begin(epochs=1, steps=50, every=1)
    monkeypatch.setattr(live, "_handle", SimpleNamespace(update=lambda image: clock.append(clock.pop() + 2)))
    updates = []
    for batch in range(50):
        before = clock[0]
        live.on_train_batch_end(batch, {"loss": 1.0})
        updates.append(clock[0] > before)
        clock[0] += 1
    assert sum(updates) == 3  # Each takes 2 s, and 24 s pass between the starts of two.


def test_the_title_says_how_far_the_training_is(displayed):
    live = begin(epochs=2, steps=2)
    live.on_train_batch_end(0, {"loss": 2.0})
    live.on_train_batch_end(1, {"loss": 2.0})
    assert live.title.startswith("Epoch 1 of 2: loss 2.00, about ")
    live.on_epoch_end(0, {"loss": 2.0})
    live.on_train_batch_end(0, {"loss": 0.5})
    assert live.title.startswith("Epoch 2 of 2: ")
    live.on_train_batch_end(1, {"loss": 0.5})
    live.on_epoch_end(1, {"loss": 0.5})
    live.on_train_end()
    assert live.title == "After 2 epochs: loss 1.25"


def test_the_title_tells_the_loss_of_the_last_batches(displayed):
    live = begin(epochs=2, steps=75, every=3600)
    for epoch, loss in enumerate((8.0, 1.0)):
        for batch in range(75):
            live.on_train_batch_end(batch, {"loss": loss})
        live.on_epoch_end(epoch, {})
    assert "loss 1.00" in live.title


def test_the_time_to_go_is_that_of_the_batches_to_come(displayed, monkeypatch):
    clock = iter(range(100, 200))
    monkeypatch.setattr(live_loss.time, "monotonic", lambda: next(clock))
    live = begin(epochs=2, steps=10, every=0)
    monkeypatch.setattr(live, "_update", lambda now: setattr(live, "_last", now))
    for batch in range(10):
        live.on_train_batch_end(batch, {"loss": 1.0})
    assert live.title.endswith("about 10 s to go")


def test_the_title_says_which_digits_the_accuracy_is_about(displayed):
    live = begin(epochs=1, steps=2)
    live.on_train_batch_end(0, {"loss": 2.0, "accuracy": 0.5})
    assert live.title.startswith("Epoch 1 of 1: loss 2.00, 50.0% right, about ")
    live.on_train_batch_end(1, {"loss": 1.0, "accuracy": 0.75})
    live.on_epoch_end(0, {"loss": 1.0})
    live.on_train_end()
    assert live.title == "After 1 epoch: loss 1.00; of the last digits it learnt from, 75.0% right"
