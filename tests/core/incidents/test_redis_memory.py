"""Out of memory: what a Redis says of its own, what Docker says of a container, and what people are told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from actions.incidents.incident import Incident
from actions.incidents.suggested_recoveries import fitting, looks
from actions.stack.manual import SERVICES
from actions.watch.redis_memory import Memory, read, silent
from actions.watch.service_condition import Condition, Health
from bot.views import incident_modals as modals
from bot.views.home_view import HomeData, SiteHome
from bot.views.home_view import view as home
from tests.support.bot_world import CATALOG
from workers.watch import container_health

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
REDIS = "nself-redis"
INCIDENT = Incident("i1124-aaaa", NOW, {"service": REDIS, "title": "Sessions are lost"})
FULL = Memory(NOW, 2 << 20, 2 << 20, "noeviction", 3)


def info(used: int, most: int = 2 << 20, policy: str = "noeviction", refused: int | None = None) -> str:
    counted = f"errorstat_OOM:count={refused}\r\n" if refused else ""
    return (
        f"# Memory\r\nused_memory:{used}\r\nused_memory_human:1.00M\r\nmaxmemory:{most}\r\n"
        f"maxmemory_policy:{policy}\r\n\r\n# Errorstats\r\nerrorstat_ERR:count=1\r\n{counted}"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (info(1 << 20), ""),
        (info(2 << 30, most=0), ""),
        (info(15 << 17), "Redis is nearly full and will refuse writes: 2 MB of 2 MB, noeviction"),
        (info(3 << 20), "Redis refuses writes for want of memory: 3 MB of 2 MB, noeviction"),
        (info(3 << 20, refused=7), "Redis refuses writes for want of memory: 3 MB of 2 MB, noeviction, 7 refused"),
        (info(3 << 20, policy="allkeys-lru"), ""),
    ],
)
def test_a_redis_is_judged_by_its_limit_and_by_what_it_does_there(said: str, expected: str) -> None:
    assert read(said, NOW).says() == expected


def test_writes_that_were_refused_since_the_last_look_count_whatever_the_policy_for_ten_minutes() -> None:
    first = read(info(1 << 20, policy="volatile-lru", refused=5), NOW)
    assert first.says() == ""
    second = read(info(1 << 20, policy="volatile-lru", refused=9), LATER, first)
    assert second.says() == "Redis refuses writes for want of memory: 1 MB of 2 MB, volatile-lru, 9 refused"
    unheard = silent("It did not answer within 3 s.", LATER, second)
    third = read(info(1 << 20, policy="volatile-lru", refused=9), LATER + timedelta(minutes=9), unheard)
    assert third.refuses
    assert not read(info(1 << 20, refused=9), LATER + timedelta(minutes=10), third).refuses


def test_a_count_that_began_anew_is_compared_with_nothing() -> None:
    before = read(info(1 << 20, refused=50), NOW)
    assert read(info(1 << 20, refused=2), LATER, before).refuses
    assert not read(info(1 << 20), LATER, before).refuses


def test_one_that_does_not_answer_is_told_as_such_and_forgets_nothing() -> None:
    said = silent("NOAUTH Authentication required.", LATER, FULL)
    assert said.says() == "Redis does not say how much memory it uses: NOAUTH Authentication required."
    assert (said.refuses, said.refused) == (False, 3)
    assert not read(info(1 << 20, refused=8), LATER, silent("It did not answer.", NOW)).refuses
    with pytest.raises(ValueError):
        read("NOAUTH Authentication required.\n", NOW)


def containers(status: str, state: str = "exited", **told: Any) -> Any:
    listed = [{"Names": [f"/{REDIS}"], "State": state, "Status": status, "Labels": {}}]
    api = SimpleNamespace(containers=lambda all: listed, inspect_container=lambda name: {"State": told})
    return SimpleNamespace(api=api)


@pytest.mark.parametrize(
    ("docker", "expected"),
    [
        (containers("Exited (137) 2 hours ago", OOMKilled=True), ("stopped", "Exited (137), out of memory", True)),
        (containers("Exited (137) 2 hours ago", OOMKilled=False), ("stopped", "Exited (137)", False)),
        (
            containers("Restarting (137) 3 seconds ago", "restarting", OOMKilled=True),
            ("restarting", "Exited (137), out of memory", True),
        ),
        (containers("Exited (1) 2 hours ago", OOMKilled=True), ("stopped", "Exited (1)", False)),
        (containers("Created", "created"), ("stopped", "", False)),
    ],
)
def test_dockers_mark_tells_who_ended_a_container_with_the_code_of_a_kill(docker: Any, expected: Any) -> None:
    found = next(one for one in container_health.look(docker, SERVICES, (), lambda _listed: "") if one.service == REDIS)
    assert (found.word, found.detail, found.starved) == expected


def seen(found: Health, memory: Memory | None = None) -> dict[str, Condition]:
    return {REDIS: Condition(REDIS, "main", NOW, replace(found, kind="redis"), memory=memory)}


@pytest.mark.parametrize(
    ("found", "memory", "expected"),
    [
        (Health(REDIS, "stopped", "Exited (137), out of memory", True), None, "the kernel ended it for want of memory"),
        (Health(REDIS, "stopped", "Exited (137)"), None, "it was killed, perhaps for want of memory"),
        (Health(REDIS, "stopped", "Exited (0)"), None, "its container is stopped (Exited (0))"),
        (Health(REDIS, "healthy"), FULL, FULL.says()),
    ],
)
def test_a_quick_look_is_a_reason_for_a_recovery_of_redis(found: Health, memory: Any, expected: str) -> None:
    assert looks(INCIDENT, seen(found, memory))[-1] == expected
    words = replace(CATALOG[0].words, command="recover redis restart")
    [fit] = fitting(INCIDENT, [replace(CATALOG[0], words=words, about="redis")], seen(found, memory))
    assert expected in fit.why


def test_what_was_seen_is_said_once_though_no_recovery_is_for_it() -> None:
    looked = seen(Health(REDIS, "healthy"), FULL)
    dialog = modals.recover(INCIDENT, fitting(INCIDENT, CATALOG, looked), looks(INCIDENT, looked))
    assert dialog["blocks"][0]["text"]["text"].endswith(f"A quick look shows: {FULL.says()}.")


def test_the_home_tab_says_that_a_healthy_container_refuses_writes() -> None:
    made = home(HomeData((), (SiteHome("main", tuple(seen(Health(REDIS, "healthy"), FULL).values())),), NOW))
    assert f"✗ *{REDIS}* healthy · {FULL.says()}" in str(made)
