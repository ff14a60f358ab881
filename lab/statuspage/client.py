"""The stand-in's control API from Python: what the public sees, and the switch for bad days."""

from __future__ import annotations

from typing import Any

import httpx

from actions.engine.errors import RecoveryError, Refused
from lab.statuspage.faults import MODES
from lab.statuspage.world import Json

TIMEOUT = 10.0


class PracticePage:
    """A stand-in somewhere on this machine."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def state(self) -> Json:
        """What the public sees, and which fault is on."""
        return self._ask("GET", "/state")

    def fault(self, mode: str) -> Json:
        """Switch a fault on, or off.

        Raises:
            Refused: there is no such fault.
        """
        if mode not in MODES:
            raise Refused(f"There is no fault '{mode}'.", hint=f"Choose one of: {', '.join(MODES)}.")
        return self._ask("POST", "/fault", json={"mode": mode})

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return bool(self._ask("GET", "/health")["ok"])
        except RecoveryError:
            return False

    def _ask(self, method: str, path: str, **sent: Any) -> Json:
        try:
            answer = httpx.request(method, f"{self.url}/practice{path}", timeout=TIMEOUT, trust_env=False, **sent)
            found: Json = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as problem:
            raise RecoveryError(
                "The practice status page does not answer.",
                detail=f"{self.url}: {problem}",
                hint="See what runs with: mayday lab status. Start it with: mayday lab up",
            ) from problem
        return found
