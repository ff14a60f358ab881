"""``backup_manifest``: what pg_basebackup (13 and later) says about its own backup."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, parse_lsn


@dataclass(frozen=True)
class WalNeed:
    """WAL that a backup cannot start without."""

    timeline: int
    start_lsn: Lsn
    end_lsn: Lsn


@dataclass(frozen=True)
class Manifest:
    """The manifest's own facts; the list of files is reduced to its count and bytes, those of each tablespace apart."""

    version: int
    system_identifier: str | None
    files: int
    bytes: int
    wal: tuple[WalNeed, ...]
    intact: bool
    tablespaces: tuple[tuple[int, int], ...] = ()

    def bytes_of(self, oid: int) -> int:
        """The bytes of one tablespace."""
        return dict(self.tablespaces).get(oid, 0)


def parse_manifest(text: str) -> Manifest:
    """Read a manifest; a cut-off or altered one is told apart by ``intact`` or a RecoveryError."""
    try:
        return _from(json.loads(text), _own_checksum(text))
    except (ValueError, KeyError, TypeError) as error:
        raise RecoveryError(
            "The manifest of a base backup cannot be read.",
            code="MD-PG-007",
            detail=f"{type(error).__name__}: {error}"[:200],
            hint="The backup may be unfinished; use another one, or take a fresh one: /backup run base",
        ) from error


def _from(data: dict[str, Any], checksum: str) -> Manifest:
    identifier = data.get("System-Identifier")
    return Manifest(
        version=int(data["PostgreSQL-Backup-Manifest-Version"]),
        system_identifier=None if identifier is None else str(identifier),
        files=len(data["Files"]),
        bytes=sum(int(file["Size"]) for file in data["Files"]),
        wal=tuple(_need(item) for item in data["WAL-Ranges"]),
        intact=str(data["Manifest-Checksum"]).lower() == checksum,
        tablespaces=_tablespaces(data["Files"]),
    )


def _tablespaces(files: list[dict[str, Any]]) -> tuple[tuple[int, int], ...]:
    """The oid and the bytes of each tablespace, whose files are named by their link: pg_tblspc/16400/PG_15_…"""
    found: Counter[int] = Counter()
    for file in files:
        # A name that is not valid UTF-8 is given as "Encoded-Path" alone; none of PostgreSQL's own files has one.
        folder, _, rest = str(file.get("Path", "")).partition("/")
        oid = rest.partition("/")[0]
        if folder == "pg_tblspc" and oid.isdigit():
            found[int(oid)] += int(file["Size"])
    return tuple(sorted(found.items()))


def _need(item: dict[str, Any]) -> WalNeed:
    return WalNeed(int(item["Timeline"]), parse_lsn(item["Start-LSN"]), parse_lsn(item["End-LSN"]))


def _own_checksum(text: str) -> str:
    # The checksum covers every line before the one that carries it.
    body, _, _ = text.rpartition('"Manifest-Checksum"')
    return hashlib.sha256(body.encode()).hexdigest()
