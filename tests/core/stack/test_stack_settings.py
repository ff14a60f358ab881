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


TWO = """
[site]
name = "main"
postgres = "shop-db"
user = "ops"
approval_rows = 50
smoke_url = "http://shop/smoke"
newest_table = "orders"

[[sites]]
name = "east"
docker_host = "tcp://east:2376"
archive = "/wal/east"

[[services]]
name = "shop-db"
kind = "postgres"

[[services]]
name = "billing-db"
kind = "postgres"
archive = "/backups/billing/wal"
bases = "/backups/billing/base"
database = "billing"
approval_rows = 0

[[services]]
name = "shop"
kind = "hasura"
needs = ["shop-db"]

[[services]]
name = "invoices"
kind = "functions"
needs = ["billing-db"]

[[services]]
name = "both"
kind = "other"
writes = true
needs = ["invoices", "shop"]

[[services]]
name = "lone"
kind = "other"
writes = true
"""


def test_each_server_of_a_site_has_its_own_folders_and_database_and_the_rest_as_its_site_says() -> None:
    shop, billing, east = settings(TWO).servers()
    assert (shop.postgres, shop.archive, shop.database) == ("shop-db", "/backups/postgres/wal", "nself_db")
    assert (billing.archive, billing.bases) == ("/backups/billing/wal", "/backups/billing/base")
    assert (billing.database, billing.user, billing.approval_rows) == ("billing", "ops", 0)
    # What is about the other database alone is not handed on.
    assert (billing.smoke_url, billing.newest_table, billing.dumps) == ("", "", ())
    assert (shop.smoke_url, shop.newest_table, shop.approval_rows) == ("http://shop/smoke", "orders", 50)
    assert (east.name, east.postgres, east.archive) == ("east", "nself-postgres", "/wal/east")


def test_who_writes_into_a_server_is_who_needs_it_and_whoever_needs_none_writes_into_the_sites_own() -> None:
    given = settings(TWO)
    shop, billing = given.servers("main")
    assert shop.writers == ("both", "shop", "lone")
    assert billing.writers == ("both", "invoices")
    assert [one.name for one in given.stack()[0].services if one.writes] == ["shop", "invoices", "both", "lone"]


def test_who_writes_into_both_is_known_by_the_name_of_the_service_also_where_the_container_was_told() -> None:
    given = settings(TWO)
    assert given.shared_writers("shop-db", "main") == given.shared_writers("billing-db", "main") == ("both",)
    assert given.shared_writers("nself-postgres", "east") == ()
    assert given.shared_writers("shop-db", "nowhere") == ()
    told = TWO.replace('user = "ops"', 'user = "ops"\nwriters = ["shop-1", "both-1"]')
    told = told.replace('name = "both"', 'name = "both"\ncontainer = "both-1"')
    assert settings(told).shared_writers("shop-db", "main") == ("both",)


def test_a_server_is_found_by_its_service_and_site() -> None:
    given = settings(TWO)
    found = given.server("billing-db", "main")
    assert found is not None
    assert found.database == "billing"
    assert given.server("billing-db", "east") is None
    assert given.server("shop", "main") is None
    assert given.own_server("main").postgres == "shop-db"
    assert given.own_server("east").archive == "/wal/east"


def test_settings_that_tell_of_one_of_several_are_read_as_before_and_have_none_for_the_other() -> None:
    tables = 'services = [{name = "a", kind = "postgres"}, {name = "b", kind = "postgres"}]\n'
    given = settings(f'{tables}[site]\npostgres = "b"')
    assert [one.postgres for one in given.servers()] == ["b"]
    assert given.server("a", "main") is None
    # Of another site its own worker may know, so the settings are read all the same.
    there = settings('sites = [{name = "east"}]\n' + tables.replace('"postgres"', '"postgres", site = "east"'))
    assert there.servers("east") == ()


def test_the_only_server_whose_table_tells_nothing_is_the_sites_own() -> None:
    own = TWO.replace('postgres = "shop-db"\n', "")
    assert [one.postgres for one in settings(own).servers("main")] == ["shop-db", "billing-db"]
    alone = settings('services = [{name = "db", kind = "postgres", archive = "/a", bases = "/b", database = "d"}]')
    assert [(one.postgres, one.archive, one.writers) for one in alone.servers()] == [("db", "/a", ())]


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
            'services = [{name = "a", kind = "postgres"}, {name = "b", kind = "postgres", archive = "/b"}]\n'
            '[site]\npostgres = "a"',
            "services: 'b' tells of its archive; write bases and database into its table too, as nobody else tells",
        ),
        (
            'services = [{name = "a", kind = "redis", archive = "/a"}]',
            "services: 'a' is no postgres and has no archive; write it into the table of one",
        ),
        ('services = [{name = "a", kind = "postgres", backup_rate = "fast"}]', "services.0.backup_rate: give it as"),
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
