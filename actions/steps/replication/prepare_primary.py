"""Preparing the primary: the role, the line of pg_hba.conf, the limit of its slots, the slot; all without a restart."""

from __future__ import annotations

from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.following import PrimaryAddress
from actions.postgres.primary_state import MADE, PrimaryState
from actions.postgres.quoting import literal
from actions.postgres.server import Server
from actions.steps.replication.plan_changes import StandbyChanges
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.registry import SiteTools

_SECONDS = 20.0
_TAKEN_SECONDS = 15.0
_MAINTENANCE = "postgres"
_STOPS_READING_SECONDS = 90.0

# The name has been checked to be one that needs no quotes. A comment tells it from roles that people made.
_MAKE_ROLE = """do $$ begin
if not exists (select from pg_roles where rolname = {name}) then
  create role {role} login replication;
  comment on role {role} is {comment};
end if; end $$"""
_DROP_ROLE = """do $$ begin
if exists (select from pg_roles where rolname = {name} and shobj_description(oid, 'pg_authid') = {comment}) then
  drop role {role};
end if; end $$"""
_ROLE = "select count(*) as found from pg_roles where rolname = {name} and rolcanlogin and rolreplication"
_RULES = (
    "select coalesce(bool_or('replication' = any (database) and {name} = any (user_name)), false) as stands, "
    "min(error) as wrong from pg_hba_file_rules"
)
_KEEP = "select setting::bigint as megabytes from pg_settings where name = 'max_slot_wal_keep_size'"
_MAKE_SLOT = (
    "select pg_create_physical_replication_slot({slot}, true)::text as made "
    "where not exists (select from pg_replication_slots where slot_name = {slot})"
)
_DROP_SLOT = (
    "select pg_drop_replication_slot(slot_name)::text as dropped from pg_replication_slots "
    "where slot_name = {slot} and not active"
)
_SLOT = (
    "select slot_type = 'physical' and wal_status is distinct from 'lost' as fit from pg_replication_slots "
    "where slot_name = {slot}"
)
_READ = "select coalesce(bool_or(active), false) as read from pg_replication_slots where slot_name = {slot}"
_RELOAD = "select pg_reload_conf() as told"


def ask_leader(sql: str, leader: Server, there: SiteTools) -> list[dict[str, Any]]:
    """Rows of the primary, of a database that nobody drops."""
    return there.sql.rows(leader.service, leader, sql, seconds=_SECONDS, database=_MAINTENANCE)


def _with_role(sql: str, upstream: PrimaryAddress, names: Names) -> str:
    comment = literal(f"{MADE}{names.run}")
    return sql.format(role=upstream.role, name=literal(upstream.role), comment=comment)


def make_role(upstream: PrimaryAddress, leader: Server, names: Names, there: SiteTools) -> None:
    """Make the role with which the standby logs in, as yet without a password."""
    ask_leader(_with_role(_MAKE_ROLE, upstream, names), leader, there)


def role_is_made(upstream: PrimaryAddress, leader: Server, names: Names, there: SiteTools) -> bool:
    """Whether it may log in and replicate."""
    return bool(ask_leader(_with_role(_ROLE, upstream, names), leader, there)[0]["found"])


def drop_role(upstream: PrimaryAddress, leader: Server, names: Names, there: SiteTools) -> None:
    """Drop it where this run made it."""
    ask_leader(_with_role(_DROP_ROLE, upstream, names), leader, there)


def no_rule_needed(changes: StandbyChanges) -> str:
    """Why pg_hba.conf is left as it is."""
    return "" if changes.rule else "the line stands there already"


def lay_rule(changes: StandbyChanges, state: PrimaryState, leader: Server, names: Names, there: SiteTools) -> None:
    """Let the role in, and have the server read the file anew."""
    there.standbys.lay_rule(leader, state.hba_file, names.run, changes.rule)
    ask_leader(_RELOAD, leader, there)


