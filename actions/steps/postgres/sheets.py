"""What people read before they answer, and at the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actions.clock.times import span_words, spell
from actions.clock.when import Target, describe
from actions.engine.procedure import Answer, Sheet
from actions.engine.standstill import Standstill
from actions.postgres.archiver import Archiving
from actions.postgres.chains import builds_on
from actions.postgres.choices import window_words
from actions.postgres.live_server import Live
from actions.postgres.server import Server
from actions.postgres.windows import Window
from actions.settings.site import SiteConfig
from actions.steps.postgres import besides_sheet
from actions.steps.postgres.approved_loss import ApprovedLoss, loss_rows
from actions.steps.postgres.archiving import archiving_rows, bad_copy_rows, kept_rows, plan_alerts, recovered_alerts
from actions.steps.postgres.ask_live import live_alerts, live_rows
from actions.steps.postgres.check_integrity import Integrity, integrity_sheet
from actions.steps.postgres.count_losses import Lost
from actions.steps.postgres.data_place import DataPlace, place_rows
from actions.steps.postgres.difference import Difference, difference_sheet
from actions.steps.postgres.disk_space import Space, space_alerts, space_rows
from actions.steps.postgres.estimate import Estimate, size
from actions.steps.postgres.find_tablespaces import Tablespaces, tablespace_rows
from actions.steps.postgres.hold import hold_row
from actions.steps.postgres.keep_configuration import ConfigurationKept
from actions.steps.postgres.left_to_people import LeftToPeople
from actions.steps.postgres.look_at_server import Writers
from actions.steps.postgres.lost_at_stop import LostAtStop
from actions.steps.postgres.lost_sheet import lost_sheet
from actions.steps.postgres.prepared import PreparedOpen
from actions.steps.postgres.proof import Kept, Proof
from actions.steps.postgres.replay import StopReached
from actions.steps.postgres.see_unwritten import NotInWal
from actions.steps.postgres.target import Aim, Base, stop_text
from actions.steps.postgres.two_readings import reading_rows
from actions.tools.names import Names

RTO = timedelta(minutes=30)
_IN_PLAN = ("Not meant", "Control file", "WAL archive", "Will be paused", "Takes")
_IN_REPORT = ("To", "Lost", "Checks", "Old data", "Bad in the archive")


def target_rows(target: Target, asked: str, zone: str, now: datetime, aim: Aim) -> tuple[tuple[str, str], ...]:
    """The target as asked, in UTC and the asker's zone, and how long ago."""
    at, meant = aim.stop.last_commit_at, aim.meant(target)
    rows = [("Asked for", asked or target.kind), *reading_rows(target, asked, aim)]
    if meant.at is not None:
        rows.append(("Target", describe(meant, now, ZoneInfo(zone))))
    if at is not None:
        rows.append(("Last commit kept", f"{spell(at)}, {span_words(now - at)} ago"))
    if aim.stop.next_commit_at is not None:
        rows.append(("First commit lost", spell(aim.stop.next_commit_at)))
    return (*rows, ("Stops", stop_text(aim)))


def plan_sheets(
    target: Target,
    asked: str,
    zone: str,
    now: datetime,
    server: Server,
    site: SiteConfig,
    live: Live,
    place: DataPlace,
    window: Window,
    writers: Writers,
    aim: Aim,
    base: Base,
    tablespaces: Tablespaces,
    lost: Lost,
    space: Space,
    times: Estimate,
    foreseen: ConfigurationKept,
    beside: NotInWal,
    archiving: Archiving,
) -> tuple[Sheet, ...]:
    """The plan: what will happen, from what, and what will be lost."""
    alerts = (*live_alerts(live), *writers.alerts(), *aim.alerts(target), *space_alerts(space), *plan_alerts(archiving))
    where = Sheet(
        "Plan",
        (
            *target_rows(target, asked, zone, now, aim),
            *_server_rows(server, site, live, place),
            *_source_rows(server, window, aim, base, tablespaces),
            *space_rows(space, server),
            *archiving_rows(archiving),
            *_time_rows(writers, site, times),
        ),
        alerts=alerts,
        essential=("Target" if target.at is not None else "Stops", *_IN_PLAN),
        carded=("Target", "Takes"),
    )
    return (where, lost_sheet(lost, server.state == "running"), besides_sheet.plan_sheet(server, aim, foreseen, beside))


def _time_rows(writers: Writers, site: SiteConfig, times: Estimate) -> tuple[tuple[str, str], ...]:
    return (
        ("Will be paused", writers.says()),
        *hold_row(site),
        ("Takes", times.says()),
        ("Expected", times.expected()),
        ("RTO", f"{RTO.total_seconds() / 60:.0f} min"),
    )


def _server_rows(server: Server, site: SiteConfig, live: Live, place: DataPlace) -> tuple[tuple[str, str], ...]:
    damaged = "damaged; the identifier was read from the server's own WAL"
    return (
        ("Container", f"{server.service} ({server.container[:12]}) on {server.host}, {server.image}"),
        ("System", f"PostgreSQL {server.version}, identifier {server.system_identifier}, now {server.state}"),
        *((("Control file", damaged),) if server.control_damaged else ()),
        *live_rows(live, site),
        *place_rows(place),
    )


