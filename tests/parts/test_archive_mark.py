"""The archive's mark, made in a real server: its own identifier, on a mount alone, never over another system's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actions.findings import Finding
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from tests.support.small_server import SmallServer, small_server
from workers.postgres.archive_mark import make_marks

pytestmark = pytest.mark.parts


@pytest.fixture(scope="module")
def world() -> Iterator[SmallServer]:
    with small_server() as made:
        yield made


def marked(world: SmallServer, archive: str = "/backups/wal", postgres: str = "") -> Finding:
    site = SiteSettings(postgres=postgres or world.name, archive=archive, writers=())
    [found] = make_marks(Settings(site=site))
    return found


def test_the_mark_says_which_system_the_archive_is_of_and_is_made_once(world: SmallServer) -> None:
    mark = world.root / "backups/wal/.archive-id"
    first = marked(world)
    assert first.ok, first
    assert mark.read_text().strip() == world.server.system_identifier
    assert mark.stat().st_mode & 0o777 == 0o644
    before = mark.stat().st_mtime_ns
    assert marked(world).ok
    assert mark.stat().st_mtime_ns == before


def test_the_mark_of_another_system_is_left_and_told(world: SmallServer) -> None:
    mark = world.root / "backups/wal/.archive-id"
    mark.write_text("7\n")
    found = marked(world)
    assert not found.ok
    assert "belongs to the system 7" in found.seen
    assert mark.read_text() == "7\n"


def test_a_folder_that_would_vanish_with_the_container_gets_none(world: SmallServer) -> None:
    found = marked(world, "/var/lib/nowhere")
    assert (found.ok, "lies on no mount" in found.seen) == (False, True)


def test_a_folder_that_is_not_there_is_told_with_what_makes_it(world: SmallServer) -> None:
    found = marked(world, "/backups/other/wal")
    assert not found.ok
    assert f"docker exec -u root {world.name}" in found.do


def test_without_the_container_it_is_told_what_comes_first() -> None:
    site = SiteSettings(postgres="mayday-test-no-such", writers=())
    [found] = make_marks(Settings(site=site))
    assert not found.ok
    assert "mayday init --mark" in found.do
