"""The post-incident document says what the journals say, whatever people and programs wrote into them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from actions.engine.errors import Refused
from actions.engine.facts import to_json
from actions.engine.journal import Entry, Kind
from actions.incidents.alert import Alert
from actions.incidents.document import Document, document
from actions.incidents.document_export import document_of
from actions.incidents.document_rendering import html, markdown
from actions.store.store import Store
from actions.tools.outside import Paged
from tests.support.bot_world import Clock, store_in
from tests.support.recorded import recorded, tell, told_as

BEGAN = datetime.fromisoformat(recorded()[0]["at"]) - timedelta(minutes=3)
HOSTILE = "<script>alert(1)</script> | *bold* [x](http://evil) `code` # head"


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def alert(status: str, minutes: float, title: str = "Messages are missing") -> dict[str, Any]:
    paged = Paged("P1", 17, title, status, "high", "PS1", "chat", "https://pd.example/17", BEGAN, alerts=40)
    return dict(to_json(Alert(paged, at(minutes), f"ev-{minutes}", "nself-postgres", "Olga Nowak")))


def incident(*more: tuple[float, Kind, dict[str, Any]], title: str = "Messages are missing") -> list[Entry]:
    told = [
        (0.0, Kind.OPENED, {"source": "pagerduty", "title": title, "service": "nself-postgres"}),
        (0.01, Kind.ALERTED, {"alerts": [alert("triggered", 0, title)]}),
        *more,
    ]
    return [Entry("i1122-abcd", n, at(m), kind, None, data) for n, (m, kind, data) in enumerate(told, 1)]


STORY = (
    (1.0, Kind.GRADED, {"severity": "critical", "by": "U1", "name": "Olga Nowak"}),
    (1.5, Kind.ROLE, {"role": "commander", "user": "U2", "user_name": "Ada Prewitt", "by": "U2"}),
    (
        2.0,
        Kind.PINNED,
        {
            "at": at(1.8).isoformat(),
            "text": "It began with the deploy",
            "author": "Dmitri",
            "key": "k",
            "by": "U1",
            "name": "Olga Nowak",
        },
    ),
    (2.9, Kind.LINKED, {"run": "r1122-jrpx", "procedure": "postgres pitr", "by": "U1", "name": "Olga Nowak"}),
    (5.0, Kind.LINKED, {"run": "e1122-post", "procedure": "status page publish", "by": "U1", "name": "Olga Nowak"}),
    (9.0, Kind.ALERTED, {"alerts": [alert("resolved", 9)]}),
)


def errand(text: str = "We are bringing messages back.") -> list[Entry]:
    draft = {"incident": "i1122-abcd", "title": "Messages", "status": "identified", "text": text}
    data = {
        "procedure": "status page publish",
        "table": "t",
        "service": "nself-postgres",
        "site": "main",
        "by": "U1",
        "name": "Olga Nowak",
        "request": {"incident": "i1122-abcd", "draft": draft},
        "summary": "Update the status page",
        "origin": {"incident": "i1122-abcd"},
    }
    page = {"page": "p", "found": True, "url": "https://status.example/i/1", "status": "identified"}
    return [
        Entry("e1122-post", 1, at(5), Kind.REQUESTED, None, data),
        Entry(
            "e1122-post", 2, at(5.1), Kind.DONE, 2, {"title": "see what stands there", "gives": "after", "fact": page}
        ),
        Entry("e1122-post", 3, at(5.1), Kind.FINISHED, None, {"outcome": "done", "seconds": 6.0}),
    ]


def whole() -> Document:
    return document([incident(*STORY), list(told_as("r1122-jrpx")), errand()])


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_it_has_every_part_with_the_facts_of_the_journals() -> None:
    text = markdown(whole())
    assert text.startswith("# Messages are missing\n")
    assert "critical" in text.split("## Summary")[0]
    assert "over 2026-11-22 16:40:22 UTC, after 9 min" in text
    assert "40 alerts were folded into it" in section(text, "Summary")
    assert "(RTO) of PostgreSQL, from the page to the end | 30 min | 9 min | kept |" in section(text, "Promises")
    assert "(RTO) of PostgreSQL, run r1122-jrpx | 30 min | 1 min 3 s | kept |" in section(text, "Promises")
    assert "(RPO) in PostgreSQL, run r1122-jrpx | 5 min | at least 11.1 s | not known |" in section(text, "Promises")
    assert "commander: Ada Prewitt" in section(text, "Roles")
    assert (
        "| [17](<https://pd.example/17>) | Messages are missing | nself-postgres | 40 | resolved | high |"
        in section(text, "Alerts")
    )
    runs = section(text, "Runs")
    assert "Ada Prewitt chose Cut over" in runs
    assert "typing nself-postgres" in runs
    assert "check the clone: Healthy: 12 of 12 checks passed" in runs
    assert 'to "Cut over to the clone?" after 23.5 s' in runs
    assert "recovered after 1 min 3 s (23.1 s in steps, 39.1 s waiting for answers, 1.7 s in between)" in runs
    assert "| 2026-11-22 16:34:44 | copy the base backup | done | 0.8 s |" in runs
    assert "Update the status page" not in runs
    post = section(text, "Status page")
    assert "Olga Nowak, identified: We are bringing messages back. <https://status.example/i/1>" in post


def test_the_timeline_is_in_order_in_utc_with_what_people_pinned_at_its_own_time() -> None:
    told = whole()
    moments = [line.at for line in told.timeline]
    assert moments == sorted(moments)
    lines = [line.text for line in told.timeline]
    assert lines[0] == "Opened by PagerDuty: Messages are missing"
    pinned, role = lines.index("Dmitri: It began with the deploy"), lines.index("Ada Prewitt is commander")
    assert role < pinned < lines.index("Olga Nowak chose Pause writers and restore")
    assert [line for line in lines if line.startswith("PagerDuty: ")] == [
        "PagerDuty: resolved by Olga Nowak, 40 alerts"
    ]
    assert "Look at the server" not in lines, "what it looked at before it asked is the plan"
    assert "Update the status page: done" in lines
    stamps = re.findall(r"^\| (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \|", section(markdown(told), "Timeline"), re.M)
    assert stamps == sorted(stamps)
    assert len(stamps) == len(lines)


def test_a_run_alone_makes_a_document_and_nothing_makes_none() -> None:
    text = markdown(document([list(told_as("r1"))]))
    assert text.startswith("# postgres pitr of nself-postgres\n")
    assert "Nobody took one." in text
    with pytest.raises(Refused):
        document([])


def test_what_is_left_open_is_asked() -> None:
    half = [entry for entry in told_as("r2") if entry.n < 20]
    failed = {"title": "copy the base backup", "error": "The disk is full.", "seconds": 1.0}
    half.append(Entry("r2", 20, half[-1].at, Kind.FAILED, 11, failed))
    questions = document([incident(), half]).questions
    for expected in ("still open", "Nobody took a role", "Run r2 has not ended; it is failed", "The disk is full."):
        assert any(expected in question for question in questions), (expected, questions)
    assert not any("was missed" in question for question in whole().questions)
    for expected in ("81 commits were given up", "kept the old data in /srv/nself/data/postgres_before_r1122-jrpx"):
        assert any(expected in question for question in whole().questions), expected


def test_a_missed_promise_and_losses_that_were_not_counted_are_asked_about() -> None:
    late = [
        Entry(e.run, e.n, e.at + timedelta(hours=e.kind is Kind.FINISHED), e.kind, e.step, uncounted(e))
        for e in told_as("r3")
    ]
    told = document([late])
    assert [promise.verdict for promise in told.promises] == ["missed", "not known"]
    assert any("PostgreSQL, run r3: the promise of 30 min was missed" in q for q in told.questions)
    assert any("was not counted" in q for q in told.questions)
    assert "not known" in markdown(told)


def uncounted(entry: Entry) -> dict[str, Any]:
    if entry.data.get("gives") != "lost":
        return entry.data
    return {**entry.data, "fact": {**entry.data["fact"], "counted": False}}


def test_who_went_on_alone_stands_in_the_first_line_and_is_asked_about() -> None:
    told = document([incident(), [alone(e) for e in told_as("r4")]])
    assert told.summary[0] == (
        "Approved by one person alone: Ada Prewitt broke the glass at 16:35 UTC. Reason: nobody answers"
    )
    assert "**alone**: nobody answers" in markdown(told)
    assert any("without a second person" in question for question in told.questions)


def alone(entry: Entry) -> Entry:
    if entry.data.get("option") != "Cut over":
        return entry
    return replace(entry, data={**entry.data, "glass": {"reason": "nobody answers", "waited_seconds": 900}})


def test_a_storm_is_a_row_for_each_kind_of_alert_with_its_number() -> None:
    storm = [alert("triggered", n / 100) for n in range(300)]
    for n, one in enumerate(storm):
        one["paged"] |= {"id": f"PS{n}", "number": 17 + n, "title": ("Disk", "Queue")[n % 3 == 0], "alerts": 1}
        one["paged"]["created_at"] = at(n / 100).isoformat()
    told = document([incident((0.5, Kind.ALERTED, {"alerts": storm}))])
    rows = [(row.title, row.number, row.count) for row in told.alerts if row.title != "Messages are missing"]
    assert rows == [("Queue", 17, 100), ("Disk", 18, 200)]


def test_an_update_that_never_went_out_says_so() -> None:
    failed = errand()[:1]
    failed.append(replace(failed[0], n=2, kind=Kind.FINISHED, data={"outcome": "refused", "error": "No token."}))
    for text in (markdown(document([incident(), failed])), html(document([incident(), failed]))):
        assert "(not published: refused)" in text


class Reader(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile() -> Document:
    pin = (1.0, Kind.PINNED, {"at": at(1).isoformat(), "text": HOSTILE, "author": HOSTILE, "key": "k", "by": "U1"})
    bad = errand(HOSTILE)
    bad[1].data["fact"]["url"] = "javascript:alert(1)"
    return document([incident(pin, title=HOSTILE), bad])


def test_nothing_that_was_written_into_a_journal_marks_the_html_up() -> None:
    page = Reader(html(hostile()))
    assert "script" not in page.tags
    assert page.links == ["https://pd.example/17"]
    assert HOSTILE in page.text
    assert Reader(html(whole())).links == ["https://pd.example/17", "https://status.example/i/1"]


def test_nothing_that_was_written_into_a_journal_marks_the_markdown_up() -> None:
    text = markdown(hostile())
    assert "<script" not in text.replace("\\<script", "")
    assert "[x](" not in text.replace("\\[x\\](", "")
    assert "javascript:" not in text
    rows = [line for line in text.splitlines() if line.startswith("| 2026")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert "\\- a" in markdown(document([incident(title="- a")]))
    assert "1\\. a" in markdown(document([incident(title="1. a")]))


def test_both_forms_say_the_same() -> None:
    told = whole()
    page, text = Reader(html(told)).text, markdown(told)
    for line in told.timeline:
        assert line.text in page
    for part in ("Summary", "Promises", "Roles", "Alerts", "Timeline", "Runs", "Status page", "Open questions"):
        assert f"\n## {part}\n" in text
        assert part in page


def test_the_journals_that_belong_together_are_found_in_the_store(tmp_path: Path) -> None:
    store: Store = store_in(tmp_path, Clock())
    tell(store, "r1122-jrpx")
    with store.transaction() as tx:
        for entry in (*incident(*STORY), *errand()):
            tx.write(entry)
    told = document_of(store, "i1122-abcd")
    assert (len(told.runs), len(told.posts)) == (1, 1)
    assert document_of(store, "r1122-jrpx").id == "r1122-jrpx"
    with pytest.raises(Refused):
        document_of(store, "i-none")
