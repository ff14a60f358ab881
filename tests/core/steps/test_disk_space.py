"""The disk that a recovery needs: what copy, WAL, replay and the live server write is counted before anything is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions.engine.errors import Refused
from actions.engine.facts import from_json
from actions.engine.procedure import Outcome
from actions.postgres.archive import WalFile
from actions.postgres.backups import HeldTablespace
from actions.postgres.lsn import Lsn
from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace
from actions.steps.postgres.disk_space import Space, measure_space, space_alerts, space_rows
from actions.steps.postgres.estimate import Estimate
from actions.steps.postgres.find_tablespaces import Tablespaces
from actions.steps.postgres.look_at_server import Writer, Writers
from actions.steps.postgres.target import Base
from actions.tools.folders import Room
from tests.support.worlds.clock import Clock
from tests.support.worlds.founding import company
from tests.support.worlds.planned import Company

GB = 1 << 30
SEGMENT = 16 << 20
NOW = Clock()()
WRITERS = Writers((Writer("app", "id"),))


class Disks:
    """The file systems of a host, and an archive that holds every segment up to a number."""

    def __init__(
        self,
        data: int,
        archive: int | None = None,
        bases: int | None = None,
        archived: int = 64,
        **locations: int | None,
    ) -> None:
        others = {"archive": archive, "bases": bases} | {f"/{name}": free for name, free in locations.items()}
        self._rooms = {"data": Room("d", data)} | {
            where: Room("d", data) if free is None else Room(where, free) for where, free in others.items()
        }
        self._archived = archived

    def rooms(self, server: Any) -> dict[str, Room]:
        return self._rooms

    def archive(self, server: Any) -> list[WalFile]:
        return [WalFile(name, SEGMENT, NOW) for name in segments(self._archived)]

    def base_wal(self, server: Any) -> list[WalFile]:
        return []


def segments(count: int) -> tuple[str, ...]:
    return tuple(f"0000000100000000{n:08X}" for n in range(1, count + 1))


def measure(
    disks: Disks,
    *,
    writers: Writers = WRITERS,
    written: int = 0,
    seconds: float = 100.0,
    spaces: tuple[Tablespace, ...] = (),
) -> Space:
    """A base backup of 10 GB and 64 segments after it; the live server wrote so much in the hour since."""
    around = asked()
    held = tuple(HeldTablespace(space.oids[0], space.location, 4 * GB) for space in spaces)
    base = Base(
        "base_1",
        1,
        Lsn(SEGMENT),
        Lsn(2 * SEGMENT),
        10 * GB,
        NOW - timedelta(hours=1),
        segments(64),
        (),
        tablespaces=held,
    )
    live = type("Live", (), {"latest_lsn": Lsn(2 * SEGMENT + written)})()
    window: Any = type("Seen", (), {"live": live})()
    times = Estimate(seconds, 0, 0, 0, True)
    return measure_space(base, server_of(around), Tablespaces(spaces), window, times, writers, disks, NOW)  # type: ignore[arg-type]


def server_of(around: Company) -> Server:
    found: Server = from_json(Server, around.run().facts["server"])
    return found


def test_what_the_replay_writes_is_counted_beside_the_copy_and_the_wal() -> None:
    space = measure(Disks(40 * GB))
    assert {need.what: need.bytes for need in space.needs} == {
        "copy of the base backup": 10 * GB,
        "WAL beside it": GB,
        "written by the replay": GB,
    }
    assert space.needed == int(12 * GB * 1.1) + (64 << 20)


def test_wal_that_has_to_be_saved_first_is_counted() -> None:
    space = measure(Disks(40 * GB, archived=60))
    assert [need.bytes for need in space.needs if "archived" in need.what] == [4 * SEGMENT]


def test_a_disk_on_which_the_replay_would_not_fit_is_refused_with_the_parts() -> None:
    with pytest.raises(Refused) as refused:
        measure(Disks(12 * GB))
    assert "10.0 GB copy of the base backup, 1.0 GB WAL beside it, 1.0 GB written by the replay" in refused.value.detail
    assert "Make room" in refused.value.hint


def test_writers_that_go_on_are_an_alert_where_the_disk_may_fill_meanwhile() -> None:
    """An hour's waiting for an answer at 3.6 GB an hour, once for the tables and once for the archive."""
    space = measure(Disks(40 * GB), written=int(3.6 * GB))
    assert space.serving == pytest.approx(2 * 3.7 * GB, rel=0.01)
    assert not any("writers go on" in alert for alert in space_alerts(space))
    tight = measure(Disks(16 * GB, bases=40 * GB), written=int(3.6 * GB))
    assert any("While the writers go on" in alert for alert in space_alerts(tight))


