"""What the first page of a WAL segment says of the cluster that wrote it.

A server whose control file is damaged still carries its identity there, in every segment of its pg_wal. The
layout is XLogLongPageHeaderData of src/include/access/xlog_internal.h, the same from PostgreSQL 13 to 18 on
little-endian machines.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from actions.postgres.segments import SIZES, parse_wal_name, segment_start

BYTES = 40
_LAYOUT = struct.Struct("<HHIQI4xQII")
_LONG_HEADER = 0x0002
# XLOG_PAGE_MAGIC of each major release's branch.
_MAGICS = {0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18}


@dataclass(frozen=True)
class ClusterIdentity:
    """Which cluster it is; `timeline` is the one that was written last, `segment_size` in bytes."""

    version: int
    system_identifier: str
    timeline: int
    segment_size: int


def identity_of(headers: Mapping[str, bytes]) -> ClusterIdentity | None:
    """The identity that a server's own segments agree on, None where they do not tell one.

    Recycled segments carry a name ahead of what is in them and are passed over.
    """
    found = [seen for name, data in headers.items() if (seen := _read(name, data)) is not None]
    if len({(seen.version, seen.system_identifier, seen.segment_size) for seen in found}) != 1:
        return None
    return max(found, key=lambda seen: seen.timeline)


@dataclass(frozen=True)
class Header:
    """The long header of a segment's first page; `address` is where in the WAL the page lies."""

    version: int
    system_identifier: str
    timeline: int
    segment_size: int
    address: int


def header_of(data: bytes) -> Header | None:
    """What the first bytes of a segment say, None where they are no header of a release that is known."""
    if len(data) < BYTES:
        return None
    magic, info, timeline, address, _rest, system, size, _block = _LAYOUT.unpack(data[:BYTES])
    if magic not in _MAGICS or not info & _LONG_HEADER or size not in SIZES or not system:
        return None
    return Header(_MAGICS[magic], str(system), timeline, size, address)


def _read(name: str, data: bytes) -> ClusterIdentity | None:
    file, seen = parse_wal_name(name), header_of(data)
    if file is None or file.kind != "segment" or seen is None:
        return None
    if seen.timeline != file.timeline or seen.address != segment_start(file.segment_name, seen.segment_size):
        return None
    return ClusterIdentity(seen.version, seen.system_identifier, seen.timeline, seen.segment_size)
