"""Who is told of an incident, how, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.incidents.contacts import (
    LADDER,
    ContactWay,
    Notice,
    is_business_time,
    next_role,
    people_of,
    rule_for,
    whom_to_tell,
)
from actions.settings.contacts import Contact, ContactRule, ContactSettings

OLGA = Contact(role="on-call", name="Olga")
CTO = Contact(role="cto", name="Carla", phone="+1 415 5550105", pagerduty="PCTOONE")
CONTACTS = ContactSettings(people=(OLGA, CTO))
MONDAY_NOON = datetime(2026, 2, 9, 12, tzinfo=UTC)
MONDAY_NIGHT = datetime(2026, 2, 9, 3, tzinfo=UTC)
SUNDAY_NOON = datetime(2026, 2, 8, 12, tzinfo=UTC)
ZONES = st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def ways(severity: str, at: datetime, contacts: ContactSettings = CONTACTS) -> list[tuple[str, str]]:
    return [(notice.way.value, notice.role) for notice in whom_to_tell(severity, at, contacts, "UTC")]


def test_in_business_hours_the_channel_is_enough() -> None:
    assert ways("high", MONDAY_NOON) == [("channel", "")]


@pytest.mark.parametrize("at", [MONDAY_NIGHT, SUNDAY_NOON])
def test_after_hours_the_on_call_is_paged(at: datetime) -> None:
    assert ways("high", at) == [("channel", ""), ("page", "on-call")]


@pytest.mark.parametrize("at", [MONDAY_NOON, MONDAY_NIGHT])
def test_critical_calls_the_cto_at_any_hour(at: datetime) -> None:
    told = whom_to_tell("critical", at, CONTACTS, "UTC")
    assert told[-1] == Notice(ContactWay.CALL, "cto", CTO)
    assert told[1] == Notice(ContactWay.PAGE, "on-call", OLGA)


def test_a_word_that_nobody_knows_counts_as_high() -> None:
    assert ways("dreadful", MONDAY_NIGHT) == ways("HIGH ", MONDAY_NIGHT) == ways("", MONDAY_NIGHT)


def test_low_wakes_nobody() -> None:
    assert ways("low", MONDAY_NIGHT) == [("channel", "")]


def test_a_role_that_nobody_has_is_said_rather_than_left_out() -> None:
    told = whom_to_tell("critical", MONDAY_NOON, ContactSettings(), "UTC")
    assert [notice.reaches_nobody for notice in told] == [False, False, True]


def test_everybody_of_a_role_is_told() -> None:
    two = ContactSettings(people=(OLGA, Contact(role="on-call", name="Otto")))
    assert [n.contact.name for n in whom_to_tell("high", MONDAY_NIGHT, two, "UTC") if n.contact] == ["Olga", "Otto"]


def test_the_settings_may_have_rules_of_their_own() -> None:
    own = ContactSettings(people=(OLGA,), rules={"low": ContactRule(business=("page on-call", "page on-call"))})
    assert ways("low", MONDAY_NOON, own) == [("page", "on-call")]
    assert rule_for("high", own) == ContactRule()


def test_a_rule_that_means_nothing_is_an_error_of_the_settings() -> None:
    with pytest.raises(ValidationError):
        ContactRule(business=("shout",))


def test_a_holiday_has_no_business_hours() -> None:
    off = CONTACTS.model_copy(update={"holidays": (date(2026, 2, 9),)})
    assert ways("high", MONDAY_NOON, off) == [("channel", ""), ("page", "on-call")]


def test_business_hours_are_in_the_operations_zone() -> None:
    evening = datetime(2026, 2, 9, 20, tzinfo=UTC)
    assert is_business_time(evening, CONTACTS, "America/New_York")
    assert not is_business_time(evening, CONTACTS, "UTC")


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = ContactSettings(business_from=time(22), business_until=time(6))
    assert is_business_time(datetime(2026, 2, 14, 5, tzinfo=UTC), night, "UTC")  # Saturday, from Friday on
    assert not is_business_time(datetime(2026, 2, 9, 5, tzinfo=UTC), night, "UTC")  # Monday, from Sunday on


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError):
        is_business_time(datetime(2026, 2, 9, 12), CONTACTS, "UTC")


@given(MOMENTS, ZONES)
def test_the_same_moment_in_another_zone_is_judged_alike(at: datetime, zone: str) -> None:
    elsewhere = at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert is_business_time(at, CONTACTS, zone) == is_business_time(elsewhere, CONTACTS, zone)


@given(MOMENTS, TIMES, TIMES)
def test_turned_round_hours_are_the_rest_of_the_day(at: datetime, begin: time, end: time) -> None:
    every_day = tuple(range(7))
    hours = ContactSettings(business_from=begin, business_until=end, business_days=every_day)
    others = ContactSettings(business_from=end, business_until=begin, business_days=every_day)
    assert begin == end or is_business_time(at, hours, "UTC") != is_business_time(at, others, "UTC")


@given(MOMENTS, ZONES, TIMES)
def test_without_business_days_it_is_never_business_time(at: datetime, zone: str, until: time) -> None:
    assert not is_business_time(at, ContactSettings(business_days=(), business_until=until), zone)


@given(MOMENTS, TIMES)
def test_equal_hours_are_whole_days(at: datetime, begin: time) -> None:
    always = ContactSettings(business_from=begin, business_until=begin, business_days=tuple(range(7)))
    assert is_business_time(at, always, "Europe/Berlin")


@given(st.text(max_size=12), MOMENTS, ZONES)
def test_somebody_is_always_told_and_nobody_twice(severity: str, at: datetime, zone: str) -> None:
    told = whom_to_tell(severity, at, CONTACTS, zone)
    assert told[0].way is ContactWay.CHANNEL
    assert len(set(told)) == len(told)


@given(MOMENTS)
def test_a_year_has_a_way_out_of_every_night(at: datetime) -> None:
    assert any(is_business_time(at + timedelta(hours=h), CONTACTS, "Europe/Berlin") for h in range(24 * 4))


def test_the_ladder_skips_roles_that_nobody_has_and_ends_at_the_top() -> None:
    assert next_role("on-call", CONTACTS) == "cto"
    assert next_role("cto", CONTACTS) == ""
    assert next_role("", CONTACTS) == "on-call"
    assert all(people_of(next_role(role, CONTACTS), CONTACTS) for role in LADDER[:-1])
