"""Times as tired people type them: each phrase with the moment that it means, or with what is said instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.clock.when import Target, WhenError, is_moment, parse_when

NOW = datetime(2026, 11, 30, 14, 17, tzinfo=UTC)
"""A Monday."""
SUMMER = datetime(2026, 7, 1, 14, 17, tzinfo=UTC)


def read(text: str, *, now: datetime = NOW, zone: str = "UTC", asker: str | None = None) -> Target:
    return parse_when(text, now=now, operations_zone=zone, asker_zone=asker)


def said(text: str, *, now: datetime = NOW, zone: str = "UTC", asker: str | None = None) -> str:
    with pytest.raises(WhenError) as caught:
        read(text, now=now, zone=zone, asker=asker)
    assert caught.value.hint
    return f"{caught.value.message} {caught.value.hint}"


PHRASES = {
    "30 13:47:00": ["half an hour ago", "a half hour ago", "half hour ago", "30 min ago", "thirty minutes earlier"],
    "30 12:47:00": ["an hour and a half ago", "one and a half hours ago", "1 1/2 hours ago", "ninety minutes ago"],
    "30 11:47:00": ["two and a half hours ago", "2h30m ago", "2 hours and 30 minutes ago"],
    "30 13:32:00": ["three quarters of an hour ago", "45 minutes back", "forty-five minutes ago"],
    "30 14:02:00": ["a quarter of an hour ago", "fifteen minutes ago", "quarter of an hour ago"],
    "30 13:02:00": ["an hour and a quarter ago"],
    "30 14:15:00": ["a couple of minutes ago", "two minutes ago"],
    "30 14:16:30": ["half a minute ago", "30s ago"],
    "29 14:30:00": [
        *("14:30", "14.30", "14h30", "14h 30", "1430", "1430h", "1430 hrs", "14:30h", "14:30 Uhr", "14.30 Uhr"),
        *("2:30pm", "2.30pm", "230pm", "2:30 p.m.", "half past two pm", "half past two in the afternoon"),
        *("half past fourteen", "2:30 in the afternoon", "at 14:30", "to 14:30", "back to 14:30", "as of 14:30"),
        *("yesterday 14:30", "yesterday at 2:30pm", "14:30 yesterday", "yesterday afternoon at 2:30"),
        *("sunday 14:30", "on sunday at 14:30", "14:30 on sunday", "last sunday 14:30", "Sun 14:30"),
        *("2026-11-29 14:30", "2026/11/29 14:30", "2026.11.29 14:30", "20261129 1430", "202611291430"),
        *("2026-11-29T14:30", "2026-11-29T14:30Z", "2026-11-29T15:30+01:00", "2026-11-29 14h30"),
        *("29.11.2026 14:30", "29.11.2026, 14:30 Uhr", "29.11. 14:30", "29.11 14:30", "11/29/2026 14:30"),
        *("29/11 14:30", "11/29 2:30pm", "29-11-2026 14:30"),
        *("Nov 29 14:30", "29 Nov 14:30", "29. November 14:30", "the 29th of November at 14:30", "14:30 Nov 29"),
        *("November 29th, 2026 at 2:30 PM", "Sunday, 29 November 2026, 14:30", "14:30 on 29 November 2026"),
        *("1795962600", "@1795962600", "unix 1795962600", "1795962600000", "1795962600000000"),
        "14:30?",
    ],
    "29 14:30:05": [
        *("14:30:05", "143005", "14.30.05", "2026-11-29T14:30:05Z", "20261129T143005Z", "20261129143005"),
        *("Sun Nov 29 14:30:05 2026", "Sun Nov 29 14:30:05 UTC 2026", "Sun, 29 Nov 2026 14:30:05 +0000"),
        *("29/Nov/2026:14:30:05 +0000", "Nov 29 14:30:05", "20261129T153005+0100"),
    ],
    "29 14:30:05.123000": ["14:30:05.123", "14:30:05,123", "2026-11-29T14:30:05.123000999Z", "1795962605.123"],
    "29 14:29:59.999999": ["just before 14:30", "right before 14:30", "just before yesterday 14:30"],
    "30 13:55:00": ["5 minutes before 14:00", "5m before 2pm", "five to two pm"],
    "30 11:30:00": ["half an hour before noon", "half past eleven in the morning"],
    "30 12:00:00": ["noon", "12 noon", "midday", "today noon", "12pm", "this morning 12:00"][:5],
    "30 12:10:00": ["ten past noon"],
    "30 00:00:00": ["midnight", "12 midnight", "last midnight", "00:00", "0000", "12am", "midnight today"],
    "30 00:15:00": ["quarter past midnight", "0:15"],
    "29 23:55:00": ["five to midnight", "yesterday 23:55", "11:55 at night"],
    "29 12:00:00": ["yesterday noon", "noon yesterday"],
    "30 14:00:00": ["2pm", "2 p.m.", "14h", "14 Uhr", "14 o'clock", "two o'clock pm", "this afternoon at 2", "1400"],
    "30 02:00:00": ["2am", "2 in the morning", "2 at night", "02:00"],
    "30 09:15:00": [
        "this morning at 9:15",
        "9:15 this morning",
        "today 9:15",
        "9:15",
        "quarter past nine in the morning",
    ],
    "29 20:15:00": ["yesterday evening 20:15", "yesterday evening at 8:15", "2015", "20:15"],
    "29 07:00:00": ["yesterday morning at 7"],
    "28 14:30:00": [
        "day before yesterday 14:30",
        "the day before yesterday at 2:30pm",
        "2 days ago 14:30",
        "sat 14:30",
    ],
    "23 14:30:00": ["monday 14:30", "last monday 14:30", "a week ago 14:30", "1 week ago at 14:30"],
    "30 13:30:00": [
        "monday 13:30",
        "this monday 13:30",
        "14:30 CET",
        "14:30 Berlin",
        "14:30 in Berlin",
        "14:30 berlin time",
    ],
    "29 18:30:00": ["yesterday 13:30 EST", "yesterday 13:30 New York", "13:30 America/New_York"],
    "27 14:30:00": ["last friday 14:30", "friday last week 14:30", "friday 14:30"],
}


@pytest.mark.parametrize(("text", "at"), [(text, at) for at, texts in PHRASES.items() for text in texts])
def test_a_phrase_means_the_moment_that_an_engineer_means(text: str, at: str) -> None:
    moment = read(text).at
    assert moment is not None
    assert f"{moment:%d %H:%M:%S}" + (f".{moment.microsecond:06d}" if moment.microsecond else "") == at
    assert (moment.year, moment.month) == (2026, 11)


@pytest.mark.parametrize("text", ["now", "right now", "latest", "the latest", "newest"])
def test_the_newest_moment_has_several_names(text: str) -> None:
    assert read(text).kind == "latest"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("half past two", "“2:30am” or “2:30pm”"),
        ("a quarter past two", "“2:15am” or “2:15pm”"),
        ("ten to one", "“12:50am” or “12:50pm”"),
        ("two o'clock", "“2:00am” or “2:00pm”"),
        ("half two", "“2:30” or “1:30”"),
        ("08.11.2026 14:30", "“2026-11-08 14:30” or “2026-08-11 14:30”"),
        ("8/11 14:30", "“2026-11-08 14:30” or “2026-08-11 14:30”"),
        ("yesterday midnight", "“yesterday 00:00” is where it begins"),
        ("13:30-13:45", "two times, or a time in the zone -13:45"),
        ("9:00-9:30", "two times, or a time in the zone -9:30"),
        ("between 14:00 and 14:10", "“14:00” or “14:10”"),
        ("14:30 IST", "“14:30 +05:30” or “14:30 +01:00” or “14:30 +02:00”"),
        ("14:30 CST", "-06:00"),
        ("14:30 CEST", "the clocks of Europe/Berlin showed CET (+01:00), not CEST"),
        ("14:30 EDT", "showed EST (-05:00), not EDT"),
        ("Dec 24 18:00", "say the year: “2025-12-24 18:00”"),
        ("Monday 29 Nov 2026 12:05", "was no Monday, but a Sunday"),
        ("29 Nov", "Did you mean “29 nov 00:00”?"),
        ("Nov 29 2026", "Did you mean “nov 29 2026 00:00”?"),
        ("2026/11/29", "Did you mean “2026/11/29 00:00”?"),
        ("last monday", "Did you mean “last monday 00:00”?"),
        ("yesterday", "Did you mean “yesterday 00:00”?"),
        ("29.11.26 14:30", "Did you mean “2026-11-29 14:30”?"),
        ("930", "Did you mean “9:30”?"),
        ("14", "Did you mean “14:00”?"),
        ("14 30", "Did you mean “14:30”?"),
        ("14-30", "Did you mean “14:30”?"),
        ("20m", "Did you mean “20m ago”?"),
        ("-20m", "Did you mean “20m ago”?"),
        ("last 10 minutes", "Did you mean “10 minutes ago”?"),
        ("before 14:00", "Did you mean “14:00”?"),
        ("shortly before 14:00", "Did you mean “14:00”?"),
        ("around 2pm", "Did you mean “2pm”?"),
        ("91822", "Did you mean “before xid 91822”?"),
        ("tuseday 14:30", "Did you mean “tuesday 14:30”?"),
        ("13:30 yesterdya", "Did you mean “13:30 yesterday”?"),
        ("last night at 11", "Did you mean “yesterday 11pm”?"),
        ("last night at 2", "Did you mean “today 2am”?"),
        ("last night", "is no single moment"),
        ("this morning", "is no single moment"),
        ("a few minutes ago", "is no single moment"),
        ("lunchtime", "is no single moment"),
        ("tomorrow 10:00", "is in the future"),
        ("in 5 minutes", "is in the future"),
        ("this friday 14:30", "is in the future"),
        ("1796999999", "is in the future"),
        ("this evening at 8", "is in the future"),
        ("nov 31 12:00", "There is no day nov 31"),
        ("2:30 in the morning pm", "no time zone called"),
        ("14:30 on staging", "not a moment"),
        ("14:30 Atlantis", "no time zone called “atlantis”"),
        ("14:61", "not a time of day"),
        ("2500", "not a moment"),
        ("5000000000", "is in the future"),
        ("0000000001", "longer ago than any backup"),
        ("30 years before 14:00", "not a moment"),
        ("9999 weeks before 14:00", "longer ago than any backup"),
    ],
)
def test_what_cannot_be_known_is_refused_with_what_was_probably_meant(text: str, words: str) -> None:
    assert words in said(text)


def test_letters_of_a_zone_that_the_persons_own_uses_are_read_so() -> None:
    assert read("14:30 IST", asker="Asia/Kolkata").at == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    assert read("2026-07-01 14:30 IST", asker="Europe/Dublin").at == datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
    assert read("13:30 CST", zone="America/Chicago").at == datetime(2026, 11, 29, 19, 30, tzinfo=UTC)
    assert "several regions" in said("14:30 IST", asker="Asia/Kolkata", zone="Asia/Jerusalem")


def test_letters_are_the_offset_that_was_in_force() -> None:
    assert read("14:30 CEST", now=SUMMER).at == datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    assert "showed CEST (+02:00), not CET" in said("14:30 CET", now=SUMMER)
    assert read("2026-10-25 02:30 CEST").at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read("2026-10-25 02:30 CET").at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_last_monday_is_refused_where_it_can_be_this_weeks_or_the_weeks_before() -> None:
    thursday = NOW + timedelta(days=3)
    assert "“2026-11-30 14:00” or “2026-11-23 14:00”" in said("last monday 14:00", now=thursday)
    assert read("monday 14:00", now=thursday).at == datetime(2026, 11, 30, 14, tzinfo=UTC)
    assert read("last friday 14:00", now=thursday).at == datetime(2026, 11, 27, 14, tzinfo=UTC)


def test_the_askers_own_time_is_read_where_it_is_known() -> None:
    assert read("13:30 my time", asker="Europe/Berlin").at == datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
    assert "not known here" in said("13:30 my time")


def test_the_other_reading_moves_with_a_span_before_it() -> None:
    target = read("just before 14:00", asker="Europe/Berlin")
    assert target.other is not None
    assert target.other.at == datetime(2026, 11, 30, 12, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("text", ["12:05", "20m ago", "tomorrow 10:00", "half past two", "14:30 IST", "latest"])
def test_whether_a_text_names_a_moment_does_not_depend_on_whether_it_can_be_meant(text: str) -> None:
    assert is_moment(text, NOW)


@pytest.mark.parametrize(
    "text", ["", "users 12:05", "12:05 except users", "12:05 on staging", "x" * 999, "12:05 Users"]
)
def test_a_text_with_other_words_is_no_moment(text: str) -> None:
    assert not is_moment(text, NOW)


WORDS = st.lists(
    st.sampled_from(
        [
            *(
                "half",
                "quarter",
                "past",
                "to",
                "a",
                "an",
                "two",
                "noon",
                "midnight",
                "14",
                "30",
                "14:30",
                "14.30",
                "1430",
            ),
            *("2:30pm", "am", "pm", "yesterday", "monday", "last", "nov", "29", "2026", "29.11.2026", "11/12", "ago"),
            *(
                "hour",
                "hours",
                "minutes",
                "and",
                "before",
                "just",
                "the",
                "this",
                "morning",
                "afternoon",
                "night",
                "at",
            ),
            *(
                "on",
                "in",
                "5",
                "o'clock",
                "uhr",
                "cest",
                "ist",
                "berlin",
                "+02:00",
                "-09:30",
                "utc",
                "1795962600",
                "xid",
            ),
            *("lsn", "0/5A3F2C8", "tomorrow", "week", "day", "99999", "::", "/", "?"),
        ]
    ),
    max_size=7,
).map(" ".join)
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from([None, "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"])


@given(WORDS | st.text(max_size=130), MOMENTS, ZONES)
def test_no_words_bring_an_error_of_another_kind_or_a_moment_to_come(
    text: str, now: datetime, zone: str | None
) -> None:
    try:
        target = read(text, now=now, zone=zone or "UTC", asker=zone)
    except WhenError as refused:
        told = bool(refused.message and refused.hint)
    else:
        told = all(one is None or one.at is None or one.at <= now for one in (target, target.other))
    assert told


@given(st.datetimes(datetime(2026, 6, 10), datetime(2026, 11, 30, 14)))
def test_a_day_is_the_same_in_all_of_its_forms(moment: datetime) -> None:
    forms = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%A, %d %B %Y", "%d %b", "%b %d")
    clocks = ("%H:%M:%S", "%H.%M.%S", "%I:%M:%S %p", "%H%M%S")
    wanted = moment.replace(microsecond=0, tzinfo=ZoneInfo("UTC"))
    assert {read(f"{moment:{day} {clock}} UTC").at for day in forms for clock in clocks} == {wanted}
