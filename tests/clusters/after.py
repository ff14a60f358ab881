"""What has to hold of a server beside its rows: configuration, slots, archive, old data, nothing left of the run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.engine import connect
from tests.clusters.aim import Aim
from tests.clusters.amid import against_journal
from tests.clusters.carry import Carried
from tests.clusters.case import FIRST, Case
from tests.clusters.picture import Difference, Picture, differences
from tests.clusters.preview import wrong_claims
from tests.clusters.truth import picture_now

# What is pending until a restart has its value in the files, which are compared. The rest is of this session.
_SETTINGS = """
select json_object_agg(name, setting) from pg_settings where not pending_restart and context <> 'internal'
and source not in ('client', 'session', 'database', 'user') and name not like 'recovery_target%'
"""
_SLOTS = "select coalesce(json_object_agg(slot_name, slot_type), '{}') from pg_replication_slots"
_FILES = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")
_ARCHIVED_SECONDS = 45


@dataclass(frozen=True)
class Belongings:
    """What a server has beside its databases."""

    settings: dict[str, str]
    files: dict[str, list[str]]
    slots: dict[str, str]


@dataclass(frozen=True)
class Before:
    """How everything was when the recovery was asked for."""

    picture: Picture
    belongings: Belongings


def belongings(case: Case) -> Belongings:
    """Settings in force, the lines of the configuration files that count, replication slots."""
    files = {name: _lines(case.inside('cat "$1"', f"{case.launch.pgdata}/{name}")) for name in _FILES}
    return Belongings(json.loads(case.sql(_SETTINGS, "postgres")), files, json.loads(case.sql(_SLOTS, "postgres")))


def _lines(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def after_recovery(case: Case, aim: Aim, before: Before, carried: Carried) -> list[Difference]:
    """All that is not as it should be once a recovery has been cut over to."""
    found = differences(right, picture_now(case)) if (right := aim.settled()) else []
    found += against_journal(case, aim.moment) if aim.moment else []
    found += _serves(case)
    found += not_as_before(before.belongings, belongings(case))
    found += _told(case, aim, before, carried)
    found += _kept(case, carried)
    found += _archives(case)
    return [*found, *left_over(case)]


def after_giving_up(case: Case, before: Before) -> list[Difference]:
    """All that is not as it was, where the old state has to be there still, or again."""
    if case.down:
        for repair in case.repairs:
            repair()
        case.cluster.docker("start", case.cluster.name)
        case.cluster.ready()
    found = differences(before.picture, picture_now(case))
    return [*found, *_serves(case), *not_as_before(before.belongings, belongings(case)), *left_over(case)]


def _serves(case: Case) -> Iterator[Difference]:
    if case.sql("select pg_is_in_recovery()", "postgres") != "f":
        yield Difference("server", case.cluster.name, "is in recovery")
    case.sql("create temporary table writable (id int)", "postgres")


def not_as_before(right: Belongings, seen: Belongings) -> Iterator[Difference]:
    """Settings, lines of configuration files and slots that are not what they were."""
    for name in sorted({*right.settings, *seen.settings}):
        ours, theirs = right.settings.get(name), seen.settings.get(name)
        if ours is not None and theirs is not None and ours != theirs:
            yield Difference("settings", name, f"is {theirs!r:.60} instead of {ours!r:.60}")
    for name, lines in right.files.items():
        if lines != seen.files[name]:
            missing, extra = set(lines) - set(seen.files[name]), set(seen.files[name]) - set(lines)
            yield Difference("files", name, f"lost {sorted(missing)!s:.120}, got {sorted(extra)!s:.120}")
    for name in right.slots.keys() - seen.slots.keys():
        yield Difference("slots", name, f"the {right.slots[name]} slot is gone")


def _told(case: Case, aim: Aim, before: Before, carried: Carried) -> Iterator[Difference]:
    """What a physical recovery cannot bring back has to be said by name."""
    prepared = [gid.split(" in ")[0] for gid in aim.right.prepared] if aim.right else []
    names = [*case.unlogged, *prepared, *before.belongings.slots]
    for name in names:
        if name not in carried.shown:
            yield Difference("words", name, "is named nowhere, though a recovery changes it")


def previewed(case: Case, aim: Aim, before: Before, carried: Carried) -> list[Difference]:
    """What the preview said that is not so; nothing where it compared nothing, or others went on writing."""
    said = case.cluster.store.run(carried.run).facts.get("difference") or {}
    if not said.get("compared") or aim.right is None or case.has("writers go on until the cut-over"):
        return []
    return list(wrong_claims(aim.right, before.picture, said, FIRST))


def _kept(case: Case, carried: Carried) -> Iterator[Difference]:
    home = case.cluster.store.run(carried.run).facts["server"]["home"]
    old = Path(home["parent"]) / f"{home['leaf']}_before_{carried.run}"
    # A volume with options lies where its device is, which this process may see elsewhere.
    if not old.exists() and not (case.host_pgdata().parent / old.name).exists():
        yield Difference("old data", str(old), "is not there")


def _archives(case: Case) -> Iterator[Difference]:
    """A segment that is ended now arrives in the archive, under whatever ending."""
    case.sql("create table archive_probe (id int)", "postgres")
    name = case.sql("select pg_walfile_name(pg_switch_wal())", "postgres")
    end = time.monotonic() + _ARCHIVED_SECONDS
    while not any(case.cluster.archive.glob(f"{name}*")):
        if time.monotonic() > end:
            said = case.sql("select last_archived_wal, last_failed_wal from pg_stat_archiver", "postgres")
            yield Difference("archive", name, f"did not arrive in {_ARCHIVED_SECONDS} s: {said}")
            return
        time.sleep(0.3)


def left_over(case: Case) -> Iterator[Difference]:
    """Containers of runs that have ended, and a clone's directory."""
    runs = set(case.cluster.store.runs())
    for one in connect().api.containers(all=True):
        if (one.get("Labels") or {}).get("mayday.run") in runs:
            yield Difference("containers", one["Names"][0], "is left over")
    for path in case.host_pgdata().parent.glob("*_clone_*"):
        yield Difference("directories", path.name, "is left over")
