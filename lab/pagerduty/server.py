"""The practice PagerDuty as one web application over https: REST, Events, control API."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from lab.pagerduty import control, events, rest, snapshot
from lab.pagerduty.account import Account
from lab.pagerduty.company import WEBHOOK_SECRET, Company
from lab.pagerduty.practice import PagerDutyStandIn
from lab.pagerduty.things import Subscription
from lab.pagerduty.tls import Certificate, certificate_in
from lab.pagerduty.webhooks import Delivery

AT_START = "PWEBHOOKATSTART"
INCIDENT_EVENTS = tuple(
    f"incident.{kind}"
    for kind in (
        "triggered",
        "acknowledged",
        "unacknowledged",
        "resolved",
        "reopened",
        "escalated",
        "delegated",
        "reassigned",
        "service_updated",
        "priority_updated",
        "annotated",
    )
)


def build_app(stand_in: PagerDutyStandIn, keep_in: Path | None = None) -> Starlette:
    """The application; `keep_in` is a file that outlives it."""
    account = stand_in.account
    routes = [*control.routes(stand_in), *events.routes(account), *rest.routes(account)]
    app = Starlette(routes=routes, lifespan=_lifespan(stand_in, keep_in))
    app.state.stand_in = stand_in
    return app


def build_stand_in(company: Company, base_url: str, webhook: str = "", keep_in: Path | None = None) -> PagerDutyStandIn:
    """The account as it was left, with a subscription to `webhook` under the practice secret."""
    account = Account(company, base_url=base_url.rstrip("/"))
    left_over = snapshot.load(account, keep_in) if keep_in else []
    if webhook:
        # Made anew at every start, so that a company that is started again hears of its incidents again.
        account.subscriptions[AT_START] = Subscription(
            AT_START,
            webhook,
            [WEBHOOK_SECRET],
            list(INCIDENT_EVENTS),
            {"type": "account_reference"},
            "The practice company's Mayday",
        )
    stand_in = PagerDutyStandIn(account, Delivery(account), tuple(left_over))
    account.announce = stand_in.delivery.take
    return stand_in


def _lifespan(
    stand_in: PagerDutyStandIn, keep_in: Path | None
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        stand_in.delivery.resume(list(stand_in.left_over))
        keeper = asyncio.create_task(snapshot.keep(stand_in, keep_in)) if keep_in else None
        yield
        await stand_in.delivery.close()
        if keeper:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    return lifespan


@dataclass(frozen=True)
class Listening:
    """A server that has its port but does not run yet."""

    url: str
    stand_in: PagerDutyStandIn
    certificate: Certificate
    server: uvicorn.Server
    socket: socket.socket

    def run(self) -> None:
        self.server.run(sockets=[self.socket])


def listen(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    certificates: Path,
    company: Company | None = None,
    webhook: str = "",
    keep_in: Path | None = None,
) -> Listening:
    """Take the port (0: any free one), so that the address is known before anything runs."""
    bound = socket.create_server((host, port))
    url = f"https://127.0.0.1:{bound.getsockname()[1]}"
    certificate = certificate_in(certificates)
    stand_in = build_stand_in(company or Company(), url, webhook, keep_in)
    config = uvicorn.Config(
        build_app(stand_in, keep_in),
        log_level="warning",
        timeout_graceful_shutdown=1,
        ssl_certfile=str(certificate.server),
    )
    return Listening(url, stand_in, certificate, uvicorn.Server(config), bound)
