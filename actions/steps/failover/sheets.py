"""What people read of a failover: the evidence and the plan, what they decide on, and the report."""

from __future__ import annotations

from collections.abc import Iterator

from actions.engine.sheets import CardRow, Sheet
from actions.engine.standstill import Standstill
from actions.postgres.archiver import Archiving
from actions.postgres.lsn import format_lsn
from actions.postgres.server import Server
from actions.steps.failover.evidence import Evidence, PrimaryHealth
from actions.steps.failover.fence import STOP_SECONDS, Fence
from actions.steps.failover.missing_commits import MissingCommits
from actions.steps.failover.old_primary import OldPrimary
from actions.steps.failover.other_standbys import OtherStandbys
from actions.steps.failover.repoint import Route
from actions.steps.postgres.archiving import recovered_alerts
from actions.steps.postgres.look_at_server import Writers
from actions.steps.postgres.proof import Proof
from actions.wording import counted

FAIL_OVER = "Fail over"
WITH_LOSS = "Fail over with this loss"


def too_much_to_lose(missing: MissingCommits) -> tuple[str, ...]:
    """The option that makes no sense: what is more than a lag of the moment is lost only where that is chosen."""
    return (FAIL_OVER,) if missing.too_much else (WITH_LOSS,)


def failing_over(old: OldPrimary, server: Server) -> str:
    """What follows the press."""
    return (
        f"{old.name} is stopped and kept from coming back, then {server.service} takes over under its names. From the "
        "promotion on there is no way back but another switch."
    )


def first_card(old: OldPrimary, evidence: Evidence, missing: MissingCommits, server: Server) -> tuple[CardRow, ...]:
    """Before anybody agreed."""
    return _card(old, evidence, missing, server)


def second_card(
    old: OldPrimary, evidence_now: Evidence, missing: MissingCommits, server: Server
) -> tuple[CardRow, ...]:
    """For the second person, by what was seen just now."""
    return _card(old, evidence_now, missing, server)


def _card(old: OldPrimary, seen: Evidence, missing: MissingCommits, server: Server) -> tuple[CardRow, ...]:
    down = "nothing now; some seconds from the last press" if seen.health is PrimaryHealth.WRITES else "since it died"
    return (
        CardRow("To", f"{server.service}, in place of {old.name}"),
        CardRow("Primary", f"{'dead' if seen.health is PrimaryHealth.DEAD else seen.health}: {seen.container}"),
        CardRow("Lost", _lost(missing)),
        CardRow("Down", down),
        CardRow("After", f"No undo from the promotion on; {old.name} is kept, fenced"),
    )


def plan_sheets(
    old: OldPrimary,
    evidence: Evidence,
    beside: OtherStandbys,
    missing: MissingCommits,
    server: Server,
    route: Route,
    writers: Writers,
    archiving: Archiving,
) -> tuple[Sheet, ...]:
    """The plan: what each signal says, both nodes, what is lost, how it is fenced, how clients follow."""
    return (
        Sheet(
            "Evidence",
            evidence.rows(),
            alerts=(*_alerts(old, evidence, missing), *beside.alerts(), *writers.alerts()),
            essential=("Docker says", "It answers", "The standby"),
        ),
        Sheet(
            "Plan",
            (
                ("Old primary", _node(old)),
                ("New primary", _standby(server, evidence)),
                *((("Other standbys", beside.says()),) if beside.all else ()),
                ("Lost", _lost(missing)),
                ("Fence", _fence(old)),
                ("Clients", route.says()),
                ("Restarted if they do not serve", writers.says()),
                ("WAL archive", archiving.says()),
            ),
            essential=("Fence", "Clients"),
            carded=("Lost",),
        ),
    )


def second_sheets(evidence_now: Evidence, old: OldPrimary, missing: MissingCommits) -> tuple[Sheet, ...]:
    """The evidence once more, as of now."""
    return (Sheet("Evidence now", evidence_now.rows(), alerts=tuple(_alerts(old, evidence_now, missing))),)


def _lost(missing: MissingCommits) -> str:
    """At most that: WAL which can be read on the old primary is brought over first."""
    brought = "; brought over from its WAL before the promotion, if that can be read then"
    return f"{missing.says()}{brought if missing.counted and missing.commits else ''}"


def _alerts(old: OldPrimary, seen: Evidence, missing: MissingCommits) -> Iterator[str]:
    if seen.health is PrimaryHealth.WRITES:
        yield (
            f"{old.name} takes writes. It is stopped in good order first, for up to {STOP_SECONDS} s, so that the "
            "standby receives the rest; what that one does not get is lost."
        )
    if seen.health is PrimaryHealth.SILENT:
        yield f"{old.name} is not known to be dead: its container is {seen.container}. It is fenced before all else."
    if seen.health is PrimaryHealth.UNCLEAR:
        yield f"The signals contradict each other: Docker says {seen.container}, and the standby still {seen.heard}."
    if old.server is None:
        yield f"The data directory of {old.name} cannot be read, so standby.signal is not laid there: {old.unread}"
    if missing.too_much:
        yield f"The standby is far behind: {missing.says()} would be lost."


def _node(old: OldPrimary) -> str:
    on = f", timeline {old.server.timeline}, identifier {old.server.system_identifier}" if old.server else ""
    return f"{old.name} ({old.container[:12]}) on {old.host} @ {old.site}, {old.state}{on}"


def _standby(server: Server, seen: Evidence) -> str:
    at = f", replayed {format_lsn(seen.replayed)}" if seen.replayed is not None else ""
    return f"{server.service} ({server.container[:12]}) on {server.host}, timeline {server.timeline}{at}"


def _fence(old: OldPrimary) -> str:
    marked = ", standby.signal in its data directory" if old.server is not None else ""
    nets = ", ".join(place.network for place in old.networks) or "no network"
    return f"stop, restart policy {old.restart_policy or 'no'} → no, out of {nets}{marked}; each is proven"


def report_sheets(
    old: OldPrimary,
    server: Server,
    fence: Fence,
    behind: MissingCommits,
    given_up: MissingCommits,
    proof: Proof,
    route: Route,
    standstill: Standstill,
    arrival: Archiving,
) -> tuple[Sheet, ...]:
    """The report of a failover."""
    return (
        Sheet(
            "Report",
            (
                ("New primary", f"{server.service} on {server.host}, {proof.says()}"),
                ("Lost", given_up.says()),
                *_brought(behind, given_up),
                ("From the fence until writers served", standstill.says()),
                ("Fenced", f"{old.name}: {fence.says()}"),
                ("Clients", route.says()),
                ("WAL archive", arrival.says()),
                ("Next", _next(old, server, route)),
            ),
            alerts=recovered_alerts(arrival),
            essential=("New primary", "Lost", "Brought over", "Fenced", "Next"),
        ),
    )


def _brought(behind: MissingCommits, given_up: MissingCommits) -> tuple[tuple[str, str], ...]:
    if not (behind.counted and given_up.counted and behind.commits > given_up.commits):
        return ()
    return (("Brought over", f"{counted(behind.commits - given_up.commits, 'commit')} that only the old primary had"),)


def _next(old: OldPrimary, server: Server, route: Route) -> str:
    keep = (
        f" Until {server.service} has its names in the Compose file, a container that is made anew loses them."
        if route.places
        else ""
    )
    return (
        f"There is no standby now. Do not start {old.name} by hand. Build another one in a container of its own that "
        f"follows {server.service}: /recover postgres replication setup.{keep}"
    )
