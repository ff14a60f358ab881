"""The refusal of a target that the archive cannot bring back."""

from __future__ import annotations

from datetime import datetime

from actions.engine.errors import Refused
from actions.postgres.lsn import Lsn


class Unreachable(Refused):
    """A target outside of the recovery window; ``nearest`` is the closest moment that can be reached."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        detail: str = "",
        hint: str = "",
        nearest: datetime | None = None,
        nearest_lsn: Lsn | None = None,
    ) -> None:
        super().__init__(message, code=code, detail=detail, hint=hint)
        self.nearest = nearest
        self.nearest_lsn = nearest_lsn
