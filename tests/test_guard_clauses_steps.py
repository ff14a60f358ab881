"""Guard clauses of single steps, each with a world that lies about one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from test_space import GB, Disks, measure
from worlds.clock import Clock, FakePatience
from worlds.company import SITE
from worlds.desk import Company
from worlds.files import WorldFiles
from worlds.lies import called
from worlds.sql import WorldSql
from worlds.wal import SIZE

from actions.engine.errors import Away, RecoveryError, Refused
from actions.engine.procedure import Answer
from actions.postgres.backups import BackupFiles
from actions.postgres.compare import Pair
from actions.postgres.compare_sql import ComparedTable
from actions.postgres.config_changes import Changes, Laid
from actions.postgres.inventory import parse_inventory
from actions.postgres.live import Live
from actions.postgres.segments import segment_name
from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace
from actions.sql import Answer as SqlAnswer
from actions.sql import LoginRefused
from actions.steps import archiving, backup, configuration, live, pagerduty, proof
from actions.steps.compare_rounds import Found, Rounds
from actions.steps.compare_sides import Budget, Key
from actions.steps.configuration import CUT_OVER, WITH_BACKUPS, Configuration

AWAY = Away("Docker does not answer.", hint="Wait.")
NO = RecoveryError("It is not to be had.", hint="Try again.")
NOW = datetime(2026, 2, 9, 9, tzinfo=UTC)


@pytest.fixture
def planned(here: Company) -> Company:
    """A company whose recovery is planned, and nothing was done yet."""
    here.ask("postgres pitr", "08:30:30")
    here.work()
    return here


def raising(error: Exception) -> Callable[..., Any]:
    def ask(*about: Any, **more: Any) -> Any:
        raise error

    return ask


# The live server's word -------------------------------------------------------------------------------


class Doors(WorldSql):
    """A server that lets nobody into some databases, and says why."""

    def __init__(self, here: Company, refused: Exception, *shut: str) -> None:
        super().__init__(here.world)
        self.refused, self.shut = refused, shut

    def values(self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300,
               database: str = "") -> Sequence[SqlAnswer]:  # fmt: skip
        if not self.shut or database in self.shut:
            raise self.refused
        return super().values(container, server, queries, seconds=seconds, database=database)


def shut_out(detail: str) -> LoginRefused:
    return LoginRefused("It lets nobody in.", detail=detail, hint="Add a line.")


def test_whom_the_server_does_not_let_in_is_refused_and_one_that_is_too_busy_is_planned_for(planned: Company) -> None:
    busy = called(planned, live.ask_live, sql=Doors(planned, shut_out("sorry, too many clients already")))
    assert (busy.silent, busy.missing) == ("sorry, too many clients already", "")
    with pytest.raises(Refused, match="does not let Mayday in") as refused:
        called(planned, live.ask_live, sql=Doors(planned, shut_out("no pg_hba.conf entry for host")))
    assert refused.value.detail == "no pg_hba.conf entry for host"


def test_a_server_whose_database_is_lost_is_asked_in_another_one(planned: Company) -> None:
    lost = shut_out(f'database "{SITE.database}" does not exist')
    assert called(planned, live.ask_live, sql=Doors(planned, lost, "")).missing == SITE.database
    assert called(planned, live.ask_live, sql=Doors(planned, lost, "", "postgres")).missing == SITE.database
    silent = called(planned, live.ask_live, sql=Doors(planned, lost))
    assert (silent.silent, silent.missing) == (lost.detail, "")


def test_a_server_that_is_silent_is_no_server_while_docker_is_away(planned: Company) -> None:
    assert called(planned, live.ask_live, sql=Doors(planned, NO)).silent == NO.message
    with pytest.raises(Away):
        called(planned, live.ask_live, sql=Doors(planned, AWAY))


def test_a_recovery_takes_a_superuser(planned: Company) -> None:
    server, told = called(planned, lambda server, live: (server, live))
    assert live.must_be_primary(server, told) == told
    with pytest.raises(Refused, match="is no superuser"):
        live.must_be_primary(server, replace(told, superuser=False))
    assert isinstance(told, Live)


# The configuration ------------------------------------------------------------------------------------

KEPT = Configuration(Changes((Laid("pg_hba.conf", "d1"), Laid("a.conf", "d2")), away=("old.conf",), lines=("a",)))


class Laying(WorldFiles):
    """The clone's configuration: digests by path."""

    def __init__(self, here: Company, there: Mapping[str, str]) -> None:
        super().__init__(here.world)
        self._there = {path: SimpleNamespace(digest=digest) for path, digest in there.items()}

    def configuration(self, server: Server, leaf: str = "", backup: str = "") -> Any:
        return None, SimpleNamespace(files=self._there)


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ({"pg_hba.conf": "d1", "a.conf": "d2", "own.conf": "d9"}, True),
        ({"pg_hba.conf": "d1", "a.conf": "d3"}, False),
        ({"pg_hba.conf": "d1"}, False),
        ({"pg_hba.conf": "d1", "a.conf": "d2", "old.conf": "d4"}, False),
    ],
)
def test_configuration_is_kept_when_each_file_is_the_one_that_was_shown(
    planned: Company, there: dict[str, str], kept: bool
) -> None:
    about = {"configuration": KEPT, "files": Laying(planned, there)}
    assert called(planned, configuration.configuration_is_kept, approval=Answer(CUT_OVER, "U1"), **about) is kept
    assert called(planned, configuration.configuration_is_kept, approval=Answer(WITH_BACKUPS, "U1"), **about)


