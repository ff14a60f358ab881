"""Probes of a small cluster as tests want them, and what is kept after a sequence of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from actions.control.requests import Subject
from actions.postgres.lsn import Lsn
from actions.postgres.replication import Replication, StreamingStandby, Upstream
from actions.watch.replication_health import ClusterMembers, ClusterVerdict, judge
from actions.watch.server_probe import ProbeAnswer, ServerProbe, ServerRecord, after

BEGAN = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
PRIMARY, STANDBY, SECOND = Subject("main", "db"), Subject("far", "copy"), Subject("near", "other")
MEMBERS = ClusterMembers(PRIMARY, (STANDBY,))
STREAM = StreamingStandby("copy", "10.0.0.2", "streaming", "async", 0, 0, None, "copy")


def primary(*, lsn: int = 1000, slow: bool = False) -> Replication:
    """What a primary says of itself."""
    one = StreamingStandby("copy", "10.0.0.2", "streaming", "async", 20 * 1024**2 if slow else 0, 0, None, "copy")
    return Replication(system="7", timeline=1, at=Lsn(lsn), standbys=(one,))


def standby(*, streams: bool = True, heard: float = 0.2, lsn: int = 1000) -> Replication:
    """What a standby says of itself."""
    one = Upstream("10.0.0.1:5432", "streaming", "copy", 0, heard) if streams else None
    return Replication(standby=True, system="7", timeline=1, at=Lsn(lsn), received=Lsn(lsn), upstream=one)


@dataclass(frozen=True)
class Seen:
    """What a probe brings: by default a right answer of a running server."""

    says: Replication | None = None
    container: str = "running"
    answer: ProbeAnswer = ProbeAnswer.RIGHT
    latency: float = 0.01
    said: str = ""


WRITES, FOLLOWS = Seen(primary()), Seen(standby())
DEAF, SILENT_LINK = Seen(standby(streams=False)), Seen(standby(heard=50.0))
EXITED = Seen(container="exited", answer=ProbeAnswer.NONE, said="exit code 137")
GONE = Seen(container="gone", answer=ProbeAnswer.NONE)
PAUSED = Seen(container="paused", answer=ProbeAnswer.NONE)
HANGS = Seen(answer=ProbeAnswer.NONE, latency=1.5)
REFUSES = Seen(answer=ProbeAnswer.WRONG, said="FATAL: too many connections")
BLIND = Seen(container="", answer=ProbeAnswer.NONE, said="Docker did not answer")


@dataclass
class WatchedCluster:
    """Takes probes in, and judges what is kept. `nothing` is seen where no worker looks."""

    members: ClusterMembers = MEMBERS
    dead: float = 10.0
    now: datetime = BEGAN
    records: dict[Subject, ServerRecord] = field(default_factory=dict)

    def sees(self, seconds: float, every: float = 2.0, /, **servers: Seen | None) -> ClusterVerdict:
        """What is judged after so many seconds in which all of these looked so at each probe."""
        for _ in range(max(1, round(seconds / every))):
            self.now += timedelta(seconds=every)
            self.take(servers.items(), every)
        return self.verdict

    def take(self, servers: Iterable[tuple[str, Seen | None]], every: float = 2.0) -> None:
        """One probe of each."""
        for name, seen in servers:
            if seen is None:
                continue
            who = next(one for one in (PRIMARY, STANDBY, SECOND) if one.service == name)
            probe = ServerProbe(
                who.site, name, self.now, seen.container, seen.answer, seen.latency, seen.said, seen.says, every
            )
            self.records[who] = after(self.records.get(who), probe)

    @property
    def verdict(self) -> ClusterVerdict:
        """What is judged now."""
        return judge(self.members, self.records, self.now, self.dead)
