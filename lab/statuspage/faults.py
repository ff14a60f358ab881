"""The bad days of a status page, switched on from the control API."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Mode = Literal["off", "down", "slow", "limited", "errors", "twice"]
MODES: tuple[Mode, ...] = ("off", "down", "slow", "limited", "errors", "twice")
SLOWNESS = 3.0

Verdict = Literal["pass", "down", "limited", "error", "error after", "twice"]
_WRITES: tuple[Verdict, ...] = ("error after", "error", "pass")


class Faults:
    """Which fault is on, and what it does to the next request.

    `slow` carries a write out at once and answers late: whoever gives up meanwhile does not know that it
    was done. `twice` carries writes out twice, as a proxy that sends them again would.
    """

    def __init__(self) -> None:
        self.mode: Mode = "off"
        self.slowness = SLOWNESS
        self._asked: Counter[str] = Counter()

    def set(self, mode: Mode) -> None:
        self.mode = mode
        self._asked.clear()

    @property
    def delay(self) -> float:
        """Seconds that pass before an answer."""
        return self.slowness if self.mode == "slow" else 0.0

    def judge(self, method: str) -> Verdict:
        """What becomes of this request; reads and writes are counted apart."""
        if self.mode == "down":
            return "down"
        if self.mode in ("off", "slow"):
            return "pass"
        writes = method != "GET"
        if self.mode == "twice":
            return "twice" if writes else "pass"
        return self._counted("write" if writes else "read")

    def _counted(self, kind: str) -> Verdict:
        self._asked[kind] += 1
        asked = self._asked[kind]
        if self.mode == "limited":
            return "limited" if asked % 2 else "pass"
        if kind == "read":
            return "error" if asked % 3 == 1 else "pass"
        # The cruel one comes first: it is on the page, and the caller is told that something broke.
        return _WRITES[(asked - 1) % 3]