@pytest.mark.parametrize(("changes", "kept"), [(Changes(), True), (Changes(away=("old.conf",)), False)])
def test_a_file_to_move_away_alone_is_something_to_do(planned: Company, changes: Changes, kept: bool) -> None:
    files = Laying(planned, {"old.conf": "d4"})
    found = called(planned, configuration.configuration_is_kept, approval=Answer(CUT_OVER, "U1"), files=files,
                   configuration=Configuration(changes))  # fmt: skip
    assert found is kept


def test_what_cannot_be_compared_yet_is_said_but_not_while_docker_is_away(planned: Company) -> None:
    files = WorldFiles(planned.world)
    files.configuration = raising(NO)  # type: ignore[method-assign]
    assert called(planned, configuration.foresee_configuration, files=files).unknown == NO.message
    files.configuration = raising(AWAY)  # type: ignore[method-assign]
    with pytest.raises(Away):
        called(planned, configuration.foresee_configuration, files=files)


# Base backups -----------------------------------------------------------------------------------------


@pytest.fixture
def backed(here: Company) -> Company:
    """A company that has just taken a base backup."""
    here.ask("postgres base backup")
    here.work()
    return here


class Backups(WorldFiles):
    """The world's files, where base backups are changed one by one, or are damaged."""

    def __init__(
        self, here: Company, wrong: str = "", keep: Callable[[BackupFiles], bool] = bool, **changes: Any
    ) -> None:
        super().__init__(here.world)
        self._wrong, self._keep, self._changes = wrong, keep, changes

    def backups(self, server: Server) -> Sequence[BackupFiles]:
        return [replace(found, **self._changes) for found in super().backups(server) if self._keep(found)]

    def verify_backup(self, server: Server, name: str) -> str:
        return self._wrong


def others(found: BackupFiles) -> bool:
    return not found.path.endswith("base_r1")


def test_a_base_backup_is_taken_when_it_is_there_and_what_its_manifest_says(backed: Company) -> None:
    assert called(backed, backup.base_is_taken)
    assert not called(backed, backup.base_is_taken, files=Backups(backed, keep=others))
    with pytest.raises(RecoveryError, match="not what its manifest says") as trouble:
        called(backed, backup.base_is_taken, files=Backups(backed, wrong="a file is missing"))
    assert trouble.value.detail == "a file is missing"


def test_an_inventory_is_written_when_the_runs_own_backup_has_one(backed: Company) -> None:
    assert called(backed, backup.inventory_is_written)
    assert not called(backed, backup.inventory_is_written, files=Backups(backed, keep=others))
    assert not called(backed, backup.inventory_is_written, files=Backups(backed, inventory=None))


def test_an_inventory_is_of_the_runs_own_backup(backed: Company) -> None:
    with pytest.raises(RecoveryError, match="There is no base backup base_r1"):
        called(backed, backup.write_inventory, files=Backups(backed, keep=others))
    noted: list[str] = []
    files = Backups(backed)
    files.write_inventory = lambda server, name, text: noted.append(text)  # type: ignore[method-assign]
    called(backed, backup.write_inventory, files=files)
    own, morning = (backed.world.backups[name].start for name in ("base_r1", "base_morning"))
    assert parse_inventory(noted[0]).start_lsn == own != morning


# The archive ------------------------------------------------------------------------------------------


