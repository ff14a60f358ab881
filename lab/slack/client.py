"""The control API from Python: play a practice user, read threads, switch faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from actions.engine.errors import RecoveryError
from lab.slack.control import Room
from lab.slack.messages import Json
from lab.slack.server import listen

TIMEOUT = 60.0


class PracticeSlack:
    """A practice room somewhere; every answer is JSON with `ok`, and `error`, `detail`, `hint` when it is not."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self.url}/practice", timeout=TIMEOUT, trust_env=False)

    @property
    def api_url(self) -> str:
        """The base_url for slack_sdk's WebClient."""
        return f"{self.url}/api/"

    def say(self, text: str, user: str = "oncall", thread: str | None = None, channel: str | None = None) -> Json:
        return self._post("/say", text=text, user=user, thread=thread, channel=channel)

    def click(self, label: str, user: str = "oncall", thread: str | None = None, typed: str | None = None) -> Json:
        return self._post("/click", label=label, user=user, thread=thread, type=typed)

    def react(self, ts: str, name: str, user: str = "oncall") -> Json:
        """A reaction such as `pushpin` on a message of the main channel."""
        return self._post("/react", ts=ts, name=name, user=user)

    def threads(self) -> list[Json]:
        return list(self._get("/threads")["threads"])

    def thread(self, ts: str = "newest", user: str | None = None) -> Json:
        return self._get(f"/thread/{ts}", **({"user": user} if user else {}))

    def home(self, user: str = "oncall") -> Json:
        return self._post(f"/home/{user}")

    def submit(self, view_id: str, values: Json, user: str = "oncall") -> Json:
        return self._post("/submit", view_id=view_id, values=values, user=user)

    def state(self, user: str = "oncall") -> Json:
        return self._get("/state", user=user)

    def fault(self, mode: str) -> Json:
        return self._post("/fault", mode=mode)

    def sockets(self, action: str) -> Json:
        return self._post("/sockets", action=action)

    def request_url(self, url: str | None) -> Json:
        return self._post("/request-url", url=url)

    def health(self) -> Json:
        return self._get("/health")

    def wait_for_bot(self, seconds: float = 20.0, sockets: int = 1) -> bool:
        """Whether the bot is connected, at the latest after so many seconds."""
        end = time.monotonic() + seconds
        while self.health()["sockets"] < sockets:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, **asked: Any) -> Json:
        given = {key: value for key, value in asked.items() if value is not None}
        return self._answer("POST", path, json=given)

    def _get(self, path: str, **query: str) -> Json:
        return self._answer("GET", path, params=query)

    def _answer(self, method: str, path: str, **sent: Any) -> Json:
        try:
            answer: Json = self._http.request(method, path, **sent).json()
        except (httpx.HTTPError, ValueError) as problem:
            raise RecoveryError(
                "The practice room does not answer.",
                detail=f"{self.url}: {problem}",
                hint="See what runs with: mayday lab status. Start it with: mayday lab up",
            ) from problem
        return answer


class RunningPracticeSlack(PracticeSlack):
    """A practice room in this process; `room` shows its inside to tests."""

    def __init__(self, url: str, room: Room) -> None:
        super().__init__(url)
        self.room = room


@contextmanager
def running_practice_slack(**options: Any) -> Iterator[RunningPracticeSlack]:
    """A practice room on a free port, in a thread; takes what `listen` takes."""
    listening = listen(**options)
    thread = threading.Thread(target=listening.run, name="practice-slack", daemon=True)
    thread.start()
    running = RunningPracticeSlack(listening.url, listening.app.state.room)
    try:
        yield running
    finally:
        running.close()
        listening.server.should_exit = True
        thread.join(10)
        listening.socket.close()
