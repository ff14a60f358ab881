"""Who follows whom: which service a command about a primary or about its standby means, and what is refused."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest

from actions.control.requests import Subject
from actions.engine.errors import Refused
from actions.settings.settings import Settings
from actions.stack.choose import chosen
from actions.stack.clusters import asker_about, primary_of, standbys_of
from actions.stack.stack import Stack

ONE = """
[[services]]
name = "db"
kind = "postgres"
[[services]]
name = "db-east"
kind = "postgres"
site = "east"
follows = "db @ main"
[[sites]]
name = "east"
"""
BESIDE = '\n[[services]]\nname = "db-2"\nkind = "postgres"\nfollows = "db"\n'
PRIMARY, EAST, BESIDE_IT = Subject("main", "db"), Subject("east", "db-east"), Subject("main", "db-2")
NOW = datetime(2026, 2, 9, 14, 30, tzinfo=UTC)


def settings(text: str) -> Settings:
    return Settings.model_validate(tomllib.loads(text))


def stack(text: str) -> Stack:
    return settings(text).stack()


def test_a_command_about_postgres_means_the_primary_whatever_follows_it() -> None:
    assert chosen(stack(ONE + BESIDE), "postgres") == PRIMARY
    assert chosen(stack(ONE), "postgres", site="east") == EAST


@pytest.mark.parametrize(
    ("service", "site"),
    [("", ""), ("db", ""), ("DB-east", ""), ("", "main"), ("", "East"), ("db", "main"), ("db-east", "east")],
)
def test_a_command_about_a_standby_means_it_by_its_own_name_its_primarys_or_a_site(service: str, site: str) -> None:
    assert chosen(stack(ONE), "postgres", service, site, standby=True) == EAST


@pytest.mark.parametrize(
    ("text", "service", "site", "said"),
    [
        (ONE + BESIDE, "", "", "db-2 @ main, db-east @ east"),
        (ONE + BESIDE, "db", "", "db-2 @ main, db-east @ east"),
        (ONE, "other", "", "No standby of other is known."),
        (ONE, "db", "west", "There is no site 'west'."),
        ('[[services]]\nname = "db"\nkind = "postgres"\n', "", "", "Standbys in the settings: none."),
    ],
)
def test_a_standby_that_cannot_be_known_is_refused_with_the_choices(
    text: str, service: str, site: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        chosen(stack(text), "postgres", service, site, standby=True)
    assert said in f"{refused.value.message} {refused.value.detail}"
    assert refused.value.hint


def test_of_several_one_is_meant_by_its_own_name() -> None:
    assert chosen(stack(ONE + BESIDE), "postgres", "db-2", standby=True) == BESIDE_IT
    assert standbys_of(stack(ONE + BESIDE), PRIMARY) == (BESIDE_IT, EAST)


def test_a_request_is_read_with_whom_its_service_follows() -> None:
    asker = asker_about(stack(ONE), EAST, NOW, "UTC", None)
    assert (asker.service, asker.follows, asker.follows_at) == ("db-east", "db", "main")
    assert asker_about(stack(ONE), PRIMARY, NOW, "UTC", None).follows == ""
    assert primary_of(stack(ONE), EAST) == PRIMARY


def test_a_standby_has_the_backups_of_the_server_that_it_follows() -> None:
    told = settings(ONE + BESIDE + '[site]\ndatabase = "shop"\narchive = "/a"\n')
    own, beside = told.server("db", "main"), told.server("db-2", "main")
    assert own is not None
    assert beside is not None
    assert (beside.postgres, beside.database, beside.archive) == ("db-2", "shop", "/a")
    assert own.postgres == "db"


@pytest.mark.parametrize(
    ("follows", "said"),
    [
        ("gone @ main", "which is no postgres of the settings"),
        ("db @ west", "which is no postgres of the settings"),
        ("db-2", "'db-2' follows 'db-2'; one of them is the primary"),
        ("cache", "which is no postgres of the settings"),
    ],
)
def test_whom_a_standby_cannot_follow_is_said(follows: str, said: str) -> None:
    cache = '\n[[services]]\nname = "cache"\nkind = "redis"\n'
    with pytest.raises(ValueError, match="services: ") as wrong:
        settings(ONE + cache + BESIDE.replace('"db"', f'"{follows}"'))
    assert said in str(wrong.value)


def test_what_is_no_postgres_follows_nobody() -> None:
    with pytest.raises(ValueError, match="'cache' is no postgres and follows nobody"):
        settings(ONE + '\n[[services]]\nname = "cache"\nkind = "redis"\nfollows = "db"\n')
