"""The condition of the services: from Docker's list and the window, kept as a note, never in the way of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import Away
from actions.engine.journal import Entry, Kind
from actions.engine.run import Run
from actions.incidents import on_call
from actions.stack.containers import COMPOSE_PROJECT, COMPOSE_SERVICE
from actions.stack.drawing import drawn
from actions.stack.manual import SERVICES
from actions.stack.stack import Service, ServiceKind, Site
from actions.store.store import Store
from actions.tools.outside import OnCall
from actions.tools.registry import SiteTools
from actions.watch import row_counts, service_condition
from actions.watch.compose_project import remembered
from actions.watch.redis_memory import Memory, silent
from actions.watch.row_counts import RowsSeen
from actions.watch.run_records import Record, Records
from actions.watch.service_condition import Condition, Health, Reachable, conditions
from bot.views.home_view import HomeData, SiteHome, view
from tests.support.recorded import recorded, tell, told_as
from tests.support.worlds.company import SITE, WRITERS, World
from tests.support.worlds.founding import company
from tests.support.worlds.planned import WorldToolbox
from workers.watch.condition_keeper import ConditionKeeper
from workers.watch.container_health import healths

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
KNOWN = tuple(one for one in SERVICES if one.name in (SITE.postgres, *WRITERS))
SEEN = Condition(
    "nself-postgres",
    "main",
    NOW,
    Health("nself-postgres", "healthy"),
    reachable=Reachable(
        NOW,
        base_at=NOW - timedelta(hours=1),
        archived_at=NOW - timedelta(seconds=30),
        earliest=NOW - timedelta(days=7),
        latest=NOW,
        waiting=500,
    ),
)


def listed(name: str, state: str = "running", status: str = "Up 5 minutes (healthy)", **labels: str) -> dict[str, Any]:
    named = {key.replace("_", "."): value for key, value in labels.items()}
    return {"Names": [f"/{name}"], "State": state, "Status": status, "Labels": named}


@dataclass
class Host:
    """A toolbox on the world's host; its Docker lists the containers, or is away."""

    world: World
    away: bool = False
    names: list[str] = field(default_factory=list)
    while_open: Any = None
    counted: list[str] = field(default_factory=list)

    @contextmanager
    def open(self, run: Run) -> Iterator[SiteTools]:
        if self.away:
            raise Away("Docker did not answer.", hint="See that it runs.")
        self.names.append(run.id)
        with WorldToolbox(self.world).open(run) as tools:
            docker: Any = tools.docker
            docker.client = SimpleNamespace(api=SimpleNamespace(containers=self.containers))
            yield replace(tools, files=Counting(tools.files, self))

    def containers(self, all: bool) -> list[dict[str, Any]]:
        assert all
        said = {"running": "Up 1 minute (healthy)", "exited": "Exited (1) 2 hours ago"}
        return [listed(c.name, c.state, said[c.state]) for c in self.world.containers.values()]


class Counting:
    """The world's files, with what they were asked."""

    def __init__(self, files: Any, host: Host) -> None:
        self._files, self._host = files, host

    def __getattr__(self, name: str) -> Any:
        self._host.counted.append(name)
        if self._host.while_open:
            self._host.while_open()
        return getattr(self._files, name)