class Arrivals:
    """A server that writes its ninth segment, an archive that takes nothing, and how often each was asked."""

    def __init__(self, error: RecoveryError | None = None, busy: bool = False, **row: Any) -> None:
        self.clock, self.error, self.busy, self.asked = Clock(NOW), error, busy, 0
        self.row = {"mode": "on", "command": "cp", "library": None, "archived": 3, "archived_at": NOW.isoformat(),
                    "last_archived": segment_name(1, 3), "failed": 0, "last_failed": None, "failed_at": None,
                    "now": NOW.isoformat(), "waiting": 2, "written": "0/9000060", **row}  # fmt: skip

    def rows(self, *about: Any, **more: Any) -> list[dict[str, Any]]:
        self.asked += 1
        if self.error:
            raise self.error
        return [{**self.row, "archived": 3 + self.asked * self.busy}]

    def archive(self, server: Any, *, anew: bool = False) -> list[Any]:
        return [SimpleNamespace(name=segment_name(1, 3), bytes=SIZE, wrong="")]

    def logs(self, name: str, lines: int) -> str:
        return ""

    def waits(self) -> tuple[str, float]:
        """What comes of it, and after how long."""
        here: Any = self
        server: Any = SimpleNamespace(service="pg", segment_size=SIZE, timeline=1, archive="/srv/wal")
        seen = archiving.see_backup_arrive(server, here, here, here, FakePatience(self.clock), lambda *about: None)
        return seen.state, (self.clock() - NOW).total_seconds()


def test_an_archive_that_moves_on_is_waited_for_and_one_that_is_silent_for_a_minute() -> None:
    assert Arrivals().waits() == ("waiting", 60.0)
    assert Arrivals(busy=True).waits() == ("waiting", 300.0)
    assert Arrivals(mode="off").waits() == ("off", 0.0)
    assert Arrivals(failed=1, last_failed=segment_name(1, 4), failed_at="2026-02-09T09:00:01+00:00").waits() == (
        "failing",
        15.0,
    )


def test_an_archiver_that_cannot_be_asked_is_asked_again_for_a_minute() -> None:
    state, seconds = Arrivals(NO).waits()
    assert state == "unknown"
    assert 60 < seconds <= 61


@pytest.mark.parametrize(("place", "ended"), [(3 * SIZE + 0x28, False), (4 * SIZE - 1, False), (4 * SIZE, True)])
def test_a_segment_has_ended_when_the_server_writes_behind_the_one_in_which_its_newest_timeline_began(
    place: int, ended: bool
) -> None:
    histories = {"00000003.history": f"1\t0/{SIZE:X}\tx\n2\t0/{3 * SIZE + 0x20:X}\tx\n"}
    sql: Any = SimpleNamespace(rows=lambda *about, **more: [{"lsn": f"0/{place:X}"}])
    files: Any = SimpleNamespace(histories=lambda server: histories)
    server: Any = SimpleNamespace(service="pg", segment_size=SIZE, swapped=None)
    assert archiving.segment_is_ended(proof.Proof(3, "7"), server, files, sql) is ended


# The proof, the disk, the comparison ----------------------------------------------------------------------


