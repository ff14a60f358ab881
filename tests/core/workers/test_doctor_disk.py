"""What the doctor says of the disk that the store shares with the data."""

from __future__ import annotations

from pathlib import Path

from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from actions.tools.folders import Room
from workers.doctor.disk_checks import check


def said(store: str, data: str, bases: str, docker: str = "") -> list[str]:
    settings = Settings(store=store, site=SiteSettings(docker_host=docker))
    rooms = {"data": Room(data, 1), "archive": Room("other", 1), "bases": Room(bases, 1), "/spc": Room(data, 1)}
    found = list(check(settings, rooms))
    assert all(finding.ok for finding in found), "one disk for all is no fault"
    return [finding.seen for finding in found]


def test_what_shares_the_stores_disk_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mayday.db"
    path.touch()
    own, store = str(path.stat().st_dev), f"sqlite:///{path}"
    [seen] = said(store, own, own)
    assert "on the disk of data, base backups:" in seen
    [seen] = said(store, "elsewhere", own, "unix:///run/docker.sock")
    assert "on the disk of base backups:" in seen
    assert said(store, "elsewhere", "elsewhere") == ["the store has another disk than data, archive and base backups"]


def test_nothing_is_said_where_numbers_of_devices_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mayday.db"
    path.touch()
    own = str(path.stat().st_dev)
    assert said(f"sqlite:///{path}", own, own, "tcp://10.0.0.5:2376") == []
    assert said("postgresql+psycopg://ops/mayday", own, own) == []
    assert said(f"sqlite:///{tmp_path / 'not there yet.db'}", own, own) == []
