"""The stack as data: the manual's services without any settings, their order, and where each is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.stack.containers import COMPOSE_PROJECT as PROJECT
from actions.stack.containers import containers_of, project_of
from actions.stack.manual import MANUAL, SERVICES
from actions.stack.objectives import KINDS, SCENARIOS
from actions.stack.order import check, waves
from actions.stack.stack import Service, ServiceKind, Site, needs_of, objective_of, service_of

COMPOSE = "com.docker.compose.service"


def names(services: tuple[tuple[Service, ...], ...]) -> list[list[str]]:
    return [[one.name.removeprefix("nself-") for one in wave] for wave in services]


def other(name: str, *needs: str) -> Service:
    return Service(name, ServiceKind.OTHER, needs=needs)


def test_the_manuals_services_start_in_its_order_in_as_few_waves_as_their_needs_allow() -> None:
    assert names(waves(SERVICES)) == [
        ["postgres", "redis", "minio"],
        ["auth", "hasura", "meilisearch"],
        ["functions"],
        ["prometheus", "grafana", "loki"],
    ]


def test_monitoring_comes_last_unless_something_needs_it() -> None:
    loki = Service("loki", ServiceKind.MONITORING)
    assert names(waves((loki, other("a"), other("b", "a")))) == [["a"], ["b"], ["loki"]]
    assert names(waves((loki, other("a", "loki")))) == [["loki"], ["a"]]


def test_what_is_not_among_the_services_is_taken_to_be_up() -> None:
    assert names(waves((other("b", "a"), other("c", "b")))) == [["b"], ["c"]]


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ((other("a", "b"), other("b", "c"), other("c", "b")), "circle: b needs c needs b"),
        ((other("a", "a"),), "circle: a needs a"),
        ((other("a"), other("a")), "two services of the site 'main' have the name 'a'"),
        ((other("redis"), other("cache", "rediss")), "'cache' needs 'rediss', .* write 'redis'"),
        ((other("db"), other("cache", "x")), "'cache' needs 'x', .* write one of db"),
        ((other("cache", "cahce"),), "'cache' needs 'cahce', .* put it there too"),
        ((other("a"), replace(other("b"), container="a")), "have the container 'a'"),
        ((SERVICES[0], other("postgres")), "have the Compose service 'postgres'"),
    ],
)
def test_a_stack_that_cannot_be_is_refused_with_what_to_write(services: tuple[Service, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(services, "main")


@given(st.lists(st.sets(st.integers(0, 7)), min_size=1, max_size=8))
def test_whatever_needs_what_each_service_comes_after_all_that_it_needs(drawn: list[set[int]]) -> None:
    services = tuple(other(str(i), *(str(n) for n in sorted(needs) if n < i)) for i, needs in enumerate(drawn))
    order = {one.name: i for i, wave in enumerate(waves(services)) for one in wave}
    assert set(order) == {one.name for one in services}
    assert all(order[needed] < order[one.name] for one in services for needed in one.needs)


def test_each_service_has_the_promise_of_the_manual_and_a_stranger_has_none() -> None:
    assert objective_of(MANUAL, "nself-postgres") is KINDS["postgres"]
    assert objective_of(MANUAL, "nself-grafana") is None
    assert objective_of(MANUAL, "shop-redis-1") is None
    assert KINDS["redis"].rto == timedelta(minutes=10)
    assert all(scenario.rpo < scenario.rto for scenario in SCENARIOS)


def test_a_service_is_found_by_its_name_or_that_of_its_container_on_the_first_site_that_has_it() -> None:
    cache = Service("cache", ServiceKind.REDIS, container="nself-redis")
    stack = (Site("main", services=SERVICES), Site("east", services=(cache,)))
    assert service_of(stack, "NSELF-redis") == SERVICES[1]
    assert service_of(stack, "nself-redis", "east") == cache
    assert service_of(stack, "cache") == cache
    assert service_of(stack, "cache", "main") is None


def test_what_services_of_one_name_need_is_taken_together() -> None:
    stack = (Site("main", services=(other("a", "b"), other("b"))), Site("east", services=(other("a", "c"), other("c"))))
    assert needs_of(stack)["a"] == ("b", "c")


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ({"nself-redis": {}}, ("nself-redis",)),
        ({"nchat_redis": {COMPOSE: "redis"}}, ("nchat_redis",)),
        ({"nself-redis": {}, "nchat_redis": {COMPOSE: "redis"}}, ("nself-redis",)),
        ({"a_redis": {COMPOSE: "redis"}, "b_redis": {COMPOSE: "redis"}}, ("a_redis", "b_redis")),
        ({"mayday-clone": {COMPOSE: "redis", "mayday.role": "clone"}}, ()),
        ({"my-redis": {}}, ()),
    ],
)
def test_a_container_is_found_by_name_or_by_its_compose_service(
    listed: dict[str, dict[str, str]], found: object
) -> None:
    assert containers_of(SERVICES[1], listed) == found


def test_a_container_that_is_another_services_is_not_taken_by_its_label() -> None:
    cache = Service("cache", ServiceKind.REDIS, compose="redis", container="")
    listed = {"nself-redis": {COMPOSE: "redis"}, "other": {COMPOSE: "redis"}}
    assert containers_of(cache, listed, (SERVICES[1], cache)) == ("other",)


SHOP, BLOG = ({COMPOSE: "redis", PROJECT: name} for name in ("shop", "blog"))
MINIO = next(one for one in SERVICES if one.name == "nself-minio")


@pytest.mark.parametrize(
    ("listed", "project", "found"),
    [
        # The stack's own is gone, and another project's is there.
        ({"blog-redis-1": BLOG}, "shop", ()),
        ({"blog-redis-1": BLOG, "shop-redis-1": SHOP}, "shop", ("shop-redis-1",)),
        ({"blog-redis-1": BLOG, "nself-minio": {COMPOSE: "minio", PROJECT: "shop"}}, "", ()),
        ({"blog-redis-1": BLOG, "nself-minio": {COMPOSE: "minio", PROJECT: "blog"}}, "", ("blog-redis-1",)),
        # Without a project there is nothing by which it could be told.
        ({"blog-redis-1": BLOG, "shop-redis-1": SHOP}, "", ("blog-redis-1", "shop-redis-1")),
        ({"loose": {COMPOSE: "redis"}}, "shop", ()),
        # A name is one's own whatever project it is in.
        ({"nself-redis": BLOG}, "shop", ("nself-redis",)),
    ],
)
def test_a_label_counts_in_the_stacks_own_project_alone(
    listed: dict[str, dict[str, str]], project: str, found: object
) -> None:
    assert containers_of(SERVICES[1], listed, SERVICES, project) == found


@pytest.mark.parametrize(
    ("listed", "known", "project"),
    [
        ({"shop-redis-1": SHOP}, "", "shop"),
        ({"shop-redis-1": SHOP, "blog-redis-1": BLOG}, "", ""),
        ({"blog-redis-1": BLOG}, "shop", "shop"),
        ({"nself-minio": {PROJECT: "moved"}, "shop-redis-1": SHOP}, "shop", "moved"),
        ({"nself-minio": {PROJECT: "a"}, "nself-redis": {PROJECT: "b"}}, "shop", "shop"),
        ({"nself-minio": {}}, "", ""),
        ({}, "shop", "shop"),
    ],
)
def test_the_project_of_a_stack_is_that_of_its_names_then_the_known_one(
    listed: dict[str, dict[str, str]], known: str, project: str
) -> None:
    assert project_of(listed, SERVICES, known) == project


def test_a_container_that_the_settings_name_is_the_only_one_that_counts() -> None:
    service = replace(SERVICES[1], container="cache-7")
    assert containers_of(service, {"nself-redis": {}, "x": {COMPOSE: "redis"}, "cache-7": {}}) == ("cache-7",)
    assert containers_of(service, {"nself-redis": {}, "x": {COMPOSE: "redis"}}) == ()
