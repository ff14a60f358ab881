"""Which incremental base backups can be used: each is judged with all those that it builds on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest

from actions.engine.facts import from_json, to_json
from actions.postgres.backups import BackupFiles, BaseBackup, read_backup
from actions.postgres.chains import with_chains

SYSTEM = "7713626128824659993"
MB = 1 << 20


def label(start: int, timeline: int = 1, builds_on: tuple[int, int] | None = None) -> str:
    """A backup_label of PostgreSQL 17; positions in segments."""
    text = (
        f"START WAL LOCATION: 0/{start:X}000028 (file {timeline:08X}00000000{start:08X})\n"
        f"CHECKPOINT LOCATION: 0/{start:X}000080\nBACKUP METHOD: streamed\nBACKUP FROM: primary\n"
        f"START TIME: 2026-11-29 16:09:38 UTC\nLABEL: pg_basebackup base backup\nSTART TIMELINE: {timeline}\n"
    )
    if builds_on is not None:
        text += f"INCREMENTAL FROM LSN: 0/{builds_on[0]:X}000028\nINCREMENTAL FROM TLI: {builds_on[1]}\n"
    return text


def manifest(start: int, timeline: int = 1, system: str = SYSTEM) -> str:
    head = (
        f'{{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": {system},\n"Files": [\n'
        '{ "Path": "base/5/INCREMENTAL.112", "Size": 12 }\n],\n'
        f'"WAL-Ranges": [\n{{ "Timeline": {timeline}, "Start-LSN": "0/{start:X}000028", "End-LSN": "0/{start:X}000120" '
        "}\n],\n"
    )
    return head + f'"Manifest-Checksum": "{hashlib.sha256(head.encode()).hexdigest()}"}}\n'


def found(name: str, start: int, builds_on: int = 0, **other: object) -> BackupFiles:
    """What lies in one folder; `builds_on` is where its parent started, in segments."""
    parent = (builds_on, int(str(other.pop("parent_timeline", 1)))) if builds_on else None
    timeline, system = int(str(other.pop("timeline", 1))), str(other.pop("system", SYSTEM))
    given = {"manifest": manifest(start, timeline, system), "system_identifier": system, "checksums": True, **other}
    return BackupFiles(f"/b/{name}", label(start, timeline, parent), bytes=10 * MB, **given)  # type: ignore[arg-type]


def judged(*files: BackupFiles) -> Mapping[str, BaseBackup]:
    return {backup.name: backup for backup in with_chains(map(read_backup, files))}


FULL, FIRST, SECOND = found("full", 2), found("first", 4, 2), found("second", 6, 4)


def test_a_whole_chain_can_be_used_from_each_of_its_backups_on() -> None:
    # Whatever the names are and the folder's order is.
    backups = judged(SECOND, FULL, FIRST)
    assert {name: (one.complete, one.chain, one.bytes) for name, one in backups.items()} == {
        "full": (True, (), 10 * MB),
        "first": (True, ("full",), 20 * MB),
        "second": (True, ("full", "first"), 30 * MB),
    }
    assert from_json(BaseBackup, to_json(backups["second"])) == backups["second"]


def test_two_increments_may_build_on_the_same_backup() -> None:
    backups = judged(FULL, FIRST, found("other", 8, 2))
    assert backups["other"].chain == backups["first"].chain == ("full",)


def test_a_chain_goes_on_over_a_recovery_to_a_new_timeline() -> None:
    backups = judged(FULL, found("after", 6, 2, timeline=2, parent_timeline=1))
    assert backups["after"].chain == ("full",)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ((FIRST,), "the backup that it builds on is missing: none here started at 0/2000028 on timeline 1"),
        ((FULL, SECOND), "none here started at 0/4000028"),
        ((FIRST, SECOND), "the backup that first builds on is missing: none here started at 0/2000028"),
        ((found("full", 2, timeline=2), FIRST), "none here started at 0/2000028 on timeline 1"),
        ((found("full", 2, manifest=None), FIRST), "full, on which it builds, cannot be used: it is unfinished"),
        (
            (found("full", 2, manifest=manifest(2).replace("12 }", "13 }")), FIRST, SECOND),
            "full, on which it builds, cannot be used: its manifest was altered",
        ),
        ((found("full", 2, system="42"), FIRST), "full, on which it builds, is of another system (42)"),
        (
            (found("full", 2, checksums=False), FIRST, SECOND),
            "checksums were switched within its chain: first, second with, full without",
        ),
        ((FULL, found("first", 4, 2, checksums=False)), "checksums were switched within its chain"),
        ((FULL, found("loop", 4, 4)), "the backup that it builds on is missing"),
    ],
)
def test_a_chain_that_does_not_fit_names_what_is_wrong(files: tuple[BackupFiles, ...], why: str) -> None:
    backups = judged(*files)
    last = backups[files[-1].path.removeprefix("/b/")]
    assert not last.complete
    assert last.problem.startswith("it is incremental, and ")
    assert why in last.problem
    assert last.chain == ()


def test_a_full_backup_without_a_manifest_serves_neither_an_increment_nor_by_itself() -> None:
    ended = label(2) + "STOP WAL LOCATION: 0/2000120 (file 000000010000000000000002)\nSTOP TIMELINE: 1\n"
    backups = judged(found("full", 2, manifest=None, history=ended), FIRST)
    assert not backups["full"].complete
    assert "could not be checked" in backups["full"].problem
    assert "full, on which it builds, cannot be used: it has no manifest" in backups["first"].problem


def test_of_two_copies_of_a_backup_the_one_that_can_be_used_is_taken() -> None:
    broken = found("broken", 2, manifest=manifest(2).replace("12 }", "13 }"))
    assert judged(broken, FULL, FIRST)["first"].chain == ("full",)
    assert judged(FULL, broken, FIRST)["first"].chain == ("full",)


def test_an_increment_that_is_broken_itself_says_so() -> None:
    backups = judged(FULL, found("first", 4, 2, manifest=manifest(4)[:-90]))
    assert "manifest" in backups["first"].problem
    assert not backups["first"].complete


def test_unknown_checksums_are_no_switch() -> None:
    assert judged(found("full", 2, checksums=None), FIRST)["first"].complete
