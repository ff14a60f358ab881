"""Requests by words: each is for the service that was meant, and what cannot be known makes no run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from actions.stack.stack import service_of
from actions.store import notes
from bot.dispatch import hear
from bot.runs.ask_again import open_again
from bot.runs.requests import NO_WORKER, Origin
from tests.support.bot_world import CATALOG, CHANNEL, Office, office_in
from tests.support.worlds.kinds import HASURA, REDIS

SETTINGS = Settings(
    site=SiteSettings(postgres="nself-postgres"),
    sites=(SiteTable(name="east"),),
    services=(
        ServiceTable(name="nself-postgres"),
        ServiceTable(name="reports", kind="postgres"),
        ServiceTable(name="nself-redis"),
        ServiceTable(name="nself-cache", kind="redis"),
        ServiceTable(name="api", kind="hasura"),
    ),
)


def office() -> Office:
    made = office_in((*CATALOG, REDIS, HASURA))
    given = SETTINGS.model_copy(update={"slack": made.bot.settings.slack, "people": made.bot.settings.people})
    return replace(made, bot=replace(made.bot, settings=given))


def say(here: Office, text: str, key: str = "k") -> str:
    return hear(here.bot, text, Origin(key, "U0ONCALL", "T0", CHANNEL)).text


def subjects(here: Office) -> list[tuple[str, str, str]]:
    runs = [here.store.run(run) for run in reversed(here.store.runs())]
    return [(run.procedure, run.site, run.service) for run in runs]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("/recover redis nself-cache restart", ("main", "nself-cache")),
        ("/recover nself-redis restart", ("main", "nself-redis")),
        ("/recover redis restart @ east", ("east", "nself-redis")),
    ],
)
def test_a_run_is_for_the_service_that_was_named_and_its_site(text: str, subject: tuple[str, str]) -> None:
    here = office()
    say(here, text)
    assert subjects(here) == [("redis restart", *subject)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/recover redis restart", "Which redis? The site main has 2."),
        ("/recover api redis restart", "api is no redis."),
        ("/recover redis nself-cahce restart", "Did you mean nself-cache?"),
        ("/recover postgres reports verify", "The settings do not say where the backups of reports lie."),
        ("/recover postgres verify", "Which postgres? The site main has 2."),
    ],
)
def test_what_cannot_be_known_makes_no_run(text: str, said: str) -> None:
    here = office()
    assert said in say(here, text)
    assert here.store.runs() == []


def test_whether_a_worker_lives_is_asked_of_the_site_that_is_meant() -> None:
    here = office()
    notes.worker_lives(here.store, "w", {"host": "here", "sites": ["main"]})
    assert NO_WORKER not in say(here, "/recover api restart", "a")
    assert NO_WORKER in say(here, "/recover redis restart @ east", "b")


def test_another_time_is_asked_for_the_same_service_of_the_same_site() -> None:
    here = office()
    say(here, "/recover postgres pitr 14:30 @ east", "a")
    [first] = here.store.runs()
    with pytest.raises(Refused, match=f"nself-postgres is held by run {first}"):
        open_again(here.bot, here.store.run(first), {"by": "U0ONCALL", "text": "14:31"}, CHANNEL, "1.2")
    lease = here.store.acquire(first, "w")
    assert lease is not None
    here.store.append(lease, Kind.FINISHED, None, {"outcome": "discarded"})
    open_again(here.bot, here.store.run(first), {"by": "U0ONCALL", "text": "14:31"}, CHANNEL, "1.2")
    assert subjects(here) == [("postgres pitr", "east", "nself-postgres")] * 2


NAMES = ["nself-postgres", "reports", "nself-redis", "nself-cache", "api", "shop", "@", "east", "@east", "main"]
WORDS = ["recover", "postgres", "redis", "hasura", "restart", "pitr", "verify", "window", "14:30", *NAMES]


@given(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join))
def test_no_words_make_a_run_for_a_service_of_another_kind(text: str) -> None:
    here = office()
    say(here, text)
    stack = here.bot.settings.stack()
    for name in here.store.runs():
        run = here.store.run(name)
        procedure, service = here.bot.procedure(run.procedure), service_of(stack, run.service, run.site)
        assert procedure is not None
        assert service is not None
        assert service.kind == procedure.about


BILLING = ServiceTable(name="billing-db", kind="postgres", archive="/b/wal", bases="/b/base", database="billing")
BOTH = Settings(
    site=SiteSettings(name="main", postgres="nself-postgres"),
    sites=(SiteTable(name="east", docker_host="tcp://east:2376"),),
    services=(
        ServiceTable(name="nself-postgres"),
        BILLING,
        BILLING.model_copy(update={"site": "east"}),
        ServiceTable(name="shop", kind="other", writes=True, needs=("nself-postgres",)),
        ServiceTable(name="reports", kind="other", writes=True, needs=("nself-postgres", "billing-db")),
    ),
)


def two_servers() -> Office:
    made = office()
    given = BOTH.model_copy(update={"slack": made.bot.settings.slack, "people": made.bot.settings.people})
    # Who writes is as the services say, where [site] does not say it.
    return replace(made, bot=replace(made.bot, settings=Settings.model_validate(given.model_dump(exclude_unset=True))))


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("/recover billing-db pitr 14:30", ("main", "billing-db")),
        ("/recover postgres billing-db pitr 14:30", ("main", "billing-db")),
        ("/recover billing-db pitr 14:30 @ east", ("east", "billing-db")),
        ("/recover nself-postgres pitr 14:30", ("main", "nself-postgres")),
    ],
)
def test_each_of_two_servers_is_recovered_under_its_name(text: str, subject: tuple[str, str]) -> None:
    here = two_servers()
    say(here, text)
    assert subjects(here) == [("postgres pitr", *subject)]


def test_a_recovery_without_a_name_is_refused_with_the_two_servers() -> None:
    here = two_servers()
    said = say(here, "/recover postgres pitr 14:30")
    assert "Which postgres? The site main has 2." in said
    assert "There are nself-postgres, billing-db, billing-db @ east." in said
    assert here.store.runs() == []


def test_two_servers_are_recovered_side_by_side_unless_somebody_writes_into_both() -> None:
    here = two_servers()
    say(here, "/recover billing-db pitr 14:30", "a")
    [first] = here.store.runs()
    said = say(here, "/recover nself-postgres pitr 14:30", "b")
    assert f"reports is held by run {first}" in said
    assert here.store.runs() == [first]
    assert {claim.service for claim in here.store.claims("main")} == {"billing-db", "reports"}
    say(here, "/recover billing-db pitr 14:30 @ east", "c")
    assert len(here.store.runs()) == 2
