"""Two practice companies never meet, and their notes survive a reader at any moment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError
from lab import town_process
from lab.home import Lab
from lab.images import Images
from lab.ports import choose_ports, is_free
from lab.services import POSTGRES_SETTINGS, services_of
from tests.support.paths import ROOT


def test_labs_of_another_prefix_and_project_share_no_name(tmp_path: Path) -> None:
    one, other = Lab(tmp_path / "a"), Lab(tmp_path / "b", prefix="mt1-", project="mt1")

    assert not set(one.names) & set(other.names)
    assert one.network != other.network
    assert one.postgres_volume != other.postgres_volume


def test_the_default_lab_has_the_names_of_the_manual(tmp_path: Path) -> None:
    assert {"nself-postgres", "nself-redis", "nself-functions", "mayday-queue"} < set(Lab(tmp_path).names)


def test_the_lab_is_found_again_as_it_was_started(tmp_path: Path) -> None:
    Lab(tmp_path).write_state(layout="subdir", lean=True, prefix="x-", project="x")

    assert Lab.saved(tmp_path) == Lab(tmp_path, prefix="x-", project="x", layout="subdir", lean=True)


def test_notes_are_merged(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.write_state(ports={"redis": 21_000})
    lab.write_state(pids={"town": 1})

    assert lab.port("redis") == 21_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab.json"]


def test_an_unknown_port_says_how_to_start_the_lab(tmp_path: Path) -> None:
    with pytest.raises(RecoveryError) as refusal:
        Lab(tmp_path).port("functions")

    assert "mayday lab up" in refusal.value.hint


def test_a_port_is_kept_while_it_is_free_and_replaced_when_it_is_taken() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        taken = held.getsockname()[1]
        first = choose_ports(["a", "b"], {"a": taken})
        again = choose_ports(["a", "b"], first)

        assert not is_free(taken)
        assert first["a"] != taken
        assert len(set(first.values())) == 2
        assert again == first


@pytest.mark.parametrize("layout", ["volume", "subdir"])
def test_a_named_volume_holds_the_data_in_the_other_layouts(tmp_path: Path, layout: str) -> None:
    lab = Lab(tmp_path, layout=layout)  # type: ignore[arg-type]
    postgres = services_of(lab, Images("pg", "redis", "standin"))[0]

    assert postgres.volumes["nself-postgres-data"]["bind"] == "/var/lib/postgresql/data"
    assert postgres.environment["PGDATA"].endswith("/pgdata") == (layout == "subdir")


def test_every_service_comes_after_those_it_needs(tmp_path: Path) -> None:
    seen: set[str] = set()
    for service in services_of(Lab(tmp_path), Images("pg", "redis", "standin")):
        assert set(service.needs) <= seen
        seen.add(service.name)


def test_no_password_stands_on_a_command_line_or_in_an_environment(tmp_path: Path) -> None:
    for service in services_of(Lab(tmp_path), Images("pg", "redis", "standin")):
        told = [*service.command, *service.environment]
        assert not [text for text in told if "PASSWORD" in text.upper() and not text.endswith("_FILE")]


def test_no_setting_is_one_that_a_newer_postgres_has_dropped() -> None:
    assert not POSTGRES_SETTINGS.keys() & {"wal_keep_segments", "promote_trigger_file", "standby_mode"}


def test_a_process_that_got_the_number_of_the_town_is_not_taken_for_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.write_state(pids={"town": os.getpid()})

    assert not town_process.is_alive(lab)


def test_the_town_survives_servers_that_are_not_there_and_ends_when_it_is_told(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.write_state(ports={"functions": 9})
    town_process.start(lab)
    end = time.monotonic() + 10
    while not town_process.is_alive(lab) and time.monotonic() < end:
        time.sleep(0.05)  # Until its command line is its own.

    assert town_process.is_alive(lab)
    town_process.stop(lab)
    assert not town_process.is_alive(lab)


def archive(tmp_path: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Runs the archive script on a file `wal`, with its archive in a directory of the test."""
    script = (ROOT / "bot/first_start/archive_wal.sh").read_text()
    local = tmp_path / "archive_wal.sh"
    local.write_text(script.replace("/backups/postgres/wal", str(tmp_path / "archive")))
    command = ["sh", str(local), str(tmp_path / "wal"), name]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="the script runs in a container of Debian")
def test_the_archive_takes_a_file_once_and_never_another_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / ".archive-id").write_text("7")
    (tmp_path / "wal").write_text("one")
    assert archive(tmp_path, "A").returncode == 0
    assert archive(tmp_path, "A").returncode == 0

    (tmp_path / "wal").write_text("two")
    refused = archive(tmp_path, "A")

    assert refused.returncode == 1
    assert "other content" in refused.stderr
    assert (tmp_path / "archive" / "A").read_text() == "one"
    assert sorted(path.name for path in (tmp_path / "archive").iterdir()) == [".archive-id", "A"]


def test_an_empty_directory_is_not_taken_for_the_archive(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "wal").write_text("one")

    assert archive(tmp_path, "A").returncode == 1
    assert not list((tmp_path / "archive").iterdir())
