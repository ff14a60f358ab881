"""Whether WAL arrives: the server's word held against the archive, the wait after a recovery, the page about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actions.engine.facts import to_json
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.postgres.archive import WalFile
from actions.postgres.archiver import Archiver, Archiving, arrived, judge, read_archiver, words_of
from actions.postgres.segments import segment_name
from actions.watch import service_condition
from actions.watch.service_condition import Condition, Health, Reachable
from tests.support.worlds.company import SITE
from tests.support.worlds.founding import company
from tests.support.worlds.pages import event
from tests.support.worlds.planned import APPROVER, Company
from tests.support.worlds.post import SERVICE, Post, Tower
from tests.support.worlds.wal import SIZE

NOW = datetime(2026, 2, 9, 9, tzinfo=UTC)
WELL = Archiver("on", "cp %p /w/%f", "", 3, segment_name(1, 3), NOW, 0, "", None, 0, None, NOW)
SECOND = timedelta(seconds=1)


def held(*names: str, wrong: str = "") -> list[WalFile]:
    return [WalFile(name, SIZE, NOW, wrong) for name in names]


def seen(archiver: Archiver, *names: str, wrong: str = "") -> Archiving:
    return judge(archiver, held(*names, wrong=wrong), "/srv/wal")


@pytest.mark.parametrize("name", [segment_name(1, 3), f"{segment_name(1, 3)}.gz"])
def test_what_the_server_says_it_archived_lies_there(name: str) -> None:
    assert seen(WELL, segment_name(1, 2), name).state == "well"


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"mode": "off", "command": "(disabled)"}, "off", "archive_mode is off"),
        ({"command": ""}, "off", "archive_command is empty"),
        ({"command": "", "library": "basic_archive"}, "well", ""),
        (
            {"failed": 3, "last_failed": segment_name(1, 4), "failed_at": NOW + SECOND, "waiting": 2},
            "failing",
            f"archiving {segment_name(1, 4)} failed at 2026-02-09 09:00:01 UTC; 2 files wait",
        ),
        ({"failed": 3, "last_failed": segment_name(1, 3), "failed_at": NOW - SECOND}, "well", ""),
        ({"waiting": 4, "now": NOW + 400 * SECOND}, "waiting", "4 files wait"),
        ({"waiting": 4, "now": NOW + 100 * SECOND}, "well", ""),
        ({"now": NOW + 9000 * SECOND}, "well", ""),
        ({"last_archived": "00000002.history"}, "lost", "it archived 00000002.history, but not so in /srv/wal"),
        # A backup's own file may be left out; the segment that it is named after may not.
        ({"last_archived": f"{segment_name(1, 3)}.00000028.backup"}, "well", ""),
        ({"last_archived": f"{segment_name(1, 9)}.00000028.backup"}, "lost", f"archived {segment_name(1, 9)}, but"),
        ({"last_archived": f"{segment_name(1, 9)}.partial"}, "well", ""),
        ({"archived": 0, "last_archived": "", "archived_at": None}, "well", ""),
    ],
)
def test_the_servers_word_is_held_against_the_archive(changes: dict[str, Any], state: str, words: str) -> None:
    found = seen(replace(WELL, **changes), segment_name(1, 3))
    assert (found.state, found.broken) == (state, state in ("off", "failing", "lost"))
    assert words in found.seen
    assert bool(found.do) == (state != "well")


@pytest.mark.parametrize(
    ("archived", "failed", "fails"),
    [(NOW, None, False), (NOW, NOW - SECOND, False), (NOW, NOW, False), (NOW, NOW + SECOND, True), (None, NOW, True)],
)
def test_archiving_fails_when_a_failure_is_newer_than_all_that_was_archived(
    archived: datetime | None, failed: datetime | None, fails: bool
) -> None:
    assert replace(WELL, archived_at=archived, failed_at=failed).fails is fails


def test_a_copy_that_cannot_be_used_is_not_there() -> None:
    found = seen(WELL, segment_name(1, 3), wrong="it is cut short: 5 MB of 16 MB")
    assert found.state == "lost"
    assert "cut short: 5 MB of 16 MB" in found.seen


def test_a_later_segment_of_the_timeline_has_arrived_too_but_none_of_another() -> None:
    assert arrived(held(segment_name(2, 7)), segment_name(2, 5))
    assert not arrived(held(segment_name(2, 4), segment_name(3, 9)), segment_name(2, 5))
    assert not arrived(held(segment_name(2, 5), wrong="it is empty"), segment_name(2, 5))
    assert arrived(held("00000002.history.gz"), "00000002.history")
    # Without its history the next recovery could take the number of this timeline again.
    assert not arrived(held(segment_name(2, 7)), "00000002.history")


def test_the_servers_log_says_why_archiving_failed() -> None:
    log = """2026-02-09 09:00:00.1 UTC [40] LOG:  checkpoint starting: time
