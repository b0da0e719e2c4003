"""What an epoch of the full recipe shows."""

import argparse
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from digitlab import train_model
from digitlab.data import NOT_A_DIGIT
from digitlab.training.epochs import PARTS, EpochMaker, Mixture, Sources, draw_by_code, make_part, read_people


@pytest.fixture(scope="module")
def people():
    return read_people("held-out")


@pytest.fixture(scope="module")
def sources(mnist, people):
    (x_train, y_train), _ = mnist
    mixture = Mixture(people=400, letters=80, code=120, others=40)
    return Sources(x_train[:100], y_train[:100], people[0], draw_by_code(20, 10, seed=0), mixture, seed=0)


def test_an_epoch_holds_what_the_mixture_says(sources, people):
    parts = [make_part(sources, 0, part, people[1]) for part in range(PARTS)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    assert images.shape == (sources.mixture.total(100), 28, 28)
    assert images.any(axis=(1, 2)).all()
    assert np.sum(labels == NOT_A_DIGIT) == 80 + 40
    assert sorted(np.concatenate([y[:25] for _, y in parts])) == sorted(sources.y_train)


def test_a_share_of_mnist_is_shown_unchanged(sources, people):
    twice = replace(sources, mixture=replace(sources.mixture, repeats=2), unchanged=0.5)
    images, labels = make_part(twice, 0, 0, people[1])
    shown, digits = images[:50].reshape(2, 25, 28, 28), sources.x_train[::PARTS]
    assert np.array_equal(labels[:50], np.tile(sources.y_train[::PARTS], 2))
    assert 10 < np.sum((shown == digits).all(axis=(2, 3))) < 40
    all_of_them, _ = make_part(replace(sources, unchanged=1.0), 0, 0, people[1])
    assert np.array_equal(all_of_them[:25], digits)


def test_softened_drawings_have_softer_edges(sources, people):
    sharp, _ = make_part(replace(sources, softened=0.0), 0, 0, people[1])
    soft, _ = make_part(replace(sources, softened=1.0), 0, 0, people[1])
    assert np.mean(soft[25:] == 255) < np.mean(sharp[25:] == 255)


def test_each_epoch_is_another_and_each_seed_makes_it_again(sources, people):
    first, _ = make_part(sources, 0, 1, people[1])
    again, _ = make_part(sources, 0, 1, people[1])
    next_one, _ = make_part(sources, 1, 1, people[1])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, next_one)


def test_each_part_of_an_epoch_shows_other_drawings(sources, people):
    mixture = Mixture(people=400, letters=0, code=0, others=0)
    few = replace(sources, x_train=sources.x_train[:0], y_train=sources.y_train[:0], mixture=mixture)
    parts = [make_part(few, 0, part, people[1])[1] for part in range(PARTS)]
    assert len({labels.tobytes() for labels in parts}) == PARTS


def test_a_drawing_without_weight_is_not_shown(sources, people):
    strokes, _ = people
    only_sevens = np.where((strokes.labels == 7) | (strokes.labels == NOT_A_DIGIT), 1.0, 0.0)
    _, labels = make_part(sources, 0, 0, only_sevens)
    assert set(labels[25:125]) == {7}


def test_processes_make_the_same_epochs(sources, people):
    with EpochMaker(sources) as maker:
        maker.order(0, people[1])
        maker.order(1, people[1])
        for epoch in (0, 1):
            images, labels = maker.take(epoch)
            parts = [make_part(sources, epoch, part, people[1]) for part in range(PARTS)]
            assert np.array_equal(images, np.concatenate([images for images, _ in parts]))
            assert np.array_equal(labels, np.concatenate([labels for _, labels in parts]))
    assert not multiprocessing.active_children()


def test_a_process_that_was_ended_is_told(sources, people):
    with EpochMaker(sources) as maker:
        maker.order(0, people[1])
        multiprocessing.active_children()[0].kill()
        with pytest.raises(ChildProcessError, match="memory is full: close other programs"):
            maker.take(0)


def test_a_process_that_was_ended_while_it_sent_is_told(sources, people, monkeypatch):
    pipes = type(multiprocessing.Pipe()[0])
    receive = pipes.recv

    def end_all_and_receive(pipe):
        pipe.poll(None)
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        return receive(pipe)

    with EpochMaker(replace(sources, mixture=replace(sources.mixture, people=8_000))) as maker:
        # More than fits into a pipe: when the first byte can be read, the last ones are not yet sent.
        monkeypatch.setattr(pipes, "recv", end_all_and_receive)
        maker.order(0, people[1])
        with pytest.raises(ChildProcessError, match="memory is full"):
            maker.take(0)


def test_a_process_that_was_ended_while_it_waited_is_told(sources, people):
    with EpochMaker(sources) as maker:
        maker.order(0, people[1])
        maker.take(0)
        process = multiprocessing.active_children()[0]
        process.kill()
        process.join()

        def go_on():
            for epoch in range(1, 20):
                maker.order(epoch, people[1])
                maker.take(epoch)

        with pytest.raises(ChildProcessError, match="memory is full"):
            go_on()


def test_a_mixture_has_the_kinds_of_drawings_that_are_named():
    parser = argparse.ArgumentParser()
    train_model.add_parser(parser.add_subparsers())
    assert parser.parse_args(["train"]).drawings is None
    assert Mixture.of(parser.parse_args(["train", "--drawings"]).drawings).total(9) == 9
    assert Mixture.of(["people", "others"]) == Mixture()
    assert Mixture.of(["people"]) == Mixture(others=0)
    assert Mixture.of(["code", "others"]) == Mixture(people=0, letters=0, code=10_000)


def test_an_epoch_may_be_of_mnist_alone(sources, people):
    alone = replace(sources, code=draw_by_code(0, 0, seed=0), mixture=Mixture.of([]))
    images, labels = make_part(alone, 0, 0, people[1])
    assert len(images) == 25
    assert np.array_equal(labels, sources.y_train[::PARTS])


def test_writers_of_many_drawings_are_shown_less_often_each(people):
    strokes, weights = people
    assert len(strokes) == len(weights)
    # A writer of pendigits made 250 drawings.
    assert weights[0] == pytest.approx(250**-0.5)
    assert weights.max() == 1


@pytest.mark.parametrize(("digits", "others"), [(0, 1), (1, 0), (13, 7), (1003, 0)])
def test_code_draws_as_many_as_are_asked_for(digits, others):
    drawn = draw_by_code(digits, others, seed=0)
    assert len(drawn) == digits + others
    assert np.sum(drawn.labels == NOT_A_DIGIT) == others
    assert np.bincount(drawn.labels, minlength=10)[:10].max(initial=0) == -(-digits // 10)
