"""How long a recovery will take, as far as can be said."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.facts import volatile
from actions.postgres.server import Server
from actions.steps.postgres.target import Base
from actions.tools.throughput import Throughput

_MB = 1 << 20
_GB = 1 << 30
_COPY, _REPLAY = 300 * _MB, 40 * _MB
"""What is assumed before this host has shown what it can, in bytes a second: a disk's copy, one core's replay."""


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{count / _MB:.0f} MB"


@dataclass(frozen=True)
class Estimate:
    """Expected seconds of each phase; `measured` says that they come from earlier runs on this host."""

    copy: float = volatile()
    replay: float = volatile()
    check: float = volatile()
    cut_over: float = volatile()
    measured: bool = volatile()

    @property
    def total(self) -> float:
        """Seconds from the answer to the end, without the time people take."""
        return self.copy + self.replay + self.check + self.cut_over

    def says(self) -> str:
        """The whole."""
        return f"about {self.total:.0f} s without the time people take"


def estimate(base: Base, server: Server, throughput: Throughput) -> Estimate:
    """From the sizes, with what this host achieved in earlier runs where there were some."""
    copy, replay, check = (throughput.bytes_a_second(phase) for phase in ("copy", "replay", "check"))
    cut_over = throughput.bytes_a_second("cut-over")
    wal = base.wal_bytes(server.segment_size)
    return Estimate(
        copy=(base.bytes + wal) / (copy or _COPY) + 1,
        replay=wal / (replay or _REPLAY) + 1,
        check=base.bytes / (check or _COPY) + 2,
        cut_over=1 / cut_over if cut_over else 12,
        measured=bool(copy and replay),
    )
