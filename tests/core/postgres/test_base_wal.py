"""The WAL that base backups bring along: what is asked of them, what they have, and what the window makes of it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actions.postgres.archive import ArchivedFile
from actions.postgres.brought import sought, span
from actions.postgres.choices import window_words
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_name
from actions.postgres.waldump import ended_in
from actions.postgres.windows import TimelineWindow, recovery_window
from actions.steps.postgres.read_window import WindowInputs
from actions.watch.service_condition import reachable
from tests.core.postgres.test_windows import archive, backup, hours
from tests.support.worlds.wal import SIZE, SYSTEM, wal_header
from workers.docker.exec import CommandResult
from workers.postgres.base_wal import BaseWal

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": partial(gzip.compress, compresslevel=1),
    ".xz": partial(lzma.compress, preset=0),
    ".bz2": partial(bz2.compress, compresslevel=1),
}
"""Packed as fast as can be: what is asked is how it is unpacked."""
NAMES = tuple(segment_name(1, number) for number in (4, 5, 6))


def test_the_segments_of_a_backup_are_those_from_its_start_to_its_end() -> None:
    long = replace(backup(4), stop_lsn=Lsn(6 * SIZE + 1))
    assert span(long, SIZE) == NAMES
    assert span(replace(long, stop_lsn=Lsn(6 * SIZE)), SIZE) == NAMES[:2]
    assert span(replace(long, stop_lsn=None), SIZE) == ()


def test_a_backup_is_asked_only_for_what_the_archive_lacks() -> None:
    long = replace(backup(4), stop_lsn=Lsn(6 * SIZE + 1))
    assert sought([long, backup(9)], {NAMES[0], segment_name(1, 9)}, SIZE) == {"b4": NAMES[1:]}
    assert sought([long], set(NAMES), SIZE) == {}
    assert sought([replace(long, complete=False)], set(), SIZE) == {}


# The window -----------------------------------------------------------------------------------------------------------


def live(*backups: int, listing: list[ArchivedFile], brought: list[ArchivedFile]) -> TimelineWindow:
    found = recovery_window(map(backup, backups), listing, {}, SYSTEM, 1, segment_size=SIZE, brought=brought).live
    assert found is not None
    return found


def test_a_backup_with_its_own_wal_can_be_used_where_the_archive_lost_it() -> None:
    lost = live(4, listing=archive(5, 6), brought=[])
    assert [bad.why for bad in lost.unusable] == [f"the WAL written during the backup is missing ({NAMES[0]})"]
    found = live(4, listing=archive(5, 6), brought=archive(4))
    assert [reach.last for reach in found.reaches] == [NAMES[2]]
    assert not found.gaps


def test_with_two_bad_copies_both_are_said() -> None:
    cut, zeros = (ArchivedFile(NAMES[0], 5 << 20, why) for why in ("it is cut short", "it holds only zeros (in b4)"))
    found = live(4, listing=[cut, *archive(5)], brought=[zeros])
    assert "is cut short" in found.unusable[0].why
    assert "only zeros (in b4)" in found.unusable[0].why
    window = recovery_window([backup(4)], [cut, *archive(5)], {}, SYSTEM, 1, segment_size=SIZE, brought=archive(4))
    assert [(bad.file, bad.needed) for bad in window.bad] == [(NAMES[0], False)]


def test_what_a_clean_up_left_of_an_old_backup_is_told_but_is_no_fault() -> None:
    found = live(4, 9, listing=archive(9, 10), brought=archive(4))
    assert [reach.backup.name for reach in found.reaches] == ["b4", "b9"]
    assert f"missing {NAMES[1]} to {segment_name(1, 8)}" in window_words(found)
    assert found.gaps
    assert not found.broken
    assert earliest(found, 4, 9) == hours(9)


def earliest(found: TimelineWindow, *backups: int) -> Any:
    """The earliest moment that the condition of the service tells."""
    window = recovery_window(map(backup, backups), archive(9, 10), {}, SYSTEM, 1, segment_size=SIZE, brought=archive(4))
    at = reachable(WindowInputs(window, (), {}, None), SIZE, hours(20)).earliest
    return at.replace(microsecond=0) if at else None


def test_a_gap_behind_the_newest_backup_is_a_fault_whoever_holds_the_wal_before_it() -> None:
    assert live(4, listing=archive(9, 10), brought=archive(4)).broken
    assert live(4, 9, listing=archive(3, 4, 9), brought=[]).broken
    assert live(4, 9, listing=[], brought=archive(4, 9)).broken


# What lies in a backup ------------------------------------------------------------------------------------------------


class Here:
    """The container of the helper, played by this machine; `pg_waldump` says what is given for a segment."""

    container = "c1"

    def __init__(self, root: Path, said: Mapping[str, str]) -> None:
        self.root, self.ran = root, 0
        (root / "bin").mkdir()
        stub = root / "bin" / "pg_waldump"
        errors = "".join(f"{name}) echo '{text}' >&2; exit 1 ;; " for name, text in said.items())
        stub.write_text(f"#!/bin/sh\ncase $4 in {errors}*) exit 0 ;; esac\n")
        stub.chmod(0o755)

    def inside(self, _server: object) -> Here:
        return self

    def run(self, argv: list[str], **_: object) -> CommandResult:
        self.ran += 1
        argv = [
            part.replace("/mayday/bases", str(self.root))
            .replace("/var/tmp/mayday", f"{self.root}/unpacked")
            .replace("/tmp/mayday-said", f"{self.root}/said")
            for part in argv
        ]
        path = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C"}
        done = subprocess.run(argv, capture_output=True, text=True, env=path, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)


def looked(root: Path, said: Mapping[str, str] | None = None, name: str = "b4") -> dict[str, str]:
    """What is wrong with each segment that the backup has."""
    here: Any = Here(root, said or {})
    server: Any = SimpleNamespace(segment_size=SIZE, system_identifier=SYSTEM, version=15)
    base_wal = BaseWal(here)
    assert base_wal.look(server, {}) == ()
    (found,) = base_wal.look(server, {name: NAMES})
    assert base_wal.look(server, {name: NAMES}) == (found,)
    assert here.ran == 1
    assert all(Path(found.folder, file.name).exists() for file in found.files if file.size), "they lie where it says"
    return {file.name: file.wrong for file in found.files}


def whole(name: str) -> bytes:
    return wal_header(name).ljust(SIZE, b"\0")


def tar(names: tuple[str, ...], below: str = "") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive_:
        for name in names:
            member = tarfile.TarInfo(f"{below}{name}")
            member.size = SIZE
            archive_.addfile(member, io.BytesIO(whole(name)))
    return made.getvalue()


def test_a_plain_backup_has_them_in_its_pg_wal_and_each_is_judged_and_read(tmp_path: Path) -> None:
    folder = tmp_path / "b4" / "pg_wal"
    folder.mkdir(parents=True)
    (tmp_path / "b4" / "backup_label").touch()
    for name in (*NAMES, segment_name(1, 7)):
        (folder / name).write_bytes(whole(name))
    os.truncate(folder / NAMES[0], 5 << 20)
    early = "pg_waldump: error: error in WAL record at 0/5000028: invalid record length at 0/5000060: wanted 24, got 0"
    onward = f'pg_waldump: error: could not find file "{segment_name(1, 7)}": No such file or directory'
    found = looked(tmp_path, {NAMES[1]: early, NAMES[2]: onward})
    assert found[NAMES[0]] == "it is cut short: 5 MB of 16 MB (in b4)"
    assert found[NAMES[1]].startswith("it cannot be read to its end: ")
    assert found[NAMES[2]] == ""
    assert len(found) == 3


def test_a_backup_without_wal_of_its_own_has_none(tmp_path: Path) -> None:
    (tmp_path / "b4" / "pg_wal" / "archive_status").mkdir(parents=True)
    (tmp_path / "b4" / "backup_label").touch()
    assert looked(tmp_path) == {}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_backup_in_tar_form_has_them_in_pg_wal_tar(tmp_path: Path, ending: str) -> None:
    (tmp_path / "b4").mkdir()
    (tmp_path / "b4" / f"pg_wal.tar{ending}").write_bytes(PACKERS[ending](tar(NAMES)))
    assert looked(tmp_path) == dict.fromkeys(NAMES, "")


@pytest.mark.parametrize("ending", PACKERS)
def test_or_in_base_tar_where_they_were_fetched_at_its_end(tmp_path: Path, ending: str) -> None:
    (tmp_path / "b4").mkdir()
    (tmp_path / "b4" / f"base.tar{ending}").write_bytes(PACKERS[ending](tar(NAMES[1:], "pg_wal/")))
    assert looked(tmp_path) == dict.fromkeys(NAMES[1:], "")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_of_an_archive_that_was_cut_off_what_is_whole_is_used(tmp_path: Path, ending: str) -> None:
    (tmp_path / "b4").mkdir()
    packed = PACKERS[ending](tar(NAMES))
    (tmp_path / "b4" / f"pg_wal.tar{ending}").write_bytes(packed[: len(packed) // 2])
    found = looked(tmp_path)
    assert found[NAMES[0]] == ""
    assert all(found[name] for name in NAMES[1:]), found
    assert f"pg_wal.tar{ending} cannot be unpacked" in found[NAMES[2]]


def test_where_reading_ended_is_a_file_or_a_place() -> None:
    assert ended_in('x\nerror: could not find file "000000010000000000000007"', 1, SIZE) == segment_name(1, 7)
    assert ended_in("error in WAL record at 0/5000028: invalid record length at 0/6000060", 1, SIZE) == NAMES[2]
    assert ended_in("", 1, SIZE) == ""


def test_an_archive_that_cannot_be_unpacked_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "b4").mkdir()
    (tmp_path / "b4" / "pg_wal.tar.gz").write_bytes(b"no gzip")
    found = looked(tmp_path)
    assert set(found) == set(NAMES)
    assert all("pg_wal.tar.gz cannot be unpacked" in why for why in found.values())
