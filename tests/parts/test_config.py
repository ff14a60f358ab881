"""Configuration files of a real server: read, held against those of a backup, and laid into a copy of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.engine.errors import RecoveryError
from actions.postgres.config_changes import Changes, changes
from actions.postgres.config_files import ConfigPlace, place_of
from tests.support.small_server import SmallServer, quiet, small_server, tidy, with_history

pytestmark = pytest.mark.parts
KEY = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    """A server whose configuration went on after its base backup: in files of its own, a folder, a link, a key."""
    with small_server() as made:
        with_history(made)
        live = data(made)
        (live / "conf.d").mkdir()
        backup = made.root / "backups/base/b1"
        (backup / "conf.d").mkdir()
        write(backup / "conf.d/old.conf", "work_mem = 1MB\n")
        write(live / "conf.d/new.conf", "work_mem = 2MB\n")
        write(live / "conf.d/notes.txt", "nothing\n")
        for where in (live, backup):
            with (where / "postgresql.conf").open("a") as file:
                file.write("include_dir = 'conf.d'\ninclude_if_exists = 'outside.conf'\n")
        write(live / "pg_hba.conf", "local all all trust\nhost all all all reject\n")
        write(live / "server.key", KEY)
        write(live / "postgresql.auto.conf", "primary_conninfo = 'host=other'\nmaintenance_work_mem = '99MB'\n")
        (live / "outside.conf").symlink_to("/etc/somewhere/outside.conf")
        yield made
        tidy(made)


def data(world: SmallServer) -> Path:
    return world.parent / world.server.home.leaf


def clone(world: SmallServer) -> Path:
    return world.parent / world.names.clone_leaf(world.server.home)


def write(path: Path, text: str) -> None:
    path.write_text(text)
    os.chown(path, 999, 999)
    path.chmod(0o600)


def found(world: SmallServer, **other: str) -> Changes:
    live, backup = world.files.configuration(world.server, **other)
    return changes(live, backup, place(world))


def place(world: SmallServer) -> ConfigPlace:
    return place_of(world.server.command, world.server.home.inside)


def test_nothing_but_configuration_is_read_and_a_key_by_its_digest_alone(world: SmallServer) -> None:
    live, none = world.files.configuration(world.server)
    assert {"postgresql.conf", "pg_hba.conf", "conf.d/new.conf", "server.key", "outside.conf"} <= set(live.files)
    assert not [path for path in live.files if path.startswith(("base/", "global/", "pg_wal", "PG_VERSION"))]
    assert live.files["server.key"].text is None
    assert live.files["outside.conf"].digest == "-> /etc/somewhere/outside.conf"
    assert (live.there, live.broken, live.prepared, none.there) == (True, "", 0, False)


def test_settings_that_the_server_would_not_start_with_are_found_without_starting_it(world: SmallServer) -> None:
    broken = data(world) / "conf.d/broken.conf"
    write(broken, "max_connectoins = 3\n")
    try:
        said = world.files.configuration(world.server)[0].broken
        assert 'unrecognized configuration parameter "max_connectoins"' in said
    finally:
        broken.unlink()


def test_the_live_files_are_laid_into_the_copy_also_by_one_who_comes_after_a_death(world: SmallServer) -> None:
    world.files.copy_base(world.server, world.names, "b1", 1, quiet)
    before = {path: path.lstat().st_mtime_ns for path in sorted(data(world).rglob("*.conf"))}
    wanted = found(world, backup="b1")
    assert wanted == found(world, leaf=clone(world).name)
    assert "work_mem: 2MB (in the backup: 1MB)" in wanted.lines
    assert "maintenance_work_mem: 99MB (in the backup: not set)" in wanted.lines
    # As a death between the two renames of one file leaves it.
    os.rename(clone(world) / "pg_hba.conf", clone(world) / f"pg_hba.conf.before_{world.names.run}")
    for _ in range(2):
        world.files.lay_configuration(world.server, world.names, wanted)
    assert found(world, leaf=clone(world).name) == Changes()
    assert "all reject" not in (clone(world) / f"pg_hba.conf.before_{world.names.run}").read_text()
    assert (clone(world) / "conf.d/new.conf").read_text() == "work_mem = 2MB\n"
    assert (clone(world) / "conf.d/new.conf").stat().st_uid == 999
    assert (clone(world) / f"conf.d/old.conf.before_{world.names.run}").read_text() == "work_mem = 1MB\n"
    assert (clone(world) / "server.key").read_text() == KEY
    assert os.readlink(clone(world) / "outside.conf") == "/etc/somewhere/outside.conf"
    assert (clone(world) / "postgresql.auto.conf").read_text() == "maintenance_work_mem = '99MB'\n"
    assert {path: path.lstat().st_mtime_ns for path in sorted(data(world).rglob("*.conf"))} == before


def test_a_file_that_is_not_as_it_was_shown_is_not_laid(world: SmallServer) -> None:
    wanted = found(world, backup="b1")
    write(clone(world) / "conf.d/new.conf", "work_mem = 9MB\n")
    write(data(world) / "conf.d/new.conf", "work_mem = 3MB\n")
    try:
        with pytest.raises(RecoveryError, match="has changed since it was shown"):
            world.files.lay_configuration(world.server, world.names, wanted)
    finally:
        write(data(world) / "conf.d/new.conf", "work_mem = 2MB\n")
