"""What the doctor finds out about the server itself: is it the primary, is Mayday let in, can its data be swapped."""

from __future__ import annotations

from collections.abc import Iterator

from actions.engine.errors import Away, RecoveryError, Refused
from actions.findings import Finding
from actions.postgres.live_server import Live
from actions.postgres.server import Server
from actions.steps.postgres.ask_live import ask_live, chosen, must_be_primary
from actions.steps.postgres.data_place import must_be_swappable
from workers.runner.toolbox import HostTools


def check(tools: HostTools, server: Server) -> Iterator[Finding]:
    """What a plan would be refused for, and what would go wrong after a cut-over."""
    let_in = f"See {server.setting('user')} and pg_hba.conf, as the message says."
    try:
        live = ask_live(server, tools.sql)
    except Refused as refused:
        yield Finding("Postgres lets Mayday in", False, _said(refused), refused.hint or let_in)
        return
    yield _primary(server, live)
    if not live.silent:
        yield Finding(
            "Postgres lets Mayday in",
            not live.missing,
            f"there is no database {live.missing}" if live.missing else f"as {server.user}",
            f"Correct {server.setting('database')} in the settings, or recover to before it went.",
        )
        yield Finding(
            "replication connection",
            not live.no_replication,
            (live.no_replication or "accepted, as base backups need it").splitlines()[-1],
            f"Add `local replication {server.user} trust` (or peer) to pg_hba.conf and reload; "
            "max_wal_senders has to be above 1.",
        )
    yield _place(tools, server)
    left = chosen(live, tools.site).left
    if left:
        yield Finding("preloaded libraries", True, f"{', '.join(left)}: not loaded in a clone until the cut-over")


def _primary(server: Server, live: Live) -> Finding:
    try:
        must_be_primary(server, live)
    except Refused as refused:
        return Finding("primary", False, _said(refused), refused.hint)
    return Finding("primary", True, live.says())


def _place(tools: HostTools, server: Server) -> Finding:
    try:
        place = must_be_swappable(server, tools.names, tools.folders)
    except Away:
        raise
    except RecoveryError as refused:
        return Finding("data directory", False, _said(refused), refused.hint)
    return Finding("data directory", True, f"{place.path} can be swapped by a rename")


def _said(refused: RecoveryError) -> str:
    return f"{refused.said} {refused.detail}".strip()
