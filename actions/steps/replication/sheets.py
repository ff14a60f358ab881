"""What people read: the plan with each setting that would change, the card that they decide on, and the report."""

from __future__ import annotations

from datetime import timedelta

from actions.clock.times import span_words
from actions.engine.sheets import CardRow, Sheet
from actions.postgres.following import RETRY, PrimaryAddress
from actions.postgres.primary_state import PrimaryState
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.data_place import DataPlace
from actions.steps.postgres.estimate import size
from actions.steps.replication.build import COPIES
from actions.steps.replication.look_at_standby import HeldData, Holding
from actions.steps.replication.plan_changes import CopySpace, StandbyChanges
from actions.steps.replication.prove_streaming import ProvenStandby
from actions.tools.names import Names
from actions.tools.throughput import Throughput

BUILD, REPLACE = "Build the standby", "Replace its data"
_UNMEASURED = 50 * 1024**2
"""Bytes a second that a copy is taken to bring where none was measured here, so that nobody hopes for more."""
_MB = 1024**2


def senseless_answer(held: HeldData) -> tuple[str, ...]:
    """A second person agrees where there is data of somebody, and nobody is bothered where there is none."""
    return (BUILD,) if held.precious else (REPLACE,)


def card(
    upstream: PrimaryAddress,
    leader: Server,
    state: PrimaryState,
    server: Server,
    held: HeldData,
    changes: StandbyChanges,
    names: Names,
    site: SiteConfig,
    throughput: Throughput,
) -> tuple[CardRow, ...]:
    """What is decided on."""
    time = span_words(timedelta(seconds=_seconds(state, site, throughput)))
    return (
        CardRow("To", f"{server.service} follows {leader.service} ({upstream.at})"),
        CardRow("Copies", f"{size(state.bytes)}, at most {_rate_words(site)}; the primary goes on"),
        CardRow("Kept", _kept(server, held, names, site)),
        CardRow("Changes on the primary", f"{changes.says()}; old value, new value and why are in the plan"),
        CardRow("Time", f"about {time} for the copy, then what was written meanwhile"),
    )


def _kept(server: Server, held: HeldData, names: Names, site: SiteConfig) -> str:
    if held.holding is Holding.NOTHING:
        return "nothing lies there"
    return f"{held.says()}, renamed to {names.before_leaf(server.home)}, for {site.kept_days} days"


def _seconds(state: PrimaryState, site: SiteConfig, throughput: Throughput) -> float:
    fastest = min(throughput.bytes_a_second(COPIES) or _UNMEASURED, _bytes_a_second(site.backup_rate))
    return max(5.0, state.bytes / fastest)


def _bytes_a_second(rate: str) -> float:
    """As `pg_basebackup --max-rate` takes it: kilobytes without a letter."""
    if not rate:
        return float("inf")
    return int(rate.rstrip("kM")) * (_MB if rate.endswith("M") else 1024)


def _rate_words(site: SiteConfig) -> str:
    return f"{size(int(_bytes_a_second(site.backup_rate)))} a second" if site.backup_rate else "as fast as it can"


def plan_sheets(
    upstream: PrimaryAddress,
    leader: Server,
    state: PrimaryState,
    server: Server,
    held: HeldData,
    place: DataPlace,
    changes: StandbyChanges,
    space: CopySpace,
    names: Names,
    site: SiteConfig,
) -> tuple[Sheet, ...]:
    """The plan: what becomes of the standby, and each setting that changes on the primary with its reason."""
    rows = (
        ("Primary", f"{leader.service} on {leader.host}, PostgreSQL {leader.version}, timeline {state.timeline}"),
        ("Standby", f"{server.service} on {server.host}, {server.state}; it reaches the primary at {upstream.at}"),
        ("Holds now", held.says()),
        ("Its data", f"{place.path}; what lies there is renamed to {names.before_leaf(server.home)}"),
        ("Room", space.says()),
        ("Old data", f"kept for {site.kept_days} days; nothing removes it by itself"),
    )
    primary = tuple((one.name, one.says()) for one in changes.listed)
    return (
        Sheet("Plan", rows, alerts=_alerts(state, held, server)),
        Sheet("Changes on the primary", primary, notes=_not_changed(state)),
        Sheet("Settings of the standby", _of_the_standby(upstream, changes)),
    )