def _source_rows(
    server: Server, window: Window, aim: Aim, base: Base, tablespaces: Tablespaces
) -> tuple[tuple[str, str], ...]:
    """From which base backup and which WAL the data comes."""
    part = window.on(aim.timeline)
    wal = f"{len(base.segments)} segments, {size(base.wal_bytes(server.segment_size))}, timeline {aim.timeline}"
    return (
        ("Window", window_words(part) if part and part.reaches else "not known"),
        ("Base backup", f"{base.name}{builds_on(base.chain)}, {size(base.bytes)}: {base.why}"),
        ("WAL to replay", wal),
        *tablespace_rows(tablespaces, base),
    )


def preview_sheets(
    server: Server,
    mode: Answer,
    reached: StopReached,
    integrity: Integrity,
    difference: Difference,
    now: datetime,
    configuration: ConfigurationKept,
    unwritten: NotInWal,
    prepared: PreparedOpen,
    settling: Answer,
    aim: Aim,
    loss: ApprovedLoss,
) -> tuple[Sheet, ...]:
    """The preview on the paused clone: the proof, the checks, the difference from the live data."""
    proof = Sheet(
        "Preview",
        (
            ("Proof", reached.said),
            ("Integrity", integrity.verdict),
            ("Live data", difference.says()),
            *loss_rows(loss),
        ),
        essential=("Integrity", "Live data", "Written after the target", "An approval covers"),
        carded=("Live data", "Written after the target", "An approval covers"),
    )
    beside = besides_sheet.preview_sheet(server, aim, configuration, unwritten, prepared, settling)
    return (proof, integrity_sheet(integrity), difference_sheet(difference), beside)


def recovered_sheets(
    aim: Aim,
    server: Server,
    reached: StopReached,
    proof: Proof,
    kept: Kept,
    integrity: Integrity,
    integrity_after: Integrity,
    given_up: LostAtStop,
    standstill: Standstill,
    configuration: ConfigurationKept,
    approval: Answer,
    names: Names,
    unwritten: NotInWal,
    prepared: PreparedOpen,
    settling: Answer,
    left: LeftToPeople,
    arrival: Archiving,
    window: Window,
) -> tuple[Sheet, ...]:
    """The report of a recovery."""
    return (
        Sheet(
            "Report",
            (
                ("To", _back_to(aim)),
                ("Lost", given_up.says()),
                ("Writers paused", standstill.says()),
                ("Proof", reached.said),
                ("In service", proof.says()),
                *_checked_rows(integrity, integrity_after),
                ("Old data", kept.text),
                ("WAL archive", arrival.says()),
                *kept_rows(window.bad, f"{server.home.parent}/{names.tail_leaf(server.home)}"),
            ),
            alerts=(*given_up.alerts(), *recovered_alerts(arrival)),
            essential=(*_IN_REPORT, *(() if integrity.healthy else ("Integrity",))),
        ),
        besides_sheet.report_sheet(configuration, approval, names, unwritten, prepared, settling, left),
    )


def _back_to(aim: Aim) -> str:
    at = aim.stop.last_commit_at
    return spell(at) if at else stop_text(aim)


def _checked_rows(before: Integrity, after: Integrity) -> tuple[tuple[str, str], ...]:
    return (("Checks", after.brief()), ("Integrity", before.verdict), ("After the cut-over", after.verdict))


def verify_sheets(integrity: Integrity) -> tuple[Sheet, ...]:
    """The verdict of a verify."""
    return (
        Sheet("Integrity", (("Verdict", integrity.verdict), ("Took", f"{integrity.seconds:.1f} s"))),
        integrity_sheet(integrity),
    )


def window_sheets(window: Window, archiving: Archiving) -> tuple[Sheet, ...]:
    """The recovery window on every timeline."""
    sheets: list[Sheet] = []
    for part in window.timelines:
        here = "in service now" if part.timeline == window.live_timeline else "left"
        rows = (
            [("Window", window_words(part))] if part.reaches else [("Window", part.problem or "nothing to start from")]
        )
        rows += [
            (
                reach.backup.name,
                f"{size(reach.backup.bytes)}, reaches {spell(reach.until) if reach.until else 'an unknown moment'}"
                f"{builds_on(reach.backup.chain)}",
            )
            for reach in part.reaches
        ]
        rows += [(bad.path.rpartition("/")[2], f"not usable: {bad.why}") for bad in part.unusable]
        alerts = () if sheets else plan_alerts(archiving)
        sheets.append(Sheet(f"Timeline {part.timeline} ({here})", tuple(rows), alerts=alerts))
    beside = (*archiving_rows(archiving), *bad_copy_rows(window.bad))
    return (*sheets, *((Sheet("Archive", beside),) if beside else ()))
