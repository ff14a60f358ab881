"""A long call of Docker is waited for as long as Docker says that it is there, and no longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests

from tests.support.waiting import within
from workers.docker import command_watch
from workers.docker.long_call import waited_for

soon = within(20.0, every=0.01)


@dataclass
class Daemon:
    """Answers pings, or does not; a call to it ends once `over` is set, which a ping may do (`ends_at`)."""

    answers: bool = True
    ends_at: int = 0
    asked: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def ping(self) -> None:
        self.asked += 1
        if self.asked == self.ends_at:
            self.over.set()
            soon(lambda: not any(thread.name == "a long call of Docker" for thread in threading.enumerate()))
        if not self.answers:
            raise TimeoutError("silent")

    def call(self) -> str:
        assert self.over.wait(20)
        return "stopped"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setattr(command_watch, "QUIET_SECONDS", 0.02)
    daemon = Daemon()
    yield daemon
    daemon.over.set()


def test_a_call_of_a_silent_daemon_is_given_up_and_says_why(daemon: Daemon) -> None:
    daemon.answers = False
    with pytest.raises(requests.Timeout, match="does not say that it is there: silent"):
        waited_for(daemon.call, daemon.ping)


def test_a_call_of_a_daemon_that_answers_is_waited_for(daemon: Daemon) -> None:
    daemon.ends_at = 3
    assert waited_for(daemon.call, daemon.ping) == "stopped"
    assert daemon.asked == 3


def test_an_answer_that_comes_while_the_daemon_is_asked_is_taken(daemon: Daemon) -> None:
    daemon.answers, daemon.ends_at = False, 1
    assert waited_for(daemon.call, daemon.ping) == "stopped"


def test_how_a_call_fails_is_raised_where_it_is_waited_for(daemon: Daemon) -> None:
    def fails() -> str:
        raise requests.ConnectionError("reset")

    with pytest.raises(requests.ConnectionError, match="reset"):
        waited_for(fails, daemon.ping)