def _alerts(state: PrimaryState, held: HeldData, server: Server) -> tuple[str, ...]:
    found = []
    if held.precious:
        alone = " What was written there alone is in it, and nowhere else." if held.holding is Holding.SAME else ""
        found.append(f"{server.service} holds {held.says()}. It is kept under another name, out of service.{alone}")
    if state.keep < 0 and state.keep_fixed:
        found.append(
            "max_slot_wal_keep_size = -1 stands on the primary's command line: a standby that stays away fills its "
            "disk. Set a limit there."
        )
    return tuple(found)


def _not_changed(state: PrimaryState) -> tuple[str, ...]:
    """What a later pg_rewind needs: said here, and left to people, since it takes a start of the server."""
    if state.checksums or state.hints:
        return (
            f"Not changed: {'data checksums are' if state.checksums else 'wal_log_hints is'} on, as pg_rewind needs.",
        )
    return (
        "Not changed: data checksums and wal_log_hints are off, so pg_rewind cannot bring an old primary back later; a "
        "new copy can. To have it: wal_log_hints = on, and start the primary anew when that suits.",
    )


def _of_the_standby(upstream: PrimaryAddress, changes: StandbyChanges) -> tuple[tuple[str, str], ...]:
    limits = ", ".join(f"{name} = {value}" for name, value in changes.limits)
    return (
        ("primary_conninfo", f"host {upstream.host}, port {upstream.port}, user {upstream.role}, password in a file"),
        ("primary_slot_name", upstream.slot),
        ("wal_retrieve_retry_interval", f"{RETRY}, in place of 5 s: it is back soon after its primary was away"),
        ("recovery_target_timeline", "latest: it follows a failover"),
        *((("Limits", f"{limits}: as the primary's, since a standby with lower ones stops"),) if limits else ()),
    )


def replacing(server: Server, held: HeldData, names: Names) -> str:
    """What the red button does."""
    return (
        f"{server.service} is stopped; {held.says()} is renamed to {names.before_leaf(server.home)}, and a copy of the "
        "primary takes its place. Undo brings it back until the run has ended."
    )


def building(server: Server) -> str:
    """What the other one does."""
    return f"{server.service} is stopped, gets a copy of the primary, and follows it. Nobody's data is there."


def report(
    upstream: PrimaryAddress,
    leader: Server,
    server: Server,
    held: HeldData,
    changes: StandbyChanges,
    streaming: ProvenStandby,
    names: Names,
    site: SiteConfig,
) -> tuple[Sheet, ...]:
    """How it stands, what lies where, what is left to people."""
    old = f"{server.home.parent}/{names.before_leaf(server.home)}"
    rows = (
        ("State", f"{server.service} {streaming.says()}"),
        ("Follows", f"{leader.service} at {upstream.at}, slot {upstream.slot}, role {upstream.role}"),
        ("Data", f"{server.home.parent}/{server.home.leaf}"),
        ("Old data", f"{held.says()}: {old}, kept for {site.kept_days} days; nothing removes it by itself"),
        ("Changed on the primary", changes.says()),
        ("How it stands later", "/recover postgres replication"),
    )
    notes = (
        "Put the standby into the monitoring: how far it is behind, and what its slot keeps on the primary.",
        f"It replicates asynchronously. For good without it: drop its slot, select "
        f"pg_drop_replication_slot('{upstream.slot}') on the primary, which keeps WAL for it else.",
    )
    alerts = tuple(
        f"Nobody reads the slot {name} of {leader.service}, which keeps WAL there. Where it was this standby's before: "
        f"select pg_drop_replication_slot('{name}')"
        for name in streaming.unread
    )
    return (Sheet("Standby", rows, notes=notes, alerts=alerts),)