@dataclass
class Watch:
    """A world, a store, and a keeper of the condition."""

    host: Host = field(default_factory=lambda: Host(company()))

    def __post_init__(self) -> None:
        self.store = Store("sqlite://", self.host.world.clock)
        self.keeper = self.another()

    def another(self) -> ConditionKeeper:
        return ConditionKeeper(self.store, self.host, SITE.name, (SITE,), KNOWN, every=0.0)

    def seen(self) -> dict[str, Condition]:
        return conditions(self.store, SITE.name)

    def later(self, seconds: float) -> None:
        self.host.world.clock.advance(seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_containers_are_told_in_one_word_each() -> None:
    found = healths(
        [
            listed("nself-postgres"),
            listed("nself-auth", status="Up 3 seconds (health: starting)"),
            listed("nself-hasura", status="Up 2 minutes (unhealthy)"),
            listed("nself-redis", status="Up 2 minutes"),
            listed("nself-minio", "exited", "Exited (137) 5 minutes ago"),
            listed("other"),
            listed("nself-loki", "paused", "Up"),
            listed("nself-strange"),
            listed("mayday-clone-r1", mayday_role="clone"),
        ],
        SERVICES,
    )
    assert [(h.service, h.kind, h.word, h.detail) for h in found] == [
        ("nself-postgres", "postgres", "healthy", ""),
        ("nself-redis", "redis", "running", ""),
        ("nself-minio", "minio", "stopped", "Exited (137)"),
        ("nself-auth", "auth", "starting", ""),
        ("nself-hasura", "hasura", "unhealthy", ""),
        ("nself-loki", "monitoring", "paused", ""),
    ]
    assert [h.service for h in found if h.well] == ["nself-postgres", "nself-redis"]


def test_a_service_is_well_when_its_container_is_and_it_takes_writes() -> None:
    room, full = (Memory(NOW, used=used, most=100, policy="noeviction") for used in (50, 100))
    for memory, takes in ((None, True), (room, True), (full, False)):
        for word in ("healthy", "unhealthy"):
            seen = replace(SEEN, health=Health("nself-redis", word), memory=memory)
            assert seen.well is (takes and word == "healthy")


@pytest.mark.parametrize(
    ("word", "memory", "reachable", "problem", "serves"),
    [
        ("healthy", None, None, "", True),
        ("running", None, None, "", None),
        ("unknown", None, None, "", None),
        ("stopped", None, None, "", False),
        ("running", Memory(NOW, used=1), None, "", True),
        ("running", silent("It did not answer within 3 s.", NOW), None, "", False),
        ("running", silent("The container has no redis-cli.", NOW), None, "", None),
        ("running", silent("NOAUTH Authentication required.", NOW), None, "", None),
        ("running", None, Reachable(NOW), "", True),
        ("running", None, Reachable(NOW - timedelta(minutes=6)), "", None),
        ("running", None, Reachable(NOW), "The server does not answer.", None),
        ("healthy", None, None, "The archive is gone.", True),
    ],
)
def test_a_service_is_said_to_serve_only_where_its_own_check_said_so(
    word: str, memory: Memory | None, reachable: Reachable | None, problem: str, serves: bool | None
) -> None:
    seen = Condition("s", "main", NOW, Health("s", word), memory=memory, reachable=reachable, problem=problem)
    assert seen.serves is serves
    assert ("not looked at" in seen.word()) is (serves is None and word == "running")
    shown = view(HomeData((), (SiteHome("main", (seen,)),), NOW))
    assert ("✓" in str(shown)) is (serves is True)
    assert "checked" not in str(shown), "of a fresh check nothing is said"
    later = view(HomeData((), (SiteHome("main", (seen,)),), NOW + timedelta(minutes=2)))
    assert ("checked" in str(later)) is (serves is True)
    assert ("✓" in drawn(Site("main", services=(Service("s", ServiceKind.OTHER),)), {"s": seen}, NOW)) is (
        serves is True
    )


def test_a_service_that_has_to_be_there_is_missed_and_an_optional_one_is_not() -> None:
    missed = [(h.service, h.word) for h in healths([], SERVICES)]
    assert missed == [(f"nself-{name}", "missing") for name in ("postgres", "redis", "minio", "auth", "hasura")]


def test_what_stands_in_the_same_compose_project_is_shown_though_nobody_named_it() -> None:
    project = {"com.docker.compose.project": "shop"}
    rows = [{**listed(name), "Labels": project} for name in ("db", "web", "cache")]
    services = (Service("db", ServiceKind.POSTGRES), Service("web", ServiceKind.OTHER))
    found = healths([*rows, listed("db-tool")], services)
    assert [(h.service, h.kind) for h in found] == [("db", "postgres"), ("web", "other"), ("cache", "")]


def test_a_service_of_another_site_in_the_same_docker_is_not_said_to_be_in_no_table() -> None:
    project = {"com.docker.compose.project": "shop"}
    rows = [{**listed(name), "Labels": project} for name in ("db", "db-standby", "cache")]
    here = (Service("db", ServiceKind.POSTGRES),)
    there = (Service("follower", ServiceKind.POSTGRES, container="db-standby"),)
    assert [h.service for h in healths(rows, here, there)] == ["db", "cache"]
    assert [h.service for h in healths(rows, there, here)] == ["follower", "cache"]


def test_a_service_that_is_gone_is_not_replaced_by_another_projects_and_it_is_said_why(watch: Watch) -> None:
    ours, theirs = (
        {**listed(f"{name}-postgres-1"), "Labels": {COMPOSE_SERVICE: "postgres", COMPOSE_PROJECT: name}}
        for name in ("shop", "blog")
    )
    seen: list[Any] = [ours]
    watch.host.containers = lambda all: seen  # type: ignore[method-assign]
    watch.keeper.look()
    postgres = KNOWN[0].name
    assert conditions(watch.store, SITE.name)[postgres].health.inside == "shop-postgres-1"
    assert remembered(watch.store, SITE.name) == "shop"
    seen[:] = [theirs]
    watch.host.world.clock.advance(60)
    assert watch.another().look()
    gone = conditions(watch.store, SITE.name)[postgres].health
    assert gone.word == "missing"
    assert "blog-postgres-1 has its Compose label, but in blog and not in shop" in gone.detail
    assert "compose_project" in gone.detail
    seen[:] = [theirs, ours]
    watch.host.world.clock.advance(60)
    assert watch.another().look()
    assert conditions(watch.store, SITE.name)[postgres].health.inside == "shop-postgres-1"


def test_a_service_is_told_under_its_own_name_whatever_its_container_is_called() -> None:
    label = {"com.docker.compose.service": "redis"}
    [one] = healths([{**listed("nchat_redis"), "Labels": label}], SERVICES[1:2])
    assert (one.service, one.inside, one.word) == ("nself-redis", "nchat_redis", "healthy")
    both = [{**listed(name), "Labels": label} for name in ("a_redis", "b_redis")]
    [none] = healths(both, SERVICES[1:2])
    assert none.word == "missing"
    assert "a_redis, b_redis; name one in the settings" in none.detail


def test_the_keeper_notes_health_and_what_can_be_reached(watch: Watch) -> None:
    assert watch.keeper.look()
    seen = watch.seen()
    assert set(seen) == {SITE.postgres, *WRITERS}
    found = seen[SITE.postgres].reachable
    assert found is not None
    assert found.base_at is not None
    assert found.earliest is not None
    assert found.latest == found.seen_at
    assert found.waiting > 0
    assert all(seen[name].reachable is None for name in WRITERS)


def beside(watch: Watch, archive: str) -> ConditionKeeper:
    """A keeper of the site with a second server, whose container is like the first one's."""
    world = watch.host.world
    world.containers["billing-db"] = replace(world.containers[SITE.postgres], name="billing-db")
    world.mounted["billing-db"] = "billing"
    world.dirs["billing"] = replace(world.dirs[world.mounted[SITE.postgres]], id="billing")
    billing = replace(SITE, postgres="billing-db", archive=archive)
    services = (*KNOWN, Service("billing-db", ServiceKind.POSTGRES))
    return ConditionKeeper(watch.store, watch.host, SITE.name, (SITE, billing), services, every=0.0)


def test_each_server_of_a_site_is_looked_at_as_a_run_of_its_own_would(watch: Watch) -> None:
    assert beside(watch, SITE.archive).look()
    seen = watch.seen()
    assert seen[SITE.postgres].reachable is not None
    assert seen["billing-db"].reachable is not None
    assert watch.host.names == ["condition-main", "condition-main.nself-postgres", "condition-main.billing-db"]


def test_what_cannot_be_seen_of_one_server_is_no_problem_of_the_other(watch: Watch) -> None:
    assert beside(watch, "/nowhere").look()
    seen = watch.seen()
    assert (seen[SITE.postgres].problem, seen[SITE.postgres].reachable is None) == ("", False)
    assert "/nowhere" in seen["billing-db"].problem
    assert seen["billing-db"].problem_since == watch.store.clock()
    assert seen["billing-db"].reachable is None


def test_rows_of_two_servers_are_counted_apart_also_under_one_name(watch: Watch) -> None:
    for site, rows in (("main", 900), ("east", 100)):
        row_counts.look(watch.store, site, "db", RowsSeen("14:00", {"public.t": rows}))
    row_counts.look(watch.store, "main", "db", RowsSeen("14:00", {"public.t": 100}))
    assert [loss.before for loss in row_counts.lost(watch.store, "main", ["db"])] == [900]
    assert row_counts.lost(watch.store, "east", ["db"]) == []


def test_two_workers_of_a_site_look_once(watch: Watch) -> None:
    assert watch.keeper.look()
    other = ConditionKeeper(watch.store, watch.host, SITE.name, (SITE,), KNOWN)
    watch.later(5)
    assert not other.look()
    watch.later(5)
    assert other.look()


def test_while_a_run_is_carried_out_only_docker_is_asked(watch: Watch) -> None:
    watch.keeper.look()
    before, asked = watch.seen()[SITE.postgres].reachable, len(watch.host.counted)
    hold(watch.store)
    watch.later(60)
    hold(watch.store)
    assert watch.keeper.look()
    assert len(watch.host.counted) == asked
    assert watch.seen()[SITE.postgres].reachable == before
    assert watch.seen()[SITE.postgres].seen_at == watch.store.clock()


def hold(store: Store) -> None:
    """A worker carries a run out from now on."""
    store.open_run("r1", recorded()[0]["data"], claims=True, key="k")
    lease = store.acquire("r1", "worker")
    if lease is not None:
        store.beat(lease)


def test_a_look_is_given_up_as_soon_as_a_run_begins(watch: Watch) -> None:
    watch.host.while_open = lambda: hold(watch.store)
    assert watch.keeper.look()
    assert watch.host.counted == ["data_directory"]
    assert watch.seen()[SITE.postgres].reachable is None
    assert watch.seen()[SITE.postgres].problem == ""


def test_what_cannot_be_seen_is_told_and_what_was_seen_stays(watch: Watch) -> None:
    watch.keeper.look()
    before = watch.seen()[SITE.postgres]
    watch.host.away = True
    watch.later(60)
    watch.another().look()
    after = watch.seen()[SITE.postgres]
    assert (after.health.word, after.problem) == ("unknown", "Docker did not answer.")
    assert after.reachable == before.reachable
    assert after.problem_since == watch.store.clock()
    watch.later(60)
    watch.another().look()
    assert watch.seen()[SITE.postgres].problem_since == after.problem_since
    watch.host.away = False
    watch.later(60)
    watch.keeper.look()
    well = watch.seen()[SITE.postgres]
    assert (well.problem, well.problem_since) == ("", None)


def test_a_stopped_database_is_not_asked_what_can_be_reached(watch: Watch) -> None:
    watch.host.world.set_container(SITE.postgres, state="exited")
    watch.keeper.look()
    assert watch.host.counted == []
    assert watch.seen()[SITE.postgres].health == Health(SITE.postgres, "stopped", "Exited (1)", kind="postgres")


def test_the_archive_is_behind_from_the_first_look_that_found_it_so() -> None:
    first = reachable_at(NOW, waiting=1 << 20)
    second = reachable_at(NOW + timedelta(minutes=7), waiting=9 << 20, before=first)
    assert (first.behind, second.behind) == (timedelta(0), timedelta(minutes=7))
    caught_up = reachable_at(NOW + timedelta(minutes=9), waiting=100, before=second)
    assert caught_up.behind == timedelta(0)
    moved = reachable_at(NOW + timedelta(minutes=9), waiting=1 << 20, before=second, archived=8)
    assert moved.behind == timedelta(0)
    # Less than a page is what a server without work writes.
    assert [reachable_at(NOW, waiting=many).waiting_since for many in (8191, 8192)] == [None, NOW]


def reachable_at(now: datetime, waiting: int, before: Reachable | None = None, archived: int = 0) -> Reachable:
    tail = SimpleNamespace(segments=("000000010000000000000004",), end_lsn=(4 << 24) + waiting)
    around: Any = SimpleNamespace(window=SimpleNamespace(live=None), archived_at=NOW, archived=str(archived), tail=tail)
    return service_condition.reachable(around, 1 << 24, now, before=before)


def test_a_note_is_read_as_it_was_kept_and_one_of_another_version_is_passed_over(watch: Watch) -> None:
    service_condition.keep(watch.store, SEEN)
    watch.store.keep(service_condition.NOTE, "main nself-redis", {"something": "else"})
    watch.store.keep(service_condition.NOTE, "other nself-redis", {})
    assert conditions(watch.store, "main") == {"nself-postgres": SEEN}
    assert [SEEN.old(NOW + timedelta(minutes=5, seconds=more)) for more in (0, 1)] == [False, True]


def test_a_recovery_proves_a_restore_and_tells_what_it_took() -> None:
    records = Records()
    records.hear(told_as("r1"))
    record = records.of("nself", "nself-postgres")
    assert record.restored is not None
    assert (record.restored.run, record.restored.healthy) == ("r1", True)
    assert record.verified is None
    assert record.actual is not None
    assert record.actual.rto_seconds == pytest.approx(63.9, abs=0.1)
    assert record.actual.rpo_seconds == pytest.approx(11.1, abs=0.1)


def test_a_verify_is_no_restore_and_the_newest_of_each_counts() -> None:
    records = Records()
    later = timedelta(days=1)
    records.hear(told_as("r2", later))
    records.hear(told_as("r1"))
    told = list(told_as("v1", 2 * later))
    request = replace(told[0], data={**told[0].data, "procedure": "postgres verify"})
    verdict = Entry(
        "v1", 2, request.at, Kind.DONE, 1, {"gives": "integrity", "fact": {"healthy": False, "verdict": "x"}}
    )
    records.hear([request, verdict])
    record = records.of("nself", "nself-postgres")
    assert record.restored is not None
    assert record.restored.run == "r2"
    assert record.verified is not None
    assert (record.verified.run, record.verified.healthy) == ("v1", False)


def test_a_discarded_preview_has_proven_the_restore_all_the_same() -> None:
    records = Records()
    for entry in told_as("r1"):
        if entry.kind is Kind.ASKED and records.of("nself", "nself-postgres").restored:
            break
        records.hear([entry])
    assert records.of("nself", "nself-postgres").restored is not None
    assert records.of("nself", "nself-postgres").actual is None


def test_the_keeper_knows_what_earlier_runs_proved(watch: Watch) -> None:
    tell(watch.store, "r1", site="main")
    watch.keeper.look()
    assert watch.seen()[SITE.postgres].record.actual is not None


def test_what_a_run_proved_of_another_sites_server_of_that_name_is_no_proof_here(watch: Watch) -> None:
    tell(watch.store, "r1", site="east")
    watch.keeper.look()
    assert watch.seen()[SITE.postgres].record == Record()


def test_who_is_on_call_is_known_once_somebody_said_so(watch: Watch) -> None:
    assert on_call.known(watch.store, "main") is None
    people = [OnCall("P2", "Ada", "ada@example.org", 2, "EP1"), OnCall("P1", "Olga", "olga@example.org", 1, "EP1")]
    on_call.keep(watch.store, "main", people)
    assert [p.name for p in on_call.known(watch.store, "main") or ()] == ["Olga", "Ada"]
