"""One-time codes: each counts once, and too many wrong ones lock for a while.

Every try is noted under a number of its own before anybody is told how it went, so that neither two
processes with the same code nor many guessing at once get past the rules.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from actions.engine.errors import Refused
from actions.store.store import Store

WRONG_TRIES = 5
_STEP = 30
_KEPT = timedelta(hours=24)
_NOTE = "code"
_RACES = 20


@dataclass(frozen=True)
class Try:
    """A code that was tried: when, and the time step that it was right for; 0 for a wrong one."""

    at: datetime
    step: int = 0


def step_of(secret: str, code: str, now: datetime) -> int:
    """The time step that a code is right for, one step early or late at most; 0 where it is wrong."""
    said = "".join(code.split())
    if not (said.isascii() and said.isdigit()):
        return 0
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // _STEP
    return next((s for s in (present, present - 1, present + 1) if hmac.compare_digest(totp.at(s * _STEP), said)), 0)


def judge(tried: list[Try], right_for: int, now: datetime, lock: timedelta) -> None:
    """What the tries before say about this one.

    Raises:
        Refused: too many were wrong, this one is, or it was used before.
    """
    if (until := locked_until(tried, lock)) and now < until:
        raise Refused(
            "Too many wrong codes.",
            code="MD-CMD-020",
            detail=f"No code is taken until {until:%H:%M:%S} UTC.",
            hint="Wait until then. If it was not you, somebody else sits at your terminal.",
        )
    if not right_for:
        raise Refused(
            "That code is wrong.",
            code="MD-CMD-021",
            detail="Codes are right for half a minute, and by the host's clock.",
            hint="Type the one that your app shows now. Are the clocks of host and phone right?",
        )
    if any(right_for == t.step for t in tried):
        raise Refused(
            "That code was used already.",
            code="MD-CMD-022",
            hint="Each counts once. Wait for the next one of your app.",
        )


def locked_until(tried: list[Try], lock: timedelta) -> datetime | None:
    """Until when nothing is taken: from the fifth wrong code in a row on, each locks anew."""
    wrong, until = 0, None
    for one in tried:
        if one.step:
            wrong, until = 0, None
        elif until is None or one.at >= until:  # What is tried meanwhile changes nothing.
            wrong += 1
            until = one.at + lock if wrong >= WRONG_TRIES else None
    return until


class Codes:
    """The codes of one operator, against the tries that the store knows."""

    def __init__(self, store: Store, operator: str, lock: timedelta) -> None:
        self._store, self._operator, self._lock = store, operator, lock

    def must_be_right(self, secret: str, code: str) -> None:
        """Take a code, once.

        Raises:
            Refused: it is wrong, was used before, or too many wrong ones came before it.
        """
        self._store.forget(_NOTE, self._store.clock() - _KEPT)
        now = self._store.clock()
        right_for = step_of(secret, code, now)
        self._take(lambda tried: judge(tried, right_for, now, self._lock), Try(now, right_for))

    def _take(self, judged: Callable[[list[Try]], None], this: Try) -> None:
        """Note the try behind those that it is judged by; somebody faster means to be judged anew."""
        for _ in range(_RACES):
            tried = self._tried()
            refusal = _refusal(judged, list(tried.values()))
            # A right code that is refused (used before, or locked) must not count as right again.
            kept = {"at": this.at.isoformat(), "step": 0 if refusal else this.step}
            if self._store.once(_NOTE, f"{self._operator} {max(tried, default=0) + 1:08}", kept):
                if refusal:
                    raise refusal
                return
        raise Refused("Too many codes are tried at once.", code="MD-CMD-023", hint="Wait a moment and try again.")

    def _tried(self) -> dict[int, Try]:
        mine = f"{self._operator} "
        notes = {key.removeprefix(mine): data for key, data in self._store.notes(_NOTE).items() if key.startswith(mine)}
        return {int(n): Try(datetime.fromisoformat(d["at"]), int(d["step"])) for n, d in sorted(notes.items())}


def _refusal(judged: Callable[[list[Try]], None], tried: list[Try]) -> Refused | None:
    try:
        judged(tried)
    except Refused as refusal:
        return refusal
    return None
