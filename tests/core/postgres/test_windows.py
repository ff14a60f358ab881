"""Base backups, the recovery window, and which backup is chosen for a target."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from actions.clock.when import Target
from actions.engine.errors import RecoveryError
from actions.engine.facts import from_json, to_json
from actions.postgres.backups import BackupFiles, BaseBackup, read_backup
from actions.postgres.choices import Choice, Unreachable, choose_backup
from actions.postgres.controldata import parse_controldata
from actions.postgres.inventory import Inventory, TableCount, dump_inventory, parse_inventory
from actions.postgres.labels import parse_label
from actions.postgres.lsn import Lsn
from actions.postgres.manifest import parse_manifest
from actions.postgres.segments import DEFAULT_SIZE, segment_name, segment_number
from actions.postgres.windows import ArchivedFile, LiveTail, Window, open_ends, recovery_window, with_moments
from tests.support.paths import DATA

CONTROL = (DATA / "controldata15.txt").read_text()
LABEL = (DATA / "backup_label").read_text()
ENDED = (
    LABEL + "STOP WAL LOCATION: 0/2000100 (file 000000010000000000000002)\n"
    "STOP TIME: 2026-11-22 16:52:19 CET\nSTOP TIMELINE: 1\n"
)
SYSTEM = "7711024105692491025"
DAY = datetime(2026, 2, 9, tzinfo=UTC)
HISTORY_2 = "1\t0/8000100\tbefore 2026-02-09 08:06:00+00\n"


def manifest(version: int = 1, system: str | None = None) -> str:
    head = f'{{ "PostgreSQL-Backup-Manifest-Version": {version},\n'
    head += f'"System-Identifier": {system},\n' if system else ""
    head += '"Files": [\n{ "Path": "PG_VERSION", "Size": 3 },\n{ "Path": "base/1/112", "Size": 8192 }\n],\n'
    head += '"WAL-Ranges": [\n{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }\n],\n'
    return head + f'"Manifest-Checksum": "{hashlib.sha256(head.encode()).hexdigest()}"}}\n'


def inventory(**changes: object) -> Inventory:
    whole = Inventory(
        SYSTEM,
        1,
        Lsn(0x2000028),
        Lsn(0x2000100),
        DAY,
        DAY + timedelta(seconds=9.5),
        "15.7",
        DEFAULT_SIZE,
        "nself_db",
        8192,
        (TableCount("public", "nchat_messages", 12, 8192, DAY),),
        ("public.a",),
        ("public.t k",),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def hours(number: float) -> datetime:
    return DAY + timedelta(hours=number)


def backup(segment: int, *, timeline: int = 1, system: str | None = SYSTEM, complete: bool = True) -> BaseBackup:
    """A backup that starts in a segment and ends in it, at the hour of the same number."""
    start = segment * DEFAULT_SIZE + 0x28
    stop_at = hours(segment) + timedelta(microseconds=1)
    return BaseBackup(
        f"/backups/base/b{segment}",
        system,
        timeline,
        Lsn(start),
        Lsn(start + 0xD8),
        hours(segment),
        stop_at,
        10**6,
        complete,
    )


def archive(*numbers: int, timeline: int = 1, size: int = DEFAULT_SIZE) -> list[ArchivedFile]:
    """Segments; the newest commit in each is one hour after that of the one before."""
    return [ArchivedFile(segment_name(timeline, number), size) for number in numbers]


def window(
    *backups: BaseBackup,
    listing: list[ArchivedFile],
    histories: dict[int, str] | None = None,
    live: int = 1,
    tail: LiveTail | None = None,
) -> Window:
    found = recovery_window(backups, listing, histories or {}, SYSTEM, live, tail)
    return with_moments(found, {name: hours(segment_number(name) + 1) for name in open_ends(found)})


def chosen(found: Window, **target: object) -> Choice:
    return choose_backup(found, **target)  # type: ignore[arg-type]


def test_the_label_says_where_a_backup_starts() -> None:
    label = parse_label(LABEL)
    assert (label.start_lsn, label.timeline, label.start_file) == (0x2000028, 1, "000000010000000000000002")
    assert label.started_at == datetime(2026, 11, 22, 15, 52, 18, tzinfo=UTC)


def test_the_history_file_in_the_archive_says_where_it_stops() -> None:
    label = parse_label(ENDED)
    assert label.stop_lsn == 0x2000100
    assert label.stopped_at == datetime(2026, 11, 22, 15, 52, 19, tzinfo=UTC)


def test_a_zone_that_could_mean_several_gives_no_time() -> None:
    assert parse_label(LABEL.replace(" UTC", " IST")).started_at is None
    assert parse_label(LABEL.replace(" UTC", " +0530")).started_at == datetime(2026, 11, 22, 10, 22, 18, tzinfo=UTC)


def test_a_manifest_knows_whether_it_was_altered() -> None:
    assert parse_manifest(manifest()).intact
    assert parse_manifest(manifest()).bytes == 8195
    assert not parse_manifest(manifest().replace("8192", "8193")).intact
    assert parse_manifest(manifest(2, SYSTEM)).system_identifier == SYSTEM


def test_an_inventory_reads_back_as_it_was_written() -> None:
    assert parse_inventory(dump_inventory(inventory())) == inventory()
    with pytest.raises(RecoveryError, match="cannot be read"):
        parse_inventory("{}")


def test_a_backup_is_put_together_from_its_files() -> None:
    found = read_backup(BackupFiles("/b/1", LABEL, manifest(), inventory=dump_inventory(inventory())))
    assert (found.complete, found.system_identifier, found.stop_lsn, found.stopped_at) == (
        True,
        SYSTEM,
        0x2000100,
        DAY + timedelta(seconds=9.5),
    )
    assert (found.bytes, found.name) == (8195, "1")


def test_without_an_inventory_the_file_in_the_archive_says_when_it_ended() -> None:
    assert read_backup(BackupFiles("/b/1", LABEL, manifest(), ENDED)).stopped_at == parse_label(ENDED).stopped_at
    assert read_backup(BackupFiles("/b/1", LABEL, manifest())).stopped_at is None


def test_an_inventory_of_another_backup_lends_nothing() -> None:
    other = dump_inventory(inventory(start_lsn=Lsn(0x9000028)))
    assert read_backup(BackupFiles("/b/1", LABEL, manifest(), inventory=other)).system_identifier is None


@pytest.mark.parametrize("lent", [{"history": "hello"}, {"inventory": "{}"}])
def test_what_lies_beside_a_backup_and_cannot_be_read_lends_nothing_and_spoils_nothing(lent: dict[str, str]) -> None:
    found = read_backup(BackupFiles("/b/1", LABEL, manifest(), **lent))
    assert (found.complete, found.stopped_at, found.system_identifier) == (True, None, None)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (BackupFiles("/b", None, manifest()), "no backup_label"),
        (BackupFiles("/b", LABEL), "unfinished"),
        (BackupFiles("/b", LABEL, manifest()[:-90]), "manifest"),
        (BackupFiles("/b", LABEL, manifest().replace("8192", "8193")), "altered"),
        (BackupFiles("/b", LABEL + "INCREMENTAL FROM LSN: 0/1000028\n", manifest()), "incremental"),
        (BackupFiles("/b", "hello", manifest()), "cannot be read"),
        (BackupFiles("/b", LABEL, manifest(2, "1"), inventory=dump_inventory(inventory())), "different systems"),
    ],
)
def test_a_broken_backup_is_incomplete_and_says_why(files: BackupFiles, problem: str) -> None:
    found = read_backup(files)
    assert not found.complete
    assert problem in found.problem


def test_the_window_goes_from_the_oldest_backup_to_the_live_tail() -> None:
    tail = LiveTail(1, (segment_name(1, 7),), Lsn(0x7000500), hours(7.5))
    part = window(backup(5), backup(2), listing=archive(2, 3, 4, 5, 6), tail=tail).live
    assert part is not None
    assert (part.earliest, part.latest, part.latest_lsn, part.gaps) == (backup(2).over_by, hours(7.5), 0x7000500, ())


def test_a_gap_is_named_and_limits_the_backups_before_it() -> None:
    part = window(backup(2), backup(6), listing=archive(2, 3, 6, 7)).live
    assert part is not None
    assert [(gap.first, gap.last, gap.segments) for gap in part.gaps] == [(segment_name(1, 4), segment_name(1, 5), 2)]
    assert [(reach.ends_at, reach.until, reach.missing) for reach in part.reaches] == [
        ("gap", hours(4), segment_name(1, 4)),
        ("head", hours(8), ""),
    ]


def test_a_truncated_segment_is_as_good_as_missing_and_named() -> None:
    found = window(backup(2), listing=[*archive(2), *archive(3, size=1000), *archive(4)])
    assert [(bad.segment, bad.needed) for bad in found.bad] == [(segment_name(1, 3), True)]
    assert found.live is not None
    assert found.live.reaches[0].missing == segment_name(1, 3)


def test_a_partial_segment_is_not_trusted() -> None:
    listing = [*archive(2), ArchivedFile(segment_name(1, 3) + ".partial", DEFAULT_SIZE)]
    assert window(backup(2), listing=listing).live.latest == hours(3)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (backup(2, system="42"), "of another system"),
        (backup(2, complete=False), "unfinished"),
        (backup(1), "during the backup is missing"),
    ],
)
def test_an_unusable_backup_is_listed_with_its_reason(bad: BaseBackup, why: str) -> None:
    part = window(bad, listing=archive(2, 3)).live
    assert part is not None
    assert why in part.unusable[0].why
    with pytest.raises(Unreachable, match="Nothing can be recovered") as caught:
        choose_backup(window(bad, listing=archive(2, 3)), at=hours(2.5))
    assert why in caught.value.detail


def test_the_newest_backup_that_ends_before_the_target_is_chosen_and_explained() -> None:
    choice = chosen(window(backup(2), backup(4), backup(6), listing=archive(2, 3, 4, 5, 6, 7)), at=hours(5.5))
    assert (choice.backup.name, choice.whole, choice.first_segment) == ("b4", True, segment_name(1, 4))
    assert (
        choice.why
        == "b4 is the newest of 3 usable base backups that ends before the target: it ended 1 h 29 min earlier."
    )


def test_a_gap_after_the_target_does_not_matter_but_is_said() -> None:
    choice = chosen(window(backup(2), listing=archive(2, 3, 4, 6)), at=hours(3.5))
    assert (choice.backup.name, choice.whole) == ("b2", False)


def test_a_gap_before_the_target_refuses_with_the_nearest_moment() -> None:
    with pytest.raises(Unreachable, match="is missing") as caught:
        chosen(window(backup(2), listing=archive(2, 3, 5, 6)), at=hours(5.5))
    assert caught.value.nearest == hours(4)
    assert segment_name(1, 4) in caught.value.detail


def test_an_older_backup_is_no_help_across_a_gap_but_a_newer_one_is() -> None:
    assert chosen(window(backup(2), backup(5), listing=archive(2, 3, 5, 6)), at=hours(5.5)).backup.name == "b5"


def test_before_the_first_backup_is_refused_with_the_window() -> None:
    with pytest.raises(Unreachable, match="oldest usable base backup") as caught:
        chosen(window(backup(2), listing=archive(2, 3)), at=hours(1))
    assert caught.value.nearest == backup(2).stopped_at
    assert "2026-02-09 02:00:00" in caught.value.detail
    assert "nearest reachable moment" in caught.value.hint


def test_a_backup_whose_end_is_known_to_the_second_needs_that_second_to_be_over() -> None:
    whole = replace(backup(2), stopped_at=hours(2))
    with pytest.raises(Unreachable):
        chosen(window(whole, listing=archive(2, 3)), at=hours(2) + timedelta(microseconds=5))
    assert chosen(window(whole, listing=archive(2, 3)), at=hours(2) + timedelta(seconds=1)).backup.name == "b2"


def test_a_moment_after_all_saved_wal_is_refused() -> None:
    with pytest.raises(Unreachable, match="ends before it") as caught:
        chosen(window(backup(2), listing=archive(2, 3)), at=hours(9))
    assert caught.value.nearest == hours(4)


def test_with_the_tail_of_an_idle_server_the_present_is_reachable() -> None:
    tail = LiveTail(1, (segment_name(1, 4),), Lsn(0x4000100), hours(9))
    assert chosen(window(backup(2), listing=archive(2, 3), tail=tail), at=hours(8.9)).whole


def test_a_position_chooses_by_position() -> None:
    found = window(backup(2), backup(4), listing=archive(2, 3, 4, 5))
    assert chosen(found, lsn=Lsn(0x3500000)).backup.name == "b2"
    assert chosen(found, lsn=Lsn(0x4500000)).backup.name == "b4"
    with pytest.raises(Unreachable) as caught:
        chosen(found, lsn=Lsn(0x9000000))
    assert caught.value.nearest_lsn == 0x6000000


def test_the_very_end_of_a_backup_and_of_the_wal_can_be_reached() -> None:
    found = window(backup(2), backup(4), listing=archive(2, 3, 4, 5))
    end = backup(4).stop_lsn
    assert end is not None
    assert [chosen(found, lsn=Lsn(lsn)).backup.name for lsn in (end - 1, end, 0x6000000)] == ["b2", "b4", "b4"]
    with pytest.raises(Unreachable):
        chosen(found, lsn=Lsn(0x6000001))
    assert chosen(found, at=hours(6)).backup.name == "b4"
    with pytest.raises(Unreachable):
        chosen(found, at=hours(6) + timedelta(microseconds=1))


def test_a_backup_that_ended_nobody_knows_when_serves_no_time() -> None:
    unknown = replace(backup(4), stopped_at=None)
    assert chosen(window(backup(2), unknown, listing=archive(2, 3, 4, 5)), at=hours(5.5)).backup.name == "b2"
    with pytest.raises(Unreachable):
        chosen(window(unknown, listing=archive(4, 5)), at=hours(5.5))


def test_wal_of_which_nobody_knows_when_it_ends_is_not_too_early_for_a_time() -> None:
    found = recovery_window([backup(2)], archive(2, 3), {}, SYSTEM, 1, None)
    assert chosen(found, at=hours(9)).backup.name == "b2"


def test_latest_takes_the_newest_backup() -> None:
    assert chosen(window(backup(2), backup(4), listing=archive(2, 3, 4, 5))).backup.name == "b4"


def branched() -> Window:
    """A first recovery left timeline 1 within segment 8; backup 9 was made on the branch that was left."""
    listing = [*archive(5, 6, 7, 8, 9, 10), *archive(8, 9, timeline=2), ArchivedFile("00000002.history", 40)]
    return window(backup(5), backup(9), backup(9, timeline=2), listing=listing, histories={2: HISTORY_2}, live=2)


def test_after_a_recovery_the_left_branch_cannot_serve_the_new_one() -> None:
    part = branched().live
    assert part is not None
    assert [reach.backup.timeline for reach in part.reaches] == [1, 2]
    assert "after timeline 2 had branched off" in part.unusable[0].why


def test_after_a_recovery_both_branches_stay_reachable_by_name() -> None:
    found = branched()
    assert [part.timeline for part in found.timelines] == [2, 1]
    assert chosen(found, at=hours(10.5), timeline=1).backup.timeline == 1
    assert chosen(found, at=hours(8), timeline=2).backup.name == "b5"
    assert chosen(found, at=hours(9.5)).backup.timeline == 2


def test_a_timeline_without_its_history_says_so() -> None:
    part = window(backup(2), listing=archive(2, 3), live=3).live
    assert part is not None
    assert "history of timeline 3 is missing" in part.problem


def test_facts_survive_the_journal() -> None:
    choice = chosen(branched(), at=hours(9.5))
    for fact in (
        branched(),
        choice,
        backup(2),
        inventory(),
        parse_controldata(CONTROL),
        Target("time", "x", other=Target("latest", "y")),
    ):
        assert from_json(type(fact), json.loads(json.dumps(to_json(fact)))) == fact
