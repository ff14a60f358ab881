"""The bad days of a chat service, switched on from the control API."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Mode = Literal["off", "down", "slow", "limited", "errors", "twice"]
MODES: tuple[Mode, ...] = ("off", "down", "slow", "limited", "errors", "twice")
SLOWNESS = 3.0

Verdict = Literal["pass", "down", "limited", "error", "error after"]


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

    def judge(self, method: str) -> Verdict:
        """What becomes of this call.

        Counted per method, so that a client that alternates between two methods does not see one
        of them fail for ever.
        """
        if self.mode == "down":
            return "down"
        if self.mode not in ("limited", "errors"):
            return "pass"
        self._calls[method] += 1
        if self._calls[method] % 2:
            return "pass"
        return "limited" if self.mode == "limited" else self._failure(method)

    def _failure(self, method: str) -> Verdict:
        # The cruel one: the message is there, and the caller is told that something broke.
        stored = method == "chat.postMessage" and self._calls[method] % 4 == 0
        return "error after" if stored else "error"
