"""Base backups: one directory's label, manifest and inventory, put together into one fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actions.engine.errors import RecoveryError
from actions.postgres.inventory import Inventory, parse_inventory
from actions.postgres.labels import BackupLabel, parse_label
from actions.postgres.lsn import Lsn
from actions.postgres.manifest import Manifest, parse_manifest
from actions.postgres.tablespaces import parse_map

__all__ = ["INCREMENTAL", "BackupFiles", "BaseBackup", "BaseBackups", "read_backup"]

INCREMENTAL = "it is incremental, and the backups that it builds on were not looked for"
"""What is wrong with an incremental backup by itself; `chains.with_chains` looks for the others."""


@dataclass(frozen=True)
class HeldTablespace:
    """A tablespace of a base backup, in bytes; `location` is empty where the backup does not tell it."""

    oid: int
    location: str
    bytes: int


@dataclass(frozen=True)
class BaseBackup:
    """A physical copy of the cluster, and the WAL range that it needs to become consistent.

    An incremental one builds on the one that started at ``from_lsn``; ``chain`` are the names of all those, the full
    one first, and ``bytes`` then what they are combined, at most. ``checksums`` says whether its pages have them, as
    far as its control file can be read.
    """

    path: str
    system_identifier: str | None
    timeline: int
    start_lsn: Lsn
    stop_lsn: Lsn | None
    started_at: datetime | None
    stopped_at: datetime | None
    bytes: int
    complete: bool
    problem: str = ""
    from_lsn: Lsn | None = None
    from_timeline: int = 0
    checksums: bool | None = None
    manifested: bool = False
    chain: tuple[str, ...] = ()
    packed: bool = False
    tablespaces: tuple[HeldTablespace, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def over_by(self) -> datetime | None:
        """From when on it is surely over: a time in whole seconds was cut, so it ended somewhere within that second."""
        stopped = self.stopped_at
        return stopped if stopped is None or stopped.microsecond else stopped + timedelta(seconds=1)


BaseBackups = tuple[BaseBackup, ...]


@dataclass(frozen=True)
class BackupFiles:
    """The texts found in and beside one backup directory; None where a file is absent.

    ``history`` is the archive's ``.backup`` file; ``system_identifier`` and ``checksums`` are what its own
    control file says. ``packed`` says that it is in tar form. ``tablespace_map`` is the text that tells the locations,
    ``pieces`` where the files of each tablespace are, by oid: within, linked, archive, or away; ``problem`` is what is
    seen to be wrong.
    """

    path: str
    label: str | None
    manifest: str | None = None
    history: str | None = None
    inventory: str | None = None
    bytes: int = 0
    system_identifier: str | None = None
    checksums: bool | None = None
    packed: bool = False
    tablespace_map: str | None = None
    pieces: Mapping[int, str] = field(default_factory=dict)
    problem: str = ""


def read_backup(files: BackupFiles) -> BaseBackup:
    """One fact from all files; what is broken makes the backup incomplete and says why."""
    try:
        label = parse_label(files.label) if files.label else None
        manifest = parse_manifest(files.manifest) if files.manifest else None
    except RecoveryError as error:
        return _broken(files, error.message)
    if files.problem:
        return _broken(files, files.problem)
    if label is None:
        return _broken(files, "it has no backup_label")
    history = _tolerant_label(files.history)
    return _assemble(files, label, manifest, history, _tolerant_inventory(files.inventory))


def _broken(files: BackupFiles, problem: str) -> BaseBackup:
    return BaseBackup(files.path, None, 0, Lsn(0), None, None, None, files.bytes, False, problem)


def _tolerant_label(text: str | None) -> BackupLabel | None:
    try:
        return parse_label(text) if text else None
    except RecoveryError:
        return None


def _tolerant_inventory(text: str | None) -> Inventory | None:
    try:
        return parse_inventory(text) if text else None
    except RecoveryError:
        return None


def _assemble(
    files: BackupFiles,
    label: BackupLabel,
    manifest: Manifest | None,
    history: BackupLabel | None,
    inventory: Inventory | None,
) -> BaseBackup:
    # A file copied over from another backup must not lend its times to this one.
    history = history if history and history.start_lsn == label.start_lsn else None
    inventory = inventory if inventory and inventory.start_lsn == label.start_lsn else None
    stop = _stop_lsn(manifest, history, inventory)
    problem = _problem(label, manifest, inventory, stop) or _away(files.pieces)
    told = [part.system_identifier for part in (manifest, inventory) if part]
    identifiers = [files.system_identifier, *told]
    return BaseBackup(
        files.path,
        next((name for name in identifiers if name), None),
        label.timeline,
        label.start_lsn,
        stop,
        label.started_at or (inventory.started_at if inventory else None),
        _stopped_at(inventory, history),
        _bytes(files, manifest),
        not problem,
        problem,
        label.from_lsn,
        label.from_timeline,
        files.checksums,
        manifest is not None,
        packed=files.packed,
        tablespaces=_tablespaces(files, manifest),
    )


def _bytes(files: BackupFiles, manifest: Manifest | None) -> int:
    """What the copy takes; a folder is measured without what its links lead to, and of archives nothing is."""
    if manifest is None or not files.bytes:
        return files.bytes or (manifest.bytes if manifest else 0)
    return files.bytes + sum(manifest.bytes_of(oid) for oid, where in files.pieces.items() if where == "linked")


def _tablespaces(files: BackupFiles, manifest: Manifest | None) -> tuple[HeldTablespace, ...]:
    told = parse_map(files.tablespace_map or "")
    oids = sorted({*told, *files.pieces})
    return tuple(HeldTablespace(oid, told.get(oid, ""), manifest.bytes_of(oid) if manifest else 0) for oid in oids)


def _away(pieces: Mapping[int, str]) -> str:
    lost = next(((oid, where) for oid, where in sorted(pieces.items()) if where.startswith("away")), None)
    if lost is None:
        return ""
    return f"the files of its tablespace {lost[0]} are not below this folder: its link leads to {lost[1][5:]}"


def _stop_lsn(manifest: Manifest | None, history: BackupLabel | None, inventory: Inventory | None) -> Lsn | None:
    if manifest and manifest.wal:
        return max(need.end_lsn for need in manifest.wal)
    if history and history.stop_lsn is not None:
        return history.stop_lsn
    return inventory.stop_lsn if inventory else None


def _stopped_at(inventory: Inventory | None, history: BackupLabel | None) -> datetime | None:
    return inventory.stopped_at if inventory else (history.stopped_at if history else None)


def _problem(label: BackupLabel, manifest: Manifest | None, inventory: Inventory | None, stop: Lsn | None) -> str:
    if stop is None:
        return "it is unfinished: nothing says where it stops (no manifest, no .backup file, no inventory)"
    if manifest is None:
        return "it has no manifest (backup_manifest), so a copy of it could not be checked"
    if not manifest.intact:
        return "its manifest was altered or cut off"
    if inventory and manifest.system_identifier not in (None, inventory.system_identifier):
        return "its manifest and its inventory come from different systems"
    return INCREMENTAL if label.incremental else ""
