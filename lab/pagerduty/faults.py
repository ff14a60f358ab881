"""The bad days of a paging service: those of the chat service, and webhooks that come twice."""

from __future__ import annotations

from lab.slack import faults
from lab.slack.faults import MODES, Mode, Verdict

__all__ = ["MODES", "Faults", "Mode", "Verdict"]


class Faults(faults.Faults):
    """Which fault is on, and what it does to the next call; every second of a kind fails."""

    @property
    def copies(self) -> int:
        """How often each webhook is delivered."""
        return 2 if self.mode == "twice" else 1

    def _failure(self, method: str) -> Verdict:
        # The cruel one: what was asked is done, and the caller is told that something broke.
        done = not method.startswith("GET") and self._calls[method] % 4 == 0
        return "error after" if done else "error"
