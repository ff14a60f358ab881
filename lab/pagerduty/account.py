"""The state of the practice PagerDuty: everything that is not on the wire."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from lab.pagerduty.company import Company, Person
from lab.pagerduty.faults import Faults
from lab.pagerduty.limits import EVENTS_PER_MINUTE, REST_PER_MINUTE, Limiter
from lab.pagerduty.things import Incident, Json, Post, Subscription
from lab.slack.feed import Feed
from lab.slack.limits import Tally


@dataclass(frozen=True)
class News:
    """Something that happened to an incident, on its way to the webhooks; `id` is the event's own."""

    type: str
    at: float
    incident: str
    service: str
    data: Json
    agent: Json | None = None
    client: Json | None = None
    id: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Account:
    """One PagerDuty account in memory. `calls` are the last requests, for tests and the curious; no tokens."""

    company: Company = field(default_factory=Company)
    clock: Callable[[], float] = time.time
    base_url: str = ""
    incidents: dict[str, Incident] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    feed: Feed = field(default_factory=Feed)
    calls: deque[Json] = field(default_factory=lambda: deque(maxlen=2000))
    tally: Tally = field(default_factory=Tally)
    absent: set[str] = field(default_factory=set)
    rest_limit: Limiter = field(init=False)
    events_limit: Limiter = field(init=False)
    announce: Callable[[News], None] = field(default=lambda _news: None)
    _numbers: int = 0
    _open_keys: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rest_limit = Limiter(self.clock, REST_PER_MINUTE)
        self.events_limit = Limiter(self.clock, EVENTS_PER_MINUTE)

    def add(self, incident: Incident) -> None:
        """Take an incident in; its number must be the next or come from a file."""
        self.incidents[incident.id] = incident
        self._numbers = max(self._numbers, incident.number)
        for key in {incident.key, *(alert.key for alert in incident.alerts)}:
            self.remember_key(incident, key)

    def remember_key(self, incident: Incident, key: str) -> None:
        if incident.is_open:
            self._open_keys[incident.service, key] = incident.id

    def next_number(self) -> int:
        return self._numbers + 1

    def incident(self, id_or_number: str) -> Incident | None:
        """By id, by number, or the newest."""
        if id_or_number == "newest":
            return next(reversed(self.incidents.values()), None)
        found = self.incidents.get(id_or_number)
        if found is None and id_or_number.isdigit():
            found = next((i for i in self.incidents.values() if i.number == int(id_or_number)), None)
        return found

    def open_incident(self, service: str, key: str) -> Incident | None:
        """The open incident of a service that a deduplication key belongs to."""
        found = self.incidents.get(self._open_keys.get((service, key), ""))
        return found if found is not None and found.is_open else None

    def on_call(self, policy: str, level: int) -> list[Person]:
        """Who is paged at that level; nobody where they are all absent."""
        known = self.company.policy(policy)
        if known is None or not 1 <= level <= len(known.levels):
            return []
        people = (self.company.person(id) for id in known.levels[level - 1] if id not in self.absent)
        return [person for person in people if person is not None]

    def changed(self) -> None:
        """Tell those who keep a copy that something is different."""
        self.feed.tell("changed", None)
