"""Naming somebody: by mention, by id, by a name that the settings or Slack know; and whom a role is given to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.engine.errors import Refused
from actions.settings.contacts import Contact, ContactSettings
from actions.settings.people import Operator, OperatorSettings
from bot.commands.person_lookup import Named, whom
from bot.context import BotContext
from tests.core.incidents.test_incident_thread import Emergency
from tests.support.bot_world import Office, office_in

PEOPLE = {
    "operators": OperatorSettings(
        people=(
            Operator(id="bo", name="Bo Nielsen", os_users=("bo",)),
            Operator(id="ana", name="Ana", os_users=("ana",), slack="U0ONCALL"),
        )
    ),
    "contacts": ContactSettings(
        people=(
            Contact(role="on-call", name="Ana", slack="U0ANOTHER"),
            Contact(role="cto", name="Cleo O’Brien", email="cleo@example.com"),
            Contact(role="dba", name="Otto", slack="U0OTTO"),
            Contact(role="backup", name="Otto", slack="U0OTTOTOO"),
        )
    ),
}


@pytest.fixture
def office() -> Office:
    made = office_in()
    made.bot.store.keep("people", "U0SEEN", {"name": "Sina Seen", "tz": "UTC", "stranger": ""})
    made.bot.store.keep("people", "S0OPERATORS", ["U0SEEN"])
    return replace(made, bot=with_people(made.bot))


def with_people(bot: BotContext) -> BotContext:
    return replace(bot, settings=bot.settings.model_copy(update=PEOPLE))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<@U0DBA|dmitri>", Named("U0DBA", "dmitri")),
        ("bo", Named("operator:bo", "Bo Nielsen")),
        ("@Bo  nielsen", Named("operator:bo", "Bo Nielsen")),
        ("Ana", Named("U0ONCALL", "Ana")),
        ("U0ONCALL", Named("U0ONCALL", "Ana")),
        ("cleo o'brien", Named("contact:Cleo O’Brien", "Cleo O’Brien")),
        ("cleo@example.com", Named("contact:Cleo O’Brien", "Cleo O’Brien")),
        ("U0OTTO", Named("U0OTTO", "Otto")),
        ("Sina Seen", Named("U0SEEN", "Sina Seen")),
        ("U0NEW", Named("U0NEW", "New")),
    ],
)
def test_somebody_is_named_in_any_of_these_ways(office: Office, said: str, meant: Named) -> None:
    assert whom(office.bot, said) == meant


def test_a_name_that_two_have_is_asked_back_with_their_ids(office: Office) -> None:
    with pytest.raises(Refused, match="several") as refused:
        whom(office.bot, "otto")
    assert "U0OTTO, U0OTTOTOO" in refused.value.detail


@pytest.mark.parametrize("said", ["nobody", "@", "bo2", "S0OPERATORS", "u0new"])
def test_who_is_not_known_is_never_taken_for_somebody_else(office: Office, said: str) -> None:
    with pytest.raises(Refused, match="do not know") as refused:
        whom(office.bot, said)
    assert "Bo Nielsen, Ana, Cleo" in refused.value.detail


def test_an_id_that_slack_cannot_confirm_now_is_not_written_down(office: Office) -> None:
    office.directory.away = True
    assert whom(office.bot, "U0SEEN").name == "Sina Seen"
    with pytest.raises(Refused, match="do not know 'U0NEW'"):
        whom(office.bot, "U0NEW")


def test_a_role_is_given_in_slack_by_every_one_of_these_and_refused_to_a_stranger() -> None:
    here = Emergency()
    here.bot = with_people(here.bot)
    here.pages()
    given = {
        "role scribe <@U0DBA|dmitri>": "U0DBA",
        "role scribe Bo Nielsen": "operator:bo",
        "role <@U0APPROVER> scribe": "U0APPROVER",
        "role scribe U0OTTO": "U0OTTO",
        "role scribe": "U0ONCALL",
        f"role {here.incident.id} scribe Ana": "U0ONCALL",
        "role scribe @bo": "operator:bo",
    }
    for n, (said, holder) in enumerate(given.items()):
        assert here.say(said, key=f"t{n}").text == "It is written down; the thread shows it.", said
        assert here.incident.roles["scribe"]["id"] == holder, said
    assert "I do not know 'carla'" in here.say("role commander @carla", key="t8").text
    assert "is no role" in here.say("role bo", key="t9").text
    assert "may not lead" in here.say("role scribe nobody", "U0WATCHER", key="t10").text
    assert list(here.incident.roles) == ["scribe"]
