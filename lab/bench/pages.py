"""The figure of a page: from PagerDuty to its posted thread, while a recovery works."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from statistics import median

from actions.engine.errors import RecoveryError
from actions.engine.status import RunState, rests
from actions.incidents.take_in_events import ALERT
from lab import company
from lab.bench.figure import Figure, percentile
from lab.bench.ground import Ground, until
from lab.bench.works import BOUND, Page, works
from lab.pagerduty import place as pagerduty
from lab.pagerduty.client import PracticePagerDuty

ALONE = ("postgres", "redis", "minio", "prometheus", "grafana", "loki")
"""Services of which none needs another or what another needs, so that no alert of one folds into one of another."""
_PAGES = 30
_EVERY = 2.0
_AT_MOST = 600.0


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
            raise RecoveryError(
                f"Only {len(counted)} of {_PAGES} pages came while a recovery worked.",
                detail=f"{recoveries} recoveries in {_AT_MOST:.0f} s.",
                hint="Give them more to do, with --gigabytes and --wal.",
            )
        run = ground.restore(target)
        sent = list(_while_it_works(ground, run, numbers))
        ground.rest(run, RunState.ASKING)
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
    return Figure(what, said, f"p95 at most {BOUND:g} s", p95 <= BOUND)


def _while_it_works(ground: Ground, run: str, numbers: Iterator[int]) -> Iterator[Page]:
    store, practice = company.open_store(ground.lab), pagerduty.client(ground.lab)
    while not rests(store.run(run)):
        due = time.monotonic() + _EVERY
        yield _paged(ground, practice, next(numbers))
        while time.monotonic() < due and not rests(store.run(run)):
            time.sleep(0.05)
    practice.close()


def _paged(ground: Ground, practice: PracticePagerDuty, n: int) -> Page:
    store = company.open_store(ground.lab)
    before, sent = set(store.incidents()), company.clock()
    [paged] = alerts(practice, f"Bench page {n}", ALONE[n % len(ALONE)])

    def posted() -> bool:
        incident = str(store.note(ALERT, paged) or "")
        if incident in before:
            raise RecoveryError("A page folded into another.", detail=incident, hint="See fold_minutes.")
        return bool(incident and (store.note("post", f"{incident}:1") or {}).get("ts"))

    until(posted, 30, f"Page {n} got no thread.")
    return Page(sent, company.clock())


def alerts(practice: PracticePagerDuty, title: str, service: str) -> list[str]:
    """An alert arrives at PagerDuty; the incidents that it opened there.

    Raises:
        RecoveryError: the practice PagerDuty did not take it.
    """
    answer = practice.page(title, service)
    if not answer.get("ok"):
        raise RecoveryError("The practice PagerDuty took no alert.", detail=str(answer), hint="See its log.")
    return [str(one) for one in answer["incidents"]]
