"""Whoever waits for a command's output is told when nothing can come any more, and is left alone as long as it can."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest

from tests.support.waiting import within
from workers.docker import command_watch
from workers.docker.client import work_seconds
from workers.docker.command_watch import CommandWatch, TimeIsOver

QUIET = 0.05
LONG = 20.0
"""Seconds within which even a busy machine gets round to it."""
soon = within(LONG, every=0.01)


@dataclass
class Daemon:
    """Answers pings, or does not; `meanwhile` is called while it is asked."""

    answers: bool = True
    asked: int = 0
    was_cut: threading.Event = field(default_factory=threading.Event)
    meanwhile: CommandWatch | None = None

    def ping(self) -> None:
        self.asked += 1
        if self.meanwhile is not None:
            time.sleep(0.01)
            self.meanwhile.heard()
        if not self.answers:
            raise TimeoutError("silent")

    def watched(self, seconds: float = LONG) -> CommandWatch:
        return CommandWatch(self.ping, seconds, self.was_cut.set)


def leave(daemon: Daemon, error: BaseException) -> None:
    with daemon.watched():
        assert daemon.was_cut.wait(LONG)
        raise error


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_watch, "QUIET_SECONDS", QUIET)
    monkeypatch.setattr(command_watch, "GRACE_SECONDS", 0.0)


def test_a_silent_command_of_a_silent_daemon_is_cut_and_says_why() -> None:
    daemon = Daemon(answers=False)
    with pytest.raises(TimeoutError, match="does not say that it is there: silent"), daemon.watched():
        assert daemon.was_cut.wait(LONG)


def test_how_the_cut_stream_ended_is_no_news() -> None:
    daemon = Daemon(answers=False)
    with pytest.raises(TimeoutError) as why:
        leave(daemon, ConnectionError("The connection ended within a frame."))
    assert isinstance(why.value.__cause__, ConnectionError)


def test_whoever_leaves_early_hears_nothing_of_it() -> None:
    daemon = Daemon(answers=False)
    with pytest.raises(GeneratorExit):
        leave(daemon, GeneratorExit())


def test_a_silent_command_of_a_daemon_that_answers_is_waited_for() -> None:
    daemon = Daemon()
    with daemon.watched():
        soon(lambda: daemon.asked > 2)
    assert not daemon.was_cut.is_set()


def test_a_daemon_whose_output_goes_on_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_watch, "QUIET_SECONDS", 1.0)
    daemon = Daemon(answers=False)
    with daemon.watched() as seen:
        for _ in range(12):
            time.sleep(0.1)
            seen.heard()
    assert (daemon.asked, daemon.was_cut.is_set()) == (0, False)


def test_output_that_comes_while_the_daemon_is_asked_is_an_answer_too() -> None:
    daemon = Daemon(answers=False)
    with daemon.watched() as daemon.meanwhile:
        soon(lambda: daemon.asked > 2)
    assert not daemon.was_cut.is_set()


def test_a_command_has_its_time_whether_or_not_it_says_anything() -> None:
    daemon = Daemon()

    def go_on() -> None:
        with daemon.watched(QUIET) as seen:
            while not daemon.was_cut.wait(QUIET / 5):
                seen.heard()

    with pytest.raises(TimeIsOver):
        go_on()


def test_nothing_is_cut_once_the_output_has_ended() -> None:
    daemon = Daemon(answers=False)
    with daemon.watched():
        pass
    asked = daemon.asked
    assert not daemon.was_cut.wait(QUIET * 4)
    # On a busy machine one may have been on its way.
    assert daemon.asked <= asked + 1


@pytest.mark.parametrize(
    ("method", "path", "seconds"),
    [
        ("GET", "/containers/pg/json", 0),
        ("GET", "/containers/json?all=1", 0),
        ("POST", "/containers/pg/exec", 0),
        ("POST", "/exec/0f/start", 0),
        ("POST", "/containers/pg/update", 0),
        ("POST", "/containers/pg/stop?t=120", 0),
        ("POST", "/containers/pg/start", 50),
        ("POST", "/containers/create?name=pg", 50),
        ("GET", "/containers/pg/archive?path=/x", 50),
        ("DELETE", "/containers/pg?force=1", 20),
    ],
)
def test_what_is_looked_up_is_answered_soon_and_work_takes_longer(method: str, path: str, seconds: int) -> None:
    assert work_seconds(method, f"http+docker://localhost/v1.41{path}") == seconds
