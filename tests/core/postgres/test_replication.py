"""How replication stands, from what a server says: one word, what is wrong, and each standby in figures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actions.postgres.replication import SLOW_BYTES, ReplicationState, read_replication
from actions.steps.postgres.look_at_replication import exact_size, replication_sheets

MB = 1024**2
SERVER: Any = SimpleNamespace(service="nself-postgres", user="mayday")
STANDBY = {
    "name": "east",
    "at": "10.0.0.7",
    "state": "streaming",
    "sync": "async",
    "flushed": "0/5000000",
    "replayed": "0/5000000",
    "lag": None,
    "slot": "east",
}
SLOT = {"name": "east", "physical": True, "active": True, "status": "reserved", "room": None, "kept": 0}
UPSTREAM = {"at": "10.0.0.1:5432", "status": "streaming", "slot": "east", "end": "0/5000000", "heard": 0.4}


def primary(*standbys: dict[str, Any], slots: tuple[dict[str, Any], ...] = (), **other: Any) -> dict[str, Any]:
    return {
        "recovering": False,
        "sees_all": True,
        "system": "7300000000000000001",
        "timeline": 3,
        "at": "0/5000000",
        "received": None,
        "replayed_ago": None,
        "paused": False,
        "delay": 0,
        "upstream": None,
        "followers": [{**STANDBY, **one} for one in standbys],
        "slots": [{**SLOT, **one} for one in slots],
        **other,
    }


def standby(**other: Any) -> dict[str, Any]:
    own = {"recovering": True, "received": "0/5000000", "replayed_ago": 3.0, "upstream": UPSTREAM}
    return primary(**{**own, **other})


def state(said: dict[str, Any]) -> ReplicationState:
    return read_replication(said).state


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (primary(), ReplicationState.NONE),
        (primary({}), ReplicationState.READY),
        (primary({}, {"name": "west", "replayed": "0/1000"}), ReplicationState.SLOW),
        (primary({"lag": 10.5}), ReplicationState.SLOW),
        (primary({"lag": 10.0}), ReplicationState.READY),
        (primary({"state": "catchup"}), ReplicationState.SLOW),
        (primary({}, slots=({},)), ReplicationState.READY),
        (primary({}, slots=({}, {"name": "old", "active": False})), ReplicationState.DEGRADED),
        (primary({}, slots=({"status": "lost"},)), ReplicationState.DEGRADED),
        (primary({}, sees_all=False), ReplicationState.DEGRADED),
        (standby(), ReplicationState.READY),
        (standby(upstream=None), ReplicationState.DEGRADED),
        (standby(upstream={**UPSTREAM, "status": "stopping"}), ReplicationState.DEGRADED),
        (standby(upstream={**UPSTREAM, "heard": 61.0}), ReplicationState.DEGRADED),
        (standby(upstream={**UPSTREAM, "end": "0/7000000"}), ReplicationState.SLOW),
        (standby(paused=True), ReplicationState.DEGRADED),
    ],
)
def test_it_stands_as_the_worst_of_what_is_known(said: dict[str, Any], word: ReplicationState) -> None:
    assert state(said) is word


def test_a_segment_behind_is_slow_and_a_byte_less_is_not() -> None:
    at = 0x5000000
    assert state(primary({"replayed": f"0/{at - SLOW_BYTES:X}"})) is ReplicationState.READY
    assert state(primary({"replayed": f"0/{at - SLOW_BYTES - 1:X}"})) is ReplicationState.SLOW


def test_what_may_not_be_seen_is_not_said_to_be_nothing() -> None:
    """Without pg_monitor the columns of other sessions are null."""
    hidden = {"state": None, "sync": None, "flushed": None, "replayed": None, "at": None, "slot": None}
    [sheet] = replication_sheets(read_replication(primary(hidden, sees_all=False)), SERVER)
    rows = dict(sheet.rows)
    assert rows["State"] == "degraded"
    assert rows["east"].startswith("unknown, how far behind is not known")
    assert "GRANT pg_monitor TO mayday" in sheet.alerts[0]


def test_the_sheet_says_each_standby_and_slot_in_figures() -> None:
    said = primary(
        {"replayed": "0/4F00000", "lag": 0.84, "sync": "sync"},
        {"name": "west", "at": None, "slot": None},
        slots=({}, {"name": "cdc", "physical": False, "active": False, "kept": 900 * MB, "room": 124 * MB}),
    )
    [sheet] = replication_sheets(read_replication(said), SERVER)
    assert sheet.rows == (
        ("State", "degraded"),
        ("Role", "primary, timeline 3"),
        ("WAL", "has written up to 0/5000000"),
        ("east at 10.0.0.7", "streaming, synchronous, 1.0 MB behind, replays 0.8 s later, slot east"),
        ("west", "streaming, asynchronous, 0 B behind, without a slot: WAL it still needs may be removed"),
        ("Slot east", "physical, read now, keeps 0 B of WAL"),
        ("Slot cdc", "logical, nobody reads it, keeps 900.0 MB of WAL, is lost after 124.0 MB more"),
    )
    assert sheet.alerts == ("Nobody reads the slot cdc, which keeps WAL on this server's disk until somebody does.",)


def test_the_sheet_of_a_standby_says_whom_it_follows_and_how_old_its_newest_commit_is() -> None:
    [sheet] = replication_sheets(read_replication(standby(delay=3600, upstream={**UPSTREAM, "heard": 0.4})), SERVER)
    rows = dict(sheet.rows)
    assert rows["Role"] == "standby, timeline 3"
    assert rows["Receives from"] == "10.0.0.1:5432, streaming, 0 B not replayed, last heard 0 s ago, slot east"
    assert rows["Newest commit replayed"] == "3 s ago"
    assert rows["Replays later by"].startswith("1 h")


@pytest.mark.parametrize(("count", "said"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 kB"), (16 * MB, "16.0 MB")])
def test_few_bytes_are_said_to_the_byte(count: int, said: str) -> None:
    assert exact_size(count) == said
