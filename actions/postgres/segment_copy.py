"""Whether a file is a usable copy of a WAL segment, as far as its size, its first and its last bytes tell.

Every place that may hold a segment (the archive in any form, the server's own pg_wal, what a run saved) is judged
by these same rules, so that the window, the plan and the laying of WAL agree. What only the whole content would
tell, a flipped bit or a broken stream, is found where the segment is read, and another copy is tried then.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.segments import ENCRYPTED, parse_wal_name, per_log, segment_start
from actions.postgres.walheader import BYTES, header_of

__all__ = ["FORMS", "HEAD", "TAIL", "Expected", "form_of", "wrong_with"]

FORMS = ("", "zst", "lz4", "gz", "xz", "bz2")
"""The forms that can be read, by what it costs to unpack them; empty for a plain file."""
HEAD, TAIL = BYTES, 64
"""How many bytes of the beginning and of the end a judgement takes."""

_ZSTD, _LZ4, _LZ4_LEGACY = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"
# Both formats may begin with frames that are to be skipped, as pzstd writes them: sixteen magic numbers in a row.
_SKIPPED = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_MAGIC = {
    "gz": (b"\x1f\x8b",),
    "xz": (b"\xfd7zXZ\0",),
    "bz2": (b"BZh",),
    "zst": (_ZSTD, *_SKIPPED),
    "lz4": (_LZ4, _LZ4_LEGACY, *_SKIPPED),
}
_BZIP2_END = 0x177245385090
_NAMES = {"gz": "gzip", "xz": "xz", "bz2": "bzip2", "lz4": "lz4", "zst": "zstd"}


@dataclass(frozen=True)
class Expected:
    """What every whole segment of a server is: so many bytes, of this cluster, of this major release.

    An empty identifier and a version of 0 are not asked for.
    """

    segment_size: int
    system_identifier: str = ""
    version: int = 0


def form_of(name: str) -> str | None:
    """The form of a file of an archive, None for a stranger or a form that cannot be read."""
    file = parse_wal_name(name)
    return file.compression if file is not None and file.compression in FORMS else None


def wrong_with(name: str, size: int, head: bytes, tail: bytes, expected: Expected) -> str:
    """Why a file cannot serve as the segment of its name; empty where nothing speaks against it.

    `head` are its first `HEAD` bytes and `tail` its last `TAIL`, or fewer where it is shorter.
    """
    file = parse_wal_name(name)
    if file is None or file.kind != "segment":
        return ""
    if size == 0:
        return "it is empty"
    if file.compression.rpartition(".")[2] in ENCRYPTED:
        return f"it is encrypted (.{file.compression}), so it cannot be read here"
    if file.compression not in FORMS:
        return f"it is packed as .{file.compression}, which cannot be read"
    if file.seg >= per_log(expected.segment_size):
        return f"no segment of {_mb(expected.segment_size)} has that name"
    if file.compression:
        return _wrong_packed(file.compression, size, head, tail, expected.segment_size)
    return _wrong_size(size, expected.segment_size) or _wrong_header(file.segment_name, head, expected)


def _wrong_size(size: int, whole: int) -> str:
    if size == whole:
        return ""
    return f"it is cut short: {_mb(size)} of {_mb(whole)}" if size < whole else f"it has {_mb(size)}, not {_mb(whole)}"


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.0f} MB" if size % (1 << 20) == 0 else f"{size:,} bytes"


def _wrong_header(name: str, head: bytes, expected: Expected) -> str:
    if not head.strip(b"\0"):
        return "it holds only zeros where it should begin"
    seen = header_of(head)
    if seen is None:
        return "it does not begin as WAL does"
    if expected.system_identifier and seen.system_identifier != expected.system_identifier:
        return f"it is of another cluster (system identifier {seen.system_identifier})"
    if expected.version and seen.version != expected.version:
        return f"it is of PostgreSQL {seen.version}"
    if seen.segment_size != expected.segment_size:
        return f"it is of a cluster with segments of {_mb(seen.segment_size)}"
    # Where a branch begins within a segment, the new timeline's file starts with a copy of the old one's pages.
    if seen.address != segment_start(name, expected.segment_size) or seen.timeline > int(name[:8], 16):
        return f"it holds WAL of another place ({format_lsn(Lsn(seen.address))} on timeline {seen.timeline})"
    return ""


def _wrong_packed(form: str, size: int, head: bytes, tail: bytes, whole: int) -> str:
    if not head.startswith(_MAGIC[form]):
        return f"it does not begin as {_NAMES[form]} does"
    ended, unpacked = _ENDS[form](size, head, tail)
    if not ended:
        return f"it is cut short: its {_NAMES[form]} stream does not end"
    if unpacked is not None and unpacked != whole:
        return f"it is cut short or damaged: its {_NAMES[form]} stream is said to hold {unpacked:,} bytes of {whole:,}"
    return ""


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _gzip(size: int, _head: bytes, tail: bytes) -> tuple[bool, int | None]:
    """RFC 1952: the last four bytes are the size of what was packed."""
    return (True, _number(tail[-4:])) if size >= 18 and len(tail) >= 4 else (False, None)


def _xz(size: int, _head: bytes, tail: bytes) -> tuple[bool, int | None]:
    """The .xz format, 2.1.2: a footer with a checksum of its own, before it an index with the size of each block."""
    footer = tail[-12:]
    if len(footer) < 12 or footer[-2:] != b"YZ" or _number(footer[:4]) != zlib.crc32(footer[4:10]):
        return False, None
    index = (_number(footer[4:8]) + 1) * 4
    return True, _xz_unpacked(size, tail[-12 - index : -12]) if index + 12 <= len(tail) else None


def _xz_unpacked(size: int, index: bytes) -> int | None:
    """The size of what was packed, where there is a single stream; the index is checked by its own sum."""
    if _number(index[-4:]) != zlib.crc32(index[:-4]):
        return None
    count, at = _varint(index, 1)
    packed = unpacked = 0
    for _ in range(count):
        part, at = _varint(index, at)
        held, at = _varint(index, at)
        packed, unpacked = packed + (part + 3) // 4 * 4, unpacked + held
    return unpacked if 12 + packed + len(index) + 12 == size else None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            break
    return value, at


def _bzip2(_size: int, _head: bytes, tail: bytes) -> tuple[bool, int | None]:
    """The end's mark and a checksum, at any bit, up to seven bits before the end of the file."""
    bits = int.from_bytes(tail[-11:], "big")
    return any((bits >> (32 + spare)) & ((1 << 48) - 1) == _BZIP2_END for spare in range(8)), None


def _lz4(_size: int, head: bytes, tail: bytes) -> tuple[bool, int | None]:
    """The frame format: an empty block at the end, after it a checksum where bit 2 of the flags says so."""
    if not head.startswith(_LZ4) or len(head) < 5:
        return True, None  # Only the frames of today's format have a mark at their end.
    return (tail[-8:-4] if head[4] & 0x04 else tail[-4:]) == bytes(4), None


def _zstd(_size: int, head: bytes, _tail: bytes) -> tuple[bool, int | None]:
    """RFC 8878: the end shows only to who reads all blocks; the size stands in front where it was known."""
    if not head.startswith(_ZSTD) or len(head) < 5:
        return True, None
    flags = head[4]
    at = 5 + (0 if flags & 0x20 else 1) + (0, 1, 2, 4)[flags & 3]
    width = (1 if flags & 0x20 else 0, 2, 4, 8)[flags >> 6]
    field = head[at : at + width]
    if not width or len(field) < width:
        return True, None
    return True, _number(field) + (256 if width == 2 else 0)


_ENDS = {"gz": _gzip, "xz": _xz, "bz2": _bzip2, "lz4": _lz4, "zst": _zstd}
