"""Where data lies on the host: what can be swapped by a rename there, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import Refused
from actions.steps.postgres.data_place import (
    DataPlace,
    data_home,
    fleeting_volumes,
    is_local,
    must_be_swappable,
    on_host,
    placed,
    really_mounted,
)
from actions.tools.docker import Container, Mount
from actions.tools.folders import DataHome
from tests.support.worlds.company import SITE
from tests.support.worlds.folders import WorldFolders
from tests.support.worlds.founding import container
from tests.support.worlds.lies import called
from tests.support.worlds.planned import Company

DATA = "/var/lib/postgresql/data"


def mounted(*mounts: Mount) -> Container:
    return container(SITE.postgres, mounts=mounts)


def bind(source: str, target: str) -> Mount:
    return Mount("bind", source, target)


@pytest.mark.parametrize(
    ("mount", "home"),
    [
        (bind("/srv/pg/data", DATA), DataHome("/srv/pg", "data", DATA)),
        (bind("/srv/pg", "/var/lib/postgresql"), DataHome("/srv/pg", "data", DATA)),
        (Mount("volume", "/v/_data", DATA, "pg"), DataHome("/v", "_data", DATA)),
        # A folder below a volume that Docker mounts only while it is used can be swapped within it.
        (Mount("volume", "/v", "/var/lib/postgresql", "pg", fleeting="nfs :/x"), DataHome("/v", "data", DATA)),
    ],
)
def test_data_on_a_disk_has_a_place_on_the_host(mount: Mount, home: DataHome) -> None:
    assert data_home(mounted(mount), DATA) == home


@pytest.mark.parametrize(
    ("mount", "why"),
    [
        (bind("/srv/x", "/var/lib/other"), "is not on a mount"),
        (Mount("tmpfs", "", DATA), "lies in memory"),
        (Mount("volume", "/v", DATA, "pg", fleeting="tmpfs"), "lies in memory"),
        (Mount("volume", "/v", "/var/lib/postgresql", "pg", fleeting="tmpfs x"), "lies in memory"),
        (Mount("volume", "/v", DATA, "pg", fleeting="nfs :/x"), "is the whole of the volume pg"),
    ],
)
def test_data_that_no_rename_can_swap_is_refused(mount: Mount, why: str) -> None:
    with pytest.raises(Refused, match=why):
        data_home(mounted(mount), DATA)


@pytest.mark.parametrize("part", ["base", "global/x", "pg_wal", "pg_tblspc/16400"])
def test_a_part_of_the_data_with_a_mount_of_its_own_is_refused(part: str) -> None:
    with pytest.raises(Refused, match=f"{part.split('/')[0]} in the data directory of {SITE.postgres} is a mount"):
        data_home(mounted(bind("/srv/pg/data", DATA), bind("/srv/wal", f"{DATA}/{part}")), DATA)


@pytest.mark.parametrize("target", [f"{DATA}/conf.d", f"{DATA}_wal/pg_wal", "/etc/pg_hba.conf"])
def test_other_mounts_beside_and_within_it_are_none_of_its_parts(target: str) -> None:
    assert data_home(mounted(bind("/srv/pg/data", DATA), bind("/srv/x", target)), DATA).leaf == "data"


def test_a_folder_of_backups_has_to_be_mounted() -> None:
    assert on_host(mounted(bind("/srv/b", "/backups")), "/backups/wal") == "/srv/b/wal"
    with pytest.raises(Refused, match=f"/backups/wal is not mounted into {SITE.postgres}") as refused:
        on_host(mounted(bind("/srv/b", "/backup")), "/backups/wal", "WAL")
    assert refused.value.detail == "Its files must lie on a mount."


@pytest.mark.parametrize(
    ("mount", "local"),
    [
        (bind("/a", "/b"), True),
        (Mount("volume", "/a", "/b", "v"), True),
        (Mount("volume", "/a", "/b", "v", driver="local"), True),
        (Mount("volume", "/a", "/b", "v", driver="rexray"), False),
        (Mount("volume", "/a", "/b", "v", fleeting="nfs :/x"), False),
        (Mount("tmpfs", "/a", "/b"), False),
        (Mount("npipe", "/a", "/b", driver="local"), False),
    ],
)
def test_what_can_be_renamed_at_any_time_is_local(mount: Mount, local: bool) -> None:
    assert is_local(mount) is local


@pytest.mark.parametrize(
    ("mount", "problem"),
    [
        (bind("/srv/fast", "/fast"), ""),
        (bind("/srv/other", "/other"), "it is on no mount: it lies within the container, lost with it"),
        (Mount("volume", "/a", "/fast", "v", driver="rexray"), "it lies on a volume of driver 'rexray'"),
        (Mount("volume", "/a", "/fast", "v", fleeting="nfs :/x"), "it lies on a volume of nfs :/x"),
    ],
)
def test_a_tablespace_is_swapped_only_where_it_lies_on_a_disk_of_the_host(mount: Mount, problem: str) -> None:
    found = placed(mounted(mount), DataHome("/srv/pg", "data", DATA), 15, 16400, "/fast/one")
    assert (found.problem, found.parent) == (problem, "" if problem else "/srv/fast/one")
    assert placed(mounted(bind("/d", DATA)), DataHome("/", "d", DATA), 15, 1, f"{DATA}/ts").problem.startswith(
        "it lies in"
    )


@pytest.mark.parametrize(
    ("driver", "options", "source", "fleeting"),
    [
        ("local", {}, "/v/_data", ""),
        ("", {"type": "none", "o": "bind", "device": "/disk/pg"}, "/disk/pg", ""),
        ("local", {"type": "none", "o": "rw,rbind", "device": "/disk/pg"}, "/disk/pg", ""),
        ("local", {"type": "bind", "device": "/disk/pg"}, "/disk/pg", ""),
        ("local", {"type": "none", "o": "rw", "device": "/disk/pg"}, "/v/_data", "none /disk/pg"),
        ("local", {"type": "nfs", "o": "bind", "device": ":/x"}, "/v/_data", "nfs :/x"),
        ("local", {"type": "ext4", "o": "bind", "device": "/dev/sdb"}, "/v/_data", "ext4 /dev/sdb"),
        ("local", {"type": "tmpfs"}, "/v/_data", "tmpfs"),
        ("rexray", {}, "/v/_data", "the driver rexray"),
    ],
)
def test_a_volume_lies_where_its_options_say(driver: str, options: dict[str, str], source: str, fleeting: str) -> None:
    docker: Any = SimpleNamespace(volume_options=lambda name: options)
    volume = Mount("volume", "/v/_data", DATA, "pg", driver)
    (found,) = really_mounted(mounted(volume), docker).mounts
    assert (found.source, found.fleeting) == (source, fleeting)
    plain = Mount("bind", "/v/_data", DATA)
    assert really_mounted(mounted(plain), docker).mounts == (plain,)
    assert fleeting_volumes(mounted(found, plain)) == ((("/v/_data", "pg"),) if fleeting else ())


def test_a_directory_that_cannot_be_renamed_or_that_others_write_to_is_not_swapped(here: Company) -> None:
    here.ask("postgres pitr", "08:30:30")
    here.work()
    server = called(here, lambda server: server)
    path = f"{server.home.parent}/{server.home.leaf}"
    assert called(here, must_be_swappable) == DataPlace(path)
    folders = WorldFolders(here.world)
    folders.swappable = lambda data, names: "it is read-only"  # type: ignore[method-assign]
    with pytest.raises(Refused, match="cannot be swapped by a rename") as refused:
        called(here, must_be_swappable, folders=folders)
    assert refused.value.detail == f"{path}: it is read-only"
    folders.swappable = lambda data, names: ""  # type: ignore[method-assign]
    folders.users = lambda data: ("backup", "shell")  # type: ignore[method-assign]
    with pytest.raises(Refused, match="backup, shell has the data directory"):
        called(here, must_be_swappable, folders=folders)
