"""The doctor looks at each PostgreSQL of each site, and says of each under its name what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from actions.engine.errors import Away
from actions.engine.run import Run
from actions.findings import Finding
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.settings import Settings
from actions.settings.site import SiteSettings
from actions.store.store import Store
from tests.support.worlds.clock import Clock
from workers.doctor import postgres_checks, site_checks

BILLING = ServiceTable(name="billing-db", kind="postgres", archive="/b/wal", bases="/b/base", database="billing")


@dataclass
class Toolboxes:
    """What the doctor opens, by site and service; a site may be away."""

    opened: list[tuple[str, str]] = field(default_factory=list)
    away: str = ""

    def of(self, settings: Settings, _store: Store, site: str = "") -> Any:
        @contextmanager
        def opens(run: Run) -> Iterator[Any]:
            assert run.site == site
            self.opened.append((site, run.service))
            if site == self.away:
                raise Away("Docker did not answer.", hint="See that it runs.")
            told = settings.server(run.service, site)
            yield SimpleNamespace(docker=Named(f"host of {site}"), site=told or settings.own_server(site))

        return Opener(opens)


@dataclass
class Named:
    host: str


@dataclass
class Opener:
    open: Callable[[Run], Any]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Toolboxes:
    def told(_settings: Settings, patient: postgres_checks.Patient, folders: dict[str, str]) -> Iterator[Finding]:
        other = folders.setdefault(patient.site.archive, patient.site.postgres)
        yield Finding("database", other == patient.site.postgres, f"{patient.site.database}; {patient.take_one}")

    boxes = Toolboxes()
    monkeypatch.setattr(site_checks, "docker_toolbox", boxes.of)
    monkeypatch.setattr(postgres_checks, "check", told)
    return boxes


def found(settings: Settings) -> dict[str, tuple[bool, str]]:
    findings = site_checks.site_findings(settings, Store("sqlite://", Clock()))
    return {finding.name: (finding.ok, finding.seen) for finding in findings}


def test_of_one_server_everything_is_said_as_it_always_was(opened: Toolboxes) -> None:
    assert found(Settings()) == {
        "Docker": (True, "answers on host of main"),
        "database": (True, "nself_db; Take one: /backup run base"),
    }
    assert opened.opened == [("main", ""), ("main", "nself-postgres")]


def test_each_server_of_each_site_that_can_be_reached_is_named(opened: Toolboxes) -> None:
    given = Settings(
        services=(ServiceTable(name="nself-postgres"), BILLING),
        sites=(SiteTable(name="east", docker_host="tcp://east:2376", database="far"), SiteTable(name="west")),
    )
    assert found(given) == {
        "Docker": (True, "answers on host of main"),
        "nself-postgres: database": (True, "nself_db; Take one: /backup run base nself-postgres"),
        "billing-db: database": (True, "billing; Take one: /backup run base billing-db"),
        "Docker @ east": (True, "answers on host of east"),
        "nself-postgres: database @ east": (True, "far; Take one: /backup run base nself-postgres @ east"),
        "site west": (True, "not looked at: no docker_host is told; run mayday doctor there"),
    }
    assert ("west", "") not in opened.opened


def test_a_site_that_is_away_keeps_nobody_from_looking_at_the_other(opened: Toolboxes) -> None:
    opened.away = "main"
    said = found(Settings(sites=(SiteTable(name="east", docker_host="tcp://east:2376"),)))
    assert said["Docker"] == (False, "Docker did not answer.")
    assert said["nself-postgres: host"] == (False, "Docker did not answer.")
    assert said["nself-postgres: database @ east"][0]


def test_a_server_of_whose_backups_nothing_tells_is_ill(opened: Toolboxes) -> None:
    both = (ServiceTable(name="nself-postgres"), ServiceTable(name="reports", kind="postgres"))
    said = found(Settings(site=SiteSettings(postgres="nself-postgres"), services=both))
    ok, seen = said["reports: backups"]
    assert not ok
    assert "The settings do not say where the backups of reports lie." in seen
    assert ("main", "reports") not in opened.opened


def test_two_servers_with_one_archive_are_found() -> None:
    folders: dict[str, str] = {}
    first: Any = Served("shop-db", "/srv/wal", "/srv/shop/base")
    second: Any = Served("billing-db", "/srv/wal", "/srv/billing/base")
    assert list(postgres_checks.own_folders(first, folders)) == []
    [shared] = postgres_checks.own_folders(second, folders)
    assert (shared.ok, shared.seen) == (False, "/srv/wal is the WAL archive of shop-db too")


@dataclass
class Served:
    service: str
    archive: str
    bases: str
