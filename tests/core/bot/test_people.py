"""Who may ask, who may approve: from Slack's own word, failing closed."""

from __future__ import annotations

from typing import Any

import pytest

from actions.settings.people import PeopleSettings
from bot.slack.people import SlackPeople
from tests.support.bot_world import DirectoryClient, Office, office_in


@pytest.fixture
def office() -> Office:
    return office_in()


def rights(people: SlackPeople, user: str, team: str = "T1") -> tuple[bool, bool]:
    found = people.approving(user, team).speaker
    return found.may_ask, found.may_approve


def with_settings(office: Office, **given: Any) -> SlackPeople:
    return SlackPeople(PeopleSettings(**given), DirectoryClient(office.directory), office.store)


def test_groups_give_rights_and_names_and_zones_come_along(office: Office) -> None:
    people = office.bot.people
    assert rights(people, "U0ONCALL") == (True, False)
    assert rights(people, "U0APPROVER") == (False, True)
    assert rights(people, "U0DBA") == (True, True)
    assert rights(people, "U0WATCHER") == (False, False)
    found = people.asking("U0ONCALL", "T1")
    assert (found.speaker.name, found.zone) == ("Oncall", "UTC")


def test_an_empty_list_lets_nobody_in(office: Office) -> None:
    assert rights(with_settings(office), "U0DBA") == (False, False)


@pytest.mark.parametrize(
    "trait", [{"deleted": True}, {"is_bot": True}, {"is_restricted": True}, {"is_ultra_restricted": True}]
)
def test_bots_guests_and_the_deactivated_have_no_rights_even_by_name(office: Office, trait: dict[str, Any]) -> None:
    office.directory.users["U0DBA"] = trait
    people = with_settings(office, operators=("U0DBA",), approvers=("U0DBA",))
    assert rights(people, "U0DBA") == (False, False)
    assert people.asking("U0DBA", "T1").stranger


def test_somebody_of_another_workspace_has_no_rights(office: Office) -> None:
    office.store.keep("slack", "identity", {"team": "T1", "user": "U0", "bot": "B0", "url": ""})
    assert rights(office.bot.people, "U0DBA", "T2") == (False, False)
    assert rights(office.bot.people, "U0DBA", "T1") == (True, True)


def test_who_left_the_group_cannot_approve_at_the_next_click(office: Office) -> None:
    assert rights(office.bot.people, "U0DBA")[1]
    office.directory.groups["S0APPROVERS"] = ["U0APPROVER"]
    assert not rights(office.bot.people, "U0DBA")[1]


def test_asking_uses_what_was_read_lately_and_reads_again_when_it_is_old(office: Office) -> None:
    people = office.bot.people
    people.asking("U0ONCALL", "T1")
    office.directory.asked.clear()
    office.clock.on(299)
    assert people.asking("U0ONCALL", "T1").speaker.may_ask
    assert office.directory.asked == []
    office.directory.groups["S0OPERATORS"] = []
    office.clock.on(2)
    assert not people.asking("U0ONCALL", "T1").speaker.may_ask


def test_with_slack_away_the_last_word_is_good_for_asking_and_never_for_approving(office: Office) -> None:
    people = office.bot.people
    people.warm()
    office.directory.away = True
    office.clock.on(100_000)
    assert people.asking("U0ONCALL", "T1").speaker.may_ask
    assert rights(people, "U0APPROVER") == (False, False)
    assert rights(people, "U0DBA") == (True, False)


def test_what_slack_once_said_is_good_for_asking_up_to_a_greatest_age(office: Office) -> None:
    people = office.bot.people
    people.warm()
    office.directory.away = True
    office.clock.on(72 * 3600 - 1)
    assert people.asking("U0ONCALL", "T1").speaker.may_ask
    office.clock.on(2)
    again = SlackPeople(office.bot.settings.people, DirectoryClient(office.directory), office.store)
    for each in (people, again):
        found = each.asking("U0ONCALL", "T1").speaker
        assert (found.may_ask, found.unsure) == (False, True)


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
@pytest.mark.parametrize("named", [False, True])
def test_somebody_whom_slack_knows_no_more_has_no_rights(office: Office, code: str, named: bool) -> None:
    people = with_settings(office, operators=("U0DBA",), approvers=("U0DBA",)) if named else office.bot.people
    people.warm()
    assert rights(people, "U0DBA") == (True, True)
    office.directory.says["U0DBA"] = code
    office.clock.on(400)
    assert not people.asking("U0DBA", "T1").speaker.may_ask
    assert rights(people, "U0DBA") == (False, False)
    office.directory.away = True
    office.clock.on(400)
    assert not people.asking("U0DBA", "T1").speaker.may_ask


