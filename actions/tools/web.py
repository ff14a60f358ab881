"""HTTP as steps may ask for it."""

from __future__ import annotations

from typing import Protocol


class Web(Protocol):
    """HTTP to the stack's own services."""

    def get(self, url: str, *, seconds: float = 10) -> tuple[int, str]:
        """Status and body."""
