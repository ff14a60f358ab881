"""What a doctor found: one thing looked at, whether it is well, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, what to do."""

    name: str
    ok: bool
    seen: str
    do: str = ""
