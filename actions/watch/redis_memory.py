"""What a Redis says of its own memory, and what that means for who writes into it.

At its limit a Redis goes on reading and refuses writes, unless its policy lets it throw keys away. A policy
that begins with `volatile` may throw away only keys that expire, and refuses too where it finds none. Facts:
redis.io, "INFO", "OOM error", "CONFIG RESETSTAT".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actions.steps.postgres.estimate import size

REMEMBERED = timedelta(minutes=10)
"""For so long after a look that found refused writes they count, though there is room again."""
TIGHT = 0.9
"""The share of the limit from which on it is worth a word."""
_REFUSED = "count="
# No client in the container, or a Redis that answers and refuses the question (redis.io, "AUTH", "ACL").
_NOT_ASKED = ("no redis-cli", "NOAUTH", "WRONGPASS", "NOPERM")


@dataclass(frozen=True)
class Memory:
    """A Redis at one moment, in bytes. `most` is 0 where it has no limit; `policy` is what it does there.

    `refused` are the writes that it has refused for want of memory since it began to count, None where it never said;
    `refused_at` is when a look last found more of them than the one before. `problem` is why it did not say this time.
    """

    seen_at: datetime
    used: int = 0
    most: int = 0
    policy: str = ""
    refused: int | None = None
    refused_at: datetime | None = None
    problem: str = ""

    @property
    def refuses(self) -> bool:
        """Whether it refuses writes, or did so just now."""
        lately = self.refused_at is not None and self.seen_at - self.refused_at < REMEMBERED
        return lately or (self._keeps and 0 < self.most <= self.used)

    @property
    def silent(self) -> bool:
        """Whether it was asked and did not answer; that nobody could ask it is no answer of its own."""
        return bool(self.problem) and not any(mark in self.problem for mark in _NOT_ASKED)

    @property
    def _keeps(self) -> bool:
        return self.policy == "noeviction"

    def says(self) -> str:
        """What is wrong with it in a few words; nothing where all is well."""
        if self.silent:
            return f"Redis does not answer: {self.problem}"
        if self.problem:
            return f"Redis does not say how much memory it uses: {self.problem}"
        figures = f"{size(self.used)} of {size(self.most)}, {self.policy}"
        if self.refuses:
            counted = f", {self.refused} refused" if self.refused else ""
            return f"Redis refuses writes for want of memory: {figures}{counted}"
        if self._keeps and 0 < TIGHT * self.most <= self.used:
            return f"Redis is nearly full and will refuse writes: {figures}"
        return ""


def read(info: str, now: datetime, before: Memory | None = None) -> Memory:
    """The memory, from the sections `memory` and `errorstats` of INFO; `before` is what the last look found.

    Raises:
        ValueError: INFO does not say it.
    """
    fields = dict(line.strip().split(":", 1) for line in info.splitlines() if ":" in line)
    if "used_memory" not in fields:
        raise ValueError("INFO has no used_memory")
    used, most = int(fields["used_memory"]), int(fields.get("maxmemory", 0))
    refused = int(fields.get("errorstat_OOM", "0").removeprefix(_REFUSED))
    at = _refused_at(refused, now, before)
    return Memory(now, used, most, fields.get("maxmemory_policy", ""), refused, at)


def silent(problem: str, now: datetime, before: Memory | None = None) -> Memory:
    """The memory of one that did not say it, for that reason; what it refused is not forgotten."""
    return replace(before or Memory(now), seen_at=now, used=0, most=0, policy="", problem=problem)


def _refused_at(refused: int, now: datetime, before: Memory | None) -> datetime | None:
    """When writes were refused: of those before the first look nobody knows, so they tell nothing.

    A count that fell began anew, with the server or by hand.
    """
    if before is None or before.refused is None:
        return None
    known = before.refused if refused >= before.refused else 0
    return now if refused > known else before.refused_at
