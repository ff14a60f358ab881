"""Webhooks v3: delivered in order per subscription and incident, again and again until somebody says 2xx.

As PagerDuty does, it tries for 48 hours, only with shorter waits. Other answers of 4xx drop the event, and
three drops in a row switch the subscription off for a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from uuid import uuid4

import httpx

from lab.pagerduty.account import Account, News
from lab.pagerduty.signing import body_of, signature
from lab.pagerduty.subscription_calls import PING
from lab.pagerduty.things import Json, Subscription

ANSWER_WITHIN = 5.0
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
TRIES = 48 * 3600 // 8
DROPS_TO_DISABLE = 3
DISABLED_FOR = 24 * 3600.0
AT_ONCE = 16


@dataclass(frozen=True)
class Parcel:
    """One event for one subscription; the id is the same at every try."""

    news: News
    subscription: str
    id: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Delivery:
    """Takes news from the account and carries it. `reversed_for` holds incidents whose news is held back."""

    account: Account
    log: deque[Json] = field(default_factory=lambda: deque(maxlen=2000))
    copies: int = 1
    _queues: dict[tuple[str, str], deque[Parcel]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _held: list[Parcel] | None = None
    _client: httpx.AsyncClient | None = None
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def waiting(self) -> int:
        """How many events nobody has taken yet."""
        return sum(len(queue) for queue in self._queues.values())

    def take(self, news: News) -> None:
        for subscription in list(self.account.subscriptions.values()):
            if self._goes_to(subscription, news):
                parcel = Parcel(news, subscription.id)
                self._enqueue(parcel) if self._held is None else self._held.append(parcel)

    @contextlib.contextmanager
    def out_of_order(self) -> Iterator[None]:
        """What happens meanwhile is delivered the newest first."""
        held: list[Parcel] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
            for parcel in reversed(held):
                self._enqueue(parcel)

    def undelivered(self) -> list[Json]:
        """What nobody has taken yet, oldest first, for the file that outlives a restart."""
        return [asdict(parcel) for queue in self._queues.values() for parcel in queue]

    def resume(self, kept: list[Json]) -> None:
        """Go on with what was not delivered before."""
        for one in kept:
            self._enqueue(Parcel(**one | {"news": News(**one["news"])}))

    async def close(self) -> None:
        """Leave; what was not delivered stays in the queues."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    def _goes_to(self, subscription: Subscription, news: News) -> bool:
        if news.type == PING:
            return news.incident == subscription.id
        if subscription.temporarily_disabled and self.account.clock() >= subscription.disabled_until:
            subscription.temporarily_disabled, subscription.drops = False, 0
        return not subscription.temporarily_disabled and subscription.wants(news.type, news.service)

    def _enqueue(self, parcel: Parcel) -> None:
        key = (parcel.subscription, parcel.news.incident)
        queue = self._queues.setdefault(key, deque())
        queue.append(parcel)
        if len(queue) == 1:
            task = asyncio.get_running_loop().create_task(self._work_off(key, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work_off(self, key: tuple[str, str], queue: deque[Parcel]) -> None:
        while queue:
            await self._insist(queue[0])
            queue.popleft()
        self._queues.pop(key, None)

    async def _insist(self, parcel: Parcel) -> None:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(WAITS[min(attempt - 1, len(WAITS) - 1)])
            while self.account.faults.mode == "down":
                await asyncio.sleep(0.2)
            subscription = self.account.subscriptions.get(parcel.subscription)
            if subscription is None or subscription.temporarily_disabled:
                return
            status = await self._carry(parcel, subscription, attempt)
            if 200 <= status < 300:
                subscription.drops = 0
                return
            if 400 <= status < 500 and status != 429:
                break
        self._dropped(parcel)

    async def _carry(self, parcel: Parcel, subscription: Subscription, attempt: int) -> int:
        """Every copy of it once; the last answer counts. 0 stands for no answer."""
        status = 0
        for _ in range(max(self.copies, self.account.faults.copies)):
            await asyncio.sleep(self.account.faults.delay)
            async with self._gate:
                began = time.monotonic()
                status = await self._post(parcel, subscription)
                took = time.monotonic() - began
            self.log.append(
                {
                    "webhook": parcel.id,
                    "event": parcel.news.id,
                    "type": parcel.news.type,
                    "incident": parcel.news.incident,
                    "subscription": subscription.id,
                    "attempt": attempt + 1,
                    "status": status,
                    "ms": round(took * 1000, 1),
                }
            )
        return status

    async def _post(self, parcel: Parcel, subscription: Subscription) -> int:
        body = body_of(parcel.news, self.account.base_url)
        headers = {str(h["name"]): str(h.get("value", "")) for h in subscription.custom_headers if h.get("name")} | {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": signature(subscription.secrets, body),
            "X-Webhook-Id": parcel.id,
            "X-Webhook-Subscription": subscription.id,
        }
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False)
        try:
            return (await self._client.post(subscription.url, content=body, headers=headers)).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0

    def _dropped(self, parcel: Parcel) -> None:
        subscription = self.account.subscriptions.get(parcel.subscription)
        if subscription is None:
            return
        subscription.drops += 1
        if subscription.drops >= DROPS_TO_DISABLE:
            subscription.temporarily_disabled = True
            subscription.disabled_until = self.account.clock() + DISABLED_FOR
        self.account.changed()
