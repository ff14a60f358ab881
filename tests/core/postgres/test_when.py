"""What people type for ``<when>``, and what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.clock.pasted_text import LONGEST
from actions.clock.when import Target, WhenError, describe, parse_when
from actions.clock.zones import readings

NOW = datetime(2026, 2, 9, 14, 17, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def read(text: str, *, now: datetime = NOW, zone: str = "UTC", asker: str | None = None) -> Target:
    return parse_when(text, now=now, operations_zone=zone, asker_zone=asker)


def refusal(text: str, *, now: datetime = NOW, zone: str = "UTC", asker: str | None = None) -> WhenError:
    with pytest.raises(WhenError) as caught:
        read(text, now=now, zone=zone, asker=asker)
    return caught.value


def utc(day: int, hour: int, minute: int, second: int = 0, micro: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, second, micro, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("13:30", utc(9, 13, 30)),
        ("13:30:05", utc(9, 13, 30, 5)),
        ("13:30:05.123456", utc(9, 13, 30, 5, 123456)),
        ("14:30", utc(8, 14, 30)),
        ("2026-02-09 13:30", utc(9, 13, 30)),
        ("2026-02-09T13:30:05.5Z", utc(9, 13, 30, 5, 500000)),
        ("2026-02-09 13:30:05+00", utc(9, 13, 30, 5)),
        ("2026-02-09T13:30+02:00", utc(9, 11, 30)),
        ("13:30 -0500", utc(8, 18, 30)),
        ("13:30 Europe/Berlin", utc(9, 12, 30)),
        ("13:30 europe/berlin", utc(9, 12, 30)),
        ("13:30 Berlin", utc(9, 12, 30)),
        ("13:30 UTC", utc(9, 13, 30)),
        ("14.30", utc(8, 14, 30)),
        ("1430", utc(8, 14, 30)),
        ("yesterday 14:30", utc(8, 14, 30)),
        ("14:30 yesterday", utc(8, 14, 30)),
        ("today at 13:30", utc(9, 13, 30)),
        ("20m ago", utc(9, 13, 57)),
        ("1h 20m ago", utc(9, 12, 57)),
        ("1h20m ago", utc(9, 12, 57)),
        ("90 seconds ago", utc(9, 14, 15, 30)),
        ("1 hour and 5 minutes ago", utc(9, 13, 12)),
        ("an hour ago", utc(9, 13, 17)),
        ("9536d 14h 17m ago", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2:30pm", utc(8, 14, 30)),
        ("12:05 AM", utc(9, 0, 5)),
        ("12:10 p.m.", utc(9, 12, 10)),
        ("“13:30”", utc(9, 13, 30)),
        ("13:30\u00a0UTC", utc(9, 13, 30)),
        ("\n 13:30\n", utc(9, 13, 30)),
        ("`13:30`", utc(9, 13, 30)),
        ("13：30", utc(9, 13, 30)),
        ("13:30\u200b", utc(9, 13, 30)),
    ],
)
def test_a_moment_is_read_as_people_mean_it(text: str, at: datetime) -> None:
    assert read(text).at == at


@pytest.mark.parametrize("text", ["latest", "now", " Latest "])
def test_latest_has_no_moment(text: str) -> None:
    assert (read(text).kind, read(text).at) == ("latest", None)


def test_a_transaction_and_a_position_are_targets_of_their_own() -> None:
    assert read("before xid 91822").xid == 91822
    assert read("before lsn 0/5a3f2c8").lsn == "0/5A3F2C8"


def test_a_bare_time_is_read_in_both_zones_and_the_later_one_is_meant() -> None:
    target = read("13:30", asker=BERLIN)
    assert (target.at, target.zone) == (utc(9, 13, 30), "UTC")
    assert target.other is not None
    assert (target.other.at, target.other.zone) == (utc(9, 12, 30), BERLIN)


@pytest.mark.parametrize(
    ("text", "asker"),
    [("13:30 UTC", BERLIN), ("13:30", "UTC"), ("13:30", "Africa/Abidjan"), ("13:30", "No/Where"), ("20m ago", BERLIN)],
)
def test_no_other_reading_is_offered_where_there_is_none(text: str, asker: str) -> None:
    assert read(text, asker=asker).other is None


def test_the_future_is_refused_with_how_far() -> None:
    error = refusal("2026-02-09 14:30")
    assert "in the future" in error.message
    assert "13 min" in error.detail


def test_a_repeated_hour_is_refused_with_both_moments_that_are_then_accepted() -> None:
    error = refusal("2025-10-26 02:30 Europe/Berlin")
    for moment in ("2025-10-26 00:30:00 UTC", "2025-10-26 01:30:00 UTC"):
        assert moment in error.hint
        assert read(moment).kind == "time"


def test_a_bare_time_in_a_repeated_hour_is_refused_too() -> None:
    assert "twice" in refusal("02:30", zone=BERLIN, now=datetime(2025, 10, 26, 3, tzinfo=UTC)).message


def test_during_the_first_pass_of_a_repeated_hour_only_that_one_can_be_meant() -> None:
    assert read("02:30", zone=BERLIN, now=datetime(2025, 10, 26, 0, 40, tzinfo=UTC)).at == datetime(
        2025, 10, 26, 0, 30, tzinfo=UTC
    )


def test_a_skipped_hour_is_refused() -> None:
    assert "never was" in refusal("2025-03-30 02:30 Europe/Berlin").message
    assert "never was" in refusal("02:30", zone=BERLIN, now=datetime(2025, 3, 30, 6, tzinfo=UTC)).message


def test_before_the_clocks_skip_it_a_bare_time_is_yesterdays() -> None:
    assert read("02:30", zone=BERLIN, now=datetime(2025, 3, 30, 0, 10, tzinfo=UTC)).at == datetime(
        2025, 3, 29, 1, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("20m", "“20m ago”"),
        ("lattest", "“latest”"),
        ("yesterdya 14:30", "“yesterday 14:30”"),
        ("xid 5", "“before xid 5”"),
        ("0/5A3F2C8", "“before 0/5a3f2c8”"),
        ("2026-02-09", "“2026-02-09 00:00”"),
        ("before 13:30", "“13:30”"),
        ("08.02.2026 14:30", "“2026-02-08 14:30”"),
        ("13:30 Europe/Berln", "Europe/Berlin"),
    ],
)
def test_a_near_miss_is_answered_with_the_nearest_form(text: str, suggestion: str) -> None:
    assert suggestion in refusal(text).hint


def test_nothing_is_suggested_that_would_be_refused_in_turn() -> None:
    error = refusal("2500")
    assert "“2500” is not a moment that I understand" in error.message
    assert "Did you mean" not in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🔥",
        "x" * 3000,
        "14:30 " * 500,
        "25:00",
        "14:60",
        "13:30pm",
        "2026-02-30 10:00",
        "0000-00-00 00:00",
        "9999-12-31 23:59 -12:00",
        "0001-01-01 00:00 +14:00",
        "13:30 +99:00",
        "9999999w ago",
        "9536d 14h 18m ago",
        "before xid 0",
        "before lsn 1",
        "payload",
        "13:30 ../../etc/passwd",
        "13:30 Europe",
        "$(reboot)",
        "١٤:٣٠",
        "before xid " + "9" * 60,
    ],
)
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    error = refusal(text)
    assert error.hint
    assert len(error.message) < 200


def test_the_plan_shows_utc_the_readers_zone_and_how_long_ago() -> None:
    assert describe(read("13:30"), NOW, BERLIN) == "2026-02-09 13:30:00 UTC · 14:30:00 Europe/Berlin · 47 min ago"
    assert describe(read("13:30"), NOW, "UTC") == "2026-02-09 13:30:00 UTC · 47 min ago"
    assert (
        describe(read("2026-02-08 23:30"), NOW, BERLIN)
        == "2026-02-08 23:30:00 UTC · 2026-02-09 00:30:00 Europe/Berlin · 14 h 47 min ago"
    )


ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
)
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2026, 2, 9, 14), timezones=st.just(UTC))


@given(MOMENTS, ZONES)
def test_a_moment_written_in_utc_reads_back_as_itself_whatever_the_zones(moment: datetime, zone: str) -> None:
    assert read(f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC", zone=zone, asker=BERLIN).at == moment


@given(MOMENTS, ZONES)
def test_a_local_time_reads_back_or_is_refused_as_repeated(moment: datetime, zone: str) -> None:
    wall = moment.astimezone(ZoneInfo(zone))
    text = f"{wall:%Y-%m-%d %H:%M:%S.%f} {zone}"
    if len(readings(wall.replace(tzinfo=None, fold=0), ZoneInfo(zone))) > 1:
        assert "twice" in refusal(text).message
    else:
        assert read(text).at == moment


@given(st.times(), ZONES, st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_a_bare_time_is_never_in_the_future_and_at_most_a_long_day_ago(clock: object, zone: str, now: datetime) -> None:
    try:
        at = read(f"{clock}", zone=zone, now=now).at
    except WhenError as error:
        message = error.message
    else:
        assert at is not None
        assert at.utcoffset() == timedelta(0)
        assert now - timedelta(hours=26) < at <= now
        return
    assert "twice" in message or "never was" in message


@given(st.text(max_size=400))
def test_no_text_brings_anything_but_a_target_or_a_refusal(text: str) -> None:
    try:
        target = read(text, asker=BERLIN)
    except WhenError:
        return
    assert target.at is None or target.at <= NOW


@pytest.mark.parametrize("number", [2, 2**64])
def test_a_transaction_has_a_number_that_one_can_have(number: int) -> None:
    assert [read(f"before xid {n}").xid for n in (3, 2**64 - 1)] == [3, 2**64 - 1]
    assert f"{number} is not a transaction number" in refusal(f"before xid {number}").message


@pytest.mark.parametrize(("text", "hour"), [("1:05am", 1), ("12:05am", 0), ("1:05pm", 13), ("12:05pm", 12)])
def test_half_a_day_goes_from_one_to_twelve(text: str, hour: int) -> None:
    assert read(text).at in (utc(9, hour, 5), utc(8, hour, 5))
    for wrong in ("0:05am", "13:05pm"):
        assert "is not a time of day" in refusal(wrong).message


def test_the_present_moment_is_not_in_the_future() -> None:
    assert read("14:17").at == utc(9, 14, 17)
    assert read("14:18").at == utc(8, 14, 18)


@pytest.mark.parametrize("year", ["1999", "9000"])
def test_years_that_cannot_be_meant_are_refused(year: str) -> None:
    assert read("2000-01-01 13:30").at == datetime(2000, 1, 1, 13, 30, tzinfo=UTC)
    assert "Nothing can be recovered to" in refusal(f"{year}-01-01 13:30").message
    assert "is in the future" in refusal("8999-12-31 13:30").message


def test_more_than_a_moment_takes_to_name_is_not_looked_into() -> None:
    assert "too" not in refusal("x" * LONGEST).message
    for long in ("x" * (LONGEST + 1), "\u200b" * (4 * LONGEST) + "x"):
        assert refusal(long).message != refusal("x").message
        assert "not a moment that I understand" not in refusal(long).message
    assert read("\u200b" * (4 * LONGEST - 5) + "13:30").at == utc(9, 13, 30)


def test_offsets_go_to_fourteen_hours_and_to_fifty_nine_minutes() -> None:
    assert read("13:30 +14:00").at == utc(8, 23, 30)
    assert read("13:30 +05:59").at == utc(9, 7, 31)
    for wrong in ("+14:01", "+05:60", "-15:00"):
        assert "No place on earth has the offset" in refusal(f"13:30 {wrong}").message
