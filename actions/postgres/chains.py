"""Incremental base backups (PostgreSQL 17 and later): each judged with all those that it builds on.

An incremental backup holds the blocks that changed since another one started, which its backup_label names by position
and timeline; pg_combinebackup asks the same of its arguments (src/bin/pg_combinebackup/pg_combinebackup.c,
check_backup_label_files and check_control_files). It only warns where data checksums were switched within a chain,
though the pages of then and now do not fit each other (EnterpriseDB/barman#963), so here that counts as broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from actions.postgres.backups import INCREMENTAL, BaseBackup
from actions.postgres.lsn import format_lsn

_PACKED = "it is in tar form, which pg_combinebackup does not read: unpack it into a folder of its own"
_MISSING = "the backup that {name} builds on is missing: none here started at {lsn} on timeline {timeline}"


def with_chains(backups: Iterable[BaseBackup]) -> list[BaseBackup]:
    """The same backups; of the incremental ones those are complete whose whole chain is there and fits."""
    every = list(backups)
    return [_judged(backup, every) if backup.problem == INCREMENTAL else backup for backup in every]


def builds_on(chain: Sequence[str]) -> str:
    """For people, behind the name of a backup: what it is combined with."""
    return f", incremental: combined with {', '.join(chain)}" if chain else ""


def _judged(backup: BaseBackup, every: Sequence[BaseBackup]) -> BaseBackup:
    chain, why = [backup], _PACKED if backup.packed else ""
    while chain[0].from_lsn is not None and not why:
        parent = _parent(chain[0], every)
        why = _missing(chain[0], backup) if parent is None else _unfit(parent, chain[0])
        chain = [parent, *chain] if parent is not None else chain
    if why or (why := _switched(chain)):
        return replace(backup, complete=False, problem=f"it is incremental, and {why}")
    # No file of what they are combined to is larger than its parts are together.
    names, size = tuple(one.name for one in chain[:-1]), sum(one.bytes for one in chain)
    return replace(backup, complete=True, problem="", chain=names, bytes=size)


def _parent(child: BaseBackup, every: Sequence[BaseBackup]) -> BaseBackup | None:
    """The backup that a label names; of several copies one that can be used. It is older, so a chain has an end."""
    wanted = (child.from_lsn, child.from_timeline)
    found = [one for one in every if (one.start_lsn, one.timeline) == wanted and one.start_lsn < child.start_lsn]
    return min(found, key=lambda one: bool(_own_problem(one)), default=None)


def _own_problem(backup: BaseBackup) -> str:
    if backup.problem not in ("", INCREMENTAL):
        return backup.problem
    if backup.packed:
        return _PACKED
    return "" if backup.manifested else "it has no manifest, so it could not be checked"


def _missing(child: BaseBackup, backup: BaseBackup) -> str:
    place = format_lsn(child.from_lsn or child.start_lsn)
    return _MISSING.format(name="it" if child is backup else child.name, lsn=place, timeline=child.from_timeline)


def _unfit(parent: BaseBackup, child: BaseBackup) -> str:
    if why := _own_problem(parent):
        return f"{parent.name}, on which it builds, cannot be used: {why}"
    if parent.system_identifier != child.system_identifier:
        return f"{parent.name}, on which it builds, is of another system ({parent.system_identifier})"
    return ""


def _switched(chain: Sequence[BaseBackup]) -> str:
    with_, without = ([one.name for one in chain if one.checksums is kind] for kind in (True, False))
    if not (with_ and without):
        return ""
    return (
        f"data checksums were switched within its chain: {', '.join(with_)} with, {', '.join(without)} without. "
        "Their pages do not fit each other; take a full backup"
    )