def test_an_archive_on_a_disk_of_its_own_takes_no_room_beside_the_data() -> None:
    space = measure(Disks(40 * GB, archive=GB), written=int(3.6 * GB))
    assert space.serving == pytest.approx(3.7 * GB, rel=0.01)


def test_where_no_writer_can_be_paused_what_is_written_meanwhile_is_needed_in_any_case() -> None:
    space = measure(Disks(40 * GB), writers=Writers(()), written=int(3.6 * GB))
    assert sum(n.bytes for n in space.needs if "live server" in n.what) == pytest.approx(0.2 * GB, rel=0.01)


def test_a_fresh_base_backup_that_will_not_fit_is_said_before() -> None:
    assert measure(Disks(40 * GB, bases=40 * GB)).fresh_lacks == 0
    space = measure(Disks(40 * GB, bases=4 * GB))
    assert space.fresh_lacks == pytest.approx(int(11 * GB * 1.1) + (64 << 20) - 4 * GB)
    assert any("base backup after the cut-over lacks" in alert for alert in space_alerts(space))
    # On the disk of the data it comes on top of what the recovery itself took.
    assert measure(Disks(20 * GB)).fresh_lacks > 0


def test_the_plan_shows_each_part() -> None:
    around = Company(company())
    around.ask("postgres pitr", "latest")
    around.work()
    rows = dict(around.store.entries("r1")[-1].data["sheets"][0]["rows"])
    assert "copy of the base backup" in rows["Disk"]
    assert "written by the replay" in rows["Disk"]
    shown = space_rows(Space((), GB, 2 * GB, serving=3 * GB), server_of(around))
    assert shown[1] == ("Disk, writers going on", "up to 3.0 GB more")


def test_a_small_disk_refuses_before_anybody_is_asked() -> None:
    around = Company(company())
    around.world.free = 1000
    around.ask("postgres pitr", "latest")
    around.work()
    assert around.run().finished is Outcome.REFUSED


FAST = Tablespace("/fast", "/srv/fast", "PG_15_202209061", (16400,))


def test_a_tablespace_on_the_same_file_system_is_counted_once() -> None:
    space = measure(Disks(40 * GB, fast=None), spaces=(FAST,))
    assert {need.what: need.bytes for need in space.needs}["tablespace /fast"] == 4 * GB
    assert space.needed == int(12 * GB * 1.1) + (64 << 20)
    assert space.apart == ()


def test_a_tablespace_on_a_disk_of_its_own_needs_room_there() -> None:
    space = measure(Disks(9 * GB, fast=6 * GB), spaces=(FAST,))
    assert space.needed == int(8 * GB * 1.1) + (64 << 20)
    assert [(one.location, one.needed) for one in space.apart] == [("/fast", int(5 * GB * 1.1) + (64 << 20))]
    assert "Disk of /fast" in dict(space_rows(space, server_of(asked())))
    with pytest.raises(Refused, match="beside the tablespace at /fast"):
        measure(Disks(9 * GB, fast=5 * GB), spaces=(FAST,))


def asked() -> Company:
    around = Company(company())
    around.ask("postgres pitr", "latest")
    around.work()
    return around