@pytest.mark.parametrize("code", ["no_such_subteam", "subteam_not_found", "invalid_auth", "missing_scope"])
def test_a_group_of_which_slack_says_no_gives_no_rights(office: Office, code: str) -> None:
    people = office.bot.people
    people.warm()
    office.directory.says |= dict.fromkeys(("S0OPERATORS", "S0APPROVERS"), code)
    office.clock.on(400)
    found = people.asking("U0ONCALL", "T1").speaker
    assert (found.may_ask, found.unsure) == (False, False)
    assert rights(people, "U0DBA") == (False, False)


@pytest.mark.parametrize("code", ["ratelimited", "internal_error", "fatal_error"])
def test_in_doubt_the_last_word_is_good_for_asking_and_a_cached_group_never_approves(office: Office, code: str) -> None:
    people = office.bot.people
    people.warm()
    office.directory.says |= dict.fromkeys(("S0OPERATORS", "S0APPROVERS", "U0DBA"), code)
    assert rights(people, "U0DBA") == (True, False)
    office.clock.on(400)
    assert people.asking("U0DBA", "T1").speaker.may_ask
    found = people.approving("U0DBA", "T1").speaker
    assert (found.may_approve, found.unsure) == (False, True)


def test_with_slack_away_people_named_in_the_settings_still_approve(office: Office) -> None:
    people = with_settings(office, approvers=("U0DBA",), approver_groups=("S0APPROVERS",))
    office.directory.away = True
    assert rights(people, "U0DBA")[1]
    assert not rights(people, "U0APPROVER")[1]


def test_with_slack_away_a_known_guest_stays_a_guest(office: Office) -> None:
    office.directory.users["U0DBA"] = {"is_restricted": True}
    people = with_settings(office, approvers=("U0DBA",))
    people.warm()
    office.directory.away = True
    assert rights(people, "U0DBA") == (False, False)


def test_strangers_are_refused_without_asking_slack_about_them(office: Office) -> None:
    office.bot.people.warm()
    office.directory.asked.clear()
    assert not office.bot.people.asking("U0WATCHER", "T1", "watcher").speaker.may_ask
    assert office.directory.asked == []


def test_who_joined_another_workspace_of_the_grid_first_counts_where_they_are_members_of_ours_too(
    office: Office,
) -> None:
    office.store.keep("slack", "identity", {"team": "T1", "user": "U0", "bot": "B0", "url": ""})
    grid = {"team_id": "T2", "enterprise_user": {"id": "W1", "enterprise_id": "E1", "teams": ["T2", "T1"]}}
    office.directory.users["U0DBA"] = grid
    people = office.bot.people
    assert rights(people, "U0DBA", "T2") == rights(people, "U0DBA", "T1") == (True, True)
    people.admit("U0DBA", "T2")
    office.directory.users["U0DBA"] = {**grid, "is_restricted": True}
    assert rights(people, "U0DBA", "T2") == (False, False)
    office.directory.users["U0DBA"] = {**grid, "enterprise_user": {"id": "W1", "enterprise_id": "E1", "teams": ["T2"]}}
    assert rights(people, "U0DBA", "T2") == rights(people, "U0DBA", "T1") == (False, False)


@pytest.mark.parametrize("anew", [False, True], ids=["the same bot", "one that was started anew"])
def test_who_was_removed_does_not_ask_for_an_hour_longer_since_the_clock_was_set_back(
    office: Office, anew: bool
) -> None:
    people = office.bot.people
    assert people.asking("U0ONCALL", "T1").speaker.may_ask
    office.directory.groups = {"S0OPERATORS": [], "S0APPROVERS": []}
    office.clock.on(-3600)
    people = (
        SlackPeople(office.bot.settings.people, DirectoryClient(office.directory), office.store) if anew else people
    )
    assert not people.asking("U0ONCALL", "T1").speaker.may_ask
