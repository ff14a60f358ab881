"""The document in the thread of an incident: every one that was over gets it once, and anew when there is more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.incidents import incident_actions
from actions.incidents.document_export import document_of
from actions.incidents.document_rendering import html, markdown
from actions.incidents.document_versions import editions
from actions.incidents.draft_offers import to_publish
from actions.incidents.open_errands import open_errand
from actions.tools.outside import Draft
from bot.slack.thread_writer import ThreadWriter
from tests.support.bot_world import CHANNEL
from tests.support.worlds.emergency import Emergency
from tests.support.worlds.pages import event, note


@pytest.fixture
def here() -> Emergency:
    return Emergency()


def files(here: Emergency) -> list[str]:
    """The names of the files in the thread, without the incident's."""
    return [m["filename"].removeprefix(here.incident.id) for m in here.channel.messages if "files" in m]


def text(here: Emergency, name: str) -> str:
    return str(next(m["content"] for m in here.channel.messages if m["key"] == f"{here.incident.id}{name}"))


def told(here: Emergency) -> list[str]:
    """What stands in the thread below its header, files by their names."""
    return [m.get("text") or m["filename"] for m in here.channel.messages if m.get("thread_ts")]


def over(here: Emergency) -> None:
    """A page that somebody takes on and resolves, with its document."""
    here.pages()
    here.pages(event("acknowledged", minutes=1, by="Ben Okoro"))
    here.pages(event("resolved", minutes=9, by="Ben Okoro"))
    here.draw()
    here.draw()


def later(here: Emergency) -> None:
    """Time enough for whatever is to come."""
    for _ in range(4):
        here.draw(120)


def test_an_incident_that_was_over_without_a_recovery_ends_with_its_document(here: Emergency) -> None:
    here.pages()
    here.pages(event("acknowledged", minutes=1, by="Ben Okoro"))
    here.pages(event("resolved", minutes=9, by="Ben Okoro"), ticks=5)
    assert files(here) == [], "PagerDuty and the status page are still told"
    here.draw()
    here.draw()
    assert files(here) == [".md", ".html"]
    assert here.channel.messages[-3]["text"].startswith("The document of this incident")
    assert text(here, ".md").startswith("# Alert PGR0VU2\n")
    assert "Version 1, written 20" in text(here, ".md")
    later(here)
    assert len(files(here)) == 2


def test_an_incident_that_needed_a_recovery_waits_until_it_has_ended(here: Emergency) -> None:
    here.pages()
    here.say("recover postgres pitr 14:30", key="r1")
    [linked] = here.incident.runs
    here.pages(event("resolved", minutes=1))
    here.draw(60)
    assert files(here) == [], "the recovery has not ended"
    here.sink = ThreadWriter(here.bot)
    here.errand(linked.run, "recovered")
    here.sink = ThreadWriter(here.bot)
    here.draw(60)
    assert files(here) == [".md", ".html"]
    assert linked.run in text(here, ".md")


def test_a_run_that_does_not_end_is_not_waited_for_without_end_and_makes_another_version(here: Emergency) -> None:
    here.pages()
    here.say("recover postgres pitr 14:30", key="r1")
    [linked] = here.incident.runs
    here.pages(event("resolved", minutes=1))
    for _ in range(12):
        here.draw(60)
    assert files(here) == [".md", ".html"]
    assert f"Run {linked.run} has not ended" in text(here, ".md")
    here.sink = ThreadWriter(here.bot)
    here.errand(linked.run, "recovered")
    later(here)
    assert files(here)[2:] == ["-version-2.md", "-version-2.html"]
    assert "has not ended" not in text(here, "-version-2.md")


def test_what_comes_back_and_ends_again_is_a_version_more_that_says_what_is_new(here: Emergency) -> None:
    over(here)
    here.pages(event("reopened", minutes=10, by="Ben Okoro"))
    later(here)
    assert len(files(here)) == 2, "it is open"
    here.pages(event("resolved", minutes=15, by="Ada Prewitt"))
    here.draw()
    assert files(here)[2:] == ["-version-2.md", "-version-2.html"]
    second = text(here, "-version-2.md")
    assert second.startswith("# Alert PGR0VU2 (version 2)\n")
    assert "it takes the place of version 1 of 20" in second
    fresh = second.split("## New since version 1\n")[1].split("\n## ")[0]
    assert "triggered" in fresh
    assert "acknowledged" not in fresh
    assert "(version 2)" in text(here, "-version-2.html")
    assert told(here)[-3].startswith("The document of this incident, version 2; it takes the place of version 1")
    assert "version 2" not in text(here, ".md")


def add_role(here: Emergency) -> None:
    olga = here.bot.people.asking("U0ONCALL", "T1").speaker
    incident_actions.give_role(here.store, here.incident.id, "scribe", "U0DBA", "Dmitri", olga, key="role")


def add_pins(here: Emergency) -> None:
    olga = here.bot.people.asking("U0ONCALL", "T1").speaker
    for n in range(3):
        incident_actions.pin(
            here.store, here.incident.id, here.office.clock(), f"The cause {n}", "Olga", olga, key=f"C1:{n}"
        )
        here.draw(10)


