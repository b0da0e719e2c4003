"""The thread that refreshes all views of a class's submissions."""

import threading

import pytest
from helpers import wait_until

from digitlab_classroom import view


class FakeView:
    """Stand for a view: count how often it is refreshed."""

    def __init__(self, error=None):
        self.comm, self.error = object(), error
        self.refreshed, self.messages, self.is_gone = 0, [], False

    def refresh(self):
        self.refreshed += 1
        if self.error:
            raise self.error

    def say(self, words):
        self.messages.append(words)
        if self.error:
            raise self.error


@pytest.fixture
def watcher(monkeypatch):
    monkeypatch.setattr(view, "SECONDS_BETWEEN_LOOKS", 0.001)
    return view.Watcher()


@pytest.fixture(autouse=True)
def threads():
    """Return a function that lists the threads of watchers that this test has started."""
    before = threading.enumerate()
    return lambda: [one for one in threading.enumerate() if one.name == "digitlab-class" and one not in before]


def close(threads, *views):
    for one in views:
        one.comm = None
    wait_until(lambda: not threads())


def test_the_thread_ends_with_the_last_view_and_starts_again(watcher, threads):
    first, second = FakeView(), FakeView()
    watcher.add(first)
    watcher.add(second)
    assert len(threads()) == 1
    close(threads, first, second)
    third = FakeView()
    watcher.add(third)
    wait_until(lambda: third.refreshed > 1)
    close(threads, third)


def test_views_can_be_added_while_the_watcher_looks(watcher, threads):
    views = [FakeView() for _ in range(3_000)]
    for one in views:
        watcher.add(one)
    wait_until(lambda: all(one.refreshed for one in views))
    assert len(threads()) == 1
    close(threads, *views)


def test_a_view_that_the_page_shows_no_longer_is_not_refreshed(watcher, threads):
    shown, gone = FakeView(), FakeView()
    gone.is_gone = True
    watcher.add(gone)
    watcher.add(shown)
    wait_until(lambda: shown.refreshed > 2)
    assert gone.refreshed == 0
    gone.is_gone = False
    wait_until(lambda: gone.refreshed > 0)
    close(threads, shown, gone)


def test_a_view_that_fails_does_not_stop_the_others(watcher, threads):
    bad, good = FakeView(OSError("the disk is gone")), FakeView()
    watcher.add(bad)
    watcher.add(good)
    wait_until(lambda: bad.refreshed > 1 and good.refreshed > 1)
    assert bad.messages[0] == "The class's drawings could not be read: the disk is gone"
    bad.error = None
    wait_until(lambda: bad.messages[-1] == "")
    close(threads, bad, good)
