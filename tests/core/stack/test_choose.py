"""Which service is meant: what somebody named, or the only one there is; never one that stands in for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.catalog import CATALOG
from actions.control.requests import Subject
from actions.engine.errors import Refused
from actions.settings.slack_values import FAMILIES
from actions.stack.choose import chosen
from actions.stack.manual import MANUAL, SERVICES
from actions.stack.stack import Service, ServiceKind, Site, service_of
from bot.commands.parse_command import ProcedureCommand, UnknownCommand, command_of, meaning
from tests.support.worlds.kinds import HASURA, REDIS, WORDS

CACHE = Service("nself-cache", ServiceKind.REDIS, container="shop-redis-1")
LONELY = Service("edge", ServiceKind.REDIS)
STACK = (
    Site("main", services=(*SERVICES, CACHE)),
    Site("east", services=(LONELY, Service("nself-cache", ServiceKind.HASURA))),
)
BOTH = (REDIS, HASURA, *CATALOG)


def refusal(about: str, service: str = "", site: str = "") -> str:
    with pytest.raises(Refused) as refused:
        chosen(STACK, about, service, site)
    return f"{refused.value.message} {refused.value.detail} {refused.value.hint}"


def test_the_only_service_of_its_kind_is_meant() -> None:
    assert chosen(STACK, "postgres") == Subject("main", "nself-postgres")
    assert chosen(STACK, "redis", site="EAST") == Subject("east", "edge")


def test_a_name_is_that_of_the_service_or_of_its_container() -> None:
    assert chosen(STACK, "redis", "nself-cache") == Subject("main", "nself-cache")
    assert chosen(STACK, "redis", "shop-redis-1") == Subject("main", "nself-cache")
    assert chosen(STACK, "hasura", "nself-cache", "east") == Subject("east", "nself-cache")


def test_a_procedure_about_a_site_takes_the_site_as_a_whole() -> None:
    assert chosen(STACK, "", site="east") == Subject("east")
    assert Subject("east").name == "site east"
    assert "about a site as a whole. 'nself-redis' was named." in refusal("", "nself-redis")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("redis",), "Which redis? The site main has 2. There are nself-redis, nself-cache, edge @ east."),
        (("postgres", "", "east"), "The site east has no postgres. Of the kind postgres: nself-postgres @ main."),
        (("other",), "The site main has no other. Of the kind other: none."),
        (("redis", "nself-cahce"), "There is no service 'nself-cahce' on the site main."),
        (("redis", "nself-cahce"), "Did you mean nself-cache?"),
        (("redis", "edge"), "It is on another site. Write edge @ east"),
        (("postgres", "nself-redis"), "nself-redis is no postgres. It is of the kind redis."),
        (("redis", "nself-cache", "east"), "nself-cache is no redis. It is of the kind hasura."),
        (("redis", "", "est"), "There is no site 'est'. Sites: main, east. Write @ east"),
    ],
)
def test_what_cannot_be_known_is_refused_with_the_choices(asked: tuple[str, ...], said: str) -> None:
    assert said in refusal(*asked)


@pytest.mark.parametrize(
    ("text", "service", "site", "rest"),
    [
        ("redis restart", "", "", ""),
        ("redis nself-cache restart", "nself-cache", "", ""),
        ("nself-cache redis restart", "nself-cache", "", ""),
        ("nself-cache restart @ east", "nself-cache", "east", ""),
        ("nself-cache @east restart now", "nself-cache", "east", "now"),
        ("Redis NSELF-Redis Restart @East", "NSELF-Redis", "East", ""),
        ("redis restart @ east", "", "east", ""),
        ("redis nself-cahce restart", "nself-cahce", "", ""),
        ("nself-cahce restart", "nself-cahce", "", ""),
    ],
)
def test_a_service_is_named_before_or_after_its_kind_and_a_site_after_an_at(
    text: str, service: str, site: str, rest: str
) -> None:
    found = meaning(f"/recover {text}", (REDIS, HASURA), stack=STACK)
    assert isinstance(found, ProcedureCommand)
    assert (found.service.casefold(), found.site, found.arguments) == (service.casefold(), site, rest)
    assert found.procedure in (REDIS, HASURA)


def test_a_name_alone_tells_which_of_several_procedures_is_meant() -> None:
    for catalog in ((REDIS, HASURA), (HASURA, REDIS)):
        here, there = (
            meaning(text, catalog, stack=STACK) for text in ("nself-cache restart", "nself-cache restart @ east")
        )
        assert isinstance(here, ProcedureCommand)
        assert isinstance(there, ProcedureCommand)
        assert (here.procedure, there.procedure) == (REDIS, HASURA)


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/recover postgres pitr 14:30", "postgres pitr", "14:30"),
        ("/recover postgres nself-postgres pitr 14:30", "postgres pitr", "14:30"),
        ("/recover nself-postgres pitr yesterday 14:30", "postgres pitr", "yesterday 14:30"),
        ("/recover window nself-postgres", "postgres window", ""),
        ("/recover postgres window", "postgres window", ""),
        ("/recover window postgres", "postgres window", ""),
        ("/backup postgres run base", "postgres base backup", ""),
        ("/backup run base postgres", "postgres base backup", ""),
        ("/backup run base", "postgres base backup", ""),
        ("/backup run base nself-postgres", "postgres base backup", ""),
        ("/backup nself-postgres run base", "postgres base backup", ""),
    ],
)
def test_todays_commands_take_the_one_server_whether_or_not_it_is_named(text: str, name: str, rest: str) -> None:
    found = meaning(text, CATALOG, stack=MANUAL)
    assert isinstance(found, ProcedureCommand)
    assert (found.procedure.name, found.arguments) == (name, rest)
    assert chosen(MANUAL, found.procedure.about, found.service, found.site) == Subject("main", "nself-postgres")


def test_a_slip_in_the_kind_is_no_service() -> None:
    assert isinstance(meaning("postgers pitr 14:30", CATALOG, stack=STACK), UnknownCommand)


def test_an_at_among_the_arguments_belongs_to_the_procedure() -> None:
    found = meaning("postgres pitr 14:30 in @channel please", CATALOG, stack=STACK)
    assert isinstance(found, ProcedureCommand)
    assert (found.arguments, found.site) == ("14:30 in @channel please", "")


def test_every_procedure_of_the_catalog_is_about_a_kind_that_there_is() -> None:
    assert {procedure.about for procedure in CATALOG} <= {*ServiceKind, ""}


words = st.sampled_from(
    [*WORDS, *FAMILIES, *ServiceKind, *(w for p in BOTH for w in command_of(p).split()), "@", "@east", "east", "@main"]
    + [one.name for site in STACK for one in site.services]
) | st.text(max_size=12)


@given(st.lists(words, max_size=7).map(" ".join))
def test_no_text_makes_a_request_for_a_service_whose_kind_is_not_the_procedures(text: str) -> None:
    found = meaning(text, BOTH, stack=STACK)
    if not isinstance(found, ProcedureCommand):
        return
    try:
        subject = chosen(STACK, found.procedure.about, found.service, found.site)
    except Refused:
        return
    service = service_of(STACK, subject.service, subject.site)
    assert service is not None
    assert service.kind == found.procedure.about
