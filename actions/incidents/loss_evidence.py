"""What speaks for the loss of a primary, in words for its incident."""

from __future__ import annotations

from collections.abc import Iterator

from actions.clock.times import spell
from actions.postgres.lsn import format_lsn
from actions.watch.cluster_status import ClusterStatus


def evidence_of(status: ClusterStatus) -> list[str]:
    """Both signs, how far the primary had written when it was seen last, how far its standby came."""
    return [*status.verdict.signs, *_primary(status), *_standby(status)]


def title_of(status: ClusterStatus) -> str:
    """What is wrong, in a line."""
    who = status.verdict.primary
    return f"The primary {who.service} @ {who.site} is lost"


def _primary(status: ClusterStatus) -> Iterator[str]:
    record = status.records.get(status.verdict.primary)
    if record is None or record.wrote_last is None or record.known is None:
        yield "No worker has seen it take writes."
        return
    at = f", with WAL written up to {format_lsn(record.known.at)}" if record.known.at is not None else ""
    yield f"It was last seen to take writes at {spell(record.wrote_last.replace(microsecond=0))}{at}."


def _standby(status: ClusterStatus) -> Iterator[str]:
    who = status.verdict.standby
    record = status.records.get(who) if who is not None else None
    if who is None or record is None or record.known is None:
        return
    received = record.known.received or record.known.at
    if received is None:
        yield f"How much WAL {who.service} @ {who.site} has received is not known."
        return
    primary = status.records.get(status.verdict.primary)
    written = primary.known.at if primary is not None and primary.wrote_last and primary.known is not None else None
    behind = ""
    if written is not None:
        missing = max(0, written - received)
        behind = f": {missing:,} bytes less than that" if missing else ": no less than that"
    yield f"{who.service} @ {who.site} has received WAL up to {format_lsn(received)}{behind}."
