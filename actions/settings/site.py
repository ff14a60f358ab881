"""The settings of a site and its PostgreSQL servers: as they stand in the file, and as steps see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from actions.postgres.shown_rows import ShownTable
from actions.settings.checked import Checked


@dataclass(frozen=True)
class SiteConfig:
    """The settings of one PostgreSQL of a site that steps need: which containers, which database, which folders.

    `archive` and `bases` are paths as the Postgres container sees them; `kept_days` is how long old data is
    promised to be kept; `approval_rows` is how many more rows than were shown an approval of a cut-over covers;
    `hold_seconds` is how long the writers wait after the swap while people look (0: not at all);
    `newest_table` is the table whose newest row people recognise; `compare_seconds` is how long
    clone and live data are compared at most. `clone_libraries` are preloaded libraries that the clone loads too, though
    Mayday does not know them. `data_directory` is where the data lies, as the container sees it, for a server that is
    down and that nothing else tells of. `backup_rate` is how fast a base backup reads at most, as `pg_basebackup
    --max-rate` takes it; empty for as fast as it can. `dumps` are folders of dumps, as the container sees them.
    `preview` are the tables of which rows may be shown before a cut-over.
    """

    name: str
    postgres: str
    database: str
    user: str
    archive: str
    bases: str
    writers: tuple[str, ...]
    smoke_url: str = ""
    newest_table: str = ""
    kept_days: int = 14
    approval_rows: int = 1000
    hold_seconds: float = 30
    clone_libraries: tuple[str, ...] = ()
    compare_seconds: float = 120
    data_directory: str = ""
    backup_rate: str = "100M"
    dumps: tuple[str, ...] = ()
    preview: tuple[ShownTable, ...] = ()
    address: str = ""
    """Where its standbys reach it: a host, or `host:port`; empty for the name of its container, and its own port."""
    replication_from: str = "samenet"
    """From where its standbys come, as an address of pg_hba.conf."""
    replication_user: str = ""
    """As which role it follows its primary; empty for one of its own, which Mayday makes."""
    told_in: str = ""
    """The table that tells of it, in words; empty for `[site]`."""

    def setting(self, name: str) -> str:
        """One of these settings as an error names it, so that people look into the right table."""
        return setting_named(self.told_in, name)


SERVICES = "[[services]]"
"""The tables of services, in which a server is not named by `postgres` but by itself."""


def setting_named(told_in: str, name: str) -> str:
    """A setting of a server by its name and its table: `site.user`, or `user` in the table of nself-analytics."""
    if not told_in:
        return f"`site.{name}`"
    return f"`{'container' if name == 'postgres' and SERVICES in told_in else name}` in {told_in}"


def checked_rate(said: str) -> str:
    """A rate as `pg_basebackup --max-rate` takes it, 32 kB to 1 GB a second; empty is no limit.

    Raises:
        ValueError: it would be refused there.
    """
    found = re.fullmatch(r"([0-9]{1,7})([kM]?)", said)
    if said and not (found and 32 <= int(found[1]) * (1024 if found[2] == "M" else 1) <= 1024 * 1024):
        raise ValueError("give it as pg_basebackup does: 32k to 1024M a second, or empty for as fast as it can")
    return said


Rate = Annotated[str, AfterValidator(checked_rate)]


def _matching(pattern: str, wants: str) -> AfterValidator:
    def checked(said: str) -> str:
        if not re.fullmatch(pattern, said):
            raise ValueError(f"'{said[:70]}' is {wants}")
        return said

    return AfterValidator(checked)


Address = Annotated[
    str,
    _matching(
        r"|(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?",
        'no address; write a host or host:port, such as "10.0.0.5:5432", and IPv6 in brackets',
    ),
]
ComesFrom = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9.:_-]{1,253}(?:/[0-9]{1,3})?",
        'no address of pg_hba.conf; write samenet, all, a host, or a network such as "10.0.0.0/24"',
    ),
]
RoleName = Annotated[str, _matching(r"|[a-z_][a-z0-9_]{0,62}", "no role; write small letters, digits and underscores")]


class SiteSettings(Checked):
    """One Docker host with its own PostgreSQL, and folders as that one's container sees them.

    What it says of users, databases and limits holds for its other servers too, where their tables do not say it.
    """

    name: str = "main"
    postgres: str = "nself-postgres"
    database: str = "nself_db"
    user: str = "postgres"
    archive: str = "/backups/postgres/wal"
    bases: str = "/backups/postgres/base"
    writers: tuple[str, ...] = ("nself-functions", "nself-hasura", "nself-auth")
    smoke_url: str = ""
    newest_table: str = ""
    kept_days: int = Field(default=14, ge=1)
    approval_rows: int = Field(default=1000, ge=0)
    hold_seconds: float = Field(default=30, ge=0, le=3600)
    clone_libraries: tuple[str, ...] = ()
    compare_seconds: float = Field(default=120, ge=1)
    data_directory: str = ""
    backup_rate: Rate = "100M"
    docker_host: str = ""
    compose_project: str = ""
    dumps: tuple[str, ...] = ("/backups/postgres/daily", "/backups/postgres/weekly")
    address: Address = ""
    replication_from: ComesFrom = "samenet"
    replication_user: RoleName = ""

    def site(self) -> SiteConfig:
        """The part that steps see of its own server."""
        return SiteConfig(**self.model_dump(exclude={"docker_host", "compose_project"}))


class ToldServer(Checked):
    """What a table of `[[services]]` says of a PostgreSQL; None is what it does not say."""

    database: str | None = None
    user: str | None = None
    archive: str | None = None
    bases: str | None = None
    writers: tuple[str, ...] | None = None
    smoke_url: str | None = None
    newest_table: str | None = None
    kept_days: int | None = Field(default=None, ge=1)
    approval_rows: int | None = Field(default=None, ge=0)
    hold_seconds: float | None = Field(default=None, ge=0, le=3600)
    clone_libraries: tuple[str, ...] | None = None
    compare_seconds: float | None = Field(default=None, ge=1)
    data_directory: str | None = None
    backup_rate: Rate | None = None
    dumps: tuple[str, ...] | None = None
    address: Address | None = None
    replication_from: ComesFrom | None = None
    replication_user: RoleName | None = None

    def said_of_server(self) -> dict[str, Any]:
        """What it says, by the names of the fields of `SiteConfig`."""
        said = {name: getattr(self, name) for name in ToldServer.model_fields}
        return {name: value for name, value in said.items() if value is not None}
