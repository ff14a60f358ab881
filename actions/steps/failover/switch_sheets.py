"""What people read of a planned switch."""

from __future__ import annotations

from actions.engine.sheets import CardRow, Sheet
from actions.engine.standstill import Standstill
from actions.postgres.archiver import Archiving
from actions.postgres.server import Server
from actions.steps.failover.evidence import Evidence
from actions.steps.failover.fence import Fence
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.failover.repoint import Route
from actions.steps.failover.switchover import HandedOver, Readiness
from actions.steps.postgres.archiving import recovered_alerts
from actions.steps.postgres.look_at_server import Writers
from actions.steps.postgres.proof import Proof

SWITCH_OVER = "Switch over"


def switching_over(old: OldPrimary, server: Server, writers: Writers) -> str:
    """What follows the press."""
    return (
        f"{writers.says()} stand still for some seconds. {old.name} is stopped in good order, then {server.service} "
        "takes over under its names. Undo works until the promotion."
    )


def switch_card(old: OldPrimary, ready: Readiness, server: Server, writers: Writers) -> tuple[CardRow, ...]:
    """What people decide on."""
    return (
        CardRow("To", f"{server.service}, in place of {old.name}"),
        CardRow("Standby", ready.says()),
        CardRow("Lost", "nothing, or it is not done: it needs the last record of the primary"),
        CardRow("Down", f"{writers.says()}, for some seconds"),
        CardRow("After", f"Undo until the promotion; {old.name} is kept, stopped"),
    )


def switch_sheets(old: OldPrimary, evidence: Evidence, server: Server, route: Route) -> tuple[Sheet, ...]:
    """The plan."""
    nodes = (
        ("Primary now", f"{old.name} ({old.container[:12]}) on {old.host} @ {old.site}"),
        ("Primary then", f"{server.service} ({server.container[:12]}) on {server.host}"),
        ("Clients", route.says()),
    )
    return (Sheet("Plan", nodes, essential=("Clients",)), Sheet("Evidence", evidence.rows(), essential=()))


def switched_sheets(
    old: OldPrimary,
    server: Server,
    handed: HandedOver,
    fence: Fence,
    proof: Proof,
    route: Route,
    standstill: Standstill,
    arrival: Archiving,
) -> tuple[Sheet, ...]:
    """The report."""
    rows = (
        ("New primary", f"{server.service} on {server.host}, {proof.says()}"),
        ("Lost", f"nothing: {handed.says()}"),
        ("Writers paused", standstill.says()),
        ("Stopped", f"{old.name}: {fence.says()}"),
        ("Clients", route.says()),
        ("WAL archive", arrival.says()),
        ("Next", f"No standby is left; {old.name} is kept as it ended. Build one: /recover postgres replication setup"),
    )
    essential = ("New primary", "Lost", "Writers paused", "Next")
    return (Sheet("Report", rows, alerts=recovered_alerts(arrival), essential=essential),)
