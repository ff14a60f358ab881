"""Asking the live server before anything is planned: only a primary is recovered, and who cannot log in is told so."""

from __future__ import annotations

from dataclasses import replace

from actions.engine.errors import Away, RecoveryError, Refused
from actions.postgres.live_server import LIVE_SQL, Live, read_live
from actions.postgres.preload import Preload, preload
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.tools.sql import LoginRefused, Sql
from actions.wording import counted, verb

_SECONDS = 15.0
_MAINTENANCE = ("postgres", "template1")
# What is said, in English, of a user who may not come in: src/backend/libpq/auth.c, miscinit.c, libpq. Another
# rejection (too many clients, a catalogue that cannot be read) comes of a server that has to be recoverable.
_NO_ENTRY = (
    "no pg_hba.conf entry",
    "pg_hba.conf rejects",
    "authentication failed",
    "no password supplied",
    "is not permitted to log in",
    'role "',
    "no PostgreSQL user name specified",
)


def ask_live(server: Server, sql: Sql) -> Live:
    """Ask the live server; one that is down or broken does not answer, and that is said.

    Raises:
        Refused: it answers, and the settings do not get Mayday in.
    """
    if server.state != "running":
        return Live(silent=f"its container is {server.state}", preload=server.preload)
    try:
        return _asked(server, sql, "")
    except LoginRefused as refused:
        return _elsewhere(server, sql, refused)
    except Away:
        raise
    except RecoveryError as silent:
        return Live(silent=silent.detail or silent.message, preload=server.preload)


def _asked(server: Server, sql: Sql, database: str) -> Live:
    said = sql.values(server.service, server, [LIVE_SQL], seconds=_SECONDS, database=database)[0].must()
    return replace(read_live(said), no_replication=sql.replicates(server.service, server))


def _elsewhere(server: Server, sql: Sql, refused: LoginRefused) -> Live:
    """The database of the settings may be what was lost; then the server is asked in another one."""
    if f'database "{server.database}" does not exist' in refused.detail:
        for database in _MAINTENANCE:
            try:
                return replace(_asked(server, sql, database), missing=server.database)
            except LoginRefused:
                continue
    if any(words in refused.detail for words in _NO_ENTRY):
        raise Refused(
            f"{server.service} does not let Mayday in as {server.user}, so nothing of a recovery could be proven.",
            code="MD-PG-018",
            detail=refused.detail,
            hint=f"Set {server.setting('user')} to a superuser who may log in within the container: a line "
            f"`local all {server.user} trust` (or peer, for the user whom the server runs as) at the top of "
            "pg_hba.conf, or the password in POSTGRES_PASSWORD or in the ~/.pgpass of the server's user. Reload the "
            "server, then ask again.",
        )
    return Live(silent=refused.detail, preload=server.preload)


def ask_primary(server: Server, sql: Sql) -> Live:
    """The same, for a recovery or a backup, which only a primary can have.

    Raises:
        Refused: it is a standby, or in recovery, or the user of the settings is no superuser.
    """
    return must_be_primary(server, ask_live(server, sql))


def must_be_primary(server: Server, live: Live) -> Live:
    """The live server's word, if it is a primary's.

    Raises:
        Refused: it is not, or the user of the settings is no superuser.
    """
    if server.standby or live.recovering:
        raise _no_primary(server, live)
    if not live.superuser:
        raise Refused(
            f"{server.user} is no superuser of {server.service}, so a recovery could not be carried through.",
            code="MD-PG-019",
            detail="Checkpoints, the promotion and the proof of who serves need one.",
            hint=f"Set {server.setting('user')} to a superuser, then ask again.",
        )
    return live


def _no_primary(server: Server, live: Live) -> Refused:
    primary = live.follows or server.follows
    seen = "it is in recovery" if live.recovering else "its files are those of a standby"
    if not server.standby:
        return Refused(
            f"{server.service} is in recovery: somebody restores it by hand, or it is not promoted yet.",
            code="MD-PG-020",
            detail="pg_is_in_recovery() is true, and there is no standby.signal.",
            hint="Finish that recovery (pg_promote()) or stop the server, then ask again.",
        )
    return Refused(
        f"{server.service} is a standby, not the primary: promoted by a recovery, it would be a second primary.",
        code="MD-PG-021",
        detail=f"{seen}; it follows {primary or 'a primary whose name could not be found'}.",
        hint=f"Name the primary{f' ({primary})' if primary else ''} in {server.setting('postgres')}, on its own host. "
        "If this server is to take over: see that the old primary is stopped for good, pg_promote() this one, ask "
        "again.",
    )


def chosen(live: Live, site: SiteConfig) -> Preload:
    """Which libraries the clone loads."""
    return preload(live.preload, live.settings, site.clone_libraries)


def live_rows(live: Live, site: SiteConfig) -> tuple[tuple[str, str], ...]:
    """What the plan says of the live server's answer."""
    follow = ", ".join(standby.says() for standby in live.standbys)
    left = ", ".join(chosen(live, site).left)
    rows = (("Standbys", follow), ("Not loaded in the clone", f"{left} (until the cut-over)" if left else ""))
    return tuple((label, text) for label, text in rows if text)


def in_short(silent: str) -> str:
    """Why a server does not answer, to be said within a sentence."""
    first = silent.splitlines()[0]
    return (first[0].lower() + first[1:] if first.startswith("It is ") else first).rstrip(".")


def live_alerts(live: Live) -> tuple[str, ...]:
    """What must not be overlooked."""
    found = []
    if live.silent:
        found.append(
            f"The live server did not answer ({in_short(live.silent)}), so the plan rests on its files "
            "alone: whether standbys follow it and whether everybody can log in is not known."
        )
    if live.missing:
        found.append(f"The database {live.missing} does not exist on the live server now.")
    if number := len(live.standbys):
        found.append(
            f"{counted(number, 'standby')} {verb(number, 'stream')} from this server. "
            "After the cut-over they cannot follow it any more: each has to be rebuilt, or rewound with pg_rewind."
        )
    if live.no_replication:
        said = live.no_replication.splitlines()[0]
        found.append(
            f"The server accepts no replication connection ({said}), so there will be no fresh base backup "
            "after the cut-over; add that line to pg_hba.conf, or raise max_wal_senders, first."
        )
    return tuple(found)
