"""The proof after the cut-over: the right server serves and takes writes, and the old data is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.engine.errors import RecoveryError
from actions.engine.facts import volatile
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.find_tablespaces import Tablespaces, kept_words
from actions.steps.postgres.target import Aim
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.sql import Sql
from actions.tools.web import Web

_SMOKE_SECONDS = 20.0
# The timeline is read from the WAL's name, as the control file may lag behind. In recovery no server gives out an xid.
_WRITABLE = (
    "select pg_is_in_recovery() as recovering, current_setting('transaction_read_only') as read_only, "
    "(select system_identifier::text from pg_control_system()) as system, pg_current_xact_id()::text as xid, "
    "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline"
)


@dataclass(frozen=True)
class Proof:
    """The server in service again: which timeline it writes, and a transaction it could begin."""

    timeline: int
    transaction: str = volatile()

    def says(self) -> str:
        """The proof in one line."""
        return f"writable on timeline {self.timeline}"


@dataclass(frozen=True)
class Kept:
    """Where the old data lies, and until when it is promised to stay."""

    path: str
    until: datetime
    text: str

    def says(self) -> str:
        """The sentence."""
        return self.text


def prove_writable(aim: Aim, server: Server, sql: Sql) -> Proof:
    """Prove that the server in service is this cluster, on a new timeline, and takes writes.

    Raises:
        RecoveryError: it is not; nobody writes yet, so undo brings the old data back.
    """
    proof, wrong = _proven(server, sql, aim.timeline)
    if wrong:
        raise RecoveryError(
            "The server in service is not the recovered one.",
            code="MD-PG-048",
            detail=wrong,
            hint="Undo brings the old data back.",
        )
    return proof


def prove_promoted(server: Server, sql: Sql) -> Proof:
    """Prove that a standby which was promoted is this cluster, on a new timeline, and takes writes.

    Raises:
        RecoveryError: it is not.
    """
    proof, wrong = _proven(server, sql, server.timeline)
    if wrong:
        raise RecoveryError(
            f"{server.service} was promoted and is not in order.",
            code="MD-PG-098",
            detail=wrong,
            hint=f"Look at docker logs {server.service}. The old primary stays fenced; clients were not repointed.",
        )
    return proof


def _proven(server: Server, sql: Sql, earlier: int) -> tuple[Proof, str]:
    """The proof, and what speaks against it; empty where nothing does."""
    row = sql.rows(server.service, server, _WRITABLE, seconds=20)[0]
    timeline = int(row["timeline"], 16)
    wrong = []
    if row["recovering"] or row["read_only"] == "on":
        wrong.append("it is read-only")
    if row["system"] != server.system_identifier:
        wrong.append(f"its system identifier is {row['system']}, not {server.system_identifier}")
    if timeline <= earlier:
        wrong.append(f"it writes timeline {timeline}, not a new one")
    return Proof(timeline, row["xid"]), f"{'; '.join(wrong)}." if wrong else ""


def where_kept(server: Server, tablespaces: Tablespaces, names: Names, site: SiteConfig, now: datetime) -> Kept:
    """Where the old data lies from now on."""
    path = f"{server.home.parent}/{names.before_leaf(server.home)}"
    until = now + timedelta(days=site.kept_days)
    more = f", its tablespaces in {kept_words(tablespaces, names)}," if tablespaces.all else ""
    text = f"The old data lies in {path}{more} and is kept until {until:%Y-%m-%d}; nothing removes it by itself."
    return Kept(path, until, text)


def smoke_test(site: SiteConfig, web: Web, polling: Polling) -> None:
    """Write and read once through the application, where the settings say how.

    Whoever kept connections to the old server learns only by using them that they are gone, so the first
    answers may fail.
    """
    if not polling.until(lambda: smoke_passed(site, web), seconds=_SMOKE_SECONDS, every=1.0):
        status, body = web.get(site.smoke_url)
        raise RecoveryError(
            "The smoke test through the application failed.",
            code="MD-PG-049",
            detail=f"{status}: {body[:300]}",
            hint=f"The database is recovered. Look at what answers at {site.smoke_url}, then Retry.",
        )


def smoke_passed(site: SiteConfig, web: Web) -> bool:
    """Whether the application writes and reads."""
    return not site.smoke_url or web.get(site.smoke_url)[0] == 200
