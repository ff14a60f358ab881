"""A bare time is read in the operations zone and in the asker's: which of the two is meant, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.clock.when import Target, WhenError, parse_when

NOW = datetime(2026, 2, 9, 14, 17, tzinfo=UTC)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def read(text: str, *, now: datetime = NOW, zone: str = "UTC", asker: str | None = BERLIN) -> Target:
    return parse_when(text, now=now, operations_zone=zone, asker_zone=asker)


def refusal(text: str, *, now: datetime = NOW, zone: str = "UTC", asker: str | None = BERLIN) -> WhenError:
    with pytest.raises(WhenError) as caught:
        read(text, now=now, zone=zone, asker=asker)
    return caught.value


def utc(month: int, day: int, hour: int, minute: int = 30, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant", "earlier"),
    [
        # 14:30 in Berlin was 47 minutes ago; in UTC it was yesterday, as today it is still to come.
        ("14:30", (utc(2, 9, 13), BERLIN), (utc(2, 8, 14), "UTC")),
        ("2:30pm", (utc(2, 9, 13), BERLIN), (utc(2, 8, 14), "UTC")),
        ("13:30", (utc(2, 9, 13), "UTC"), (utc(2, 9, 12), BERLIN)),
        ("yesterday 14:30", (utc(2, 8, 14), "UTC"), (utc(2, 8, 13), BERLIN)),
        ("monday 14:30", (utc(2, 9, 13), BERLIN), (utc(2, 2, 14), "UTC")),
        ("2026-02-08 14:30", (utc(2, 8, 14), "UTC"), (utc(2, 8, 13), BERLIN)),
    ],
)
def test_the_later_reading_is_meant_and_the_earlier_one_is_offered(
    text: str, meant: tuple[datetime, str], earlier: tuple[datetime, str]
) -> None:
    target = read(text)
    assert (target.at, target.zone) == meant
    assert target.other is not None
    assert (target.other.at, target.other.zone) == earlier


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("2026-02-09 14:30", utc(2, 9, 13), "2026-02-09 14:30 UTC has not come yet"),
        ("today 15:00", utc(2, 9, 14, 0), "today 15:00 UTC has not come yet"),
    ],
)
def test_a_reading_that_has_not_come_yet_leaves_the_other_one_and_is_named(text: str, at: datetime, said: str) -> None:
    target = read(text)
    assert (target.at, target.zone, target.other, target.not_read) == (at, BERLIN, None, said)


def test_a_moment_that_has_come_in_neither_zone_is_refused_with_that_time_of_the_day_before() -> None:
    assert refusal("today 16:00").instead == ("2026-02-08 16:00:00 UTC",)
    assert refusal("2027-02-08 16:00").instead == ("2026-02-08 16:00:00 UTC",)


@pytest.mark.parametrize("text", ["14:30 UTC", "14:30 Berlin", "14:30 +05:00", "20m ago", "before lsn 0/5A3F2C8"])
def test_an_explicit_zone_is_read_alone(text: str) -> None:
    assert (read(text).other, read(text).not_read) == (None, "")


def test_an_hour_that_the_clocks_of_one_zone_skipped_is_read_in_the_other() -> None:
    # Berlin's clocks went from 02:00 to 03:00 on 2026-03-29.
    target = read("02:30", now=utc(3, 29, 6))
    assert (target.at, target.zone) == (utc(3, 29, 2), "UTC")
    assert target.not_read == "02:30 in Europe/Berlin never was, the clocks were set forward over it"
    assert read("02:30", zone=BERLIN, asker="UTC", now=utc(3, 29, 6)).at == utc(3, 29, 2)


def test_an_hour_that_one_zone_had_twice_is_refused_with_all_three_moments() -> None:
    for zone, asker in (("UTC", BERLIN), (BERLIN, "UTC")):
        error = refusal("02:30", zone=zone, asker=asker, now=utc(10, 25, 6))
        assert error.instead == (
            "2026-10-25 00:30:00 UTC",
            "2026-10-25 01:30:00 UTC",
            "2026-10-25 02:30:00 UTC",
        )
        assert [read(one, now=utc(10, 25, 6)).at for one in error.instead] == [utc(10, 25, hour) for hour in range(3)]


@pytest.mark.parametrize("asker", [None, "UTC", "Africa/Abidjan", "No/Where"])
def test_with_one_zone_there_is_one_reading(asker: str | None) -> None:
    target = read("14:30", asker=asker)
    assert (target.at, target.zone, target.other, target.not_read) == (utc(2, 8, 14), "UTC", None, "")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("in 20 minutes", ["20 minutes ago"]),
        ("13:00 and 13:30", ["13:00", "13:30"]),
        ("half 2", ["2:30", "1:30"]),
        ("half past two", ["2:30am", "2:30pm"]),
        ("half past two berlin", ["2:30am berlin", "2:30pm berlin"]),
        ("8/2 14:30", ["2026-02-08 14:30", "2025-08-02 14:30"]),
        ("1/2/2026 14:30", ["2026-02-01 14:30", "2026-01-02 14:30"]),
        ("1/2/2026 14:30 Berlin", ["2026-02-01 14:30 berlin", "2026-01-02 14:30 berlin"]),
        ("monday midnight", ["monday 00:00", "monday 23:59:59"]),
        ("5 minutes before half past two", ["5 minutes before 2:30am", "5 minutes before 2:30pm"]),
        ("14:30 Europe/Berln", ["14:30 Europe/Berlin"]),
        ("14:30 IST", ["14:30 +05:30", "14:30 +02:00", "14:30 +01:00"]),
        ("yesterdya 14:30", ["yesterday 14:30"]),
        ("20m", ["20m ago"]),
        ("lattest", ["latest"]),
        ("2025-03-30 02:30 Europe/Berlin", ["2025-03-30 00:30:00 UTC", "2025-03-30 01:30:00 UTC"]),
        ("13:00-13:30", ["13:00", "13:30", "13:00 -13:30"]),
    ],
)
def test_what_was_probably_meant_is_offered_whole_and_can_be_read(text: str, instead: list[str]) -> None:
    error = refusal(text, asker=None, now=NOW + timedelta(days=1))
    assert sorted(error.instead) == sorted(instead)
    for one in error.instead:
        assert read(one, asker=None, now=NOW + timedelta(days=2)).kind in ("time", "latest")


@pytest.mark.parametrize("text", ["this morning", "payload", "25:00", "13:30 ../../etc/passwd"])
def test_where_nothing_can_be_meant_nothing_is_offered(text: str) -> None:
    assert refusal(text).instead == ()


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu"])


def read_or_refused(clock: object, now: datetime, zone: str, asker: str) -> Target | WhenError:
    try:
        return read(f"{clock}", zone=zone, asker=asker, now=now)
    except WhenError as error:
        return error


@given(st.times(), ZONES, ZONES, MOMENTS)
def test_both_readings_are_past_and_the_later_is_meant_whichever_zone_is_whose(
    clock: object, one: str, two: str, now: datetime
) -> None:
    target, other_way = read_or_refused(clock, now, one, two), read_or_refused(clock, now, two, one)
    if isinstance(target, WhenError):
        # A bare time is refused only where one zone's clocks showed it twice, or both skipped it.
        assert len(target.instead) > 1
        return
    assert isinstance(other_way, Target)
    assert target.at == other_way.at
    assert target.at is not None
    assert target.at <= now
    assert target.other is None or (target.other.at is not None and target.other.at < target.at)
