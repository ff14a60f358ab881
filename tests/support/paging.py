"""What the tests of paging share: a practice PagerDuty on a free port, and somebody who listens to its webhooks."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pagerduty import EventsApiV2Client, RestApiV2Client
from pydantic import SecretStr

from actions.settings.outside import PagerDutySettings
from lab.pagerduty.client import PracticePagerDuty, RunningPracticePagerDuty, running_practice_pagerduty
from lab.pagerduty.company import MAYDAY_KEY, SENDER, TOKEN, WEBHOOK_SECRET, routing_key
from tests.support.waiting import within

eventually = within(10, every=0.02)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def pagerduty(certificates: Path) -> Iterator[RunningPracticePagerDuty]:
    with running_practice_pagerduty(certificates) as running:
        yield running


def settings_for(pagerduty: RunningPracticePagerDuty, **more: Any) -> PagerDutySettings:
    """Settings as the practice company has them."""
    given: dict[str, Any] = {
        "token": SecretStr(TOKEN),
        "sender": SENDER,
        "routing_key": SecretStr(MAYDAY_KEY),
        "api_url": pagerduty.url,
        "events_url": pagerduty.url,
        "ca_file": pagerduty.ca_file,
        "webhook_secrets": (SecretStr(WEBHOOK_SECRET),),
    }
    return PagerDutySettings(**given | more)


def rest(pagerduty: PracticePagerDuty, token: str = TOKEN, sender: str | None = SENDER) -> RestApiV2Client:
    """PagerDuty's own client, as it comes."""
    trusted = ssl.create_default_context(cafile=pagerduty.ca_file)
    client = RestApiV2Client(token, default_from=sender, base_url=pagerduty.url, verify=trusted, trust_env=False)
    client.sleep_timer = 0.05
    return client


def monitor(pagerduty: RunningPracticePagerDuty, service: str = "postgres") -> EventsApiV2Client:
    """A monitor that watches a service of the stack."""
    trusted = ssl.create_default_context(cafile=pagerduty.ca_file)
    key = routing_key(service)
    client = EventsApiV2Client(key, base_url=pagerduty.url, verify=trusted, trust_env=False)
    client.sleep_timer = 0.05
    return client


@dataclass
class Listener:
    """Hears webhooks. `answers` are the next statuses, then it is 202; `pause` is how long it thinks."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    pause: float = 0.0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body)["event"] for body in self.bodies]

    @property
    def types(self) -> list[str]:
        return [event["event_type"].removeprefix("incident.") for event in self.events]

    def hear(self, body: bytes, headers: dict[str, str]) -> int:
        time.sleep(self.pause)
        self.headers.append(headers)
        self.bodies.append(body)
        return self.answers.pop(0) if self.answers else 202


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener on a free port."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(listener.hear(body, {k.lower(): v for k, v in self.headers.items()}))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    listener.url = f"http://127.0.0.1:{server.server_address[1]}/pagerduty/webhook"
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