def rule_is_laid(upstream: PrimaryAddress, leader: Server, names: Names, there: SiteTools) -> bool:
    """Whether the rule stands there, and the file is without an error, so that the server takes it.

    Raises:
        RecoveryError: it has one.
    """
    found = ask_leader(_with_role(_RULES, upstream, names), leader, there)[0]
    if found["wrong"]:
        raise RecoveryError(
            f"pg_hba.conf of {leader.service} has an error, so the server goes on with the old one.",
            code="MD-REP-026",
            detail=str(found["wrong"]),
            hint="Correct that line, then Retry; Undo takes the run's own line out again.",
        )
    return bool(found["stands"])


def withdraw_rule(state: PrimaryState, leader: Server, names: Names, there: SiteTools) -> None:
    """Take the run's line out again."""
    there.standbys.withdraw_rule(leader, state.hba_file, names.run)
    ask_leader(_RELOAD, leader, there)


def no_limit_needed(changes: StandbyChanges) -> str:
    """Why the settings are left as they are."""
    return "" if changes.keep else "slots have a limit already"


def limit_slots(changes: StandbyChanges, leader: Server, there: SiteTools, polling: Polling) -> None:
    """Limit what slots may keep, and wait until the server has taken it."""
    ask_leader(f"alter system set max_slot_wal_keep_size = '{int(changes.keep)}MB'", leader, there)
    ask_leader(_RELOAD, leader, there)
    polling.until(lambda: slots_are_limited(changes, leader, there), seconds=_TAKEN_SECONDS)


def slots_are_limited(changes: StandbyChanges, leader: Server, there: SiteTools) -> bool:
    """Whether new sessions of the server see the limit."""
    return int(ask_leader(_KEEP, leader, there)[0]["megabytes"]) == changes.keep


def unlimit_slots(changes: StandbyChanges, leader: Server, there: SiteTools) -> None:
    """As before: without a limit of ALTER SYSTEM."""
    ask_leader("alter system reset max_slot_wal_keep_size", leader, there)
    ask_leader(_RELOAD, leader, there)


def make_slot(upstream: PrimaryAddress, leader: Server, names: Names, there: SiteTools) -> None:
    """Make the slot, which keeps WAL from now on; one that is lost gives way to it."""
    slot = literal(upstream.slot)
    fit = ask_leader(_SLOT.format(slot=slot), leader, there)
    if fit and not fit[0]["fit"]:
        ask_leader(_DROP_SLOT.format(slot=slot), leader, there)
    ask_leader(_MAKE_SLOT.format(slot=slot), leader, there)


def slot_is_made(upstream: PrimaryAddress, leader: Server, there: SiteTools) -> bool:
    """Whether it is there and keeps WAL."""
    found = ask_leader(_SLOT.format(slot=literal(upstream.slot)), leader, there)
    return bool(found and found[0]["fit"])


def wait_until_unread(upstream: PrimaryAddress, leader: Server, there: SiteTools, polling: Polling) -> None:
    """Wait until the primary has noticed that an attempt which was cut off reads the slot no more."""
    read = _READ.format(slot=literal(upstream.slot))
    polling.until(lambda: not ask_leader(read, leader, there)[0]["read"], seconds=_STOPS_READING_SECONDS)


def drop_slot(
    changes: StandbyChanges, upstream: PrimaryAddress, leader: Server, there: SiteTools, polling: Polling
) -> None:
    """Drop it where this run made it, as soon as nobody reads it any more."""
    if not changes.slot:
        return
    slot = literal(upstream.slot)

    def gone() -> bool:
        ask_leader(_DROP_SLOT.format(slot=slot), leader, there)
        return not ask_leader(_SLOT.format(slot=slot), leader, there)

    if not polling.until(gone, seconds=_STOPS_READING_SECONDS):
        raise RecoveryError(
            f"The slot {upstream.slot} of {leader.service} is still read, so it could not be dropped.",
            code="MD-REP-027",
            detail="It keeps WAL as long as it exists.",
            hint=f"See that the standby is stopped, then Retry; or: select pg_drop_replication_slot('{upstream.slot}')",
        )
