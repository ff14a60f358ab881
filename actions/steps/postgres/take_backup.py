"""A base backup with an inventory beside it: what was in the database, to compare with later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.engine.errors import RecoveryError
from actions.postgres.backups import BackupFiles, read_backup
from actions.postgres.inventory import Contents, Inventory, dump_inventory, parse_inventory
from actions.postgres.lsn import Lsn
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.holdings import take_stock
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.progress import Progress
from actions.tools.sql import Sql

_SIZE = "select sum(pg_database_size(oid))::bigint as bytes from pg_database"


def backup_name(names: Names) -> str:
    """What a run's base backup is called."""
    return f"base_{names.run}"


def take_base(
    server: Server, names: Names, files: PostgresFiles, sql: Sql, site: SiteConfig, progress: Progress
) -> None:
    """Take a base backup of the live server, with a manifest, at the pace that the settings allow."""
    total = int(sql.rows(server.service, server, _SIZE, seconds=30)[0]["bytes"] or 0)
    files.take_base(server, backup_name(names), total, progress, site.backup_rate)


def base_is_taken(server: Server, names: Names, files: PostgresFiles) -> bool:
    """Whether it is there and is just what its manifest says.

    Raises:
        RecoveryError: it is there and damaged.
    """
    if not any(_named(found, backup_name(names)) for found in files.backups(server)):
        return False
    wrong = files.verify_backup(server, backup_name(names))
    if wrong:
        raise RecoveryError(
            "The base backup is not what its manifest says.",
            detail=wrong,
            hint="Look at the disk; then take another base backup.",
        )
    return True


def _named(found: BackupFiles, name: str) -> bool:
    return found.path.rstrip("/").rpartition("/")[2] == name


def write_inventory(
    server: Server, names: Names, files: PostgresFiles, sql: Sql, polling: Polling, now: datetime
) -> None:
    """Note beside the backup what each database held: tables, rows, indexes, constraints, sizes.

    The backup is good without it, so whatever cannot be read or counted is noted as missing and fails nothing.
    """
    found = next((f for f in files.backups(server) if _named(f, backup_name(names))), None)
    if found is None:
        raise RecoveryError(f"There is no base backup {backup_name(names)}.", hint="Take one: /backup run base")
    backup = read_backup(found)
    held = take_stock(server, sql, polling)
    own = held.databases.get(server.database) or Contents(server.database, 0, (), (), ())
    inventory = Inventory(
        system_identifier=server.system_identifier,
        timeline=backup.timeline,
        start_lsn=backup.start_lsn,
        stop_lsn=backup.stop_lsn or Lsn(0),
        started_at=backup.started_at or now,
        stopped_at=backup.stopped_at or now,
        server_version=str(server.version),
        segment_size=server.segment_size,
        database=own.database,
        total_bytes=own.total_bytes,
        tables=own.tables,
        indexes=own.indexes,
        constraints=own.constraints,
        others=tuple(one for name, one in held.databases.items() if name != server.database),
        missing=held.missing,
    )
    files.write_inventory(server, backup_name(names), dump_inventory(inventory))


def inventory_is_written(server: Server, names: Names, files: PostgresFiles) -> bool:
    """Whether it can be read back."""
    found = next((f for f in files.backups(server) if _named(f, backup_name(names))), None)
    if found is None or found.inventory is None:
        return False
    return parse_inventory(found.inventory).system_identifier == server.system_identifier


@dataclass(frozen=True)
class Held:
    """What a new base backup holds, and what its inventory lacks."""

    databases: int
    tables: int
    rows: int
    missing: tuple[str, ...] = ()

    def says(self) -> str:
        """The sum; what is missing in full."""
        text = f"{self.tables:,} tables, {self.rows:,} rows in {self.databases} databases"
        if not self.missing:
            return text
        return f"{text}; the backup is whole, but its inventory lacks: {'; '.join(self.missing)}"


def look_at_inventory(server: Server, names: Names, files: PostgresFiles) -> Held:
    """Read the inventory back for the report."""
    found = next(f for f in files.backups(server) if _named(f, backup_name(names)))
    held = parse_inventory(found.inventory or "")
    tables = [table for one in held.every for table in one.tables]
    return Held(len(held.every), len(tables), sum(table.rows or 0 for table in tables), held.missing)
