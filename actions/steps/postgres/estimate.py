"""How long a recovery will take, as far as can be said."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.facts import volatile
from actions.postgres.server import Server
from actions.steps.postgres.target import Base
from actions.tools.throughput import Throughput
from actions.wording import counted

_MB = 1 << 20
_GB = 1 << 30
_COPY, _REPLAY, _CUT_OVER = 300 * _MB, 40 * _MB, 12.0
"""What is guessed before this host has shown what it can: a disk's copy and one core's replay, both in bytes a second,
and the seconds of a cut-over."""
PHASES = ("copy", "replay", "checks", "cut-over")
CUT_OVER = (
    "promote the clone",
    "end prepared transactions",
    "stop the clone in good order",
    "keep the live configuration",
    "pause the writers for the cut-over",
    "stop the old server",
    "count what was lost",
    "swap the data directories",
    "start the server",
    "prove that it is writable",
    "check integrity again",
    "note where the old data lies",
    "resume the writers",
)
"""The steps from the approval of a cut-over until everybody can write again; the hold in between is not among them."""


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{count / _MB:.0f} MB"


@dataclass(frozen=True)
class Estimate:
    """Expected seconds of each phase.

    `measured` names the phases that earlier runs here tell of; every other one is a guess. `cut_overs` is how many
    cut-overs the figure of theirs is the median of.
    """

    copy: float = volatile()
    replay: float = volatile()
    check: float = volatile()
    cut_over: float = volatile()
    measured: tuple[str, ...] | bool = volatile(default=())
    cut_overs: int = volatile(default=0)

    @property
    def total(self) -> float:
        """Seconds from the answer to the end, without the time people take."""
        return self.copy + self.replay + self.check + self.cut_over

    @property
    def guessed(self) -> tuple[str, ...]:
        """The phases that no earlier run here tells of."""
        # Once it was said of all phases together, and of the cut-over nothing had been noted.
        known = self.measured if isinstance(self.measured, tuple) else ()
        return tuple(phase for phase in PHASES if phase not in known)

    def says(self) -> str:
        """The whole."""
        said = f"about {self.total:.0f} s without the time people take"
        if not self.guessed:
            return said
        return f"{said}, a guess" if len(self.guessed) == len(PHASES) else f"{said}, {_and(self.guessed)} guessed"

    def expected(self) -> str:
        """Each phase in seconds, and where the figures come from."""
        seconds = dict(zip(PHASES, (self.copy, self.replay, self.check, self.cut_over), strict=True))
        known = [f"{phase} {seconds[phase]:.0f} s" for phase in PHASES if phase not in self.guessed]
        guessed = [f"{phase} {seconds[phase]:.0f} s" for phase in self.guessed]
        of = f"; the cut-over's is the median of {counted(self.cut_overs, 'run')}" if self.cut_overs else ""
        parts = [f"{', '.join(known)} (from earlier runs here{of})"] if known else []
        parts += [f"{', '.join(guessed)} (a guess: no earlier run here tells of it)"] if guessed else []
        return "; ".join(parts)


def estimate(base: Base, server: Server, throughput: Throughput) -> Estimate:
    """From the sizes, with what this host achieved in earlier runs where there were some."""
    copy, replay, check = (throughput.bytes_a_second(phase) for phase in ("copy", "replay", "check"))
    cut_over = throughput.seconds(CUT_OVER)
    wal = base.wal_bytes(server.segment_size)
    figures = zip(PHASES, (copy, replay, check, cut_over), strict=True)
    return Estimate(
        copy=(base.bytes + wal) / (copy or _COPY) + 1,
        replay=wal / (replay or _REPLAY) + 1,
        check=base.bytes / (check or _COPY) + 2,
        cut_over=cut_over.seconds if cut_over else _CUT_OVER,
        measured=tuple(phase for phase, figure in figures if figure),
        cut_overs=cut_over.runs if cut_over else 0,
    )


def _and(words: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
