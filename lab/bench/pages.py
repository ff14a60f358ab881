"""The figure of a page: from PagerDuty to its posted thread, while a recovery works."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from statistics import median

from actions.engine.errors import RecoveryError
from actions.engine.journal import Entry, Kind
from actions.engine.status import State, rests
from actions.incidents.inbox import ALERT
from lab import company
from lab.bench.figure import Figure, percentile
from lab.bench.ground import Ground, until
from lab.pagerduty import place as pagerduty
from lab.pagerduty.client import PracticePagerDuty

_ALONE = ("postgres", "redis", "minio", "meilisearch", "prometheus", "grafana", "loki")
"""Services that fold with nothing else here."""
_PAGES = 30
_EVERY = 2.0
_AT_MOST = 600.0
_BOUND = 1.0


@dataclass(frozen=True)
class Page:
    """When an alert came to PagerDuty, and when its thread stood in Slack."""

    sent: datetime
    posted: datetime

    @property
    def seconds(self) -> float:
        """How long that took."""
        return (self.posted - self.sent).total_seconds()


@dataclass(frozen=True)
class Work:
    """A stretch in which a recovery worked without a rest: one step after the other, from first to last."""

    began: datetime
    ended: datetime

    def holds(self, page: Page) -> bool:
        """Whether the page belongs to what happens during that work.

        One that is over the bound does so wherever it ends: a slow page must not leave the figure by being slow.
        """
        return self.began <= page.sent <= self.ended and (page.posted <= self.ended or page.seconds > _BOUND)


def works(told: Iterable[Entry]) -> Iterator[Work]:
    """When a run worked on what somebody had agreed to. Its plan, made before that, does not count."""
    agreed, began, ended = False, None, None
    for entry in told:
        if entry.kind is Kind.BEGAN and agreed:
            began = began or entry.at
        elif entry.kind is Kind.DONE and began:
            ended = entry.at
        elif entry.kind in (Kind.ASKED, Kind.FAILED, Kind.STOPPED, Kind.FINISHED):
            if began and ended:
                yield Work(began, ended)
            agreed, began, ended = False, None, None
        agreed = agreed or entry.kind is Kind.ANSWERED


def page_to_thread(ground: Ground, target: str) -> Figure:
    """Page again and again while one recovery after the other restores, until enough pages are of that time.

    Raises:
        RecoveryError: the recoveries did not work long enough for so many pages.
    """
    counted: list[Page] = []
    numbers, deadline = count(), time.monotonic() + _AT_MOST
    recoveries, left_out = 0, 0
    while len(counted) < _PAGES:
        if time.monotonic() > deadline:
            raise RecoveryError(f"Only {len(counted)} of {_PAGES} pages came while a recovery worked.",
                                detail=f"{recoveries} recoveries in {_AT_MOST:.0f} s.",
                                hint="Give them more to do, with --gigabytes and --wal.")  # fmt: skip
        run = ground.restore(target)
        sent = list(_while_it_works(ground, run, numbers))
        ground.rest(run, State.ASKING)
        work = list(works(company.open_store(ground.lab).entries(run)))
        during = [page for page in sent if any(one.holds(page) for one in work)]
        counted, left_out, recoveries = counted + during, left_out + len(sent) - len(during), recoveries + 1
        ground.console.print(f"  {len(during)} pages during recovery {recoveries}, {len(counted)} in all")
        ground.give_up(run)
    return _figure(counted, left_out)


def _figure(pages: list[Page], left_out: int) -> Figure:
    took = [page.seconds for page in pages]
    p95 = percentile(took, 95)
    what = (
        f"page in PagerDuty to posted thread, {len(took)} pages while a recovery worked (others left out: {left_out})"
    )
    said = f"p50 {median(took):.2f} s, p95 {p95:.2f} s, longest {max(took):.2f} s"
    return Figure(what, said, f"p95 at most {_BOUND:g} s", p95 <= _BOUND)


def _while_it_works(ground: Ground, run: str, numbers: Iterator[int]) -> Iterator[Page]:
    store, desk = company.open_store(ground.lab), pagerduty.client(ground.lab)
    while not rests(store.run(run)):
        due = time.monotonic() + _EVERY
        yield _paged(ground, desk, next(numbers))
        while time.monotonic() < due and not rests(store.run(run)):
            time.sleep(0.05)
    desk.close()


def _paged(ground: Ground, desk: PracticePagerDuty, n: int) -> Page:
    store = company.open_store(ground.lab)
    before, sent = set(store.incidents()), company.clock()
    [paged] = alerts(desk, f"Bench page {n}", _ALONE[n % len(_ALONE)])

    def posted() -> bool:
        incident = str(store.note(ALERT, paged) or "")
        if incident in before:
            raise RecoveryError("A page folded into another.", detail=incident, hint="See fold_minutes.")
        return bool(incident and (store.note("post", f"{incident}:1") or {}).get("ts"))

    until(posted, 30, f"Page {n} got no thread.")
    return Page(sent, company.clock())


def alerts(desk: PracticePagerDuty, title: str, service: str) -> list[str]:
    """An alert arrives at PagerDuty; the incidents that it opened there.

    Raises:
        RecoveryError: the practice PagerDuty did not take it.
    """
    answer = desk.page(title, service)
    if not answer.get("ok"):
        raise RecoveryError("The practice PagerDuty took no alert.", detail=str(answer), hint="See its log.")
    return [str(one) for one in answer["incidents"]]