cp: cannot create regular file '/w/000000010000000000000004': No space left on device
2026-02-09 09:00:01.1 UTC [44] LOG:  archive command failed with exit code 1
2026-02-09 09:00:01.1 UTC [44] DETAIL:  The failed archive command was: cp …
"""
    assert words_of(log).startswith("cp: cannot create regular file")
    assert words_of(log).endswith("archive command failed with exit code 1")
    assert words_of(log.replace("cp: cannot", "2026 LOG: other")).startswith("2026-02-09 09:00:01.1 UTC [44] LOG:")
    given_up = '2026-02-09 09:00:04 UTC [44] WARNING:  archiving write-ahead log file "X" failed too many times'
    assert words_of(f"{log}{given_up}").startswith("cp: cannot create regular file")
    assert words_of(given_up) == " ".join(given_up.split())
    assert words_of("nothing of it") == ""


def test_the_row_of_a_server_is_read() -> None:
    row = {
        "mode": "on",
        "command": None,
        "library": None,
        "archived": "3",
        "last_archived": None,
        "archived_at": None,
        "failed": 0,
        "last_failed": None,
        "failed_at": NOW.isoformat(),
        "now": NOW.isoformat(),
        "waiting": 2,
        "written": "0/3000060",
    }
    assert read_archiver(row) == Archiver("on", "", "", 3, "", None, 0, "", NOW, 2, 0x3000060, NOW)  # type: ignore[arg-type]


# Recoveries and base backups ---------------------------------------------------------------------


@pytest.fixture
def here() -> Company:
    made = Company(company())
    made.world.deletes(*range(5, 30))
    return made


def alerts(here: Company, run: str = "r1") -> list[str]:
    told = [
        e.data.get("report") or e.data.get("sheets")
        for e in here.store.entries(run)
        if e.kind in (Kind.ASKED, Kind.FINISHED)
    ]
    return [text for sheet in told[-1] or () for text in sheet["alerts"]]


def test_after_a_recovery_a_segment_and_the_history_are_seen_to_arrive(here: Company) -> None:
    run = here.recover("2026-02-09 08:30:30")
    assert run.finished is Outcome.RECOVERED
    assert run.facts["arrival"]["state"] == "well"
    assert "00000002.history" in here.world.archive
    assert any(name.startswith("00000002") and len(name) == 24 for name in here.world.archive)
    assert alerts(here) == []


def to_the_preview(here: Company) -> None:
    here.ask("postgres pitr", "2026-02-09 08:30:30")
    here.work()
    here.answer("Pause writers and restore")
    here.work()


def test_an_archive_that_takes_nothing_afterwards_is_told_first_and_the_run_still_ends_as_recovered(
    here: Company,
) -> None:
    to_the_preview(here)
    here.world.archiver_fails = "00000002.history"
    began = here.world.clock()
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().finished is Outcome.RECOVERED
    assert here.run().facts["arrival"]["state"] == "failing"
    assert alerts(here)[0].startswith("Nothing that is written since the cut-over can be recovered from the archive: ")
    assert "archiving 00000002.history failed" in alerts(here)[0]
    assert here.world.clock() - began < timedelta(seconds=60)


def test_without_archive_mode_the_plan_says_so_and_so_does_the_report(here: Company) -> None:
    here.world.archive_mode = "off"
    here.ask("postgres pitr", "2026-02-09 08:30:30")
    here.work()
    assert alerts(here)[0].startswith("WAL does not arrive in the archive since ")
    here.answer("Restore, keep serving")
    here.work()
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().finished is Outcome.RECOVERED
    assert "archive_mode is off" in alerts(here)[0]


def test_a_base_backup_that_nothing_can_follow_says_so(here: Company) -> None:
    here.ask("postgres base backup")
    here.work()
    assert alerts(here) == []
    here.world.archiver_fails = segment_name(1, 5)
    here.ask("postgres base backup", run="r2")
    here.work("r2")
    assert here.run("r2").finished is Outcome.DONE
    assert alerts(here, "r2")[0].startswith("No moment after this base backup can be recovered from the archive: ")


def test_a_server_that_does_not_answer_about_its_archiver_is_said_not_to(here: Company) -> None:
    here.world.refuses = "pg_stat_archiver"
    here.ask("postgres window")
    here.work()
    assert here.run().facts["archiving"]["state"] == "unknown"
    assert "its archiver could not be asked" in str(here.store.entries("r1")[-1].data["report"])
    assert alerts(here) == []


# The page ----------------------------------------------------------------------------------------


@pytest.fixture
def tower() -> Tower:
    post = Post()
    post.hears(event())
    return Tower(post)


def lost(tower: Tower, state: str = "failing") -> None:
    worker = tower.post.recovers()
    fact = Archiving(state, "archiving X failed", "archive_command fails", at=tower.post.clock())  # type: ignore[arg-type]
    worker.write(Kind.DONE, 8, title="see that WAL arrives", gives="arrival", fact=to_json(fact))


def looked(tower: Tower, state: str) -> None:
    """The worker's own look at the archive, a moment later."""
    tower.post.clock.advance(60)
    now = tower.post.clock()
    reach = Reachable(now, earliest=NOW, latest=now, archiving=Archiving(state))  # type: ignore[arg-type]
    service_condition.keep(
        tower.post.store, Condition(SERVICE, "main", now, Health(SERVICE, "healthy"), reachable=reach)
    )


def test_wal_that_does_not_arrive_after_a_recovery_pages_at_once_until_it_does(tower: Tower) -> None:
    lost(tower)
    assert "site main recoverability" in tower.looks()
    assert "archive_command fails" in str(tower.post.store.note("alarm", "mayday site main recoverability"))
    looked(tower, "failing")
    assert "site main recoverability" in tower.looks()
    # That nobody could be asked is no proof that it arrives.
    looked(tower, "unknown")
    assert "site main recoverability" in tower.looks()
    looked(tower, "well")
    assert "site main recoverability" not in tower.looks()


@pytest.mark.parametrize("state", ["well", "waiting", "unknown"])
def test_a_slow_archive_or_a_question_without_an_answer_pages_nobody(tower: Tower, state: str) -> None:
    lost(tower, state)
    assert "site main recoverability" not in tower.looks()
