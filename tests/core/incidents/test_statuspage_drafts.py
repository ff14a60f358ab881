"""What a draft says to customers: enough, within limits, and nothing of our insides."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.errors import Refused
from actions.incidents.public_text import (
    STATUSES,
    TEXT_LIMIT,
    TITLE_LIMIT,
    clean,
    fit,
    in_plain_words,
    same_text,
    stands,
)
from actions.incidents.statuspage_drafts import Kind, draft_for, impact_of
from actions.recoveries import postgres_pitr
from actions.tools.outside import Draft, Published

KINDS = get_args(Kind)
TARGET = datetime(2026, 2, 9, 14, 30, tzinfo=UTC)
COMPONENTS = {"nself-postgres": "k3v8", "nself-hasura": "9qkm", "nself-auth": "w5t2"}
SECRETS = ("xoxb-1234-abcd", "postgres://app:s3cret@db-1/x", "password=s3cret", "AKIAABCDEFGHIJKLMNOP")
INSIDES = (
    "db-17.prod.internal",
    "10.0.4.12",
    "/var/lib/postgresql",
    "ip-10-0-4-12",
    "nself-postgres",
    "kraken",
    "Jane",
    "orders_2024",
    "root@kraken",
    "https://grafana.corp/d/1",
    "nchat_messages",
    "i-0abc123",
)
SOME = Draft("INC1", "Problem with search", "investigating", "We are looking into it.")

summaries = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from((*INSIDES, *SECRETS, "Messages", "are", "missing", "on", "for")), max_size=14).map(
        " ".join
    ),
)
kinds = st.sampled_from(KINDS)


def draft(kind: Kind, **given: object) -> Draft:
    given = {"words": postgres_pitr.PROCEDURE.public, **given}
    return draft_for(kind, incident="INC1", service="nself-postgres", about="postgres", components=COMPONENTS, **given)  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(kinds, summaries, st.text(max_size=20), st.text(max_size=60), st.one_of(st.none(), st.datetimes()))
def test_a_draft_fits_the_page_whatever_an_alert_says(
    kind: Kind, summary: str, severity: str, service: str, target: datetime | None
) -> None:
    moment = target.replace(tzinfo=UTC) if target else None
    made = draft_for(kind, incident="INC1", service=service, summary=summary, severity=severity, target=moment)
    assert 0 < len(made.title) <= TITLE_LIMIT
    assert 0 < len(made.text) <= TEXT_LIMIT
    assert made.status in STATUSES
    assert "\n" not in made.title
    assert fit(made) == made


@settings(max_examples=80, deadline=None)
@given(kinds, summaries)
def test_nothing_of_our_insides_and_no_secret_reaches_a_draft(kind: Kind, summary: str) -> None:
    made = draft(kind, summary=summary, target=TARGET)
    said = f"{made.title} {made.text}"
    for inside in (*INSIDES, "s3cret", "xoxb-1234", "AKIA", "postgres"):
        assert not re.search(rf"\b{re.escape(inside)}\b", said, re.IGNORECASE), said


@pytest.mark.parametrize("summary", ["messages are missing", "Messages are missing!", "Sign-in doesn’t work."])
def test_a_summary_in_the_words_of_customers_becomes_the_title(summary: str) -> None:
    assert draft("opened", summary=summary).title.casefold().rstrip(".") == summary.casefold().rstrip("!.").replace(
        "’", "'"
    )


@pytest.mark.parametrize(
    "summary",
    [
        "",
        "Down",
        "Jane has lost messages",
        "kraken is down",
        "messages on db-17 missing",
        "search is down since 14:02",
        "OOM in nself-redis",
    ],
)
def test_a_summary_with_one_other_word_is_left_out_as_a_whole(summary: str) -> None:
    assert in_plain_words(summary) == ""
    assert draft("opened", summary=summary).title == "Problem with messages and their history"


@pytest.mark.parametrize("kind", ["started", "finished", "failed"])
def test_what_goes_back_to_no_moment_is_told_without_a_word_of_one(kind: Kind) -> None:
    made = draft_for(kind, incident="INC1", service="nself-redis", about="redis")
    assert "live updates" in made.text
    assert not re.search(r"restor|state of|that moment|recover", made.text)
    own = draft_for(
        kind, incident="INC1", service="nself-redis", about="redis", words={kind: "We start {subject} anew."}
    )
    assert own.text == "We start live updates anew."


def test_a_service_nobody_knows_is_not_named() -> None:
    made = draft_for("opened", incident="INC1", service="kraken-db-17")
    assert made.title == "Problem with some of our services"
    assert made.components == {}


def test_the_target_is_said_in_utc_with_seconds_where_there_are_some() -> None:
    berlin = timezone(timedelta(hours=1))
    assert "14:30 UTC on 9 February 2026" in draft("started", target=TARGET.astimezone(berlin)).text
    assert "14:30:05 UTC" in draft("finished", target=TARGET + timedelta(seconds=5)).text
    assert "may be missing" in draft("finished", target=TARGET).text
    assert "may be missing" not in draft("finished").text


@pytest.mark.parametrize(
    ("kind", "status", "component"),
    [
        ("opened", "investigating", "major_outage"),
        ("started", "identified", "major_outage"),
        ("failed", "identified", "major_outage"),
        ("finished", "monitoring", "degraded_performance"),
        ("resolved", "resolved", "operational"),
    ],
)
def test_the_kind_decides_the_status_and_the_severity_what_becomes_of_the_component(
    kind: Kind, status: str, component: str
) -> None:
    made = draft(kind, severity="critical")
    assert (made.status, made.impact, made.components) == (status, "critical", {"k3v8": component})


def test_services_beside_suffer_less_and_never_make_the_own_one_better() -> None:
    shared = {"nself-postgres": "k3v8", "nself-hasura": "9qkm", "nself-auth": "k3v8"}
    made = draft_for(
        "opened",
        incident="INC1",
        service="nself-postgres",
        severity="sev1",
        components=shared,
        beside=("nself-hasura", "nself-auth", "nself-unknown"),
    )
    assert made.components == {"k3v8": "major_outage", "9qkm": "partial_outage"}


@pytest.mark.parametrize(
    ("severity", "impact"),
    [
        ("critical", "critical"),
        ("SEV1", "critical"),
        ("high", "major"),
        ("", "major"),
        ("low", "minor"),
        ("P4", "minor"),
        ("info", "none"),
        ("P1 - Urgent", "critical"),
        ("SEV3: cosmetic", "minor"),
        ("What a mess", "major"),
    ],
)
def test_severities_of_all_sorts_are_understood(severity: str, impact: str) -> None:
    assert impact_of(severity) == impact


def test_what_hurts_nobody_touches_no_component() -> None:
    assert draft("opened", severity="info").components == {}


def test_a_secret_that_a_person_typed_is_taken_out() -> None:
    typed = replace(SOME, text="It was token=abcdef123456 again.\r\nSorry.\x00\u202e")
    assert fit(typed).text == "It was token=[hidden] again.\nSorry."


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SOME, title=" \n"),
        replace(SOME, title="x" * 256),
        replace(SOME, text=""),
        replace(SOME, text="x" * 25_001),
        replace(SOME, status="done"),
        replace(SOME, impact="huge"),
        replace(SOME, components={"a": "broken"}),
        replace(SOME, incident=""),
    ],
)
def test_what_no_page_takes_is_refused_with_a_reason(wrong: Draft) -> None:
    with pytest.raises(Refused) as refusal:
        fit(wrong)
    assert refusal.value.detail
    assert refusal.value.hint


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert same_text(clean(text), clean(clean(text)))


def test_an_update_stands_when_status_and_text_are_there_whatever_the_blanks() -> None:
    there = Published("1", "", "investigating", 1, "We are  looking\r\ninto it. ")
    assert stands(SOME, there)
    assert not stands(replace(SOME, status="monitoring"), there)
    assert not stands(replace(SOME, text="Other."), there)
    assert not stands(SOME, None)
