"""A base backup with an inventory beside it: what was in the database, to compare with later."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.backups import BackupFiles, read_backup
from actions.postgres.inventory import Inventory, dump_inventory, parse_contents, parse_inventory
from actions.postgres.inventory_sql import inventory_sql
from actions.postgres.lsn import Lsn
from actions.postgres.server import Names, Server
from actions.tools import Files, Progress, Sql

_SIZE = "select sum(pg_database_size(oid))::bigint as bytes from pg_database"


def backup_name(names: Names) -> str:
    """What a run's base backup is called."""
    return f"base_{names.run}"


def take_base(server: Server, names: Names, files: Files, sql: Sql, progress: Progress) -> None:
    """Take a base backup of the live server, with a manifest."""
    total = int(sql.rows(server.service, server, _SIZE, seconds=30)[0]["bytes"] or 0)
    files.take_base(server, backup_name(names), total, progress)


def base_is_taken(server: Server, names: Names, files: Files) -> bool:
    """Whether it is there and is just what its manifest says.

    Raises:
        RecoveryError: it is there and damaged.
    """
    if not any(_named(found, backup_name(names)) for found in files.backups(server)):
        return False
    wrong = files.verify_backup(server, backup_name(names))
    if wrong:
        raise RecoveryError("The base backup is not what its manifest says.", detail=wrong,
                            hint="Look at the disk; then take another base backup.")  # fmt: skip
    return True


def _named(found: BackupFiles, name: str) -> bool:
    return found.path.rstrip("/").rpartition("/")[2] == name


def write_inventory(server: Server, names: Names, files: Files, sql: Sql, now: datetime) -> None:
    """Note beside the backup what the database held: tables, rows, indexes, constraints, sizes."""
    found = next(f for f in files.backups(server) if _named(f, backup_name(names)))
    backup = read_backup(found)
    data: Any = sql.values(server.service, server, [inventory_sql()], seconds=600)[0].must()
    contents = parse_contents(data)
    inventory = Inventory(
        system_identifier=server.system_identifier, timeline=backup.timeline, start_lsn=backup.start_lsn,
        stop_lsn=backup.stop_lsn or Lsn(0), started_at=backup.started_at or now, stopped_at=backup.stopped_at or now,
        server_version=str(server.version), segment_size=server.segment_size, database=contents.database,
        total_bytes=contents.total_bytes, tables=contents.tables, indexes=contents.indexes,
        constraints=contents.constraints,
    )  # fmt: skip
    files.write_inventory(server, backup_name(names), dump_inventory(inventory))


def inventory_is_written(server: Server, names: Names, files: Files) -> bool:
    """Whether it can be read back."""
    found = next((f for f in files.backups(server) if _named(f, backup_name(names))), None)
    return found is not None and found.inventory is not None and bool(parse_inventory(found.inventory).tables)
