"""Keeping a stop clear of a DROP DATABASE whose commit is not kept: where it goes, what that costs, what refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import Away, RecoveryError
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_of
from actions.postgres.stops import Stop
from actions.postgres.timelines import Chain, Span
from actions.postgres.unreachable import Unreachable
from actions.postgres.waldump import lsn_of_line
from actions.steps.postgres.clear_of_removals import EarlierStop, clear_of_removals, removals_near
from actions.steps.postgres.wal_ways import WalWay
from tests.core.postgres.test_removals import BEFORE, CHECKPOINT, COMMIT, DELETE, DROP, MARK, OTHER, at, standby

SIZE = 16 << 20
NAMES = tuple(segment_of(1, n * SIZE, SIZE) for n in range(1, 6))
LISTED = standby("0/4002700", "; 1 xacts: 736")
DROPPING = [BEFORE, MARK, DELETE, LISTED, OTHER, DROP, COMMIT]
DURING = Stop(Lsn(at("0/4002A00")), inclusive=True, end=Lsn(at("0/4002A08")))


@dataclass
class Dump:
    """WAL as pg_waldump prints it; `broken` segments cannot be read, with the reason. `read` is what was."""

    lines: list[str]
    broken: dict[str, RecoveryError] = field(default_factory=dict)
    read: list[tuple[str, ...]] = field(default_factory=list)

    def waldump(self, server: Any, timeline: int, names: tuple[str, ...], **about: Any) -> Iterator[str]:
        self.read.append(names)
        for name in names:
            if name in self.broken:
                raise self.broken[name]
        for line in self.lines:
            if segment_of(1, lsn_of_line(line) or 0, SIZE) in names and line.split()[1] in about["rmgrs"]:
                yield line


@dataclass
class Found:
    """What a search makes of a place: it stops there, unless no base backup ends before it."""

    refused: Unreachable | None = None
    limits: list[int] = field(default_factory=list)

    def settle(self, way: WalWay, stop: Stop, limit: int) -> Stop:
        self.limits.append(limit)
        if self.refused:
            raise self.refused
        return stop


def way_of(dump: Dump) -> WalWay:
    server: Any = SimpleNamespace(segment_size=SIZE)
    reaches: Any = (SimpleNamespace(floor=Lsn(SIZE)),)
    files: Any = dump
    return WalWay(server, files, Chain(1, (Span(1, Lsn(0), None),)), NAMES, reaches, True)


def cleared(lines: list[str], stop: Stop = DURING, search: Found | None = None) -> tuple[Stop, EarlierStop | None, Any]:
    found: Any = search or Found()
    return clear_of_removals(found, way_of(Dump(lines)), stop)


def test_the_stop_goes_before_the_drop_and_the_commits_between_are_counted() -> None:
    search = Found()
    stop, spared, left = cleared(DROPPING, search=search)
    assert (stop.lsn, stop.inclusive, left) == (at("0/4002518"), True, ())
    assert search.limits == [at("0/4002540")]
    when = datetime(2026, 11, 29, 15, 46, 57, tzinfo=UTC)
    assert spared == EarlierStop("database", 16394, 736, 1, when, when)


def test_without_a_commit_between_nothing_is_lost() -> None:
    stop, spared, _ = cleared([line for line in DROPPING if line != OTHER])
    assert (stop.lsn, spared) == (at("0/4002518"), None)


@pytest.mark.parametrize("lsn", ["0/4002520", "0/4002A80"])
def test_a_stop_that_lies_clear_of_it_stays_where_it_is(lsn: str) -> None:
    stop = Stop(Lsn(at(lsn)), inclusive=False)
    assert cleared(DROPPING, stop) == (stop, None, ())


def test_where_no_base_backup_ends_before_the_drop_the_moment_is_refused_with_the_nearest_that_can_be_reached() -> None:
    nearest = datetime(2026, 11, 29, 16, tzinfo=UTC)
    with pytest.raises(Unreachable, match="Transaction 736 was removing the database with the OID 16394") as refused:
        cleared(DROPPING, search=Found(Unreachable("Too early.", nearest=nearest)))
    assert refused.value.nearest == nearest
    assert refused.value.detail == "It began at 0/4002540, and no base backup ends before that. Too early."


# How far back is read -------------------------------------------------------------------------------


def test_from_the_segment_before_the_stop_on_is_read_where_that_tells_enough() -> None:
    dump = Dump([standby("0/4002700", "")])
    assert removals_near(way_of(dump), DURING) == ()
    assert dump.read == [NAMES[2:5]]


def test_older_wal_is_read_for_a_drop_that_may_have_begun_there_as_far_as_it_can_be_read() -> None:
    dump = Dump([BEFORE, LISTED, DROP, COMMIT])
    (uncertain,) = removals_near(way_of(dump), DURING)
    assert (uncertain.certain, dump.read) == (False, [NAMES[2:5], NAMES])
    broken = Dump(dump.lines, {NAMES[0]: RecoveryError("It is damaged.", hint="Bring it back.")})
    assert removals_near(way_of(broken), DURING) == (uncertain,)


def test_wal_at_the_stop_that_cannot_be_read_and_docker_away_are_no_answers() -> None:
    damaged, away = RecoveryError("It is damaged.", hint="Bring it back."), Away("Docker is away.", hint="Wait.")
    with pytest.raises(RecoveryError, match="damaged"):
        removals_near(way_of(Dump(DROPPING, {NAMES[3]: damaged})), DURING)
    with pytest.raises(Away):
        removals_near(way_of(Dump([BEFORE, LISTED, DROP, COMMIT], {NAMES[0]: away})), DURING)


def test_three_checkpoints_before_the_stop_are_enough_for_what_ran_then() -> None:
    redos = [CHECKPOINT.format(lsn=f"0/400280{n}", redo=f"0/400100{n}") for n in (1, 2, 3)]
    dump = Dump([BEFORE, LISTED, *redos])
    assert removals_near(way_of(dump), DURING) == ()
    assert dump.read == [NAMES[2:5]]
