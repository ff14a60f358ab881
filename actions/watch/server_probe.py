"""What was seen of a server of a cluster by its last probes, and since when it shows signs of death.

A sign is what one observer sees: that a server does not answer, seen at its own host, or that a standby receives
nothing, seen by the standby. Where nobody could look there is no sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from actions.postgres.lsn import Lsn
from actions.postgres.replication import Replication, Upstream
from actions.tools.docker import ALIVE
from actions.watch.lag_curve import LagPoint, with_lag

DEAF_SECONDS = 45.0
"""A standby that heard nothing for so long hears nothing. After half of wal_receiver_timeout, 30 s of silence, it asks
its primary for a word (walreceiver.c), and the rest is for the answer: on an idle primary 30 s are usual."""
FRESH_SECONDS = 10.0
"""Beyond the time between two probes: what is older says nothing of now."""


class ProbeAnswer(StrEnum):
    """What came back to a probe's query."""

    RIGHT = "right"
    WRONG = "wrong"  # an error, a refusal, a wrong value: somebody is there
    NONE = "none"


@dataclass(frozen=True)
class ServerProbe:
    """One look at one server. `container` is Docker's word for its state, `gone` where there is no container, and empty
    where Docker did not answer.

    `latency` is how many seconds the answer took; without one, for how long it has been waited for. `said` is why there
    is no right answer, and no `replication` then. `every` is the time to the next probe, in seconds.
    """

    site: str
    service: str
    at: datetime
    container: str
    answer: ProbeAnswer
    latency: float = 0.0
    said: str = ""
    replication: Replication | None = None
    every: float = 2.0

    @property
    def blind(self) -> bool:
        """Whether nobody could look, as Docker did not answer."""
        return not self.container

    @property
    def silent(self) -> bool:
        """Whether the server did not answer, by somebody who could look."""
        return not self.blind and self.answer is ProbeAnswer.NONE

    def fresh(self, now: datetime) -> bool:
        """Whether it says something of now."""
        return abs(now - self.at) <= timedelta(seconds=self.every + FRESH_SECONDS)

    @property
    def writes(self) -> bool:
        """Whether it takes writes."""
        return self.replication is not None and not self.replication.standby

    @property
    def follows(self) -> bool:
        """Whether it is in recovery."""
        return self.replication is not None and self.replication.standby


@dataclass(frozen=True)
class ServerRecord:
    """What is kept of a server: its last probe, its last right answer, and since when it shows a sign of death.

    `earlier` is its last right answer where the last probe brought none, and `earlier_at` when that was.

    `silent_since` is since when it does not answer, `deaf_since` since when it is in recovery and receives nothing,
    `writes_since` since when it takes writes. `points` are how far it was behind, for a standby.
    """

    probe: ServerProbe
    earlier: Replication | None = None
    earlier_at: datetime | None = None
    silent_since: datetime | None = None
    deaf_since: datetime | None = None
    writes_since: datetime | None = None
    points: tuple[LagPoint, ...] = field(default=())

    @property
    def known(self) -> Replication | None:
        """Its newest right answer."""
        return self.probe.replication or self.earlier

    @property
    def known_at(self) -> datetime | None:
        """When it gave that."""
        return self.probe.at if self.probe.replication is not None else self.earlier_at

    @property
    def wrote_last(self) -> datetime | None:
        """When it was last seen to take writes, by its newest right answer; None where that said otherwise."""
        return self.known_at if self.known is not None and not self.known.standby else None


def after(record: ServerRecord | None, probe: ServerProbe, written: Lsn | None = None) -> ServerRecord:
    """The record with one more probe. `written` is how far the primary has written, where that is known.

    Between probes that lie too far apart anything may have been, so that a sign begins anew.
    """
    before = record if record is not None and record.probe.fresh(probe.at) and record.probe.at <= probe.at else None
    kept = ServerRecord(
        probe,
        earlier=record.known if record and probe.replication is None else None,
        earlier_at=record.known_at if record and probe.replication is None else None,
        silent_since=_since(before.silent_since if before else None, _silent_from(probe)),
        deaf_since=_since(before.deaf_since if before else None, _deaf_from(probe)),
        writes_since=_since(before.writes_since if before else None, probe.at if probe.writes else None),
        points=record.points if record else (),
    )
    behind = _behind(probe.replication, written)
    return kept if behind is None else replace(kept, points=with_lag(kept.points, probe.at, behind))


def _since(before: datetime | None, begins: datetime | None) -> datetime | None:
    return None if begins is None else min(before or begins, begins)


def _silent_from(probe: ServerProbe) -> datetime | None:
    if not probe.silent:
        return None
    waited = probe.latency if probe.container in ALIVE else 0.0
    return probe.at - timedelta(seconds=waited)


def _deaf_from(probe: ServerProbe) -> datetime | None:
    if not probe.follows or probe.replication is None:
        return None
    one = probe.replication.upstream
    if one is None or one.status != "streaming":
        return probe.at
    return probe.at - timedelta(seconds=one.heard or 0.0) if is_deaf(one) else None


def is_deaf(one: Upstream | None) -> bool:
    """Whether nothing arrives by that connection."""
    return one is None or one.status != "streaming" or (one.heard or 0.0) > DEAF_SECONDS


def _behind(right: Replication | None, written: Lsn | None) -> int | None:
    """How many bytes a standby has not replayed, by the primary's word where there is one, else by what it heard."""
    if right is None or not right.standby:
        return None
    if written is not None and right.at is not None:
        return max(0, written - right.at)
    return right.upstream.behind if right.upstream is not None else None