def add_post(here: Emergency) -> None:
    olga = here.bot.people.asking("U0ONCALL", "T1").speaker
    draft = Draft(here.incident.id, "Messages", "resolved", "All is well.", "minor", {})
    errand = to_publish(here.incident, draft)
    here.errand(open_errand(here.store, errand, here.incident, olga, site="main", key="post")[0])


def add_note(here: Emergency) -> None:
    here.pages(note("PGR0VU2", "It was the deploy", 20))


@pytest.mark.parametrize(
    ("add", "said"),
    [(add_role, "Dmitri is scribe"), (add_pins, "The cause 2"), (add_post, "All is well."), (add_note, "the deploy")],
)
def test_whatever_is_added_afterwards_makes_one_version_more(here: Emergency, add, said: str) -> None:  # type: ignore[no-untyped-def]
    over(here)
    here.sink = ThreadWriter(here.bot)
    add(here)
    later(here)
    assert files(here)[2:] == ["-version-2.md", "-version-2.html"]
    assert said in text(here, "-version-2.md")
    assert said not in text(here, ".md")
    later(here)
    assert len(files(here)) == 4


def test_what_a_reader_would_not_see_makes_no_version(here: Emergency) -> None:
    over(here)
    before = len(here.store.entries(here.incident.id))
    here.pages(event("priority_updated", minutes=9.001, status="resolved", priority=None))
    assert len(here.store.entries(here.incident.id)) == before + 1
    later(here)
    assert len(files(here)) == 2
    add_role(here)
    later(here)
    assert len(files(here)) == 4


@pytest.mark.deep
@pytest.mark.parametrize("how", ["kill before", "kill after", "down", "broken after"])
@pytest.mark.parametrize("at", range(1, 7))
def test_whatever_happens_at_any_call_each_version_stands_once(here: Emergency, at: int, how: str) -> None:
    def something_happens() -> None:
        then = len(here.channel.calls) + at
        here.channel.fate = lambda n, _method: how if n == then else None

    here.pages()
    here.pages(event("acknowledged", minutes=1, by="Ben Okoro"))
    something_happens()
    here.pages(event("resolved", minutes=9, by="Ben Okoro"))
    later(here)
    something_happens()
    add_role(here)
    later(here)
    assert files(here) == [".md", ".html", "-version-2.md", "-version-2.html"]
    assert len(here.channel.keys) == len(set(here.channel.keys))


def test_a_bot_that_is_killed_once_a_version_is_on_the_record_posts_that_one(here: Emergency) -> None:
    here.pages()
    here.pages(event("acknowledged", minutes=1, by="Ben Okoro"))
    here.channel.fate = lambda _n, method: "down" if method == "upload" else None
    here.pages(event("resolved", minutes=9, by="Ben Okoro"))
    later(here)
    assert files(here) == []
    [given] = editions(here.store.entries(here.incident.id))
    here.channel.fate = lambda _n, _method: None
    here.sink = ThreadWriter(here.bot)
    add_role(here)
    here.draw(60)
    assert files(here) == [".md", ".html"]
    assert "scribe" not in text(here, ".md")
    assert f"written {given.at:%Y-%m-%d %H:%M:%S} UTC" in text(here, ".md")
    later(here)
    assert "scribe" in text(here, "-version-2.md")


def test_what_passed_by_itself_says_how_to_get_its_document(here: Emergency) -> None:
    here.pages(event(by="Service PPOSTGR"))
    here.pages(event("resolved", minutes=3, by="Service PPOSTGR"))
    later(here)
    assert files(here) == []
    assert f"`mayday incident export {here.incident.id}` writes one." in here.lines()[-1]
    assert markdown(document_of(here.store, here.incident.id)).startswith("# Alert PGR0VU2\n")
    add_role(here)
    later(here)
    assert files(here) == [".md", ".html"], "somebody has done something about it"


@pytest.mark.parametrize(
    "events",
    [
        [event("resolved", minutes=6)],
        [event("resolved", minutes=3, by="Ben Okoro")],
        [event("acknowledged", minutes=1), event("resolved", minutes=3)],
        [event("resolved", minutes=3), note("PGR0VU2", "It was me", 2)],
    ],
)
def test_what_lasted_or_was_done_by_somebody_has_a_document(here: Emergency, events: list[object]) -> None:
    here.pages()
    for said in events:
        here.pages(said)  # type: ignore[arg-type]
    later(here)
    assert files(here)[:2] == [".md", ".html"]


def test_a_declared_incident_has_a_document(here: Emergency) -> None:
    here.say("declare everything is slow", here=False)
    for linked in here.incident.runs:
        here.errand(linked.run)
    here.say("resolve", key="t2")
    later(here)
    assert files(here) == [".md", ".html"]
    assert here.root["channel"] == CHANNEL


def test_the_export_is_the_newest_version_or_says_that_it_tells_more(here: Emergency) -> None:
    over(here)
    name = here.incident.id
    assert markdown(document_of(here.store, name)) == text(here, ".md")
    assert html(document_of(here.store, name)) == text(here, ".html")
    add_role(here)
    more = markdown(document_of(here.store, name))
    assert "This tells more than version 1 of 20" in more
    assert "Dmitri is scribe" in more
    later(here)
    assert markdown(document_of(here.store, name)) == text(here, "-version-2.md")
    here.office.clock.now += timedelta(days=30)
    assert html(document_of(here.store, name)) == text(here, "-version-2.html")
