"""The bad days of a paging service, switched on from the control API."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from lab.slack.faults import MODES, SLOWNESS, Mode

Verdict = Literal["pass", "down", "limited", "error", "error after"]

__all__ = ["MODES", "Faults", "Mode", "Verdict"]


class Faults:
    """Which fault is on, and what it does to the next call."""

    def __init__(self) -> None:
        self.mode: Mode = "off"
        self._calls: Counter[str] = Counter()

    def set(self, mode: Mode) -> None:
        self.mode = mode
        self._calls.clear()

    @property
    def delay(self) -> float:
        return SLOWNESS if self.mode == "slow" else 0.0

    @property
    def copies(self) -> int:
        """How often each webhook is delivered."""
        return 2 if self.mode == "twice" else 1

    def judge(self, call: str) -> Verdict:
        """What becomes of this call: every second of a kind fails while the fault is on."""
        if self.mode == "down":
            return "down"
        if self.mode not in ("limited", "errors"):
            return "pass"
        self._calls[call] += 1
        if self._calls[call] % 2:
            return "pass"
        if self.mode == "limited":
            return "limited"
        # The cruel one: what was asked is done, and the caller is told that something broke.
        return "error after" if not call.startswith("GET") and self._calls[call] % 4 == 0 else "error"
