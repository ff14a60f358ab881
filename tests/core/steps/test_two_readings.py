"""A bare time has two readings: the plan says which one it goes to, and offers the other where both can be reached."""

from __future__ import annotations

from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.engine.run_summary import summary_of
from actions.incidents.draft_offers import offered
from actions.incidents.incident import Incident
from actions.settings.outside import StatusPageSettings
from tests.support.worlds.planned import Company


def plan(here: Company, when: str) -> dict[str, str]:
    """The rows of the plan's first sheet. Whoever asks is in Berlin, an hour before UTC."""
    here.ask("postgres pitr", when)
    assert here.work() == "asking", here.run().failure or here.store.entries("r1")[-1].data
    return dict(here.store.entries("r1")[-1].data["sheets"][0]["rows"])


def labels(here: Company) -> list[str]:
    asked = here.run().question
    assert asked is not None
    return [str(option["label"]) for option in asked.options]


def an_hour_later(here: Company) -> None:
    here.world.says(80)


def test_where_one_reading_alone_can_be_reached_it_is_the_plan_and_the_plan_says_why(here: Company) -> None:
    rows = plan(here, "08:30:30")
    assert rows["Target"].startswith("2026-02-09 08:30:30 UTC · 09:30:30 Europe/Berlin")
    assert rows["Read as"] == (
        "08:30:30 UTC; 08:30:30 in Europe/Berlin cannot be meant: "
        "2026-02-09 07:30:30 UTC lies before the end of the oldest usable base backup"
    )
    assert not [label for label in labels(here) if label.startswith("Rather")]


def test_a_reading_that_has_not_come_yet_is_named(here: Company) -> None:
    rows = plan(here, "today 09:30:30")
    assert rows["Target"].startswith("2026-02-09 08:30:30 UTC")
    assert rows["Read as"] == "today 09:30:30 in Europe/Berlin; today 09:30:30 UTC has not come yet"


def test_where_both_can_be_reached_the_later_is_the_plan_and_the_other_a_button(here: Company) -> None:
    an_hour_later(here)
    rows = plan(here, "09:40:30")
    assert rows["Target"].startswith("2026-02-09 09:40:30 UTC")
    assert "2026-02-09 08:40:30 UTC, 1 h earlier: a button asks for it" in rows["Read as"]
    assert "Rather 09:40:30 in Europe/Berlin (1 h earlier)" in labels(here)


def test_the_button_gives_this_run_up_and_asks_for_the_other_moment(here: Company) -> None:
    an_hour_later(here)
    plan(here, "09:40:30")
    here.answer("Rather 09:40:30 in Europe/Berlin (1 h earlier)")
    here.work()
    ended = here.store.entries("r1")[-1].data
    assert (here.run().finished, here.world.changes) == (Outcome.DISCARDED, ())
    assert ended["again"]["text"] == "2026-02-09 08:40:30 UTC"
    here.ask("postgres pitr", ended["again"]["text"], run="r2")
    here.work("r2")
    assert here.run("r2").facts["aim"]["stop"]["last_commit_at"].startswith("2026-02-09T08:40:09")


def test_an_explicit_zone_is_read_alone(here: Company) -> None:
    assert "Read as" not in plan(here, "08:30:30 UTC")


def test_where_the_later_reading_lies_in_a_gap_the_earlier_one_is_the_plan(here: Company) -> None:
    an_hour_later(here)
    lost = sorted(name for name in here.world.archive if "history" not in name)[-8:]
    for name in lost:
        here.world.archive.pop(name)
    rows = plan(here, "09:50:30")
    first, *_ = entries = here.store.entries("r1")
    assert rows["Target"].startswith("2026-02-09 08:50:30 UTC")
    assert rows["Read as"].startswith("09:50:30 in Europe/Berlin; 09:50:30 UTC cannot be meant: ")
    assert "2026-02-09 09:50:30 UTC" in first.data["summary"]
    assert "2026-02-09 08:50:30 UTC" in summary_of(entries)
    told = offered(StatusPageSettings(), Incident("i1", here.world.clock(), {}), here.run(), "started")
    assert "08:50" in told.text
    assert "09:50" not in told.text


def test_where_neither_can_be_reached_the_nearest_and_the_newest_are_offered(here: Company) -> None:
    here.ask("postgres pitr", "07:59")
    here.work()
    ended = here.store.entries("r1")[-1]
    assert ended.kind is Kind.FINISHED
    earliest, newest = ended.data["instead"]
    assert newest == "latest"
    for n, one in enumerate((earliest, newest), 2):
        here.ask("postgres pitr", one, run=f"r{n}")
        assert here.work(f"r{n}") == "asking", one
        here.answer("Cancel", run=f"r{n}")
        here.work(f"r{n}")


def test_the_approval_covers_the_reading_that_was_taken(here: Company) -> None:
    an_hour_later(here)
    other = here.fork()
    plan(here, "09:40:30")
    rows = plan(other, "08:40:30")
    assert rows["Target"].startswith("2026-02-09 08:40:30 UTC")
    asked, there = here.run().question, other.run().question
    assert asked is not None
    assert there is not None
    assert asked.plan != there.plan
