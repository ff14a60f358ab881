"""What Prometheus scrapes: right after a restart too, few labels whatever a journal says, quick with many runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from actions.catalog import CATALOG
from actions.engine.journal import Entry, Kind
from actions.settings.services import SiteTable
from actions.store import notes
from actions.store.store import Store
from actions.watch import service_condition
from bot.context import BotContext
from bot.slack.watched_journals import SINK
from bot.web import metrics
from bot.web.meters import Meters
from bot.web.metrics import Figures
from bot.web.run_counts import OTHER, RunCounts
from bot.web.server import web_app
from tests.core.workers.test_condition import SEEN
from tests.support.bot_world import PITR, SERVICE, Clock, PlayedWorker, office_in, store_in
from tests.support.recorded import recorded, tell

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def bot_on(store: Store) -> BotContext:
    return replace(office_in().bot, store=store, catalog=CATALOG, clock=store.clock, meters=Meters())


def scrape(bot: BotContext, queue: int | None = 0) -> Values:
    """One scrape of a bot that began just now."""
    return scraped(web_app(None, *metrics.routes(bot, Figures(bot, lambda: queue))))


def scraped(app: object) -> Values:
    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:  # type: ignore[arg-type]
            return await client.get("/metrics")

    answer = asyncio.run(go())
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return store_in(tmp_path, clock)


def test_runs_and_steps_are_counted_from_the_journals_alone(store: Store) -> None:
    tell(store, "r1", "r2")
    seen = scrape(bot_on(store))
    assert seen["mayday_runs_total", (("outcome", "recovered"), ("procedure", "postgres pitr"))] == 2
    assert seen["mayday_runs_requested_total", (("procedure", "postgres pitr"),)] == 2
    step = (("ended", "done"), ("procedure", "postgres pitr"), ("step", "copy the base backup"))
    took = next(e["data"]["seconds"] for e in recorded() if e["kind"] == "done" and e["data"]["title"] == step[2][1])
    assert seen["mayday_step_seconds_count", step] == 2
    assert seen["mayday_step_seconds_sum", step] == pytest.approx(2 * took)
    assert seen["mayday_step_seconds_bucket", (*step[:1], ("le", "+Inf"), *step[1:])] == 2
    assert scrape(bot_on(store)) == seen


def test_a_second_scrape_counts_only_what_is_new(store: Store) -> None:
    bot = bot_on(store)
    app = web_app(None, *metrics.routes(bot, Figures(bot, lambda: 0)))
    tell(store, "r1")
    first = scraped(app)
    assert scraped(app) == first
    tell(store, "r2")
    key = ("mayday_runs_total", (("outcome", "recovered"), ("procedure", "postgres pitr")))
    assert (first[key], scraped(app)[key]) == (1, 2)


def test_open_runs_are_told_by_their_state() -> None:
    office = office_in()
    office.store.open_run("r1", {**recorded()[0]["data"], "procedure": PITR.name}, claims=True, key="k")
    worker = PlayedWorker(office.store, "r1")
    worker.looks(PITR, 0, 1)
    assert tally_of(office.store).states() == {(PITR.name, "planning"): 1}
    worker.asks(PITR, 2)
    assert tally_of(office.store).states() == {(PITR.name, "asking"): 1}
    worker.ends("discarded")
    assert not tally_of(office.store).states()


def tally_of(store: Store) -> RunCounts:
    tally = RunCounts((PITR,))
    for run in store.tips():
        tally.hear(store.entries(run))
    return tally


def test_what_the_catalog_does_not_know_is_counted_together(store: Store) -> None:
    tell(store, "r1")
    tally = RunCounts(())
    tally.hear(store.entries("r1"))
    assert tally.ended == {(OTHER, "recovered"): 1}
    assert {(procedure, step) for procedure, step, _ in tally.steps} == {(OTHER, OTHER)}


def test_a_journal_that_tells_no_run_is_passed_over() -> None:
    tally = RunCounts((PITR,))
    tally.hear([Entry("i1", 1, Clock()(), Kind.NOTED, None, {"text": "an incident"})])
    assert not tally.begun
    assert not tally.open


def test_the_lag_is_how_long_the_oldest_entry_that_no_thread_shows_has_waited(store: Store) -> None:
    tell(store, "r1", "r2")
    notes.move_cursor(store, "slack", "r1", len(recorded()))
    notes.move_cursor(store, "slack", "r2", len(recorded()) - 2)
    waits = store.entries("r2")[-2].at
    bot = replace(bot_on(store), clock=lambda: waits + timedelta(seconds=90))
    seen = scrape(bot)
    slack = (("sink", "slack"),)
    assert seen["mayday_sink_behind_entries", slack] == 2
    assert seen["mayday_sink_lag_seconds", slack] == pytest.approx(90)
    notes.move_cursor(store, "slack", "r2", len(recorded()))
    seen = scrape(replace(bot, meters=Meters()))
    assert (seen["mayday_sink_behind_entries", slack], seen["mayday_sink_lag_seconds", slack]) == (0, 0)


def test_a_worker_that_fell_silent_grows_old_and_is_dropped_after_an_hour(store: Store, clock: Clock) -> None:
    for i in range(30):
        notes.worker_lives(store, f"ops-{i}:17:101112", {"site": "main", "host": f"ops-{i}"})
    clock.on(45)
    seen = scrape(bot_on(store))
    found = {key: value for key, value in seen.items() if key[0] == "mayday_worker_age_seconds"}
    assert len(found) == 20
    assert set(found.values()) == {45.0}
    assert ("mayday_worker_age_seconds", (("site", "main"), ("worker", "ops-0:17"))) in found
    clock.on(3600)
    names = {name for name, _ in scrape(bot_on(store))}
    assert "mayday_worker_age_seconds" not in names


def test_the_condition_of_a_service_is_told_in_ages_and_moments(store: Store, clock: Clock) -> None:
    service_condition.keep(store, SEEN)
    clock.on(60)
    seen = scrape(bot_on(store))
    service = (("service", SERVICE),)
    assert SEEN.reachable is not None
    assert seen["mayday_service_up", service] == 1
    assert seen["mayday_service_seen_age_seconds", service] == 60
    assert seen["mayday_wal_archived_age_seconds", service] == 90
    assert seen["mayday_base_backup_age_seconds", service] == 3600 + 60
    assert seen["mayday_window_latest_timestamp_seconds", service] == SEEN.seen_at.timestamp()
    assert ("mayday_dump_age_seconds", service) not in seen


def test_of_several_sites_each_figure_of_a_service_names_its_own(store: Store) -> None:
    service_condition.keep(store, SEEN)
    service_condition.keep(store, replace(SEEN, site="east", health=replace(SEEN.health, word="stopped")))
    bot = bot_on(store)
    settings = bot.settings.model_copy(update={"sites": (SiteTable(name="east"),)})
    seen = scrape(replace(bot, settings=settings))
    assert seen["mayday_service_up", (("service", SERVICE), ("site", "main"))] == 1
    assert seen["mayday_service_up", (("service", SERVICE), ("site", "east"))] == 0
    assert seen["mayday_wal_archived_age_seconds", (("service", SERVICE), ("site", "east"))] == 30
    assert ("mayday_service_up", (("service", SERVICE),)) not in seen


def test_without_a_queue_or_a_store_the_page_still_answers(store: Store) -> None:
    assert scrape(bot_on(store), None)["mayday_queue_up", ()] == 0
    with store.engine.connect() as db:
        db.exec_driver_sql("drop table journals")
    bot = bot_on(store)
    bot.meters.acknowledged("/recover", 0.02)
    seen = scrape(bot, 3)
    assert (seen["mayday_store_up", ()], seen["mayday_queue_length", ()]) == (0, 3)
    assert seen["mayday_ack_seconds_count", (("command", "/recover"),)] == 1


class CountedStore(Store):
    """Counts the entries that are read of it."""

    read = 0

    def entries(self, run: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        found = super().entries(run, after, limit)
        self.read += len(found)
        return found

    def entries_of(self, journals: Sequence[str]) -> dict[str, list[Entry]]:
        found = super().entries_of(journals)
        self.read += sum(map(len, found.values()))
        return found


def read_by_a_scrape(path: Path, runs: int) -> int:
    """How many entries a scrape reads of a store with so many runs, all of them in their threads, and a new one."""
    store = CountedStore(f"sqlite:///{path}", Clock())
    tell(store, *(f"r{i}" for i in range(runs)))
    bot = bot_on(store)
    figures = Figures(bot, lambda: 0)
    app = web_app(None, *metrics.routes(bot, figures))
    for run in store.tips():
        notes.move_cursor(store, SINK, run, store.run(run).last)
    scraped(app)  # The first one counts all of them.
    assert store.read >= runs
    tell(store, "later")
    store.read = 0
    seen = scraped(app)
    assert seen["mayday_runs_total", (("outcome", "recovered"), ("procedure", "postgres pitr"))] == runs + 1
    return store.read


@pytest.mark.parts
def test_a_scrape_reads_no_more_of_five_hundred_runs_than_of_five(tmp_path: Path) -> None:
    few, many = (read_by_a_scrape(tmp_path / f"{runs}.db", runs) for runs in (5, 500))
    assert few == many
    assert few > 0
