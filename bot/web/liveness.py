"""What the bot knows of itself: whether the threads that it cannot do without live, how it stands with Slack."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from actions.findings import Finding


class Socket(Protocol):
    """The client of Socket Mode."""

    def is_connected(self) -> bool: ...


@dataclass
class Liveness:
    """Written by the service as it goes. `socket` is None in HTTP mode, and before the first connection."""

    in_http: bool
    needed: Sequence[threading.Thread] = ()
    socket: Socket | None = None
    answers: bool = False
    said: str = "nobody has asked Slack yet"
    posts: Callable[[], bool] | None = None

    def heard(self, answers: bool, said: str) -> None:
        """How the last question to Slack went."""
        self.answers, self.said = answers, said

    def alive(self) -> list[Finding]:
        """Each thread that must go on."""
        return [Finding(t.name, t.is_alive(), "goes on" if t.is_alive() else "has died") for t in self.needed]

    def threads(self) -> list[Finding]:
        """Who posts to the threads: of several bots on one store one does, and the others are well all the same."""
        if self.posts is None:
            return []
        return [Finding("threads", True, "this bot posts" if self.posts() else "another bot posts")]

    def slack(self) -> Finding:
        """The socket where there is one, else how the last question went."""
        if self.in_http:
            return Finding("Slack", self.answers, self.said, "See mayday doctor.")
        connected = self.socket is not None and self.socket.is_connected()
        seen = "the socket is open" if connected else f"the socket is not open; {self.said}"
        return Finding("Slack", connected, seen, "See mayday doctor.")