class Page:
    """The application's own test: what it answers, one after the other, the last again and again."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def get(self, url: str, *, seconds: float = 10) -> tuple[int, str]:
        self.asked.append(url)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]), "told"


def test_the_smoke_test_is_passed_once_the_application_answers_and_not_asked_where_there_is_none() -> None:
    for page, site, passed in ((Page(200), SITE, True), (Page(503), SITE, False), (Page(201), SITE, False)):
        assert proof.smoke_passed(site, page) is passed
        assert page.asked == [SITE.smoke_url]
    nowhere = Page(503)
    assert proof.smoke_passed(replace(SITE, smoke_url=""), nowhere)
    assert nowhere.asked == []


def test_the_smoke_test_fails_when_the_application_goes_on_failing() -> None:
    proof.smoke_test(SITE, Page(503, 503, 200), FakePatience(Clock()))
    with pytest.raises(RecoveryError, match="smoke test through the application failed") as trouble:
        proof.smoke_test(SITE, Page(503), FakePatience(Clock()))
    assert trouble.value.detail == "503: told"


def test_a_tablespace_of_its_own_disk_needs_its_room_to_the_byte() -> None:
    space = (Tablespace("/fast", "/srv/fast", "PG_15_202209061", (16400,)),)
    needed = measure(Disks(100 * GB, fast=100 * GB), spaces=space).apart[0].needed
    assert measure(Disks(100 * GB, fast=needed), spaces=space).apart[0].free == needed
    with pytest.raises(Refused, match="beside the tablespace at /fast"):
        measure(Disks(100 * GB, fast=needed - 1), spaces=space)


def test_nothing_more_is_begun_once_the_time_is_over() -> None:
    clock = Clock()
    budget = Budget(FakePatience(clock), 10)
    for seconds, over in ((9.5, False), (0.5, True), (5, True)):
        clock.advance(seconds)
        assert budget.over is over


class Told:
    """One side of a comparison: the same answer to each question, or none."""

    def __init__(self, answer: SqlAnswer | None) -> None:
        self.answer = answer

    def each(self, asked: Mapping[Key, str]) -> dict[Key, SqlAnswer]:
        return dict.fromkeys(asked, self.answer) if self.answer else {}


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (SqlAnswer([[1, 5, "1", "2"]]), SqlAnswer([[1, 5, "1", "2"]]), None),
        (SqlAnswer([[1, 5, "1", "2"]]), None, "time ran out"),
        (None, SqlAnswer([[1, 5, "1", "2"]]), "time ran out"),
        (SqlAnswer(error=NO), SqlAnswer([[1, 5, "1", "2"]]), "It is not to be had."),
        (SqlAnswer([[1, 5, "1", "2"]]), SqlAnswer(error=NO), "It is not to be had."),
    ],
)
def test_a_large_table_that_one_side_did_not_tell_is_not_compared(
    ours: SqlAnswer | None, theirs: SqlAnswer | None, why: str | None
) -> None:
    table, found = ComparedTable(7, "public", "t", key=("id",)), Found()
    sides: Any = (Told(ours), Told(theirs))
    rounds = Rounds(*sides, {}, Budget(FakePatience(Clock()), 60), lambda *about: None)
    rounds._large(Pair("d", table, table), 300_000, found)
    assert list(found.not_compared.values()) == ([why] if why else [])


# Pages ------------------------------------------------------------------------------------------------


class Duty:
    """PagerDuty, where one incident stands so, after some questions without an answer."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.called = list(answers), list[tuple[Any, ...]]()

    def incident(self, id: str) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def call(self, *about: Any) -> None:
        self.called.append(about)


def paged(status: str = "triggered", level: int = 1) -> Any:
    return SimpleNamespace(id="P1", status=status, level=level, assignees=("Olga",), url="u")


@pytest.mark.parametrize(
    ("seen", "resolved"),
    [(paged("triggered"), False), (paged("acknowledged"), False), (paged("resolved"), True), (None, True)],
)
def test_alerts_are_resolved_when_none_is_triggered_or_acknowledged(seen: Any, resolved: bool) -> None:
    alerts: Any = SimpleNamespace(ids=("P1",), since=NOW)
    duty: Any = Duty(seen)
    assert pagerduty.are_resolved(alerts, duty, FakePatience(Clock())) is resolved


@pytest.mark.parametrize("seen", [None, paged("resolved")])
def test_nobody_is_escalated_to_for_what_is_over(seen: Any) -> None:
    duty: Any = Duty(seen)
    with pytest.raises(Refused, match="nobody to escalate to"):
        pagerduty.look_at_rung("P1", duty)
    there: Any = Duty(paged("acknowledged", 2))
    assert pagerduty.look_at_rung("P1", there) == pagerduty.Rung(2, 3)


@pytest.mark.parametrize(("level", "escalated"), [(1, False), (2, True), (3, True)])
def test_an_escalation_stands_at_the_wanted_level_or_further(level: int, escalated: bool) -> None:
    duty: Any = Duty(None, paged(level=level))
    assert pagerduty.is_escalated("P1", pagerduty.Rung(1, 2), duty, FakePatience(Clock())) is escalated


def test_a_contact_is_called_and_otherwise_the_pager_rings() -> None:
    duty: Any = Duty(None)
    rung: list[str] = []
    pager: Any = SimpleNamespace(trigger=lambda key, *about, **more: rung.append(key))
    page = pagerduty.Page("k1", "It is down.", "critical", NOW, details={"a": "one", "b": "two"}, contact="PU1")
    pagerduty.send_page(page, pager, duty)
    assert (duty.called, rung) == ([("k1", "It is down.", "PU1", "one\ntwo")], [])
    pagerduty.send_page(replace(page, contact=""), pager, duty)
    assert (len(duty.called), rung) == (1, ["k1"])
