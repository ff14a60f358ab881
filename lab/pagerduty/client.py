"""The control API from Python: let alerts arrive, act as a practice person, switch faults."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from actions.engine.errors import RecoveryError
from lab.pagerduty.practice import PagerDutyStandIn
from lab.pagerduty.server import listen
from lab.pagerduty.things import Json

TIMEOUT = 60.0


class PracticePagerDuty:
    """A practice PagerDuty somewhere; every answer is JSON with `ok`, and `error`, `detail`, `hint` where not."""

    def __init__(self, url: str, ca_file: Path | str) -> None:
        self.url = url.rstrip("/")
        self.ca_file = str(ca_file)
        trusted = ssl.create_default_context(cafile=self.ca_file)
        self._http = httpx.Client(base_url=f"{self.url}/practice", timeout=TIMEOUT, trust_env=False, verify=trusted)

    def page(self, title: str, service: str = "postgres", urgency: str = "high", **more: Any) -> Json:
        """`more`: count, grouped, out_of_order, then, key, details."""
        return self._answer("POST", "/page", json={"title": title, "service": service, "urgency": urgency, **more})

    def act(self, action: str, incident: str = "newest", user: str = "oncall", **more: Any) -> Json:
        """Do something with an incident in PagerDuty's own app; `more`: level, text, priority, to, into."""
        return self._answer("POST", "/act", json={"action": action, "incident": incident, "user": user, **more})

    def state(self, limit: int = 50) -> Json:
        return self._answer("GET", "/state", params={"limit": str(limit)})

    def deliveries(self, incident: str = "") -> list[Json]:
        return list(self._answer("GET", "/deliveries", params={"incident": incident})["deliveries"])

    def fault(self, mode: str) -> Json:
        return self._answer("POST", "/fault", json={"mode": mode})

    def absent(self, *people: str) -> Json:
        return self._answer("POST", "/absent", json={"people": list(people)})

    def rotate(self, subscription: str, **more: Any) -> Json:
        return self._answer("POST", "/rotate", json={"subscription": subscription, **more})

    def health(self) -> Json:
        return self._answer("GET", "/health")

    def close(self) -> None:
        self._http.close()

    def _answer(self, method: str, path: str, **sent: Any) -> Json:
        try:
            answer: Json = self._http.request(method, path, **sent).json()
        except (httpx.HTTPError, ValueError) as problem:
            raise RecoveryError(
                "The practice PagerDuty does not answer.",
                detail=f"{self.url}: {problem}",
                hint="See what runs with: mayday lab status. Start it with: mayday lab up",
            ) from problem
        return answer


class RunningPracticePagerDuty(PracticePagerDuty):
    """A practice PagerDuty in this process; `stand_in` shows its inside to tests."""

    def __init__(self, url: str, ca_file: Path, stand_in: PagerDutyStandIn) -> None:
        super().__init__(url, ca_file)
        self.stand_in = stand_in


@contextmanager
def running_practice_pagerduty(certificates: Path, **options: Any) -> Iterator[RunningPracticePagerDuty]:
    """A practice PagerDuty on a free port, in a thread; takes what `listen` takes."""
    listening = listen(certificates=certificates, **options)
    thread = threading.Thread(target=listening.run, name="practice-pagerduty", daemon=True)
    thread.start()
    running = RunningPracticePagerDuty(listening.url, listening.certificate.authority, listening.stand_in)
    try:
        yield running
    finally:
        running.close()
        # Idle connections would be waited for: over TLS they say goodbye only when the other side does.
        listening.server.config.timeout_graceful_shutdown = 0
        listening.server.should_exit = True
        thread.join(10)
        listening.socket.close()
