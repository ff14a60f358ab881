"""The looks at the primary: whether a standby of it can be built as it is, and how the standby will reach it."""

from __future__ import annotations

from dataclasses import replace

from actions.engine.errors import Refused
from actions.postgres.following import PrimaryAddress, address_of, role_of, slot_of
from actions.postgres.primary_state import PrimaryState, primary_sql, read_primary
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.look_at_server import look_at_server
from actions.tools.registry import SiteTools
from actions.tools.standbys import Standbys

_SECONDS = 30.0
_MAINTENANCE = "postgres"
_COPY_SENDERS = 2


def look_at_primary(primary: str, there: SiteTools) -> Server:
    """The primary's container, its files, its cluster.

    Raises:
        Refused: it is down, its files are those of a standby, or it has tablespaces.
    """
    leader = look_at_server(primary, there.site, there.docker, there.files, there.servers)
    if leader.state != "running":
        raise Refused(
            f"{primary} does not run, so nothing can be copied from it. Nothing was touched.",
            code="MD-REP-006",
            detail=f"Its container is {leader.state}.",
            hint="Start it, then ask again. Where it is lost for good, a standby can take over.",
        )
    if leader.standby:
        raise _in_recovery(primary)
    if leader.tablespaces:
        places = ", ".join(space.location for space in leader.tablespaces)
        raise Refused(
            f"{primary} has tablespaces, and Mayday builds no standby of such a server yet. Nothing was touched.",
            code="MD-REP-007",
            detail=f"They lie in {places}.",
            hint="Build it by hand: pg_basebackup -R with a --tablespace-mapping for each of them.",
        )
    # After a promotion the control file names the old timeline until a checkpoint; `state` has the server's word.
    return replace(leader, timeline=0)


def ask_state(primary: str, leader: Server, service: str, site: SiteConfig, there: SiteTools) -> PrimaryState:
    """The primary's own word about what a standby needs of it.

    Raises:
        Refused: as it is configured now, no standby can be built.
    """
    slot = slot_of(service, site.name)
    role = site.replication_user or role_of(slot)
    sql = primary_sql(slot, role, there.site.replication_from)
    said = there.sql.values(leader.service, leader, [sql], seconds=_SECONDS, database=_MAINTENANCE)[0].must()
    state = read_primary(said)
    _may_be_prepared(primary, leader, state)
    _has_room_for_one(primary, state)
    _has_the_role(state, site, role)
    return state


def _in_recovery(primary: str) -> Refused:
    return Refused(
        f"{primary} is itself in recovery, and Mayday builds no standby of a standby. Nothing was touched.",
        code="MD-REP-008",
        detail="pg_is_in_recovery() is true there, or its files are those of a standby.",
        hint="Let this one follow the primary: correct `follows` in its [[services]] table, then ask again.",
    )


def _may_be_prepared(primary: str, leader: Server, state: PrimaryState) -> None:
    if state.recovering:
        raise _in_recovery(primary)
    if not state.superuser:
        raise Refused(
            f"{leader.user} is no superuser of {primary}, so it could not be prepared. Nothing was touched.",
            code="MD-REP-009",
            detail="The role, the settings and the look at pg_hba.conf need one.",
            hint=f"Set {leader.setting('user')} to a superuser, then ask again.",
        )
    if state.wal_level == "minimal":
        raise Refused(
            f"{primary} writes too little into its WAL for a standby: wal_level is minimal. Nothing was touched.",
            code="MD-REP-010",
            detail="Another value is taken at a start of the server alone.",
            hint="Set wal_level = replica there, start the server anew when that suits, then ask again.",
        )
    if state.hba_error:
        raise Refused(
            f"pg_hba.conf of {primary} has an error, so a new line of it would not be taken. Nothing was touched.",
            code="MD-REP-011",
            detail=f"{state.hba_file}, {state.hba_error}",
            hint="Correct that line, then ask again.",
        )


def _has_room_for_one(primary: str, state: PrimaryState) -> None:
    if state.senders - state.sending < _COPY_SENDERS:
        raise Refused(
            f"{primary} has too few WAL senders left for a standby. Nothing was touched.",
            code="MD-REP-012",
            detail=f"max_wal_senders is {state.senders}, {state.sending} are in use; a copy takes {_COPY_SENDERS}.",
            hint="Raise max_wal_senders there, start the server anew when that suits, then ask again.",
        )
    if state.slot is None and state.slots_used >= state.slots:
        raise Refused(
            f"{primary} has no replication slot left. Nothing was touched.",
            code="MD-REP-013",
            detail=f"max_replication_slots is {state.slots}, and all are taken.",
            hint="Drop one that nobody reads (/recover postgres replication names them), or raise "
            "max_replication_slots and start the server anew; then ask again.",
        )


def _has_the_role(state: PrimaryState, site: SiteConfig, role: str) -> None:
    if state.role_there and not state.role_made:
        raise Refused(
            f"The role {role} exists, and Mayday did not make it. Nothing was touched.",
            code="MD-REP-014",
            detail="It would get a new password, and whoever uses it now would be shut out.",
            hint=f"Name another one as {site.setting('replication_user')}, or drop it where nobody needs it.",
        )


def see_the_way(
    leader: Server,
    state: PrimaryState,
    server: Server,
    service: str,
    site: SiteConfig,
    there: SiteTools,
    standbys: Standbys,
) -> PrimaryAddress:
    """How the standby will reach the primary, tried out from the networks of its container.

    Raises:
        Refused: nobody answers there.
    """
    host, port = address_of(there.site.address, leader.service, state.port)
    slot = slot_of(service, site.name)
    upstream = PrimaryAddress(host, port, site.replication_user or role_of(slot), slot, server.service)
    if wrong := standbys.reaches(server, upstream):
        raise Refused(
            f"{server.service} does not reach its primary at {upstream.at}. Nothing was touched.",
            code="MD-REP-015",
            detail=wrong,
            hint=f"Put both containers into one Docker network, or write where it is reached into "
            f'{there.site.setting("address")}, such as "10.0.0.5:5432".',
        )
    return upstream
