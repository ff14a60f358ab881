"""Oddities of the WAL archive: how segments come there, what is done to them later."""

from __future__ import annotations

import bz2
import lzma
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from tests.clusters.case import Case
from tests.clusters.kind import Kind

_ARCHIVE = "/backups/postgres/wal"
_SEGMENT = re.compile(r"[0-9A-F]{24}")


def _by(pack: str, ending: str, wait: int = 0) -> Callable[[Case], None]:
    """An archive_command that compresses, under a working name until it is whole."""
    w = _ARCHIVE
    sleep = f"sleep {wait} && " if wait else ""
    command = f"test ! -f {w}/%f.{ending} && {sleep}{pack} %p > {w}/.%f.tmp && mv {w}/.%f.tmp {w}/%f.{ending}"

    def launch(case: Case) -> None:
        case.launch.settings["archive_command"] = command

    return launch


def _slow(case: Case) -> None:
    w = _ARCHIVE
    copy = f"cp %p {w}/.%f.tmp && mv {w}/.%f.tmp {w}/%f"
    case.launch.settings["archive_command"] = f"test ! -f {w}/%f && sleep 3 && {copy}"


def _never_again(case: Case) -> None:
    """The example of PostgreSQL's own manual: a file that is there is never written again."""
    case.launch.settings["archive_command"] = f"test ! -f {_ARCHIVE}/%f && cp %p {_ARCHIVE}/%f"


def _segments(case: Case) -> list[Path]:
    return sorted(path for path in case.cluster.archive.iterdir() if _SEGMENT.fullmatch(path.name))


def _swept(pack: Callable[[bytes], bytes], ending: str) -> Callable[[Case], None]:
    """Somebody's nightly job compresses what is not the newest."""

    def launch(case: Case) -> None:
        def sweep() -> None:
            for path in _segments(case)[:-1]:
                packed = path.with_name(f"{path.name}.{ending}")
                packed.write_bytes(pack(path.read_bytes()))
                os.chown(packed, case.cluster.uid, case.cluster.uid)
                path.unlink()

        case.sweeps.append(sweep)

    return launch


def _touch(case: Case) -> None:
    """A copy without -p, a restore from tape: times of files say nothing."""
    when = time.time() - case.dice.one("touched", (0, 0, 3600, 86400))
    for path in case.cluster.archive.iterdir():
        os.utime(path, (when, when))
    case.did("touched all files of the archive")


def _touch_backwards(case: Case) -> None:
    paths = sorted(case.cluster.archive.iterdir(), reverse=True)
    for n, path in enumerate(paths):
        os.utime(path, (time.time() - 3600 + n, time.time() - 3600 + n))
    case.did("gave the files of the archive times in reverse")


def _truncate(case: Case) -> None:
    """What an interrupted cp leaves under the final name; the archiver says no for ever, and keeps the segment."""
    name = case.sql("select pg_walfile_name(pg_current_wal_lsn())")
    size = int(case.sql("select setting::bigint from pg_settings where name = 'wal_segment_size'"))
    part = case.dice.number("truncated at", 1, 9) * size // 10
    case.inside('head -c "$2" "$1/pg_wal/$3" >"$4/$3"', case.launch.pgdata, str(part), name, _ARCHIVE)
    case.did(f"left the first {part} bytes of {name} in the archive")


ARCHIVE = (
    Kind("plain archive", "archive", 4),
    Kind("never overwritten", "archive", 1, _never_again),
    Kind("gzip", "archive", 1.5, _by("gzip -c", "gz")),
    Kind("gzip, slow", "archive", 0.7, _by("gzip -c", "gz", wait=3)),
    Kind("slow", "archive", 0.5, _slow),
    Kind("swept with xz", "archive", 0.7, _swept(lambda b: lzma.compress(b, preset=0), "xz")),
    Kind("swept with bzip2", "archive", 0.7, _swept(lambda b: bz2.compress(b, 1), "bz2")),
    Kind("touched", share=0.15, spoiled=_touch),
    Kind("times in reverse", share=0.08, spoiled=_touch_backwards, against=("touched",)),
    Kind(
        "a truncated copy",
        share=0.15,
        based=_truncate,
        against=("gzip", "gzip, slow", "swept with xz", "swept with bzip2"),
    ),
)
