"""The tables of services and sites: what they come to, and what is said of those that cannot be."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from actions.engine.errors import Refused
from actions.settings.settings import Settings
from actions.settings.settings_file import read
from actions.settings.site import SiteSettings
from actions.stack.manual import SERVICES
from actions.stack.stack import ServiceKind, Site

OWN = """
[[services]]
name = "db"
kind = "postgres"

[[services]]
name = "sessions"
kind = "redis"
container = "shop-redis-1"
rto_minutes = 3

[[services]]
name = "api"
kind = "hasura"
needs = ["db", "sessions"]
wait_seconds = 90
"""


def settings(text: str) -> Settings:
    return Settings.model_validate(tomllib.loads(text))


def refusal(text: str, tmp_path: Path) -> str:
    file = tmp_path / "mayday.toml"
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        read(file, {}, {})
    return refused.value.detail


def test_without_settings_the_stack_is_the_manuals() -> None:
    assert Settings().stack() == (Site("main", services=SERVICES),)


def test_a_server_that_is_not_the_manuals_stands_with_those_who_write_to_it_alone() -> None:
    given = Settings(
        site=SiteSettings(name="shop", postgres="db", writers=("web", "nself-auth"), docker_host="tcp://a:1")
    )
    (site,) = given.stack()
    assert (site.name, site.docker) == ("shop", "tcp://a:1")
    assert [(s.name, s.kind, s.needs, s.writes) for s in site.services] == [
        ("db", ServiceKind.POSTGRES, (), False),
        ("web", ServiceKind.OTHER, ("db",), True),
        ("nself-auth", ServiceKind.AUTH, ("db",), True),
    ]


def test_a_writer_that_the_manual_does_not_know_is_one_more_service() -> None:
    (site,) = Settings(site=SiteSettings(writers=("nself-auth", "shop-web"))).stack()
    assert [one.name for one in site.services if one.writes] == ["nself-auth", "shop-web"]
    assert len(site.services) == len(SERVICES) + 1


def test_services_of_the_settings_are_all_that_there_is_and_tell_the_site_its_server_and_writers() -> None:
    given = settings(OWN)
    (site,) = given.stack()
    db, sessions, api = site.services
    assert (given.site.postgres, given.site.writers) == ("db", ("api",))
    assert given.site.site().writers == ("api",)
    assert db.objective == SERVICES[0].objective
    assert (sessions.container, sessions.health) == ("shop-redis-1", "redis")
    assert sessions.objective is not None
    assert (sessions.objective.rto, sessions.objective.rpo) == (timedelta(minutes=3), timedelta(minutes=15))
    assert (api.needs, api.wait, api.writes, api.health) == (("db", "sessions"), timedelta(seconds=90), True, "")


def test_a_table_with_a_name_of_the_manual_needs_nothing_else() -> None:
    (site,) = settings('[[services]]\nname = "nself-redis"\n[[services]]\nname = "nself-postgres"').stack()
    assert site.services == (SERVICES[1], SERVICES[0])


def test_what_the_site_says_of_writers_and_server_stays_and_a_container_names_its_service() -> None:
    given = settings(
        'site = {postgres = "shop-db", writers = ["web"]}' + OWN.replace('"db"', '"db"\ncontainer="shop-db"', 1)
    )
    assert (given.site.postgres, given.site.writers) == ("db", ("web",))
    assert not any(one.writes for one in given.stack()[0].services)


def test_a_site_may_be_without_a_database() -> None:
    given = settings('services = [{name = "cache", kind = "redis"}]')
    assert [one.name for one in given.stack()[0].services] == ["cache"]
    assert given.site.writers == ()


def test_another_site_has_the_manuals_stack_or_its_own() -> None:
    east, west = settings(
        'sites = [{name = "east"}, {name = "west", docker_host = "tcp://west:2376"}]\n'
        'services = [{name = "cache", kind = "redis", site = "west"}]'
    ).stack()[1:]
    assert east == Site("east", services=SERVICES)
    assert (west.docker, [one.name for one in west.services]) == ("tcp://west:2376", ["cache"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'services = [{name = "db", kind = "postgress"}]',
            "services.0.kind: 'postgress' is no kind of service; write postgres",
        ),
        ('services = [{name = "db"}]', "services: nothing says what 'db' is; write kind = "),
        ('services = [{name = "a b", kind = "redis"}]', "services.0.name: 'a b' is no name; write letters"),
        ('services = [{name = "a", kind = "redis", healt = ""}]', "services.0.healt: "),
        (
            'services = [{name = "a", kind = "redis", health = "ping"}]',
            "'ping' is no health check; write postgres, redis",
        ),
        ('services = [{name = "a", kind = "other", rto_minutes = 3}]', "write both"),
        (
            'services = [{name = "a", kind = "other", needs = ["b"]}, {name = "b", kind = "other", needs = ["a"]}]',
            "services: services need each other in a circle: a needs b needs a; take one",
        ),
        (
            'services = [{name = "auth", kind = "auth", needs = ["reids"]}, {name = "redis", kind = "redis"}]',
            "services: 'auth' needs 'reids', which is no service of the site 'main'; write 'redis'",
        ),
        (
            'services = [{name = "a", kind = "redis"}, {name = "a", kind = "redis"}]',
            "services: two services of the site 'main' have the name 'a'; give each its own",
        ),
        (
            'sites = [{name = "east"}]\nservices = [{name = "a", kind = "redis", site = "est"}]',
            "services: 'a' is on the site 'est', which is not known; write 'east'",
        ),
        ('sites = [{name = "main"}]', "sites: two sites have the name 'main'"),
        (
            'services = [{name = "a", kind = "postgres"}, {name = "b", kind = "postgres"}]',
            "site.postgres: there are a, b, and [site] tells of one of them; write postgres = ",
        ),
        (
            'site = {postgres = "c"}\nservices = [{name = "a", kind = "postgres"}]',
            "site.postgres: 'c' is no service of kind postgres in [[services]]; write one of a",
        ),
    ],
)
def test_what_cannot_be_is_said_with_its_key_what_was_seen_and_what_to_write(
    text: str, said: str, tmp_path: Path
) -> None:
    assert said in refusal(text, tmp_path)
