"""The settings of a clone, the control file, and stale settings that came along with a backup."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import parse_controldata
from actions.postgres.lsn import Lsn
from actions.postgres.postmaster import CLONE
from actions.postgres.recovery_conf import CloneLimits, as_flags, clone_settings, strip_auto_conf
from actions.postgres.stops import Stop
from tests.support.paths import DATA

CONTROL_TEXT = (DATA / "controldata15.txt").read_text()
CONTROL = parse_controldata(CONTROL_TEXT)
STOP = Stop(Lsn(0x5A3F2C8), False)
GB = 1024**3
# What each version took away or did not have yet.
SINCE = {
    "recovery_init_sync_method": 14,
    "recovery_prefetch": 15,
    "wal_decode_buffer_size": 15,
    "log_startup_progress_interval": 15,
    "summarize_wal": 17,
}
GONE = (
    "promote_trigger_file",
    "standby_mode",
    "trigger_file",
    "wal_keep_segments",
    "vacuum_defer_cleanup_age",
    "old_snapshot_threshold",
    "db_user_namespace",
)


def settings(major: int = 15, stop: Stop = STOP, limits: CloneLimits | None = None) -> dict[str, str]:
    return dict(clone_settings(major, limits or CloneLimits.of(4 * GB, CONTROL), stop, 1))


def test_the_control_file_is_read() -> None:
    assert (CONTROL.system_identifier, CONTROL.timeline, CONTROL.segment_size, CONTROL.checksums) == (
        "7711024105692491025",
        1,
        16 * 1024**2,
        True,
    )
    assert (CONTROL.max_connections, CONTROL.max_prepared_transactions, CONTROL.wal_level) == (100, 5, "replica")
    assert CONTROL.checkpoint_at is not None


def test_a_control_file_in_another_language_or_cut_off_is_refused() -> None:
    with pytest.raises(RecoveryError, match="control file"):
        parse_controldata("\n".join(CONTROL_TEXT.splitlines()[:10]))


def test_a_clean_stop_is_told_from_a_crash() -> None:
    assert not CONTROL.cleanly_stopped
    assert replace(CONTROL, state="shut down").cleanly_stopped


@pytest.mark.parametrize("major", range(13, 19))
def test_only_settings_that_the_version_has_are_given(major: int) -> None:
    given = settings(major)
    assert {name for name in SINCE if name in given} == {name for name, since in SINCE.items() if major >= since}
    assert not set(GONE) & set(given)


def test_other_versions_are_refused() -> None:
    with pytest.raises(RecoveryError, match="not supported"):
        settings(12)


def test_other_targets_are_emptied_before_the_real_one_is_set() -> None:
    order = [
        (name, value)
        for name, value in clone_settings(15, CloneLimits.of(GB, CONTROL), STOP, 1)
        if name.startswith("recovery_target")
    ]
    assert order[-1] == ("recovery_target_lsn", "0/5A3F2C8")
    assert all(value == "" for name, value in order[:5])


def test_a_clone_neither_archives_nor_listens_nor_follows() -> None:
    given = settings()
    assert [
        given[name]
        for name in (
            "archive_mode",
            "listen_addresses",
            "primary_conninfo",
            "restore_command",
            "recovery_target_action",
        )
    ] == ["off", "", "", "false", "pause"]


def test_an_inclusive_stop_is_passed_on() -> None:
    assert settings(stop=Stop(Lsn(1), True))["recovery_target_inclusive"] == "on"
    assert settings()["recovery_target_inclusive"] == "off"


def test_limits_are_the_highest_of_backup_and_live_server() -> None:
    limits = CloneLimits.of(GB, CONTROL, replace(CONTROL, max_connections=300, max_prepared_transactions=0))
    given = settings(limits=limits)
    assert (given["max_connections"], given["max_prepared_transactions"], given["shared_buffers"]) == (
        "300",
        "5",
        "256MB",
    )


@pytest.mark.parametrize("major", range(13, 19))
def test_nothing_of_the_live_servers_ways_in_is_needed_to_ask_the_clone(major: int) -> None:
    given = settings(major)
    assert (given["unix_socket_directories"], given["port"]) == (CLONE.host, str(CLONE.port))
    assert all(given[name].startswith(f"{CLONE.host}/") for name in ("config_file", "hba_file", "ident_file"))
    assert (given["unix_socket_group"], given["external_pid_file"]) == ("", "")


def test_what_a_promotion_would_throw_away_is_kept_as_the_control_files_say() -> None:
    one = replace(CONTROL, track_commit_timestamp=True, wal_level="logical")
    given = settings(limits=CloneLimits.of(GB, CONTROL, one))
    assert (given["track_commit_timestamp"], given["wal_level"], given["wal_log_hints"]) == ("on", "logical", "off")


def test_a_clone_has_room_for_every_origin_that_came_along_and_runs_no_logical_worker() -> None:
    assert settings(17)["max_replication_slots"] == settings(18)["max_active_replication_origins"] == "1000"
    assert "max_active_replication_origins" not in settings(17)
    assert settings()["max_logical_replication_workers"] == "0"


def test_the_log_speaks_english_and_loud_enough_for_the_proof() -> None:
    given = settings()
    assert (given["lc_messages"], given["log_min_messages"]) == ("C", "warning")


def test_settings_become_arguments() -> None:
    assert as_flags((("a", "b c"), ("d", ""))) == ["-c", "a=b c", "-c", "d="]


def test_stale_settings_are_taken_out_of_the_file_and_reported() -> None:
    text = (
        "# Do not edit this file manually!\nwork_mem = '8MB'\nrecovery_target_time = '2020-01-01 "
        "00:00:00+00'\nRestore_Command='cp x'\n"
        "primary_conninfo = 'host=a password=b'\ninclude_if_exists 'more.conf'\nrestore_commands.note = "
        "'x'\n#recovery_target_xid = '1'\n"
    )
    kept, removed = strip_auto_conf(text)
    stale = ("recovery_target_time", "Restore_Command", "primary_conninfo")
    assert kept == "".join(line for line in text.splitlines(keepends=True) if not line.startswith(stale))
    assert [line.partition(" ")[0].partition("=")[0] for line in removed] == [
        "recovery_target_time",
        "Restore_Command",
        "primary_conninfo",
    ]


def test_a_file_without_stale_settings_stays_as_it_is() -> None:
    assert strip_auto_conf("a = 'b'") == ("a = 'b'", ())
