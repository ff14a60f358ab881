"""`/metrics`: what Prometheus scrapes. Counted from the journals, so that a restart forgets nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actions.catalog import ERRANDS
from actions.store.kept_count import KeptCount
from actions.watch.service_condition import Condition, Reachable, conditions
from bot.context import BotContext
from bot.slack.thread_lag import LagWatch
from bot.slack.watched_journals import SINK
from bot.web.chore_metrics import chores
from bot.web.run_counts import BUCKETS, Durations, RunCounts

_log = logging.getLogger(__name__)
_HEARD_WITHIN = timedelta(hours=1)
_MOST_WORKERS = 20


class Figures(Collector):
    """Everything that the store can tell. Scrapes are answered one after the other."""

    def __init__(self, bot: BotContext, queue: Callable[[], int | None]) -> None:
        self._bot, self._queue = bot, queue
        self._lock = threading.Lock()
        self._tally, self._behind = RunCounts((*bot.catalog, *ERRANDS)), LagWatch(bot.store, SINK)
        self._count = KeptCount(bot.store, "metrics", self._tally)

    def catch_up(self) -> None:
        """Count what was written since the last time.

        Raises:
            SQLAlchemyError: the store does not answer.
        """
        with self._lock:
            self._count.catch_up()

    def warm(self, _stop: threading.Event) -> None:
        """Count what happened before this process began, so that the first scrape does not wait for it."""
        try:
            self.catch_up()
        except SQLAlchemyError as error:
            _log.warning("the store cannot be counted yet (%s)", type(error).__name__)

    def describe(self) -> list[Metric]:
        """Nothing beforehand: registering must not ask the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures; without a store only that it is away, and the queue."""
        waiting = self._queue()
        yield _gauge("mayday_queue_up", "Whether Redis answers.", float(waiting is not None))
        if waiting is not None:
            yield _gauge("mayday_queue_length", "Runs that wait in the queue for a worker.", float(waiting))
        try:
            found = [*self._from_store()]
        except SQLAlchemyError:
            found = [_gauge("mayday_store_up", "Whether the store answers.", 0.0)]
        yield from found

    def _from_store(self) -> Iterator[Metric]:
        self.catch_up()
        now = self._bot.clock()
        yield _gauge("mayday_store_up", "Whether the store answers.", 1.0)
        with self._lock:
            yield from runs(self._tally)
            yield steps(self._tally)
            yield from self._lag(now)
        yield from self._workers(now)
        yield from chores(self._bot.store)
        sites = [site.name for site in self._bot.settings.stack()]
        seen = [one for site in sites for one in conditions(self._bot.store, site).values()]
        yield from services(seen, now, by_site=len(sites) > 1)

    def _lag(self, now: datetime) -> Iterator[Metric]:
        lag = self._behind.look(now)
        family = GaugeMetricFamily(
            "mayday_sink_lag_seconds", "How long the oldest entry that no thread shows waits.", labels=["sink"]
        )
        family.add_metric([SINK], lag.seconds)
        yield family
        family = GaugeMetricFamily("mayday_sink_behind_entries", "Entries that no thread shows yet.", labels=["sink"])
        family.add_metric([SINK], lag.entries)
        yield family

    def _workers(self, now: datetime) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "mayday_worker_age_seconds", "Since a worker last said that it lives.", labels=["worker", "site"]
        )
        heard = self._bot.store.kept("worker", now - _HEARD_WITHIN)
        newest = sorted(heard.items(), key=lambda item: item[1][1], reverse=True)[:_MOST_WORKERS]
        for name, (data, at) in newest:
            # The last part of the name differs with each start, and would make a new series of each.
            worker = name.rpartition(":")[0] or name
            family.add_metric([worker, str(data.get("site") or "")], max(0.0, (now - at).total_seconds()))
        yield family


def runs(counts: RunCounts) -> Iterator[Metric]:
    """Runs that were asked for, that ended, and that are open."""
    begun = CounterMetricFamily("mayday_runs_requested", "Runs that were asked for.", labels=["procedure"])
    for procedure, count in sorted(counts.begun.items()):
        begun.add_metric([procedure], count)
    yield begun
    ended = CounterMetricFamily("mayday_runs", "Runs that ended.", labels=["procedure", "outcome"])
    for key, count in sorted(counts.ended.items()):
        ended.add_metric(list(key), count)
    yield ended
    open_ = GaugeMetricFamily("mayday_open_runs", "Runs that have not ended.", labels=["procedure", "state"])
    for key, count in sorted(counts.states().items()):
        open_.add_metric(list(key), count)
    yield open_


def steps(counts: RunCounts) -> Metric:
    """How long steps took, by how they ended: done, undone, failed, undo failed."""
    family = HistogramMetricFamily(
        "mayday_step_seconds", "How long a step took.", labels=["procedure", "step", "ended"]
    )
    for key, durations in sorted(counts.steps.items()):
        family.add_metric(list(key), _buckets(durations), durations.seconds)
    return family


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    total, made = 0, []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), durations.counts, strict=True):
        total += count
        made.append((bound, float(total)))
    return made


def services(seen: list[Condition], now: datetime, *, by_site: bool = False) -> Iterator[Metric]:
    """What the worker keeps of each service; of several sites each figure names its own."""
    for name, text, read in _OF_SERVICES:
        yield _by_service(name, text, [(one, read(one, now)) for one in seen], by_site)
    for name, text, told in _OF_WINDOWS:
        yield _by_service(name, text, [(one, told(one.reachable, now)) for one in seen if one.reachable], by_site)


def _by_service(
    name: str, text: str, values: Sequence[tuple[Condition, float | None]], by_site: bool
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=["service", "site"] if by_site else ["service"])
    for one, value in values:
        if value is not None:
            family.add_metric([one.service, one.site] if by_site else [one.service], value)
    return family


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def routes(bot: BotContext, figures: Figures) -> list[Route]:
    """What this module adds to the bot's web server."""
    bot.meters.registry.register(figures)

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(bot.meters.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


_OF_SERVICES: tuple[tuple[str, str, Callable[[Condition, datetime], float | None]], ...] = (
    (
        "mayday_service_up",
        "0 where Docker, the container's own check or the service itself says that it does not serve.",
        lambda c, now: float(c.well),
    ),
    ("mayday_service_seen_age_seconds", "Since a worker last looked at it.", lambda c, now: _age(c.seen_at, now)),
    (
        "mayday_restore_proven_age_seconds",
        "Since a restored clone was last found healthy or not.",
        lambda c, now: _age(c.record.restored.at, now) if c.record.restored else None,
    ),
)
_OF_WINDOWS: tuple[tuple[str, str, Callable[[Reachable, datetime], float | None]], ...] = (
    (
        "mayday_window_seen_age_seconds",
        "Since a worker last read the recovery window.",
        lambda r, now: _age(r.seen_at, now),
    ),
    (
        "mayday_wal_archived_age_seconds",
        "Since the newest commit that the archive holds.",
        lambda r, now: _age(r.archived_at, now),
    ),
    ("mayday_wal_waiting_bytes", "WAL that the archive does not have yet.", lambda r, now: float(r.waiting)),
    ("mayday_wal_gaps", "Gaps in the WAL of the live timeline.", lambda r, now: float(r.gaps)),
    (
        "mayday_window_earliest_timestamp_seconds",
        "The earliest moment that can be recovered.",
        lambda r, now: _at(r.earliest),
    ),
    (
        "mayday_window_latest_timestamp_seconds",
        "The latest moment that can be recovered.",
        lambda r, now: _at(r.latest),
    ),
    (
        "mayday_base_backup_age_seconds",
        "Since the newest usable base backup ended.",
        lambda r, now: _age(r.base_at, now),
    ),
    ("mayday_dump_age_seconds", "Since the newest dump was written.", lambda r, now: _age(r.dump_at, now)),
)
